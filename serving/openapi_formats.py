"""
The OpenAPI description of the addresses of hospital systems.

What is sent and answered there is described by FHIR R4 and CDS Hooks themselves, and by
``/fhir/metadata`` and ``/cds-services``; here it is an object.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_FHIR, _JSON = "application/fhir+json", "application/json"
_OBJECT: Schema = {"type": "object"}


def formats() -> dict[str, Schema]:
    """
    Describe them.

    Returns
    -------
    dict
        Path → path item.
    """
    return {
        "/fhir/metadata": {"get": _get("fhir_metadata", "CapabilityStatement", _FHIR)},
        "/fhir/OperationDefinition/assess": {
            "get": _get("fhir_operation", "OperationDefinition of $assess", _FHIR)
        },
        "/fhir/$assess": {
            "post": _post(
                "fhir_assess", "A patient's resources: risks, advice and what is missing", _FHIR,
                [_query("indexDate", "date"), *map(_query, ("lang", "jurisdiction", "models"))],
            )
        },
        "/cds-services": {"get": _get("cds_services", "CDS Hooks discovery", _JSON)},
        "/cds-services/{id}": {
            "post": _post("cds_call", "CDS Hooks call: cards", _JSON, [_SERVICE]),
        },
        "/cds-services/{id}/feedback": {
            "get": _get("cds_feedback_rates", "How often cards were accepted", _JSON)
            | {"parameters": [_SERVICE]},
            "post": _post("cds_feedback", "CDS Hooks feedback", _JSON, [_SERVICE]),
        },
    }  # fmt: skip


_SERVICE: Schema = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string"},
    "description": "One of those that GET /cds-services lists",
}  # fmt: skip


def _query(name: str, form: str | None = None) -> Schema:
    schema = {"type": "string"} | ({"format": form} if form else {})
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _answers(media: str) -> Schema:
    """What is refused is an OperationOutcome."""
    said = {"200": "Answered", "default": "Refused: an OperationOutcome with all issues"}
    return {
        status: {"description": text, "content": {media: {"schema": _OBJECT}}}
        for status, text in said.items()
    }


def _get(name: str, summary: str, media: str) -> Schema:
    return {"operationId": name, "summary": summary, "responses": _answers(media)}


def _post(name: str, summary: str, media: str, parameters: list[Schema]) -> Schema:
    body = {"required": True, "content": {media: {"schema": _OBJECT}}}
    return _get(name, summary, media) | {"requestBody": body, "parameters": parameters}
