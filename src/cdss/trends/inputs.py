"""What batches wrote: which folders, of which models and rules, with which columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from cdss.errors import BatchError
from cdss.jurisdiction import Jurisdiction, load_jurisdiction

_OWN = frozenset({"person_id", "index_date", "advice", "undecided"})


class Part(NamedTuple):
    """
    A part of a batch.

    Attributes
    ----------
    results, advice : Path
        Its files; they tell of the same people.
    people : int
        How many.
    """

    results: Path
    advice: Path
    people: int


@dataclass(frozen=True)
class Inputs:
    """
    Batches that are counted together.

    Attributes
    ----------
    parts : tuple of Part
        Of all folders.
    place : Jurisdiction
        Whose rules they used.
    questions : dict of str to tuple of str
        Question that was asked → models that may answer it and were asked.
    columns : frozenset of str
        Columns that every folder copied.
    identity : str
        Versions and SHA-256 of code and models of all of them.
    models : tuple of str
        ``id version`` of each.
    synthetic : str
        What the input says of being made up; empty if it does not.
    rejected, unread : int
        Rows that could not be used, and files that could not be read.
    """

    parts: tuple[Part, ...]
    place: Jurisdiction
    questions: dict[str, tuple[str, ...]]
    columns: frozenset[str]
    identity: str
    models: tuple[str, ...]
    synthetic: str
    rejected: int
    unread: int

    @property
    def people(self) -> int:
        """
        Say how many rows there are.

        Returns
        -------
        int
            People at each visit.
        """
        return sum(part.people for part in self.parts)


def open_batches(folders: Sequence[Path]) -> Inputs:
    """
    Open folders that ``cdss batch`` wrote.

    Parameters
    ----------
    folders : sequence of Path
        Of finished runs, each once.

    Returns
    -------
    Inputs
        All of them.

    Raises
    ------
    BatchError
        If one is unfinished or not of a batch, or their rules, models or columns do not go
        together; everything that is wrong is told.
    """
    manifests, wrong = [], []
    for folder in folders:
        try:
            manifests.append(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            wrong.append(f"{folder.name}: no finished batch is there")
    if len({folder.resolve() for folder in folders}) < len(folders):
        wrong.append("a folder is named twice")
    if len({m["jurisdiction"] for m in manifests}) > 1:
        wrong.append("the batches are of several jurisdictions")
    if wrong or not manifests:
        raise BatchError("; ".join(wrong) or "no batch is named")
    parts = [p for folder, m in zip(folders, manifests, strict=True) for p in _parts(folder, m)]
    place = load_jurisdiction(manifests[0]["jurisdiction"])
    asked = frozenset.intersection(
        *(frozenset(str(model["id"]) for model in m["models"]) for m in manifests)
    )
    questions = {
        q.id: tuple(option.model for option in q.options if option.model in asked)
        for q in place.questions
    }
    said = {
        f"{m['code']} {model['id']} {model['sha256']}" for m in manifests for model in m["models"]
    }
    labels = [_label(m["metadata"]) for m in manifests]
    return Inputs(
        tuple(parts),
        place,
        {q: models for q, models in questions.items() if models},
        _columns(parts),
        "\n".join(sorted(said)),
        tuple(sorted({f"{x['id']} {x['version']}" for m in manifests for x in m["models"]})),
        next((label for label in labels if label), ""),
        sum(m["counts"]["rejected"] for m in manifests),
        sum(m["counts"]["files_unread"] for m in manifests),
    )


def _label(metadata: dict[str, str]) -> str:
    said = metadata.get("cdss.synthetic", "")
    return "" if said == "false" else metadata.get("cdss.synthetic.label", said)


def _parts(folder: Path, manifest: dict[str, Any]) -> Iterator[Part]:
    for part in manifest["parts"]:
        names = {name.partition("/")[0]: folder / name for name in part["files"]}
        for name, file in part["files"].items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != file["bytes"]:
                raise BatchError(f"{folder.name}/{name}: is not as the batch left it")
        if part["people"]:
            yield Part(names["results"], names["advice"], part["people"])


def _columns(parts: Sequence[Part]) -> frozenset[str]:
    """Columns of the advice that are there in each folder; parts of one folder have the same."""
    of_folder = {part.advice.parent: part.advice for part in parts}
    found = [frozenset(pq.read_schema(path).names) for path in of_folder.values()]
    return (frozenset.intersection(*found) if found else frozenset()) - _OWN
