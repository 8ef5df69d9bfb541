"""An assessment sorted by disease: answers, advice, and how urgent they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cdss.assess import Assessment, Disagreement
from cdss.cds_hooks.services import DISEASES, FACTS, Disease
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice
from cdss.i18n.guidance import Question, to_ask
from cdss.jurisdiction import Model

Indicator = Literal["info", "warning", "critical"]
Answer = RiskEstimate | RiskRange | PointsTotal

URGENT = "urgent"
"""Topic of the rules whose source prints urgent referral or an emergency."""

_TODAY = ("now", "same_day")
_WARNING = frozenset(rule for row in FACTS["warning"] for rule in row["rules"])


class Finding(NamedTuple):
    """
    What became of one question.

    Attributes
    ----------
    question : str or None
        Its id; None for a model that no question names.
    answer : answer or None
        Of the model that answers it.
    beside : tuple of answers
        Of models shown beside it.
    measured : tuple of str
        Variables that measure the outcome itself: no model is needed to guess it.
    refusals : tuple of NoEstimate
        Why there is no answer.
    """

    question: str | None
    answer: Answer | None
    beside: tuple[Answer, ...] = ()
    measured: tuple[str, ...] = ()
    refusals: tuple[NoEstimate, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """
    What one card tells.

    Parameters
    ----------
    disease : Disease
        What it is about.
    findings : tuple of Finding
        Answers, then questions without one.
    advice : tuple of Advice
        Rules that hold; urgent ones have a card of their own.
    questions : tuple of Question
        What to ask or measure to decide more.
    disagreements : tuple of Disagreement
        Where models differ.
    band : tuple of (str, str) or None
        Question, and key of the risk band of the guideline in force in which its answer lies.
    indicator : {"info", "warning"}
        As hooks.toml defines it.
    """

    disease: Disease
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]
    questions: tuple[Question, ...]
    disagreements: tuple[Disagreement, ...]
    band: tuple[str, str] | None
    indicator: Indicator

    @property
    def answers(self) -> tuple[Answer, ...]:
        """
        Every answer.

        Returns
        -------
        tuple of answers
            To the questions, in their order.
        """
        return tuple(f.answer for f in self.findings if f.answer is not None)

    @property
    def warnings(self) -> tuple[Advice, ...]:
        """
        Advice for which the card warns.

        Returns
        -------
        tuple of Advice
            Rules that hooks.toml names, first what the source wants done today.
        """
        found = (a for a in self.advice if a.rule.id in _WARNING)
        return tuple(sorted(found, key=lambda advice: advice.rule.within not in _TODAY))


def urgent(assessment: Assessment) -> tuple[Advice, ...]:
    """
    Pick what is urgent.

    Parameters
    ----------
    assessment : Assessment
        What the guidelines said.

    Returns
    -------
    tuple of Advice
        Rules of the topic "urgent".
    """
    return tuple(a for a in assessment.advice if a.rule.topic == URGENT)


def sections(
    assessment: Assessment, models: Iterable[Model], disease: Disease | None
) -> list[Section]:
    """
    Sort an assessment by disease.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    models : iterable of RiskModel or PointsScore
        Those asked.
    disease : Disease or None
        Only about it; None means about all, each rule once.

    Returns
    -------
    list of Section
        Those that have anything to tell, what warns first.
    """
    about = {model.id: model.outcome for model in models}
    if disease is not None:
        return [_section(assessment, about, disease, disease.rules + disease.also)]
    found = [_section(assessment, about, each, each.rules) for each in DISEASES]
    told = [s for s in found if s.findings or s.advice]
    return sorted(told, key=lambda section: section.indicator != "warning")


def _section(
    assessment: Assessment, about: Mapping[str, str], disease: Disease, rules: tuple[str, ...]
) -> Section:
    advice = tuple(
        a for a in assessment.advice if a.rule.topic != URGENT and a.rule.id.startswith(rules)
    )
    undecided = [u for u in assessment.undecided if u.rule.id.startswith(rules)]
    found = sorted(_findings(assessment, about, disease), key=lambda f: f.answer is None)
    positive = any(isinstance(f.answer, PointsTotal) and f.answer.positive for f in found)
    warns = positive or any(a.rule.id in _WARNING for a in advice)
    return Section(
        disease,
        tuple(found),
        advice,
        tuple(to_ask(undecided)),
        tuple(d for d in assessment.disagreements if d.outcome in disease.outcomes),
        _band(assessment, advice),
        "warning" if warns else "info",
    )


def _findings(
    assessment: Assessment, about: Mapping[str, str], disease: Disease
) -> Iterator[Finding]:
    """What became of the questions about a disease, and what other models say about it."""
    by_id = {o.model: o for o in assessment.outcomes}
    told: set[str] = set()
    for choice in assessment.choices:
        options = [option.model for option in choice.question.options]
        if not any(about.get(option) in disease.outcomes for option in options):
            continue
        told |= {*options, *choice.beside}
        own = [by_id[option] for option in options if option in by_id]
        yield Finding(
            choice.question.id,
            _answer(by_id.get(choice.model or "")),
            tuple(a for i in choice.beside if (a := _answer(by_id.get(i))) is not None),
            choice.measured,
            tuple(o for o in own if isinstance(o, NoEstimate)) if choice.model is None else (),
        )
    for outcome in assessment.outcomes:
        if outcome.outcome in disease.outcomes and outcome.model not in told:
            refusals = (outcome,) if isinstance(outcome, NoEstimate) else ()
            yield Finding(None, _answer(outcome), refusals=refusals)


def _answer(outcome: Outcome | None) -> Answer | None:
    return None if isinstance(outcome, NoEstimate) else outcome


def _band(assessment: Assessment, advice: Iterable[Advice]) -> tuple[str, str] | None:
    """The question and the key of the band in which its answer lies, as the guideline says."""
    place = assessment.jurisdiction
    named = [a.params["band"] for a in advice if isinstance(a.params.get("band"), str)]
    question = place.risks.get("cardiovascular") if place else None
    return (question, named[0]) if named and question else None
