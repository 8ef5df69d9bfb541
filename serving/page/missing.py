"""What is unknown, and what knowing it would do to an estimate: asked of the same model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from cdss.derived import derive
from cdss.estimate import Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.i18n import Words
from cdss.jurisdiction import Model
from cdss.plausible import contradictions, implausible_derived
from cdss.record import PatientRecord
from cdss.risk import RiskModel
from cdss.variables import VARIABLES, Value

MOST = 4
"""Unknown inputs told one by one."""


class Unknown(NamedTuple):
    """
    An unknown input.

    Attributes
    ----------
    name, label : str
        The variable.
    cases : tuple of (str, str)
        If it is so, the answer would be that.
    """

    name: str
    label: str
    cases: tuple[tuple[str, str], ...]


def unknown(
    model: Model, record: PatientRecord, outcome: Outcome, text: Words
) -> tuple[Unknown, ...]:
    """
    Say what knowing more would do.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Which answered.
    record : PatientRecord
        Of whom.
    outcome : outcome
        What it answered.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Unknown
        What matters most first. A quantity is tried at both ends of where 99 in 100 of the people
        lie whom the model was made from; of one whose ends are not known nothing is said.
    """
    names: Sequence[str] = ()
    if isinstance(outcome, RiskRange):
        names = outcome.narrowed_by
    elif isinstance(outcome, RiskEstimate | PointsTotal):
        names = outcome.missing
    tried = [
        (name, value, person)
        for name in names
        for value in _values(model, name)
        if (person := _with(record, name, value)) is not None
    ]
    answers = model.estimate_all([person for _, _, person in tried])
    found: dict[str, list[tuple[Value, Outcome]]] = {}
    for (name, value, _), answer in zip(tried, answers, strict=True):
        if _ends(answer) is not None:
            found.setdefault(name, []).append((value, answer))
    ordered = sorted(found, key=lambda name: -_reach(answer for _, answer in found[name]))
    return tuple(
        Unknown(
            name,
            text.label(name),
            tuple((text.quantity(name, value), said(answer, text)) for value, answer in cases),
        )
        for name in ordered[:MOST]
        if len(cases := found[name]) > 1
    )


def _values(model: Model, name: str) -> tuple[Value, ...]:
    variable = VARIABLES[name]
    if variable.kind != "quantity":
        return variable.options
    people = model.validity.population if isinstance(model, RiskModel) and model.validity else None
    if people is None or name not in people.names:
        return ()
    ends = people.quantiles[people.names.index(name)]
    return float(ends[0]), float(ends[-1])


def _with(record: PatientRecord, name: str, value: Value) -> PatientRecord | None:
    """The same patient if that were known; None if it contradicts what is known."""
    recorded = {n: v for n, v in record.values.items() if n not in record.derived} | {name: value}
    computed = derive(recorded)
    if contradictions(recorded) or implausible_derived(computed):
        return None
    return replace(record, values=recorded | computed, derived=frozenset(computed))


def _ends(outcome: Outcome) -> tuple[float, float] | None:
    if isinstance(outcome, RiskEstimate):
        return outcome.probability, outcome.probability
    if isinstance(outcome, RiskRange | PointsTotal):
        return outcome.low, outcome.high
    return None


def _reach(answers: Iterable[Outcome]) -> float:
    """How far apart the answers are."""
    ends = [ends for answer in answers if (ends := _ends(answer))]
    return max(
        abs(a - b) for one in ends for other in ends for a, b in zip(one, other, strict=True)
    )


def said(outcome: Outcome, text: Words) -> str:
    """
    Say an answer in short.

    Parameters
    ----------
    outcome : outcome
        Any but a refusal.
    text : Words
        Words of a language.

    Returns
    -------
    str
        A number, or a range.
    """
    if isinstance(outcome, RiskEstimate):
        return text.percent(outcome.probability)
    if isinstance(outcome, RiskRange):
        return text("page.from_to", low=text.percent(outcome.low), high=text.percent(outcome.high))
    assert isinstance(outcome, PointsTotal)
    if outcome.low == outcome.high:
        return text("page.points", points=outcome.low)
    return text("page.points_span", low=outcome.low, high=outcome.high)
