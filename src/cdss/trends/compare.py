"""
Comparing places and periods with the same mix of sexes and ages: direct standardisation.

The standard is those people of the report of whom it is known, all periods together. A stratum
with too few people is left out of both sides of a comparison; if the rest is less than `ENOUGH` of
the standard nothing is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdss.trends.cells import ALL, Cells, noisy
from cdss.trends.estimates import ratio, variance
from cdss.trends.measures import Measure, Number
from cdss.trends.noise import Protection
from cdss.trends.sums import PAIR, Sums

Array = NDArray[Any]

ENOUGH = 0.8
"""Share of the standard population that a comparison must cover."""


@dataclass(frozen=True)
class Strata:
    """
    Cells by place, period, and sex with age.

    Attributes
    ----------
    places, periods : tuple of str
        The whole first; the oldest first.
    groups : tuple of (str, str)
        Sex and band.
    at : ndarray of int, shape (places, periods, groups)
        Where each cell is.
    """

    places: tuple[str, ...]
    periods: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    at: Array

    @classmethod
    def of(cls, cells: Cells) -> Strata:
        """
        Sort cells into strata.

        Parameters
        ----------
        cells : Cells
            Figures.

        Returns
        -------
        Strata
            Of the whole and of the largest places.
        """
        keys = cells.keys.filter(
            (pl.col("level") <= 1) & (pl.col("sex") != ALL) & (pl.col("band") != ALL)
        )
        places = [*keys.select("level", "area").unique().sort("level", "area").iter_rows()]
        periods = keys["period"].unique().sort().to_list()
        groups = [*keys.select("sex", "band").unique().sort("sex", "band").iter_rows()]
        where = cells.position()
        at = np.array([
            [[where[period, level, area, *group] for group in groups] for period in periods]
            for level, area in places
        ])  # fmt: skip
        return cls(tuple(area for _, area in places), tuple(periods), tuple(groups), at)


class Rates(NamedTuple):
    """
    Standardised shares.

    Attributes
    ----------
    value, variance : ndarray, shape (places, periods)
        NaN where too little of the standard population is covered.
    """

    value: Array
    variance: Array


class Changes(NamedTuple):
    """
    How standardised shares changed since the period before.

    Attributes
    ----------
    value, variance : ndarray, shape (places, periods)
        NaN in the first period, and where too little is covered.
    """

    value: Array
    variance: Array


def standardise(
    measure: Measure, cells: Cells, strata: Strata, protection: Protection
) -> tuple[Rates, Array, Array, Array]:
    """
    Standardise a share.

    Parameters
    ----------
    measure : Measure
        Whose unit is a share.
    cells : Cells
        Figures.
    strata : Strata
        Where they are.
    protection : Protection
        What noise they carry, and how few are too few.

    Returns
    -------
    rates : Rates
        By place and period.
    share, variance, among : ndarray, shape (places, periods, groups)
        What they are made of.
    """
    among = cells.values[measure.denominator.name][strata.at]
    share = ratio(cells.values[measure.numerator.name][strata.at], among)
    spread = variance(measure, cells, protection, strata.at)
    used = among >= protection.least
    value, of_it = _weighted(used, _standard(among), share, spread)
    return Rates(value, of_it), share, spread, among


def _standard(among: Array) -> Array:
    """The whole country's people of whom it is known, all periods together, by group."""
    people = among[0].sum(axis=0)
    return np.asarray(people / max(people.sum(), 1.0))


def _weighted(used: Array, weights: Array, values: Array, spread: Array) -> tuple[Array, Array]:
    weight = np.where(used, weights, 0.0)
    covered = weight.sum(axis=-1)
    enough = covered >= ENOUGH * weights.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = weight / covered[..., None]
    told = np.where(used, values, 0.0)
    value = np.where(enough, (weight * told).sum(axis=-1), math.nan)
    return value, np.where(enough, (weight**2 * np.where(used, spread, 0.0)).sum(axis=-1), math.nan)


