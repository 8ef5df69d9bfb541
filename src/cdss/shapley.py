"""
Exact Shapley values of a published equation against a stated reference patient.

The reference is a man and a woman with the same values, each counting half, so that sex has its
contribution and the baseline is one number. A value that equals the reference's adds nothing
whatever else is known, so the coalitions are those of the values that differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.population import by_pattern

Array = NDArray[np.float64]
LogOdds = Callable[[str, Mapping[str, Any]], Array]
"""Sex, and values by name (numbers or arrays that broadcast) → log-odds of the risk."""

_CELLS = 16_384
"""Coalitions evaluated at once: more no longer fit the cache."""

_SEXES = ("male", "female")


def explain(
    log_odds: LogOdds, names: Sequence[str], x: Array, reference: Sequence[float]
) -> tuple[Array, Array]:
    """
    Log-odds of patients, and what each value adds to it.

    Parameters
    ----------
    log_odds : callable
        The equation.
    names : sequence of str
        Names of the columns of `x`; the first is ``"sex"``.
    x : ndarray, shape (n, k)
        Values in canonical units, sex as 0 (male) or 1; none unknown.
    reference : sequence of float, length k - 1
        The reference patient's values, without sex.

    Returns
    -------
    total : ndarray, shape (n,)
        Log-odds of each patient.
    contributions : ndarray, shape (n, k)
        Shapley values; they add up to `total` minus the `baseline`.
    """
    total, contributions = np.empty(len(x)), np.zeros(x.shape)
    differs = x[:, 1:] != np.asarray(reference)
    everybody = np.arange(len(x))
    for pattern, group in by_pattern(differs):
        rows = everybody[group]
        moved = np.flatnonzero(np.frombuffer(pattern, bool))
        step = max(1, _CELLS >> len(moved))
        for at in range(0, len(rows), step):
            part = rows[at : at + step]
            known, either = _coalitions(log_odds, names, x[part], reference, moved)
            total[part] = known[:, -1]
            columns = np.concatenate(([0], moved + 1))
            values = np.concatenate((either, known), axis=1) @ _weights(len(columns))
            contributions[np.ix_(part, columns)] = values
    return total, contributions


def baseline(log_odds: LogOdds, names: Sequence[str], reference: Sequence[float]) -> float:
    """
    Log-odds of the reference patient, the mean of man and woman.

    Parameters
    ----------
    log_odds : callable
        The equation.
    names : sequence of str
        Names of the inputs; the first is ``"sex"``.
    reference : sequence of float
        Values of the others.

    Returns
    -------
    float
        Where contributions start from.
    """
    values = dict(zip(names[1:], reference, strict=True))
    return float(np.mean([log_odds(sex, values) for sex in _SEXES]))


def _coalitions(
    log_odds: LogOdds,
    names: Sequence[str],
    x: Array,
    reference: Sequence[float],
    moved: NDArray[np.intp],
) -> tuple[Array, Array]:
    """Log-odds for every set of `moved` values known, with sex known and with sex unknown."""
    values: dict[str, Any] = dict(zip(names[1:], reference, strict=True))
    members = _members(len(moved))
    for bit, column in enumerate(moved):
        name = names[column + 1]
        values[name] = np.where(members[:, bit], x[:, column + 1, None], values[name])
    shape = (len(x), len(members))
    male, female = (np.broadcast_to(log_odds(sex, values), shape) for sex in _SEXES)
    return np.where(x[:, :1] == 0, male, female), (male + female) / 2


@lru_cache
def _members(count: int) -> NDArray[np.bool_]:
    """Which of `count` players are in each of the 2^count coalitions, the last holding all."""
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


@lru_cache
def _weights(players: int) -> Array:
    """
    Shapley weights, [2^players, players], first player first.

    The first player is the highest bit: the first half of the coalitions is without it.
    """
    order = [players - 1, *range(players - 1)]  # column of `_members` of each player
    inside = _members(players)[:, order]
    sizes = inside.sum(axis=1)
    all_orders = math.factorial(players)
    with_, without = (
        np.array([math.factorial(max(s - a, 0)) * math.factorial(max(players - s - b, 0))
                  for s in range(players + 1)]) / all_orders
        for a, b in ((1, 0), (0, 1))
    )  # fmt: skip
    weights: Array = np.where(inside, with_[sizes][:, None], -without[sizes][:, None])
    return weights
