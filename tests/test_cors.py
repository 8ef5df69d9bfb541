"""Pages in browsers: which may call, and that a preflight needs no token."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.clients import read_clients
from serving.cors import cors
from serving.settings import Settings
from tests.security_clients import BASE, bearer, hooks_token, site
from tests.serving_process import run, sent, write_toys
from tests.toy import toy_model

PAGE = "https://sandbox.example.org"
ALLOWED = "access-control-allow-origin"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    file = site(tmp_path_factory.mktemp("site"))
    app = create_app([toy_model()], settings=Settings(read_clients(file), BASE))
    with TestClient(cors(app, (PAGE, "http://127.0.0.1:8080"))) as client:
        yield client


def preflight(client: TestClient, origin: str, method: str = "POST", headers: str = "") -> object:
    asked = {"origin": origin, "access-control-request-method": method}
    if headers:
        asked["access-control-request-headers"] = headers
    return client.options("/cds-services/all", headers=asked)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_preflight_needs_no_token(client: TestClient, method: str) -> None:
    answer = preflight(client, PAGE, method, "authorization,content-type")

    assert 200 == answer.status_code
    assert PAGE == answer.headers[ALLOWED]
    assert "GET, POST" == answer.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= {
        name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")
    }
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.example.org", "POST", ""),
        (f"{PAGE}.evil.example.org", "POST", ""),
        (f"{PAGE}:8443", "POST", ""),
        ("http://sandbox.example.org", "POST", ""),
        ("null", "POST", ""),
        ("*", "POST", ""),
        (PAGE, "DELETE", ""),
        (PAGE, "POST", "x-secret"),
    ],
)
def test_a_preflight_for_what_is_not_allowed(
    client: TestClient, origin: str, method: str, headers: str
) -> None:
    answer = preflight(client, origin, method, headers)

    assert 400 == answer.status_code
    assert (origin == PAGE) == (ALLOWED in answer.headers)


def test_a_page_calls_and_can_read_why_it_is_refused(client: TestClient) -> None:
    path = "/cds-services"
    called = client.get(path, headers={"origin": PAGE} | bearer(hooks_token(path)))
    refused = client.post("/v1/assess", json=sent(), headers={"origin": PAGE})

    assert 401 != called.status_code
    assert 401 == refused.status_code
    for answer in (called, refused):
        assert PAGE == answer.headers[ALLOWED]
        assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_other_pages_are_not_told_that_they_may_read(client: TestClient) -> None:
    path = "/cds-services"
    evil = {"origin": "https://evil.example.org"}
    answer = client.get(path, headers=evil | bearer(hooks_token(path)))

    assert ALLOWED not in answer.headers


def test_without_origins_no_page_may_call() -> None:
    app = create_app([toy_model()], settings=Settings())
    with TestClient(cors(app, ()), base_url="http://127.0.0.1") as client:
        assert ALLOWED not in preflight(client, PAGE).headers
        assert ALLOWED not in client.get("/v1/models", headers={"origin": PAGE}).headers


def test_a_page_can_read_that_the_service_is_busy(tmp_path: Path) -> None:
    script = """
import json
from serving.service import Cdss
from serving.traffic import MaxConcurrency
from starlette.testclient import TestClient

app = Cdss.to_asgi()
with TestClient(app, base_url="http://127.0.0.1") as client:
    client.get("/ready")
    layer = app.middleware_stack
    while not isinstance(layer, MaxConcurrency):
        layer = layer.app
    layer.free = 0
    answer = client.post("/fhir/$assess", headers={"origin": "https://sandbox.example.org"})
    print(json.dumps([answer.status_code, answer.json(), dict(answer.headers)]))
"""
    process = run("-c", script, CDSS_BUNDLES=str(write_toys(tmp_path)), CDSS_ORIGINS=PAGE)
    status, outcome, headers = json.loads(process.stdout.splitlines()[-1])

    assert (429, PAGE, "1") == (status, headers[ALLOWED], headers["retry-after"])
    assert "retry-after" in headers["access-control-expose-headers"]
    assert "OperationOutcome" == outcome["resourceType"]
    assert "throttled" == outcome["issue"][0]["code"]
