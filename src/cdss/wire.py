"""The JSON of an assessment: what the command line prints and the service answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.estimate import NoEstimate, RiskEstimate
from cdss.i18n import Words, words
from cdss.risk import RiskModel


def to_dict(assessment: Assessment, *, assessment_id: str, lang: str = "en") -> dict[str, Any]:
    """
    Say an assessment in JSON.

    Parameters
    ----------
    assessment : Assessment
        What the models said.
    assessment_id : str
        Name under which it can be found again; not derived from the patient.
    lang : str
        Language of ``detail`` and ``notice``; codes, numbers and units do not depend on it.

    Returns
    -------
    dict
        ``assessment_id``, ``index_date``, ``estimates``, ``not_estimated``, ``set_aside`` and
        ``notice``, of JSON types only.

    Raises
    ------
    UnknownLanguage
        If there are no words in `lang`.
    """
    text = words(lang)
    return {
        "assessment_id": assessment_id,
        "index_date": assessment.record.index_date.isoformat(),
        "estimates": [_estimate(e, text) for e in assessment.estimates],
        "not_estimated": [_refusal(n, text) for n in assessment.not_estimated],
        "set_aside": problems_to_list(assessment.record.set_aside, text),
        "notice": text("notice.advisory"),
    }


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


def model_to_dict(model: RiskModel) -> dict[str, Any]:
    """
    Say in JSON what a model is for.

    Parameters
    ----------
    model : RiskModel
        Any model.

    Returns
    -------
    dict
        Of JSON types only; ``limits`` are in canonical units.
    """
    return {
        "model": model.id,
        "version": model.version,
        "outcome": model.outcome,
        "horizon_years": model.horizon_years,
        "inputs": list(model.inputs),
        "optional": list(model.optional),
        "limits": {
            name: [
                limit.low if math.isfinite(limit.low) else None,
                limit.high if math.isfinite(limit.high) else None,
            ]
            for name, limit in model.limits.items()
        },
        "excluded": list(model.excluded),
        "population": model.population,
        "demonstration": model.demonstration,
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
    }


def _refusal(refusal: NoEstimate, text: Words) -> dict[str, Any]:
    return {
        "model": refusal.model,
        "version": refusal.version,
        "outcome": refusal.outcome,
        "horizon_years": refusal.horizon_years,
        "reasons": problems_to_list(refusal.reasons, text),
    }
