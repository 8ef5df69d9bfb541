"""An assessment in words and bars, for a terminal; readable without colour and at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cdss.assess import Assessment, Disagreement
from cdss.errors import Problem
from cdss.estimate import Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice
from cdss.i18n import Words, words
from cdss.i18n.contributions import contribution_rows, percentage_points
from cdss.i18n.guidance import (
    advice_text,
    need_text,
    strength_text,
    to_ask,
    who_text,
    within_text,
)
from cdss.jurisdiction import Jurisdiction, Model
from cdss.record import PatientRecord
from cdss.variables import Value

_HALF = 9
"""Cells of the longest bar, on either side of the axis."""


def assessment_report(assessment: Assessment, lang: str) -> Group:
    """
    Explain an assessment to a clinician.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    lang : str
        Language of the words.

    Returns
    -------
    Group
        What is urgent, one line for each question, advice, what to ask or measure, estimates
        explained, refusals with their reasons, what was not used, the notice.
    """
    text = words(lang)
    record = assessment.record
    day = record.index_date.strftime(text("language.date"))
    parts: list[RenderableType] = [Text(text("report.title", date=day), style="bold")]
    urgent = [advice for advice in assessment.advice if advice.rule.topic == "urgent"]
    if urgent:
        parts += ["", Text(text("topic.urgent"), style="bold red")]
        parts.append(_advice_list(urgent, assessment.jurisdiction, text))
    parts += _summary(assessment, text)
    parts += _guidance(assessment, text)
    for outcome in assessment.outcomes:
        if isinstance(outcome, RiskEstimate):
            parts += ["", *_estimate(outcome, record, text)]
        elif isinstance(outcome, RiskRange):
            parts += ["", *_range(outcome, record, text)]
        elif isinstance(outcome, PointsTotal):
            parts += ["", *_points(outcome, text)]
    parts += _disagreements(assessment, text)
    if assessment.not_estimated:
        parts += ["", Text(text("report.not_estimated"), style="bold")]
        for refusal in assessment.not_estimated:
            parts += [_indent(heading(refusal, text)), problem_list(refusal.reasons, text)]
    if record.set_aside:
        parts += ["", Text(text("report.set_aside"), style="bold")]
        parts += [problem_list(record.set_aside, text)]
    parts += ["", *_meaning(assessment, text), Text(text("notice.baseline"))]
    return Group(*parts, Text(text("notice.advisory")))


def problem_list(problems: Iterable[Problem], text: Words) -> Padding:
    """
    List problems, each with the input it is about.

    Parameters
    ----------
    problems : iterable of Problem
        Reasons, warnings, or what a `RecordError` found.
    text : Words
        Words of a language.

    Returns
    -------
    Padding
        One indented line a problem.
    """
    rows = Table.grid(padding=(0, 1))
    for problem in problems:
        # As Text: a name somebody sent must not be read as markup.
        rows.add_row("·", Text(f"{text.label(problem.variable)}: {text.problem(problem)}"))
    return _indent(rows, 4)


def _estimate(estimate: RiskEstimate, record: PatientRecord, text: Words) -> list[RenderableType]:
    p, start = estimate.probability, estimate.baseline_probability
    if estimate.reference:
        average, compared = "report.reference_risk", _reference(estimate.reference, text)
    else:
        average, compared = "report.baseline", text("report.compared")
    average = text(average, frequency=text.frequency(start), percent=text.percent(start))
    parts: list[RenderableType] = [
        heading(estimate, text),
        _indent(Text(f"{_percent(estimate, text)}   {text.frequency(p)}", style="bold")),
        _indent(Text(average)),
        "",
        _indent(Text(compared)),
        _indent(_bars(estimate, record.derived, text)),
    ]
    if estimate.demonstration:
        parts.insert(1, _indent(Text(text("notice.demonstration"), style="bold")))
    if any(c.variable in record.derived for c in estimate.contributions):
        parts.append(_indent(Text(text("report.computed"))))
    if estimate.missing:
        parts.append(
            _indent(Text(text("report.missing", variables=labels(estimate.missing, text))))
        )
    return [*parts, *_foot(estimate, record, text)]


def _percent(estimate: RiskEstimate, text: Words) -> str:
    """Probability, and how sure it is."""
    said = text.percent(estimate.probability)
    return f"{said} {text.interval(estimate.interval)}" if estimate.interval else said


def _meaning(assessment: Assessment, text: Words) -> list[Text]:
    """What the ranges in brackets mean, said once for all that mean the same."""
    claims = {(e.interval.people, e.interval.level) for e in assessment.estimates if e.interval}
    return [
        Text(text("notice.interval", people=people, level=round(100 * level, 1)))
        for people, level in sorted(claims)
    ]


def _range(found: RiskRange, record: PatientRecord, text: Words) -> list[RenderableType]:
    span = text("report.range", low=text.percent(found.low), high=text.percent(found.high))
    narrowed = text("report.narrowed_by", variables=labels(found.narrowed_by, text))
    return [
        heading(found, text),
        _indent(Text(span, style="bold")),
        _indent(Text(narrowed)),
        *_foot(found, record, text),
    ]


def _points(total: PointsTotal, text: Words) -> list[RenderableType]:
    key = "report.points" if total.low == total.high else "report.points_range"
    said = text(key, low=total.low, high=total.high, most=total.most)
    verdict = {True: "positive", False: "negative", None: "perhaps"}[total.positive]
    unknown = labels(total.missing, text)
    params = {"variables": unknown} if total.positive is None else {}
    return [
        heading(total, text),
        _indent(Text(said, style="bold")),
        _indent(Text(text(f"report.{verdict}", cut_off=total.cut_off, **params))),
        problem_list(total.warnings, text),
        _indent(Text(text("report.model", model=total.model, version=total.version))),
    ]


def _foot(
    outcome: RiskEstimate | RiskRange, record: PatientRecord, text: Words
) -> list[RenderableType]:
    """Warnings that are not told elsewhere, and which model answered."""
    told_elsewhere = {"demonstration", *(p.code for p in record.set_aside)}
    warnings = [w for w in outcome.warnings if w.code not in told_elsewhere]
    named = text("report.model", model=outcome.model, version=outcome.version)
    return [problem_list(warnings, text), _indent(Text(named))]


def _reference(reference: Mapping[str, Value], text: Words) -> str:
    values = [f"{text.label(n)} {text.quantity(n, v)}" for n, v in reference.items()]
    return text("report.reference", values="; ".join(values))


def _summary(assessment: Assessment, text: Words) -> list[RenderableType]:
    """One line for each question: the answer, or why there is none."""
    by_id = {outcome.model: outcome for outcome in assessment.outcomes}
    rows = Table.grid(padding=(0, 2))
    for choice in assessment.choices:
        outcome = by_id.get(choice.model or "")
        if outcome is not None:
            name, said = heading(outcome, text).plain, _short(outcome, text)
        elif choice.measured:
            name = text(f"question.{choice.question.id}")
            said = text("report.measured", variables=labels(choice.measured, text))
        else:
            name, said = text(f"question.{choice.question.id}"), text("report.refused")
        rows.add_row(Text(name), Text(said, style="bold"))
    return ["", rows] if assessment.choices else []


def _short(outcome: Outcome, text: Words) -> str:
    if isinstance(outcome, RiskEstimate):
        return _percent(outcome, text)
    if isinstance(outcome, RiskRange):
        return f"{text.percent(outcome.low)} – {text.percent(outcome.high)}"
    if isinstance(outcome, PointsTotal):
        span = f"{outcome.low}–{outcome.high}" if outcome.low < outcome.high else outcome.low
        return text("report.points", low=str(span), most=outcome.most)
    return text("report.refused")


def _disagreements(assessment: Assessment, text: Words) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for found in assessment.disagreements:
        low, high = text.percent(found.low), text.percent(found.high)
        models = ", ".join(found.models)
        said = text("report.disagree", low=low, high=high, models=models)
        parts += ["", heading(found, text), _indent(Text(said))]
    return parts


def _guidance(assessment: Assessment, text: Words) -> list[RenderableType]:
    """Advice by topic, then what would decide more."""
    jurisdiction = assessment.jurisdiction
    if jurisdiction is None:
        return []
    name = jurisdiction.name.get(text.lang, jurisdiction.id)
    parts: list[RenderableType] = ["", Text(text("report.advice", jurisdiction=name), style="bold")]
    told = [advice for advice in assessment.advice if advice.rule.topic != "urgent"]
    if not assessment.advice:
        parts.append(_indent(Text(text("report.no_advice"))))
    for topic, group in groupby(told, key=lambda advice: advice.rule.topic):
        parts.append(_indent(Text(text(f"topic.{topic}"), style="bold")))
        parts.append(_advice_list(list(group), jurisdiction, text))
    questions = to_ask(assessment.undecided)
    if questions:
        parts += ["", Text(text("report.undecided"), style="bold")]
        rows = Table.grid(padding=(0, 1))
        for question in questions:
            said = text(
                "report.undecided_row",
                need=need_text(question.need, text),
                rules=", ".join(question.rules),
            )
            rows.add_row("·", Text(said))
        parts.append(_indent(rows))
    return parts


def _advice_list(
    advice: Iterable[Advice], jurisdiction: Jurisdiction | None, text: Words
) -> Padding:
    rows = Table.grid(padding=(0, 1))
    for each in advice:
        rule = each.rule
        said = Text(advice_text(each, text))
        more = [who_text(rule, jurisdiction, text), within_text(rule, text)]
        if any(more):
            said.append(f" ({'; '.join(part for part in more if part)})")
        source = f"{rule.id} · {rule.guideline}, {rule.source.locator} · "
        said.append(f"\n{source}{strength_text(rule, text)}", style="dim")
        rows.add_row("·", said)
        for name in rule.open:
            what = text(f"open.{rule.guideline}.{name}")
            rows.add_row("", Text(text("report.open", what=what), style="dim"))
    return _indent(rows, 4)


def _bars(estimate: RiskEstimate, derived: frozenset[str], text: Words) -> Table:
    """Largest first; the side of the axis says the direction, pattern and colour only repeat it."""
    rows = contribution_rows(estimate, derived, text)
    scale = max(abs(row.risk_points) for row in rows)
    table = Table.grid(padding=(0, 1))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(no_wrap=True, width=2 * _HALF + 1)
    table.add_column(no_wrap=True, justify="right")
    lower, higher = text("report.lower"), text("report.higher")
    table.add_row("", "", f"{lower.rjust(_HALF)}│{higher}", "")
    for (label, value, points), said in zip(rows, percentage_points(rows, text), strict=True):
        table.add_row(label, value, _bar(points, scale), said)
    return table


def _bar(points: float, scale: float) -> Text:
    cells = max(1, round(_HALF * abs(points) / scale)) if points else 0
    left, right = ("░" * cells, "") if points < 0 else ("", "█" * cells)
    return Text.assemble((left.rjust(_HALF), "blue"), "│", (right, "dark_orange"))


def heading(subject: Outcome | Model | Disagreement, text: Words) -> Text:
    """
    Say what a number is of.

    Parameters
    ----------
    subject : outcome, model or Disagreement
        Has an outcome and a horizon.
    text : Words
        Words of a language.

    Returns
    -------
    Text
        Outcome and horizon.
    """
    outcome, horizon = text.outcome(subject.outcome), text.horizon(subject.horizon_years)
    return Text(f"{outcome}, {horizon}", style="bold")


def labels(names: Iterable[str], text: Words) -> str:
    """
    Name variables.

    Parameters
    ----------
    names : iterable of str
        Variables.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Their labels.
    """
    return ", ".join(text.label(name) for name in names)


def _indent(renderable: RenderableType, by: int = 2) -> Padding:
    return Padding(renderable, (0, 0, 0, by), expand=False)
