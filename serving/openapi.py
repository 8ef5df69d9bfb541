"""The contract in OpenAPI 3.1, generated from the data dictionary and the loaded models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdss import (
    JURISDICTIONS,
    VARIABLES,
    Jurisdiction,
    Model,
    PatientRecord,
    Variable,
    __version__,
    assess,
)
from cdss.guideline import TOPICS
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import select
from cdss.record import MOST_VISITS
from cdss.units import UNITS
from cdss.validity import COMBINATION
from cdss.wire import to_dict
from serving.catalogue import catalogue
from serving.openapi_formats import formats

Schema = dict[str, Any]

EXAMPLE: dict[str, Any] = {
    "index_date": "2026-11-22",
    "values": {
        "age": 54,
        "sex": "female",
        "height": 156,
        "weight": {"value": 64.5, "unit": "kg", "date": "2026-11-20"},
        "waist": 88,
        "systolic_bp": 142,
        "diastolic_bp": 86,
        "heart_rate": 74,
        "bp_treated": False,
        "smoking": "never",
        "family_history_diabetes": True,
        "diabetes": False,
        "prior_cvd": False,
        "total_cholesterol": {"value": 228, "unit": "mg/dL"},
        "hdl_cholesterol": {"value": 1.3, "unit": "mmol/L"},
        "triglycerides": 1.9,
        "fasting_glucose": {"value": 104, "unit": "mg/dL", "date": "2026-11-20"},
        "hba1c": 5.9,
        "creatinine": 68,
        "alt": 24,
        "ast": None,
    },
}
"""A record that gives a value in each of the ways there are; nobody's."""

_ANYTHING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}


def openapi(models: Sequence[Model], place: Jurisdiction | None = None) -> Schema:
    """
    Generate the OpenAPI document.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        The loaded models; they answer the examples.
    place : Jurisdiction, optional
        Whose guidelines are in force by default.

    Returns
    -------
    dict
        OpenAPI 3.1.
    """
    asked = select(models, place, demonstrations=True)
    assessment = assess(PatientRecord.parse(EXAMPLE), asked, place, chosen=True)
    answer = to_dict(assessment, assessment_id="0" * 32)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cdss",
            "version": __version__,
            "summary": "Explained risks of non-communicable diseases from one check-up",
            "description": "Advice for clinicians. Not a medical device; not validated in Viet "
            "Nam. Every error is RFC 9457 problem+json and lists all problems. A name given "
            "twice in one JSON object is refused.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/assess": _post(
                "assess", "Assess one patient", "Record", "Assessment", EXAMPLE, answer
            ),
            "/v1/assess/batch": _post(
                "assess_batch",
                "Assess up to 1000 patients: all of them, or none if anything is wrong with one",
                "Records",
                "Assessments",
                {"records": [EXAMPLE]},
                {"assessments": [answer]},
            ),
            "/v1/models": _get(
                "models", "Models and variables", {"$ref": "#/components/schemas/Catalogue"}
            ),
            "/v1/jurisdictions": _get(
                "jurisdictions", "Rules in force with their numbers, and preferred models",
                _object(jurisdictions=_array({"type": "object"})),
            ),
            "/health": _get("health", "Whether the service lives", {"type": "object"}),
            "/ready": _get("ready", "Whether its models are loaded", {"type": "object"}),
            "/openapi.json": _get("openapi", "This document", {"type": "object"}),
            "/": _get("index", "Links", {"type": "object"}),
            "/metrics": _get("metrics", "Prometheus metrics", _ANYTHING, "text/plain"),
            **formats(),
        },
        "security": [{"bearer": []}, {}],
        "components": {
            "schemas": _schemas(models),
            "parameters": {
                "lang": _query("lang", "Language of `detail`, `text` and `notice`",
                               {"enum": list(LANGUAGES), "default": "en"}),
                "models": _query("models", "Models to ask; by default those the jurisdiction "
                                 "prefers; all means every one that is not off",
                                 _array({"enum": ["all", *(m.id for m in models)]})),
                "jurisdiction": _query(
                    "jurisdiction", "Whose guidelines and preferences; none means no advice",
                    {"enum": [*JURISDICTIONS, "none"], "default": place.id if place else "none"}),
            },
            "securitySchemes": {"bearer": {
                "type": "http", "scheme": "bearer",
                "description": "An API key, or an OAuth 2 access token (JWT), with the scope "
                "that the address needs; at /cds-services the JWT that CDS Hooks describes. None "
                "where the service is open, which it only is to its own machine."}},
            "responses": {"Problem": {
                "description": "What is wrong, and with what",
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            }},
        },
    }  # fmt: skip


