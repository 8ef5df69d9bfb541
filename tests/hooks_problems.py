"""One request or report for each problem that only CDS Hooks makes one say."""

from __future__ import annotations

from cdss.cds_hooks.feedback import read_feedback
from cdss.cds_hooks.prefetch import KEYS, not_sent
from cdss.cds_hooks.request import read_request
from cdss.errors import Problem, RecordError

_REQUESTS = (
    {},
    {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "2"}},
    },
)


def every_hooks_problem() -> list[Problem]:
    """What only CDS Hooks makes one say."""
    found = [not_sent(key) for key in KEYS]
    for request in _REQUESTS:
        try:
            read_request(request)
        except RecordError as error:
            found += error.problems
    try:
        read_feedback({"feedback": []})
    except RecordError as error:
        found += error.problems
    return found
