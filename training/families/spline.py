"""Logistic regression on cubic splines (scikit-learn), with indicators of the unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.interpolate import BSpline
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import SplineTransformer

from cdss.variables import VARIABLES
from training.export import ExplainedGraph, Shape, additive_graph
from training.families import Sample

FILE_NAME = "spline.json"
KNOTS = 5
DEGREE = 3
STRENGTH = 1.0
"""Inverse of the ridge penalty, scikit-learn's C."""


class Spline:
    """A fitted spline logistic regression: terms of each predictor, and their coefficients."""

    file_name = FILE_NAME

    def __init__(self, terms: list[dict], intercept: float, strength: float = STRENGTH) -> None:
        self.terms, self.intercept = terms, intercept
        self.parameters = {"knots": KNOTS, "degree": DEGREE, "C": strength}

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds [n]: scikit-learn's basis times the coefficients."""
        total = np.full(len(x), self.intercept)
        for term in self.terms:
            basis = _basis(term, x[term["name"]].to_numpy(np.float64))
            total += basis @ np.array(term["coefficients"])
        return total

    def graph(self, background: np.ndarray, intercept: float, slope: float) -> ExplainedGraph:
        """Exact contributions: each term minus its mean over the background."""
        return additive_graph(
            [_shape(term) for term in self.terms],
            constant=self.intercept,
            background=background,
            intercept=intercept,
            slope=slope,
        )

    def save(self, folder: Path) -> None:
        """Write knots and coefficients as JSON."""
        content = {"intercept": self.intercept, "terms": self.terms}
        (folder / FILE_NAME).write_text(json.dumps(content, indent=1))


def fit(
    sample: Sample,
    monotone: Mapping[str, int],
    *,
    strength: float = STRENGTH,
    knots: int = KNOTS,
) -> Spline:
    """
    Fit a spline logistic regression.

    Parameters
    ----------
    sample : Sample
        What to learn from; the offset enters as one more, unpenalised, column.
    monotone : mapping of str to int
        +1 or -1 for predictors whose effect may go in one direction only.
    strength, knots : float, int
        Inverse of the ridge penalty, and how many knots a quantity gets.

    Returns
    -------
    Spline
        The fitted regression.

    Notes
    -----
    The penalised coefficients are the steps from one B-spline (or code) to the next; a curve whose
    steps all go up goes up. Steps against a given direction are left out, one fit after another,
    until there is none.
    """
    terms = [_term(name, sample.x[name].to_numpy(np.float64), knots) for name in sample.x]
    blocks, directions = [], []
    for term in terms:
        *basis, unknown = _basis(term, sample.x[term["name"]].to_numpy(np.float64)).T
        steps = np.cumsum(basis[::-1], axis=0)[::-1]
        blocks.append(np.column_stack([*steps, unknown]))
        # The first step of a spline is its level: free. A choice's is from its first code: bound.
        level = [0] * ("knots" in term)
        direction = monotone.get(term["name"], 0)
        directions += [*level, *[direction] * (len(steps) - len(level)), 0]
    # Large values make the ridge penalty on the offset's coefficient negligible.
    columns = np.column_stack([*blocks, 100.0 * sample.offset])
    free = np.append(directions, 0)
    kept = np.ones(columns.shape[1], dtype=bool)
    model = LogisticRegression(C=strength, max_iter=2000, solver="newton-cholesky")
    while True:
        model.fit(columns[:, kept], sample.y, sample_weight=sample.weight)
        found = np.zeros(len(kept))
        found[kept] = model.coef_[0]
        wrong = found * free < 0
        if not wrong.any():
            break
        kept &= ~wrong
    at = 0
    for term, block in zip(terms, blocks, strict=True):
        *steps, unknown = found[at : at + block.shape[1]]
        term["coefficients"] = [*np.cumsum(steps).tolist(), float(unknown)]
        at += block.shape[1]
    return Spline(terms, float(model.intercept_[0]), strength)


def load(folder: Path) -> Spline:
    """Read what `Spline.save` wrote."""
    content = json.loads((folder / FILE_NAME).read_text())
    return Spline(content["terms"], content["intercept"])


def _term(name: str, values: np.ndarray, count: int) -> dict:
    """How a predictor enters: knots of a quantity, or the number of codes of anything else."""
    variable = VARIABLES[name]
    if variable.kind != "quantity":
        return {"name": name, "codes": max(len(variable.choices), 2)}
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.005, 0.995]) if len(known) else (0.0, 1.0)
    knots = np.unique(np.quantile(known, np.linspace(0, 1, count))[1:-1]) if len(known) else []
    knots = [k for k in knots if low < k < high]
    return {"name": name, "knots": [float(k) for k in (low, *knots, high)]}


def _transformer(term: dict) -> SplineTransformer:
    knots = np.array(term["knots"])[:, None]
    return SplineTransformer(degree=DEGREE, knots=knots, extrapolation="linear").fit(knots)


def _basis(term: dict, values: np.ndarray) -> np.ndarray:
    """Columns of a predictor: its basis (0 where unknown), then the indicator of the unknown."""
    unknown = np.isnan(values)
    if "codes" in term:
        basis = (values[:, None] == np.arange(1, term["codes"])).astype(float)
    else:
        known = np.where(unknown, term["knots"][0], values)[:, None]
        basis = _transformer(term).transform(known) * ~unknown[:, None]
    return np.column_stack([basis, unknown])


def _shape(term: dict) -> Shape:
    *coefficients, missing = term["coefficients"]
    if "codes" in term:
        return Shape.steps([0.0, *coefficients], missing=missing)
    spline = _transformer(term).bsplines_[0]
    pieces = BSpline(spline.t, spline.c @ np.array(coefficients), spline.k)
    return Shape.cubic(pieces, missing, extrapolate="linear")
