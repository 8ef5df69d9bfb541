"""What a hook's request says, checked: every problem at once, no value of it in any text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cdss.cds_hooks.services import HOOK
from cdss.errors import Problem, RecordError

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
AN_UUID = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_USER = re.compile(rf"(Practitioner|PractitionerRole|Patient|RelatedPerson)/{_ID.pattern}")
_URL = re.compile(r"https?://[^\s?#]+")


class HookRequest(NamedTuple):
    """
    A request that can be served.

    Attributes
    ----------
    patient_id : str
        Whose chart was opened.
    prefetch : mapping
        Query → answer; empty if none was sent.
    fhir_server : str or None
        Base of the FHIR server to ask for what is missing.
    token : str or None
        What authorizes us there. Never logged, stored or shown.
    """

    patient_id: str
    prefetch: Mapping[str, Any]
    fhir_server: str | None
    token: str | None


def read_request(payload: Any) -> HookRequest:
    """
    Check a request; what is not known here is tolerated.

    Parameters
    ----------
    payload : object
        Decoded JSON.

    Returns
    -------
    HookRequest
        What it says.

    Raises
    ------
    RecordError
        With all problems at once.
    """
    if not isinstance(payload, Mapping):
        raise RecordError([Problem("not_an_object", "body", "must be a JSON object")])
    said: list[Problem] = []
    _required(payload, "hook", re.compile(HOOK), HOOK, said)
    _required(payload, "hookInstance", UUID, AN_UUID, said)
    context = _object(payload, "context", said, required=True)
    patient_id = ""
    if context is not None:
        _required(context, "context.userId", _USER, "Practitioner/123", said)
        patient_id = _required(context, "context.patientId", _ID, "123", said)
        if context.get("encounterId"):
            _required(context, "context.encounterId", _ID, "123", said)
    prefetch = _object(payload, "prefetch", said) or {}
    authorization = _object(payload, "fhirAuthorization", said)
    server = None
    if authorization is not None or payload.get("fhirServer") is not None:
        server = _required(payload, "fhirServer", _URL, "https://fhir.example.org/r4", said)
    token = _token(authorization, said) if authorization is not None else None
    said += _others(patient_id, prefetch, authorization or {})
    if said:
        raise RecordError(said)
    return HookRequest(patient_id, prefetch, server, token)


def _required(
    members: Mapping[str, Any], path: str, form: re.Pattern[str], example: str, said: list[Problem]
) -> str:
    """A text of a certain form, or a problem said."""
    value = members.get(path.rpartition(".")[2])
    if value is None or value == "":
        said.append(Problem("required_member", path, "is required"))
    elif not isinstance(value, str) or not form.fullmatch(value):
        said.append(Problem("wrong_form", path, f"must be like {example}", {"example": example}))
    else:
        return value
    return ""


def _object(
    members: Mapping[str, Any], name: str, said: list[Problem], *, required: bool = False
) -> Mapping[str, Any] | None:
    value = members.get(name)
    if isinstance(value, Mapping):
        return value
    if value is not None:
        said.append(Problem("not_an_object", name, "must be a JSON object"))
    elif required:
        said.append(Problem("required_member", name, "is required"))
    return None


def _token(authorization: Mapping[str, Any], said: list[Problem]) -> str:
    """The access token; its scopes are the FHIR server's business."""
    bearer = re.compile("bearer", re.IGNORECASE)
    _required(authorization, "fhirAuthorization.token_type", bearer, "Bearer", said)
    printable = re.compile(r"[\x21-\x7e]+")
    return _required(authorization, "fhirAuthorization.access_token", printable, "eyJhbGciOi", said)


def _others(
    patient_id: str, prefetch: Mapping[str, Any], authorization: Mapping[str, Any]
) -> list[Problem]:
    """Whether anything names another patient: an answer about the wrong person is the worst."""
    if not patient_id:
        return []
    patient = prefetch.get("patient")
    sent = patient.get("id") if isinstance(patient, Mapping) else None
    kind = patient.get("resourceType") if isinstance(patient, Mapping) else None
    named = {
        "prefetch.patient": sent if kind == "Patient" else None,
        "fhirAuthorization.patient": authorization.get("patient"),
    }
    return [
        Problem("another_patient", path, "is not about the patient of the context")
        for path, value in named.items()
        if value is not None and value != patient_id
    ]


def without_token(payload: Mapping[str, Any], prefetch: Mapping[str, Any]) -> dict[str, Any]:
    """
    Make what may be kept of a request: no token, and everything that was read.

    Parameters
    ----------
    payload : mapping
        The request.
    prefetch : mapping
        With what was fetched in addition.

    Returns
    -------
    dict
        The request without authorization; serving it again needs nothing from anybody.
    """
    kept = {k: v for k, v in payload.items() if k != "fhirAuthorization"}
    return kept | {"prefetch": dict(prefetch)}
