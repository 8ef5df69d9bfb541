"""
Published prevalences, as files: cells of sex and age, their source, and what they count.

A prevalence that counts people who know of their disease becomes that of the others only by a
published share of the undiagnosed.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cdss.datafile import only
from cdss.errors import DefinitionError
from cdss.source import Source
from cdss.variables import VARIABLES
from training.data import DATASETS

AGGREGATES = DATASETS / "aggregates"

_NEEDED = ("title label outcome outcome_definition counts_diagnosed same_outcome source people_are "
           "cells")  # fmt: skip
_ALLOWED = "differs age_standardised_to horizon_years undiagnosed"
_CELL = "sex age_low age_high prevalence people"


@dataclass(frozen=True)
class Cell:
    """
    One published prevalence.

    Attributes
    ----------
    sex : {"male", "female", "both"}
        Of whom.
    age_low, age_high : float
        Completed years, both ends included.
    prevalence : float
        0-1.
    ci_low, ci_high : float or None
        95 % interval, if one was published.
    people : float
        Weight of the cell in the target population.
    """

    sex: str
    age_low: float
    age_high: float
    prevalence: float
    ci_low: float | None
    ci_high: float | None
    people: float

    @property
    def name(self) -> str:
        """For tables of humans."""
        who = {"male": "men", "female": "women", "both": "both sexes"}[self.sex]
        until = "and over" if self.age_high >= VARIABLES["age"].high else f"to {self.age_high:g}"
        return f"{who} {self.age_low:g} {until}"

    def undiagnosed(self, share: float) -> Cell:
        """Prevalence among those who do not know, if `share` of the diseased do not."""

        def convert(p: float | None) -> float | None:
            return None if p is None else p * share / (1 - p * (1 - share))

        found = convert(self.prevalence)
        assert found is not None
        return replace(
            self, prevalence=found, ci_low=convert(self.ci_low), ci_high=convert(self.ci_high)
        )


@dataclass(frozen=True)
class Aggregates:
    """
    A file of published prevalences.

    Attributes
    ----------
    title, label : str
        For humans, and for the version it leads to.
    outcome, outcome_definition : str
        Key of the outcome, and how the source defines it.
    counts_diagnosed : bool
        Whether the prevalences as published count people who know of their disease.
    same_outcome : bool
        Whether, after conversion, the outcome is the model's.
    differs : str
        What remains different.
    cells : tuple of Cell
        Converted, if a share of undiagnosed is given.
    published : tuple of Cell
        As published.
    sources : tuple of Source
        The prevalences' and, if there is one, the share's.
    standard : tuple of (float, float)
        First year of each age group and its share, if prevalences are age-standardised.
    horizon_years : float or None
        Within how long; None means now.
    digest : str
        SHA-256 of the file.
    """

    title: str
    label: str
    outcome: str
    outcome_definition: str
    counts_diagnosed: bool
    same_outcome: bool
    differs: str
    cells: tuple[Cell, ...]
    published: tuple[Cell, ...]
    undiagnosed_share: float | None
    sources: tuple[Source, ...]
    standard: tuple[tuple[float, float], ...]
    horizon_years: float | None
    digest: str


def read_aggregates(path: Path) -> Aggregates:
    """
    Read a file of published prevalences.

    Parameters
    ----------
    path : path
        TOML, as those in ``datasets/aggregates``.

    Returns
    -------
    Aggregates
        Checked.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    DefinitionError
        If it lacks something (a citation and a locator above all), has an unknown key, or a
        prevalence outside 0 to 1 or outside its own interval.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file of aggregates named {path.name}")
    raw = path.read_bytes()
    try:
        facts = tomllib.loads(raw.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{path.name}: {error}") from None
    only(facts, path.name, _NEEDED, _ALLOWED)
    if not facts["same_outcome"] and not facts.get("differs", "").strip():
        raise DefinitionError(f"{path.name}: say under 'differs' in what the outcome is another")
    published = tuple(_cell(cell, path.name, i + 1) for i, cell in enumerate(facts["cells"]))
    if not published:
        raise DefinitionError(f"{path.name} has no cells")
    sources, cells, share = [_source(facts["source"], path.name)], published, None
    if converted := facts.get("undiagnosed"):
        if not facts["counts_diagnosed"]:
            raise DefinitionError(f"{path.name}: counts no diagnosed people, so nothing to convert")
        share = converted["share"]
        if not 0 < share < 1:
            raise DefinitionError(f"{path.name}: the share of undiagnosed is not between 0 and 1")
        sources.append(_source(converted.get("source", {}), f"{path.name}, undiagnosed"))
        cells = tuple(cell.undiagnosed(share) for cell in published)
    standard, name = (), facts.get("age_standardised_to")
    if name:
        standard, source = read_standard(name)
        sources.append(source)
    return Aggregates(
        facts["title"], facts["label"], facts["outcome"], facts["outcome_definition"],
        facts["counts_diagnosed"], facts["same_outcome"], facts.get("differs", ""), cells,
        published, share, tuple(sources), standard, facts.get("horizon_years"),
        hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip


def read_standard(name: str) -> tuple[tuple[tuple[float, float], ...], Source]:
    """
    Read a standard population.

    Parameters
    ----------
    name : str
        Of a file in ``datasets/aggregates/standard``.

    Returns
    -------
    groups, source : tuple of (float, float), Source
        First year and share of each age group; the last is open.

    Raises
    ------
    LookupError
        If there is no such file.
    """
    path = AGGREGATES / "standard" / f"{name}.toml"
    if not path.is_file():
        raise LookupError(f"no standard population named {name}")
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    groups = tuple(zip(map(float, facts["age_low"]), map(float, facts["share"]), strict=True))
    return groups, _source(facts, path.name)


def _cell(raw: dict[str, Any], file: str, number: int) -> Cell:
    where = f"{file}, cell {number}"
    only(raw, where, _CELL, "ci_low ci_high")
    if raw["sex"] not in ("male", "female", "both"):
        raise DefinitionError(f"{where}: sex must be male, female or both")
    low, high = raw.get("ci_low"), raw.get("ci_high")
    p = raw["prevalence"]
    if not 0 < p < 1 or (low is None) != (high is None):
        raise DefinitionError(f"{where}: prevalence is a proportion, its interval has two ends")
    if low is not None and not 0 < low <= p <= high < 1:
        raise DefinitionError(f"{where}: the prevalence is not inside its interval")
    if not raw["age_low"] <= raw["age_high"] or not raw["people"] > 0:
        raise DefinitionError(f"{where}: ages go up, and the weight is above 0")
    return Cell(raw["sex"], float(raw["age_low"]), float(raw["age_high"]), p, low, high,
                float(raw["people"]))  # fmt: skip


def _source(raw: dict[str, Any], where: str) -> Source:
    checked = raw.get("checked_on")
    try:
        return Source(
            raw.get("citation", ""),
            raw.get("locator", ""),
            raw.get("url", ""),
            checked_on=date.fromisoformat(checked) if checked else None,
        )
    except DefinitionError as error:
        raise DefinitionError(f"{where}: {error}") from None
