"""A model's answer: an estimate with its contributions, or a refusal with its reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cdss.errors import Problem
from cdss.variables import Value

_FLAT = 1e-6  # below it the difference of two probabilities is mostly rounding


class Contribution(NamedTuple):
    """
    What one input adds to the risk, compared with the baseline.

    Attributes
    ----------
    variable : str
        The input.
    value : float, bool, str or None
        The patient's value in the canonical unit; None if unknown.
    unit : str
        Canonical UCUM unit; empty for yes/no and choices.
    log_odds : float
        Shapley value on the log-odds; all of them add up to logit(p) minus logit(baseline p).
    risk_points : float
        Its share of p minus baseline p (Aumann-Shapley through the logistic link), 0-1 scale.
    """

    variable: str
    value: Value | None
    unit: str
    log_odds: float
    risk_points: float


class Bounds(NamedTuple):
    """
    How sure an estimate is.

    Of groups of `people` people with about this estimate, in parts of the data that the model had
    not seen, a share `level` had an observed share of outcomes between `low` and `high`. About
    groups: where one person's own risk lies it does not say.

    Attributes
    ----------
    low, high : float
        Ends of the interval, 0-1; the probability lies within.
    level : float
        Share of the groups, 0-1.
    people : int
        Size of a group.
    """

    low: float
    high: float
    level: float
    people: int


@dataclass(frozen=True, slots=True)
class RiskEstimate:
    """
    An answer.

    Attributes
    ----------
    model, version, outcome : str
        Which model answered, and what the probability is of.
    horizon_years : float or None
        Within how long; None means now (disease present but not yet diagnosed).
    probability, baseline_probability : float
        Absolute risk, 0-1, of the patient and at the model's baseline.
    contributions : tuple of Contribution
        One for each input, in the model's order.
    missing : tuple of str
        Optional inputs that were unknown.
    warnings : tuple of Problem
        What the reader must know, e.g. an eligibility criterion nobody stated.
    demonstration : bool
        The model was made from teaching data: not for patients (a warning says so too).
    reference : mapping of str to value
        The reference patient of a published equation, of mean risk of man and woman; empty for a
        trained model, whose baseline is the average person of its study.
    interval : Bounds or None
        How sure it is, as measured; None if nobody measured it.
    outside : tuple of str
        Variables whose value is rare among the people the model was made from, and
        ``"combination"`` if the known quantities are rare together; empty if nothing is.
    released : bool
        The model has a release record, or is a published equation (a warning says so if not).
    """

    model: str
    version: str
    outcome: str
    horizon_years: float | None
    probability: float
    baseline_probability: float
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...]
    warnings: tuple[Problem, ...]
    demonstration: bool = False
    reference: Mapping[str, Value] = field(default_factory=dict)
    interval: Bounds | None = None
    outside: tuple[str, ...] = ()
    released: bool = True


@dataclass(frozen=True, slots=True)
class RiskRange:
    """
    All that can be said while a yes/no or a choice is unknown: never a guess.

    Attributes
    ----------
    model, version, outcome : str
        Which model answered, and what the probability is of.
    horizon_years : float or None
        Within how long; None means now.
    low, high : float
        Least and greatest absolute risk, 0-1, over every value of what is unknown.
    narrowed_by : tuple of str
        What is unknown, first what would narrow the range most.
    warnings : tuple of Problem
        What the reader must know.
    """

    model: str
    version: str
    outcome: str
    horizon_years: float | None
    low: float
    high: float
    narrowed_by: tuple[str, ...]
    warnings: tuple[Problem, ...]


class Item(NamedTuple):
    """
    What one item of a points score counts.

    Attributes
    ----------
    variable : str
        The item.
    value : float, bool, str or None
        The patient's value; None if unknown.
    low, high : int
        Fewest and most points it can count; equal if the value is known.
    """

    variable: str
    value: Value | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class PointsTotal:
    """
    The answer of a points score: points, not a probability.

    Attributes
    ----------
    model, version, outcome : str
        Which score, and what it screens for.
    horizon_years : float or None
        Within how long; None means now.
    low, high : int
        Fewest and most points, given what is unknown; equal if nothing is.
    most : int
        Points nobody can exceed.
    items : tuple of Item
        What each item counts.
    missing : tuple of str
        Items that are unknown, first what would narrow the total most.
    cut_off : int
        From how many points on the score is positive.
    positive : bool or None
        At or above the cut-off; None while what is unknown decides it.
    warnings : tuple of Problem
        What the reader must know.
    """

    model: str
    version: str
    outcome: str
    horizon_years: float | None
    low: int
    high: int
    most: int
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    cut_off: int
    positive: bool | None
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class NoEstimate:
    """A refusal with its reasons; a normal value, not an error."""

    model: str
    version: str
    outcome: str
    horizon_years: float | None
    reasons: tuple[Problem, ...]


Outcome = RiskEstimate | RiskRange | PointsTotal | NoEstimate


def expit(log_odds: float) -> float:
    """
    Probability of a log-odds.

    Parameters
    ----------
    log_odds : float
        Any finite number.

    Returns
    -------
    float
        0-1.
    """
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return 1 - 1 / (1 + math.exp(log_odds))


def risk_per_log_odds(probability: float, baseline: float, log_odds: float) -> float:
    """
    What one unit of contribution is worth on the probability scale.

    Parameters
    ----------
    probability, baseline : float
        The patient's and the baseline probability, 0-1.
    log_odds : float
        Sum of the contributions: logit(probability) minus logit(baseline).

    Returns
    -------
    float
        (p - p0) / (logit p - logit p0), which tends to p0 (1 - p0) as the denominator vanishes.

    Source
    ------
    Aumann RJ, Shapley LS, Values of Non-Atomic Games, 1974, ch. I: along the straight path in
    log-odds every contribution is scaled by the mean slope of the logistic link.
    """
    if abs(log_odds) < _FLAT:
        return baseline * (1 - baseline)
    return (probability - baseline) / log_odds
