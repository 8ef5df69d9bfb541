"""
The people a model was made from, as far as it takes to see who is unlike them.

`training` measures quantiles and correlations, and a bundle's manifest carries them. Judging is a
few operations on columns; what depends only on which quantities are known is worked out once for
each such pattern.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.errors import DefinitionError
from cdss.variables import VARIABLES

Array = NDArray[Any]
Group = tuple[bytes, Any]
"""What is unknown, and the rows of which this is so."""

LEVELS = tuple(float(level) for level in np.linspace(0.005, 0.995, 21))
"""Shares of the derivation population below the stored quantiles; beyond the ends is rare."""

PATTERNS = 4096
"""Patterns of what is unknown that a model remembers."""

COMBINATION = "combination"
"""Named among what is outside when the known quantities are rare together."""

_NORMAL = [NormalDist().inv_cdf(level) for level in LEVELS]
_SCORES, _ENDS = np.array(_NORMAL), (_NORMAL[0], _NORMAL[-1])
_FLOOR = 0.01  # least variance that a direction counts with: correlations are never exact
_BESIDE = 0.5  # where what is below the first quantile is put, on an axis from first to last
_FEW, _BITS = 64, 64  # rows up to which, and columns beyond which, they are grouped one by one
_FEWEST = 2  # known quantities that make a combination


def normal_scores(values: Array, quantiles: Sequence[float]) -> Array:
    """
    Say values of one quantity as if it were standard normal.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Canonical unit.
    quantiles : sequence of float
        Of the derivation population at `LEVELS`.

    Returns
    -------
    ndarray, shape (n,)
        Interpolated; -2.58 or 2.58 beyond the outermost quantiles, NaN where unknown.

    Examples
    --------
    >>> normal_scores(np.array([50.0, 1e9]), np.linspace(0, 100, 21)).round(2) + 0.0
    array([0.  , 2.58])
    """
    return np.asarray(np.interp(values, quantiles, _SCORES))


@dataclass(frozen=True)
class Population:
    """
    Quantities of the people a model was made from.

    Parameters
    ----------
    names : tuple of str
        Quantities: the columns of what is judged.
    quantiles : ndarray, shape (k, 21)
        Of each at `LEVELS`, canonical unit.
    correlation : ndarray, shape (k, k)
        Of their normal scores.
    threshold : float
        `rarity` above which a combination is rare: what 99 % of those people stay below.

    Raises
    ------
    DefinitionError
        If the figures do not fit together.
    """

    names: tuple[str, ...]
    quantiles: Array
    correlation: Array
    threshold: float

    def __post_init__(self) -> None:
        k = len(self.names)
        if wrong := [name for name in self.names if VARIABLES[name].kind != "quantity"]:
            raise DefinitionError(f"population: no quantities: {', '.join(wrong)}")
        if self.quantiles.shape != (k, len(LEVELS)) or self.correlation.shape != (k, k):
            raise DefinitionError("population: quantiles or correlations of other quantities")
        steps = np.diff(self.quantiles, axis=1)
        if not (steps >= 0).all() or not (steps > 0).any(axis=1).all():
            raise DefinitionError("population: quantiles do not rise")
        if not np.allclose(self.correlation, self.correlation.T) or np.isnan(self.threshold):
            raise DefinitionError("population: no correlation, or no threshold")

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Population:
        """
        Read what a manifest says of the population.

        Parameters
        ----------
        facts : mapping
            ``names``, ``quantiles`` by name, ``correlation``, ``threshold``.

        Returns
        -------
        Population
            The same.
        """
        names = tuple(facts["names"])
        return cls(
            names,
            np.array([facts["quantiles"][name] for name in names], np.float64),
            np.array(facts["correlation"], np.float64),
            float(facts["threshold"]),
        )

    def rarity(self, x: Array) -> Array:
        """
        How unlike the derivation population the known quantities are together.

        Parameters
        ----------
        x : ndarray, shape (n, k)
            Columns `names`, canonical units, NaN = unknown.

        Returns
        -------
        ndarray, shape (n,)
            About standard normal in the derivation population, however many are known; NaN if
            fewer than two are.

        Notes
        -----
        Mahalanobis distance of the normal scores, with the correlation of what is known (no
        direction counts with less than a hundredth of the variance of a score); the cube root of
        Wilson and Hilferty makes distances of different numbers of quantities comparable.

        Source
        ------
        Wilson EB, Hilferty MM, PNAS 1931;17:684-688: the cube root of chi-square over its degrees
        of freedom m has mean 1 - 2/(9m) and variance 2/(9m).
        """
        unknown = np.isnan(x)
        placed, _ = self._placed(x, unknown)
        found = np.full(len(x), math.nan)
        for rows, square, many, _ in self._squares(placed, unknown):
            if many >= _FEWEST:
                part = 2 / (9 * many)
                found[rows] = (np.cbrt(square / many) - 1 + part) / math.sqrt(part)
        return found

    def judge(self, x: Array) -> tuple[Array, Array]:
        """
        Tell which values are rare, and whose combination of them.

        Parameters
        ----------
        x : ndarray, shape (n, k)
            Columns `names`, canonical units, NaN = unknown.

        Returns
        -------
        tuple of two ndarrays of bool, shapes (n, k) and (n,)
            Outside the 0.5 to 99.5 % quantiles, False where unknown; and whether `rarity` is above
            the threshold (without taking roots).
        """
        unknown = np.isnan(x)
        placed, rare = self._placed(x, unknown)
        combination = np.empty(len(x), bool)
        for rows, square, _, most in self._squares(placed, unknown):
            combination[rows] = square > most
        return rare, combination

    def outside(self, values: Sequence[float]) -> tuple[str, ...]:
        """
        Say of one person what `judge` says of columns, at a third of the price.

        Parameters
        ----------
        values : sequence of float, length k
            In the order of `names`, canonical units, NaN = unknown.

        Returns
        -------
        tuple of str
            Quantities whose value is rare, and `COMBINATION` if they are rare together.
        """
        found, scores, unknown = [], [], []
        for name, value, known in zip(self.names, values, self._lists, strict=True):
            unknown.append(value != value)
            at = bisect_right(known, value) - 1
            if value != value:
                scores.append(0.0)
            elif value < known[0] or value > known[-1]:
                found.append(name)
                scores.append(_ENDS[value > known[0]])
            elif at == len(known) - 1:
                scores.append(_ENDS[1])
            else:
                low, score = known[at], _NORMAL[at]
                part = (value - low) / (known[at + 1] - low)
                scores.append(score + part * (_NORMAL[at + 1] - score))
        inverse, _, most = self._among(bytes(unknown))
        z = np.array(scores)
        if z @ inverse @ z > most:
            found.append(COMBINATION)
        return tuple(found)

    @cached_property
    def _lists(self) -> list[list[float]]:
        return list(self.quantiles.tolist())

    def _placed(self, x: Array, unknown: Array) -> tuple[Array, Array]:
        """Each value's place between its outermost quantiles (0-1), and whether it is beyond."""
        low, span, *_ = self._axis
        place = x - low
        place /= span
        np.copyto(place, 0.5, where=unknown)
        rare = (place < 0) | (place > 1)
        np.maximum(place, -_BESIDE, out=place)
        np.minimum(place, 1.0, out=place)
        return place, rare

    def _squares(self, placed: Array, unknown: Array) -> Iterator[tuple[Any, Array, int, float]]:
        """Rows, squared distances, how many are known, and how far is rare; by pattern."""
        _, _, start, places, scores = self._axis
        z = np.interp(placed + start, places, scores)
        for pattern, rows in by_pattern(unknown):
            inverse, many, most = self._among(pattern)
            mine = z[rows]
            yield rows, np.vecdot(mine @ inverse, mine), many, most

    @cached_property
    def _axis(self) -> tuple[Array, Array, Array, Array, Array]:
        """
        One axis on which the quantiles of all quantities lie one after the other.

        So that one interpolation is `normal_scores` of every value.
        """
        start = 2.0 * np.arange(len(self.names))
        low = self.quantiles[:, 0]
        span = self.quantiles[:, -1] - low
        places = (self.quantiles - low[:, None]) / span[:, None]
        # What lies below the first quantile is no tie with it, of which there may be many.
        places = np.column_stack([np.full(len(start), -_BESIDE), places]) + start[:, None]
        scores = np.tile([_SCORES[0], *_SCORES], len(start))
        return low, span, start, places.ravel(), scores

    @cached_property
    def _among(self) -> Callable[[bytes], tuple[Array, int, float]]:
        return lru_cache(PATTERNS)(self._inverse)

    def _inverse(self, pattern: bytes) -> tuple[Array, int, float]:
        """
        Inverse correlation of what is known, 0 for what is not.

        With how many are known, and the squared distance that corresponds to the threshold.
        """
        known = np.flatnonzero(~np.frombuffer(pattern, bool))
        many = len(known)
        inverse = np.zeros_like(self.correlation)
        if many < _FEWEST:
            return inverse, many, math.inf
        at = np.ix_(known, known)
        values, vectors = np.linalg.eigh(self.correlation[at])
        inverse[at] = vectors / np.maximum(values, _FLOOR) @ vectors.T
        part = 2 / (9 * many)
        root = max(1 - part + self.threshold * math.sqrt(part), 0.0)
        return inverse, many, many * root**3


