"""An assessment as the page shows it: what is urgent, everything at a glance, a panel a disease."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cdss import Assessment, Model
from cdss.cds_hooks.findings import Section, sections, urgent
from cdss.estimate import NoEstimate
from cdss.fhir.rationale import about
from cdss.guideline import TOPICS, Advice
from cdss.i18n import Words
from cdss.i18n.guidance import (
    Question,
    advice_text,
    cited,
    need_text,
    strength_text,
    to_ask,
    who_text,
    within_text,
)
from cdss.jurisdiction import Jurisdiction
from serving.page.answers import Shown, shown
from serving.page.facts import FACTS

MOST_FIRST = 3
"""Pieces of advice told first where none is to be done soon."""

_TOPICS = ("treatment", "referral", *(t for t in TOPICS if t not in ("treatment", "referral")))


class Told(NamedTuple):
    """
    A piece of advice.

    Attributes
    ----------
    rule, topic, said : str
        Its id, what it is about, and its sentence.
    who_when : str
        Who acts, and how soon; empty where the source does not say.
    source, url : str
        Document and page; the address may be empty.
    strength : str
        As printed.
    open : tuple of str
        What the source leaves open.
    now : bool
        To be done first: urgent, a rule for which a card warns, or one whose source says soon.
    """

    rule: str
    topic: str
    said: str
    who_when: str
    source: str
    url: str
    strength: str
    open: tuple[str, ...]
    now: bool


class Ask(NamedTuple):
    """Something to ask or measure: the variable, what it is called, which rules need it."""

    name: str
    label: str
    rules: tuple[str, ...]


class Refused(NamedTuple):
    """A question without an answer, and why."""

    title: str
    model: str
    reasons: tuple[str, ...]


class Panel(NamedTuple):
    """
    What there is to say about a disease.

    Attributes
    ----------
    id, title : str
        The disease.
    warns : bool
        A rule holds whose source says to diagnose, treat or refer.
    answers : tuple of Shown
        Of the models.
    measured : tuple of (str, str)
        Questions that a measurement answers, and which.
    advice : tuple of Told
        What the guidelines say, what is to be done first first.
    ask : tuple of Ask
        What would decide more.
    refused : tuple of Refused
        What is not estimated.
    disagreements : tuple of str
        Where models differ, in words.
    """

    id: str
    title: str
    warns: bool
    answers: tuple[Shown, ...]
    measured: tuple[tuple[str, str], ...]
    advice: tuple[Told, ...]
    ask: tuple[Ask, ...]
    refused: tuple[Refused, ...]
    disagreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """
    All there is to show.

    Parameters
    ----------
    urgent : tuple of Told
        Before everything else.
    first : tuple of Told
        What else is to be done first.
    panels : tuple of Panel
        What warns first.
    ask : tuple of Ask
        What would decide rules about diseases of which there is nothing else to say.
    set_aside : tuple of str
        What was sent and not used.
    meaning : tuple of str
        What the intervals mean, and what contributions are.
    """

    urgent: tuple[Told, ...]
    first: tuple[Told, ...]
    panels: tuple[Panel, ...]
    ask: tuple[Ask, ...]
    set_aside: tuple[str, ...]
    meaning: tuple[str, ...]


def results(assessment: Assessment, models: Iterable[Model], text: Words) -> Results:
    """
    Put an assessment into words and pictures.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    models : iterable of RiskModel or PointsScore
        Those asked.
    text : Words
        Words of a language.

    Returns
    -------
    Results
        What the page shows.
    """
    by_id = {model.id: model for model in models}
    place = assessment.jurisdiction
    panels = tuple(
        _panel(section, assessment, by_id, text)
        for section in sections(assessment, by_id.values(), None)
    )
    asked = {rule for panel in panels for ask in panel.ask for rule in ask.rules}
    every = [each for panel in panels for each in panel.advice]
    # Where no source asks for haste, what it says of drugs and referral comes before salt.
    known = sorted(every, key=lambda each: _TOPICS.index(each.topic))
    first = tuple(t for t in every if t.now) or tuple(t for t in known if _to_do(t))[:MOST_FIRST]
    claims = {(e.interval.people, e.interval.level) for e in assessment.estimates if e.interval}
    meaning = [
        text("notice.interval", people=people, level=round(100 * level, 1))
        for people, level in sorted(claims)
    ]
    if assessment.estimates:
        meaning.append(text("notice.baseline"))
    return Results(
        tuple(told(advice, place, text, now=True) for advice in urgent(assessment)),
        first,
        panels,
        _asks(to_ask(u for u in assessment.undecided if u.rule.id not in asked), text),
        tuple(about(problem, text) for problem in assessment.record.set_aside),
        tuple(meaning),
    )


def _to_do(told: Told) -> bool:
    """Whether a piece of advice says to do something that the page does not say elsewhere."""
    facts = FACTS["first_within"]
    return told.topic not in facts["not"] and told.rule not in facts["names"]


def told(advice: Advice, place: Jurisdiction | None, text: Words, *, now: bool) -> Told:
    """
    Put a piece of advice into words.

    Parameters
    ----------
    advice : Advice
        A rule that holds.
    place : Jurisdiction or None
        Whose names of levels of care are used.
    text : Words
        Words of a language.
    now : bool
        Whether it is to be done first.

    Returns
    -------
    Told
        With its source.
    """
    rule = advice.rule
    more = [m for m in (who_text(rule, place, text), within_text(rule, text)) if m]
    return Told(
        rule.id,
        rule.topic,
        advice_text(advice, text),
        "; ".join(more),
        cited(rule.source),
        rule.source.url if rule.source.url.startswith(("https://", "http://")) else "",
        strength_text(rule, text),
        tuple(text(f"open.{rule.guideline}.{name}") for name in rule.open),
        now,
    )


def _panel(
    section: Section, assessment: Assessment, models: Mapping[str, Model], text: Words
) -> Panel:
    disease = section.disease.id
    first = {advice.rule.id for advice in section.warnings}
    advice = [
        told(
            each,
            assessment.jurisdiction,
            text,
            now=each.rule.id in first or each.rule.within in FACTS["first_within"]["times"],
        )
        for each in section.advice
    ]
    refusals = [(f.question, refusal) for f in section.findings for refusal in f.refusals]
    return Panel(
        disease,
        text(f"disease.{disease}"),
        section.indicator == "warning",
        tuple(
            shown(finding, assessment, models, text)
            for finding in section.findings
            if finding.answer is not None
        ),
        tuple(
            (text(f"question.{f.question}"), ", ".join(text.label(n) for n in f.measured))
            for f in section.findings
            if f.measured
        ),
        tuple(sorted(advice, key=lambda each: not each.now)),
        _asks(section.questions, text),
        tuple(_refused(question, refusal, text) for question, refusal in refusals),
        tuple(
            text(
                "report.disagree",
                low=text.percent(found.low),
                high=text.percent(found.high),
                models=", ".join(found.models),
            )
            for found in section.disagreements
        ),
    )


def _asks(questions: Iterable[Question], text: Words) -> tuple[Ask, ...]:
    return tuple(Ask(q.need.variable, need_text(q.need, text), q.rules) for q in questions)


def _refused(question: str | None, refusal: NoEstimate, text: Words) -> Refused:
    title = text(f"question.{question}") if question else text.outcome(refusal.outcome)
    reasons = tuple(about(problem, text) for problem in refusal.reasons)
    return Refused(title, refusal.model, reasons)
