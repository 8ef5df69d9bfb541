"""
How far one distribution has moved from another, from counts over the same bins.

The population stability index of two sets of shares p and q is the sum of (q - p) ln(q / p): 0 if
they are alike, and by custom a moderate shift from 0.1 and a major one from 0.25. Those customs
know nothing of how many were counted: a hundred people drawn anew from the same population easily
have 0.1. So `compare` says what chance alone would make of it, and a shift counts only as far as it
is beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Size = Literal["none", "moderate", "major"]

MODERATE, MAJOR = 0.1, 0.25
"""By custom (Siddiqi N, Credit Risk Scorecards, Wiley 2006); no law of nature."""

SMOOTHING = 0.5
"""Added to the count of every bin, so that an empty one has a logarithm (Jeffreys' prior)."""

_NORMAL = NormalDist()
_TWO_SIDED = _NORMAL.inv_cdf(0.975)


class Shift(NamedTuple):
    """
    How far some counts are from a reference.

    Attributes
    ----------
    psi : float
        Population stability index as counted.
    low, high : float
        95 % interval of that of the populations behind the counts, with what chance adds on
        average taken off.
    p_value : float
        Probability of a `psi` at least as high if the populations are alike.
    """

    psi: float
    low: float
    high: float
    p_value: float

    @property
    def size(self) -> Size:
        """Whether it is a shift, by the lower end of the interval."""
        return "major" if self.low >= MAJOR else "moderate" if self.low >= MODERATE else "none"


def psi(reference_counts: ArrayLike, counts: ArrayLike) -> float:
    """
    Population stability index of counts against a reference.

    Parameters
    ----------
    reference_counts, counts : array_like, shape (k,)
        How many fell into each of the same k >= 2 bins; not negative, some of each.

    Returns
    -------
    float
        0 if the shares are alike; has no upper bound. `SMOOTHING` is added to every count.

    Raises
    ------
    ValueError
        If the counts are not of the same bins, or there are none.

    Source
    ------
    Kullback S, Leibler RA, Ann Math Stat 1951;22:79-86, eq. 2.6: the divergence J(1, 2).

    Examples
    --------
    >>> round(psi([500, 500], [500, 500]), 4), round(psi([500, 500], [300, 700]), 4)
    (0.0, 0.1691)
    """
    p, q, _, _ = _shares(reference_counts, counts)
    return float(((q - p) * np.log(q / p)).sum())


def compare(reference_counts: ArrayLike, counts: ArrayLike) -> Shift:
    """
    Tell how far counts are from a reference, and how sure that is.

    Parameters
    ----------
    reference_counts, counts : array_like, shape (k,)
        As for `psi`. A reference of shares that are known is given as large counts.

    Returns
    -------
    Shift
        The index with its uncertainty.

    Raises
    ------
    ValueError
        If the counts are not of the same bins, or there are none.

    Notes
    -----
    With n and m counted and the populations alike, the index is about (1/n + 1/m) times a
    chi-square with k - 1 degrees of freedom. The variance of the interval is that one's, which is
    all there is near 0, plus the first-order term of the two multinomial samples, which is zero
    there. Bins that are empty on both sides do not count as degrees of freedom.

    Source
    ------
    Yurdakul B, Naranjo J, J Risk Model Validation 2020;14(4):89-100: distribution of the index.

    Examples
    --------
    >>> compare([50, 50], [30, 70]).size, compare([50_000, 50_000], [30_000, 70_000]).size
    ('none', 'moderate')
    """
    p, q, n, m = _shares(reference_counts, counts)
    ratio = np.log(q / p)
    index = float(((q - p) * ratio).sum())
    free = max(int(((np.asarray(reference_counts) + np.asarray(counts)) > 0).sum()) - 1, 1)
    chance = 1 / n + 1 / m
    first = _variance(p, ratio + q / p) / n + _variance(q, ratio - p / q) / m
    error = math.sqrt(first + 2 * free * chance**2)
    beyond = index - free * chance
    return Shift(
        index,
        max(beyond - _TWO_SIDED * error, 0.0),
        max(beyond + _TWO_SIDED * error, 0.0),
        chi_square_tail(index / chance, free),
    )


def chi_square_tail(value: float, degrees: int) -> float:
    """
    Probability that a chi-square variable is at least so large.

    Parameters
    ----------
    value : float
        At least 0.
    degrees : int
        Degrees of freedom, at least 1.

    Returns
    -------
    float
        0-1, to about 0.01 (0.02 for one degree of freedom).

    Source
    ------
    Wilson EB, Hilferty MM, PNAS 1931;17:684-688: the cube root of chi-square over its degrees of
    freedom m has mean 1 - 2/(9m) and variance 2/(9m).

    Examples
    --------
    >>> round(chi_square_tail(16.92, 9), 3)
    0.05
    """
    part = 2 / (9 * degrees)
    return 1 - _NORMAL.cdf((math.cbrt(value / degrees) - 1 + part) / math.sqrt(part))


def count_in_bins(values: Array, edges: Sequence[float]) -> Array:
    """
    Count values between edges.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN = unknown, not counted.
    edges : sequence of float, length k - 1
        Rising. A value on an edge falls into the bin above it.

    Returns
    -------
    ndarray of int, shape (k,)
        From below the first edge to the last edge and above.

    Examples
    --------
    >>> count_in_bins(np.array([1.0, 5.0, 7.0, np.nan]), [5.0, 6.0])
    array([1, 1, 1])
    """
    known = values[~np.isnan(values)]
    return np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)


def _shares(reference_counts: ArrayLike, counts: ArrayLike) -> tuple[Array, Array, float, float]:
    """Smoothed shares of both, and how many were counted of each."""
    a, b = np.asarray(reference_counts, np.float64), np.asarray(counts, np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError("counts must be of the same bins, at least two")
    n, m = float(a.sum()), float(b.sum())
    if not (a >= 0).all() or not (b >= 0).all() or not 0 < n < math.inf or not 0 < m < math.inf:
        raise ValueError("counts must not be negative, and some of each are needed")
    return (
        (a + SMOOTHING) / (n + SMOOTHING * len(a)),
        (b + SMOOTHING) / (m + SMOOTHING * len(b)),
        n,
        m,
    )


def _variance(shares: Array, slopes: Array) -> float:
    """Variance of a slope when a bin is drawn by its share."""
    mean = (shares * slopes).sum()
    return float((shares * (slopes - mean) ** 2).sum())
