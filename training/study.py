"""What is validated: predictions of one model for the people of one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cdss import RiskModel, load_models, published_models
from cdss.bundle import SHIPPED
from cdss.equation import log_odds as logit
from training.bundled import as_in, defined, eligible, predict
from training.contenders import PUBLISHED, encoded
from training.data import Table, load_table
from training.definition import Cohort, Definition
from training.families import families
from training.fit import cross_validate, left_out

Tick = Callable[[str], None]


@dataclass(frozen=True)
class Study:
    """
    A model, a table, and what the model says of its people.

    Attributes
    ----------
    model, version, digest, family : str
        Whose predictions; `digest` and `family` are empty for a published equation.
    definition : Definition
        Eligibility, outcome and tiers.
    data : Table
        The table.
    cohort : Cohort
        The eligible people to whom the model applies.
    log_odds : dict of str to ndarray, shape (n,)
        Predictions by tier, follow-up time included.
    left : dict of str to ndarray, shape (n,), or None
        Predictions by models that never saw the person's site or survey cycle.
    validation : str
        ``cross-validated`` on development data, else ``external``.
    same_outcome : bool
        Whether what is predicted is the definition's outcome: of an equation of related events only
        ranking and net benefit mean something.
    """

    model: str
    version: str
    digest: str
    family: str
    definition: Definition
    data: Table
    cohort: Cohort
    log_odds: dict[str, np.ndarray]
    left: dict[str, np.ndarray] | None
    validation: str
    same_outcome: bool = True


def of_trained(
    model: str,
    data: Table | None = None,
    *,
    bundles: str | os.PathLike[str] = SHIPPED,
    left: bool = True,
    tick: Tick = lambda step: None,
) -> Study:
    """
    Predict with a trained model: cross-validated on what it was made from, else by its bundle.

    Parameters
    ----------
    model : str
        Id of the model.
    data : Table, optional
        By default its development data.
    bundles : path, optional
        Folder with its bundle.
    left : bool
        Whether sites or survey cycles are left out in turn too, on development data.
    tick : callable, optional
        Called with a word after each fit.

    Returns
    -------
    Study
        With predictions in every tier.

    Raises
    ------
    LookupError
        If there is no such model.
    """
    definition = defined(model)
    (bundle,) = load_models([model], folder=bundles, ungated=True)
    data = data or load_table(definition.dataset)
    about = (bundle.id, bundle.version, bundle.facts["digest"], bundle.facts["family"])
    definition = as_in(definition, bundle)
    cohort = eligible(definition, data)
    cohort = replace(cohort, x=cohort.x[list(definition.predictors)])
    # A recalibrated version is judged as it is: fitting its family again would say nothing of it.
    made_elsewhere = data.digest != bundle.facts["training"]["data_sha256"]
    if made_elsewhere or bundle.facts.get("parent"):
        inside, log_odds = predict(bundle, definition, cohort)
        cohort = with_step(cohort, inside, "within the model's limits")
        return Study(*about, definition, data, cohort, log_odds, None, "external")
    fit = families()[bundle.facts["family"]]
    found = cross_validate(definition, cohort, fit, tick, sites=False)
    elsewhere = None
    if left and cohort.part is not None:
        elsewhere = left_out(definition, cohort, fit, found.raw, tick)
    return Study(
        *about, definition, data, cohort, found.log_odds, elsewhere, "cross-validated"
    )  # fmt: skip


def of_equation(equation: str, outcome_of: str, data: Table | None = None) -> Study:
    """
    Predict with a published equation, judged by a trained model's outcome.

    Parameters
    ----------
    equation : str
        Id of the equation.
    outcome_of : str
        Id of the trained model whose eligibility and outcome are used.
    data : Table, optional
        By default that model's development data.

    Returns
    -------
    Study
        With the one tier "all"; people to whom the equation does not apply are left out.

    Raises
    ------
    LookupError
        If there is no such equation or model.
    ValueError
        If it is a points score, which has no risk, or answers for nobody here.
    """
    every = {m.id: m for m in published_models()}
    if equation not in every:
        raise LookupError(f"no published equation named {equation}; there are: {', '.join(every)}")
    chosen, definition = every[equation], defined(outcome_of)
    if not isinstance(chosen, RiskModel):
        raise ValueError(f"{equation} counts points and gives no risk: it stands in comparisons")
    data = data or load_table(definition.dataset)
    cohort = eligible(definition, data)
    answer = chosen.columns(encoded(cohort.people))
    known = np.isfinite(answer.low)
    if not known.any():
        raise ValueError(f"{equation} applies to nobody in this table")
    cohort = with_step(cohort, known, f"{equation} applies")
    middle = (np.asarray(logit(answer.low)) + np.asarray(logit(answer.high))) / 2
    return Study(
        equation, chosen.version, "", "", definition, data, cohort, {"all": middle[known]}, None,
        "external", [equation] in PUBLISHED[definition.outcome]["same"],
    )  # fmt: skip


def with_step(cohort: Cohort, rows: np.ndarray, step: str) -> Cohort:
    """The cohort of some rows, with one more step in its flow if anybody was left out."""
    kept = cohort.take(rows)
    return kept if rows.all() else replace(kept, flow=(*cohort.flow, (step, int(rows.sum()))))


def summary(study: Study) -> dict[str, Any]:
    """
    What every report says first.

    Parameters
    ----------
    study : Study
        What is validated.

    Returns
    -------
    dict
        Model, data, outcome, people, events and flow.
    """
    return {
        "format": 1,
        "model": study.model,
        "version": study.version,
        "digest": study.digest or None,
        "family": study.family or None,
        "dataset": study.data.name,
        "data_sha256": study.data.digest,
        "validation": study.validation,
        "outcome": study.definition.outcome,
        "outcome_of": study.definition.id,
        "same_outcome": study.same_outcome,
        "horizon_years": study.definition.horizon_years,
        "people": len(study.cohort),
        "events": int(study.cohort.y.sum()),
        "flow": [list(step) for step in study.cohort.flow],
    }
