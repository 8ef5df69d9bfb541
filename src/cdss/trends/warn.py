"""
Early warnings, with a false-alarm rate for the whole report.

Two questions are asked of each place and measure: whether the latest share is worse than what the
shares of the whole country by sex and age would give here, and whether it got worse since the
period before by more than the country's. Places differ a little for many reasons; so much as they
usually differ is allowed for. Of all the questions of a report together (Holm's method), the chance
to be warned of anything where nothing but chance, noise and the usual differences are at work is at
most `FALSE_ALARM`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.trends.noise import Protection

Array = NDArray[Any]

FALSE_ALARM = 0.05
"""Chance that a report has any warning at all if no place is unlike the others."""

FEWEST = 20
"""Expected with and without, below which nothing is asked of a place."""

_NORMAL = NormalDist()
_TAIL = 0.1  # places at each end that are drawn in when it is measured how places usually differ
_DRAWN_IN = 0.679  # variance of a standard normal number of which both tails are drawn in so
_FEW_PLACES = 5


class Funnel(NamedTuple):
    """
    Places against what is expected of them.

    Attributes
    ----------
    expected : ndarray, shape (places,)
        Share that the country's shares by sex and age would give.
    z : ndarray, shape (places,)
        How far the share is above it, in standard deviations; NaN where too few are expected.
    between : float
        Variance by which shares usually differ between places.
    """

    expected: Array
    z: Array
    between: float


def binomial_z(count: Array, n: Array, p: Array) -> Array:
    """
    Say how extreme counts are, as a standard normal number; exact in the tails.

    Parameters
    ----------
    count, n, p : ndarray
        How many of how many, and how many would be expected, as a share within 0 and 1.

    Returns
    -------
    ndarray
        Peizer and Pratt's approximation of the middle of the two one-sided tails.

    Examples
    --------
    >>> bool(abs(binomial_z(np.array([38.0]), np.array([1e6]), np.array([2e-5])) - 3.53) < 0.1)
    True
    """
    q = 1 - p
    found = []
    for x in (count - 1, count):  # of fewer, and of no more: their middle
        x = np.clip(x, -0.499999, n - 0.500001)
        away = (
            x + 2 / 3 - (n + 1 / 3) * p + 0.02 * (q / (x + 1) - p / (n - x) + (q - 0.5) / (n + 1))
        )
        bend = 1 + q * _bend((x + 0.5) / (n * p)) + p * _bend((n - x - 0.5) / (n * q))
        found.append(away * np.sqrt(np.maximum(bend, 0.0) / ((n + 1 / 6) * p * q)))
    return np.asarray((found[0] + found[1]) / 2)


def _bend(ratio: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (1 - ratio**2 + 2 * ratio * np.log(ratio)) / (1 - ratio) ** 2
    near = np.abs(ratio - 1) < 1e-4
    return np.where(near, 0.0, np.where(ratio <= 0, 1.0, found))


def funnel(
    count: Array, among: Array, expected: Array, protection: Protection, worse: str
) -> Funnel:
    """
    Compare places with what is expected of them.

    Parameters
    ----------
    count, among, expected : ndarray, shape (places,)
        People of whom something holds, of how many, and how many were to be expected.
    protection : Protection
        What noise they carry.
    worse : {"higher", "lower"}
        Which way is worse.

    Returns
    -------
    Funnel
        With z above 0 where it is worse.
    """
    able = (expected >= FEWEST) & (among - expected >= FEWEST)
    n = np.where(able, among, 2.0 * FEWEST)
    p = np.where(able, expected / np.maximum(among, 1), 0.5)
    z = binomial_z(np.where(able, count, FEWEST), n, p)
    chance = p * (1 - p) / n
    more = protection.inflation - 1
    carried = more * chance + protection.deviation**2 * (1 + p**2) / n**2
    z = z * np.sqrt(chance / (chance + carried))
    between = between_places(z[able], (chance + carried)[able])
    z = z * np.sqrt((chance + carried) / (chance + carried + between))
    return Funnel(p, np.where(able, z if worse == "higher" else -z, math.nan), between)


def between_places(z: Array, spread: Array) -> float:
    """
    Measure by how much places usually differ beyond chance.

    Parameters
    ----------
    z, spread : ndarray, shape (places,)
        How far each is from what is expected, in standard deviations, and their squares.

    Returns
    -------
    float
        Variance between places (DerSimonian and Laird's, of all but the outermost tenths drawn in);
        0 for few places.
    """
    if len(z) < _FEW_PLACES:
        return 0.0
    low, high = np.quantile(z, [_TAIL, 1 - _TAIL])
    drawn_in = np.clip(z, low, high)
    weight = 1 / spread
    much = (drawn_in**2).sum() / _DRAWN_IN - len(z)
    return float(max(0.0, much / (weight.sum() - (weight**2).sum() / weight.sum())))


def change_z(value: Array, spread: Array, country: float, noise: float, worse: str) -> Array:
    """
    Compare changes of places with the country's.

    Parameters
    ----------
    value, spread : ndarray, shape (places,)
        Changes and their variances; NaN where there is none.
    country, noise : float
        Change of the country, and its variance.
    worse : {"higher", "lower"}
        Which way is worse.

    Returns
    -------
    ndarray, shape (places,)
        Above 0 where it got worse.
    """
    away = (value - country) if worse == "higher" else (country - value)
    whole = spread + noise
    with np.errstate(invalid="ignore", divide="ignore"):
        z = away / np.sqrt(whole)
        able = np.isfinite(z)
        between = between_places(z[able], whole[able])
        return np.asarray(away / np.sqrt(whole + between))


def holm(z: Sequence[float], rate: float = FALSE_ALARM) -> list[bool]:
    """
    Say of which questions to warn, at one false-alarm rate for all of them.

    Parameters
    ----------
    z : sequence of float
        How far each is on the worse side, in standard deviations; NaN where it was not asked.
    rate : float
        Chance of any false alarm.

    Returns
    -------
    list of bool
        For each.

    Examples
    --------
    >>> holm([4.0, 2.0, float("nan"), 1.0])
    [True, True, False, False]
    """
    asked = sorted((1 - _NORMAL.cdf(each), at) for at, each in enumerate(z) if not math.isnan(each))
    warned = [False] * len(z)
    for rank, (chance, at) in enumerate(asked):
        if chance > rate / (len(asked) - rank):
            break
        warned[at] = True
    return warned
