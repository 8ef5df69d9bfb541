"""The models and variables a client can count on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdss import VARIABLES, Model, Variable
from cdss.units import UNITS
from cdss.wire import model_to_dict


def catalogue(models: Sequence[Model]) -> dict[str, Any]:
    """
    Say what can be asked.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        The loaded models.

    Returns
    -------
    dict
        ``models``, and ``variables`` with accepted units and plausible ranges.
    """
    return {
        "models": [_model(model) for model in models],
        "variables": [_variable(variable) for variable in VARIABLES.values()],
    }


def _model(model: Model) -> dict[str, Any]:
    facts = {key: model.facts[key] for key in ("digest", "metrics") if key in model.facts}
    return model_to_dict(model) | facts


def _variable(variable: Variable) -> dict[str, Any]:
    quantity, choice = variable.kind == "quantity", variable.kind == "choice"
    return {
        "name": variable.name,
        "kind": variable.kind,
        "group": variable.group,
        "unit": variable.unit or None,
        "units": list(UNITS[variable.name]) if quantity else [],
        "plausible": [variable.low, variable.high] if quantity else None,
        "choices": list(variable.choices) if choice else [],
        "fresh_for_days": variable.fresh_for,
        "loinc": list(variable.loinc),
    }
