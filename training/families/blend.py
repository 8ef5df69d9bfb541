"""Average of spline logistic regression and boosted trees on the log-odds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.export import ExplainedGraph, blend_graph
from training.families import Fit, Fitted, Sample, spline, trees

FILE_NAME = "blend.json"
SHARES = {"spline": 0.5, "trees": 0.5}
MODULES = {"spline": spline, "trees": trees}


class Blend:
    """
    A weighted sum of fitted models' log-odds.

    Parameters
    ----------
    parts : mapping of str to Fitted
        By family, one of each at most.
    shares : mapping of str to float
        Weight of each, not negative: what goes up with a predictor in every part goes up here.
    """

    file_name = FILE_NAME

    def __init__(self, parts: Mapping[str, Fitted], shares: Mapping[str, float]) -> None:
        self.parts, self.shares = dict(parts), dict(shares)
        self.parameters: dict[str, Any] = {
            f"share_of_{name}": share for name, share in self.shares.items()
        }
        for name, part in self.parts.items():
            self.parameters |= {f"{name}_{key}": value for key, value in part.parameters.items()}

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds [n]: the parts' weighted sum."""
        terms = [self.shares[name] * part.log_odds(x) for name, part in self.parts.items()]
        return np.sum(terms, axis=0)

    def graph(self, background: np.ndarray, intercept: float, slope: float) -> ExplainedGraph:
        """Exact: the parts' exact contributions, added up in one graph."""
        # Divided among the parts, the intercept counts once.
        each = intercept / len(self.parts)
        graphs = [
            part.graph(background, each, slope * self.shares[name])
            for name, part in self.parts.items()
        ]
        return blend_graph(graphs)

    def save(self, folder: Path) -> None:
        """Write the shares as JSON, and each part as its own family does."""
        (folder / FILE_NAME).write_text(json.dumps({"shares": self.shares}))
        for part in self.parts.values():
            part.save(folder)


def fit(
    sample: Sample,
    monotone: Mapping[str, int],
    *,
    makers: Mapping[str, Fit] | None = None,
    shares: Mapping[str, float] = SHARES,
) -> Blend:
    """
    Fit the parts, each by itself, on the same people.

    Parameters
    ----------
    sample : Sample
        What to learn from.
    monotone : mapping of str to int
        +1 or -1 for predictors whose effect may go in one direction only.
    makers : mapping of str to callable, optional
        What fits each part, if not its family's own function.
    shares : mapping of str to float
        Weight of each part.

    Returns
    -------
    Blend
        The average; it keeps the directions, because the parts do.
    """
    makers = {name: MODULES[name].fit for name in shares} if makers is None else makers
    return Blend({name: makers[name](sample, monotone) for name in shares}, shares)


def load(folder: Path) -> Blend:
    """Read what `Blend.save` wrote."""
    shares = json.loads((folder / FILE_NAME).read_text())["shares"]
    return Blend({name: MODULES[name].load(folder) for name in shares}, shares)
