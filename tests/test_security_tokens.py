"""Tokens of CDS Hooks clients, attack by attack."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from serving.clients import read_clients
from serving.problems import RequestError
from serving.security import Authenticate
from serving.tokens import LONGEST_LIFE, Seen
from tests.security_clients import (
    BASE,
    EMR,
    LOGIN,
    SAYS_WHO,
    access_token,
    b64,
    bearer,
    hooks_claims,
    hooks_token,
    jwks,
    key_of,
    refused,
    signer,
    site,
    token,
)  # fmt: skip

HOOKS = "/cds-services/all"


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


def hooks_refused(client: TestClient, header: dict[str, Any] | None = None, **claims: Any) -> str:
    said = token(signer("emr-1"), hooks_claims(HOOKS, **claims), **(header or {}))
    return refused(client, said)


def test_an_emr_calls(client: TestClient) -> None:
    answer = client.get(HOOKS, headers=bearer(hooks_token(HOOKS, jti="call-1", tenant="ward 3")))

    assert 200 == answer.status_code
    assert {
        "issuer": EMR, "subject": "ward 3", "name": EMR, "token_id": "call-1",
        "scopes": ["cds-hooks"],
    } == answer.json()  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/cds-services", HOOKS, f"{HOOKS}/feedback"]
)  # discovery, call, feedback
def test_each_address_has_its_own_audience(client: TestClient, path: str) -> None:
    assert 200 == client.get(path, headers=bearer(hooks_token(path))).status_code
    assert 200 == client.get(f"{path}?lang=vi", headers=bearer(hooks_token(path))).status_code
    assert "wrong_audience" == refused(client, hooks_token(f"{path}/"), path)


def test_an_audience_may_be_a_list(client: TestClient) -> None:
    said = hooks_token(HOOKS, aud=["https://other.example.org", BASE + HOOKS])

    assert 200 == client.get(HOOKS, headers=bearer(said)).status_code


def test_rsa_384_is_accepted_too(client: TestClient) -> None:
    said = token(signer("emr-2", "RSA"), hooks_claims(HOOKS), alg="RS384")

    assert 200 == client.get(HOOKS, headers=bearer(said)).status_code


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": BASE}, "wrong_audience"),
        ({"aud": f"{BASE}/cds-services"}, "wrong_audience"),
        ({"aud": f"http://cdss.example.org{HOOKS}"}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": [["x"]]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": {"a": 1}}, "wrong_audience"),
        ({"iss": None}, "unknown_issuer"),
        ({"iss": "https://evil.example.org"}, "unknown_issuer"),
        ({"iss": LOGIN}, "unknown_issuer"),
        ({"iss": [EMR]}, "unknown_issuer"),
        ({"jti": None}, "wrong_claim"),
        ({"jti": ""}, "wrong_claim"),
        ({"jti": 7}, "wrong_claim"),
        ({"jti": "x" * 300}, "wrong_claim"),
        ({"exp": None}, "wrong_claim"),
        ({"exp": "2099-01-01"}, "wrong_claim"),
        ({"exp": True}, "wrong_claim"),
        ({"iat": None}, "wrong_claim"),
        ({"tenant": 7}, "wrong_claim"),
        ({"exp": float("inf")}, "malformed_token"),
        ({"exp": float("nan")}, "malformed_token"),
    ],
)
def test_what_a_token_must_say(client: TestClient, claims: dict[str, Any], code: str) -> None:
    assert code == hooks_refused(client, **claims)


@pytest.mark.parametrize(
    ("issued", "expires", "code"),
    [
        (-400, -100, "token_expired"),
        (-361, -61, "token_expired"),
        (61 + 5, 300, "token_from_the_future"),
        (0, LONGEST_LIFE + 1, "token_too_long_lived"),
        (0, 10**9, "token_too_long_lived"),
        (-3600, 60, "token_too_long_lived"),
    ],
)
def test_when_a_token_is_good(client: TestClient, issued: int, expires: int, code: str) -> None:
    now = int(time.time())

    assert code == hooks_refused(client, iat=now + issued, exp=now + expires)


def test_clocks_may_differ_a_little(client: TestClient) -> None:
    now = int(time.time())
    for shift in (-330, 30):  # expired 30 s ago; will be signed in 30 s
        said = hooks_token(HOOKS, iat=now + shift, exp=now + shift + 300)
        assert 200 == client.get(HOOKS, headers=bearer(said)).status_code


def test_what_is_not_yet_valid(client: TestClient) -> None:
    assert "token_from_the_future" == hooks_refused(client, nbf=time.time() + 200)


def test_a_token_is_used_up(client: TestClient) -> None:
    said = hooks_token(HOOKS)

    assert 200 == client.get(HOOKS, headers=bearer(said)).status_code
    assert "token_used_before" == refused(client, said)


def test_a_new_signature_does_not_renew_a_name(client: TestClient) -> None:
    claims = hooks_claims(HOOKS)
    one, other = (token(signer("emr-1"), claims) for _ in range(2))

    assert one != other
    assert 200 == client.get(HOOKS, headers=bearer(one)).status_code
    assert "token_used_before" == refused(client, other)


def test_a_token_that_was_refused_is_not_used_up(client: TestClient) -> None:
    said = hooks_token(HOOKS)
    assert "wrong_signature" == refused(client, said[:-8] + "AAAAAAAA")
    assert "wrong_audience" == refused(client, said, "/cds-services")

    assert 200 == client.get(HOOKS, headers=bearer(said)).status_code


def test_without_a_signature(client: TestClient) -> None:
    for alg in ("none", "None", "NONE", ""):
        header = {"alg": alg, "typ": "JWT", "kid": "emr-1"}
        for signature in ("", b64(b"x")):
            said = f"{b64(header)}.{b64(hooks_claims(HOOKS))}.{signature}"
            assert "algorithm_not_allowed" == refused(client, said)


def test_with_the_public_key_as_a_shared_secret(client: TestClient) -> None:
    public = signer("emr-1").as_pem(private=False)
    head, claims = b64({"alg": "HS384", "typ": "JWT", "kid": "emr-1"}), b64(hooks_claims(HOOKS))
    for secret in (public, json.dumps(signer("emr-1").as_dict(private=False)).encode(), b""):
        mac = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha384).digest()
        assert "algorithm_not_allowed" == refused(client, f"{head}.{claims}.{b64(mac)}")


@pytest.mark.parametrize("alg", ["ES256", "ES512", "RS256", "PS384", "EdDSA", "dir", 384, None, []])
def test_other_signatures(client: TestClient, alg: Any) -> None:
    rest = hooks_token(HOOKS).partition(".")[2]
    header = {"alg": alg, "typ": "JWT", "kid": "emr-1"}

    assert "algorithm_not_allowed" == refused(client, f"{b64(header)}.{rest}")


@pytest.mark.parametrize("typ", [None, "at+jwt", "JWE", "jwt", 7])
def test_another_type(client: TestClient, typ: Any) -> None:
    rest = hooks_token(HOOKS).partition(".")[2]
    header = {"alg": "ES384", "kid": "emr-1"} | ({} if typ is None else {"typ": typ})

    assert "wrong_token_type" == refused(client, f"{b64(header)}.{rest}")


def test_the_key_of_another(client: TestClient) -> None:
    mallory = ECKey.generate_key("P-384", {"kid": "emr-1"})

    assert "wrong_signature" == refused(client, token(mallory, hooks_claims(HOOKS)))
    for kid in ("emr-3", "login-1", "", None, 1, ["emr-1"], "x" * 1000):
        said = token(signer("emr-1"), hooks_claims(HOOKS), kid=kid)
        assert "unknown_key" == refused(client, said)


def test_an_rsa_key_named_for_an_elliptic_signature(client: TestClient) -> None:
    assert "wrong_signature" == hooks_refused(client, {"kid": "emr-2"})


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_what_a_header_says_about_keys_is_not_believed(client: TestClient, name: str) -> None:
    mallory = ECKey.generate_key("P-384", {"kid": "m"})
    for header in (
        {"jwk": mallory.as_dict(private=False)},
        {name: "https://evil.example.org/jwks.json"},
        {"jwk": mallory.as_dict(private=False), "kid": "emr-1"},
    ):
        code = refused(client, token(mallory, hooks_claims(HOOKS), **header))
        assert code in {"unknown_key", "wrong_signature"}


def test_a_header_that_must_be_understood_and_is_not(client: TestClient) -> None:
    assert "wrong_signature" == hooks_refused(client, {"crit": ["exp"], "exp": 1})


def test_what_was_changed_after_signing(client: TestClient) -> None:
    head, _, signature = hooks_token(HOOKS).split(".")

    assert "wrong_signature" == refused(client, f"{head}.{b64(hooks_claims(HOOKS))}.{signature}")
    assert "wrong_signature" == refused(
        client, f"{b64({'alg': 'ES384', 'typ': 'JWT', 'kid': 'emr-1', 'x': 1})}."
        f"{b64(hooks_claims(HOOKS))}.{signature}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "garbage",
    [
        "x", ".", "..", "...", "a.b.c", "a.b.c.d", "cdss", "{}", "null", "=" * 50,
        f"{b64([])}.{b64({})}.x", f"{b64({'alg': 'ES384'})}.{b64([])}.x",
        f"{b64(b'{')}.{b64({})}.x",
        f"{b64({'alg': 'ES384'})}.{b64(b'[' * 5000)}.x", f"{b64(7)}.{b64({})}.x",
        f"{b64({'alg': 'ES384'})}.{b64(b'{}{}')}.x", f"{b64(b'xff')}.{b64(b'xff')}.",
        f"{b64({'typ': 'JWT'})}.{b64({})}.x",
    ],
)  # fmt: skip
def test_garbage(client: TestClient, garbage: str) -> None:
    assert "malformed_token" == refused(client, garbage)
    assert "malformed_token" == refused(client, garbage, "/v1/assess")


def test_an_oversized_token(client: TestClient) -> None:
    assert "malformed_token" == hooks_refused(client, padding="x" * 8000)
    assert 200 == client.get(HOOKS, headers=bearer(hooks_token(HOOKS, pad="x" * 5000))).status_code


def test_two_authorization_headers(client: TestClient) -> None:
    for pair in ([hooks_token(HOOKS)] * 2, [hooks_token(HOOKS), "x"]):
        headers = [("authorization", f"Bearer {said}") for said in pair]
        answer = client.get(HOOKS, headers=headers)
        assert 401 == answer.status_code
        assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    joined = f"{hooks_token(HOOKS)}, Bearer {hooks_token(HOOKS)}"
    assert "malformed_token" == refused(client, joined)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "bearertoken"])
def test_no_credential(client: TestClient, header: str | None) -> None:
    answer = client.get(HOOKS, headers={} if header is None else {"authorization": header})

    assert 401 == answer.status_code
    assert answer.headers["www-authenticate"].startswith('Bearer realm="cdss"')
    assert (header is None) == ("error=" not in answer.headers["www-authenticate"])


def test_a_token_for_one_kind_of_address_is_none_for_the_other(
    client: TestClient, folder: Path
) -> None:
    assert "wrong_token_type" == refused(client, access_token(aud=BASE + HOOKS))
    for said in (hooks_token("/v1/assess"), hooks_token("", scope="assess")):
        assert "unknown_issuer" == refused(client, said, "/v1/assess")
    assert 401 == client.get(HOOKS, headers=key_of(folder, "ward")).status_code


def test_few_tokens_are_remembered_and_none_is_forgotten_while_it_lives() -> None:
    seen = Seen(most=3)

    assert [True, True, True] == [seen.add(name, 100, 0) for name in "abc"]
    assert not seen.add("a", 100, 50)
    with pytest.raises(RequestError) as refusal:
        seen.add("d", 100, 50)
    assert 429 == refusal.value.status
    assert seen.add("d", 300, 101)
    assert seen.add("a", 300, 101)
    assert not seen.add("d", 300, 102)


def test_a_jku_that_is_not_registered(tmp_path: Path) -> None:
    fetched: list[str] = []

    async def fetch(address: str) -> tuple[bytes, str]:
        fetched.append(address)
        return json.dumps(jwks(signer("emr-1"))).encode(), ""

    file = tmp_path / "clients.toml"
    file.write_text(f'[[cds_hooks]]\niss = "{EMR}"\njku = "{EMR}/jwks.json"\n')
    clients = read_clients(file)
    clients.cds_hooks[EMR].find.fetch = fetch  # type: ignore[attr-defined]
    with TestClient(Authenticate(SAYS_WHO, clients, BASE)) as client:
        for jku in (f"{EMR}/other.json", f"{EMR}/jwks.json#", f"{EMR}/jwks.json/", "", 7, None):
            header = {"alg": "ES384", "typ": "JWT", "kid": "emr-1", "jku": jku}
            rest = hooks_token(HOOKS).partition(".")[2]
            assert "jku_not_allowed" == refused(client, f"{b64(header)}.{rest}")
        assert [] == fetched
        for header in ({"jku": f"{EMR}/jwks.json"}, {}):
            said = token(signer("emr-1"), hooks_claims(HOOKS), **header)
            assert 200 == client.get(HOOKS, headers=bearer(said)).status_code

    assert [f"{EMR}/jwks.json"] == fetched
