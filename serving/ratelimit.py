"""How many requests a client may send, with RateLimit headers (draft-ietf-httpapi-ratelimit)."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdss.errors import Problem
from serving.addresses import PROBES
from serving.clients import CDS_HOOKS, Client
from serving.problems import RequestError, refusal


class Limit:
    """
    So many of something, each minute or hour, of each who does it.

    Parameters
    ----------
    name : str
        Name of the limit in headers.
    rate : str
        Such as ``6000/minute``.
    """

    def __init__(self, name: str, rate: str) -> None:
        self.name, self.item = name, parse(rate)
        self.policy = f'"{name}";q={self.item.amount};w={self.item.get_expiry()}'
        self._counts = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, who: str) -> bool:
        """
        Count one.

        Parameters
        ----------
        who : str
            Whose.

        Returns
        -------
        bool
            False if it is one too many.
        """
        return await self._counts.hit(self.item, who)

    async def left(self, who: str) -> int:
        """
        Say how many are left.

        Parameters
        ----------
        who : str
            To whom.

        Returns
        -------
        int
            Now.
        """
        return (await self._counts.get_window_stats(self.item, who)).remaining

    async def headers(self, who: str) -> dict[str, str]:
        """
        Tell what is left.

        Parameters
        ----------
        who : str
            To whom.

        Returns
        -------
        dict
            RateLimit headers.
        """
        stats = await self._counts.get_window_stats(self.item, who)
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        return {
            "ratelimit-policy": self.policy,
            "ratelimit": f'"{self.name}";r={stats.remaining};t={seconds}',
        }

    async def exceeded(self, who: str, what: str) -> RequestError:
        """
        Make the refusal of one too many.

        Parameters
        ----------
        who : str
            Whose.
        what : str
            What there were too many of.

        Returns
        -------
        RequestError
            429 that says when to come again.
        """
        told = await self.headers(who)
        seconds = told["ratelimit"].rpartition("=")[2]
        problem = Problem("rate_limited", "request", f"came after too many {what}: {self.item}")
        return RequestError(429, [problem], told | {"retry-after": seconds})


class RateLimit:
    """
    Refuse requests of a client that sends too many.

    Parameters
    ----------
    app : ASGI application
        What answers.
    rate : str
        Such as ``6000/minute``, for each client (where there are none, each peer).
    """

    def __init__(self, app: ASGIApp, rate: str) -> None:
        self.app, self.limit = app, Limit("client", rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request, and pass it on or refuse it."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        who = _who(scope)
        if not await self.limit.hit(who):
            await refusal(scope, await self.limit.exceeded(who, "requests"))(scope, receive, send)
            return
        told = await self.limit.headers(who)

        async def telling_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self.app(scope, receive, telling_send)


def _who(scope: Scope) -> str:
    """Name under which a request counts: one that its sender cannot choose."""
    client: Client | None = scope.get("state", {}).get("client")
    if client is None:
        return peer_of(scope)
    if client.scopes == CDS_HOOKS:  # whose subject is what the client says
        return client.issuer
    return f"{client.issuer} {client.subject}"


def peer_of(scope: Scope) -> str:
    """
    Say from where a request came.

    Parameters
    ----------
    scope : mapping
        Its ASGI scope.

    Returns
    -------
    str
        Address of the peer; of the one a proxy on this machine names, if it does.
    """
    peer = scope.get("client")
    return str(peer[0]) if peer else ""
