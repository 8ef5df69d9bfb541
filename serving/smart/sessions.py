"""
Sessions: what lets a browser use the page after it was opened from an EMR.

They are in memory, and end when nobody used them for a while, after a working day, and with the
process. The browser has a name of one that says nothing; no token of the EMR is in either.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.addresses import in_session, is_public
from serving.clients import Client
from serving.expiring import Expiring
from serving.fhir_inputs import language
from serving.origins import origin_of
from serving.smart.answers import framed, told
from serving.smart.cookies import Cookie

IDLE_SECONDS = 1800.0
LONGEST_SECONDS = 8 * 3600.0
MOST = 5000


class Session(NamedTuple):
    """
    A session.

    Attributes
    ----------
    client : Client
        The user.
    frame : tuple of str
        Origins whose pages may show ours within themselves.
    until : float
        When it ends at the latest.
    """

    client: Client
    frame: tuple[str, ...]
    until: float


class Sessions:
    """
    All sessions.

    Parameters
    ----------
    base_url : str
        Our public address.
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, base_url: str, clock: Callable[[], float] = monotonic) -> None:
        self.cookie, self.origin, self.clock = Cookie("cdss", base_url), origin_of(base_url), clock
        self._kept: Expiring[Session] = Expiring(IDLE_SECONDS, MOST, clock)

    def begin(self, scope: Scope, client: Client, frame: tuple[str, ...]) -> str:
        """
        Begin a session; the one that the browser had ends.

        Parameters
        ----------
        scope : mapping
            ASGI scope of the request.
        client : Client
            The user.
        frame : tuple of str
            Origins whose pages may show ours within themselves.

        Returns
        -------
        str
            For a ``Set-Cookie`` header.
        """
        self._kept.take(self.cookie.of(scope))
        name = self._kept.keep(Session(client, frame, self.clock() + LONGEST_SECONDS))
        return self.cookie.set(name, framed=bool(frame))

    def of(self, scope: Scope) -> Session | None:
        """
        Find the session of a request.

        Parameters
        ----------
        scope : mapping
            Its ASGI scope.

        Returns
        -------
        Session or None
            None if there is none, or it has ended.
        """
        name = self.cookie.of(scope)
        session = self._kept.find(name, renew=True) if name else None
        if session and self.clock() >= session.until:
            self._kept.take(name)
            return None
        return session

    def sent_by_our_page(self, scope: Scope) -> bool:
        """
        Tell whether a page of ours sent a request, and no page of another site.

        Parameters
        ----------
        scope : mapping
            Its ASGI scope.

        Returns
        -------
        bool
            True if the browser says so; one that says nothing is not believed.
        """
        headers = Request(scope).headers
        said = headers.get("sec-fetch-site")
        return said == "same-origin" if said else headers.get("origin") == self.origin


class InSession:
    """
    Let browsers with a session use the page, as the user it was begun for.

    A program shows a token or a key with each request, and is not concerned.

    Parameters
    ----------
    app : ASGI application
        What answers; finds the user in ``request.state.client``.
    sessions : Sessions
        All there are.
    needed : bool
        Whether the page is answered to known clients only.
    frame : tuple of str
        Origins whose pages may show refusals within themselves, when a session has ended.
    lang : str
        Language of refusals, unless the browser prefers another.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        *,
        needed: bool,
        frame: tuple[str, ...] = (),
        lang: str = "en",
    ) -> None:
        self.app, self.sessions, self.needed = app, sessions, needed
        self.frame, self.lang = frame, lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its user, or refuse it in words."""
        if scope["type"] != "http" or not _concerned(scope):
            await self.app(scope, receive, send)
            return
        session = self.sessions.of(scope)
        if session is None:
            refused = ("no_session", 401) if self.needed else None
        else:
            scope.setdefault("state", {})["client"] = session.client
            reads = scope["method"] in ("GET", "HEAD")
            refused = None if reads or self.sessions.sent_by_our_page(scope) else ("forged", 403)
        frame = session.frame if session else self.frame if refused else ()

        async def framed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                framed(headers, frame)
                if "referrer-policy" in headers:
                    # With "no-referrer" browsers do not say which page sent a form.
                    headers["referrer-policy"] = "same-origin"
            await send(message)

        if refused:
            code, status = refused
            scope.setdefault("state", {})["log"] = {"refused": code}
            answer = told([code], language(Request(scope), self.lang), status)
            if status == 401:
                answer.headers["www-authenticate"] = 'Bearer realm="cdss"'
            await answer(scope, receive, framed_send)
            return
        await self.app(scope, receive, framed_send)


def _concerned(scope: Scope) -> bool:
    """Whether a browser may have sent a request, for what sessions are for."""
    path = scope["path"]
    program = any(name == b"authorization" for name, _ in scope["headers"])
    return in_session(path) and not is_public(path) and not program
