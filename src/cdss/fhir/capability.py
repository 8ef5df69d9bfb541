"""What the server says of itself: a CapabilityStatement, and the OperationDefinition of $assess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import cdss
from cdss.fhir.parts import Resource, filled
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import JURISDICTIONS

CHANGED_ON = date(2026, 11, 24)
"""Day on which what is said here last changed."""

FHIR_VERSION = "4.0.1"
OPERATION = "OperationDefinition/assess"


class Parameter(NamedTuple):
    """One input of $assess, in a Parameters resource or, if it is simple, in the query."""

    name: str
    type: str
    least: int
    most: str
    documentation: str


IN_QUERY = (
    Parameter("indexDate", "date", 0, "1", "The day for which everything is computed, YYYY-MM-DD. "
              "By default the date at the site; the answer then says so."),
    Parameter("lang", "code", 0, "1", f"Language of all texts: {', '.join(LANGUAGES)}. By default "
              "that of Accept-Language, or of the site."),
    Parameter("jurisdiction", "code", 0, "1", "Whose guidelines are in force: "
              f"{', '.join(JURISDICTIONS)} or none. By default those of the site."),
    Parameter("models", "string", 0, "1", "Ids of models, comma-separated, or all. By default "
              "those the jurisdiction prefers."),
)  # fmt: skip
"""Never the patient: addresses are logged."""

PARAMETERS = (
    Parameter("resource", "Resource", 1, "*", "A Bundle of any type, or resources, about one "
              "patient. May be posted alone, without Parameters."),
    *IN_QUERY,
    Parameter("patient", "string", 0, "1", "Reference to or id of the patient, if resources of "
              "several are sent. Not accepted in the query."),
)  # fmt: skip
"""Inputs of $assess."""


def capability_statement(base_url: str) -> Resource:
    """
    Say what the server can do.

    Parameters
    ----------
    base_url : str
        Address of the FHIR endpoint, e.g. ``https://cdss.hospital.vn/fhir``.

    Returns
    -------
    dict
        CapabilityStatement.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED_ON.isoformat(),
        "kind": "instance",
        "software": {"name": "cdss", "version": cdss.__version__},
        "implementation": {"description": _DESCRIPTION, "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Nothing is stored for reading back, and nothing is searched.",
                "resource": [{"type": "OperationDefinition", "interaction": [{"code": "read"}]}],
                "operation": [{"name": "assess", "definition": f"{base_url}/{OPERATION}"}],
            }
        ],
    }


def operation_definition(base_url: str) -> Resource:
    """
    Define the operation $assess.

    Parameters
    ----------
    base_url : str
        Address of the FHIR endpoint.

    Returns
    -------
    dict
        OperationDefinition.
    """
    output = Parameter("return", "Bundle", 1, "1", "A collection: RiskAssessment, Observation, "
                       "CarePlan, OperationOutcome, Provenance, Device.")  # fmt: skip
    return {
        "resourceType": "OperationDefinition",
        "id": "assess",
        "url": f"{base_url}/{OPERATION}",
        "version": cdss.__version__,
        "name": "Assess",
        "title": "Assess the risks of a patient",
        "status": "active",
        "kind": "operation",
        "experimental": False,
        "date": CHANGED_ON.isoformat(),
        "description": _DESCRIPTION,
        "affectsState": False,
        "code": "assess",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [*_listed(PARAMETERS, "in"), *_listed([output], "out")],
    }


def _listed(parameters: Iterable[Parameter], use: str) -> list[dict[str, Any]]:
    return [
        filled(
            name=p.name, use=use, min=p.least, max=p.most, documentation=p.documentation,
            type=p.type,
        )
        for p in parameters
    ]  # fmt: skip


_DESCRIPTION = (
    "Explained risks of non-communicable diseases and advice of guidelines, from one patient's "
    "resources. Advice for clinicians; it does not replace clinical judgement. Not a medical "
    "device. Not validated in Viet Nam."
)
