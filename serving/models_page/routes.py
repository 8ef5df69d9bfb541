"""The addresses of the models' pages. They say nothing of any patient."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from cdss import Jurisdiction, Model
from cdss.card import card_facts
from cdss.errors import Problem
from cdss.i18n import LANGUAGES, Words, words
from cdss.i18n.models import model_kind
from serving.fhir_inputs import language
from serving.models_page.cards import DOCUMENTS, TYPES, Cards
from serving.models_page.evidence import Evidence
from serving.models_page.reports import HEADERS, Reports
from serving.models_page.rows import Row, row
from serving.page.render import PACKED, page
from serving.problems import RequestError


class ModelsApi:
    """
    An index of the models, and a page for each.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models that are served.
    place : Jurisdiction or None
        Whose language is spoken unless another is asked for.
    offered : sequence of RiskModel or PointsScore
        Models there are, served or not.
    evidence : Evidence, optional
        Where cards, reports and MLflow are.
    """

    def __init__(
        self,
        models: Sequence[Model],
        place: Jurisdiction | None = None,
        *,
        offered: Sequence[Model] = (),
        evidence: Evidence | None = None,
    ) -> None:
        self.served = {model.id: model for model in models}
        self.models = {model.id: model for model in offered} | self.served
        found = evidence or Evidence()
        self.place, self.mlflow = place, found.mlflow_url
        self.cards, self.reports = Cards(found.cards), Reports(found.reports)

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            All under ``/models``.
        """
        return [
            Route("/models", self.index, middleware=PACKED),
            Route("/models/reports/{file:path}", self.report),
            Route("/models/{model}", self.model, middleware=PACKED),
            Route("/models/{model}/{file}", self.document, middleware=PACKED),
        ]

    async def index(self, request: Request) -> Response:
        """Show all models, and the reports of the site."""
        return await asyncio.to_thread(self._index, self._text(request))

    async def model(self, request: Request) -> Response:
        """Show what is known of one model, with its card."""
        model = self._asked(request)
        return await asyncio.to_thread(self._model, model, self._text(request))

    async def document(self, request: Request) -> Response:
        """Show a document beside a card, or send a file."""
        model, name = self._asked(request), request.path_params["file"]
        file = await asyncio.to_thread(self.cards.file, model.id, name)
        if file is None:
            raise _unknown()
        if file.suffix != ".md":
            return FileResponse(file, headers=HEADERS, media_type=TYPES[file.suffix])
        text = self._text(request)
        found = await asyncio.to_thread(self.cards.read, model.id, name, text("models_page.table"))
        title = text(f"models_page.document.{file.stem}")
        return page("document", text.lang, model=model, title=title, document=found)

    async def report(self, request: Request) -> Response:
        """Send a file of a site's reports."""
        files = await asyncio.to_thread(self.reports.files)
        file = files.get(request.path_params["file"])
        if file is None:
            raise _unknown()
        return FileResponse(file, headers=HEADERS, media_type=TYPES[file.suffix])

    def _index(self, text: Words) -> Response:
        rows = [self._row(model, text) for model in self.models.values()]
        groups = [
            (title, [r for r in rows if (r.kind == "trained") == (title == "trained")])
            for title in ("trained", "published")
        ]
        return page(
            "models",
            text.lang,
            groups=groups,
            reports=self.reports.all(self.models),
            cards=bool(self.cards),
        )

    def _model(self, model: Model, text: Words) -> Response:
        card = self.cards.read(model.id, None, text("models_page.table"))
        evidence = self.cards.facts(model.id, "evidence.json")
        beside = [n for n, file in DOCUMENTS.items() if self.cards.file(model.id, file)]
        reports = [r for r in self.reports.all(self.models) if r.model == model.id]
        shown: dict[str, Any] = {"card": card, "beside": beside, "documents": DOCUMENTS}
        return page(
            "model",
            text.lang,
            row=self._row(model, text),
            facts=card_facts(model, text),
            reports=reports,
            trained=model_kind(model) == "trained",
            of_another=evidence.get("version", "") if _differs(model, evidence) else "",
            **shown,
        )

    def _row(self, model: Model, text: Words) -> Row:
        return row(
            model, served=model.id in self.served, cards=self.cards, mlflow=self.mlflow, text=text
        )

    def _asked(self, request: Request) -> Model:
        model = self.models.get(request.path_params["model"])
        if model is None:
            raise _unknown()
        return model

    def _text(self, request: Request) -> Words:
        asked = request.query_params.get("lang")
        default = self.place.language if self.place else "en"
        return words(asked if asked in LANGUAGES else language(request, default))


def _differs(model: Model, evidence: dict[str, Any]) -> bool:
    """Whether a card was written of other bytes than those that are served."""
    return bool(evidence) and evidence.get("digest") != model.facts.get("digest")


def _unknown() -> RequestError:
    return RequestError(404, [Problem("unknown_path", "path", "does not exist; see /models")])
