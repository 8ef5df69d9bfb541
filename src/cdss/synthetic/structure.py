"""How values go together: in a population, and in the cohorts it was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.synthetic.margins import SEXES, probit
from cdss.synthetic.model import learned
from cdss.synthetic.states import state

Array = NDArray[Any]

AGES = ((18, 29), (30, 39), (40, 49), (50, 59), (60, 69), (70, 120))
"""Bands of age, completed years, both ends included."""

_CELLS = ((18, 39), (40, 59), (60, 120))


def correlations(people: dict[str, Array], names: Sequence[str]) -> Array:
    """
    Correlate normal scores within sex and age, as was done with the cohorts.

    Parameters
    ----------
    people : dict of str to ndarray, shape (n,)
        Complete values.
    names : sequence of str
        Quantities.

    Returns
    -------
    ndarray, shape (k, k)
        Mean over sexes and three groups of age.
    """
    columns = [state(people, name) for name in names]
    scores = np.empty((len(columns), len(people["age"])))
    for sex in range(len(SEXES)):
        for low, high in AGES:
            inside = np.flatnonzero(
                (people["sex"] == sex) & (people["age"] >= low) & (people["age"] <= high)
            )
            for row, column in zip(scores, columns, strict=True):
                row[inside] = _normal(column[inside])
    found = [
        np.corrcoef(scores[:, inside])
        for sex in range(len(SEXES))
        for low, high in _CELLS
        if (inside := (people["sex"] == sex) & (people["age"] >= low)
            & (people["age"] <= high)).sum() > 1
    ]  # fmt: skip
    return np.asarray(np.mean(found, axis=0))


_SCORES = np.array([probit((k + 0.5) / 2000) for k in range(2000)])


def _normal(values: Array) -> Array:
    """Normal scores; those who are equal get the same."""
    _, which, many = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(many) - many / 2) / max(len(values), 1)
    return np.asarray(np.interp(middle * 2000 - 0.5, np.arange(2000), _SCORES)[which])


def learned_correlations(names: Sequence[str]) -> Array:
    """
    Read the correlations that cohorts taught.

    Parameters
    ----------
    names : sequence of str
        Quantities.

    Returns
    -------
    ndarray, shape (k, k)
        Mean over sexes and three groups of age.
    """
    taught = learned()
    at = [taught["names"].index(name) for name in names]
    found = []
    for each in taught["correlations"]:
        matrix = np.eye(len(taught["names"]))
        for k, row in enumerate(each["lower"]):
            matrix[k, : len(row)] = matrix[: len(row), k] = row
        found.append(matrix[np.ix_(at, at)])
    return np.asarray(np.mean(found, axis=0))
