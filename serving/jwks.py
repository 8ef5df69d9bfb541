"""Public keys of those who sign tokens: from a file, or fetched from an address we were given."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cdss.errors import DefinitionError, Problem
from serving.problems import RequestError

Key = ECKey | RSAKey
Find = Callable[[str], Awaitable[Key | None]]
"""The key with a ``kid``, if there is one."""

CURVES = ("P-256", "P-384")
LEAST_RSA_BITS = 2048

MOST_BYTES = 100_000
FETCH_SECONDS = 5.0
RETRY_SECONDS = 10.0
"""Between two requests to an issuer: whoever sends us tokens must not make us send more."""

_KEPT_SECONDS = 300.0  # where the issuer does not say how long
_LEAST_KEPT, _MOST_KEPT = 60.0, 3600.0
_MAX_AGE = re.compile(r"(?:^|[ ,])max-age=(\d{1,9})(?:$|[ ,])", re.IGNORECASE)
_log = structlog.get_logger()


def read_jwks(document: Any) -> Mapping[str, Key]:
    """
    Read a JSON Web Key Set.

    Parameters
    ----------
    document : object
        Decoded JSON.

    Returns
    -------
    mapping of str to ECKey or RSAKey
        By ``kid``: the public keys for signatures that are strong enough. Others are left out.

    Raises
    ------
    ValueError
        If there is none, a ``kid`` is given twice, or a key is private.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("is not a JSON Web Key Set")
    found: dict[str, Key] = {}
    for entry in listed:
        if not isinstance(entry, dict):
            continue
        if "d" in entry:
            raise ValueError("holds a private key; only public keys belong here")
        kid, key = entry.get("kid"), _public(entry)
        if key is None or not isinstance(kid, str):
            continue
        if kid in found:
            raise ValueError("gives the same kid twice")
        found[kid] = key
    if not found:
        raise ValueError(f"has no key that can be used (EC {' or '.join(CURVES)}, "
                         f"RSA from {LEAST_RSA_BITS} bits; each with kid)")  # fmt: skip
    return found


def _public(entry: dict[str, Any]) -> Key | None:
    """Take a key if it can be used for signatures."""
    if entry.get("use", "sig") != "sig":
        return None
    try:
        if entry.get("kty") == "EC" and entry.get("crv") in CURVES:
            return ECKey.import_key(entry)
        if entry.get("kty") == "RSA":
            key = RSAKey.import_key(entry)
            return key if key.public_key.key_size >= LEAST_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def web_address(address: Any, where: str) -> str:
    """
    Check an address of the web.

    Parameters
    ----------
    address : object
        What was given.
    where : str
        Its name in the error.

    Returns
    -------
    str
        The address.

    Raises
    ------
    DefinitionError
        If it is not ``https://...``, or ``http://`` of this machine, without user, query and
        fragment.
    """
    wrong = DefinitionError(f"{where}: must be an https:// address without user, query, fragment")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        raise wrong from None
    if not isinstance(address, str) or not host or "@" in parts.netloc:
        raise wrong
    if parts.query or parts.fragment or not re.fullmatch(r"[!#-\[\]-~]+", address):
        raise wrong
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise wrong
    return address


def is_loopback(host: str) -> bool:
    """
    Tell whether a name or number of a host means this machine.

    Parameters
    ----------
    host : str
        Without port and brackets.

    Returns
    -------
    bool
        True if nobody else can be meant.
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


Fetch = Callable[[str], Awaitable[tuple[bytes, str]]]


async def fetch(address: str) -> tuple[bytes, str]:
    """
    Fetch a document, from exactly this address.

    Parameters
    ----------
    address : str
        Of the configuration, never of a request.

    Returns
    -------
    tuple of bytes and str
        The document and its Cache-Control.

    Raises
    ------
    ValueError
        If the answer is not 200 (redirects are not followed) or is too large.
    httpx.HTTPError
        If there is no answer in time.
    """
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client,
        client.stream("GET", address, headers={"accept": "application/json"}) as answer,
    ):
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError("too large")
        return bytes(body), answer.headers.get("cache-control", "")


class Fetched:
    """
    Keys at an address, kept for as long as their owner allows (a minute at least, an hour at most).

    A ``kid`` that is not among them makes us look again, since keys are exchanged; not more often
    than every `RETRY_SECONDS`.

    Parameters
    ----------
    jku : str
        Address of the JSON Web Key Set.
    fetch : callable
        Fetches it.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self, jku: str, fetch: Fetch = fetch, clock: Callable[[], float] = monotonic
    ) -> None:
        self.jku, self.fetch, self.clock = jku, fetch, clock
        self._keys: Mapping[str, Key] = {}
        self._fresh_until = self._tried = -math.inf
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, kid: str) -> Key | None:
        """Find a key; `RequestError` 503 if there are none that are fresh."""
        if not self._has(kid):
            async with self._one_at_a_time:
                if not self._has(kid) and self.clock() - self._tried >= RETRY_SECONDS:
                    await self._renew()
        if self.clock() >= self._fresh_until:
            detail = "cannot be checked now: the keys of its issuer cannot be fetched"
            problem = Problem("keys_unavailable", "authorization", detail)
            raise RequestError(503, [problem], {"retry-after": f"{RETRY_SECONDS:.0f}"})
        return self._keys.get(kid)

    def _has(self, kid: str) -> bool:
        return kid in self._keys and self.clock() < self._fresh_until

    async def _renew(self) -> None:
        """Fetch the keys; if that fails, those we have serve as long as they are fresh."""
        self._tried = self.clock()
        try:
            document, cache_control = await self.fetch(self.jku)
            self._keys = read_jwks(json.loads(document))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            _log.warning("keys_not_fetched", error=type(error).__name__)
            return
        said = _MAX_AGE.search(cache_control)
        kept = float(said[1]) if said else _KEPT_SECONDS
        if "no-store" in cache_control.lower() or "no-cache" in cache_control.lower():
            kept = 0.0
        self._fresh_until = self.clock() + min(max(kept, _LEAST_KEPT), _MOST_KEPT)
