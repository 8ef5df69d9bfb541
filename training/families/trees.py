"""Gradient-boosted trees (XGBoost) with monotone constraints; missing values follow the splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost

from training.export import ExplainedGraph, tree_graph
from training.families import Sample

FILE_NAME = "trees.ubj"

# One thread: sums in one order, so that the same trees come out everywhere. Two gain little, and
# waiting for each other on a busy machine they take ten times as long.
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 4,
    "eta": 0.04,
    "subsample": 0.7,
    "colsample_bynode": 0.6,
    "min_child_weight": 10.0,
    "lambda": 5.0,
    "max_bin": 128,
    "seed": 7,
    "nthread": 1,
}
ROUNDS = 300


class Trees:
    """A fitted booster."""

    file_name = FILE_NAME

    def __init__(self, booster: xgboost.Booster, settings: Mapping[str, Any] = SETTINGS) -> None:
        self.booster = booster
        self.parameters = {**settings, "rounds": booster.num_boosted_rounds()}

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds [n]: the booster's margin."""
        values = x.to_numpy(np.float32)
        margin = self.booster.inplace_predict(
            values, predict_type="margin", validate_features=False
        )
        return np.asarray(margin, np.float64).reshape(-1)

    def graph(self, background: np.ndarray, intercept: float, slope: float) -> ExplainedGraph:
        """Interventional Shapley values against the background."""
        return tree_graph(
            self.booster,
            background.shape[1],
            background=background,
            intercept=intercept,
            slope=slope,
        )

    def save(self, folder: Path) -> None:
        """Write XGBoost's own binary JSON."""
        self.booster.save_model(folder / FILE_NAME)


def fit(
    sample: Sample,
    monotone: Mapping[str, int],
    *,
    settings: Mapping[str, Any] = SETTINGS,
    rounds: int = ROUNDS,
    base: float | None = None,
) -> Trees:
    """
    Fit boosted trees.

    Parameters
    ----------
    sample : Sample
        What to learn from.
    monotone : mapping of str to int
        +1 or -1 for predictors whose effect may go in one direction only.
    settings, rounds : mapping, int
        XGBoost's parameters, and how many trees.
    base : float, optional
        Probability to start from: the prevalence if None, 0.5 to correct what the offset says.

    Returns
    -------
    Trees
        The fitted booster.
    """
    mean = np.average(sample.y, weights=sample.weight) if base is None else base
    data = xgboost.DMatrix(
        sample.x.to_numpy(np.float32),
        label=sample.y,
        weight=sample.weight,
        # XGBoost replaces its intercept by the margin given: add it, then put it back as the base.
        base_margin=np.log(mean / (1 - mean)) + sample.offset,
    )
    constraints = tuple(monotone.get(name, 0) for name in sample.x)
    own = {"monotone_constraints": str(constraints), "base_score": float(mean)}
    return Trees(xgboost.train({**settings, **own}, data, rounds), settings)


def load(folder: Path) -> Trees:
    """Read what `Trees.save` wrote."""
    return Trees(xgboost.Booster(model_file=folder / FILE_NAME))
