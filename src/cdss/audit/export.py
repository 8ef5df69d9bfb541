"""The log for others: each entry a line of JSON, as it is or as a FHIR AuditEvent."""

from __future__ import annotations

import json
from typing import Any

from cdss.audit.chain import Line
from cdss.audit.exact import canonical
from cdss.fhir.audit_event import audit_event
from cdss.fhir.parts import name


def as_json(line: Line) -> str:
    """
    Say an entry as it is.

    Parameters
    ----------
    line : Line
        Of the log.

    Returns
    -------
    str
        JSON on one line. Its ``entry``, written with sorted keys and no spaces, is what ``hash``
        binds to the hash before: SHA-256 of that hash, a line feed, the entry, a line feed.
    """
    return canonical({"seq": line.seq, "hash": line.hash, "entry": json.loads(line.entry)}).decode()


def as_fhir(line: Line) -> str:
    """
    Say an entry as a FHIR R4 AuditEvent.

    Parameters
    ----------
    line : Line
        Of the log.

    Returns
    -------
    str
        JSON on one line, without the hash.
    """
    entry: dict[str, Any] = json.loads(line.entry)
    event = audit_event({**entry, "assessment_id": entry.get("forgets", line.id)})
    if "forgets" in entry:
        event |= {"id": name(line.id, "AuditEvent"), "action": "D"}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