def by_pattern(unknown: Array) -> list[Group]:
    """
    Group rows by what is unknown.

    Parameters
    ----------
    unknown : ndarray of bool, shape (n, k)
        What is unknown.

    Returns
    -------
    list of (bytes, rows)
        A row of `unknown`, and where it is found; a slice if all rows are alike.
    """
    if len(unknown) > _FEW and 0 < unknown.shape[1] <= _BITS:
        return _sorted_by_pattern(unknown)
    found: dict[bytes, list[int]] = {}
    for at, row in enumerate(unknown):
        found.setdefault(row.tobytes(), []).append(at)
    if len(found) == 1:
        return [(pattern, slice(None)) for pattern in found]
    return [*found.items()]


def _sorted_by_pattern(unknown: Array) -> list[Group]:
    """`by_pattern` of many rows: each row as the bits of one number, and the numbers sorted."""
    packed = np.zeros((len(unknown), _BITS // 8), np.uint8)
    bits = np.packbits(unknown, axis=1)
    packed[:, : bits.shape[1]] = bits
    codes = packed.view(np.uint64).ravel()
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order])) + 1
    if not len(starts):
        return [(unknown[0].tobytes(), slice(None))]
    groups = np.split(order, starts)
    return [(unknown[rows[0]].tobytes(), rows) for rows in groups]