def _post(name: str, summary: str, sent: str, answered: str, given: Any, answer: Any) -> Schema:
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [
                {"$ref": "#/components/parameters/lang"},
                {"$ref": "#/components/parameters/models"},
                {"$ref": "#/components/parameters/jurisdiction"},
            ],
            "requestBody": {"required": True, "content": {"application/json": {
                "schema": {"$ref": f"#/components/schemas/{sent}"}, "example": given}}},
            "responses": {
                "200": {"description": "Estimates and reasoned refusals", "content": {
                    "application/json": {
                        "schema": {"$ref": f"#/components/schemas/{answered}"},
                        "example": answer}}},
                **{
                    status: {"$ref": "#/components/responses/Problem"}
                    for status in (
                        "400", "401", "403", "413", "415", "422", "429", "500", "503", "504",
                    )
                },
            },
        }
    }  # fmt: skip


def _get(name: str, summary: str, schema: Schema, media: str = "application/json") -> Schema:
    content = {media: {"schema": schema}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "responses": {"200": {"description": summary, "content": content}},
        }
    }


def _query(name: str, description: str, schema: Schema) -> Schema:
    where: Schema = {"name": name, "in": "query", "description": description, "schema": schema}
    if schema.get("type") == "array":
        where |= {"style": "form", "explode": False}
    return where


