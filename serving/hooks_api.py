"""The addresses of CDS Hooks: discovery, the services, feedback."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cdss import Jurisdiction, Model, PatientRecord, RecordError, assess
from cdss.cds_hooks.cards import Link, cards, empty_card
from cdss.cds_hooks.feedback import read_feedback
from cdss.cds_hooks.prefetch import Key, lacking, not_sent, reading, unanswered, unreachable
from cdss.cds_hooks.request import HookRequest, read_request, without_token
from cdss.cds_hooks.services import Service, discovery, services
from cdss.errors import Problem
from cdss.fhir.write import standalone
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import select
from cdss.reading import Reading
from serving.body import decode, read_body
from serving.feedback import FeedbackStore
from serving.fhir_api import site_time
from serving.fhir_inputs import language
from serving.journal import Keeps, NoJournal, recorded
from serving.monitor import count
from serving.problems import RequestError

MOST_BYTES = 2_000_000
MOST_FEEDBACK_BYTES = 400_000

_JSON = ("application/json", "application/fhir+json")
_NO_STORE = {"cache-control": "no-store"}

T = TypeVar("T")


class Fetch(Protocol):
    """Asks a FHIR server; `serving.fhir_client.FhirClient.fetch`."""

    async def __call__(
        self, server: str, token: str | None, queries: Mapping[str, str]
    ) -> dict[str, Any]:
        """Answer queries."""
        ...


async def fetch_nothing(
    server: str, token: str | None, queries: Mapping[str, str]
) -> dict[str, Any]:
    """
    Ask nobody: no FHIR server is allowed unless the site lists it.

    Parameters
    ----------
    server : str
        Not called.
    token : str or None
        Not used.
    queries : mapping of str to str
        Not asked.

    Returns
    -------
    dict
        Nothing.
    """
    return {}


LinkTo = Callable[[HookRequest, str, Reading, str], Link | None]
"""Says where an answer is explained: which request, its id, what it is made of, our address."""


def link_nowhere(
    asked: HookRequest, assessment_id: str, reading: Reading, here: str
) -> Link | None:
    """
    Link to nothing.

    Parameters
    ----------
    asked, assessment_id, reading, here : object
        Not used.

    Returns
    -------
    None
        No link.
    """
    return None


class HooksApi:
    """
    The CDS Hooks addresses, over some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve.
    place : Jurisdiction or None
        Whose guidelines are in force.
    journal : Keeps, optional
        Where assessments are recorded before they are answered; without one, nowhere.
    feedback : FeedbackStore
        Where feedback is kept; by default until the process ends.
    fetch : callable
        Asks the EMR's FHIR server for what it did not send; by default nobody is asked.
    link : callable
        Says where an answer is explained; by default nowhere.
    clock : callable
        Gives the time at the site; its day is the index date.
    new_id : callable
        Names an assessment, at random, so that the name says nothing about the patient.
    """

    def __init__(
        self,
        models: Sequence[Model],
        place: Jurisdiction | None = None,
        *,
        journal: Keeps | None = None,
        feedback: FeedbackStore | None = None,
        fetch: Fetch = fetch_nothing,
        link: LinkTo = link_nowhere,
        clock: Callable[[], datetime] = site_time,
        new_id: Callable[[], str] = lambda: os.urandom(16).hex(),
    ) -> None:
        self.place, self.fetch, self.link, self.clock = place, fetch, link, clock
        self.models = select(models, place, demonstrations=True)
        self.journal = journal or NoJournal()
        self.feedback_store = feedback or FeedbackStore()
        self.new_id = new_id
        self.services = services(self.models)
        self.site_language = place.language if place else "en"
        self._discovery = {
            lang: orjson.dumps(discovery(self.services.values(), words(lang))) for lang in LANGUAGES
        }

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            Those under ``/cds-services``; what is refused there, `serving.problems` says in FHIR.
        """
        return [
            Route("/cds-services", self.discover),
            Route("/cds-services/{id}", self.call, methods=["POST"]),
            Route("/cds-services/{id}/feedback", self.report),
            Route("/cds-services/{id}/feedback", self.feedback, methods=["POST"]),
        ]

    async def discover(self, request: Request) -> Response:
        """Say which services there are."""
        lang = self._language(request)
        headers = {"vary": "accept-language", "content-language": lang}
        return Response(self._discovery[lang], headers=headers, media_type="application/json")

    async def call(self, request: Request) -> Response:
        """Answer a hook with cards."""
        text = words(self._language(request))
        service = self._service(request)
        now = self.clock()
        body = await read_body(request, MOST_BYTES, _JSON)
        payload = decode(body)
        asked = _checked(read_request, payload)
        prefetch, missing = await self._completed(asked)
        found = reading(prefetch, now.date(), asked.patient_id, missing)
        if wanting := lacking(service.models, missing, found.record):
            raise RequestError(412, [not_sent(key) for key in wanting])
        assessment_id = self.new_id()
        codes = {problem.code for problem in found.problems}
        if found.record is None and "deceased" in codes:
            return _answer([empty_card(found.problems, assessment_id, text)])
        if found.record is None and "empty_record" not in codes:
            raise RequestError(400, found.problems)  # nobody, or nobody in particular, is meant
        # Where nothing is known, it is said what to measure.
        record = found.record or PatientRecord(now.date(), MappingProxyType({}))
        assessment = assess(record, self.models, self.place, chosen=True)
        request.state.log = {"assessment_id": assessment_id}
        count(request, (assessment,), found.problems)
        if "fhirAuthorization" in payload or prefetch is not asked.prefetch:
            body = orjson.dumps(without_token(payload, prefetch))
        kept = [(assessment_id, assessment)]
        await recorded(self.journal, request, kept, body, lang=text.lang, kind="cds-hooks")
        stored = standalone(
            assessment,
            self.models,
            assessment_id=assessment_id,
            basis=found.basis,
            subject=f"Patient/{asked.patient_id}",
            lang=text.lang,
        )
        return _answer(
            cards(
                assessment,
                self.models,
                service,
                assessment_id=assessment_id,
                text=text,
                problems=found.problems,
                incomplete=bool(unreachable(missing, record)),
                stored=stored,
                link=self.link(asked, assessment_id, found, str(request.base_url).rstrip("/")),
            )
        )

    async def feedback(self, request: Request) -> Response:
        """Keep what users did with cards."""
        self._language(request)
        service = self._service(request)
        payload = decode(await read_body(request, MOST_FEEDBACK_BYTES, _JSON))
        reported = _checked(read_feedback, payload)
        await asyncio.to_thread(self.feedback_store.keep, service.id, reported)
        return Response(status_code=200, headers=_NO_STORE)

    async def report(self, request: Request) -> Response:
        """Say what users did with the cards of a service."""
        self._language(request)
        service = self._service(request)
        found = await asyncio.to_thread(self.feedback_store.report, service.id)
        return Response(orjson.dumps(found), 200, _NO_STORE, "application/json")

    def _language(self, request: Request) -> str:
        """Language of the answer, errors included."""
        request.state.lang = language(request, self.site_language)
        return str(request.state.lang)

    def _service(self, request: Request) -> Service:
        found = self.services.get(request.path_params["id"])
        if found is None:
            detail = "does not exist; GET /cds-services says which services do"
            raise RequestError(404, [Problem("unknown_path", "path", detail)])
        return found

    async def _completed(self, asked: HookRequest) -> tuple[Mapping[str, Any], tuple[Key, ...]]:
        """What was sent, with what could be fetched besides; and which queries are unanswered."""
        missing = unanswered(asked.prefetch)
        if not missing or asked.fhir_server is None:
            return asked.prefetch, missing
        queries = {key.name: key.resolved(asked.patient_id) for key in missing}
        fetched = await self.fetch(asked.fhir_server, asked.token, queries)
        if not fetched:
            return asked.prefetch, missing
        prefetch = {**asked.prefetch, **fetched}
        return prefetch, unanswered(prefetch)


def _checked(check: Callable[[Any], T], payload: Any) -> T:
    """Check a request; what is wrong with it is 400 here, not 422."""
    try:
        return check(payload)
    except RecordError as error:
        raise RequestError(400, error.problems) from None


def _answer(found: list[dict[str, Any]]) -> Response:
    return Response(orjson.dumps({"cards": found}), 200, _NO_STORE, "application/json")
