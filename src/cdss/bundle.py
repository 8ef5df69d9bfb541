"""
Trained models as folders: verify every byte, replay the known answers, then answer.

A bundle is ``manifest.json`` (facts, and the SHA-256 of the other files), ``manifest.sha256`` (its
own), ``model.onnx`` (the explained graph), ``cases.csv`` (known answers made by the library the
model was trained in, before export) and, once it was released, ``gate.json`` (the release record).
Nothing in it is executable, nothing is a pickle.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime as ort

from cdss.errors import BundleError, DefinitionError, Problem, UnknownModel
from cdss.gate import FILE as GATE
from cdss.gate import gate_text, read_gate
from cdss.limits import Limit
from cdss.risk import Array, RiskModel
from cdss.source import Source
from cdss.validity import Validity
from cdss.variables import VARIABLES

FORMAT = 1
"""Version of the bundle format; a reader refuses any other."""

CHUNK_ROWS = 256
"""Rows run at once: the intermediate tensors of more no longer fit the cache."""

TOLERANCE = 1e-6
"""Greatest difference in probability allowed between a known answer and the replayed one."""

SHIPPED = Path(str(resources.files("cdss"))) / "bundles"

_FILES = {"manifest.json", "manifest.sha256", "model.onnx", "cases.csv"}
_NOT_RELEASED = Problem(
    "not_released", "model", "has no release record: nobody approved it for use"
)
_ANCHORED = Problem("anchored", "model", "adjusted to published figures, not validated")


def load_bundle(folder: str | os.PathLike[str]) -> RiskModel:
    """
    Load a trained model, or refuse.

    Parameters
    ----------
    folder : path
        The bundle's folder.

    Returns
    -------
    RiskModel
        Its function takes ``x [n, k]`` (NaN = unknown; the graph sees float32) and gives
        probability [n] and contributions [n, k] in log-odds. Its ``facts`` are the manifest, its
        digest, and under ``gate`` the release record; without one every estimate says so.

    Raises
    ------
    BundleError
        If a file is missing, added or changed, the manifest or the graph cannot be read, the
        release record is of another manifest or no pass, or a known answer is not reproduced to
        1e-6.
    """
    path = Path(folder)
    contents, manifest = _verified(path)
    try:
        released = contents.get(GATE)
        manifest["gate"] = read_gate(released, manifest) if released is not None else None
        session = _session(contents["model.onnx"])
        model = _model(manifest, session)
        cases = list(csv.DictReader(io.StringIO(contents["cases.csv"].decode())))
        _replay(model, cases)
    except BundleError as error:
        raise BundleError(f"bundle {path.name}: {error}") from None
    except Exception as error:  # whatever is wrong in a bundle means: do not serve it
        raise BundleError(f"bundle {path.name}: {type(error).__name__}: {error}") from error
    return model


def load_models(
    ids: Iterable[str] | None = None,
    *,
    demonstrations: bool = False,
    folder: str | os.PathLike[str] = SHIPPED,
    ungated: bool = False,
) -> tuple[RiskModel, ...]:
    """
    Load shipped models.

    Parameters
    ----------
    ids : iterable of str, optional
        Which; all by default. A demonstration model asked for by id is loaded.
    demonstrations : bool
        Whether demonstration models (made from teaching data) are loaded too.
    folder : path, optional
        Where the bundles are; those of the package by default.
    ungated : bool
        Whether models without a release record are loaded too. Without it they are left out, and
        refused if asked for by id. Demonstrations need no record.

    Returns
    -------
    tuple of RiskModel
        Sorted by id, or in the order of `ids`.

    Raises
    ------
    UnknownModel
        If an id has no bundle.
    BundleError
        If one of them is damaged, none is released, or one asked for by id is not.
    """
    found = {p.parent.name: p.parent for p in sorted(Path(folder).glob("*/manifest.json"))}
    if not found:
        raise BundleError(f"no bundles in {Path(folder).name}")
    if ids is not None:
        wanted = tuple(dict.fromkeys(ids))
        if unknown := [i for i in wanted if i not in found]:
            raise UnknownModel(unknown, found)
        models = tuple(load_bundle(found[i]) for i in wanted)
    else:
        every = (load_bundle(path) for path in found.values())
        models = tuple(m for m in every if demonstrations or not m.demonstration)
    unreleased = [m.id for m in models if not (ungated or m.released or m.demonstration)]
    allowed = tuple(m for m in models if m.id not in unreleased)
    served = [m for m in allowed if not m.demonstration]
    if unreleased and (ids is not None or not served):
        raise BundleError(
            f"no release record ({GATE}): {', '.join(unreleased)}; CDSS_UNGATED_MODELS=1, "
            "--ungated or ungated=True uses them all the same, and every answer says so"
        )
    return allowed


def write_bundle(
    folder: str | os.PathLike[str], manifest: Mapping[str, Any], graph: bytes, cases: str
) -> str:
    """
    Write a bundle: the only place that knows how its files are hashed.

    Parameters
    ----------
    folder : path
        Where; created if needed, its bundle files replaced. A release record goes: it was of the
        manifest before.
    manifest : mapping
        Facts about the model; ``format`` and ``files`` are added.
    graph : bytes
        The explained graph, ONNX.
    cases : str
        Known answers, CSV: one column for each predictor, then ``probability`` and ``origin``.

    Returns
    -------
    str
        SHA-256 of the manifest: the digest of the bundle.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    contents = {"cases.csv": cases.encode(), "model.onnx": graph}
    files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    text = json.dumps({"format": FORMAT, **manifest, "files": files}, indent=1, ensure_ascii=False)
    contents["manifest.json"] = f"{text}\n".encode()
    digest = hashlib.sha256(contents["manifest.json"]).hexdigest()
    contents["manifest.sha256"] = f"{digest}  manifest.json\n".encode()
    (path / GATE).unlink(missing_ok=True)
    for name, data in contents.items():
        (path / name).write_bytes(data)
    return digest


