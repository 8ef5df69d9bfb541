"""One model's answer as the page shows it: the number, its line, why, how sure, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from markupsafe import Markup

from cdss import Assessment, Model
from cdss.cds_hooks.findings import Answer, Finding
from cdss.cds_hooks.summary import flag
from cdss.estimate import PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.rationale import about
from cdss.i18n import Words
from cdss.i18n.models import licence, population, vietnam
from serving.page.bands import Band, band_of, bands_of, cut
from serving.page.brief import Brief, brief
from serving.page.drawing import Line, number_line
from serving.page.missing import Unknown, said, unknown
from serving.page.reasons import Group, reasons


class Item(NamedTuple):
    """What one item of a points score counts."""

    label: str
    value: str
    points: str


class Facts(NamedTuple):
    """What is known of a model."""

    model: str
    version: str
    population: str
    vietnam: str
    licence: str
    sources: tuple[str, ...]


class Shown(NamedTuple):
    """
    An answer.

    Attributes
    ----------
    question, title : str
        Its id, or that of the model, and what was asked.
    when : str
        Within how long.
    big, small : str
        The number of people, or points; and the same in percent with how sure it is.
    brief : tuple of Brief
        Compared with whom, why, what other models say, and what is missing.
    flags : tuple of str
        What forbids or limits its use, in two or three words each.
    interval : bool
        The picture shows how sure it is.
    band : Band or None
        In which it lies.
    spans : str
        Of a range, the bands over which it reaches.
    bands : tuple of Band
        All there are.
    picture : Markup
        The number on a line.
    rows : tuple of (str, str)
        What the picture shows.
    compared : str
        With whom the patient is compared, and what that risk is.
    verdict : str
        What the points mean.
    reasons : tuple of Group
        Why.
    computed : bool
        Some of the values were computed from others.
    items : tuple of Item
        Of a points score.
    missing : str
        What is unknown, in words; empty if nothing is.
    unknown : tuple of Unknown
        What knowing more would do.
    others : tuple of (str, str)
        Other models of the same question, and what they say.
    warnings : tuple of str
        What else the reader must know.
    facts : Facts
        Of the model.
    """

    question: str
    title: str
    when: str
    big: str
    small: str
    brief: tuple[Brief, ...]
    flags: tuple[str, ...]
    interval: bool
    band: Band | None
    spans: str
    bands: tuple[Band, ...]
    picture: Markup
    rows: tuple[tuple[str, str], ...]
    compared: str
    verdict: str
    reasons: tuple[Group, ...]
    computed: bool
    items: tuple[Item, ...]
    missing: str
    unknown: tuple[Unknown, ...]
    others: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    facts: Facts


class _Said(NamedTuple):
    """What differs between kinds of answers."""

    big: str
    small: str
    line: Line
    rows: tuple[tuple[str, str], ...]
    compared: str = ""
    verdict: str = ""


def shown(
    finding: Finding, assessment: Assessment, models: Mapping[str, Model], text: Words
) -> Shown:
    """
    Put an answer into words and pictures.

    Parameters
    ----------
    finding : Finding
        With an answer.
    assessment : Assessment
        It is part of.
    models : mapping of str to Model
        Those asked, by id.
    text : Words
        Words of a language.

    Returns
    -------
    Shown
        What the page shows.
    """
    answer = finding.answer
    assert answer is not None
    record, model = assessment.record, models[answer.model]
    title = (
        text(f"question.{finding.question}") if finding.question else text.outcome(answer.outcome)
    )
    bands = bands_of(finding.question, assessment.jurisdiction, text)
    others = tuple((other.model, _beside(other, bands, text)) for other in finding.beside)
    told, band, top = _said(answer, finding, text), None, None
    if isinstance(answer, PointsTotal):
        bands, top = cut(answer, text), float(answer.most)
    elif isinstance(answer, RiskEstimate):
        band = band_of(answer.probability, bands)
    rows = told.rows + others
    when = text.horizon(answer.horizon_years)
    spoken = f"{title}, {when}: " + "; ".join(f"{name}: {value}" for name, value in rows)
    estimate = answer if isinstance(answer, RiskEstimate) else None
    why = reasons(estimate, record.derived, text) if estimate else ()
    lacking = unknown(model, record, answer, text)
    return Shown(
        finding.question or answer.model,
        title,
        when,
        told.big,
        told.small,
        brief(answer, rows, why, lacking, others, text),
        (*(f for f in (flag(answer, text),) if f), text("page.not_validated")),
        told.line.interval is not None,
        band,
        _spans(answer, bands) if isinstance(answer, RiskRange) else "",
        () if isinstance(answer, PointsTotal) else bands,
        number_line(told.line, bands, spoken, _points if top else _axis(text), top),
        rows,
        told.compared,
        told.verdict,
        why,
        any(c.variable in record.derived for c in estimate.contributions) if estimate else False,
        _items(answer, text) if isinstance(answer, PointsTotal) else (),
        _missing(answer, text),
        lacking,
        others,
        tuple(about(w, text) for w in answer.warnings if w not in record.set_aside),
        Facts(
            model.id, model.version, population(model, text), vietnam(model, text),
            licence(model, text), tuple(f"{s.citation}, {s.locator}" for s in model.sources),
        ),
    )  # fmt: skip


def _spans(answer: RiskRange, bands: tuple[Band, ...]) -> str:
    reached = [b for b in bands if b.low <= answer.high and (answer.low < b.high or b.high == 1)]
    return " / ".join(b.label for b in reached)


def _beside(other: Answer, bands: tuple[Band, ...], text: Words) -> str:
    """What another model says; it may lie in another band."""
    band = band_of(other.probability, bands) if isinstance(other, RiskEstimate) else None
    return f"{said(other, text)} ({band.label})" if band else said(other, text)


def _said(answer: Answer, finding: Finding, text: Words) -> _Said:
    if isinstance(answer, RiskEstimate):
        others = [o.probability for o in finding.beside if isinstance(o, RiskEstimate)]
        return _estimate(answer, tuple(others), text)
    if isinstance(answer, RiskRange):
        span = said(answer, text)
        line = Line(span, answer.low, answer.high)
        return _Said(span, text("page.depends"), line, ((text("page.patient"), span),))
    span = said(answer, text)
    verdict = {True: "positive", False: "negative", None: "perhaps"}[answer.positive]
    params = {"variables": _labels(answer.missing, text)} if answer.positive is None else {}
    rows = (
        (text("page.patient"), span),
        (text("page.cut_off"), text("page.points", points=answer.cut_off)),
        (text("page.most"), text("page.points", points=answer.most)),
    )
    return _Said(
        span,
        text("page.of_points", most=answer.most),
        Line(span, answer.low, answer.high),
        rows,
        verdict=text(f"report.{verdict}", cut_off=answer.cut_off, **params),
    )


def _estimate(answer: RiskEstimate, others: tuple[float, ...], text: Words) -> _Said:
    p, start = answer.probability, answer.baseline_probability
    whom = "page.reference" if answer.reference else "page.average"
    rows = [(text("page.patient"), text.percent(p)), (text(whom), text.percent(start))]
    small, interval = text.percent(p), None
    if answer.interval:
        interval = (answer.interval.low, answer.interval.high)
        span = text("page.from_to", low=text.percent(interval[0]), high=text.percent(interval[1]))
        rows.append((text("page.interval"), span))
        small = text("page.percent_interval", percent=small, interval=span)
    compared = text(
        "page.compared_reference" if answer.reference else "page.compared",
        frequency=text.frequency(start),
        percent=text.percent(start),
        **(
            {"values": "; ".join(f"{text.label(n)} {text.quantity(n, v)}"
                                 for n, v in answer.reference.items())}
            if answer.reference
            else {}
        ),
    )  # fmt: skip
    line = Line(text.percent(p), p, p, interval, start, others)
    return _Said(text.frequency(p), small, line, tuple(rows), compared)


def _axis(text: Words) -> Callable[[float], str]:
    """What writes a probability below an axis, without decimals that are not needed."""
    return lambda value: text("frequency.percent", number=text.number(round(100 * value, 1)))


def _points(value: float) -> str:
    return f"{value:g}"


def _items(answer: PointsTotal, text: Words) -> tuple[Item, ...]:
    return tuple(
        Item(
            text.label(item.variable),
            text.quantity(item.variable, item.value),
            f"{item.low}" if item.low == item.high else f"{item.low}–{item.high}",
        )
        for item in sorted(answer.items, key=lambda item: -item.high)
    )


def _missing(answer: Answer, text: Words) -> str:
    if isinstance(answer, RiskRange):
        return text("report.narrowed_by", variables=_labels(answer.narrowed_by, text))
    if not answer.missing:
        return ""
    if isinstance(answer, PointsTotal):
        if answer.positive is None:
            return ""  # the verdict names them
        return text("report.narrowed_by", variables=_labels(answer.missing, text))
    return text("report.missing", variables=_labels(answer.missing, text))


def _labels(names: tuple[str, ...], text: Words) -> str:
    return ", ".join(text.label(name) for name in names)
