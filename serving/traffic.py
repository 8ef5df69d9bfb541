"""
Limits of time, concurrency and size; the first two in place of BentoML's.

BentoML 1.4 starts a timer for every request and never cancels it, so the loop holds on to each
request for as long as the time limit: memory grows, and garbage collection pauses for 0.1-0.7 s.
Ours ends with the request. Both answer with problems as the rest of the service does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdss.errors import Problem
from serving.addresses import PROBES
from serving.observe import record
from serving.problems import RequestError, refusal

ALWAYS = (*sorted(PROBES), "/metrics")
"""Answered however busy the service is."""


class Timeout:
    """
    Answer 504 to a request that takes too long, a body that is sent too slowly included.

    Parameters
    ----------
    app : ASGI application
        What answers.
    timeout : float
        Seconds.
    """

    def __init__(self, app: ASGIApp, timeout: float) -> None:
        self.app, self.timeout = app, timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on for as long as it may take."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self.timeout):  # which cancels its timer on leaving
                await self.app(scope, receive, watched_send)
        except TimeoutError:
            if not started:
                problem = Problem("timeout", "request", f"took longer than {self.timeout:g} s")
                error = RequestError(504, [problem], {"connection": "close"})
                await refusal(scope, error)(scope, receive, send)


class MaxConcurrency:
    """
    Answer 429 to a request when as many as allowed are being answered.

    Parameters
    ----------
    app : ASGI application
        What answers.
    max_concurrency : int
        Most requests answered at a time.
    skip_paths : sequence of str
        More paths that are always answered, besides `ALWAYS`.
    """

    def __init__(self, app: ASGIApp, max_concurrency: int, skip_paths: Sequence[str] = ()) -> None:
        self.app, self.free = app, max_concurrency
        self.skip_paths = frozenset({*ALWAYS, *skip_paths})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it at once."""
        if scope["type"] != "http" or scope["path"] in self.skip_paths:
            await self.app(scope, receive, send)
        elif self.free:
            self.free -= 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.free += 1
        else:
            problem = Problem("too_many_requests", "request", "came while too many were answered")
            error = RequestError(429, [problem], {"retry-after": "1"})
            await refusal(scope, error)(scope, receive, send)
            record(scope, 429, 0.0)


class BodyLimit:
    """
    Refuse bodies larger than any that is read, whatever a route does.

    Parameters
    ----------
    app : ASGI application
        What answers; a `RequestError` that reading raises is for it to answer.
    most : int
        Bytes, whether announced or sent in chunks.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most
        problem = Problem("body_too_large", "body", f"must be at most {most} bytes")
        self.error = RequestError(413, [problem], {"connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on for as long as its body may be."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > self.most:
                await refusal(scope, self.error)(scope, receive, send)
                return
        size = 0

        async def counted_receive() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.most:
                raise self.error
            return message

        await self.app(scope, counted_receive, send)
