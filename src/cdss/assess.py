"""The flow: a record and some models in, all there is to say out; no I/O, clock or language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice, Undecided
from cdss.jurisdiction import Choice, Jurisdiction, Model
from cdss.record import PatientRecord


class Disagreement(NamedTuple):
    """
    Models of the same outcome and horizon that answered, and how far apart they are.

    Attributes
    ----------
    outcome : str
        What the probability is of.
    horizon_years : float or None
        Within how long; None means now.
    low, high : float
        Least and greatest probability, 0-1.
    models : tuple of str
        From the least to the greatest.
    """

    outcome: str
    horizon_years: float | None
    low: float
    high: float
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """
    What the models and the guidelines say about one patient on one day.

    Attributes
    ----------
    record : PatientRecord
        What was known.
    outcomes : tuple of outcomes
        What each model said, in the order asked.
    choices : tuple of Choice
        Which of them answers what, by the jurisdiction's preference.
    advice : tuple of Advice
        Rules that hold, what is urgent first.
    undecided : tuple of Undecided
        Rules that lack a fact, with what to ask or measure.
    jurisdiction : Jurisdiction or None
        Whose rules; None if none were asked.
    asked : tuple of str
        Ids of the models that were asked; `outcomes` is of all of them, or of those kept.
    """

    record: PatientRecord
    outcomes: tuple[Outcome, ...]
    choices: tuple[Choice, ...] = ()
    advice: tuple[Advice, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    jurisdiction: Jurisdiction | None = None
    asked: tuple[str, ...] = ()

    @property
    def estimates(self) -> tuple[RiskEstimate, ...]:
        """The models that gave a probability."""
        return tuple(o for o in self.outcomes if isinstance(o, RiskEstimate))

    @property
    def ranges(self) -> tuple[RiskRange, ...]:
        """The models that gave a range, for want of a yes or no."""
        return tuple(o for o in self.outcomes if isinstance(o, RiskRange))

    @property
    def points(self) -> tuple[PointsTotal, ...]:
        """The points scores."""
        return tuple(o for o in self.outcomes if isinstance(o, PointsTotal))

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Outcomes for which more than one model gave a probability; none is hidden."""
        same: dict[tuple[str, float | None], list[RiskEstimate]] = {}
        for estimate in self.estimates:
            same.setdefault((estimate.outcome, estimate.horizon_years), []).append(estimate)
        found = []
        for (outcome, horizon), estimates in same.items():
            if len(estimates) > 1:
                ordered = sorted(estimates, key=lambda e: e.probability)
                low, high = ordered[0].probability, ordered[-1].probability
                models = tuple(e.model for e in ordered)
                found.append(Disagreement(outcome, horizon, low, high, models))
        return tuple(found)

    @property
    def not_estimated(self) -> tuple[NoEstimate, ...]:
        """The models that do not apply, with reasons."""
        return tuple(o for o in self.outcomes if isinstance(o, NoEstimate))


def assess(
    record: PatientRecord,
    models: Sequence[Model],
    jurisdiction: Jurisdiction | None = None,
    *,
    chosen: bool = False,
) -> Assessment:
    """
    Assess one patient.

    Parameters
    ----------
    record : PatientRecord
        One patient on one day.
    models : sequence of RiskModel or PointsScore
        Which models to ask.
    jurisdiction : Jurisdiction, optional
        Whose rules give advice; without one there is none.
    chosen : bool
        Keep, of several models that answer one question, only the preferred one and those shown
        beside it.

    Returns
    -------
    Assessment
        An estimate or a reasoned refusal for each model, and advice.
    """
    return assess_all([record], models, jurisdiction, chosen=chosen)[0]


def assess_all(
    records: Sequence[PatientRecord],
    models: Sequence[Model],
    jurisdiction: Jurisdiction | None = None,
    *,
    chosen: bool = False,
) -> tuple[Assessment, ...]:
    """
    Assess many patients; each model runs once.

    Parameters
    ----------
    records : sequence of PatientRecord
        Patients, each on their day.
    models : sequence of RiskModel or PointsScore
        Which models to ask.
    jurisdiction : Jurisdiction, optional
        Whose rules give advice; without one there is none.
    chosen : bool
        As in `assess`.

    Returns
    -------
    tuple of Assessment
        In the order of `records`.
    """
    columns = [model.estimate_all(records) for model in models]
    rows = zip(*columns, strict=True) if columns else [()] * len(records)
    asked = tuple(model.id for model in models)
    return tuple(
        _assessment(record, tuple(outcomes), jurisdiction, chosen, asked)
        for record, outcomes in zip(records, rows, strict=True)
    )


def _assessment(
    record: PatientRecord,
    outcomes: tuple[Outcome, ...],
    jurisdiction: Jurisdiction | None,
    chosen: bool,
    asked: tuple[str, ...],
) -> Assessment:
    if jurisdiction is None:
        return Assessment(record, outcomes, asked=asked)
    choices = jurisdiction.choose(outcomes)
    advice, undecided = jurisdiction.advise(record, outcomes, choices)
    if chosen:
        outcomes = _kept(outcomes, choices, jurisdiction.named)
    return Assessment(record, outcomes, choices, advice, undecided, jurisdiction, asked)


def _kept(
    outcomes: tuple[Outcome, ...], choices: Sequence[Choice], named: frozenset[str]
) -> tuple[Outcome, ...]:
    """
    Answers to the questions; where nobody could answer, the refusals of those preferred.

    Models that no question names stay.
    """
    keep = {i for choice in choices for i in (choice.model, *choice.beside)}
    keep |= {
        option.model
        for choice in choices
        if choice.model is None and not choice.measured
        for option in choice.question.options
    }
    return tuple(o for o in outcomes if o.model in keep or o.model not in named)
