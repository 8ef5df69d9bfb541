"""
What a card says at a glance: under 140 characters by construction.

A summary is put together from whole pieces. What does not fit is left out as a whole, from the end,
and the summary says that there is more; nothing is cut, and the first number always stays. Words
and numbers are short enough for that (tests/test_cds_hooks_cards.py tries the longest).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cdss.cds_hooks.findings import Answer, Finding, Section
from cdss.estimate import PointsTotal, RiskEstimate
from cdss.guideline import Advice
from cdss.i18n import Words
from cdss.i18n.guidance import advice_text

MOST = 139
"""CDS Hooks 2.0.1, Card Attributes: "summary" has fewer than 140 characters."""


def section_summary(section: Section, text: Words, *, incomplete: bool = False) -> str:
    """
    Sum up a disease.

    Parameters
    ----------
    section : Section
        What the card tells.
    text : Words
        Words of a language.
    incomplete : bool
        Something is unknown only because the EMR did not send it.

    Returns
    -------
    str
        The disease and its answers; without any, the advice or what is missing.
    """
    head = text(f"disease.{section.disease.id}")
    unsent = [text("hooks.incomplete")] if incomplete else []
    pieces = [_piece(finding, section, text) for finding in section.findings if finding.answer]
    if pieces:
        below = [text("hooks.advice_below")] if section.warnings else []
        return _fitted(head, pieces, text, below + unsent)
    reasons = {r.code for f in section.findings for no in f.refusals for r in no.reasons}
    # What is only missing can be had; where something else stands in the way, advice says more.
    if advice := section.warnings or (section.advice if reasons != {"missing_input"} else ()):
        return advice_summary(head, advice, text, "".join(unsent))
    return _unanswered(head, section.findings, text, unsent)


def advice_summary(head: str, advice: Sequence[Advice], text: Words, tail: str = "") -> str:
    """
    Sum up advice.

    Parameters
    ----------
    head : str
        What it is about.
    advice : sequence of Advice
        At least one.
    text : Words
        Words of a language.
    tail : str, optional
        What else is to be said.

    Returns
    -------
    str
        The first sentence that fits and how many more there are, or how many there are.
    """
    count = len(advice)
    end = f" ({tail})" if tail else ""
    for each in advice:
        said = f"{head}: {advice_text(each, text)}"
        if count > 1:
            said += f" ({text('hooks.more', count=count - 1)})"
        if len(said + end) <= MOST:
            return said + end
    return f"{head}: {text('hooks.advice_count', count=count)}{end}"


def said_short(answer: Answer, text: Words) -> str:
    """
    Say an answer in a few words.

    Parameters
    ----------
    answer : RiskEstimate, RiskRange or PointsTotal
        A model's answer.
    text : Words
        Words of a language.

    Returns
    -------
    str
        The number, with its interval if there is one.
    """
    if isinstance(answer, RiskEstimate):
        said = text.percent(answer.probability)
        return f"{said} {text.interval(answer.interval)}" if answer.interval else said
    if isinstance(answer, PointsTotal):
        span = f"{answer.low}–{answer.high}" if answer.low < answer.high else str(answer.low)
        verdict = {True: "positive", False: "negative", None: "open"}[answer.positive]
        return text("hooks.points", points=span, most=answer.most, verdict=text(f"hooks.{verdict}"))
    return f"{text.percent(answer.low)} – {text.percent(answer.high)}"


def flag(answer: Answer, text: Words) -> str:
    """
    Say what forbids or limits the use of an answer.

    Parameters
    ----------
    answer : RiskEstimate, RiskRange or PointsTotal
        A model's answer.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Empty if nothing does.
    """
    codes = {warning.code for warning in answer.warnings}
    if "demonstration" in codes:
        return text("hooks.demonstration")
    return text("hooks.not_released") if "not_released" in codes else ""


def _piece(finding: Finding, section: Section, text: Words) -> str:
    """One answer: of what, how likely, when, in which band."""
    answer = finding.answer
    assert answer is not None
    years = answer.horizon_years
    when = text("hooks.now") if years is None else text("hooks.years", years=years)
    said = f"{text(f'hooks.outcome.{answer.outcome}')} {said_short(answer, text)} {when}"
    more = [flag(answer, text)]
    if section.band and section.band[0] == finding.question:
        more.insert(0, text(f"hooks.{section.band[1]}"))
    more = [each for each in more if each]
    return f"{said} [{', '.join(more)}]" if more else said


def _unanswered(head: str, findings: Iterable[Finding], text: Words, tail: Sequence[str]) -> str:
    """Why there is no number: measured itself, unknown, or not made for this patient."""
    measured = dict.fromkeys(name for finding in findings for name in finding.measured)
    reasons = [r for f in findings for refusal in f.refusals for r in refusal.reasons]
    against = dict.fromkeys(r.variable for r in reasons if r.code != "missing_input")
    unknown = dict.fromkeys(r.variable for r in reasons if r.code == "missing_input")
    names = measured or against or unknown
    key = "measured" if measured else "not_for" if against else "unknown"
    pieces = [text.label(name) for name in names]
    if not pieces:
        return f"{head}: {text('report.refused')}"
    return _fitted(f"{head}: {text(f'hooks.{key}')}", pieces, text, tail, separator=", ")


def _fitted(
    head: str,
    pieces: Sequence[str],
    text: Words,
    tail: Sequence[str] = (),
    separator: str = "; ",
) -> str:
    """
    As many whole pieces as fit; if not all, it says how many more there are.

    The tail gives way only to the first piece.
    """
    for kept in range(len(tail), -1, -1):
        end = "".join(f"; {each}" for each in tail[:kept])
        for shown in range(len(pieces), 0, -1):
            rest = len(pieces) - shown
            more = f" ({text('hooks.more', count=rest)})" if rest else ""
            said = f"{head}: {separator.join(pieces[:shown])}{more}{end}"
            if len(said) <= MOST:
                return said
    return f"{head}: {text('hooks.details', count=len(pieces))}"
