"""The code that a browser brings, exchanged for an access token: OAuth 2, done by Authlib."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import httpx
from authlib.deprecate import AuthlibDeprecationWarning

with warnings.catch_warnings():  # it tells whoever starts the server to use httpx2
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from serving.jwks import FETCH_SECONDS
from serving.smart.discovery import Endpoints
from serving.smart.failed import failed
from serving.smart.servers import ALGORITHMS, SmartServer

SCOPE = "launch openid fhirUser patient/*.rs"
"""To read, never to write; what the EMR does not allow stays unknown."""

ASSERTION_SECONDS = 300

_PATIENT = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_CARD = re.compile(r"[0-9a-f]{32}")


@lru_cache
def _tls() -> ssl.SSLContext:
    """Certificates that are trusted; reading them takes a tenth of a second."""
    return httpx.create_ssl_context(trust_env=False)


class Granted(NamedTuple):
    """
    What an EMR gave.

    Attributes
    ----------
    access_token : str
        For its FHIR server. Never logged, kept or shown.
    id_token : str
        Who the user is, not verified yet.
    patient : str
        Id of the patient whose chart is open; empty if none is.
    card : str
        Id of the assessment whose card the page was opened from; empty if from none.
    """

    access_token: str
    id_token: str
    patient: str
    card: str


def client_of(server: SmartServer, endpoints: Endpoints, redirect_uri: str) -> AsyncOAuth2Client:
    """
    Make what talks OAuth 2 with an EMR.

    Parameters
    ----------
    server : SmartServer
        As which we are registered there.
    endpoints : Endpoints
        Of the EMR.
    redirect_uri : str
        Where it sends browsers back.

    Returns
    -------
    AsyncOAuth2Client
        With PKCE; to be closed.
    """
    client = AsyncOAuth2Client(
        server.client_id,
        server.key or server.secret,
        "private_key_jwt" if server.key else None,
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        timeout=FETCH_SECONDS,
        follow_redirects=False,
        trust_env=False,
        verify=_tls(),
    )
    if server.key:
        # Authlib's assertions live an hour; SMART allows five minutes.
        claims = {"exp": int(time.time()) + ASSERTION_SECONDS}
        headers = {"kid": server.key.kid, "typ": "JWT"}
        algorithm = ALGORITHMS[server.key.key_type]
        signed = PrivateKeyJWT(endpoints.token, claims, headers, algorithm)
        client.register_client_auth_method(signed)
    return client


async def exchange(
    server: SmartServer, endpoints: Endpoints, redirect_uri: str, code: str, verifier: str
) -> Granted:
    """
    Exchange a code.

    Parameters
    ----------
    server : SmartServer
        The EMR that gave it.
    endpoints : Endpoints
        Of the EMR.
    redirect_uri : str
        Where it sent the browser.
    code : str
        What the browser brought.
    verifier : str
        The secret of PKCE.

    Returns
    -------
    Granted
        What the EMR gave.

    Raises
    ------
    RequestError
        502 if it refuses, does not answer, or gives no access token.
    """
    async with client_of(server, endpoints, redirect_uri) as client:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                said = await client.fetch_token(endpoints.token, code=code, code_verifier=verifier)
        except OAuthError as error:
            ours = error.error in ("invalid_client", "unauthorized_client", "invalid_scope")
            raise failed("app_refused" if ours else "code_refused") from None
        except (httpx.HTTPError, OSError):
            raise failed("emr_unreachable") from None
        except (ValueError, TypeError, AttributeError):
            raise failed("no_token") from None
    return _granted(said)


def _granted(said: Any) -> Granted:
    """Check what an EMR gave; parts that are not as they must be count as not given."""
    token, kind = said.get("access_token"), said.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise failed("no_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise failed("no_token")
    id_token = said.get("id_token")
    return Granted(
        token,
        id_token if isinstance(id_token, str) else "",
        _form(said.get("patient"), _PATIENT),
        _form(said.get("appContext"), _CARD),
    )


def _form(given: Any, form: re.Pattern[str]) -> str:
    return given if isinstance(given, str) and form.fullmatch(given) else ""