def _schemas(models: Sequence[Model]) -> dict[str, Schema]:
    problem = _object(code=_ANYTHING, variable=_ANYTHING, detail=_ANYTHING)
    problems = _array(_ref("Problem"))
    model = {
        "model": {"enum": [m.id for m in models]},
        "version": _ANYTHING,
        "outcome": {"enum": sorted({m.outcome for m in models})},
        "horizon_years": {
            "type": ["number", "null"],
            "description": "null: present now, not yet diagnosed",
        },
    }
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    names = _array({"enum": list(VARIABLES)})
    whole: Schema = {"type": "integer"}
    value: Schema = {"type": ["number", "boolean", "string", "null"]}
    need = _object(variable={"enum": list(VARIABLES)}, again={"type": "boolean"})
    return {
        "Record": _object(
            index_date={"type": "string", "format": "date"},
            values={
                "type": "object",
                "description": "What is unknown is left out or null",
                "properties": {v.name: _variable(v) for v in VARIABLES.values()},
                "additionalProperties": False,
                "minProperties": 1,
            },
            history={
                "type": "array",
                "description": "Earlier check-ups; rules see their readings, models do not",
                "maxItems": MOST_VISITS,
                "items": _object(
                    date={"type": "string", "format": "date"}, values={"type": "object"}
                ),
            },
        )
        | {"required": ["index_date", "values"]},
        "Records": _object(
            records={"type": "array", "items": _ref("Record"), "minItems": 1, "maxItems": 1000}
        ),
        "Problem": problem,
        "Contribution": _object(
            variable={"enum": list(VARIABLES)},
            value=value,
            unit=_ANYTHING,
            log_odds={"type": "number", "description": "Shapley value on the log-odds"},
            risk_points={
                "type": "number",
                "description": "Its share of probability minus baseline_probability",
            },
        ),
        "Estimate": _object(
            **model,
            probability=probability,
            baseline_probability=probability,
            contributions=_array(_ref("Contribution")),
            missing=names,
            warnings=problems,
            demonstration={"type": "boolean"},
            reference={
                "type": ["object", "null"],
                "description": "Whom an equation's contributions compare with, the mean of a man "
                "and a woman; null: the average person of the study",
            },
            interval={"anyOf": [_ref("Interval"), {"type": "null"}]},
            outside={
                **_array({"enum": [*VARIABLES, COMBINATION]}),
                "description": "Variables whose value is rare (outside 0.5 to 99.5 %) among the "
                f"people the model was made from; {COMBINATION}: the quantities are rare together",
            },
            released={
                "type": "boolean",
                "description": "Has a release record, or is a published equation; if not, "
                "warnings say so too",
            },
        ),
        "Interval": _object(
            low=probability,
            high=probability,
            level=probability,
            people={"type": "integer", "minimum": 1},
        )
        | {
            "description": "Of groups of `people` people with about this estimate, in parts of the "
            "data that the model had not seen, a share `level` had an observed share of outcomes "
            "between `low` and `high`; where one person's own risk lies it does not say. null: "
            "not measured"
        },
        "Range": _object(
            **model, low=probability, high=probability, narrowed_by=names, warnings=problems
        ),
        "Points": _object(
            **model,
            low=whole,
            high=whole,
            most=whole,
            cut_off=whole,
            positive={"type": ["boolean", "null"]},
            items=_array(
                _object(variable={"enum": list(VARIABLES)}, value=value, low=whole, high=whole)
            ),
            missing=names,
            warnings=problems,
        ),
        "Answer": _object(
            question=_ANYTHING,
            text=_ANYTHING,
            model={"type": ["string", "null"]},
            beside=_array(_ANYTHING),
            measured=names,
            why=_ANYTHING,
        ),
        "Disagreement": _object(
            outcome=_ANYTHING,
            horizon_years=model["horizon_years"],
            low=probability,
            high=probability,
            models=_array(_ANYTHING),
        ),
        "Advice": _object(
            rule=_ANYTHING,
            topic={"enum": list(TOPICS)},
            text=_ANYTHING,
            strength={"type": ["string", "null"]},
            guideline=_ANYTHING,
            source=_object(citation=_ANYTHING, locator=_ANYTHING, url={"type": ["string", "null"]}),
            who={"type": ["string", "null"]},
            within={"type": ["string", "null"]},
            open=_array(_ANYTHING),
        ),
        "Undecided": _object(rule=_ANYTHING, guideline=_ANYTHING, needs=_array(need)),
        "Question": _object(**need["properties"], text=_ANYTHING, rules=_array(_ANYTHING)),
        "Refusal": _object(**model, reasons=problems),
        "Assessment": _object(
            assessment_id={"type": "string", "pattern": "^[0-9a-f]{32}$"},
            index_date={"type": "string", "format": "date"},
            jurisdiction={"type": ["string", "null"]},
            answers=_array(_ref("Answer")),
            estimates=_array(_ref("Estimate")),
            ranges=_array(_ref("Range")),
            points=_array(_ref("Points")),
            disagreements=_array(_ref("Disagreement")),
            advice=_array(_ref("Advice")),
            undecided=_array(_ref("Undecided")),
            to_ask=_array(_ref("Question")),
            not_estimated=_array(_ref("Refusal")),
            set_aside=problems,
            notice=_ANYTHING,
        ),
        "Assessments": _object(assessments=_array(_ref("Assessment"))),
        "Catalogue": {
            **_object(models=_array({"type": "object"}), variables=_array({"type": "object"})),
            "example": catalogue(models[:1]),
        },
        "ProblemDocument": _object(
            type=_ANYTHING,
            title=_ANYTHING,
            status={"type": "integer"},
            detail=_ANYTHING,
            problems=problems,
        ),
    }


def _variable(variable: Variable) -> Schema:
    """Say what one member of ``values`` may be: bare, with unit or date, or null."""
    bare: Schema
    members: dict[str, Schema] = {"date": {"type": "string", "format": "date"}}
    if variable.kind == "quantity":
        units = list(UNITS[variable.name])
        bare = {
            "type": "number",
            "minimum": variable.low,
            "maximum": variable.high,
            "description": f"in {variable.unit}",
        }
        members |= {
            "value": {"type": ["number", "null"]},
            "unit": {
                "type": "string",
                "examples": units,
                "description": f"{', '.join(units)}, or a common spelling",
            },
        }
    else:
        bare = {"type": "boolean"} if variable.kind == "yes_no" else {"enum": [*variable.choices]}
        members |= {"value": {"anyOf": [bare, {"type": "null"}]}}
    dated = {**_object(**members), "required": ["value"]}
    return {"anyOf": [bare, dated, {"type": "null"}]}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
