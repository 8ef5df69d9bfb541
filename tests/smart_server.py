"""
An EMR that opens apps: its login, which really checks what SMART App Launch asks of it, its FHIR
server, which answers to its own tokens only, and a page of its own. Each way in which one of them
can go wrong is a switch.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.conftest import ROOT
from tests.hooks_emr import Resource, search
from tests.security_clients import jwks, signer, token

CLIENT = "cdss"
SECRET = "s3cret-of-cdss"
USER = "dr-hoa"
PATIENT = "lan"
SCOPES = {"launch", "openid", "fhirUser", "patient/*.rs"}


def example() -> list[Resource]:
    """The patient of an example, measured three days ago."""
    file = ROOT / "tests" / "fhir_examples" / "si-searchset.json"
    found = [entry["resource"] for entry in json.loads(file.read_text("utf-8"))["entry"]]
    day = (date.today() - timedelta(days=3)).isoformat()
    for resource in found:
        if "effectiveDateTime" in resource:
            resource["effectiveDateTime"] = day
    return found


@dataclass
class Emr:
    """What it knows, and what it gets wrong."""

    resources: list[Resource] = field(default_factory=example)
    apps: tuple[str, ...] = ()  # where ours is
    registered: str = "secret"  # or "public", "key"
    context: dict[str, Any] = field(default_factory=lambda: {"patient": PATIENT})
    launches: dict[str, dict[str, Any]] = field(default_factory=dict)  # what differs in some
    configuration: dict[str, Any] = field(default_factory=dict)  # said instead; ... leaves out
    refuses: dict[str, str] = field(default_factory=dict)  # said instead of a code
    claims: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "emr-login"
    token_says: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    fhir_status: int = 200
    fhir_waits: float = 0.0
    code_lives: float = 60.0
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # token -> patient
    asked: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def starlette(self) -> Starlette:
        return Starlette(routes=[
            Route("/r4/.well-known/smart-configuration", self.discover),
            Route("/authorize", self.authorize),
            Route("/token", self.exchange, methods=["POST"]),
            Route("/jwks.json", self.keys),
            Route("/r4/{kind}", self.fhir),
            Route("/r4/{kind}/{id}", self.fhir),
            Route("/chart", self.chart),
            Route("/frame", self.frame),
        ])  # fmt: skip

    async def discover(self, request: Request) -> Response:
        base = str(request.base_url)
        said = {
            "issuer": base.rstrip("/"),
            "jwks_uri": f"{base}jwks.json",
            "authorization_endpoint": f"{base}authorize",
            "token_endpoint": f"{base}token",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "client-public", "sso-openid-connect"],
            **self.configuration,
        }
        return JSONResponse({k: v for k, v in said.items() if v is not ...})

    async def keys(self, request: Request) -> Response:
        return JSONResponse(jwks(signer("emr-login")))

    async def authorize(self, request: Request) -> Response:
        """Log in whoever comes, if the app asks as it must."""
        asked = dict(request.query_params)
        redirect = asked.get("redirect_uri", "")
        if (
            redirect not in {f"{a}/smart/callback" for a in self.apps}
            or asked.get("client_id") != CLIENT
        ):
            return Response("not registered", 400)  # never sent to an address nobody registered
        wrong = (
            asked.get("response_type") != "code"
            or asked.get("aud") != f"{request.base_url}r4"
            or asked.get("code_challenge_method") != "S256"
            or len(asked.get("code_challenge", "")) != 43
            or set(asked.get("scope", "").split()) != SCOPES
            or not asked.get("launch")
            or len(asked.get("state", "")) < 22
        )
        said = {"error": "invalid_request"} if wrong else self.refuses
        if error := self.launches.get(asked.get("launch", ""), {}).get("error"):
            said = {"error": error}
        if not said:
            code = secrets.token_urlsafe(16)
            until = time.monotonic() + self.code_lives
            self.codes[code] = {**asked, "until": until}
            said = {"code": code, "iss": str(request.base_url).rstrip("/")}
        return RedirectResponse(f"{redirect}?{urlencode({**said, 'state': asked['state']})}", 302)

    async def exchange(self, request: Request) -> Response:
        """Exchange a code once, for the app that it was made for."""
        form = {key: str(value) for key, value in (await request.form()).items()}
        if self.token_status >= 400:
            return Response("out of order", self.token_status)
        if not self._is_cdss(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            code is None
            or form.get("grant_type") != "authorization_code"
            or code["until"] < time.monotonic()
            or form.get("redirect_uri") != code["redirect_uri"]
            or challenge != code["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = f"access-{secrets.token_urlsafe(24)}"
        self.tokens[access] = self.context.get("patient", "")
        said = {
            "access_token": access, "token_type": "Bearer", "expires_in": 3600,
            "scope": code["scope"], "refresh_token": f"refresh-{secrets.token_urlsafe(8)}",
            "id_token": self._id_token(str(request.base_url), code["nonce"]),
            **self.context, **self.launches.get(code["launch"], {}), **self.token_says,
        }  # fmt: skip
        kept = {k: v for k, v in said.items() if v is not ...}
        return JSONResponse(kept, headers={"cache-control": "no-store"})

    def _id_token(self, base: str, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": base.rstrip("/"), "aud": CLIENT, "sub": USER, "iat": now, "exp": now + 300,
            "nonce": nonce, "fhirUser": f"{base}r4/Practitioner/12", **self.claims,
        }  # fmt: skip
        key = signer(self.signs_with)
        return token(key, {k: v for k, v in claims.items() if v is not ...}, kid="emr-login")

    def _is_cdss(self, request: Request, form: Mapping[str, str]) -> bool:
        basic = request.headers.get("authorization", "")
        if self.registered == "secret":
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            return basic == f"Basic {expected}"
        if self.registered == "public":
            return not basic and form.get("client_id") == CLIENT
        return not basic and self._signed(form, f"{request.base_url}token")

    def _signed(self, form: Mapping[str, str], address: str) -> bool:
        """Whether an assertion is the app's, for this server, short-lived and used once."""
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        try:
            said = jwt.decode(form.get("client_assertion", ""), signer("cdss-app"), ["ES384"])
        except JoseError:
            return False
        claims, now = said.claims, time.time()
        fresh = claims["jti"] not in self.seen
        self.seen.add(claims["jti"])
        return (
            form.get("client_assertion_type") == kind
            and said.header["kid"] == "cdss-app"
            and claims["iss"] == claims["sub"] == CLIENT
            and claims["aud"] == address
            and now < claims["exp"] <= now + 301
            and fresh
        )

    async def fhir(self, request: Request) -> Response:
        kind, id = request.path_params["kind"], request.path_params.get("id")
        self.asked.append(f"{kind}/{id}" if id else kind)
        await anyio.sleep(self.fhir_waits)
        if self.fhir_status != 200:
            return JSONResponse({"resourceType": "OperationOutcome"}, self.fhir_status)
        scheme, _, access = request.headers.get("authorization", "").partition(" ")
        patient = self.tokens.get(access)
        if scheme != "Bearer" or not patient:
            return JSONResponse({"resourceType": "OperationOutcome"}, 401)
        if id is None:
            if request.query_params.get("patient") != patient:
                return JSONResponse({"resourceType": "OperationOutcome"}, 403)
            return JSONResponse(search(f"{kind}?{request.query_params}", self.resources))
        named = [r for r in self.resources if (r["resourceType"], r["id"]) == (kind, id)]
        return JSONResponse(named[0] if named else {}, 200 if named else 404)

    async def chart(self, request: Request) -> Response:
        """The EMR's page about a patient, from which the app is opened."""
        base = str(request.base_url)
        links = [
            f'<p><a href="{self.opens(base, launch)}">{launch}</a></p>'
            for launch in ("chart", *self.launches)
        ]
        return HTMLResponse(f"<!doctype html><title>EMR</title><h1>Chart</h1>{''.join(links)}")

    async def frame(self, request: Request) -> Response:
        """The same, with the app within it."""
        app = self.opens(f"http://127.0.0.1:{request.url.port}/")
        frame = f'<iframe name="app" width="1000" height="900" src="{app}"></iframe>'
        return HTMLResponse(f"<!doctype html><title>EMR</title><h1>Chart</h1>{frame}")

    def opens(self, base: str, launch: str = "xyz-1") -> str:
        """Address with which it opens the app."""
        return f"{self.apps[0]}/smart/launch?{urlencode({'iss': f'{base}r4', 'launch': launch})}"


def sent_to_login(cdss: TestClient, emr: str, iss: str | None = None) -> httpx.Response:
    """The app's answer when the EMR opens it."""
    asked = {"iss": iss or f"{emr}/r4", "launch": "xyz-1"}
    return cdss.get("/smart/launch", params=asked, follow_redirects=False)


def back_from_login(answer: httpx.Response) -> str:
    """Where the EMR's login sends the browser back to."""
    login = httpx.get(answer.headers["location"], follow_redirects=False, verify=False)
    assert 302 == login.status_code, login.text
    return str(login.headers["location"])


def opened(cdss: TestClient, emr: str) -> httpx.Response:
    """What the user sees in the end."""
    answer = sent_to_login(cdss, emr)
    return cdss.get(back_from_login(answer)) if answer.status_code == 302 else answer
