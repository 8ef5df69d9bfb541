"""An assessment in words and bars, for a terminal; readable without colour and at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.estimate import Contribution, NoEstimate, RiskEstimate
from cdss.i18n import Words, words
from cdss.record import PatientRecord
from cdss.risk import RiskModel

_HALF = 9
"""Cells of the longest bar, on either side of the axis."""

_MOST = 8
"""Contributions shown one by one."""

_SMALL = 0.05
"""Share of the largest contribution below which one is told with the others."""


def assessment_report(assessment: Assessment, lang: str) -> Group:
    """
    Explain an assessment to a clinician.

    Parameters
    ----------
    assessment : Assessment
        What the models said.
    lang : str
        Language of the words.

    Returns
    -------
    Group
        Estimates in the models' order, refusals with their reasons, what was not used, the notice.
    """
    text = words(lang)
    record = assessment.record
    day = record.index_date.strftime(text("language.date"))
    parts: list[RenderableType] = [Text(text("report.title", date=day), style="bold")]
    for estimate in assessment.estimates:
        parts += ["", *_estimate(estimate, record, text)]
    if assessment.not_estimated:
        parts += ["", Text(text("report.not_estimated"), style="bold")]
        for refusal in assessment.not_estimated:
            parts += [_indent(_heading(refusal, text)), problem_list(refusal.reasons, text)]
    if record.set_aside:
        parts += ["", Text(text("report.set_aside"), style="bold")]
        parts += [problem_list(record.set_aside, text)]
    return Group(*parts, "", Text(text("notice.baseline")), Text(text("notice.advisory")))


def models_report(models: Iterable[RiskModel], lang: str) -> Group:
    """
    List models: what each is for, what it needs, whom it was made from.

    Parameters
    ----------
    models : iterable of RiskModel
        Any models.
    lang : str
        Language of the words; a population is told in the manifest's.

    Returns
    -------
    Group
        One paragraph a model.
    """
    text = words(lang)
    parts: list[RenderableType] = []
    for model in models:
        facts = Table.grid(padding=(0, 2))
        facts.add_row(text("models.required"), _labels(model.inputs, text))
        if model.optional:
            facts.add_row(text("models.optional"), _labels(model.optional, text))
        facts.add_row(text("models.population"), Text(model.population))
        parts += [_heading(model, text), Text(f"{model.id} {model.version}")]
        if model.demonstration:
            parts.append(Text(text("notice.demonstration"), style="bold"))
        parts += [_indent(facts), ""]
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
    average = text("report.baseline", frequency=text.frequency(start), percent=text.percent(start))
    parts: list[RenderableType] = [
        _heading(estimate, text),
        _indent(Text(f"{text.percent(p)}   {text.frequency(p)}", style="bold")),
        _indent(Text(average)),
        "",
        _indent(Text(text("report.compared"))),
        _indent(_bars(estimate.contributions, record.derived, text)),
    ]
    if estimate.demonstration:
        parts.insert(1, _indent(Text(text("notice.demonstration"), style="bold")))
    if any(c.variable in record.derived for c in estimate.contributions):
        parts.append(_indent(Text(text("report.computed"))))
    if estimate.missing:
        parts.append(
            _indent(Text(text("report.missing", variables=_labels(estimate.missing, text))))
        )
    told_elsewhere = {"demonstration", *(p.code for p in record.set_aside)}
    parts.append(problem_list((w for w in estimate.warnings if w.code not in told_elsewhere), text))
    named = text("report.model", model=estimate.model, version=estimate.version)
    return [*parts, _indent(Text(named))]


def _bars(contributions: Sequence[Contribution], derived: frozenset[str], text: Words) -> Table:
    """Largest first; the side of the axis says the direction, pattern and colour only repeat it."""
    known = [
        (
            text.label(c.variable) + " *" * (c.variable in derived),
            text.quantity(c.variable, c.value),
            c.risk_points,
        )
        for c in contributions
        if c.value is not None
    ]
    # One by one they tell how values go missing together, which is nothing about the patient.
    unknown = [c for c in contributions if c.value is None]
    if len(unknown) == 1:
        label = text.label(unknown[0].variable)
        known.append((label, text.quantity(unknown[0].variable, None), unknown[0].risk_points))
    elif unknown:
        total = sum(c.risk_points for c in unknown)
        known.append((text("report.unknown_values", count=len(unknown)), "", total))
    rows = sorted(known, key=lambda row: -abs(row[2]))
    shown = [row for row in rows[:_MOST] if abs(row[2]) >= _SMALL * abs(rows[0][2])]
    if len(shown) < len(rows) - 1:  # a single one needs no collective name
        others = rows[len(shown) :]
        total = sum(points for _, _, points in others)
        rows = [*shown, (text("report.others", count=len(others)), "", total)]
    scale = max(abs(points) for _, _, points in rows)
    decimals = 1 if 100 * scale >= 1 else 2
    table = Table.grid(padding=(0, 1))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(no_wrap=True, width=2 * _HALF + 1)
    table.add_column(no_wrap=True, justify="right")
    lower, higher = text("report.lower"), text("report.higher")
    table.add_row("", "", f"{lower.rjust(_HALF)}│{higher}", "")
    for label, value, points in rows:
        table.add_row(label, value, _bar(points, scale), _signed(100 * points, decimals, text))
    return table


def _bar(points: float, scale: float) -> Text:
    cells = max(1, round(_HALF * abs(points) / scale)) if points else 0
    left, right = ("░" * cells, "") if points < 0 else ("", "█" * cells)
    return Text.assemble((left.rjust(_HALF), "blue"), "│", (right, "dark_orange"))


def _signed(points: float, decimals: int, text: Words) -> str:
    sign = "−" if round(points, decimals) < 0 else "+"
    return sign + text.number(abs(points), decimals)


def _heading(subject: RiskEstimate | NoEstimate | RiskModel, text: Words) -> Text:
    outcome, horizon = text.outcome(subject.outcome), text.horizon(subject.horizon_years)
    return Text(f"{outcome}, {horizon}", style="bold")


def _labels(names: Iterable[str], text: Words) -> str:
    return ", ".join(text.label(name) for name in names)


def _indent(renderable: RenderableType, by: int = 2) -> Padding:
    return Padding(renderable, (0, 0, 0, by), expand=False)
