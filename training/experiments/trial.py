"""Try ideas on a model: cross-validate each, and compare it with the first on the same people."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from training.definition import Cohort, Definition, predictors_of
from training.experiments.ideas import Idea
from training.fit import Validation, cross_validate

REPLICATES = 300
MEAN = "mean of tiers"


def some_of(cohort: Cohort, rows: int) -> Cohort:
    """
    A fixed random part of a cohort, to try things on.

    Parameters
    ----------
    cohort : Cohort
        The people.
    rows : int
        How many to keep at most.

    Returns
    -------
    Cohort
        All, if there are no more than that.
    """
    if len(cohort) <= rows:
        return cohort
    return cohort.take(np.sort(np.random.default_rng(0).choice(len(cohort), rows, replace=False)))


def trials(
    definition: Definition,
    cohort: Cohort,
    ideas: Iterable[Idea],
    tick: Callable[[str], None] = lambda name: None,
) -> Iterator[dict[str, Any]]:
    """
    Cross-validate ideas on the same folds.

    Parameters
    ----------
    definition : Definition
        The model as it is.
    cohort : Cohort
        The people.
    ideas : iterable of Idea
        The first is what the others are compared with.
    tick : callable, optional
        Called with the name of each idea when it has been tried.

    Yields
    ------
    dict
        One row for each idea and tier, and one for the mean of the tiers: the AUROC, its
        difference from the first idea's with a 95 % interval (bootstrap of people), calibration
        slope, observed:expected, and seconds taken.
    """
    first: Validation | None = None
    for idea in ideas:
        changed = idea.change(definition)
        seen = dataclasses.replace(cohort, x=predictors_of(cohort.people, changed.predictors))
        start = perf_counter()
        found = cross_validate(changed, seen, idea.fit, sites=False)
        took = perf_counter() - start
        first = first or found
        gains = differences(cohort, first, found)
        common = {"model": definition.id, "idea": idea.name, "rows": len(cohort),
                  "events": int(cohort.y.sum())}  # fmt: skip
        for tier, (gain, low, high) in gains.items():
            figures = found.tiers.get(tier)
            yield common | {
                "tier": tier,
                "auroc": found.mean_auroc if figures is None else figures["auroc"],
                "difference": gain,
                "low": low,
                "high": high,
                "slope": None if figures is None else figures["calibration_slope"],
                "o_e": None if figures is None else figures["o_e"],
                "log_loss": None if figures is None else figures["log_loss"],
                "in_band": found.in_band,
                "seconds": round(took, 1),
            }
        tick(idea.name)


def differences(
    cohort: Cohort, first: Validation, second: Validation
) -> dict[str, tuple[float, float, float]]:
    """
    How much more one validation's AUROC is than another's.

    Parameters
    ----------
    cohort : Cohort
        Whose predictions they hold.
    first, second : Validation
        Of the same tiers.

    Returns
    -------
    dict of str to (difference, low, high)
        By tier and for the mean of the tiers; 95 % limits from Poisson replicates of persons.
    """
    rng = np.random.default_rng(7)
    _, who = np.unique(cohort.person, return_inverse=True)
    draws = [np.ones(len(cohort))]
    draws += [rng.poisson(1.0, who.max() + 1)[who] for _ in range(REPLICATES)]
    tiers = list(first.tiers)
    found = np.empty((len(draws), len(tiers)))
    for column, tier in enumerate(tiers):
        pair = [_Ranked(cohort, v.log_odds[tier]) for v in (first, second)]
        for row, draw in enumerate(draws):
            one, other = (ranked.auroc(cohort.weight * draw) for ranked in pair)
            found[row, column] = other - one
    found = np.column_stack([found, found.mean(axis=1)])
    low, high = np.quantile(found[1:], [0.025, 0.975], axis=0)
    rows = zip(found[0].tolist(), low.tolist(), high.tolist(), strict=True)
    return dict(zip([*tiers, MEAN], rows, strict=True))


class _Ranked:
    """Scores ranked once, for many weights; `training.metrics.auroc` ranks at every call."""

    def __init__(self, cohort: Cohort, score: np.ndarray) -> None:
        self.y = cohort.y
        levels, self.of = np.unique(score, return_inverse=True)
        self.count = len(levels)

    def auroc(self, weight: np.ndarray) -> float:
        cases = np.bincount(self.of, weight * self.y, minlength=self.count)
        others = np.bincount(self.of, weight * (1 - self.y), minlength=self.count)
        below = np.cumsum(others) - others / 2
        return float((cases * below).sum() / (cases.sum() * others.sum()))
