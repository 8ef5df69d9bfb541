"""Outermost layer of the app: one log line and one count a request; nothing escapes it."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import structlog
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.logs import where
from serving.metrics import count_request
from serving.problems import INTERNAL, refusal

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger()


class Observe:
    """
    Log and count each request, and answer 500 to an exception nobody foresaw.

    A traceback quotes values, so an exception must not reach the server's own log.

    Parameters
    ----------
    app : ASGI application
        The app to observe.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and watch."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except asyncio.CancelledError:
            status = status or 504  # `serving.traffic` cancels what takes too long, and answers
            raise
        except Exception as error:
            _log.error("failed", error=type(error).__name__, at=where(error))
            if not status:
                await refusal(scope, INTERNAL)(scope, receive, watched_send)
        finally:
            record(scope, status, perf_counter() - start)


def record(scope: Scope, status: int, seconds: float) -> None:
    """
    Log and count a request that has been answered.

    Parameters
    ----------
    scope : mapping
        Its ASGI scope; the route's template is logged, never path or query.
    status : int
        HTTP status of the answer.
    seconds : float
        Time to answer.
    """
    route = scope.get("route")
    template = route.path if isinstance(route, Route) else "unmatched"
    state = scope.get("state", {})
    more: dict[str, Any] = dict(state.get("log", {}))
    if client := state.get("client"):
        more["client"] = client.name
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _log.info(
        "request",
        method=method,
        route=template,
        status=status,
        duration_ms=round(1000 * seconds, 3),
        **more,
    )
    count_request(template, status, seconds)
