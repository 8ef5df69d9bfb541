"""Whether the server is there, and whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator

from cdss.sandbox.client import HOOKS, Answer, Client
from cdss.sandbox.report import Report, fix_for, unlike

PROTECTED = (
    ("GET", "/v1/models"),
    ("POST", "/v1/assess"),
    ("GET", "/fhir/metadata"),
    ("POST", "/fhir/$assess"),
    ("GET", "/cds-services"),
    ("POST", "/cds-services/cdss-all"),
    ("POST", "/cds-services/cdss-all/feedback"),
)
"""Addresses that must ask who is calling, where anybody is asked."""

_ELSEWHERE = "https://not-allowed.example"
_NOBODY = "cdss_0000000000000000_" + "A" * 43
_UNSIGNED = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJub2JvZHkifQ."  # alg none


def is_ready(client: Client, report: Report) -> bool:
    """
    Check that a server is there and ready.

    Parameters
    ----------
    client : Client
        Calls it.
    report : Report
        Findings are added.

    Returns
    -------
    bool
        Whether it is worth going on.
    """
    answer = client.get("/ready", credential="")
    wrong = unlike(answer, 200, "application/json")
    if not wrong and "models" not in answer.object():
        wrong = ["no list of models"]
    return report.expect("ready", wrong, "starting" if answer.status == 503 else "version")


def asks_who(client: Client, report: Report) -> bool:
    """
    Find out whether the server asks who is calling; if not, it must say so.

    Parameters
    ----------
    client : Client
        Calls it.
    report : Report
        Findings are added.

    Returns
    -------
    bool
        Whether it asks.
    """
    answer = client.get("/v1/models", credential="")
    if answer.status == 401:
        report.expect("asks_who", [])
        return True
    wrong = unlike(answer, 200)
    if not wrong and answer.headers.get("cdss-authentication") != "off":
        wrong = ["answers anybody, and does not say so"]
    report.expect("asks_who", wrong, fix_for(answer, "/v1/models"))
    return False


def check_refusals(client: Client, report: Report) -> None:
    """
    Check that nobody gets in who should not.

    Parameters
    ----------
    client : Client
        Calls the server, which asks who is calling.
    report : Report
        Findings are added.
    """
    report.expect("refuses_nobody", _let_in(client, ""))
    report.expect("refuses_unknown", [*_let_in(client, _NOBODY), *_let_in(client, _UNSIGNED)])
    if client.signer is None:
        report.skip(("token_of_another_address", "token_once"), "signing")
        return
    other = client.signer.token(client.public_url + "/cds-services/another")
    wrong = unlike(client.get(HOOKS, credential=other), 401)
    report.expect("token_of_another_address", wrong)
    token = client.signer.token(client.public_url + HOOKS)
    first = client.get(HOOKS, credential=token)
    if report.expect("token_accepted", unlike(first, 200), fix_for(first, HOOKS)):
        report.expect("token_once", unlike(client.get(HOOKS, credential=token), 401))


def _let_in(client: Client, credential: str) -> Iterator[str]:
    """Addresses that answer to a credential that is none."""
    for method, path in PROTECTED:
        body = b"{}" if method == "POST" else None
        answer = client.send(
            method, path, body, {"content-type": "application/json"}, credential=credential
        )
        yield from (f"{method} {path}: {wrong}" for wrong in _unrefused(answer))


def _unrefused(answer: Answer) -> Iterator[str]:
    yield from unlike(answer, 401)
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        yield "no WWW-Authenticate"


def check_origin(client: Client, report: Report, origin: str) -> None:
    """
    Check that pages of an origin may call, and pages of others may not (CORS).

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    origin : str
        Origin of the EMR's pages, as browsers send it.
    """
    path = "/cds-services/cdss-all"
    wrong = []
    for asked in (path, "/v1/assess"):
        answer = _preflight(client, asked, origin)
        wrong += [f"{asked}: {each}" for each in unlike(answer, range(200, 205))]
        if answer.headers.get("access-control-allow-origin") != origin:
            wrong.append(f"{asked}: origin not allowed")
        allowed = answer.headers.get("access-control-allow-headers", "").lower()
        missing = {"authorization", "content-type"} - {each.strip() for each in allowed.split(",")}
        wrong += [f"{asked}: header {name} not allowed" for name in sorted(missing)]
    report.expect("origin", wrong, "origin")
    other = _preflight(client, path, _ELSEWHERE).headers.get("access-control-allow-origin")
    report.expect("other_origin", ["another origin is allowed"] if other else [], "origins")


def _preflight(client: Client, path: str, origin: str) -> Answer:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    return client.send("OPTIONS", path, headers=headers, credential="")
