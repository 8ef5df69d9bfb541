"""A bundle and its definition: who is eligible, and what the bundle says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cdss import RiskModel
from training.data import Table
from training.definition import Cohort, Definition, definitions, predictors_of


def eligible(definition: Definition, data: Table) -> Cohort:
    """
    The people of a table whom a definition is about.

    Parameters
    ----------
    definition : Definition
        Eligibility and outcome.
    data : Table
        Any table.

    Returns
    -------
    Cohort
        With their outcomes.

    Raises
    ------
    ValueError
        If the table lacks what eligibility, outcome or the model itself needs.
    """
    if lacking := [name for name in definition.inputs if name not in data.frame]:
        raise ValueError(f"{data.name} lacks {', '.join(lacking)}, which {definition.id} requires")
    try:
        return definition.cohort(data)
    except KeyError as error:
        raise ValueError(
            f"{data.name} lacks {error.args[0]}, which {definition.id} needs to know who is "
            "eligible and what happened: name its column in [columns] or [extra]"
        ) from None


def predict(
    bundle: RiskModel, definition: Definition, cohort: Cohort
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """
    What a bundle says of a cohort in every tier.

    Parameters
    ----------
    bundle : RiskModel
        The model.
    definition : Definition
        Its tiers.
    cohort : Cohort
        The people.

    Returns
    -------
    inside : ndarray of bool, shape (n,)
        Whose required predictors are known and within the model's limits; others get no estimate.
    log_odds : dict of str to ndarray, shape (inside,)
        By tier, follow-up time included.
    """
    x = predictors_of(cohort.x, bundle.predictors)
    inside = cohort.x[list(definition.inputs)].notna().all(axis=1).to_numpy(copy=True)
    for name, (low, high, *_) in bundle.limits.items():
        value = x[name].to_numpy()
        inside &= np.isnan(value) | ((value >= np.float32(low)) & (value <= np.float32(high)))
    x, later = x[inside], bundle.facts["time_coefficient"] * cohort.log_time[inside]
    found = {}
    for tier, panels in definition.tiers.items():
        hidden = [name for panel in panels for name in definition.panels[panel] if name in x]
        values = x.assign(**{name: np.float32(np.nan) for name in hidden})
        probability = bundle.function(values.to_numpy(np.float32))[0].astype(np.float64)
        found[tier] = np.log(probability) - np.log1p(-probability) + later
    return inside, found


def defined(model: str) -> Definition:
    """
    Find a definition.

    Parameters
    ----------
    model : str
        Id of the model.

    Returns
    -------
    Definition
        The model's.

    Raises
    ------
    LookupError
        If there is none; lists those there are.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    return known[model]


def as_in(definition: Definition, bundle: RiskModel) -> Definition:
    """
    Restrict a definition to the predictors a bundle was made with (a small variant has fewer).

    Parameters
    ----------
    definition : Definition
        As it is in the code.
    bundle : RiskModel
        As it was made.

    Returns
    -------
    Definition
        The same, or one with fewer optional predictors.

    Raises
    ------
    ValueError
        If the bundle has predictors that the definition lacks: it was made by other code.
    """
    if unknown := set(bundle.predictors) - set(definition.predictors):
        names = ", ".join(sorted(unknown))
        raise ValueError(f"{bundle.id} was made by other code, with {names}: train it again")
    optional = {k: v for k, v in definition.optional.items() if k in bundle.predictors}
    monotone = {k: v for k, v in definition.monotone.items() if k in bundle.predictors}
    return replace(definition, optional=optional, monotone=monotone)
