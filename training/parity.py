"""The explained graph against the native model and against shap, on real people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from training.data import Table, load_table
from training.definition import Cohort, Definition, predictors_of
from training.families import Fitted
from training.families.blend import Blend
from training.families.trees import Trees
from training.package import Product

MAX_PROBABILITY_ERROR = 1e-6
MAX_CONTRIBUTION_ERROR = 1e-5


def held_out(
    definition: Definition, table: Table, cohort: Cohort, rows: int = 2000
) -> pd.DataFrame:
    """
    Real people the model was not made from, a third of their optional values hidden at random.

    Parameters
    ----------
    definition : Definition
        Which predictors.
    table : Table
        The data set the model is made from.
    cohort : Cohort
        Whoever is in it is left out.
    rows : int
        How many.

    Returns
    -------
    pandas.DataFrame, shape (rows, k)
        Predictors, float32. Where too few were left out, half of the rows are the model's own
        people; where nobody was, the other half are of another survey, which lacks some predictors.
    """
    others = table.frame[~table.frame["person"].isin(cohort.person)]
    x = _complete(others, definition)
    share = rows if len(x) >= rows else rows // 2
    if len(x) < share:
        survey = load_table("nhanes").frame
        survey = survey.assign(current_smoker=survey["smoking"].eq(2).astype(float))
        x = _complete(survey, definition)
    x = x.sample(share, random_state=3)
    x = pd.concat([x, cohort.x.sample(rows - share, random_state=3)])
    hidden = np.random.default_rng(3).random(x.shape) < 1 / 3
    hidden[:, : len(definition.inputs)] = False
    return x.mask(hidden).astype("float32")


def _complete(frame: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    """Predictors of those whose required ones are known."""
    x = predictors_of(frame, definition.predictors)
    return x[x[list(definition.inputs)].notna().all(axis=1)]


def parity(product: Product, x: pd.DataFrame, explained_rows: int = 200) -> dict[str, float]:
    """
    Compare the explained graph with the native library and with shap.

    Parameters
    ----------
    product : Product
        The model and its graph.
    x : pandas.DataFrame, shape (n, k)
        Rows to compare on.
    explained_rows : int
        How many of them shap explains (it is slow; a tenth of them unless all is trees).

    Returns
    -------
    dict of str to float
        Greatest absolute errors: of the probability, of the sum of contributions (log-odds), of
        the contributions against shap (log-odds), and the number of rows.
    """
    probability, contributions = product.run(x)
    native = product.native_log_odds(x)
    total = product.graph.baseline + contributions.sum(axis=1, dtype=np.float64)
    logit = np.log(probability.astype(np.float64)) - np.log1p(-probability.astype(np.float64))
    trees_only = isinstance(product.fitted, Trees)
    few = x.iloc[: explained_rows if trees_only else explained_rows // 10]
    expected = shap_contributions(product, few)
    return {
        "rows": len(x),
        "probability": float(np.abs(probability - 1 / (1 + np.exp(-native))).max()),
        "additivity": float(np.abs(total - logit).max()),
        "shap_rows": len(few),
        "shap": float(np.abs(contributions[: len(few)] - expected).max()),
    }


def shap_contributions(product: Product, x: pd.DataFrame) -> np.ndarray:
    """
    The same contributions by the library shap, recalibrated.

    Parameters
    ----------
    product : Product
        The model.
    x : pandas.DataFrame, shape (n, k)
        Rows to explain.

    Returns
    -------
    ndarray, shape (n, k)
        Interventional Shapley values, log-odds: TreeExplainer for trees, PermutationExplainer for
        additive models (exact whatever the permutation), their weighted sum for a blend.
    """
    import shap

    behind = product.background.to_numpy(np.float32)
    # Given the rows alone, shap would quietly take 100 of them.
    masker = shap.maskers.Independent(behind, max_samples=len(behind))
    return product.slope * _shap_values(product.fitted, x, masker)


def _shap_values(fitted: Fitted, x: pd.DataFrame, masker: Any) -> np.ndarray:
    """Before recalibration."""
    import shap

    if isinstance(fitted, Blend):
        parts = [
            fitted.shares[name] * _shap_values(part, x, masker)
            for name, part in fitted.parts.items()
        ]
        return np.sum(parts, axis=0)
    rows = x.to_numpy(np.float32)
    if isinstance(fitted, Trees):
        explainer = shap.TreeExplainer(
            fitted.booster, masker, feature_perturbation="interventional"
        )
        return np.asarray(explainer.shap_values(rows))

    def log_odds(values: np.ndarray) -> np.ndarray:
        return fitted.log_odds(pd.DataFrame(values, columns=x.columns))

    explainer = shap.PermutationExplainer(log_odds, masker, seed=0)
    return np.asarray(explainer(rows, max_evals=2 * rows.shape[1] + 1, silent=True).values)


def refuse_without_parity(errors: Mapping[str, float]) -> None:
    """
    Refuse to ship a graph that does not say what the native model says.

    Parameters
    ----------
    errors : mapping
        What `parity` returned.

    Raises
    ------
    RuntimeError
        If an error is above its limit.
    """
    limits = {
        "probability": MAX_PROBABILITY_ERROR,
        "additivity": MAX_CONTRIBUTION_ERROR,
        "shap": MAX_CONTRIBUTION_ERROR,
    }
    over = [f"{name} {errors[name]:.2g} > {limit:g}" for name, limit in limits.items()
            if not errors[name] <= limit]  # fmt: skip
    if over:
        raise RuntimeError(f"the explained graph fails parity: {', '.join(over)}")
