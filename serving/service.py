"""
The BentoML service. Importing it loads the models, or refuses.

Settings come from the environment: ``CDSS_BUNDLES`` is a folder of bundles to serve instead of
those of the package, ``CDSS_DEMONSTRATION_MODELS=1`` adds demonstration models,
``CDSS_UNGATED_MODELS=1`` serves models without a release record too, which every answer of theirs
says, ``CDSS_JURISDICTION`` says whose guidelines are in force (default ``vn``), ``CDSS_BENCH=1``
the empty route that `serving.benchmarks` compares with.
"""

from __future__ import annotations

import gc
import os

# Before BentoML is imported: it asks at import time, and a clinic's server calls nobody.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
import structlog
from bentoml._internal.server.http import traffic as bentoml_traffic

from cdss import BundleError, Model, load_jurisdiction, load_models, published_models
from cdss.bundle import SHIPPED
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import DEFAULT
from serving import logs, traffic
from serving.app import create_app

TIMEOUT_SECONDS = 30
MAX_CONCURRENCY = 64

# BentoML makes its first two layers from these names; `serving.traffic` says why ours.
bentoml_traffic.TimeoutMiddleware = traffic.Timeout
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
    folder = os.environ.get("CDSS_BUNDLES") or SHIPPED
    models = load_models(
        demonstrations=_asked("CDSS_DEMONSTRATION_MODELS"),
        ungated=_asked("CDSS_UNGATED_MODELS"),
        folder=folder,
    )
    if not models:
        raise BundleError("only demonstration models found; CDSS_DEMONSTRATION_MODELS=1 loads them")
    return (*models, *published_models())


def _asked(setting: str) -> bool:
    """Read a setting that is on or off."""
    value = os.environ.get(setting, "0")
    if value not in ("0", "1"):
        raise BundleError(f"{setting} must be 0 or 1")
    return value == "1"


logs.configure()
models = models_from_environment()
place = load_jurisdiction(os.environ.get("CDSS_JURISDICTION") or DEFAULT)


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
@bentoml.asgi_app(
    create_app(models, place, empty_route=os.environ.get("CDSS_BENCH") == "1"), path="/"
)
class Cdss:
    """Explained risks of non-communicable diseases from one check-up."""

    @bentoml.on_startup
    def settle(self) -> None:
        """Take what was loaded out of garbage collection, which then has little to walk."""
        gc.collect()
        gc.freeze()
        log = structlog.get_logger()
        if unreleased := [m.id for m in models if not getattr(m, "released", True)]:
            log.warning("not_released", models=unreleased)
        log.info("ready", models=[m.id for m in models], languages=LANGUAGES)
