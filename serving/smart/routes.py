"""The addresses of SMART App Launch: whereto the EMR sends a browser, and then the login."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cdss.cds_hooks.prefetch import KEYS, reading, unanswered
from cdss.i18n import LANGUAGES
from cdss.reading import Reading
from serving.fhir_api import site_time
from serving.fhir_client import FhirClient
from serving.fhir_inputs import language
from serving.page.opened import Opening, Openings
from serving.problems import RequestError
from serving.smart.answers import framed, told
from serving.smart.cookies import Cookie
from serving.smart.discovery import Discovery
from serving.smart.exchange import client_of, exchange
from serving.smart.failed import failed
from serving.smart.identity import user_of
from serving.smart.launches import SECONDS, Launch, Launches
from serving.smart.servers import SmartServer, find_server
from serving.smart.sessions import Sessions

FHIR_SECONDS = 10.0
"""For all queries of a launch together: somebody waits for a page, not an EMR for a hook."""

_LONGEST = 4096  # a value of a query
_NO_REFERRER = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

Handler = Callable[[Request], Awaitable[Response]]


class SmartApi:
    """
    SMART App Launch from some EMRs.

    Parameters
    ----------
    servers : sequence of SmartServer
        The EMRs.
    base_url : str
        Our public address.
    sessions : Sessions
        Where one is begun for the user.
    openings : Openings
        Where the patient is kept until the browser comes.
    lang : str
        Language of pages, unless the browser prefers another.
    clock : callable
        Gives the time at the site; its day is the index date.
    """

    def __init__(
        self,
        servers: Sequence[SmartServer],
        base_url: str,
        sessions: Sessions,
        openings: Openings,
        *,
        lang: str = "en",
        clock: Callable[[], datetime] = site_time,
    ) -> None:
        self.servers, self.sessions, self.openings = servers, sessions, openings
        self.redirect_uri = f"{base_url}/smart/callback"
        self.cookie = Cookie("cdss-launch", base_url)
        self.launches, self.discovery = Launches(), Discovery()
        self.lang, self.clock = lang, clock

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            Both under ``/smart``, and answered to anybody: who comes, the EMR says.
        """
        return [
            Route("/smart/launch", self._told(self.launch)),
            Route("/smart/callback", self._told(self.callback)),
        ]

    async def launch(self, request: Request) -> Response:
        """Send the browser to the EMR's login."""
        iss, launched = _one(request, "iss"), _one(request, "launch")
        server = find_server(self.servers, iss)
        if server is None:
            raise failed("not_listed" if iss else "no_launch")
        request.state.frame = server.frame
        if not launched:
            raise failed("no_launch")
        endpoints = await self.discovery.of(server)
        browser = self.cookie.of(request.scope) or secrets.token_urlsafe(32)
        state, launch = self.launches.begin(server, browser)
        async with client_of(server, endpoints, self.redirect_uri) as client:
            address, _ = client.create_authorization_url(
                endpoints.authorize, state=state, code_verifier=launch.verifier, aud=iss,
                launch=launched, nonce=launch.nonce,
            )  # fmt: skip
        kept = self.cookie.set(browser, framed=bool(server.frame), seconds=SECONDS)
        return RedirectResponse(address, 302, {**_NO_REFERRER, "set-cookie": kept})

    async def callback(self, request: Request) -> Response:
        """Take the browser back: ask the EMR who the user is, and for the patient's data."""
        launch = self.launches.end(_one(request, "state"), self.cookie.of(request.scope))
        request.state.frame = launch.server.frame
        if error := _one(request, "error"):
            raise failed("access_denied" if error == "access_denied" else "login_failed")
        endpoints = await self.discovery.of(launch.server)
        if _one(request, "iss") not in ("", endpoints.issuer):  # RFC 9207
            raise failed("other_server")
        if not (code := _one(request, "code")):
            raise failed("login_failed")
        given = await exchange(launch.server, endpoints, self.redirect_uri, code, launch.verifier)
        user = await user_of(given.id_token, launch.server, endpoints, launch.nonce)
        if not given.patient:
            raise failed("no_patient")
        found = await self._read(launch, given.access_token, given.patient)
        owner = user.issuer, user.subject
        name = self.openings.keep(Opening(found, launch.server.iss, given.card, owner))
        begun = self.sessions.begin(request.scope, user, launch.server.frame)
        headers = {**_NO_REFERRER, "set-cookie": begun}
        return RedirectResponse(f"/page/patient/{name}", 303, headers)

    async def _read(self, launch: Launch, token: str, patient_id: str) -> Reading:
        """Read what the EMR's FHIR server says of a patient; the token is not used again."""
        fhir = FhirClient([launch.server.iss], seconds=FHIR_SECONDS)
        queries = {key.name: key.resolved(patient_id) for key in KEYS}
        try:
            answers: Mapping[str, Any] = await fhir.fetch(launch.server.iss, token, queries)
        finally:
            await fhir.close()
        if not answers:
            raise failed("no_data")
        return reading(answers, self.clock().date(), patient_id, unanswered(answers))

    def _told(self, handler: Handler) -> Handler:
        """Say in a page why there is no answer."""

        async def tell(request: Request) -> Response:
            asked = request.query_params.get("lang")
            lang = asked if asked in LANGUAGES else language(request, self.lang)
            try:
                return await handler(request)
            except RequestError as error:
                codes = [problem.code for problem in error.problems]
                request.state.log = {"refused": codes[0]}
                answer = told(codes, lang, error.status)
                framed(answer.headers, getattr(request.state, "frame", ()))
                return answer

        return tell


def _one(request: Request, name: str) -> str:
    """A value of the query; empty if it is not given exactly once, or too long."""
    given = request.query_params.getlist(name)
    return given[0] if len(given) == 1 and len(given[0]) <= _LONGEST else ""
