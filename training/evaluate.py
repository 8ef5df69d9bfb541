"""Validate a bundle on any table with a data set's columns, overall and by tier."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cdss.bundle import SHIPPED, load_models
from training.bundled import defined, eligible, predict
from training.data import load_table
from training.metrics import performance


def evaluate(
    model: str,
    dataset: str | os.PathLike[str],
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
    dataset : str or path
        Data set whose columns and codes the table has, or the path of a mapping file.
    table : path, optional
        The table; by default the data set's own.
    bundles : path, optional
        Folder with the bundles.

    Returns
    -------
    dict
        Model, version, digest, data and flow; ``overall`` (as observed) and ``tiers`` with what
        `training.metrics.performance` reports. People outside the model's limits, or of whom a
        required predictor is unknown, get no estimate: ``outside_limits`` counts them. ``rejected``
        says what of the table could not be used.

    Raises
    ------
    LookupError
        If the model or data set does not exist.
    ValueError
        If the table lacks what the model's definition needs.
    """
    definition = defined(model)
    (bundle,) = load_models([model], folder=bundles, ungated=True)
    data = load_table(dataset, table)
    cohort = eligible(definition, data)
    inside, log_odds = predict(bundle, definition, cohort)
    cohort = cohort.take(inside)
    tiers = {
        tier: performance(cohort.y, values, cohort.weight, cohort.person)
        for tier, values in log_odds.items()
    }
    return {
        "model": bundle.id,
        "version": bundle.version,
        "digest": bundle.facts["digest"],
        "dataset": data.name,
        "data_sha256": data.digest,
        "flow": [list(step) for step in cohort.flow],
        "outside_limits": int((~inside).sum()),
        "rejected": list(data.report.lines()),
        **tiers["all"],
        "overall": tiers["all"],
        "tiers": tiers,
    }


def write_report(report: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a report as JSON."""
    Path(path).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
