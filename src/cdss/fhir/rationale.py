"""What a FHIR answer says in words: the estimate explained, warnings, advice."""

from __future__ import annotations

from collections.abc import Iterable

from cdss.errors import Problem
from cdss.estimate import Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.context import Context
from cdss.fhir.parts import CODES, Resource, filled
from cdss.guideline import Advice
from cdss.i18n import Words
from cdss.i18n.contributions import contribution_rows, percentage_points
from cdss.i18n.models import vietnam

_MITIGATION = {
    outcome: tuple(row["rules"]) for row in CODES["mitigation"] for outcome in row["outcomes"]
}


def explained(estimate: RiskEstimate, context: Context) -> str:
    """
    Explain an estimate: how likely, how sure, compared with whom, what adds how much.

    Parameters
    ----------
    estimate : RiskEstimate
        A model's answer.
    context : Context
        Of this answer.

    Returns
    -------
    str
        Some lines.
    """
    text, p, start = context.text, estimate.probability, estimate.baseline_probability
    sure = f" {text.interval(estimate.interval)}" if estimate.interval else ""
    average, compared = "report.baseline", text("report.compared")
    if estimate.reference:
        known = (f"{text.label(n)} {text.quantity(n, v)}" for n, v in estimate.reference.items())
        average, compared = (
            "report.reference_risk",
            text("report.reference", values=", ".join(known)),
        )
    lines = [
        f"{text.percent(p)}{sure}, {text.frequency(p)}",
        text(average, frequency=text.frequency(start), percent=text.percent(start)),
        compared,
    ]
    rows = contribution_rows(estimate, context.record.derived, text)
    for row, points in zip(rows, percentage_points(rows, text), strict=True):
        lines.append(f"- {row.label}{f', {row.value}' if row.value else ''}: {points}")
    if any(c.variable in context.record.derived for c in estimate.contributions):
        lines.append(text("report.computed"))
    if estimate.missing:
        lines.append(text("report.missing", variables=_labels(estimate.missing, text)))
    return "\n".join([*lines, text("notice.baseline")])


def spanned(found: RiskRange, text: Words) -> str:
    """
    Explain a range.

    Parameters
    ----------
    found : RiskRange
        A model's answer.
    text : Words
        Words of a language.

    Returns
    -------
    str
        From where to where, and what would narrow it.
    """
    ends = {"low": text.percent(found.low), "high": text.percent(found.high)}
    asked = text("report.narrowed_by", variables=_labels(found.narrowed_by, text))
    return f"{text('report.range', **ends)}\n{asked}"


def counted(total: PointsTotal, text: Words) -> str:
    """
    Explain a points score.

    Parameters
    ----------
    total : PointsTotal
        A score's answer.
    text : Words
        Words of a language.

    Returns
    -------
    str
        How many of how many points, and what that means.
    """
    if total.low == total.high:
        said = text("report.points", low=total.low, most=total.most)
    else:
        said = text("report.points_range", low=total.low, high=total.high, most=total.most)
    key = {True: "positive", False: "negative", None: "perhaps"}[total.positive]
    more = {} if total.positive is not None else {"variables": _labels(total.missing, text)}
    return f"{said}; {text(f'report.{key}', cut_off=total.cut_off, **more)}"


def about(problem: Problem, text: Words) -> str:
    """
    Say a problem with what it is about.

    Parameters
    ----------
    problem : Problem
        Any; one without words in the language is said in English.
    text : Words
        Words of a language.

    Returns
    -------
    str
        One sentence.
    """
    known = f"problem.{problem.code}" in text.texts
    said = text.problem(problem) if known else problem.detail
    return f"{text.label(problem.variable)}: {said}"


def notes(outcome: Outcome, warnings: Iterable[Problem], context: Context) -> list[Resource]:
    """
    Say what a reader must know besides the number.

    Parameters
    ----------
    outcome : outcome
        What a model said.
    warnings : iterable of Problem
        Its warnings.
    context : Context
        Of this answer.

    Returns
    -------
    list of dict
        Annotations: what this is not, warnings, whose answer it stands beside, other models.
    """
    text = context.text
    said = [text("notice.advisory"), *(about(problem, text) for problem in warnings)]
    said.append(vietnam(context.models[outcome.model], text))
    if isinstance(outcome, RiskEstimate) and outcome.interval:
        level, people = round(100 * outcome.interval.level), outcome.interval.people
        said.append(text("notice.interval", level=level, people=people))
    if choice := context.answered(outcome.model):
        said.append(text(f"why.{choice.question.why}"))
    for choice in context.assessment.choices:
        if choice.model and outcome.model in choice.beside:
            said.append(text("fhir.beside", model=choice.model))
    for each in context.disagreements:
        if outcome.model in each.models:
            ends = {"low": text.percent(each.low), "high": text.percent(each.high)}
            said.append(text("report.disagree", models=", ".join(each.models), **ends))
    return [{"text": each} for each in dict.fromkeys(said)]


def mitigation(outcome: Outcome, context: Context) -> str:
    """
    Say what the guidelines advise about a risk.

    Parameters
    ----------
    outcome : outcome
        What a model said.
    context : Context
        Of this answer.

    Returns
    -------
    str
        A line for each rule that holds and is about it; empty if there is none.
    """
    wanted = _MITIGATION.get(outcome.outcome, ())
    return "\n".join(
        f"- {said} ({rule})" for rule, said in context.advice.items() if rule.startswith(wanted)
    )


def band(outcome: Outcome, context: Context) -> Resource | None:
    """
    Say in which band of the guideline in force a risk lies.

    Parameters
    ----------
    outcome : outcome
        What a model said.
    context : Context
        Of this answer.

    Returns
    -------
    dict or None
        CodeableConcept; only of the answer that the guideline's rule asked for, and with a code of
        HL7 only if the guideline says the same in words.
    """
    place, choice = context.assessment.jurisdiction, context.answered(outcome.model)
    if place is None or choice is None or place.risks.get("cardiovascular") != choice.question.id:
        return None
    named = next((b for a in context.assessment.advice if (b := _band_of(a))), None)
    if named is None:
        return None
    codings = [{"system": CODES["system"]["band"], "code": named.partition(".")[2]}]
    if named in CODES["qualitative"]:
        codings.append({"system": _HL7_RISK, "code": CODES["qualitative"][named]})
    return filled(coding=codings, text=context.text(named))


def _band_of(advice: Advice) -> str | None:
    named = advice.params.get("band")
    return named if isinstance(named, str) else None


_HL7_RISK = "http://terminology.hl7.org/CodeSystem/risk-probability"


def _labels(names: Iterable[str], text: Words) -> str:
    return ", ".join(text.label(name) for name in names)
