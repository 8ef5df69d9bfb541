"""What each address does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cdss import (
    Assessment,
    Jurisdiction,
    Model,
    PatientRecord,
    RecordError,
    assess,
    assess_all,
)
from cdss.errors import Problem
from cdss.jurisdiction import JURISDICTIONS, load_jurisdiction
from cdss.wire import jurisdiction_to_dict, to_dict
from serving.asked import Asked, choose
from serving.body import decode, read_body
from serving.catalogue import catalogue
from serving.journal import Keeps, NoJournal, recorded
from serving.metrics import CONTENT_TYPE, exposition
from serving.monitor import count, show_counted
from serving.openapi import openapi
from serving.problems import RequestError

MOST_RECORDS = 1000
"""Records in one batch."""

MOST_BYTES = 100_000
MOST_BATCH_BYTES = 4_000_000
"""A record that gives every variable with value, unit and date has 2.1 kB: 1000 of them fit."""

_TURN = 25  # records assessed before other requests have a turn: some milliseconds
_NO_STORE = {"cache-control": "no-store"}
_PARAMETERS = ("lang", "models", "jurisdiction")


class Api:
    """
    The addresses of the service, over some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve.
    place : Jurisdiction or None
        Whose guidelines are in force unless a request names others.
    journal : Keeps, optional
        Where assessments are recorded before they are answered.
    """

    def __init__(
        self,
        models: Sequence[Model],
        place: Jurisdiction | None = None,
        *,
        journal: Keeps | None = None,
    ) -> None:
        self.models = tuple(models)
        self.place = place
        self.journal = journal or NoJournal()
        self._by_id = {model.id: model for model in models}
        self._choose = lru_cache(maxsize=64)(self._choice)
        self._fixed = {
            "/": orjson.dumps(_INDEX),
            "/health": b'{"status":"ok"}',
            "/ready": orjson.dumps({"status": "ready", "models": list(self._by_id)}),
            "/v1/models": orjson.dumps(catalogue(models)),
            "/v1/jurisdictions": orjson.dumps(
                {
                    "jurisdictions": [
                        jurisdiction_to_dict(load_jurisdiction(j)) for j in JURISDICTIONS
                    ]
                }
            ),
            "/openapi.json": orjson.dumps(openapi(models, place)),
        }

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            All that the service answers.
        """
        return [
            Route("/v1/assess", self.assess, methods=["POST"]),
            Route("/v1/assess/batch", self.assess_batch, methods=["POST"]),
            *(Route(path, self.fixed) for path in self._fixed),
            Route("/metrics", self.metrics),
        ]

    async def assess(self, request: Request) -> Response:
        """Assess one patient."""
        asked = self._options(request)
        body = await read_body(request, MOST_BYTES)
        record = PatientRecord.parse(decode(body))
        assessment = assess(record, asked.models, asked.place, chosen=asked.chosen)
        assessment_id = _assessment_id()
        request.state.log = {"assessment_id": assessment_id}
        count(request, (assessment,))
        kept = [(assessment_id, assessment)]
        await recorded(self.journal, request, kept, body, lang=asked.lang, kind="json")
        answer = to_dict(assessment, assessment_id=assessment_id, lang=asked.lang)
        return Response(orjson.dumps(answer), 200, _NO_STORE, "application/json")

    async def assess_batch(self, request: Request) -> Response:
        """Assess many patients, or none if anything is wrong with one of them."""
        asked = self._options(request)
        body = await read_body(request, MOST_BATCH_BYTES)
        entries = _entries(decode(body))
        request.state.log = {"records": len(entries)}
        records: list[PatientRecord] = []
        problems: list[Problem] = []
        for at, entry in enumerate(entries):
            try:
                records.append(PatientRecord.parse(entry))
            except RecordError as error:
                problems += [
                    Problem(p.code, f"records/{at}/{p.variable}", p.detail, p.params)
                    for p in error.problems
                ]
            if at % _TURN == 0:
                await asyncio.sleep(0)
        if problems:
            raise RecordError(problems)
        kept: list[tuple[str, Assessment]] = []
        answers = []
        for start in range(0, len(records), _TURN):
            turn = records[start : start + _TURN]
            assessments = assess_all(turn, asked.models, asked.place, chosen=asked.chosen)
            count(request, assessments)
            named = [(_assessment_id(), a) for a in assessments]
            kept += named
            answers += [
                orjson.Fragment(orjson.dumps(to_dict(a, assessment_id=id, lang=asked.lang)))
                for id, a in named
            ]
            await asyncio.sleep(0)
        await recorded(self.journal, request, kept, body, lang=asked.lang, kind="batch")
        return Response(orjson.dumps({"assessments": answers}), 200, _NO_STORE, "application/json")

    async def fixed(self, request: Request) -> Response:
        """Answer what does not change while the service runs; a browser is shown the page."""
        if request.url.path == "/" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/page", 303)
        return Response(self._fixed[request.scope["route"].path], media_type="application/json")

    async def empty(self, request: Request) -> Response:
        """Answer at once, whatever was sent: what any request costs here."""
        return Response(b"{}", media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        """Answer Prometheus."""
        show_counted(request)
        return Response(exposition(), media_type=CONTENT_TYPE)

    def _options(self, request: Request) -> Asked:
        """What the query asks for; each parameter given at most once."""
        asked = self._choose(request.scope["query_string"])
        request.state.lang = asked.lang
        return asked

    def _choice(self, query_string: bytes) -> Asked:
        """Read a query; clients send the same few again and again."""
        given = QueryParams(query_string).multi_items()
        query = dict(given)
        problems = [
            Problem("unknown_parameter", name[:64], f"is not one of {', '.join(_PARAMETERS)}")
            for name in query
            if name not in _PARAMETERS
        ]
        if len(query) < len(given):
            problems.append(Problem("duplicate_name", "query", "gives a parameter twice"))
        asked = choose(query, self.models, self.place, "en", problems)
        if problems:
            raise RequestError(400, problems)
        return asked


def _assessment_id() -> str:
    """Make a name for an assessment: random, so that it says nothing about the patient."""
    return os.urandom(16).hex()


def _entries(payload: Any) -> list[Any]:
    """Take the records out of a batch, not yet read."""
    if not isinstance(payload, Mapping):
        raise RequestError(422, [Problem("not_an_object", "body", "must be a JSON object")])
    problems = [
        Problem("unknown_member", str(name)[:64], "is not records")
        for name in payload
        if name != "records"
    ]
    entries = payload.get("records")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_RECORDS:
        problems.append(
            Problem("wrong_batch", "records", f"must be an array of 1 to {MOST_RECORDS} records")
        )
    if problems:
        raise RequestError(422, problems)
    return entries


_INDEX = {
    "name": "cdss",
    "description": "Explained risks from one check-up; advice for clinicians, no medical device",
    "links": {
        "assess": "/v1/assess",
        "assess_batch": "/v1/assess/batch",
        "models": "/v1/models",
        "jurisdictions": "/v1/jurisdictions",
        "openapi": "/openapi.json",
        "health": "/health",
        "ready": "/ready",
        "metrics": "/metrics",
    },
}
