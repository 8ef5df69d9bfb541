"""A made-up site: who may call it, and what they send."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.apikeys import new_key

BASE = "https://cdss.example.org"
EMR = "https://emr.example.org"
LOGIN = "https://login.example.org"
LATER = date(2099, 12, 31)


@cache
def signer(kid: str, kind: str = "P-384") -> ECKey | RSAKey:
    """A private key; the same for the same name."""
    parameters = {"kid": kid, "use": "sig"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    return ECKey.generate_key(kind, parameters)


def jwks(*keys: ECKey | RSAKey) -> dict[str, Any]:
    """The public half of some keys."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def token(
    key: Any, claims: Mapping[str, Any], *, alg: str = "ES384", typ: str = "JWT", **header: Any
) -> str:
    """Sign what is said, whatever it is; a claim or header that is None is left out."""
    said = {"alg": alg, "typ": typ, "kid": key.kid} | header
    parts = [
        b64({name: value for name, value in part.items() if value is not None})
        for part in (said, claims)
    ]
    signature = JWSRegistry.algorithms[alg].sign(".".join(parts).encode(), key)
    return ".".join([*parts, b64(signature)])


def b64(data: Any) -> str:
    """Write bytes, or anything as JSON, as a part of a token."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hooks_claims(path: str = "/cds-services", **changes: Any) -> dict[str, Any]:
    """What the EMR says when it calls an address."""
    now = int(time.time())
    said = {"iss": EMR, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid4())}
    return said | changes


def hooks_token(path: str = "/cds-services", **changes: Any) -> str:
    """The EMR's token for one call of an address."""
    return token(signer("emr-1"), hooks_claims(path, **changes))


def access_claims(**changes: Any) -> dict[str, Any]:
    """What the login server says of a program."""
    now = int(time.time())
    said = {"iss": LOGIN, "aud": BASE, "sub": "page-1", "exp": now + 3600, "scope": "assess read"}
    return said | changes


def access_token(**changes: Any) -> str:
    """An access token of the login server."""
    return token(signer("login-1"), access_claims(**changes), typ="at+jwt")


def bearer(credential: str) -> dict[str, str]:
    """The header that shows a credential."""
    return {"authorization": f"Bearer {credential}"}


def site(folder: Path, **keys: str) -> Path:
    """
    Write who may call: an EMR, a login server, and owners of API keys.

    Keys are client=scopes; each key itself is written to ``<client>.key``.
    """
    folder.mkdir(exist_ok=True)
    (folder / "emr.json").write_text(json.dumps(jwks(signer("emr-1"), signer("emr-2", "RSA"))))
    (folder / "login.json").write_text(json.dumps(jwks(signer("login-1"))))
    text = f"""
[[cds_hooks]]
iss = "{EMR}"
jwks = "emr.json"

[[oauth]]
iss = "{LOGIN}"
jwks = "login.json"
scopes = ["assess", "read"]
"""
    for client, scopes in keys.items():
        key, table = new_key(client, scopes.split(), LATER)
        (folder / f"{client}.key").write_text(key)
        text += f"\n{table}"
    file = folder / "clients.toml"
    file.write_text(text)
    return file


def key_of(folder: Path, client: str) -> dict[str, str]:
    """The header with a client's API key."""
    return bearer((folder / f"{client}.key").read_text())


async def who(request: Request) -> JSONResponse:
    """Tell the client that the layer in front found."""
    client = request.state.client
    answer = {name: getattr(client, name) for name in ("issuer", "subject", "name", "token_id")}
    return JSONResponse(answer | {"scopes": sorted(client.scopes)})


SAYS_WHO = Starlette(routes=[Route("/{path:path}", who)])


def refused(client: TestClient, credential: str, path: str = "/cds-services/all") -> str:
    """Code of the 401 that a credential gets."""
    answer = client.get(path, headers=bearer(credential))
    assert 401 == answer.status_code, answer.text
    assert answer.headers["www-authenticate"].startswith('Bearer realm="cdss", error="invalid_')
    assert len(credential) < 9 or credential not in answer.text + str(answer.headers)
    if path.startswith("/cds-services"):
        (issue,) = answer.json()["issue"]
        return issue["details"]["coding"][0]["code"]
    return answer.json()["problems"][0]["code"]
