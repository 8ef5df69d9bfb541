"""
One line of the audit log as a FHIR R4 AuditEvent, after the patterns of IHE BALP.

BALP 1.1 has no profile for operations, so none is claimed: type, subtype, action, the roles of
client and server and the kinds of entities are its; a network address and the query itself, which
holds the patient's values, are not in our log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cdss
from cdss.fhir.parts import SYSTEM, Resource, coding, concept, filled, name

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_OUTCOME = {"ok": "0", "failed": "8"}


def audit_event(entry: Mapping[str, Any]) -> Resource:
    """
    Say a line of the audit log as an AuditEvent.

    Parameters
    ----------
    entry : mapping
        ``assessment_id``, ``recorded`` (RFC 3339, UTC), ``kind`` (which format was asked),
        ``outcome`` (``"ok"`` or ``"failed"``), ``models`` (each ``model``, ``version``,
        ``digest``), ``input_sha256``, ``lang``, and ``issuer`` and ``subject`` of the client, None
        where nobody was asked who they are. Never a token.

    Returns
    -------
    dict
        AuditEvent; the same of the same line.
    """
    subject, issuer = entry.get("subject"), entry.get("issuer")
    client = {"system": issuer or SYSTEM["client"], "value": subject} if subject else None
    return filled(
        resourceType="AuditEvent",
        id=name(entry["assessment_id"], "AuditEvent"),
        type=coding(
            "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"
        ),
        subtype=[coding("http://hl7.org/fhir/restful-interaction", "operation", "operation")],
        action="E",
        recorded=entry["recorded"],
        outcome=_OUTCOME[entry["outcome"]],
        agent=[
            {
                "type": concept("", coding(_DICOM, "110153", "Source Role ID")),
                "who": {"identifier": client} if client else {"display": "not authenticated"},
                "requestor": True,
            },
            {
                "type": concept("", coding(_DICOM, "110152", "Destination Role ID")),
                "who": _server(),
                "requestor": False,
            },
        ],
        source={
            "observer": _server(),
            "type": [
                coding(
                    "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "4",
                    "Application Server",
                )
            ],
        },
        entity=[
            _entity(SYSTEM["assessment"], entry["assessment_id"], "3", "Report", _details(entry)),
            _entity(SYSTEM["input"], entry.get("input_sha256"), "24", "Query", {}),
            *(_model(each) for each in entry.get("models", ())),
        ],
    )


def _details(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": entry.get("kind"), "language": entry.get("lang")}


def _model(model: Mapping[str, Any]) -> Resource:
    identity = f"{model['model']}@{model['version']}"
    details = {"bundle SHA-256": model.get("digest")}
    return _entity(SYSTEM["device"], identity, "4", "Domain Resource", details)


def _entity(
    system: str, value: str | None, role: str, display: str, details: Mapping[str, Any]
) -> Resource:
    """Something that was used or made; what is not known of it is left out."""
    return filled(
        what={"identifier": {"system": system, "value": value}} if value else None,
        type=coding(_ENTITY, "2", "System Object"),
        role=coding(_ROLE, role, display),
        detail=[{"type": kind, "valueString": str(said)} for kind, said in details.items() if said],
    )


def _server() -> Resource:
    return {"identifier": {"system": SYSTEM["server"], "value": f"cdss@{cdss.__version__}"}}
