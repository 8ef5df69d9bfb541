"""
An answer as a resource: RiskAssessment for a probability, Observation for points.

Points are no probability, and a reader of RiskAssessment would look for one. Trap of R4:
``probabilityDecimal`` and ``probabilityRange`` are percentages, and a prediction without ``when``
is about the rest of the patient's life.
"""

from __future__ import annotations

from cdss.estimate import Item, PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.context import Context
from cdss.fhir.parts import (
    CODES,
    LABEL,
    SYSTEM,
    Resource,
    coding,
    concept,
    filled,
    name,
    percent,
    period,
)
from cdss.fhir.rationale import band, counted, explained, mitigation, notes, spanned

_UCUM = "http://unitsofmeasure.org"
_DISEASE = {
    outcome: (
        coding("http://hl7.org/fhir/sid/icd-10", row["icd10"]),
        coding("http://snomed.info/sct", row["snomed"]),
    )
    for row in CODES["disease"]
    for outcome in row["outcomes"]
}
_POSITIVE = {True: ("POS", "Positive"), False: ("NEG", "Negative"), None: None}
_DERIVED_FROM = ("Observation/", "QuestionnaireResponse/")


def risk_assessment(outcome: RiskEstimate | RiskRange, context: Context) -> Resource:
    """
    Say a probability, or the range of it, as a RiskAssessment.

    Parameters
    ----------
    outcome : RiskEstimate or RiskRange
        A model's answer.
    context : Context
        Of this answer.

    Returns
    -------
    dict
        RiskAssessment.
    """
    text, answered = context.text, context.answered(outcome.model)
    heading = context.heading(outcome)
    diseases = _DISEASE.get(outcome.outcome, ())
    own = coding(SYSTEM["outcome"], outcome.outcome)
    if isinstance(outcome, RiskEstimate):
        probability: Resource = {"probabilityDecimal": percent(outcome.probability)}
        rationale = explained(outcome, context)
    else:
        ends = {"low": outcome.low, "high": outcome.high}
        probability = {"probabilityRange": {k: _percent(p) for k, p in ends.items()}}
        rationale = spanned(outcome, text)
    prediction = filled(
        outcome=concept(text.outcome(outcome.outcome), own, *diseases),
        **probability,
        qualitativeRisk=band(outcome, context),
        whenPeriod=period(context.record.index_date, outcome.horizon_years),
        rationale=rationale,
    )
    question = text(f"question.{answered.question.id}") if answered else ""
    return filled(
        **_head("RiskAssessment", outcome.model, context),
        status="final",
        method=context.method(outcome),
        code=concept(heading, own),
        subject=context.subject,
        occurrenceDateTime=context.day,
        performer=context.device(outcome.model),
        reasonCode=[concept(question)] if question else [],
        basis=context.basis(outcome.model),
        prediction=[prediction],
        mitigation=mitigation(outcome, context),
        note=notes(outcome, outcome.warnings, context),
    )


def points_observation(total: PointsTotal, context: Context) -> Resource:
    """
    Say points as an Observation.

    Parameters
    ----------
    total : PointsTotal
        A score's answer.
    context : Context
        Of this answer.

    Returns
    -------
    dict
        Observation with the points of each item as components.
    """
    text = context.text
    said = _POSITIVE[total.positive]
    found = notes(total, total.warnings, context)
    based_on = [
        basis
        for basis in context.basis(total.model)
        if any(kind in basis.get("reference", "") for kind in _DERIVED_FROM)
    ]
    return filled(
        **_head("Observation", total.model, context),
        status="final",
        category=[concept("", coding(f"{_HL7}/observation-category", "survey", "Survey"))],
        code=concept(
            f"{total.model}: {context.heading(total)}", coding(SYSTEM["model"], total.model)
        ),
        subject=context.subject,
        effectiveDateTime=context.day,
        **_points(total.low, total.high, text("fhir.unit_points")),
        interpretation=[concept("", coding(f"{_HL7}/v3-ObservationInterpretation", *said))]
        if said
        else [],
        note=[{"text": counted(total, text)}, *found],
        method=context.method(total),
        device=context.device(total.model),
        derivedFrom=based_on,
        component=[_component(item, context) for item in total.items],
    )


_HL7 = "http://terminology.hl7.org/CodeSystem"


def _head(kind: str, model: str, context: Context) -> Resource:
    """First members of a resource: who it is, who says so, in which language."""
    return {
        "resourceType": kind,
        "id": name(context.assessment_id, kind, model),
        "meta": {"security": [dict(LABEL)]},
        "language": context.text.lang,
        "identifier": [
            {"system": SYSTEM["assessment"], "value": f"{context.assessment_id}/{model}"}
        ],
    }


def _percent(probability: float) -> Resource:
    return {"value": percent(probability), "unit": "%", "system": _UCUM, "code": "%"}


def _points(low: int, high: int, unit: str) -> Resource:
    """Points known as a number, others as a range."""
    if low == high:
        return {"valueInteger": low}
    ends = {"low": low, "high": high}
    return {
        "valueRange": {
            k: {"value": v, "unit": unit, "system": _UCUM, "code": "{points}"}
            for k, v in ends.items()
        }
    }


def _component(item: Item, context: Context) -> Resource:
    points = _points(item.low, item.high, context.text("fhir.unit_points"))
    return {"code": concept(context.text.label(item.variable)), **points}
