"""The addresses of the page. What is about a patient is posted, never in an address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cdss import Assessment, Jurisdiction, Model, PatientRecord, assess
from cdss.cds_hooks.feedback import Feedback
from cdss.cds_hooks.services import ALL
from cdss.errors import Problem
from cdss.i18n import LANGUAGES, Words, words
from cdss.jurisdiction import select
from cdss.reading import Reading
from serving.fhir_api import site_time
from serving.fhir_inputs import language
from serving.journal import Keeps, NoJournal, recorded
from serving.monitor import count, count_rejected
from serving.page.documents import read_document
from serving.page.form import form
from serving.page.hand_out import general, sheet
from serving.page.judged import REASONS, judged
from serving.page.render import PACKED, page, static
from serving.page.results import results
from serving.page.sent import Sent, read_form
from serving.page.trend import courses
from serving.page.typed import check, fill
from serving.page.what_if import changes, levers, simulated
from serving.problems import RequestError

MOST_BYTES = 400_000
MOST_FILE_BYTES = 8_000_000

Keep = Callable[[str, Sequence[Feedback]], object]
"""Keeps a report on the answers of a service; `serving.feedback.FeedbackStore.keep`."""
Handler = Callable[[Request], Awaitable[Response]]


class PageApi:
    """
    The clinician's page, over some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve.
    place : Jurisdiction or None
        Whose guidelines are in force.
    journal : Keeps, optional
        Where assessments are recorded before they are shown; without one, nowhere.
    base_url : str, optional
        Address of the server as patients reach it, for the code on their sheet.
    keep : callable, optional
        Keeps what the clinician thought of an answer; without it nobody is asked.
    clock : callable
        Gives the time at the site; its day is the index date unless another is typed.
    """

    def __init__(
        self,
        models: Sequence[Model],
        place: Jurisdiction | None = None,
        *,
        journal: Keeps | None = None,
        base_url: str | None = None,
        keep: Keep | None = None,
        clock: Callable[[], datetime] = site_time,
    ) -> None:
        self.models = select(models, place, demonstrations=True)
        self.place, self.base_url = place, base_url
        self.journal = journal or NoJournal()
        self.keep, self.clock = keep, clock

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            All under ``/page``.
        """
        return [
            Route("/page", self.show, middleware=PACKED),
            Route("/page", self.told(self.ask), methods=["POST"], middleware=PACKED),
            Route("/page/read", self.told(self.read), methods=["POST"], middleware=PACKED),
            Route("/page/assess", self.told(self.assess), methods=["POST"], middleware=PACKED),
            Route("/page/what-if", self.told(self.what_if), methods=["POST"], middleware=PACKED),
            Route("/page/feedback", self.told(self.feedback), methods=["POST"], middleware=PACKED),
            Route("/page/hand-out", self.told(self.hand_out), methods=["POST"], middleware=PACKED),
            Route("/page/advice", self.advice),
            Route("/page/static/{name}", self.static),
        ]

    async def show(self, request: Request) -> Response:
        """Show an empty form."""
        return self._form({}, self.language(request, {}))

    async def ask(self, request: Request) -> Response:
        """Show the form as it was typed, e.g. in another language."""
        sent = await self._sent(request)
        return self._form(sent.typed, request.state.lang)

    async def read(self, request: Request) -> Response:
        """Read a file into the form."""
        sent = await self._sent(request, MOST_FILE_BYTES)
        text = words(request.state.lang)
        if not sent.file:
            problem = Problem("unreadable_file", "document", "cannot be read")
            return self._form(sent.typed, text.lang, problems=(problem,), status=422)
        reading = await asyncio.to_thread(
            read_document, sent.file, self._day(sent.typed), sent.typed.get("who", "").strip()
        )
        if reading.record is None:
            return self._form(sent.typed, text.lang, reading=reading, status=422)
        return self._form(fill(reading.record, text), text.lang, reading=reading)

    async def assess(self, request: Request) -> Response:
        """Show what the models and guidelines say of the patient in the form."""
        return await self._assessed(request, await self._sent(request))

    async def what_if(self, request: Request) -> Response:
        """Answer the part of the page with the simulation, for the script."""
        sent = await self._sent(request)
        text = words(request.state.lang)
        checked = check(sent.typed)
        if checked.record is None:
            raise RequestError(422, checked.problems)
        before = self.answer(checked.record)
        shown = await self._simulation(request, sent, before, text)
        return page("simulation", text.lang, **shown)

    async def feedback(self, request: Request) -> Response:
        """Keep what the clinician thinks, and show the answer again."""
        sent = await self._sent(request)
        kept = await self._kept(sent)
        if sent.typed.get("fragment"):
            return page("kept", request.state.lang, kept=kept)
        return await self._assessed(request, sent, kept)

    async def hand_out(self, request: Request) -> Response:
        """Show the patient's sheet."""
        sent = await self._sent(request)
        text = words(request.state.lang)
        checked = check(sent.typed)
        if checked.record is None:
            count_rejected(request, checked.problems)
            return self._form(sent.typed, text.lang, problems=checked.problems, status=422)
        assessment, _ = await self._recorded(request, checked.record, checked.payload, "page")
        made = sheet(assessment, sent.typed.get("note", "")[:2000], self.base_url, text)
        return page("hand_out", text.lang, sheet=made)

    async def advice(self, request: Request) -> Response:
        """Show general advice: what the code of a patient's sheet leads to."""
        text = words(self.language(request, {}))
        return page("advice", text.lang, advice=general(self.place, text))

    async def static(self, request: Request) -> Response:
        """Answer style and script."""
        encodings = request.headers.get("accept-encoding", "")
        found = static(request.path_params["name"], encodings)
        if found is None:
            detail = "does not exist; GET / lists what does"
            raise RequestError(404, [Problem("unknown_path", "path", detail)])
        return found

    async def _assessed(self, request: Request, sent: Sent, kept: tuple[str, ...] = ()) -> Response:
        text = words(request.state.lang)
        checked = check(sent.typed)
        if checked.record is None:
            count_rejected(request, checked.problems)
            return self._form(sent.typed, text.lang, problems=checked.problems, status=422)
        return await self.show_results(request, sent, checked.record, checked.payload, kept=kept)

    async def show_results(
        self, request: Request, sent: Sent, record: PatientRecord, payload: dict[str, Any], *,
        reading: Reading | None = None, kept: tuple[str, ...] = (), **more: Any,
    ) -> Response:  # fmt: skip
        """Show what the models and guidelines say of a record, which the form holds."""
        text, today = words(request.state.lang), self.clock().date()
        assessment, assessment_id = await self._recorded(request, record, payload, "page")
        shown = await self._simulation(request, sent, assessment, text)
        return page(
            "results",
            text.lang,
            results=results(assessment, self.models, text),
            courses=courses(record, text),
            assessment_id=assessment_id,
            reasons=REASONS if self.keep else (),
            kept=kept,
            note=sent.typed.get("note", ""),
            form=form(sent.typed, self.models, text, today=today, reading=reading, assessed=True),
            day=record.index_date.strftime(text("language.date")),
            patient=_patient(record, text),
            **shown,
            **more,
        )

    def show_form(
        self, request: Request, typed: dict[str, str], reading: Reading, **more: Any
    ) -> Response:
        """Show a form filled in from a document."""
        text, today = words(request.state.lang), self.clock().date()
        made = form(typed, self.models, text, today=today, reading=reading)
        return page("form", text.lang, form=made, **more)

    async def _simulation(
        self, request: Request, sent: Sent, before: Assessment, text: Words
    ) -> dict[str, Any]:
        found = levers(before, self.models, sent.typed, text)
        checked = simulated(sent.typed, found)
        if checked is None:
            return {"levers": found, "changes": (), "wrong": ()}
        if checked.record is None:
            return {"levers": found, "changes": (), "wrong": checked.problems}
        after, _ = await self._recorded(request, checked.record, checked.payload, "what-if")
        return {"levers": found, "changes": changes(before, after, text), "wrong": ()}

    def answer(self, record: PatientRecord) -> Assessment:
        """Ask models and guidelines."""
        return assess(record, self.models, self.place, chosen=True)

    async def _recorded(
        self, request: Request, record: PatientRecord, payload: dict[str, Any], kind: str
    ) -> tuple[Assessment, str]:
        """Assess, and record it: what is not recorded is not shown."""
        assessment, assessment_id = self.answer(record), os.urandom(16).hex()
        if kind == "page":
            request.state.log = {"assessment_id": assessment_id}
            count(request, (assessment,))
        entries, body = [(assessment_id, assessment)], orjson.dumps(payload)
        await recorded(self.journal, request, entries, body, lang=request.state.lang, kind=kind)
        return assessment, assessment_id

    async def _kept(self, sent: Sent) -> tuple[str, ...]:
        """Keep what was thought of the answer about each disease; says of which."""
        found = judged(sent.typed, self.clock().astimezone(UTC).isoformat()) if self.keep else {}
        if self.keep and found:
            await asyncio.to_thread(self.keep, ALL, list(found.values()))
        return tuple(found)

    def _form(self, typed: dict[str, str], lang: str, status: int = 200, **more: Any) -> Response:
        made = form(typed, self.models, words(lang), today=self.clock().date(), **more)
        return page("form", lang, status, form=made)

    def _day(self, typed: dict[str, str]) -> date:
        try:
            return date.fromisoformat(typed.get("index_date", ""))
        except ValueError:
            return self.clock().date()

    async def _sent(self, request: Request, limit: int = MOST_BYTES) -> Sent:
        request.state.lang = self.language(request, {})
        sent = await read_form(request, limit)
        request.state.lang = self.language(request, sent.typed)
        return sent

    def language(self, request: Request, typed: dict[str, str]) -> str:
        """That of the button pressed, of the page it stood on, of the address, of the browser."""
        asked = (typed.get("switch"), typed.get("lang"), request.query_params.get("lang"))
        known = [lang for lang in asked if lang in LANGUAGES]
        return known[0] if known else language(request, self.place.language if self.place else "en")

    def told(self, handler: Handler) -> Handler:
        """Say in a page, not in JSON, why there is no answer."""

        async def tell(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestError as error:
                codes = [f"page.error.{p.code}" for p in error.problems]
                lang = request.state.lang
                known = [words(lang)(c) for c in codes if c in words(lang).texts]
                shown = known or [words(lang)("page.error.other")]
                answer = page("error", lang, error.status, told=shown)
                answer.headers.update(error.headers or {})
                return answer

        return tell


def _patient(record: PatientRecord, text: Words) -> str:
    """Who it is about, as far as numbers say: sex and age."""
    known = [text.quantity(n, record.values[n]) for n in ("sex", "age") if n in record.values]
    return ", ".join(known)
