"""Which address needs what of who calls it."""

from __future__ import annotations

from collections.abc import Mapping

PROBES = frozenset({"/health", "/ready", "/livez", "/readyz", "/healthz"})
"""Answered to anybody: they say nothing but that the service lives."""

ANYBODY = frozenset({"/page/advice", "/smart/launch", "/smart/callback"})
"""Answered to anybody: general advice, which the code on a patient's sheet leads to; and a browser
that an EMR sends, of whose user the EMR is asked."""

PAGES = ("/page", "/models")
"""What a browser may use in a session (`serving.smart.sessions`), with what lies below."""

LOOKS = "/page/static/"
"""What lies below is answered to anybody: how the page looks, nothing about anybody."""

ADDRESSES: Mapping[str, str] = {
    "/": "read",
    "/openapi.json": "read",
    "/v1/models": "read",
    "/models": "read",
    "/v1/jurisdictions": "read",
    "/v1/assess": "assess",
    "/v1/assess/batch": "batch",
    "/v1/records": "records",
    "/page": "assess",
    "/smart": "assess",
    "/fhir": "fhir",
    "/cds-services": "cds-hooks",
    "/metrics": "metrics",
    "/empty": "read",
}
"""Address → scope needed for it and for what lies under it. What is not listed does not exist."""

OUTCOMES: Mapping[str, str] = {
    "/fhir": "application/fhir+json",
    "/cds-services": "application/json",
}
"""Addresses below which an error is an OperationOutcome, and the content type it has there."""


def is_public(path: str) -> bool:
    """
    Say whether an address is answered to anybody.

    Parameters
    ----------
    path : str
        Path of a request.

    Returns
    -------
    bool
        True for probes, general advice, the looks of the page, and where launches begin and end.
    """
    return path in PROBES or path in ANYBODY or path.startswith(LOOKS)


def in_session(path: str) -> bool:
    """
    Say whether a browser may use an address in a session.

    Parameters
    ----------
    path : str
        Path of a request.

    Returns
    -------
    bool
        True for pages that people look at.
    """
    return any(path == each or path.startswith(f"{each}/") for each in PAGES)


def scope_of(path: str) -> str | None:
    """
    Say which scope an address needs.

    Parameters
    ----------
    path : str
        Path of a request.

    Returns
    -------
    str or None
        That of the longest listed address that the path is, or lies under; None if there is none.
    """
    if path in ADDRESSES:
        return ADDRESSES[path]
    above = path.rpartition("/")[0]
    while above.strip("/"):  # nothing lies under "/"
        if above in ADDRESSES:
            return ADDRESSES[above]
        above = above.rpartition("/")[0]
    return None


def outcome_type(path: str) -> str | None:
    """
    Say whether an error is told as an OperationOutcome.

    Parameters
    ----------
    path : str
        Path of a request.

    Returns
    -------
    str or None
        Its content type there; None where errors are problem+json.
    """
    return OUTCOMES.get(f"/{path[1:].partition('/')[0]}")