def change(
    strata: Strata, share: Array, spread: Array, among: Array, pairs: Array | None, least: float
) -> Changes:
    """
    Compare each period with the one before, over the strata that both have.

    Parameters
    ----------
    strata : Strata
        Where figures are.
    share, spread, among : ndarray, shape (places, periods, groups)
        As `standardise` gives them.
    pairs : ndarray, shape (4, places, periods, groups), optional
        `PAIR` of people who were seen in both; without them the two are taken as independent,
        which makes intervals too wide rather than too narrow.
    least : float
        How few are too few.

    Returns
    -------
    Changes
        By place and period.
    """
    used = (among[:, 1:] >= least) & (among[:, :-1] >= least)
    difference = share[:, 1:] - share[:, :-1]
    both = spread[:, 1:] + spread[:, :-1]
    if pairs is not None:
        kept, first, second, product = pairs[:, :, 1:]
        before, after = share[:, :-1], share[:, 1:]
        shared = product - before * second - after * first + before * after * kept
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = shared / (among[:, 1:] * among[:, :-1])
            most = 0.95 * np.sqrt(spread[:, 1:] * spread[:, :-1])
        both = both - 2 * np.clip(np.nan_to_num(covariance), -most, most)
    value, of_it = _weighted(used, _standard(among), difference, both)
    none = np.full((len(strata.places), 1), math.nan)
    return Changes(np.hstack([none, value]), np.hstack([none, of_it]))


def protect_pairs(
    sums: Sums,
    measures: Sequence[Measure],
    strata: Strata,
    place: str | None,
    protection: Protection,
    data: str,
) -> Mapping[str, Array]:
    """
    Put the noise on what is known of people who were seen in two periods.

    Parameters
    ----------
    sums : Sums
        What was counted.
    measures : sequence of Measure
        Whose unit is a share.
    strata : Strata
        Where figures are.
    place : str, optional
        Column of the largest places.
    protection : Protection
        How.
    data : str
        Code and models behind the data.

    Returns
    -------
    mapping of str to ndarray, shape (4, places, periods, groups)
        Measure → `PAIR`; empty if nobody was seen twice.
    """
    if protection.epsilon or not sums.pairs.height:
        return {}
    shape = strata.at.shape
    of = [{name: at for at, name in enumerate(n)} for n in (strata.places, strata.periods)]
    group = {name: at for at, name in enumerate(strata.groups)}
    where = [""] * math.prod(shape)
    for p, place_name in enumerate(strata.places):
        for t, period in enumerate(strata.periods):
            marks = f"{sums.marks[period]}|{sums.marks[strata.periods[t - 1]] if t else ''}"
            for g, names in enumerate(strata.groups):
                at = int(np.ravel_multi_index((p, t, g), shape))
                where[at] = f"{data}|{period}|{marks}|{place_name}|{'|'.join(names)}"
    rows = []
    for each in sums.pairs.select("period", *([place] if place else []), "sex", "band").iter_rows():
        home = of[0].get(each[1], -1) if place else -1
        rows.append((home, of[1][each[0]], group[each[-2], each[-1]]))
    found = {}
    for measure in measures:
        exact = np.zeros((len(PAIR), *shape), np.int64)
        for column, name in zip(exact, PAIR, strict=True):
            for (p, t, g), value in zip(rows, sums.pairs[f"{measure.id}:{name}"], strict=True):
                column[0, t, g] += value
                if p > 0:
                    column[p, t, g] += value
        found[measure.id] = np.stack([
            noisy(
                column.ravel(),
                _pair(measure, name),
                where, protection,
            ).reshape(shape)
            for column, name in zip(exact, PAIR, strict=True)
        ])  # fmt: skip
    return found


def _pair(measure: Measure, name: str) -> Number:
    among, of = measure.denominator.definition, measure.numerator.definition
    if name == "both":  # the same for all measures of the same people
        return Number(name, f"twice {among}", pl.lit(True))
    return Number(name, f"twice {among}: {name} {of}", pl.lit(True), measure.numerator.total)
