"""Shares, expected cases and their intervals, from figures that already carry noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.trends.cells import Cells
from cdss.trends.measures import Measure
from cdss.trends.noise import Protection

Array = NDArray[Any]

Z = 1.959964
"""Of a 95 % interval."""


class Estimates(NamedTuple):
    """
    A measure in every cell.

    Attributes
    ----------
    counted, among : ndarray, shape (n,)
        Numerator and denominator.
    value, low, high : ndarray, shape (n,)
        What is told, and its 95 % interval; NaN where there is none.
    """

    counted: Array
    among: Array
    value: Array
    low: Array
    high: Array


def estimate(measure: Measure, cells: Cells, protection: Protection) -> Estimates:
    """
    Estimate a measure in every cell.

    Parameters
    ----------
    measure : Measure
        Which.
    cells : Cells
        Figures.
    protection : Protection
        What noise they carry.

    Returns
    -------
    Estimates
        Of everybody's, whether it is shown or not.
    """
    count, among = (cells.values[n.name] for n in (measure.numerator, measure.denominator))
    if measure.unit == "people":
        reach = protection.of_count(count)
        return Estimates(count, among, count, np.maximum(count - reach, 0), count + reach)
    share = ratio(count, among)
    if measure.low is not None and measure.high is not None:
        least, most = (cells.values[n.name] for n in (measure.low, measure.high))
        return _bounded(measure, Estimates(count, among, share, least, most), protection)
    if measure.squares is None:
        low, high = wilson(share, among, protection)
        return Estimates(count, among, share, low, high)
    half = Z * np.sqrt(variance(measure, cells, protection))
    return Estimates(
        count, among, share, np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)
    )


def _bounded(measure: Measure, found: Estimates, protection: Protection) -> Estimates:
    """Ends are sums of ends; chance and noise besides."""
    count, among, share, least, most = found
    if measure.kind == "expected":
        p = np.clip(np.nan_to_num(share), 0.0, 1.0)
        half = Z * np.sqrt(protection.inflation * count * (1 - p) + protection.deviation**2)
        return Estimates(count, among, count, np.maximum(least - half, 0), most + half)
    nothing = np.full(len(count), math.nan)  # between its ends, no value is more likely
    reach = protection.of_count(most)
    least, most = np.maximum(np.minimum(least, most) - reach, 0), np.maximum(least, most) + reach
    if measure.unit == "share":
        least, most = (np.clip(ratio(end, among), 0.0, 1.0) for end in (least, most))
    return Estimates(nothing, among, nothing, least, most)


def ratio(count: Array, among: Array) -> Array:
    """
    Divide, where there is something to divide by.

    Parameters
    ----------
    count, among : ndarray
        Of one shape.

    Returns
    -------
    ndarray
        Shares, at most 1; NaN where there is nobody.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.minimum(np.where(among > 0, count / among, math.nan), 1.0))


def wilson(share: Array, among: Array, protection: Protection) -> tuple[Array, Array]:
    """
    Wilson's interval of a share, wider by the noise of both counts.

    Parameters
    ----------
    share, among : ndarray, shape (n,)
        Of how many.
    protection : Protection
        What noise both counts carry.

    Returns
    -------
    tuple of two ndarrays
        Lower and upper ends.

    Examples
    --------
    >>> from cdss.trends.noise import Secret
    >>> bare = Protection(Secret(bytes(32)), 0.0)
    >>> low, high = wilson(np.array([0.1]), np.array([100.0]), bare)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0552, 0.1744)
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = np.maximum(share * (1 - share), 1 / np.maximum(among, 1)) / among
        carried = protection.deviation**2 * (1 + share**2) / among**2
        n = among * chance / (protection.inflation * chance + carried)
        middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def variance(
    measure: Measure, cells: Cells, protection: Protection, at: Array | None = None
) -> Array:
    """
    Variance of a share: of chance, and of the noise.

    Parameters
    ----------
    measure : Measure
        Whose unit is a share.
    cells : Cells
        Figures.
    protection : Protection
        What noise they carry.
    at : ndarray of int, optional
        Which cells, of any shape; all by default.

    Returns
    -------
    ndarray
        NaN where there is nobody.
    """
    pick: Any = slice(None) if at is None else at
    among = cells.values[measure.denominator.name][pick]
    share = ratio(cells.values[measure.numerator.name][pick], among)
    if measure.squares is None:
        each = share * (1 - share)
    else:
        each = np.maximum(ratio(cells.values[measure.squares.name][pick], among) - share**2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        carried = protection.deviation**2 * (1 + share**2) / among**2
        return np.asarray(protection.inflation * each / among + carried)


def with_value(measures: Sequence[Measure], unit: str) -> list[Measure]:
    """
    Pick measures of a unit that have one value, not only bounds.

    Parameters
    ----------
    measures : sequence of Measure
        All.
    unit : {"people", "cases", "share"}
        Which.

    Returns
    -------
    list of Measure
        Those.
    """
    return [m for m in measures if m.unit == unit and not m.kind.endswith("_bounds")]
