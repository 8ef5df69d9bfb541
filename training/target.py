"""
The people a published prevalence is to be right for, and the intercept that makes it so.

The shift is exact: the root of mean probability less prevalence. The difference of the two log-odds
would fall short, because a mean of probabilities is not the probability of a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from cdss.variables import VARIABLES
from training.aggregates import Aggregates, Cell


@dataclass(frozen=True)
class Target:
    """
    Whom the prevalence is to be right for: their log-odds, by cell.

    Attributes
    ----------
    log_odds, weights : tuple of ndarray, shape (n_cell,)
        What the parent says of each person, and the person's weight within the cell (sums to 1).
    shares : ndarray, shape (cells,)
        Weight of each cell (sums to 1).
    whose : str
        Where the people come from.
    """

    log_odds: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    shares: np.ndarray
    whose: str

    def means(self, shift: float) -> np.ndarray:
        """Mean probability in each cell after a shift of the intercept."""
        return np.array(
            [
                float(w @ (1 / (1 + np.exp(-(log_odds + shift)))))
                for log_odds, w in zip(self.log_odds, self.weights, strict=True)
            ]
        )

    def shift_to(self, prevalences: np.ndarray) -> float:
        """Exact shift of the intercept that gives the cells' prevalence over all of them."""
        aim = float(self.shares @ prevalences)
        return float(brentq(lambda d: self.shares @ self.means(d) - aim, -20, 20, xtol=1e-12))


def target_of(
    aggregates: Aggregates,
    age: np.ndarray,
    sex: np.ndarray,
    log_odds: np.ndarray,
    weight: float | None,
    whose: str,
) -> Target:
    """
    Put people into the cells of published prevalences.

    Parameters
    ----------
    aggregates : Aggregates
        The cells, and the standard population if prevalences are standardised.
    age, sex, log_odds : ndarray, shape (n,)
        Of each person; sex as `VARIABLES` encodes it.
    weight : float or None
        With 1 people count as they are; without, cells count by their own people.
    whose : str
        Where they come from.

    Returns
    -------
    Target
        Cell by cell.

    Raises
    ------
    ValueError
        If a cell has nobody.
    """
    parts, weights, shares = [], [], []
    for cell in aggregates.cells:
        rows = (age >= cell.age_low) & (age < cell.age_high + 1)
        if cell.sex != "both":
            rows &= sex == VARIABLES["sex"].encode(cell.sex)
        if not rows.any():
            raise ValueError(f"nobody to weight: {cell.name} has no people the model answers for")
        within = _standardised(age[rows], aggregates.standard)
        parts.append(log_odds[rows])
        weights.append(within / within.sum())
        shares.append(cell.people if weight is None else float(rows.sum()))
    total = np.array(shares)
    return Target(tuple(parts), tuple(weights), total / total.sum(), whose)


def _standardised(age: np.ndarray, standard: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Weight of each person so that age groups have the shares of the standard population."""
    if not standard:
        return np.ones(len(age))
    starts, share = (np.array(v) for v in zip(*standard, strict=True))
    group = np.clip(np.searchsorted(starts, age, side="right") - 1, 0, len(starts) - 1)
    count = np.bincount(group, minlength=len(starts))
    return np.asarray(share[group] / count[group])


def interval(cells: tuple[Cell, ...], target: Target) -> list[float] | None:
    """
    Shift at both ends of the published intervals, all cells at their ends together.

    Parameters
    ----------
    cells : tuple of Cell
        The prevalences.
    target : Target
        Whom they are of.

    Returns
    -------
    list of float or None
        None if no interval was published.
    """
    if any(cell.ci_low is None for cell in cells):
        return None
    ends = (np.array([getattr(cell, end) for cell in cells]) for end in ("ci_low", "ci_high"))
    return [target.shift_to(end) for end in ends]
