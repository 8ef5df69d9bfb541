"""How sure an estimate is: ends of its interval, and what they claim."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.errors import DefinitionError
from cdss.estimate import Bounds

Array = NDArray[Any]

_HALF_TURN = math.pi / 2


def interval_spread(probability: Array, people: int, between: float) -> Array:
    """
    How far the observed share of a group may be expected from its estimate.

    Parameters
    ----------
    probability : ndarray, shape (n,)
        0-1.
    people : int
        Size of a group.
    between : float
        Standard deviation of the level of a part of the data, log-odds.

    Returns
    -------
    ndarray, shape (n,)
        Standard deviation of asin(√share): of chance, 1/(4 people), and of the part's own level,
        whose effect on asin(√p) is √(p(1-p))/2 a unit of log-odds.
    """
    level = probability * (1 - probability) * (between * between / 4)
    return np.asarray(np.sqrt(level + 1 / (4 * people)))


def interval_bounds(
    probability: Array, scale: Array | float, people: int, between: float
) -> tuple[Array, Array]:
    """
    Ends of the interval around probabilities.

    Parameters
    ----------
    probability : ndarray, shape (n,)
        0-1.
    scale : float or ndarray, shape (n,)
        How many times `interval_spread`; NaN gives NaN.
    people : int
        Size of a group.
    between : float
        Standard deviation of the level of a part of the data, log-odds.

    Returns
    -------
    tuple of two ndarrays, shape (n,)
        ``sin²(asin(√p) ∓ scale·spread)``, cut off at 0 and 1; p is never outside.

    Examples
    --------
    >>> low, high = interval_bounds(np.array([0.04]), 1.96, 500, 0)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.025, 0.059)
    """
    p = np.asarray(probability, np.float64)
    half = scale * interval_spread(p, people, between)
    angle = np.arcsin(np.sqrt(p))
    low = np.sin(np.maximum(angle - half, 0.0))
    high = np.sin(np.minimum(angle + half, _HALF_TURN))
    return np.minimum(low * low, p), np.maximum(high * high, p)


@dataclass(frozen=True)
class Interval:
    """
    What an interval claims, and how wide it is.

    The claim: of groups of `people` people with about this estimate, in parts of the data (sites or
    survey cycles) that the model had not seen, a share `level` had an observed share of outcomes
    within it. It is about groups; it says nothing about where one person's own risk lies.

    Parameters
    ----------
    level : float
        Share of the groups, 0-1.
    people : int
        Size of a group.
    between : float
        As for `interval_spread`.
    scale : mapping of str to float or None
        Tier → as for `interval_bounds`; None where it could not be measured.

    Raises
    ------
    DefinitionError
        If one of them is not in its range.
    """

    level: float
    people: int
    between: float
    scale: Mapping[str, float | None]

    def __post_init__(self) -> None:
        scales = [scale for scale in self.scale.values() if scale is not None]
        if not (0 < self.level < 1 and self.people >= 1 and self.between >= 0):
            raise DefinitionError("interval: level, people or between is out of range")
        if not all(0 <= scale < math.inf for scale in scales):
            raise DefinitionError("interval: a scale is negative or no number")

    def around(self, probability: float, scale: float) -> Bounds | None:
        """
        Interval of one estimate.

        Parameters
        ----------
        probability : float
            0-1.
        scale : float
            Of its tier.

        Returns
        -------
        Bounds or None
            The same as `bounds` of one number, which costs ten times as much; None if the scale is
            NaN.
        """
        p = probability
        if math.isnan(scale):
            return None
        between = self.between
        half = scale * math.sqrt(p * (1 - p) * (between * between / 4) + 1 / (4 * self.people))
        angle = math.asin(math.sqrt(p))
        low = math.sin(max(angle - half, 0.0)) ** 2
        high = math.sin(min(angle + half, _HALF_TURN)) ** 2
        return Bounds(min(low, p), max(high, p), self.level, self.people)

    def bounds(self, probability: Array, scale: Array | float) -> tuple[Array, Array]:
        """
        Ends of the interval around probabilities.

        Parameters
        ----------
        probability : ndarray, shape (n,)
            0-1.
        scale : float or ndarray, shape (n,)
            Of each one's tier.

        Returns
        -------
        tuple of two ndarrays, shape (n,)
            As `interval_bounds`.
        """
        return interval_bounds(probability, scale, self.people, self.between)
