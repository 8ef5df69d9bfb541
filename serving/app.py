"""The ASGI app: routes, answers to errors, and the layers that protect and observe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from cdss import VARIABLES, Jurisdiction, Model, PatientRecord
from cdss.variables import Value
from serving.feedback import FeedbackStore
from serving.fhir_api import FhirApi
from serving.hooks_api import Fetch, HooksApi, fetch_nothing, link_nowhere
from serving.journal import Keeps
from serving.metrics import show_models
from serving.models_page import ModelsApi
from serving.models_page.evidence import Evidence
from serving.monitor import Monitor
from serving.observe import Observe
from serving.page.opened import OpenedApi, openings
from serving.page.routes import PageApi
from serving.problems import HANDLERS
from serving.ratelimit import RateLimit
from serving.routes import Api
from serving.security import Authenticate, OnlyHere
from serving.settings import Settings
from serving.smart.compared import comparing
from serving.smart.links import CardLinks
from serving.smart.routes import SmartApi
from serving.smart.sessions import InSession, Sessions
from serving.sync import RecordStore, SyncApi
from serving.traffic import BodyLimit

MOST_BYTES = 20_000_000
"""Of any body. Each route has a limit of its own below it; this is for one that forgets."""


def create_app(
    models: Sequence[Model],
    place: Jurisdiction | None = None,
    *,
    settings: Settings | None = None,
    journal: Keeps | None = None,
    feedback: FeedbackStore | None = None,
    fetch: Fetch = fetch_nothing,
    records: RecordStore | None = None,
    monitor: Monitor | None = None,
    offered: Sequence[Model] = (),
    evidence: Evidence | None = None,
    empty_route: bool = False,
) -> ASGIApp:
    """
    Make the app that serves some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve; each answers once, so that the first request is as fast as the next.
    place : Jurisdiction, optional
        Whose guidelines are in force unless a request names others.
    settings : Settings, optional
        How it is exposed; without, it is not protected at all, for use within a process.
    journal : Keeps, optional
        Where assessments are recorded before they are answered; without, nowhere.
    feedback : FeedbackStore, optional
        Where feedback on cards is kept; without, until the process ends.
    fetch : callable
        Asks an EMR's FHIR server for what it did not send; without, nobody is asked.
    records : RecordStore, optional
        Where records of the offline edition are kept; without, they have no address.
    monitor : Monitor, optional
        What counts by client; without, one that keeps nothing.
    offered : sequence of RiskModel or PointsScore
        Models there are, served or not, for the pages of the models.
    evidence : Evidence, optional
        Where their cards and reports are.
    empty_route : bool
        Whether ``POST /empty`` answers a constant, for measuring what the rest costs.

    Returns
    -------
    ASGI application
        Not a `Starlette` app at the outside: BentoML would answer unknown paths itself.
    """
    for model in models:
        model.estimate(_typical(model))
    show_models(models)
    exposed = settings or Settings()
    url = exposed.base_url
    api = Api(models, place, journal=journal)
    kept = feedback or FeedbackStore()
    public = settings.base_url if settings and settings.clients else None
    opened, sessions = openings(), Sessions(url)
    link = CardLinks(url, exposed.smart, None if exposed.clients else opened)
    lang = place.language if place else "en"
    pages = PageApi(models, place, journal=journal, base_url=public, keep=kept.keep)
    # All routes there are; `serving.addresses` says who may use them, and a test that it does.
    routes = [
        *api.routes(),
        *FhirApi(models, place, journal=journal, base_url=url).routes(),
        *HooksApi(
            models,
            place,
            journal=journal,
            feedback=kept,
            fetch=fetch,
            link=link if settings else link_nowhere,
        ).routes(),
        *(SyncApi(records).routes() if records else ()),
        *pages.routes(),
        *OpenedApi(pages, opened, comparing(journal)).routes(),
        *(
            SmartApi(exposed.smart, url, sessions, opened, lang=lang).routes()
            if exposed.smart
            else ()
        ),
        *ModelsApi(models, place, offered=offered, evidence=evidence).routes(),
    ]
    if empty_route:
        routes.append(Route("/empty", api.empty, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.state.monitor = monitor or Monitor(models)
    app.router.redirect_slashes = False  # an unknown path is unknown
    return Observe(_protected(app, settings, sessions, lang) if settings else app)


def _protected(app: ASGIApp, settings: Settings, sessions: Sessions, lang: str) -> ASGIApp:
    """Put around an app what its exposure needs; the last is the first that sees a request."""
    app = BodyLimit(app, MOST_BYTES)
    if settings.rate:
        app = RateLimit(app, settings.rate)
    if settings.clients:
        app = Authenticate(app, settings.clients, settings.base_url)
    else:
        app = OnlyHere(app)
    if settings.smart:
        frame = dict.fromkeys(origin for server in settings.smart for origin in server.frame)
        needed = settings.clients is not None
        app = InSession(app, sessions, needed=needed, frame=tuple(frame), lang=lang)
    return app


def _typical(model: Model) -> PatientRecord:
    """Make a record with every input, to which the model applies."""
    values: dict[str, Value] = {name: True for name in getattr(model, "only_with", ())}
    for name in model.predictors:
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            low, high, *_ = model.limits.get(name, (variable.low, variable.high))
            values[name] = (max(low, variable.low) + min(high, variable.high)) / 2
        else:
            values[name] = variable.choices[0] if variable.choices else False
    return PatientRecord(date(2026, 1, 1), values)
