"""
How sure an estimate is, and whether the patient is like those the model was made from.

`training` measures the figures and a bundle's manifest carries them; here is what serving does with
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.errors import DefinitionError, Problem
from cdss.estimate import Bounds
from cdss.interval import Interval
from cdss.interval import interval_bounds as interval_bounds
from cdss.interval import interval_spread as interval_spread
from cdss.population import COMBINATION, PATTERNS, Population, by_pattern
from cdss.population import normal_scores as normal_scores
from cdss.variables import VARIABLES

Array = NDArray[Any]


class Verdict(NamedTuple):
    """
    How sure estimates are, and what about the people is outside.

    Attributes
    ----------
    low, high : ndarray, shape (n,)
        Ends of the interval, 0-1; NaN where there is none.
    rare : ndarray of bool, shape (n, k)
        Which values are rare in the derivation population, by quantity (`Validity.quantities`).
    combination : ndarray of bool, shape (n,)
        Whether the known quantities are rare together.
    """

    low: Array
    high: Array
    rare: Array
    combination: Array


@dataclass(frozen=True)
class Validity:
    """
    What a bundle knows about how far its estimates can be trusted.

    Parameters
    ----------
    predictors : tuple of str
        Columns of what is judged.
    tiers : mapping of str to tuple of str
        Tier → predictors hidden in it.
    interval : Interval or None
        How wide intervals are, by tier.
    population : Population or None
        The derivation population.

    Raises
    ------
    DefinitionError
        If a tier hides what is no predictor or has no scale, or a quantity is no predictor.
    """

    predictors: tuple[str, ...]
    tiers: Mapping[str, tuple[str, ...]]
    interval: Interval | None
    population: Population | None

    def __post_init__(self) -> None:
        named = {name for hidden in self.tiers.values() for name in hidden} | {*self.quantities}
        if unknown := named - {*self.predictors}:
            raise DefinitionError(f"tiers or population: no predictors: {', '.join(unknown)}")
        if self.interval and (not self.tiers or {*self.tiers} - {*self.interval.scale}):
            raise DefinitionError("interval: each tier needs a scale")

    @classmethod
    def read(cls, facts: Mapping[str, Any], predictors: tuple[str, ...]) -> Validity | None:
        """
        Read what a manifest says.

        Parameters
        ----------
        facts : mapping
            ``tiers``, ``interval``, ``population_facts``; each may be missing or null.
        predictors : tuple of str
            Columns of the model's function.

        Returns
        -------
        Validity or None
            None if the manifest has neither interval nor population.

        Raises
        ------
        DefinitionError
            If the figures do not fit together.
        """
        claim, people = facts.get("interval"), facts.get("population_facts")
        if not claim and not people:
            return None
        return cls(
            predictors,
            {tier: tuple(hidden) for tier, hidden in (facts.get("tiers") or {}).items()},
            Interval(*(claim[name] for name in ("level", "people", "between", "scale")))
            if claim
            else None,
            Population.read(people) if people else None,
        )

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities of `Verdict.rare`."""
        return self.population.names if self.population else ()

    def judge(self, x: Array, probability: Array) -> Verdict:
        """
        Say how sure estimates are, and what about the people is outside.

        Parameters
        ----------
        x : ndarray, shape (n, k)
            Predictors, canonical units, NaN = unknown.
        probability : ndarray, shape (n,)
            What the model said of them.

        Returns
        -------
        Verdict
            NaN and False where the bundle has no figures.
        """
        n = len(x)
        if self.interval:
            low, high = self.interval.bounds(probability, self._scales(x))
        else:
            low = high = np.full(n, math.nan)
        if self.population:
            rare, combination = self.population.judge(x.take(self._columns, axis=1))
        else:
            rare, combination = np.zeros((n, 0), bool), np.zeros(n, bool)
        return Verdict(low, high, rare, combination)

    def each(
        self, x: Array, probability: Sequence[float]
    ) -> Iterator[tuple[Bounds | None, tuple[str, ...]]]:
        """
        Say the same as `judge`, person by person.

        Parameters
        ----------
        x : ndarray, shape (n, k)
            Predictors, canonical units, NaN = unknown.
        probability : sequence of float, length n
            What the model said of them.

        Returns
        -------
        iterator of (Bounds or None, tuple of str)
            Interval of each estimate; quantities whose value is rare, and `COMBINATION` if they are
            rare together.
        """
        interval, population = self.interval, self.population
        bounds: Iterable[Bounds | None] = repeat(None, len(x))
        outside: Iterable[tuple[str, ...]] = repeat((), len(x))
        if interval:
            scales = [self._scale(row.tobytes()) for row in np.isnan(x)]
            bounds = map(interval.around, probability, scales)
        if population:
            outside = map(population.outside, x.take(self._columns, axis=1).tolist())
        return zip(bounds, outside, strict=True)

    def tier_of(self, known: frozenset[str]) -> str:
        """
        Tell which tier describes best what is missing.

        Parameters
        ----------
        known : frozenset of str
            Predictors that are known.

        Returns
        -------
        str
            The tier that differs in the fewest panels (predictors that are measured together): the
            tier hides what is partly known, or shows what is wholly unknown. Of equals, the one
            that hides more.
        """
        panels: dict[str, set[str]] = {}
        for name in {name for hidden in self.tiers.values() for name in hidden}:
            panels.setdefault(VARIABLES[name].group, set()).add(name)

        def _differing(tier: str) -> tuple[int, int]:
            hidden = {*self.tiers[tier]}
            differ = sum(bool(panel & known) == (panel <= hidden) for panel in panels.values())
            return differ, -len(hidden)

        return min(self.tiers, key=_differing)

    def problem(self, name: str) -> Problem:
        """
        Say what is outside.

        Parameters
        ----------
        name : str
            A quantity whose value is rare, or `COMBINATION`.

        Returns
        -------
        Problem
            A warning; it names the range, never the value.
        """
        return self._problems[name]

    def _scales(self, x: Array) -> Array | float:
        """Of each row's tier; one number if they all have the same unknown."""
        groups = by_pattern(np.isnan(x))
        if len(groups) == 1:
            return self._scale(groups[0][0])
        found = np.empty(len(x))
        for pattern, rows in groups:
            found[rows] = self._scale(pattern)
        return found

    @cached_property
    def _scale(self) -> Callable[[bytes], float]:
        return lru_cache(PATTERNS)(self._scale_of)

    def _scale_of(self, pattern: bytes) -> float:
        assert self.interval is not None
        pairs = zip(self.predictors, pattern, strict=True)
        tier = self.tier_of(frozenset(name for name, unknown in pairs if not unknown))
        found = self.interval.scale[tier]
        return math.nan if found is None else found

    @cached_property
    def _columns(self) -> Array:
        return np.array([self.predictors.index(name) for name in self.quantities])

    @cached_property
    def _problems(self) -> dict[str, Problem]:
        rest = "of the people the model was made from; read the estimate with care"
        found = {
            COMBINATION: Problem(
                "rare_combination", COMBINATION, f"are a combination seldom seen {rest}"
            )
        }
        for name, values in zip(self.quantities, self._ends, strict=True):
            low, high = (float(f"{end:.3g}") for end in values)
            unit = VARIABLES[name].unit
            found[name] = Problem(
                "rare_value",
                name,
                f"is outside {low:g} to {high:g} {unit}, the range of 99 in 100 {rest}",
                {"low": low, "high": high, "unit": unit},
            )
        return found

    @property
    def _ends(self) -> Array:
        """Outermost quantiles, shape (k, 2)."""
        return self.population.quantiles[:, [0, -1]] if self.population else np.empty((0, 2))
