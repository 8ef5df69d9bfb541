"""Whether what goes in moves, and whether predictions fit what happened, if that is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdss.drift import psi
from cdss.trends.cells import ALL, noisy
from cdss.trends.estimates import Z
from cdss.trends.measures import Number, definitions
from cdss.trends.noise import Protection
from cdss.trends.sums import Sums

Array = NDArray[Any]

_STEPS = 50
_EDGE = 1e-6


class Drift(NamedTuple):
    """
    How far a distribution moved since the first period.

    Attributes
    ----------
    place, period, variable : str
        What of.
    psi : float or None
        Population stability index, not measured included as a bin; None if too few.
    n : float
        People.
    """

    place: str
    period: str
    variable: str
    psi: float | None
    n: float


class Calibration(NamedTuple):
    """
    Predictions against what happened.

    Attributes
    ----------
    place, period, question : str
        What of.
    n, events, expected : float
        People whose outcome is known, those with the event, and those who were expected.
    ratio, ratio_low, ratio_high : float or None
        Observed : expected, 95 % interval.
    slope, slope_low, slope_high : float or None
        Calibration slope on the log-odds, 95 % interval; None if the bins do not tell.
    """

    place: str
    period: str
    question: str
    n: float
    events: float
    expected: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    slope: float | None
    slope_low: float | None
    slope_high: float | None


def drift(sums: Sums, protection: Protection, data: str) -> list[Drift]:
    """
    Compare each period with the first.

    Parameters
    ----------
    sums : Sums
        What was counted.
    protection : Protection
        How its counts are changed before they are compared.
    data : str
        Code and models behind the data.

    Returns
    -------
    list of Drift
        By place, variable and period; none with differential privacy, which has no budget for it.
    """
    if protection.epsilon or not sums.bins.height:
        return []
    found = []
    cuts = definitions()["drift"]
    for (place, variable), table in _grouped(sums.bins, "place", "variable"):
        bins = len(cuts[variable]) + 2
        first: Array | None = None
        for (period,), mine in _grouped(table, "period"):
            counts = np.zeros(bins, np.int64)
            counts[mine["bin"].to_numpy()] = mine["count"].to_numpy()
            where = [f"{data}|{period}|{sums.marks[period]}|{place}|bin {at}" for at in range(bins)]
            told = noisy(
                counts, _number(f"in bins {cuts[variable]} of {variable}"), where, protection
            )
            n = float(told.sum())
            enough = n >= protection.least * bins
            if first is None and enough:
                first = told
            moved = psi(first, told) if enough and first is not None else None
            found.append(Drift(place or ALL, period, variable, moved, n))
    return found


def calibration(sums: Sums, protection: Protection, data: str) -> list[Calibration]:
    """
    Compare predictions with what happened.

    Parameters
    ----------
    sums : Sums
        What was counted.
    protection : Protection
        How its counts are changed before they are compared, and how few are too few.
    data : str
        Code and models behind the data.

    Returns
    -------
    list of Calibration
        By place, question and period; those with too few are left out.
    """
    if protection.epsilon or not sums.risks.height:
        return []
    found = []
    for (place, question, period), table in _grouped(sums.risks, "place", "question", "period"):
        table = table.sort("bin")
        where = [f"{data}|{period}|{sums.marks[period]}|{place}|risk {at}" for at in table["bin"]]
        n, events, expected = (
            noisy(
                table[name].to_numpy(), _number(f"{name} of {question}", total), where, protection
            )
            for name, total in (("count", False), ("events", False), ("expected", True))
        )
        noise = len(n) * protection.deviation**2
        enough = max(protection.least, 3 * math.sqrt(noise))
        if min(events.sum(), n.sum() - events.sum(), expected.sum()) < enough:
            continue
        totals = (float(each.sum()) for each in (n, events, expected))
        told = (
            *_ratio(n, events, expected, noise, protection.inflation),
            *_slope(n, events, expected, protection),
        )
        found.append(Calibration(place or ALL, period, question, *totals, *told))
    return found


def _number(definition: str, total: bool = False) -> Number:
    return Number(definition, definition, pl.lit(True), total)


def _grouped(table: pl.DataFrame, *keys: str) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    yield from table.sort(keys).group_by(keys, maintain_order=True)


def _ratio(
    n: Array, events: Array, expected: Array, noise: float, more: float
) -> tuple[float | None, ...]:
    """Observed : expected; on the logarithm, chance of both and noise."""
    o, e, people = events.sum(), expected.sum(), n.sum()
    if e < 1:
        return None, None, None
    ratio = o / e
    spread = (more * o * (1 - o / people) + noise) / o**2 + noise / e**2
    half = Z * math.sqrt(spread)
    return float(ratio), float(ratio * math.exp(-half)), float(ratio * math.exp(half))


def _slope(
    n: Array, events: Array, expected: Array, protection: Protection
) -> tuple[float | None, ...]:
    """Logistic regression on the bins' mean log-odds; bins that are mostly noise are left out."""
    least = max(1.0, 3 * protection.deviation)
    used = (n >= 3 * least) & (expected >= least)
    n, y = n[used], np.minimum(events[used], n[used])
    p = np.clip(expected[used] / n, _EDGE, 1 - _EDGE)
    if len(n) < 3:
        return None, None, None
    x = np.column_stack([np.ones(len(n)), np.log(p / (1 - p))])
    beta = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = x.T @ (x * (n * fitted * (1 - fitted))[:, None])
        if np.linalg.cond(information) > 1 / _EDGE**2:
            return None, None, None
        step = np.linalg.solve(information, x.T @ (y - n * fitted))
        beta = beta + step
        if np.abs(step).max() < _EDGE:
            noise = protection.deviation**2 * (1 + fitted**2)
            meat = protection.inflation * information + x.T @ (x * noise[:, None])
            inverse = np.linalg.inv(information)
            half = Z * math.sqrt((inverse @ meat @ inverse)[1, 1])
            return float(beta[1]), float(beta[1] - half), float(beta[1] + half)
    return None, None, None
