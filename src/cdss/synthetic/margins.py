"""
Margins as tables: a normal score, an age and a sex give a value by two look-ups.

A table holds, for every sex and year of age, the value at every sixteenth of a standard deviation;
it is made once from a few quantiles. Quantiles are joined in the logarithm, and go on beyond the
outermost with the slope they had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.variables import VARIABLES

Array = NDArray[Any]

YOUNGEST, OLDEST = 18, 110
AGES = np.arange(YOUNGEST, OLDEST + 1)
SEXES = ("male", "female")
STEPS = 16  # to a standard deviation
REACH = 4.5
SCORES = np.arange(-REACH, REACH + 1 / STEPS, 1 / STEPS)

_NORMAL = NormalDist()


def probit(share: float) -> float:
    """
    Normal score below which a share lies.

    Parameters
    ----------
    share : float
        Between 0 and 1.

    Returns
    -------
    float
        Its score.
    """
    return _NORMAL.inv_cdf(share)


def below(score: Any) -> Array:
    """
    Share below normal scores.

    Parameters
    ----------
    score : float or ndarray
        Scores.

    Returns
    -------
    ndarray
        Shares, to 1e-7 (Abramowitz and Stegun 26.2.17).
    """
    x = np.abs(np.asarray(score, float))
    t = 1 / (1 + 0.2316419 * x)
    series = t * (
        0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    upper = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * series
    return np.asarray(np.where(np.asarray(score) > 0, 1 - upper, upper))


def joined(levels: Sequence[float], quantiles: Sequence[float | None], scores: Array) -> Array:
    """
    Logarithms of values at normal scores, from quantiles.

    Parameters
    ----------
    levels : sequence of float
        Shares.
    quantiles : sequence of float or None
        At each; None where too few people stand behind one.
    scores : ndarray
        Where.

    Returns
    -------
    ndarray
        As `scores`.
    """
    known = [(probit(p), q) for p, q in zip(levels, quantiles, strict=True) if q is not None]
    at, logs = np.array([z for z, _ in known]), np.log([q for _, q in known])
    found = np.interp(scores, at, logs)
    first = (logs[2] - logs[0]) / (at[2] - at[0])
    last = (logs[-1] - logs[-3]) / (at[-1] - at[-3])
    found = np.where(scores < at[0], logs[0] + (scores - at[0]) * first, found)
    return np.where(scores > at[-1], logs[-1] + (scores - at[-1]) * last, found)


def table_of(levels: Sequence[float], margin: Mapping[str, Any], scores: Array = SCORES) -> Array:
    """
    Table of logarithms of one quantity.

    Parameters
    ----------
    levels : sequence of float
        Shares.
    margin : mapping
        By sex, bands of age with mean age and quantiles.
    scores : ndarray
        Columns.

    Returns
    -------
    ndarray, shape (2, ages, scores)
        Between the mean ages of two bands, what lies between them.
    """
    whole = np.empty((len(SEXES), len(AGES), len(scores)))
    for at, sex in enumerate(SEXES):
        bands = np.array([joined(levels, band["quantiles"], scores) for band in margin[sex]])
        ages = [band["age"] for band in margin[sex]]
        whole[at] = np.column_stack([np.interp(AGES, ages, column) for column in bands.T])
    return whole


def possible(name: str, logs: Array) -> Array:
    """
    Values from logarithms, none beyond what is plausible.

    Parameters
    ----------
    name : str
        Variable.
    logs : ndarray
        Logarithms.

    Returns
    -------
    ndarray of float32
        Within the plausible range, away from its ends.
    """
    variable = VARIABLES[name]
    ends = variable.low * 1.02 + 0.01, variable.high * 0.9
    return np.clip(np.exp(logs), *ends).astype(np.float32)


def look_up(table: Array, row: Array, scores: Array) -> Array:
    """
    Values of people.

    Parameters
    ----------
    table : ndarray of float32, shape (2 * ages, scores)
        Of one quantity.
    row : ndarray of int, shape (n,)
        Sex and age: where a person's line begins in the flat table.
    scores : ndarray of float32, shape (n,)
        Normal scores.

    Returns
    -------
    ndarray of float32, shape (n,)
        Between two columns, what lies between them.
    """
    place = (scores + np.float32(REACH)) * np.float32(STEPS)
    np.clip(place, 0, len(SCORES) - 1.001, out=place)
    left = place.astype(np.int32)
    place -= left
    left += row
    flat = table.ravel()
    value = flat.take(left)
    left += 1
    value += place * (flat.take(left) - value)
    return np.asarray(value)