def write_gate(folder: str | os.PathLike[str], record: Mapping[str, Any]) -> None:
    """
    Write the release record of a bundle, which must be one that `load_bundle` accepts.

    Parameters
    ----------
    folder : path
        The bundle's folder.
    record : mapping
        ``model``, ``version``, ``manifest_sha256``, ``verdict``, ``checks``, ``evidence_sha256``,
        ``signed_by``, ``released_on``, ``code``, ``mlflow_run_id``, ``history``; ``format`` and
        ``sha256`` are added.

    Raises
    ------
    BundleError
        If it is of another manifest, no pass, not signed, or has no date; nothing is written then.
    """
    path = Path(folder)
    _, manifest = _verified(path)
    data = gate_text(record)
    read_gate(data, manifest)
    (path / GATE).write_bytes(data)


def _verified(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Read the files of a bundle, every byte of which must be as it was written."""
    try:
        contents = {p.name: p.read_bytes() for p in path.iterdir() if p.is_file()}
    except OSError as error:
        raise BundleError(f"bundle {path.name} cannot be read: {error.strerror}") from error
    if wrong := ", ".join(sorted(set(contents) - {GATE} ^ _FILES)):
        raise BundleError(f"bundle {path.name}: missing or unexpected files: {wrong}")
    digest = hashlib.sha256(contents["manifest.json"]).hexdigest()
    if contents["manifest.sha256"] != f"{digest}  manifest.json\n".encode():
        raise BundleError(f"bundle {path.name}: manifest.json does not match its SHA-256")
    try:
        manifest = json.loads(contents["manifest.json"])
    except ValueError as error:
        raise BundleError(f"bundle {path.name}: manifest.json is not JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"bundle {path.name}: format is not {FORMAT}")
    hashes = {n: hashlib.sha256(contents[n]).hexdigest() for n in ("cases.csv", "model.onnx")}
    if bad := [n for n, found in hashes.items() if manifest.get("files", {}).get(n) != found]:
        raise BundleError(f"bundle {path.name}: {', '.join(bad)} does not match its SHA-256")
    return contents, {**manifest, "digest": digest}


def _session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # its error lines quote values; what matters is raised
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _model(manifest: Mapping[str, Any], session: ort.InferenceSession) -> RiskModel:
    inputs, optional = tuple(manifest["inputs"]), tuple(manifest["optional"])
    excluded, measured_by = tuple(manifest["excluded"]), tuple(manifest.get("measured_by", ()))
    named = {*inputs, *optional, *excluded, *measured_by, *manifest["limits"]}
    if unknown := named - set(VARIABLES):
        raise DefinitionError(f"unknown variables: {', '.join(sorted(unknown))}")
    if session.get_inputs()[0].shape[1] != len(inputs) + len(optional):
        raise DefinitionError("the graph does not have one column for each input")
    names = ["probability", "contributions"]

    def function(x: Array) -> tuple[Array, Array]:
        x = x.astype(np.float32, copy=False)
        if len(x) <= CHUNK_ROWS:
            probability, contributions = session.run(names, {"x": x})
            return probability, contributions
        parts = [
            session.run(names, {"x": x[at : at + CHUNK_ROWS]})
            for at in range(0, len(x), CHUNK_ROWS)
        ]
        return np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])

    stands = {_NOT_RELEASED: not manifest["gate"], _ANCHORED: bool(manifest.get("anchored"))}
    return RiskModel(
        id=manifest["id"],
        version=manifest["version"],
        outcome=manifest["outcome"],
        horizon_years=manifest["horizon_years"],
        inputs=inputs,
        optional=optional,
        function=function,
        baseline=manifest["baseline"],
        limits=MappingProxyType({k: Limit(lo, hi) for k, (lo, hi) in manifest["limits"].items()}),
        excluded=excluded,
        population=manifest["population"],
        sources=tuple(Source(**source) for source in manifest["sources"]),
        demonstration=manifest["demonstration"],
        measured_by=measured_by,
        cautions=tuple(problem for problem, holds in stands.items() if holds),
        facts=MappingProxyType(dict(manifest)),
        validity=Validity.read(manifest, inputs + optional),
        released=bool(manifest["gate"]),
    )


def _replay(model: RiskModel, cases: Sequence[Mapping[str, str]]) -> None:
    """Refuse a model that does not reproduce its known answers, or does not add up."""
    if not cases:
        raise BundleError("no known answers")
    x = np.array(
        [[float(case[name] or "nan") for name in model.predictors] for case in cases],
        dtype=np.float32,
    )
    expected = np.array([float(case["probability"]) for case in cases])
    probability, contributions = model.function(x)
    error = float(np.abs(probability - expected).max())
    if not error <= TOLERANCE:
        raise BundleError(f"known answers are off by up to {error:.2g} in probability")
    total = model.baseline + contributions.sum(axis=1, dtype=np.float64)
    logit = np.array([math.log(p / (1 - p)) for p in expected])
    if not np.abs(total - logit).max() <= 10 * TOLERANCE:
        raise BundleError("contributions do not add up to the probability")
