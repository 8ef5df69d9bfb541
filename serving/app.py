"""The ASGI app: routes, answers to errors, and the layer that observes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from cdss import VARIABLES, Jurisdiction, Model, PatientRecord
from cdss.variables import Value
from serving.metrics import show_models
from serving.observe import Observe
from serving.problems import HANDLERS
from serving.routes import Api


def create_app(
    models: Sequence[Model], place: Jurisdiction | None = None, *, empty_route: bool = False
) -> ASGIApp:
    """
    Make the app that serves some models.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Models to serve; each answers once, so that the first request is as fast as the next.
    place : Jurisdiction, optional
        Whose guidelines are in force unless a request names others.
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
    api = Api(models, place)
    routes = api.routes()
    if empty_route:
        routes.append(Route("/empty", api.empty, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False  # an unknown path is unknown
    return Observe(app)


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
