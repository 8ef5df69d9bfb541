"""Who may use which address; the open service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from serving.addresses import ADDRESSES, PROBES, scope_of
from serving.app import create_app
from serving.clients import CDS_HOOKS, SCOPES, read_clients
from serving.security import OPEN_HEADER
from serving.settings import HERE, Settings
from tests.security_clients import (
    BASE,
    EMR,
    LOGIN,
    access_token,
    bearer,
    hooks_token,
    key_of,
    site,
)
from tests.serving_process import problems, run, sent
from tests.toy import toy_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site(
        folder, ward="assess", night="batch read", monitor="metrics", office="fhir",
    )  # fmt: skip
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    settings = Settings(read_clients(folder / "clients.toml"), BASE)
    with TestClient(create_app([toy_model()], settings=settings)) as client:
        yield client


def test_every_address_says_what_it_needs() -> None:
    routes = create_app([toy_model()], empty_route=True).app.routes  # type: ignore[attr-defined]
    unlisted = [
        route.path for route in routes if not scope_of(route.path) and route.path not in PROBES
    ]

    assert [] == unlisted
    assert set(ADDRESSES.values()) == SCOPES | CDS_HOOKS


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/", "read"), ("/x", None), ("/v1", None), ("/v1/assess", "assess"), ("//v1/assess", None),
        ("/v1/assessx", None), ("/v1/assess/batch", "batch"), ("/v1/assess/", "assess"),
        ("/fhir/$assess", "fhir"), ("/fhirx", None), ("/cds-services", "cds-hooks"),
        ("/cds-services/x/feedback", "cds-hooks"), ("/CDS-services", None), ("", None),
    ],
)  # fmt: skip
def test_what_an_address_needs(path: str, scope: str | None) -> None:
    assert scope == scope_of(path)


def test_nothing_but_the_probes_is_answered_to_anybody(client: TestClient) -> None:
    for path in ("/health", "/ready"):
        assert 200 == client.get(path).status_code
    for path in ("/", "/metrics", "/openapi.json", "/v1/models", "/nothing", "/healthx"):
        for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
            answer = client.request(method, path)
            assert 401 == answer.status_code
            assert 'Bearer realm="cdss"' == answer.headers["www-authenticate"]
    assert [("no_credential", "authorization")] == problems(client.get("/"), 401)


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("ward", {"/v1/assess"}),
        ("night", {"/v1/assess/batch", "/", "/v1/models"}),
        ("monitor", {"/metrics"}),
        ("office", set()),
    ],
)
def test_each_key_opens_what_it_is_for(
    client: TestClient, folder: Path, who: str, allowed: set[str]
) -> None:
    posts = {"/v1/assess": sent(), "/v1/assess/batch": {"records": [sent()]}}
    for path in ("/v1/assess", "/v1/assess/batch", "/", "/v1/models", "/metrics"):
        method = "POST" if path in posts else "GET"
        answer = client.request(method, path, json=posts.get(path), headers=key_of(folder, who))
        assert (200 if path in allowed else 403) == answer.status_code
        if path not in allowed:
            assert [("insufficient_scope", "authorization")] == problems(answer, 403)
            assert f'scope="{ADDRESSES[path]}"' in answer.headers["www-authenticate"]


def test_unknown_paths_are_unknown_to_clients_only(client: TestClient, folder: Path) -> None:
    answer = client.get("/nothing", headers=key_of(folder, "ward"))

    assert [("unknown_path", "path")] == problems(answer, 404)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/fhir/$assess", "application/fhir+json"), ("/cds-services/x", "application/json")],
)
def test_refusals_are_fhir_where_the_format_is(
    client: TestClient, folder: Path, path: str, content_type: str
) -> None:
    for headers, status, kind in (
        ({}, 401, "login"),
        (key_of(folder, "ward"), 403 if "fhir" in path else 401, None),
    ):
        answer = client.post(path, json={}, headers=headers)
        outcome = answer.json()
        assert (status, content_type) == (answer.status_code, answer.headers["content-type"])
        assert "OperationOutcome" == outcome["resourceType"]
        assert ["error"] == [issue["severity"] for issue in outcome["issue"]]
        assert kind in (None, outcome["issue"][0]["code"])
        assert "no-store" == answer.headers["cache-control"]


def test_the_log_says_who_and_why_not(client: TestClient, folder: Path) -> None:
    with capture_logs() as lines:
        client.post("/v1/assess", json=sent(), headers=key_of(folder, "ward"))
        client.post("/v1/assess", json=sent(), headers=bearer(access_token(sub="nurse 7")))
        client.post("/v1/assess", json=sent(), headers=bearer(access_token(sub="nurse 7", exp=1)))
        client.get("/metrics", headers=key_of(folder, "ward"))
    told = [(line["status"], line.get("client"), line.get("refused")) for line in lines]

    assert [
        (200, "ward", None),
        (200, LOGIN, None),
        (401, None, "token_expired"),
        (403, None, "insufficient_scope"),
    ] == told
    assert "nurse" not in str(lines)


def test_an_open_service_says_so() -> None:
    app = create_app([toy_model()], settings=Settings())
    with TestClient(app, base_url=HERE) as client:
        answer = client.post("/v1/assess", json=sent())

    assert (200, "off") == (answer.status_code, answer.headers[OPEN_HEADER])
    assert "ratelimit" not in answer.headers


@pytest.mark.parametrize(
    ("base", "host", "status"),
    [
        ("http://127.0.0.1:3000", None, 200),
        ("http://127.0.0.1:3000", "localhost:3000", 200),
        ("http://127.0.0.1:3000", "LOCALHOST", 200),
        ("http://[::1]:3000", None, 200),
        ("http://127.0.0.9", None, 200),
        ("http://192.168.0.7:3000", None, 403),
        ("http://192.168.0.7:3000", "127.0.0.1:3000", 403),
        ("http://127.0.0.1:3000", "evil.example.org", 403),
        ("http://127.0.0.1:3000", "127.0.0.1.evil.example.org", 403),
        ("http://127.0.0.1:3000", "localhost.evil.example.org:3000", 403),
        ("http://127.0.0.1:3000", "[::ffff:10.0.0.1]", 403),
    ],
)
def test_an_open_service_answers_only_here(base: str, host: str | None, status: int) -> None:
    app = create_app([toy_model()], settings=Settings())
    headers = {} if host is None else {"host": host}
    with TestClient(app, base_url=base) as client:
        answer = client.get("/v1/models", headers=headers)
        assert 200 == client.get("/health", headers=headers).status_code

    assert status == answer.status_code
    if status == 403:
        assert [("open_only_here", "request")] == problems(answer, 403)


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "x-forwarded-host"])
def test_an_open_service_is_not_behind_a_proxy(name: str) -> None:
    app = create_app([toy_model()], settings=Settings())
    with TestClient(app, base_url=HERE) as client:
        assert 403 == client.get("/v1/models", headers={name: "10.0.0.1"}).status_code


def test_an_open_service_does_not_start_where_others_can_reach_it() -> None:
    for host in ("0.0.0.0", "::"):
        process = run("-m", "serving", "--host", host, "--port", "0", CDSS_CLIENTS="")
        assert 1 == process.returncode
        assert process.stderr.startswith("cdss: not started: without CDSS_CLIENTS it is open")
        assert 1 == process.stderr.count("\n")


def test_a_hooks_client_comes_through_to_the_routes(client: TestClient) -> None:
    path = "/cds-services/no-such-service"
    with capture_logs() as lines:
        client.get(path, headers=bearer(hooks_token(path)))

    assert [EMR] == [line.get("client") for line in lines if line["event"] == "request"]
