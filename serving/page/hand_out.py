"""The sheet for the patient: plain words, large print, nothing that is not released."""

from __future__ import annotations

from typing import NamedTuple

import segno
from markupsafe import Markup

from cdss import Assessment, Jurisdiction
from cdss.cds_hooks.findings import urgent
from cdss.estimate import RiskEstimate
from cdss.i18n import Words
from serving.page.drawing import people
from serving.page.facts import FACTS

_RULES: tuple[str, ...] = tuple(FACTS["hand_out"]["rules"])


class Told(NamedTuple):
    """A risk in a sentence, and a hundred people."""

    said: str
    picture: Markup


class Sheet(NamedTuple):
    """
    What the patient takes home.

    Attributes
    ----------
    day : str
        Of the check-up.
    urgent : bool
        The patient is to go to a hospital now.
    risks : tuple of Told
        Of released models only.
    advice : tuple of str
        What the patient can do.
    note : str
        In the clinician's own words.
    link, code : str and Markup
        Where general advice is, and the same to be photographed: nothing about the patient.
    """

    day: str
    urgent: bool
    risks: tuple[Told, ...]
    advice: tuple[str, ...]
    note: str
    link: str
    code: Markup


def sheet(assessment: Assessment, note: str, base_url: str | None, text: Words) -> Sheet:
    """
    Make the patient's sheet.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    note : str
        The clinician's own words.
    base_url : str or None
        Address of the server as patients reach it; None means no code.
    text : Words
        Words of a language.

    Returns
    -------
    Sheet
        Without anything that tells who the patient is.
    """
    by_id = {o.model: o for o in assessment.outcomes if isinstance(o, RiskEstimate)}
    wanted = FACTS["hand_out"]["questions"]
    chosen = [c for c in assessment.choices if c.question.id in wanted]
    risks = [
        _risk(c.question.id, by_id[c.model], text)
        for c in chosen
        if c.model in by_id and by_id[c.model].released and not by_id[c.model].demonstration
    ]
    hold = {a.rule.id: a.params for a in assessment.advice}
    advice = tuple(text(f"page.patient_rule.{r}", **_numbers(r, hold[r], text))
                   for r in _RULES if r in hold)  # fmt: skip
    link = f"{base_url.rstrip('/')}/page/advice?lang={text.lang}" if base_url else ""
    day = assessment.record.index_date.strftime(text("language.date"))
    return Sheet(
        day, bool(urgent(assessment)), tuple(risks), advice, note.strip(), link, code(link)
    )


def general(place: Jurisdiction | None, text: Words) -> tuple[str, ...]:
    """
    Say what is good for everybody, for whoever follows the code of a sheet.

    Parameters
    ----------
    place : Jurisdiction or None
        Whose guidelines are in force.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of str
        Sentences.
    """
    known = {
        rule.id: {p.name: p.value for p in guideline.parameters.values()}
        for guideline in (place.guidelines if place else ())
        for rule in guideline.rules
    }
    return tuple(text(f"page.patient_rule.{r}", **_numbers(r, known[r], text))
                 for r in _RULES if r in known)  # fmt: skip


def code(link: str) -> Markup:
    """
    Make a link that can be photographed.

    Parameters
    ----------
    link : str
        Address; may be empty.

    Returns
    -------
    Markup
        An SVG image; nothing if there is no link.
    """
    if not link:
        return Markup("")
    drawn = segno.make(link, error="m", micro=False)
    return Markup(drawn.svg_inline(border=2, omitsize=True, svgclass="code", lineclass=None))  # noqa: S704


def _risk(question: str, estimate: RiskEstimate, text: Words) -> Told:
    said = text(
        f"page.patient_risk.{question}",
        frequency=text.frequency(estimate.probability),
        horizon=text.horizon(estimate.horizon_years),
    )
    count = round(100 * estimate.probability)
    return Told(said, people(count, said) if count else Markup(""))


def _numbers(rule: str, params: object, text: Words) -> dict[str, float]:
    """Of all numbers of a document, those that the sentence names."""
    said = text(f"page.patient_rule.{rule}")
    assert hasattr(params, "items")
    return {name: value for name, value in params.items() if f"{{{name}}}" in said}
