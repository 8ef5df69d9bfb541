"""An assessment as CDS Hooks cards: what is urgent first, then a card for each disease."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cdss.assess import Assessment
from cdss.cds_hooks.detail import advice_lines, not_used, notice, section_detail
from cdss.cds_hooks.findings import Answer, Indicator, Section, sections, urgent
from cdss.cds_hooks.services import FACTS, Service
from cdss.cds_hooks.summary import MOST, advice_summary, said_short, section_summary
from cdss.errors import Problem
from cdss.fhir.parts import filled, name
from cdss.i18n import Words
from cdss.jurisdiction import Model
from cdss.source import Source

Card = dict[str, Any]

Stored = Callable[[Answer], Mapping[str, Any]]
"""Makes the resource that keeps an answer in the record, e.g. `cdss.fhir.write.standalone`."""

_SYSTEM = FACTS["system"]


class Link(NamedTuple):
    """
    Where an answer is explained.

    Attributes
    ----------
    url : str
        Address; says nothing of the patient.
    type : str
        ``absolute``, or ``smart``: the EMR launches it as a SMART app.
    context : str
        What the EMR gives to a SMART app, as ``appContext``; empty for other links.
    """

    url: str
    type: str = "absolute"
    context: str = ""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the cards of one answer share."""

    assessment: Assessment
    models: Mapping[str, Model]
    assessment_id: str
    text: Words
    stored: Stored | None
    link: Link | None

    def card(
        self,
        subject: str,
        topic: str,
        indicator: Indicator,
        summary: str,
        detail: str,
        source: Source | None,
    ) -> Card:
        """A card without suggestions."""
        assert len(summary) <= MOST
        text = self.text
        coded = {"system": _SYSTEM["topic"], "code": subject, "display": topic}
        url = source.url if source and source.url.startswith(("https://", "http://")) else None
        links = []
        if self.link is not None:
            to, kind, context = self.link
            label = text("hooks.page")
            links = [filled(label=label, url=to, type=kind, appContext=context)]
        return filled(
            uuid=name(self.assessment_id, "card", subject),
            summary=summary,
            detail=detail,
            indicator=indicator,
            source=filled(
                label=source.citation if source else text("hooks.source"), url=url, topic=coded
            ),
            overrideReasons=override_reasons(text),
            links=links,
        )


def cards(
    assessment: Assessment,
    models: Iterable[Model],
    service: Service,
    *,
    assessment_id: str,
    text: Words,
    problems: Sequence[Problem] = (),
    incomplete: bool = False,
    stored: Stored | None = None,
    link: Link | None = None,
) -> list[Card]:
    """
    Say an assessment as cards.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    models : iterable of RiskModel or PointsScore
        Those asked.
    service : Service
        About which disease, or all.
    assessment_id : str
        Name under which it can be found again; identifiers of the cards follow from it.
    text : Words
        Words of a language.
    problems : sequence of Problem
        What of the data was not used, and why; told once.
    incomplete : bool
        Something is unknown only because the EMR did not send it; said at a glance.
    stored : callable, optional
        Makes the resource that a suggestion would create from an answer; without it there are no
        suggestions.
    link : Link, optional
        Where the answer is explained, if anywhere.

    Returns
    -------
    list of dict
        Urgent advice first, then what warns. Never empty: without an answer, what is missing.
    """
    by_id = {model.id: model for model in models}
    shared = _Shared(assessment, by_id, assessment_id, text, stored, link)
    found = []
    if now := urgent(assessment):
        lines = advice_lines(now, assessment.jurisdiction, text)
        head = text("topic.urgent")
        summary, detail = advice_summary(head, now, text), _lines([*lines, *notice(text)])
        source = now[0].rule.source
        found.append(shared.card("urgent", head, "critical", summary, detail, source))
    unused = tuple(problems)
    for section in sections(assessment, by_id.values(), service.disease):
        found.append(_section_card(section, shared, unused, incomplete))
        unused = ()
    return found


def _section_card(
    section: Section, shared: _Shared, unused: Sequence[Problem], incomplete: bool
) -> Card:
    text, assessment = shared.text, shared.assessment
    detail = section_detail(section, assessment.record, assessment.jurisdiction, unused, text)
    card = shared.card(
        section.disease.id,
        text(f"disease.{section.disease.id}"),
        section.indicator,
        section_summary(section, text, incomplete=incomplete),
        detail.strip(),
        _source(section, shared.models),
    )
    if shared.stored and section.answers:
        card["suggestions"] = [_suggestion(answer, shared) for answer in section.answers]
        card["selectionBehavior"] = "any"
    return card


def _suggestion(answer: Answer, shared: _Shared) -> dict[str, Any]:
    """File an answer in the record; nothing is recommended, and nothing else is done."""
    assert shared.stored is not None
    text = shared.text
    of = f"{text.outcome(answer.outcome)}, {text.horizon(answer.horizon_years)}"
    label = text("hooks.store", of=of, answer=said_short(answer, text))
    return {
        "label": label,
        "uuid": name(shared.assessment_id, "suggestion", answer.model),
        "actions": [
            {
                "type": "create",
                "description": f"{label}; {answer.model} {answer.version}",
                "resource": dict(shared.stored(answer)),
            }
        ],
    }


def _source(section: Section, models: Mapping[str, Model]) -> Source | None:
    """Where the first answer's model comes from, or else the first advice."""
    if section.answers and (answered := models.get(section.answers[0].model)):
        return answered.sources[0] if answered.sources else None
    return section.advice[0].rule.source if section.advice else None


def empty_card(problems: Sequence[Problem], assessment_id: str, text: Words) -> Card:
    """
    Say that nothing was computed, and why.

    Parameters
    ----------
    problems : sequence of Problem
        Why; at least one.
    assessment_id : str
        Name of the answer; the card's identifier follows from it.
    text : Words
        Words of a language.

    Returns
    -------
    dict
        A card of indicator "info".
    """
    title = text("hooks.nothing")
    return {
        "uuid": name(assessment_id, "card", "nothing"),
        "summary": title,
        "detail": _lines([*not_used(problems, text), *notice(text)]),
        "indicator": "info",
        "source": {"label": text("hooks.source")},
        "overrideReasons": override_reasons(text),
    }


def override_reasons(text: Words) -> list[dict[str, str]]:
    """
    Say why a card may be dismissed.

    Parameters
    ----------
    text : Words
        Words of a language.

    Returns
    -------
    list of dict
        Codings.
    """
    return [
        {"code": code, "system": _SYSTEM["override"], "display": text(f"override.{code}")}
        for code in FACTS["override"]["codes"]
    ]


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip()
