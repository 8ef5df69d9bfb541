"""
The BentoML service. Importing it loads the models, or refuses.

Settings come from the environment: ``CDSS_BUNDLES`` is a folder of bundles to serve instead of
those of the package, ``CDSS_DEMONSTRATION_MODELS=1`` adds demonstration models,
``CDSS_UNGATED_MODELS=1`` serves models without a release record too, which every answer of theirs
says, ``CDSS_JURISDICTION`` says whose guidelines are in force (default ``vn``), ``CDSS_BENCH=1``
the empty route that `serving.benchmarks` compares with, ``CDSS_MONITOR`` is the file of counts for
``cdss monitor``. `serving.settings` says how it is exposed.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

# Before BentoML is imported: it asks at import time, and a clinic's server calls nobody.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
import structlog
from bentoml._internal.server.http import traffic as bentoml_traffic
from starlette.types import ASGIApp, Receive, Scope, Send

from cdss import BundleError, Model, load_jurisdiction, load_models, published_models
from cdss.bundle import SHIPPED
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import DEFAULT
from serving import logs, traffic
from serving.app import create_app
from serving.cors import cors
from serving.feedback import FeedbackStore
from serving.fhir_client import FhirClient
from serving.hooks_api import fetch_nothing
from serving.journal import open_journal
from serving.models_page.evidence import read_evidence
from serving.monitor import open_monitor
from serving.settings import read_settings
from serving.sync import MEMBERS, RecordStore

TIMEOUT_SECONDS = 30
MAX_CONCURRENCY = 64

BENTOML_PROBES = ("/livez", "/readyz", "/healthz")


def outermost(app: ASGIApp, timeout: float) -> ASGIApp:
    """
    Make the layer that sees a request first.

    Parameters
    ----------
    app : ASGI application
        What answers.
    timeout : float
        Seconds it may take.

    Returns
    -------
    ASGI application
        With a time limit; whatever is refused, a page that may call can read why.
    """
    return cors(traffic.Timeout(app, timeout), settings.origins)


# BentoML makes its first two layers from these names; `serving.traffic` says why ours.
bentoml_traffic.TimeoutMiddleware = outermost
bentoml_traffic.MaxConcurrencyMiddleware = traffic.MaxConcurrency


def models_from_environment() -> tuple[Model, ...]:
    """
    Load the models the environment asks for.

    Returns
    -------
    tuple of RiskModel or PointsScore
        Trained models, then the published equations.

    Raises
    ------
    BundleError
        If a bundle is damaged or not released, there is none to serve, or a setting is not
        understood.
    """
    models = load_models(
        demonstrations=_asked("CDSS_DEMONSTRATION_MODELS"),
        ungated=_asked("CDSS_UNGATED_MODELS"),
        folder=_folder(),
    )
    if not models:
        raise BundleError("only demonstration models found; CDSS_DEMONSTRATION_MODELS=1 loads them")
    return (*models, *published_models())


def _folder() -> Path:
    return Path(os.environ.get("CDSS_BUNDLES") or SHIPPED)


def _offered() -> set[str]:
    """Ids of the bundles there are, served or not."""
    return {manifest.parent.name for manifest in _folder().glob("*/manifest.json")}


def _asked(setting: str) -> bool:
    """Read a setting that is on or off."""
    value = os.environ.get(setting, "0")
    if value not in ("0", "1"):
        raise BundleError(f"{setting} must be 0 or 1")
    return value == "1"


logs.configure()
settings = read_settings(os.environ)
models = models_from_environment()
place = load_jurisdiction(os.environ.get("CDSS_JURISDICTION") or DEFAULT)
journal = open_journal(os.environ, models)
feedback = FeedbackStore(settings.feedback, comments=settings.comments)
records = RecordStore(settings.records, members=MEMBERS) if settings.records else None
monitor = open_monitor(os.environ, models)
fhir_client = FhirClient(settings.fhir_servers)
app = create_app(
    models,
    place,
    settings=settings,
    journal=journal,
    feedback=feedback,
    fetch=fhir_client.fetch if settings.fhir_servers else fetch_nothing,
    records=records,
    monitor=monitor,
    offered=load_models(demonstrations=True, ungated=True, folder=_folder()),
    evidence=read_evidence(os.environ),
    empty_route=os.environ.get("CDSS_BENCH") == "1",
)


class OnlyProbes:
    """
    Leave to BentoML nothing but its probes.

    What else it answers by itself it answers to anybody: its schema, and 404 to a path with a line
    break, which no mount matches.

    Parameters
    ----------
    app : ASGI application
        BentoML's routes, among them the mount of ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the one or the other."""
        theirs = scope["type"] != "http" or scope["path"] in BENTOML_PROBES
        await (self.app if theirs else app)(scope, receive, send)


@bentoml.service(
    name="cdss",
    workers=1,
    traffic={"timeout": TIMEOUT_SECONDS, "max_concurrency": MAX_CONCURRENCY},
    http={"host": "127.0.0.1"},
    # All of these are done by our own layer, without paths (see `serving.metrics`).
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
@bentoml.asgi_app(app, path="/")
class Cdss:
    """Explained risks of non-communicable diseases from one check-up."""

    @bentoml.on_startup
    def settle(self) -> None:
        """Take what was loaded out of garbage collection, which then has little to walk."""
        monitor.start()
        gc.collect()
        gc.freeze()
        log = structlog.get_logger()
        if settings.clients is None:
            log.warning("open", url=settings.base_url)
        if unreleased := [m.id for m in models if not getattr(m, "released", True)]:
            log.warning("not_released", models=unreleased)
        if left_out := sorted(_offered() - {m.id for m in models}):
            log.info("left_out", models=left_out)  # demonstrations, and what no gate let pass
        log.info("ready", models=[m.id for m in models], languages=LANGUAGES)

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Write what waits, and let go."""
        monitor.close()
        journal.close()
        feedback.close()
        if records:
            records.close()
        await fhir_client.close()


Cdss.add_asgi_middleware(OnlyProbes)
