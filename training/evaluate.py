"""Validate a bundle on any table with a data set's columns, overall and by tier."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from cdss.bundle import SHIPPED, load_models
from training.data import load_table
from training.definition import definitions, predictors_of
from training.metrics import performance


def evaluate(
    model: str,
    dataset: str,
    table: str | os.PathLike[str] | None = None,
    *,
    bundles: str | os.PathLike[str] = SHIPPED,
) -> dict[str, Any]:
    """
    Validate a shipped model on people, with the definition's eligibility and outcome.

    Parameters
    ----------
    model : str
        Id of the bundle.
    dataset : str
        Data set whose columns and codes the table has.
    table : path, optional
        The table; by default the data set's own.
    bundles : path, optional
        Folder with the bundles.

    Returns
    -------
    dict
        Model, version, digest, data and flow; ``overall`` (as observed) and ``tiers`` with what
        `training.metrics.performance` reports. People outside the model's limits get no estimate:
        ``outside_limits`` counts them.

    Raises
    ------
    LookupError
        If the model or data set does not exist.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    definition = known[model]
    (bundle,) = load_models([model], folder=bundles)
    data = load_table(dataset, table)
    cohort = definition.cohort(data)
    x = predictors_of(cohort.x, bundle.predictors)
    inside = np.ones(len(x), dtype=bool)
    for name, (low, high, *_) in bundle.limits.items():
        value = x[name].to_numpy()
        inside &= np.isnan(value) | ((value >= np.float32(low)) & (value <= np.float32(high)))
    cohort, x = cohort.take(inside), x[inside]
    later = bundle.facts["time_coefficient"] * cohort.log_time
    tiers = {}
    for tier, panels in definition.tiers.items():
        hidden = [name for panel in panels for name in definition.panels[panel] if name in x]
        values = x.assign(**{name: np.float32(np.nan) for name in hidden})
        probability = bundle.function(values.to_numpy(np.float32))[0].astype(np.float64)
        log_odds = np.log(probability) - np.log1p(-probability) + later
        tiers[tier] = performance(cohort.y, log_odds, cohort.weight, cohort.person)
    return {
        "model": bundle.id,
        "version": bundle.version,
        "digest": bundle.facts["digest"],
        "dataset": dataset,
        "data_sha256": data.digest,
        "flow": [list(step) for step in cohort.flow],
        "outside_limits": int((~inside).sum()),
        **tiers["all"],
        "overall": tiers["all"],
        "tiers": tiers,
    }


def write_report(report: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a report as JSON."""
    Path(path).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
