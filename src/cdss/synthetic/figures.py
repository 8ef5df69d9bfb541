"""Published figures, and how a population is held against them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.datafile import only, read_toml
from cdss.datafile import source as read_source
from cdss.errors import DefinitionError
from cdss.source import Source
from cdss.synthetic.states import STATES, state

Array = NDArray[Any]
People = Mapping[str, Array]

ADULT = 18
_NEEDED = "id ages value year source status tolerance"
_OPTIONAL = "mean share among between sex urban difference standard low high against note"
_STATUS = ("R", "D")


@dataclass(frozen=True)
class Figure:
    """
    One published figure.

    Attributes
    ----------
    id : str
        Its name.
    what : str
        Quantity or state.
    mean : bool
        Whether it is a mean; otherwise a share of people.
    between : tuple of float or None
        Of a quantity: the share with values from the first to below the second.
    among : str or None
        State of those of whom it is a share.
    sex : str or None
        Of one sex only.
    urban : bool or None
        Of urban or rural people only.
    difference : bool
        Whether it is what urban people have more than rural ones.
    ages : tuple of int
        Completed years, both included.
    standard : bool
        Whether it is age-standardised.
    value : float
        As published; a share is 0-1.
    low, high : float or None
        Its interval.
    year : int
        Of which.
    source : Source
        Who published it.
    status : {"R", "D"}
        Read in the source, or computed from its data file.
    tolerance : float
        How far from it a population may be that aims at it.
    against : tuple of str
        Figures it disagrees with.
    note : str
        What else is to be known.
    """

    id: str
    what: str
    mean: bool
    between: tuple[float, float] | None
    among: str | None
    sex: str | None
    urban: bool | None
    difference: bool
    ages: tuple[int, int]
    standard: bool
    value: float
    low: float | None
    high: float | None
    year: int
    source: Source
    status: str
    tolerance: float
    against: tuple[str, ...]
    note: str

    def measure(self, people: People, weights: Array) -> float:
        """
        Measure it in a population.

        Parameters
        ----------
        people : mapping of str to ndarray, shape (n,)
            Complete values, codes of choices, 0 and 1.
        weights : ndarray, shape (n,)
            Of each person, if it is age-standardised.

        Returns
        -------
        float
            A mean, or a share; NaN if there is nobody it is of.
        """
        if self.difference:
            urban, rural = (
                replace(self, difference=False, urban=where).measure(people, weights)
                for where in (True, False)
            )
            return urban - rural
        whom = self._whom(people)
        if not whom.any():
            return math.nan
        weight = weights[whom] if self.standard else None
        return float(np.average(self._values(people, whom), weights=weight))

    def error(self, people: People, weights: Array) -> float:
        """
        Say how far chance alone may put the measure off.

        Parameters
        ----------
        people : mapping of str to ndarray, shape (n,)
            As for `measure`.
        weights : ndarray, shape (n,)
            As for `measure`.

        Returns
        -------
        float
            One standard error, of as many independent people.
        """
        if self.difference:
            each = [
                replace(self, difference=False, urban=where).error(people, weights)
                for where in (True, False)
            ]
            return math.hypot(*each)
        whom = self._whom(people)
        if not whom.any():
            return math.nan
        values, weight = self._values(people, whom), weights[whom]
        weight = weight if self.standard else np.ones_like(weight)
        mean = np.average(values, weights=weight)
        return float(np.sqrt(np.sum(np.square(weight * (values - mean)))) / weight.sum())

    def _whom(self, people: People) -> Array:
        age = np.floor(people["age"])
        whom = (age >= self.ages[0]) & (age <= self.ages[1])
        if self.sex is not None:
            whom &= people["sex"] == (self.sex == "female")
        if self.urban is not None:
            whom &= people["urban"] == self.urban
        if self.among is not None:
            whom &= state(people, self.among)
        return np.asarray(whom)

    def _values(self, people: People, whom: Array) -> Array:
        values = state(people, self.what)[whom]
        if self.between:
            values = (values >= self.between[0]) & (values < self.between[1])
        return values


@dataclass(frozen=True)
class Figures:
    """
    What is published of a country.

    Attributes
    ----------
    figures : tuple of Figure
        All of them.
    scenarios : dict of str to dict of str to float
        What each aims at: figure → value.
    titles : dict of str to str
        What each is.
    standard : dict of int to float
        First age of a group → share in the standard population.
    trend : dict
        Change in a year, in probits.
    """

    figures: tuple[Figure, ...]
    scenarios: dict[str, dict[str, float]]
    titles: dict[str, str]
    standard: dict[int, float]
    trend: dict[str, Any]

    def weights(self, people: People) -> Array:
        """
        Weigh people as the standard population has their ages.

        Parameters
        ----------
        people : mapping of str to ndarray, shape (n,)
            With ``age``.

        Returns
        -------
        ndarray, shape (n,)
            Weights; of both sexes by themselves.
        """
        ends = [ADULT, *sorted(self.standard)[1:]]
        shares = np.array([self.standard[end] for end in sorted(self.standard)])
        shares[0] *= (ends[1] - ADULT) / (ends[1] - sorted(self.standard)[0])
        group = np.searchsorted(ends, np.floor(people["age"]), "right") - 1
        cell = group + len(ends) * people["sex"].astype(int)
        many = np.bincount(cell, minlength=2 * len(ends))
        return np.asarray(shares[group] / many[cell])


@lru_cache(maxsize=4)
def read_figures(country: str) -> Figures:
    """
    Read what is published.

    Parameters
    ----------
    country : str
        Of which.

    Returns
    -------
    Figures
        Figures, scenarios and the standard population.

    Raises
    ------
    DefinitionError
        If the file is wrong.
    """
    said = read_toml(resources.files(__package__) / f"{country}.toml")
    only(said, country, "standard scenario always source figure trend")
    sources = {name: read_source(table, name) for name, table in said["source"].items()}
    figures = tuple(_figure(table, sources) for table in said["figure"])
    known = {figure.id: figure for figure in figures}
    _refused(known, said)
    scenarios = {
        name: {
            **{aim: known[aim].value for aim in said["always"]["aims"]},
            **{aim: float(getattr(known[aim], end)) for aim, end in table["aims"].items()},
        }
        for name, table in said["scenario"].items()
    }
    titles = {name: table["title"] for name, table in said["scenario"].items()}
    standard = {int(age): float(share) for age, share in said["standard"]}
    return Figures(figures, scenarios, titles, standard, said["trend"])


def _figure(table: Mapping[str, Any], sources: Mapping[str, Source]) -> Figure:
    where = str(table.get("id"))
    only(table, where, _NEEDED, _OPTIONAL)
    if ("mean" in table) == ("share" in table):
        raise DefinitionError(f"{where}: needs mean or share")
    if table["status"] not in _STATUS:
        raise DefinitionError(f"{where}: status must be one of {', '.join(_STATUS)}")
    between = tuple(table["between"]) if "between" in table else None
    what = table.get("mean", table.get("share"))
    named = what if "share" in table and not between else None
    for name in (named, table.get("among")):
        if name is not None and name not in STATES:
            raise DefinitionError(f"{where}: {name} is no state")
    first, last = table["ages"]
    return Figure(
        where, what, "mean" in table, between, table.get("among"), table.get("sex"),
        table.get("urban"), "difference" in table, (first, last),
        table.get("standard", False), table["value"], table.get("low"), table.get("high"),
        table["year"], sources[table["source"]],
        table["status"], table["tolerance"], tuple(table.get("against", ())),
        table.get("note", ""),
    )  # fmt: skip


def _refused(known: Mapping[str, Figure], said: Mapping[str, Any]) -> None:
    named = {*said["always"]["aims"]}
    named |= {aim for table in said["scenario"].values() for aim in table["aims"]}
    named |= {other for figure in known.values() for other in figure.against}
    if unknown := sorted(named - {*known}):
        raise DefinitionError(f"no figure {', '.join(unknown)}")
