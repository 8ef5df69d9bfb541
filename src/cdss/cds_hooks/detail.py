"""What a card says in full, as GitHub Flavored Markdown without HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cdss.cds_hooks.findings import Answer, Finding, Section
from cdss.cds_hooks.summary import flag, said_short
from cdss.errors import Problem
from cdss.estimate import Outcome, PointsTotal, RiskEstimate
from cdss.fhir.rationale import about, counted, spanned
from cdss.guideline import Advice
from cdss.i18n import Words
from cdss.i18n.contributions import contribution_rows, percentage_points
from cdss.i18n.guidance import advice_text, need_text, strength_text, who_text, within_text
from cdss.jurisdiction import Jurisdiction
from cdss.record import PatientRecord

_BAR = 10
"""Cells of the longest bar."""

_MOST_UNUSED = 10
"""Data not used that are told one by one."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")


def section_detail(
    section: Section,
    record: PatientRecord,
    place: Jurisdiction | None,
    unused: Sequence[Problem],
    text: Words,
) -> str:
    """
    Tell everything about a disease.

    Parameters
    ----------
    section : Section
        What the card tells.
    record : PatientRecord
        What was known.
    place : Jurisdiction or None
        Whose rules are in force.
    unused : sequence of Problem
        What of the data was not used, and why.
    text : Words
        Words of a language.

    Returns
    -------
    str
        The numbers, advice with its sources, what to ask or measure, each number explained, what
        was not estimated or used and why, and what all of it is not.
    """
    answers = section.answers
    lines = [f"- {_headline(answer, text)}" for answer in answers]
    lines += advice_lines(section.advice, place, text)
    if section.questions:
        lines += _titled(text("report.undecided"))
        lines += [
            f"- {escaped(need_text(q.need, text))} ({', '.join(q.rules)})"
            for q in section.questions
        ]
    for finding in section.findings:
        if finding.answer is not None:
            lines += _explained(finding, finding.answer, record, text)
    for found in section.disagreements:
        low, high = text.percent(found.low), text.percent(found.high)
        said = text("report.disagree", low=low, high=high, models=", ".join(found.models))
        lines += ["", f"**{escaped(_heading(found.outcome, found.horizon_years, text))}** "
                      f"{escaped(said)}"]  # fmt: skip
    lines += _not_estimated(section.findings, text)
    lines += not_used(unused, text)
    claims = {(a.interval.people, a.interval.level) for a in answers
              if isinstance(a, RiskEstimate) and a.interval}  # fmt: skip
    notices = [
        text("notice.interval", people=people, level=round(100 * level, 1))
        for people, level in sorted(claims)
    ]
    if any(isinstance(a, RiskEstimate) for a in answers):
        notices.append(text("notice.baseline"))
    return "\n".join([*lines, *(line for n in notices for line in ("", escaped(n))), *notice(text)])


def notice(text: Words) -> list[str]:
    """
    Say what this is not.

    Parameters
    ----------
    text : Words
        Words of a language.

    Returns
    -------
    list of str
        Lines.
    """
    return ["", f"*{escaped(text('notice.advisory'))}*"]


def advice_lines(advice: Iterable[Advice], place: Jurisdiction | None, text: Words) -> list[str]:
    """
    List advice, each with its source.

    Parameters
    ----------
    advice : iterable of Advice
        Rules that hold.
    place : Jurisdiction or None
        Whose rules they are.
    text : Words
        Words of a language.

    Returns
    -------
    list of str
        Lines; none if there is no advice.
    """
    listed = []
    for each in advice:
        rule = each.rule
        more = [m for m in (who_text(rule, place, text), within_text(rule, text)) if m]
        said = escaped(advice_text(each, text)) + (f" ({escaped('; '.join(more))})" if more else "")
        cited = f"{rule.source.citation}, {rule.source.locator}"
        linked = f"[{escaped(cited)}]({rule.source.url})" if rule.source.url else escaped(cited)
        listed.append(f"- {said}  ")
        strength = f" · {escaped(strength_text(rule, text))}" if rule.strength else ""
        listed.append(f"  {rule.id} · {linked}{strength}")
        for name in rule.open:
            what = text(f"open.{rule.guideline}.{name}")
            listed.append(f"  - {escaped(text('report.open', what=what))}")
    if not listed:
        return []
    name = place.name.get(text.lang, place.id) if place else ""
    return [*_titled(text("report.advice", jurisdiction=name)), *listed]


def not_used(unused: Sequence[Problem], text: Words) -> list[str]:
    """
    Say what of the data was not used, and why.

    Parameters
    ----------
    unused : sequence of Problem
        With their places.
    text : Words
        Words of a language.

    Returns
    -------
    list of str
        Lines, the first few problems and how many more there are; none if there is none.
    """
    if not unused:
        return []
    lines = _titled(text("report.set_aside"))
    for problem in unused[:_MOST_UNUSED]:
        at = problem.params.get("at")
        where = f" ({escaped(str(at))})" if at else ""
        lines.append(f"- {escaped(about(problem, text))}{where}")
    if more := len(unused) - _MOST_UNUSED:
        lines += [f"- {text('hooks.more', count=more)}"] if more > 0 else []
    return lines


