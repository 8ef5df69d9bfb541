"""The JSON of an assessment: what the command line prints and the service answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cdss.assess import Assessment, Disagreement
from cdss.errors import Problem
from cdss.estimate import NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice, Undecided
from cdss.i18n import Words, words
from cdss.i18n.guidance import (
    advice_text,
    cited,
    need_text,
    rule_text,
    to_ask,
    who_text,
    within_text,
)
from cdss.i18n.models import licence, model_kind, population, vietnam
from cdss.jurisdiction import Choice, Jurisdiction, Model


def to_dict(assessment: Assessment, *, assessment_id: str, lang: str = "en") -> dict[str, Any]:
    """
    Say an assessment in JSON.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    assessment_id : str
        Name under which it can be found again; not derived from the patient.
    lang : str
        Language of ``detail``, ``text`` and ``notice``; codes, numbers and units do not depend on
        it.

    Returns
    -------
    dict
        ``assessment_id``, ``index_date``, ``jurisdiction``, ``estimates``, ``ranges``, ``points``,
        ``answers``, ``disagreements``, ``advice``, ``undecided``, ``not_estimated``, ``set_aside``
        and ``notice``, of JSON types only.

    Raises
    ------
    UnknownLanguage
        If there are no words in `lang`.
    """
    text = words(lang)
    jurisdiction = assessment.jurisdiction
    return {
        "assessment_id": assessment_id,
        "index_date": assessment.record.index_date.isoformat(),
        "jurisdiction": jurisdiction.id if jurisdiction else None,
        "answers": [_answer(choice, text) for choice in assessment.choices],
        "estimates": [_estimate(e, text) for e in assessment.estimates],
        "ranges": [_range(r, text) for r in assessment.ranges],
        "points": [_points(p, text) for p in assessment.points],
        "disagreements": [_disagreement(d) for d in assessment.disagreements],
        "advice": [_advice(a, jurisdiction, text) for a in assessment.advice],
        "undecided": [_undecided(u) for u in assessment.undecided],
        "to_ask": [
            {"variable": q.need.variable, "again": q.need.again, "text": need_text(q.need, text),
             "rules": list(q.rules)}
            for q in to_ask(assessment.undecided)
        ],
        "not_estimated": [_refusal(n, text) for n in assessment.not_estimated],
        "set_aside": problems_to_list(assessment.record.set_aside, text),
        "notice": text("notice.advisory"),
    }  # fmt: skip


def problems_to_list(problems: Iterable[Problem], text: Words) -> list[dict[str, str]]:
    """
    Say problems in JSON.

    Parameters
    ----------
    problems : iterable of Problem
        Reasons, warnings, or what a `RecordError` found.
    text : Words
        Words of the language of ``detail``.

    Returns
    -------
    list of dict
        ``code``, ``variable`` and ``detail`` of each.
    """
    return [{"code": p.code, "variable": p.variable, "detail": text.problem(p)} for p in problems]


def model_to_dict(model: Model, lang: str = "en") -> dict[str, Any]:
    """
    Say in JSON what a model is for.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    lang : str
        Language of ``population``, ``vietnam`` and ``licence``.

    Returns
    -------
    dict
        Of JSON types only; ``limits`` are in canonical units, null where there is no end;
        ``released_on`` and ``parent`` are null for what was not released, or made from no other.
    """
    text = words(lang)
    return {
        "model": model.id,
        "version": model.version,
        "kind": model_kind(model),
        "outcome": model.outcome,
        "horizon_years": model.horizon_years,
        "inputs": list(model.inputs),
        "optional": list(model.optional),
        "limits": {
            name: [limit.low if math.isfinite(limit.low) else None,
                   limit.high if math.isfinite(limit.high) else None]
            for name, limit in model.limits.items()
        },
        "excluded": list(model.excluded),
        "only_with": list(getattr(model, "only_with", ())),
        "population": population(model, text),
        "vietnam": vietnam(model, text),
        "licence": licence(model, text),
        "sources": [cited(source) for source in model.sources],
        "off": model.off,
        "demonstration": model.demonstration,
        "released": getattr(model, "released", True),
        "released_on": (model.facts.get("gate") or {}).get("released_on"),
        "anchored": bool(model.facts.get("anchored")),
        "parent": model.facts.get("parent"),
    }  # fmt: skip


def jurisdiction_to_dict(place: Jurisdiction, lang: str = "en") -> dict[str, Any]:
    """
    Say in JSON what is in force in a jurisdiction.

    Parameters
    ----------
    place : Jurisdiction
        Any jurisdiction.
    lang : str
        Language of ``text``.

    Returns
    -------
    dict
        Of JSON types only: questions with their models, and documents with rules and numbers.
    """
    text = words(lang)
    return {
        "jurisdiction": place.id,
        "name": dict(place.name),
        "questions": [
            {
                "question": question.id,
                "text": text(f"question.{question.id}"),
                "models": [option.model for option in question.options],
                "why": text(f"why.{question.why}"),
            }
            for question in place.questions
        ],
        "guidelines": [
            {
                "guideline": guideline.key,
                "citation": guideline.source.citation,
                "valid_from": guideline.valid_from,
                "still_valid_on": guideline.still_valid_on.isoformat(),
                "parameters": [
                    {"name": p.name, "value": p.value, "unit": p.unit, "locator": p.locator,
                     "valid_from": p.valid_from, "still_valid_on": p.still_valid_on.isoformat(),
                     "open": p.open or None}
                    for p in guideline.parameters.values()
                ],
                "rules": [
                    {"rule": rule.id, "topic": rule.topic, "strength": rule.strength or None,
                     "locator": rule.source.locator, "text": rule_text(rule, guideline, text),
                     "open": list(rule.open)}
                    for rule in guideline.rules
                ],
            }
            for guideline in place.guidelines
        ],
    }  # fmt: skip


def _answer(choice: Choice, text: Words) -> dict[str, Any]:
    return {
        "question": choice.question.id,
        "text": text(f"question.{choice.question.id}"),
        "model": choice.model,
        "beside": list(choice.beside),
        "measured": list(choice.measured),
        "why": text(f"why.{choice.question.why}"),
    }


def _disagreement(found: Disagreement) -> dict[str, Any]:
    return {
        "outcome": found.outcome,
        "horizon_years": found.horizon_years,
        "low": found.low,
        "high": found.high,
        "models": list(found.models),
    }


def _advice(advice: Advice, jurisdiction: Jurisdiction | None, text: Words) -> dict[str, Any]:
    rule = advice.rule
    return {
        "rule": rule.id,
        "topic": rule.topic,
        "text": advice_text(advice, text),
        "strength": rule.strength or None,
        "guideline": rule.guideline,
        "source": {
            "citation": rule.source.citation,
            "locator": rule.source.locator,
            "url": rule.source.url or None,
        },
        "who": who_text(rule, jurisdiction, text) or None,
        "within": within_text(rule, text) or None,
        "open": [text(f"open.{rule.guideline}.{name}") for name in rule.open],
    }


def _undecided(undecided: Undecided) -> dict[str, Any]:
    return {
        "rule": undecided.rule.id,
        "guideline": undecided.rule.guideline,
        "needs": [{"variable": n.variable, "again": n.again} for n in undecided.needs],
    }


def _range(found: RiskRange, text: Words) -> dict[str, Any]:
    return {
        "model": found.model,
        "version": found.version,
        "outcome": found.outcome,
        "horizon_years": found.horizon_years,
        "low": found.low,
        "high": found.high,
        "narrowed_by": list(found.narrowed_by),
        "warnings": problems_to_list(found.warnings, text),
    }


def _points(total: PointsTotal, text: Words) -> dict[str, Any]:
    return {
        "model": total.model,
        "version": total.version,
        "outcome": total.outcome,
        "horizon_years": total.horizon_years,
        "low": total.low,
        "high": total.high,
        "most": total.most,
        "cut_off": total.cut_off,
        "positive": total.positive,
        "items": [
            {"variable": i.variable, "value": i.value, "low": i.low, "high": i.high}
            for i in total.items
        ],
        "missing": list(total.missing),
        "warnings": problems_to_list(total.warnings, text),
    }


def _estimate(estimate: RiskEstimate, text: Words) -> dict[str, Any]:
    return {
        "model": estimate.model,
        "version": estimate.version,
        "outcome": estimate.outcome,
        "horizon_years": estimate.horizon_years,
        "probability": estimate.probability,
        "baseline_probability": estimate.baseline_probability,
        "contributions": [
            {
                "variable": variable,
                "value": value,
                "unit": unit,
                "log_odds": log_odds,
                "risk_points": risk_points,
            }
            for variable, value, unit, log_odds, risk_points in estimate.contributions
        ],
        "missing": list(estimate.missing),
        "warnings": problems_to_list(estimate.warnings, text),
        "demonstration": estimate.demonstration,
        "reference": dict(estimate.reference) or None,
        "interval": estimate.interval._asdict() if estimate.interval else None,
        "outside": list(estimate.outside),
        "released": estimate.released,
    }


def _refusal(refusal: NoEstimate, text: Words) -> dict[str, Any]:
    return {
        "model": refusal.model,
        "version": refusal.version,
        "outcome": refusal.outcome,
        "horizon_years": refusal.horizon_years,
        "reasons": problems_to_list(refusal.reasons, text),
    }
