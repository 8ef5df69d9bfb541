"""What was sent is in no log, no metric and no error: a running server, and canaries everywhere."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.benchmarks.process import Server, served
from serving.openapi import EXAMPLE
from tests.canaries import NAME, NUMBER, VALUE, Format, planted, planted_xml, told, told_back
from tests.security_clients import (
    BASE,
    EMR,
    access_claims,
    access_token,
    b64,
    bearer,
    hooks_claims,
    hooks_token,
    key_of,
    signer,
    site,
    token,
)
from tests.serving_process import COMMAND, JSON, log_with, sent, write_toys

VISITS = {"history": [{"date": "2026-11-01", "values": {"systolic_bp": 148, "alt": 30}}]}
HOOK = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "2"},
    "fhirServer": "https://fhir.example.org",
    "fhirAuthorization": {"access_token": "abc", "token_type": "Bearer", "scope": "x"},
    "prefetch": {"patient": {"resourceType": "Patient", "id": "2", "birthDate": "1966-03-01"}},
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "2", "name": [{"family": "Lê"}],
                      "gender": "female", "birthDate": "1966-03-01"}},
        {"resource": {"resourceType": "Observation", "status": "final",
                      "code": {"coding": [{"system": "http://loinc.org", "code": "39156-5"}]},
                      "effectiveDateTime": "2026-11-20",
                      "valueQuantity": {"value": 24.1, "unit": "kg/m2"}}},
    ],
}  # fmt: skip
FEEDBACK = {"feedback": [{"card": "1", "outcome": "overridden", "outcomeTimestamp": "2026-11-22",
            "overrideReason": {"userComment": "no"}}]}  # fmt: skip
XML = b"<KHAMSUCKHOE><HO_TEN>A</HO_TEN><HUYET_AP>120/80</HUYET_AP></KHAMSUCKHOE>"

FORMATS = [
    Format("/v1/assess", planted(EXAMPLE | VISITS)),
    Format("/v1/assess/batch", planted({"records": [sent(), sent(alt=40)]})),
    Format("/v1/assess", planted_xml(XML), "application/xml"),
    Format("/fhir/$assess", planted(BUNDLE), "application/fhir+json"),
    Format("/cds-services/cdss-all", planted(HOOK)),
    Format("/cds-services/cdss-all/feedback", planted(FEEDBACK)),
]
HEADERS = {
    name: VALUE
    for name in (
        "user-agent", "cookie", "x-patient", "referer", "accept-language", "x-request-id",
        "x-forwarded-for", "x-forwarded-host", "forwarded", "baggage", "origin",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site(folder, all="assess batch read fhir metrics")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    environment = {
        "CDSS_BUNDLES": str(write_toys(folder / "bundles")),
        "CDSS_CLIENTS": str(folder / "clients.toml"),
        "CDSS_URL": BASE,
        "CDSS_RATE": "off",
    }
    with served([*COMMAND, "--port", "0"], environment) as server:
        yield server


def credential(path: str, folder: Path) -> dict[str, str]:
    if path.startswith("/cds-services"):
        return bearer(hooks_token(path, tenant=VALUE, other=NUMBER))
    return key_of(folder, "all")


def credentials() -> list[str]:
    """What may stand in an Authorization header, with something to recognise in it."""
    signs = {"emr-1": hooks_claims, "login-1": access_claims}
    said = [VALUE, f"cdss_{VALUE}", f"cdss_{'0' * 16}_{VALUE.ljust(43, 'x')}", f"{VALUE}.a.b"]
    for kid, claims in signs.items():
        for name in ("iss", "aud", "sub", "jti", "tenant", "scope", "exp", "iat", NAME):
            said.append(token(signer(kid), claims(**{name: VALUE})))
        for name in ("alg", "typ", "kid", "jku", NAME):
            header = {"alg": "ES384", "typ": "JWT", "kid": kid} | {name: VALUE}
            said.append(f"{b64(header)}.{b64(claims())}.{b64(VALUE.encode())}")
    return [*said, access_token(sub=VALUE), access_token(sub=VALUE, exp=1)]


@pytest.fixture(scope="module")
def answers(server: Server, folder: Path) -> list[httpx.Response]:
    got = []
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for each in FORMATS:
            for body in each.bodies:
                headers = HEADERS | {"content-type": each.content_type}
                headers |= credential(each.path, folder)
                got.append(client.post(each.path, content=body, headers=headers))
        paths = ("/v1/assess", f"/{VALUE}", f"/v1/{VALUE}", f"/fhir/Patient/{VALUE}",
                 f"/cds-services/{VALUE}", f"/cds-services/x/{VALUE}/feedback",
                 f"/%0d%0ax:{VALUE}", f"/metrics/{VALUE}")  # fmt: skip
        for path in paths:
            for query in ("", f"?lang={VALUE}", f"?models={VALUE}", f"?{NAME}={VALUE}"):
                for method in ("GET", "POST", "OPTIONS", "PROPFIND"):
                    headers = credential(path, folder) | JSON
                    got.append(client.request(method, path + query, headers=headers))
        for said in credentials():
            for path in ("/v1/assess", "/cds-services/x"):
                headers = HEADERS | JSON | {"authorization": f"Bearer {said}"}
                got.append(client.post(path, json=sent(alt=NUMBER), headers=headers))
            got.append(client.get("/v1/models", headers={"authorization": said}))
        for content_type in (VALUE, f"application/json; charset={VALUE}"):
            headers = key_of(folder, "all") | {"content-type": content_type, "accept": VALUE}
            for path in ("/v1/assess", "/fhir/$assess"):
                got.append(client.post(path, content=VALUE, headers=headers))
    for raw in (f"{VALUE} HTTP/1.1\r\n\r\n", f"GET /{VALUE} HTTP/1.1\r\n{VALUE}\r\n\r\n",
                f"GET / HTTP/1.1\r\nhost: {VALUE}\r\nx: {VALUE * 4000}\r\n\r\n",
                f"POST /v1/assess HTTP/1.1\r\ncontent-length: {VALUE}\r\n\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(raw.encode())
            assert VALUE.encode() not in connection.recv(100_000)
    return got


def test_it_was_all_looked_at(answers: list[httpx.Response]) -> None:
    statuses = {answer.status_code for answer in answers}

    assert {200, 400, 401, 404, 415, 422} <= statuses
    assert not [answer.request.url for answer in answers if answer.status_code >= 500]


def test_no_log_says_what_was_sent(server: Server, answers: list[httpx.Response]) -> None:
    log = log_with(server, '"event":"request"', len(answers))

    assert [] == told(log)
    assert len(answers) <= len(log.splitlines())


def test_no_metric_says_what_was_sent(
    server: Server, answers: list[httpx.Response], folder: Path
) -> None:
    url = f"http://127.0.0.1:{server.port}/metrics"
    metrics = httpx.get(url, headers=key_of(folder, "all")).text

    assert "cdss_requests_total" in metrics
    assert [] == told(metrics)


def test_no_error_says_what_was_sent(answers: list[httpx.Response]) -> None:
    back = {
        (answer.request.method, answer.status_code, answer.text[:300])
        for answer in answers
        if told_back(answer.status_code, answer.text + str(answer.headers))
    }

    assert set() == back


def test_names_come_back_only_where_names_stand(answers: list[httpx.Response]) -> None:
    for answer in answers:
        if answer.headers["content-type"] == "application/problem+json":
            texts = [problem["detail"] for problem in answer.json()["problems"]]
            assert not re.search(NAME, json.dumps(texts))


def test_who_called_is_logged_by_its_registered_name(
    server: Server, answers: list[httpx.Response]
) -> None:
    lines = [json.loads(line) for line in log_with(server, "request").splitlines()]

    assert {"all", EMR} <= {line["client"] for line in lines if "client" in line}


def test_a_canary_would_be_seen() -> None:
    bodies = [body.decode() for body in planted({"a": [1]}) + planted_xml(XML)]

    assert all(told(body) for body in bodies)
    assert [] == told('{"a": [1], "duration_ms": 3.137}\n<HUYET_AP>120/80</HUYET_AP>')
    assert told_back(422, f"was {VALUE}")
    assert [] == told_back(422, f"{NAME} is unknown") == told_back(200, f"{VALUE}")
