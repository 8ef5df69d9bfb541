"""Access tokens of OAuth 2."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.addresses import is_public
from serving.clients import read_clients
from serving.problems import RequestError
from serving.security import Authenticate
from serving.tokens import AccessTokens
from tests.security_clients import (
    BASE,
    EMR,
    LOGIN,
    SAYS_WHO,
    access_claims,
    access_token,
    b64,
    bearer,
    refused,
    signer,
    site,
    token,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site(folder, ward="assess batch", monitor="metrics")
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    clients = read_clients(folder / "clients.toml")
    with TestClient(Authenticate(SAYS_WHO, clients, BASE)) as client:
        yield client


def access_refused(client: TestClient, header: dict[str, Any] | None = None, **claims: Any) -> str:
    said = token(signer("login-1"), access_claims(**claims), **{"typ": "at+jwt"} | (header or {}))
    return refused(client, said, "/v1/assess")


def test_an_access_token(client: TestClient) -> None:
    said = access_token(jti="t-1")
    first, again = (client.get("/v1/assess", headers=bearer(said)) for _ in range(2))

    assert {
        "issuer": LOGIN, "subject": "page-1", "name": LOGIN, "token_id": "t-1",
        "scopes": ["assess", "read"],
    } == first.json() == again.json()  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": f"{BASE}/v1/assess"}, "wrong_audience"),
        ({"aud": "page-1"}, "wrong_audience"),
        ({"iss": EMR}, "unknown_issuer"),
        ({"sub": None}, "wrong_claim"),
        ({"exp": None}, "wrong_claim"),
        ({"exp": 1}, "token_expired"),
        ({"nbf": time.time() + 1000}, "token_from_the_future"),
        ({"scope": 7}, "wrong_claim"),
        ({"scope": [7]}, "wrong_claim"),
        ({"jti": 7}, "wrong_claim"),
    ],
)
def test_what_an_access_token_must_say(
    client: TestClient, claims: dict[str, Any], code: str
) -> None:
    assert code == access_refused(client, **claims)


def test_an_access_token_is_signed_with_a_key_pair(client: TestClient) -> None:
    head, claims = b64({"alg": "HS256", "typ": "JWT", "kid": "login-1"}), b64(access_claims())
    mac = hmac.new(b"secret", f"{head}.{claims}".encode(), hashlib.sha256).digest()

    assert "algorithm_not_allowed" == refused(client, f"{head}.{claims}.{b64(mac)}", "/v1/assess")
    assert "unknown_key" == access_refused(client, {"kid": "emr-1"})
    assert "wrong_token_type" == access_refused(client, {"typ": "logout+jwt"})


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("assess", "/v1/assess", 200),
        ("assess", "/v1/models", 403),
        ("read assess", "/v1/models", 200),
        (["assess"], "/v1/assess", 200),
        ("assess batch", "/v1/assess/batch", 403),  # more than its issuer may give
        ("cds-hooks assess", "/v1/assess", 200),
        ("", "/v1/assess", 403),
        (None, "/v1/assess", 403),
        ("assessments", "/v1/assess", 403),
        ("ASSESS", "/v1/assess", 403),
    ],
)
def test_scopes_of_access_tokens(client: TestClient, scope: Any, path: str, status: int) -> None:
    answer = client.get(path, headers=bearer(access_token(scope=scope)))

    assert status == answer.status_code
    if status == 403:
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert ["insufficient_scope"] == [p["code"] for p in answer.json()["problems"]]


def test_what_is_remembered_of_an_access_token_ends_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = AccessTokens(read_clients(folder / "clients.toml").oauth, BASE)
    now = time.time()
    said = access_token(exp=int(now) + 10)
    asyncio.run(tokens.client(said))
    monkeypatch.setattr(time, "time", lambda: now + 40)
    asyncio.run(tokens.client(said))  # within what clocks may differ
    monkeypatch.setattr(time, "time", lambda: now + 71)
    with pytest.raises(RequestError) as refusal:
        asyncio.run(tokens.client(said))

    assert ["token_expired"] == [problem.code for problem in refusal.value.problems]


def test_what_says_nothing_about_anybody_is_open_to_anybody() -> None:
    assert all(map(is_public, ("/health", "/page/advice", "/page/static/page.css")))
    closed = ("/page", "/page/assess", "/page/advice/x", "/page/static", "/v1/assess", "/metrics")
    assert not any(map(is_public, closed))
