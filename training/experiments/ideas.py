"""The ideas: how a model is fitted, and what it may see."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from training.definition import Definition
from training.families import Fit, Fitted, Sample, blend, remembered, spline, trees

BEFORE_TREES = trees.SETTINGS | {
    "max_depth": 4,
    "eta": 0.04,
    "subsample": 0.7,
    "colsample_bynode": 0.6,
    "min_child_weight": 10.0,
    "lambda": 5.0,
}
BEFORE_ROUNDS = 300
BEFORE_STRENGTH, BEFORE_KNOTS = 1.0, 5
CHAMPIONS_BEFORE = {
    "cvd-death": "trees",
    "cvd-incident": "spline",
    "diabetes-incident": "trees",
    "diabetes-undiagnosed": "spline",
    "hypertension-incident": "spline",
    "hypertension-undiagnosed": "trees",
}
"""What shipped as 1.0.0: everything is compared with it. Written out, because settings change."""

EXTRA_PREDICTORS: Mapping[str, tuple[str, ...]] = {
    "cvd-death": (
        "height",
        "fasting_glucose",
        "triglycerides",
        "ldl_cholesterol",
        "alt",
        "ggt",
        "creatinine",
        "family_history_diabetes",
    ),
    "diabetes-undiagnosed": ("weight", "ldl_cholesterol", "creatinine"),
    "hypertension-undiagnosed": ("weight", "fasting_glucose", "ldl_cholesterol", "creatinine"),
    "diabetes-incident": ("weight",),
}
"""
Measured, plausible, not the outcome, and not yet used. Lipid treatment is not among them: NHANES
asked it (before 2011) of those told of high cholesterol only, so that its "unknown" tells who was
never tested. Ethnicity, education and income never are.
"""


@dataclass(frozen=True)
class Idea:
    """
    One thing to try.

    Attributes
    ----------
    name : str
        Key in the table of results.
    fit : callable
        How the model is fitted.
    change : callable
        What becomes of the definition: its predictors.
    """

    name: str
    fit: Fit
    change: Callable[[Definition], Definition] = lambda definition: definition


class Sum:
    """Fitted models whose log-odds are added: a trial, without graph or file."""

    def __init__(self, parts: tuple[Fitted, ...]) -> None:
        self.parts = parts

    def log_odds(self, x):
        """Log-odds [n]."""
        return sum(part.log_odds(x) for part in self.parts)


def ideas(model: str) -> Iterator[Idea]:
    """
    Everything to try on a model.

    Parameters
    ----------
    model : str
        Its id.

    Yields
    ------
    Idea
        First the family that shipped, as it was; then the rest.
    """
    before = {
        "spline": remembered(_spline()),
        "trees": remembered(_trees()),
    }
    champion = CHAMPIONS_BEFORE[model]
    other = {"spline": "trees", "trees": "spline"}[champion]
    yield Idea(f"{champion}, as shipped", before[champion])
    yield Idea(f"{other}, as it was", before[other])
    for share in (0.3, 0.5, 0.7):
        shares = {"spline": 1 - share, "trees": share}
        yield Idea(f"blend, {share:g} trees", partial(blend.fit, makers=before, shares=shares))
    careful = remembered(_trees(min_child_weight=30.0))
    yield Idea("trees, leaves of weight 30", careful)
    with_careful = before | {"trees": careful}
    half = {"spline": 0.5, "trees": 0.5}
    yield Idea("blend, leaves of weight 30", partial(blend.fit, makers=with_careful, shares=half))
    for name, changes in {
        "trees, depth 3 x 400": {"max_depth": 3, "rounds": 400},
        "trees, depth 5 x 200": {"max_depth": 5, "rounds": 200},
        "trees, slower (0.02 x 500)": {"eta": 0.02, "rounds": 500},
        "trees, lambda 20": {"lambda": 20.0},
        "trees, half the rows each": {"subsample": 0.5},
        "trees, bagged (3 a round x 100)": {"num_parallel_tree": 3, "eta": 0.1, "rounds": 100},
    }.items():
        yield Idea(name, _trees(**changes))
    yield Idea("trees on what the spline leaves", _corrected(before["spline"]))
    yield Idea("spline, C 0.1", _spline(strength=0.1))
    yield Idea("spline, C 10", _spline(strength=10.0))
    yield Idea("spline, 7 knots", _spline(knots=7))
    if extra := EXTRA_PREDICTORS.get(model):
        change = partial(_with, names=extra)
        more = {"spline": remembered(_spline()), "trees": remembered(_trees())}
        yield Idea(f"{champion}, more predictors", more[champion], change)
        yield Idea("blend, more predictors", partial(blend.fit, makers=more, shares=half), change)


def _spline(strength: float = BEFORE_STRENGTH, knots: int = BEFORE_KNOTS) -> Fit:
    return partial(spline.fit, strength=strength, knots=knots)


def _trees(rounds: int = BEFORE_ROUNDS, **changes: float) -> Fit:
    return partial(trees.fit, settings={**BEFORE_TREES, **changes}, rounds=rounds)


def _corrected(first: Fit) -> Fit:
    """A hundred trees of depth 3 that start from the spline's log-odds."""

    def fit(sample: Sample, monotone: Mapping[str, int]) -> Fitted:
        start = first(sample, monotone)
        rest = dataclasses.replace(sample, offset=sample.offset + start.log_odds(sample.x))
        settings = {**BEFORE_TREES, "max_depth": 3}
        return Sum((start, trees.fit(rest, monotone, settings=settings, rounds=100, base=0.5)))

    return fit


def _with(definition: Definition, names: tuple[str, ...]) -> Definition:
    more = dict.fromkeys(names, "tried")
    return dataclasses.replace(definition, optional={**definition.optional, **more})
