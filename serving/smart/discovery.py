"""Where an EMR has people log in, and how: its ``.well-known/smart-configuration``."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from cdss.errors import DefinitionError
from serving.jwks import Fetch, Fetched, Find, fetch, is_loopback, web_address
from serving.smart.failed import failed
from serving.smart.servers import SmartServer

KEPT_SECONDS = 300.0


class Endpoints(NamedTuple):
    """
    Where an EMR has people log in.

    Attributes
    ----------
    authorize : str
        Where the browser is sent.
    token : str
        Where a code is exchanged.
    issuer : str
        ``iss`` of its id tokens.
    find : callable
        Its public key with some ``kid``.
    """

    authorize: str
    token: str
    issuer: str
    find: Find


class Discovery:
    """
    Asks EMRs, and remembers the answer for some minutes.

    Parameters
    ----------
    fetch : callable
        Fetches a document.
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, fetch: Fetch = fetch, clock: Callable[[], float] = monotonic) -> None:
        self.fetch, self.clock = fetch, clock
        self._known: dict[str, tuple[Endpoints, float]] = {}

    async def of(self, server: SmartServer) -> Endpoints:
        """
        Say where an EMR has people log in.

        Parameters
        ----------
        server : SmartServer
            Which the site listed.

        Returns
        -------
        Endpoints
            All of them https, or all on this machine.

        Raises
        ------
        RequestError
            502 if it does not answer, or not as SMART App Launch has it.
        """
        known, until = self._known.get(server.iss, (None, 0.0))
        if known and self.clock() < until:
            return known
        try:
            document, _ = await self.fetch(f"{server.iss}/.well-known/smart-configuration")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            raise failed("emr_unreachable") from None
        try:
            found = _endpoints(json.loads(document), server)
        except (ValueError, KeyError, TypeError, DefinitionError):
            raise failed("emr_not_smart") from None
        self._known[server.iss] = found, self.clock() + KEPT_SECONDS
        return found


def _endpoints(said: Any, server: SmartServer) -> Endpoints:
    """Check what an EMR says; whatever is wrong raises."""
    if "S256" not in said["code_challenge_methods_supported"]:
        raise ValueError
    keys = _address(said["jwks_uri"], server)
    return Endpoints(
        _address(said["authorization_endpoint"], server),
        _address(said["token_endpoint"], server),
        _address(said["issuer"], server),
        Fetched(keys),
    )


def _address(address: Any, server: SmartServer) -> str:
    """Check an address: an EMR elsewhere cannot make us call what only this machine reaches."""
    web_address(str(address).partition("?")[0], "address")
    here, listed = (is_loopback(urlsplit(each).hostname or "") for each in (address, server.iss))
    if here and not listed:
        raise ValueError("this machine")
    return str(address)
