"""The addresses of FHIR R4: what the server is, and $assess."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cdss import Jurisdiction, Model, assess
from cdss.errors import Problem
from cdss.fhir.capability import capability_statement, operation_definition
from cdss.fhir.read import read
from cdss.fhir.write import write
from cdss.reading import Reading
from serving.asked import choose
from serving.body import decode, read_body
from serving.fhir_inputs import TYPES, answer_type, index_date, inputs, language
from serving.journal import Keeps, NoJournal, recorded
from serving.monitor import count, count_rejected
from serving.problems import RequestError

MOST_BYTES = 2_000_000
"""A patient's year of FHIR has about 0.1 MB."""


def site_time() -> datetime:
    """
    Look at the clock.

    Returns
    -------
    datetime.datetime
        Now, in the time zone of the machine, which is the site's.
    """
    return datetime.now().astimezone()


class FhirApi:
    """
    The FHIR addresses, over some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve.
    place : Jurisdiction or None
        Whose guidelines are in force unless a request names others.
    journal : Keeps, optional
        Where assessments are recorded before they are answered; without one, nowhere.
    base_url : str
        Address of the server, without a slash at the end.
    clock : callable
        Gives the time at the site.
    """

    def __init__(
        self,
        models: Sequence[Model],
        place: Jurisdiction | None = None,
        *,
        journal: Keeps | None = None,
        base_url: str = "http://127.0.0.1:3000",
        clock: Callable[[], datetime] = site_time,
    ) -> None:
        self.models, self.place, self.clock = tuple(models), place, clock
        self.journal = journal or NoJournal()
        self.base_url = base_url.rstrip("/")
        self.site_language = place.language if place else "en"
        self._fixed = {
            "/fhir/metadata": orjson.dumps(capability_statement(f"{self.base_url}/fhir")),
            "/fhir/OperationDefinition/assess": orjson.dumps(
                operation_definition(f"{self.base_url}/fhir")
            ),
        }

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            Those under ``/fhir``; what is refused there, `serving.problems` says in FHIR.
        """
        return [
            *(Route(path, self.fixed) for path in self._fixed),
            Route("/fhir/$assess", self.assess, methods=["POST"]),
        ]

    async def fixed(self, request: Request) -> Response:
        """Answer what does not change while the service runs."""
        request.state.lang = language(request, self.site_language)
        return Response(self._fixed[request.scope["route"].path], media_type=answer_type(request))

    async def assess(self, request: Request) -> Response:
        """Assess the patient whose resources are sent."""
        request.state.lang = language(request, self.site_language)
        media_type = answer_type(request)
        body = await read_body(request, MOST_BYTES, TYPES)
        problems: list[Problem] = []
        document, given = inputs(request, decode(body), problems)
        now = self.clock()
        asked = choose(given, self.models, self.place, request.state.lang, problems)
        said = given.get("indexDate")
        day = now.date() if said is None else index_date(said, problems)
        if problems or day is None:
            raise RequestError(400, problems)
        request.state.lang = asked.lang
        reading = read(document, day, patient=given.get("patient"))
        if reading.record is None:
            count_rejected(request, reading.problems)
            raise RequestError(422, reading.problems)
        assessment = assess(reading.record, asked.models, asked.place, chosen=asked.chosen)
        assessment_id = os.urandom(16).hex()
        request.state.log = {"assessment_id": assessment_id}
        count(request, (assessment,), reading.problems)
        kept = [(assessment_id, assessment)]
        await recorded(self.journal, request, kept, body, lang=asked.lang, kind="fhir")
        answer = write(
            assessment,
            asked.models,
            assessment_id=assessment_id,
            recorded=now,
            basis=reading.basis,
            problems=reading.problems,
            subject=_subject(reading, given.get("patient")),
            lang=asked.lang,
            base_url=self.base_url,
            date_given=said is not None,
        )
        return Response(orjson.dumps(answer), 200, {"cache-control": "no-store"}, media_type)


def _subject(reading: Reading, patient: str | None) -> str | None:
    """Reference to the patient: where age or sex stood, or what the request says."""
    for each in reading.basis:
        if each.variable in ("age", "sex") and "Patient/" in each.at:
            return each.at
    return patient
