"""Published equations and points scores, a folder each; to add one: a folder, its name here."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from cdss.errors import DefinitionError
from cdss.points import PointsScore
from cdss.risk import RiskModel

EQUATIONS = (
    "who_2019",
    "framingham_hypertension",
    "framingham_cvd_2008",
    "prevent_2023",
    "score2",
    "score2_op",
    "pce_2013",
    "findrisc",
    "modasian_findrisc",
    "ada_risk_test",
    "idrs",
)
"""Folders, in the order in which their models are listed."""


@lru_cache
def published_models() -> tuple[RiskModel | PointsScore, ...]:
    """
    Load every published equation and points score.

    Returns
    -------
    tuple of RiskModel or PointsScore
        In the order of `EQUATIONS`.

    Raises
    ------
    DefinitionError
        If a folder's files are wrong, or two models have one id.
    """
    models = tuple(
        model for name in EQUATIONS for model in import_module(f"cdss.equations.{name}").MODELS
    )
    if len({model.id for model in models}) < len(models):
        raise DefinitionError("two published models have one id")
    return models
