"""
Which version was champion when, and who released it.

The release records carry it: a fresh clone knows as much as the machine the releases were made on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdss.bundle import SHIPPED, load_bundle, write_gate
from training.package import NATIVE, NATIVE_CANDIDATES


def history_of(*folders: Path) -> list[dict[str, Any]]:
    """
    Older champions, newest first.

    Parameters
    ----------
    *folders : path
        Bundles, the first of which with a release record was the champion until now.

    Returns
    -------
    list of dict
        ``version``, ``manifest_sha256``, ``released_on``, ``signed_by``.
    """
    for folder in folders:
        file = folder / "gate.json"
        if file.is_file():
            last = json.loads(file.read_text(encoding="utf-8"))
            entry = {n: last[n] for n in ("version", "manifest_sha256", "released_on")}
            return [entry | {"signed_by": last["signed_by"]["name"]}, *last["history"]]
    return []


def release(candidate: Path, folder: Path, record: Mapping[str, Any]) -> Path:
    """
    Put a bundle that passed where it is served from, with its record; all of it or nothing.

    Parameters
    ----------
    candidate : path
        The bundle.
    folder : path
        Where; a bundle that is there is replaced.
    record : mapping
        The release record.

    Returns
    -------
    path
        `folder`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder of bundles, not in it: a half-written bundle must not be found there.
    beside = folder.parent.parent
    fresh, old = (beside / f".{folder.parent.name}.{folder.name}.{word}" for word in ("new", "old"))
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir()
    for name in ("manifest.json", "manifest.sha256", "model.onnx", "cases.csv"):
        shutil.copyfile(candidate / name, fresh / name)
    write_gate(fresh, record)
    trained_here = "parent" not in load_bundle(fresh).facts
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)
    if trained_here and folder.parent.resolve() == SHIPPED.resolve():
        _keep_native(folder.name)
    return folder


def _keep_native(model: str) -> None:
    """The candidate's native model becomes the champion's, if the candidate was trained here."""
    made = NATIVE_CANDIDATES / model
    if made.is_dir():
        shutil.rmtree(NATIVE / model, ignore_errors=True)
        shutil.copytree(made, NATIVE / model)


def history(bundles: Path, model: str | None = None) -> list[dict[str, Any]]:
    """
    Every champion that the release records of a folder know.

    Parameters
    ----------
    bundles : path
        Folder of served bundles.
    model : str, optional
        Of which model; of all by default.

    Returns
    -------
    list of dict
        By model, newest first: ``model``, ``version``, ``digest``, ``since``, ``until`` (None for
        the champion of today), ``released_by``. A bundle without record has ``since`` None: it is
        there, and nobody released it.

    Raises
    ------
    LookupError
        If there is no such bundle.
    """
    found = sorted(path.parent for path in bundles.glob("*/manifest.json"))
    if model is not None:
        found = [folder for folder in found if folder.name == model]
        if not found:
            raise LookupError(f"no bundle of {model} in {bundles.name}")
    return [row for folder in found for row in _champions(folder)]


def _champions(folder: Path) -> list[dict[str, Any]]:
    bundle = load_bundle(folder)
    record = bundle.facts["gate"]
    if record is None:
        return [
            {"model": bundle.id, "version": bundle.version, "digest": bundle.facts["digest"],
             "since": None, "until": None, "released_by": None}
        ]  # fmt: skip
    rows, until = [], None
    for entry in history_of(folder):
        rows.append(
            {"model": bundle.id, "version": entry["version"], "digest": entry["manifest_sha256"],
             "since": entry["released_on"], "until": until, "released_by": entry["signed_by"]}
        )  # fmt: skip
        until = entry["released_on"]
    return rows