def escaped(said: str) -> str:
    """
    Make a text mean itself in Markdown.

    Parameters
    ----------
    said : str
        Any text.

    Returns
    -------
    str
        On one line, with a backslash before what Markdown would read as markup.
    """
    return _SPECIAL.sub(r"\\\1", " ".join(said.split()))


def _titled(title: str) -> list[str]:
    return ["", f"#### {escaped(title)}", ""]


def _heading(outcome: str, horizon: float | None, text: Words) -> str:
    return f"{text.outcome(outcome)}, {text.horizon(horizon)}"


def _headline(answer: Answer, text: Words) -> str:
    """One line for an answer, as in the summary but never left out."""
    said = f"{escaped(_heading(answer.outcome, answer.horizon_years, text))}: "
    said += f"**{escaped(said_short(answer, text))}**"
    marked = flag(answer, text)
    return f"{said} · **{escaped(marked)}**" if marked else said


def _explained(
    finding: Finding, answer: Answer, record: PatientRecord, text: Words
) -> Iterator[str]:
    """How an answer came about."""
    yield from _titled(_heading(answer.outcome, answer.horizon_years, text))
    if isinstance(answer, RiskEstimate):
        yield from _bars(answer, record, text)
    else:
        said = counted(answer, text) if isinstance(answer, PointsTotal) else spanned(answer, text)
        yield from (escaped(line) for line in said.split("\n"))
    yield ""
    for warning in _telling(answer, record):
        yield f"- {escaped(about(warning, text))}"
    model = text("report.model", model=answer.model, version=answer.version)
    yield f"- {escaped(model)}"
    if finding.beside:
        others = [f"{other.model}: {said_short(other, text)}" for other in finding.beside]
        yield f"- {escaped(text('report.beside', models='; '.join(others)))}"


def _telling(answer: Answer, record: PatientRecord) -> list[Problem]:
    """Warnings; what was set aside is told once for all."""
    told_elsewhere = {problem.code for problem in record.set_aside}
    return [warning for warning in answer.warnings if warning.code not in told_elsewhere]


def _bars(estimate: RiskEstimate, record: PatientRecord, text: Words) -> Iterator[str]:
    """The number, what it is compared with, and a table of what each input adds."""
    p, start = estimate.probability, estimate.baseline_probability
    yield f"**{escaped(said_short(estimate, text))}**, {escaped(text.frequency(p))}"
    average, compared = "report.baseline", text("report.compared")
    if estimate.reference:
        known = (f"{text.label(n)} {text.quantity(n, v)}" for n, v in estimate.reference.items())
        average = "report.reference_risk"
        compared = text("report.reference", values="; ".join(known))
    baseline = text(average, frequency=text.frequency(start), percent=text.percent(start))
    yield from ("", escaped(baseline), "", escaped(compared), "")
    columns = [text(f"hooks.column.{name}") for name in ("input", "value", "adds")]
    yield f"| {' | '.join(map(escaped, columns))} | |"
    yield "|---|---|---:|---|"
    rows = contribution_rows(estimate, record.derived, text)
    scale = max((abs(row.risk_points) for row in rows), default=0.0)
    for row, points in zip(rows, percentage_points(rows, text), strict=True):
        cells = max(1, round(_BAR * abs(row.risk_points) / scale)) if row.risk_points else 0
        bar = ("░" if row.risk_points < 0 else "█") * cells
        yield f"| {escaped(row.label)} | {escaped(row.value)} | {points} | {bar} |"
    yield from ("", f"█ {escaped(text('report.higher'))}, ░ {escaped(text('report.lower'))}")
    if any(c.variable in record.derived for c in estimate.contributions):
        yield from ("", escaped(text("report.computed")))
    if estimate.missing:
        unknown = ", ".join(text.label(name) for name in estimate.missing)
        yield from ("", escaped(text("report.missing", variables=unknown)))


def _not_estimated(findings: Iterable[Finding], text: Words) -> list[str]:
    """Questions without an answer: measured itself, or refused for reasons."""
    lines = []
    for finding in findings:
        if finding.measured:
            labels = ", ".join(text.label(name) for name in finding.measured)
            asked = text(f"question.{finding.question}")
            lines.append(
                f"- {escaped(asked)}: {escaped(text('report.measured', variables=labels))}"
            )
        for refusal in finding.refusals:
            lines.append(f"- {escaped(_refused(refusal, text))}")
            lines += [f"  - {escaped(about(reason, text))}" for reason in refusal.reasons]
    return [*_titled(text("report.not_estimated")), *lines] if lines else []


def _refused(refusal: Outcome, text: Words) -> str:
    return f"{_heading(refusal.outcome, refusal.horizon_years, text)} ({refusal.model})"
