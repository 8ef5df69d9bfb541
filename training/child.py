"""
A new version of a bundle that differs from its parent by intercept and slope on the log-odds.

Everything else is inherited: predictors, limits, reasons. What was measured on the parent and does
not hold of the child (its interval) is left out; its known answers follow from the parent's by the
same line, computed on the answers the native library gave.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cdss.bundle import load_bundle, write_bundle
from cdss.risk import RiskModel
from training.export.recalibrated import recalibrated
from training.package import CANDIDATES, code_version
from training.parity import refuse_without_parity

__all__ = ["CANDIDATES", "find_parent", "next_version", "parity_with_parent", "write_child"]


def next_version(version: str, label: str) -> str:
    """
    Version of a child: the parent's, then what it was made for and how often.

    Parameters
    ----------
    version : str
        The parent's.
    label : str
        Place or purpose; letters and digits of it are kept.

    Returns
    -------
    str
        Valid by PEP 440 (local version) and by semantic versioning (build metadata).

    Raises
    ------
    ValueError
        If the label has no letter or digit.

    Examples
    --------
    >>> next_version("1.2.0", "Ha Noi")
    '1.2.0+hanoi.1'
    >>> next_version("1.2.0+hanoi.1", "Ha Noi"), next_version("1.2.0+hanoi.1", "Hue")
    ('1.2.0+hanoi.2', '1.2.0+hanoi.1.hue.1')
    """
    word = re.sub(r"[^a-z0-9]+", "", label.lower())
    if not word:
        raise ValueError(f"a site needs a name of letters or digits, not {label!r}")
    public, _, local = version.partition("+")
    parts = local.split(".") if local else []
    if len(parts) >= 2 and parts[-2] == word and parts[-1].isdigit():
        parts[-1] = str(int(parts[-1]) + 1)
    else:
        parts += [word, "1"]
    return f"{public}+{'.'.join(parts)}"


def write_child(
    parent_folder: Path,
    out: Path,
    intercept: float,
    slope: float,
    label: str,
    entry: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> RiskModel:
    """
    Write the bundle of a recalibrated or anchored version, and load it.

    Parameters
    ----------
    parent_folder : path
        The parent's bundle.
    out : path
        Folder of candidates; the bundle goes into a folder named by the model's id.
    intercept, slope : float
        Log-odds become ``intercept + slope * log-odds``.
    label : str
        What it was made for, see `next_version`.
    entry : mapping
        What is worth knowing of this step; goes into ``recalibration_history``, newest last.
    changes : mapping
        Further keys of the manifest that differ from the parent's.

    Returns
    -------
    RiskModel
        As `load_bundle` gives it: verified, known answers replayed.

    Raises
    ------
    ValueError
        If the candidate would overwrite its parent.
    RuntimeError
        If the new graph does not say what the parent's says, recalibrated.
    """
    parent = load_bundle(parent_folder)
    folder = out / parent.id
    if folder.resolve() == parent_folder.resolve():
        raise ValueError("a candidate cannot replace its parent: give another --out")
    manifest = json.loads((parent_folder / "manifest.json").read_text(encoding="utf-8"))
    version = next_version(parent.version, label)
    before = manifest["recalibration"]
    graph = recalibrated((parent_folder / "model.onnx").read_bytes(), intercept, slope)
    step = {
        "version": version,
        "intercept": intercept,
        "slope": slope,
        "made_on": date.today().isoformat(),
        "code": code_version(),
        **entry,
    }
    manifest |= {
        "version": version,
        "baseline": graph.baseline,
        "parent": {
            "id": parent.id, "version": parent.version, "digest": parent.facts["digest"],
        },
        "recalibration": {
            "intercept": intercept + slope * before["intercept"],
            "slope": slope * before["slope"],
        },
        "recalibration_history": [*manifest.get("recalibration_history", []), step],
        "interval": None,  # measured on the parent's probabilities, which are not these
        **changes,
    }  # fmt: skip
    cases = _known_answers(
        (parent_folder / "cases.csv").read_text(encoding="utf-8"), intercept, slope
    )
    write_bundle(folder, manifest, graph.to_bytes(), cases)
    child = load_bundle(folder)
    refuse_without_parity(parity_with_parent(parent, child, intercept, slope) | {"shap": 0.0})
    return child


def parity_with_parent(
    parent: RiskModel,
    child: RiskModel,
    intercept: float,
    slope: float,
    x: np.ndarray | None = None,
) -> dict[str, float]:
    """
    Compare a child's graph with its parent's.

    Parameters
    ----------
    parent, child : RiskModel
        The two bundles.
    intercept, slope : float
        What is between them.
    x : ndarray, shape (n, k), optional
        Rows; by default 500 invented ones over the limits, a third of the values unknown.

    Returns
    -------
    dict of str to float
        ``rows``, and the greatest absolute errors: ``probability`` against the recalibrated
        parent, and ``additivity`` (log-odds).
    """
    x = _invented(parent) if x is None else x.astype(np.float32)
    was, _ = parent.function(x)
    now, contributions = child.function(x)
    expected = 1 / (1 + np.exp(-(intercept + slope * _logit(was))))
    total = child.baseline + contributions.sum(axis=1, dtype=np.float64)
    return {
        "rows": len(x),
        "probability": float(np.abs(now - expected).max()),
        "additivity": float(np.abs(total - _logit(now)).max()),
    }


def find_parent(child: RiskModel, *folders: Path) -> Path | None:
    """
    Find the bundle a version was made from.

    Parameters
    ----------
    child : RiskModel
        Its manifest names the parent's digest.
    *folders : path
        Folders of bundles to look in.

    Returns
    -------
    path or None
        The parent's folder, if one of them holds exactly that bundle.
    """
    wanted = child.facts["parent"]["digest"]
    for folder in folders:
        path = folder / child.id
        seal = path / "manifest.sha256"
        if seal.is_file() and seal.read_text().split()[0] == wanted:
            return path
    return None


def _known_answers(text: str, intercept: float, slope: float) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        p = float(row["probability"])
        log_odds = intercept + slope * (math.log(p) - math.log1p(-p))
        row["probability"] = repr(1 / (1 + math.exp(-log_odds)))
        row["origin"] += f", then log-odds x {slope:.6g} + {intercept:.6g}"
        writer.writerow(row)
    return out.getvalue()


def _invented(model: RiskModel, rows: int = 500) -> np.ndarray:
    rng = np.random.default_rng(17)
    ends = [model.limits.get(name) for name in model.predictors]
    low = np.array([0.0 if e is None else e[0] for e in ends])
    high = np.array([1.0 if e is None else e[1] for e in ends])
    drawn = low + (high - low) * rng.random((rows, len(ends)))
    yes_no = [i for i, e in enumerate(ends) if e is None]
    drawn[:, yes_no] = np.round(drawn[:, yes_no])
    drawn[rng.random(drawn.shape) < 1 / 3] = np.nan
    return drawn.astype(np.float32)


def _logit(p: np.ndarray) -> np.ndarray:
    p = p.astype(np.float64)
    return np.log(p) - np.log1p(-p)
