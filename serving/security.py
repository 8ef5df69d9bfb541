"""
Who may call what: the layer that lets a request through to the routes, or refuses it.

Every address but the probes needs a client: those of CDS Hooks a token signed for that one call,
the others an OAuth 2 access token or an API key with the scope that `serving.addresses` names.
For a browser that was opened from an EMR its session stands for these (`serving.smart.sessions`).
Without clients the service is open, and answers only those on the same machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdss.errors import Problem
from serving.addresses import PROBES, is_public, scope_of
from serving.apikeys import PREFIX, client_of
from serving.clients import CDS_HOOKS, Client, Clients
from serving.jwks import is_loopback
from serving.problems import RequestError, refusal, unauthorized
from serving.ratelimit import Limit, peer_of
from serving.tokens import AccessTokens, HooksTokens

OPEN_HEADER = "cdss-authentication"

_OF_PROXIES = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host"})

REFUSALS = "300/minute"
"""Refused attempts of one peer; then it is refused before anything costs us a signature."""


class Authenticate:
    """
    Let known clients through, each to what it may use.

    Parameters
    ----------
    app : ASGI application
        What answers; finds the client in ``request.state.client``.
    clients : Clients
        Who may call.
    base_url : str
        Our public address.
    """

    def __init__(self, app: ASGIApp, clients: Clients, base_url: str) -> None:
        self.app, self.base_url, self.keys = app, base_url, clients.keys
        self.hooks = HooksTokens(clients.cds_hooks)
        self.access = AccessTokens(clients.oauth, base_url)
        self.refusals = Limit("refusals", REFUSALS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its client, or refuse it."""
        if scope["type"] == "http" and not is_public(scope["path"]):
            try:
                scope.setdefault("state", {})["client"] = await self._client(scope)
            except RequestError as error:
                scope["state"]["log"] = {"refused": error.problems[0].code}
                await refusal(scope, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _client(self, scope: Scope) -> Client:
        """Who sent a request, if it may."""
        peer = peer_of(scope)
        if not await self.refusals.left(peer):
            raise await self.refusals.exceeded(peer, "refusals")
        try:
            client = await self._known(scope)
        except RequestError as error:
            if error.status == 401:
                await self.refusals.hit(peer)
            raise
        needed = scope_of(scope["path"])
        if needed is None:
            raise RequestError(404, [Problem("unknown_path", "path", "does not exist")])
        if needed not in client.scopes:
            detail = f"needs the scope {needed}"
            challenge = f'Bearer realm="cdss", error="insufficient_scope", scope="{needed}"'
            problem = Problem("insufficient_scope", "authorization", detail)
            raise RequestError(403, [problem], {"www-authenticate": challenge})
        return client

    async def _known(self, scope: Scope) -> Client:
        """Who sent a request."""
        if client := scope.get("state", {}).get("client"):
            return client  # of a session, which is for pages alone
        path, credential = scope["path"], _bearer(scope)
        if scope_of(path) in CDS_HOOKS:
            return await self.hooks.client(credential, self.base_url + path)
        if credential.startswith(PREFIX):
            return client_of(credential, self.keys)
        return await self.access.client(credential)


def _bearer(scope: Scope) -> str:
    """What stands in the one Authorization header after Bearer."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if not given:
        raise unauthorized("no_credential", "must be Bearer and a token or an API key", "")
    if len(given) > 1:
        raise unauthorized("several_credentials", "is given more than once", "invalid_request")
    scheme, _, credential = str(given[0], "latin-1").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip().isascii():
        raise unauthorized(
            "no_credential", "must be Bearer and a token or an API key", "invalid_request"
        )
    return credential.strip()


class OnlyHere:
    """
    Answer only who calls this machine, on this machine, by its own name.

    For a service that is open: a request over the network, of a proxy that says it is one, or of a
    page that made its own name point here (DNS rebinding) is refused. Every answer says it is open.

    Parameters
    ----------
    app : ASGI application
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it stays on this machine."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return

        async def marked_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[OPEN_HEADER] = "off"
            await send(message)

        if _stays_here(scope):
            await self.app(scope, receive, marked_send)
        else:
            detail = "must come from this machine to 127.0.0.1, as CDSS_CLIENTS is not set"
            error = RequestError(403, [Problem("open_only_here", "request", detail)])
            await refusal(scope, error)(scope, receive, marked_send)


def _stays_here(scope: Mapping[str, Any]) -> bool:
    """Whether a request was sent to this machine alone, and its sender knows."""
    server = scope.get("server")
    if not server or not is_loopback(server[0]):
        return False
    for name, value in scope["headers"]:
        if name == b"host" and not is_loopback(_without_port(value.decode("latin-1"))):
            return False
        if name in _OF_PROXIES:
            return False
    return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
