"""
Four ways to make a risk model, one contract.

A family is a function ``fit(sample, monotone) -> Fitted``. A `Fitted` gives log-odds, and an
explained graph that must give the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from training.export import ExplainedGraph


@dataclass(frozen=True)
class Sample:
    """
    What a family learns from.

    Attributes
    ----------
    x : pandas.DataFrame, shape (n, k)
        Predictors, float32, NaN = unknown.
    y : ndarray, shape (n,)
        0 or 1.
    weight : ndarray, shape (n,)
        Weight of each row, 0 or more.
    offset : ndarray, shape (n,)
        Part of the log-odds that is given (follow-up time), not learned.
    """

    x: pd.DataFrame
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray


class Fitted(Protocol):
    """A fitted model, before recalibration."""

    parameters: Mapping[str, Any]
    """What to log: settings and sizes."""

    file_name: str
    """Name of the file that tells the family; `save` may write others beside it."""

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds [n], float64, in the native library, without the offset."""
        ...

    def graph(self, background: np.ndarray, intercept: float, slope: float) -> ExplainedGraph:
        """Explained graph, recalibrated, with contributions relative to the background."""
        ...

    def save(self, folder: Path) -> None:
        """Write the native model, without pickle, so that parity can be checked again later."""
        ...


Fit = Callable[[Sample, Mapping[str, int]], Fitted]


def families() -> dict[str, Fit]:
    """
    Every family by name.

    Returns
    -------
    dict of str to callable
        The blend takes its parts from the spline and the trees fitted on the same sample, if they
        were fitted by the same dictionary: that costs nothing.
    """
    from training.families import additive, blend, spline, trees

    parts = {"spline": remembered(spline.fit), "trees": remembered(trees.fit)}
    return {**parts, "additive": additive.fit, "blend": partial(blend.fit, makers=parts)}


def remembered(fit: Fit) -> Fit:
    """
    Fit each sample once.

    Parameters
    ----------
    fit : callable
        A family.

    Returns
    -------
    callable
        Gives the model of an equal sample and equal directions again, as long as it is kept.
    """
    known: dict[bytes, Fitted] = {}

    def fit_once(sample: Sample, monotone: Mapping[str, int]) -> Fitted:
        key = hashlib.blake2b(repr((tuple(sample.x), sorted(monotone.items()))).encode())
        for values in (sample.x.to_numpy(), sample.y, sample.weight, sample.offset):
            key.update(np.ascontiguousarray(values))
        digest = key.digest()
        if digest not in known:
            known[digest] = fit(sample, monotone)
        return known[digest]

    return fit_once


def load_native(folder: Path) -> Fitted:
    """
    Read back what `Fitted.save` wrote.

    Parameters
    ----------
    folder : path
        The folder given to `Fitted.save`.

    Returns
    -------
    Fitted
        Gives the same log-odds as the one saved.

    Raises
    ------
    FileNotFoundError
        If no family knows a file in it.
    """
    from training.families import additive, blend, spline, trees

    for family in (blend, spline, trees, additive):  # a blend's folder holds its parts' files
        if (folder / family.FILE_NAME).is_file():
            return family.load(folder)
    raise FileNotFoundError(f"no native model in {folder.name}")
