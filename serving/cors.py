"""Which pages may call from a browser (CORS)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

EXPOSED = ("retry-after", "www-authenticate", "ratelimit", "ratelimit-policy")
"""Headers of an answer that a page may read, besides those that are always allowed."""


def cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """
    Let pages of some origins call.

    A preflight is answered here, before anybody asks for a token: browsers send none with it. The
    cookies of sessions are for our own pages, so credentials in the sense of CORS are not allowed.

    Parameters
    ----------
    app : ASGI application
        What answers.
    origins : sequence of str
        Origins exactly as browsers send them. If there are none, nothing is allowed.

    Returns
    -------
    ASGI application
        What answers, and tells browsers so.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("authorization", "content-type"),
        expose_headers=EXPOSED,
        max_age=600,
    )
