"""How a language says whom a model was made from, and what may be done with it."""

from __future__ import annotations

from typing import Literal

from cdss.i18n.text import Words
from cdss.jurisdiction import Model
from cdss.points import PointsScore


def model_kind(model: Model) -> Literal["trained", "equation", "points"]:
    """
    Tell how a model was made.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.

    Returns
    -------
    str
        ``"trained"``, ``"equation"`` or ``"points"``.
    """
    if isinstance(model, PointsScore):
        return "points"
    return "equation" if "equation" in model.facts else "trained"


def _known_as(model: Model) -> str:
    return str(model.facts.get("equation", model.id))


def population(model: Model, text: Words) -> str:
    """
    Say whom a model was made from.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Of a model that does not ship, what its manifest says.
    """
    return text.texts.get(f"population.{_known_as(model)}") or model.population


def vietnam(model: Model, text: Words) -> str:
    """
    Say what is known of a model in Viet Nam.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    text : Words
        Words of a language.

    Returns
    -------
    str
        One sentence.
    """
    return text.texts.get(f"vietnam.{_known_as(model)}") or text("vietnam.other")


def licence(model: Model, text: Words) -> str:
    """
    Say what may be done with a model.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    text : Words
        Words of a language.

    Returns
    -------
    str
        One sentence.
    """
    if model_kind(model) == "trained":
        return text("licence.trained")
    return text.texts.get(f"licence.{_known_as(model)}") or text("licence.other")
