"""
Which figures are not shown: small ones, and others without which a small one could be worked out.

A figure and the figures it is the sum of are an equation. If just one of them were hidden it would
follow from the others; so another one is hidden, until no equation has only one unknown and what is
hidden together is not small either. Published figures carry noise besides, so that such equations
hold only nearly: either alone would protect, the two together do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.trends.cells import ALL, Cells
from cdss.trends.measures import PEOPLE, Measure

Array = NDArray[Any]

SHOWN, SMALL, WITH_IT = range(3)
"""A figure is shown, too small, or hidden so that another one cannot be worked out."""


def suppress(cells: Cells, measures: Sequence[Measure], least: float) -> dict[str, Array]:
    """
    Say which figures are hidden.

    Parameters
    ----------
    cells : Cells
        With the noise on.
    measures : sequence of Measure
        What is told of them.
    least : float
        Fewer people are not shown.

    Returns
    -------
    dict of str to ndarray of int, shape (n,)
        Measure → `SHOWN`, `SMALL` or `WITH_IT`.
    """
    equations = [*_equations(cells)]
    people = cells.values[PEOPLE]
    everybody = _closed(_small(people, least), people, equations, least)
    known: dict[str, Array] = {PEOPLE: everybody}
    found = {}
    for measure in measures:
        of, among = measure.numerator.name, measure.denominator.name
        if among not in known:
            value = cells.values[among]
            known[among] = _closed(_worse(everybody, _small(value, least)), value, equations, least)
        hidden = known[among]
        if not measure.numerator.total and of != among:
            counted, rest = cells.values[of], cells.values[among] - cells.values[of]
            few = _worse(_small(counted, least), _small(rest, least))
            hidden = _closed(_worse(hidden, few), counted, equations, least)
        found[measure.id] = hidden
    return found


def _small(values: Array, least: float) -> Array:
    return np.where(values < least, SMALL, SHOWN)


def _worse(one: Array, other: Array) -> Array:
    return np.where(one == SHOWN, other, one)


def _equations(cells: Cells) -> Iterator[Array]:
    """For each way to split cells, the cell each is a part of; -1 if it is not a part this way."""
    at = cells.position()
    rows = [*cells.keys.iter_rows()]
    by_sex, by_band, by_place = [], [], []
    for period, level, area, parent, sex, band in rows:
        by_sex.append(-1 if sex == ALL else at.get((period, level, area, ALL, band), -1))
        by_band.append(-1 if band == ALL else at.get((period, level, area, sex, ALL), -1))
        by_place.append(-1 if level == 0 else at.get((period, level - 1, parent, sex, band), -1))
    for each in (by_sex, by_band, by_place):
        whole = np.array(each)
        if (whole >= 0).any():
            yield whole


def _closed(hidden: Array, values: Array, equations: Sequence[Array], least: float) -> Array:
    """Hide more until nothing that is hidden follows from what is shown."""
    hidden = hidden.copy()
    before = -1
    while before < (before := int((hidden != SHOWN).sum())):
        for whole in equations:
            _close(hidden, values, whole, least)
    return hidden


def _close(hidden: Array, values: Array, whole: Array, least: float) -> None:
    parts = np.flatnonzero(whole >= 0)
    sums, many = whole[parts], len(whole)
    gone = hidden[parts] != SHOWN
    count = np.bincount(sums, gone, many)
    amount = np.bincount(sums, np.where(gone, values[parts], 0.0), many)
    alone = (count + (hidden != SHOWN)) == 1  # one unknown, a part or the whole
    thin = (hidden == SHOWN) & (count > 0) & (amount < least)
    open_ = alone | thin
    candidates = parts[~gone & open_[sums]]
    order = candidates[np.lexsort((values[candidates], whole[candidates]))]
    _, first = np.unique(whole[order], return_index=True)
    hidden[order[first]] = WITH_IT
    helped = set(whole[order[first]].tolist())
    for at in np.flatnonzero(open_ & np.isin(np.arange(many), sums)).tolist():
        if at not in helped and hidden[at] == SHOWN:  # all parts are hidden: the whole is too
            hidden[at] = WITH_IT
