"""
A survey's design: whom each person stands for, and how the sample was drawn.

Intervals come from replicate weights: in each replicate some primary sampling units of a stratum
count more and others not at all, as if the survey had been drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.resample import REPLICATES, SEED, Resamples

COLUMNS = ("survey_weight", "survey_stratum", "survey_psu")


@dataclass(frozen=True)
class Design:
    """
    A survey's design.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        People each person stands for, averaging 1.
    stratum, unit : ndarray of int, shape (n,)
        Stratum, and primary sampling unit with a number of its own over all strata.
    lone : int
        Strata with one unit only.
    """

    weight: np.ndarray
    stratum: np.ndarray
    unit: np.ndarray
    lone: int

    @property
    def df(self) -> int:
        """Degrees of freedom: units less strata."""
        return len(np.unique(self.unit)) - len(np.unique(self.stratum))


def design(people: pd.DataFrame) -> Design | None:
    """
    Read the design of a table.

    Parameters
    ----------
    people : pandas.DataFrame, shape (n, columns)
        With ``survey_weight``, ``survey_stratum`` and ``survey_psu``; with ``cycle``, weights count
        each cycle's people once, whatever the number of cycles pooled.

    Returns
    -------
    Design or None
        None if the table has no design. A stratum with one unit is joined to the next one, so that
        its own spread is not lost; `Design.lone` counts them.
    """
    if not set(COLUMNS) <= set(people.columns) or people[list(COLUMNS)].isna().any().any():
        return None
    weight = people["survey_weight"].to_numpy(dtype=float)
    stratum = np.unique(people["survey_stratum"], return_inverse=True)[1]
    psu = people["survey_psu"].to_numpy(dtype=float)
    unit = np.unique(np.column_stack([stratum, psu]), axis=0, return_inverse=True)[1].ravel()
    units = pd.Series(unit).groupby(stratum).nunique()
    lone = units.index[units == 1].to_numpy()
    for name in lone:
        others = np.setdiff1d(np.unique(stratum), [name])
        if len(others):
            nearest = others[np.argmin(np.abs(others - name))]
            stratum = np.where(stratum == name, nearest, stratum)
    return Design(weight / weight.mean(), stratum, unit, len(lone))


def rao_wu(plan: Design, replicates: int = REPLICATES, seed: int = SEED) -> Resamples:
    """
    Rescaled bootstrap: in each stratum of n units, n - 1 are drawn again with replacement.

    Parameters
    ----------
    plan : Design
        The survey.
    replicates : int
        How many.
    seed : int
        Of the draws.

    Returns
    -------
    Resamples
        Each drawn unit counts n / (n - 1) times as often as it was drawn.

    Source
    ------
    Rao JNK, Wu CFJ, Yue K, Survey Methodology 1992;18:209-217.
    """
    rng = np.random.default_rng(seed)
    of_unit = np.zeros((replicates, plan.unit.max() + 1), dtype=np.float32)
    for stratum in np.unique(plan.stratum):
        units = np.unique(plan.unit[plan.stratum == stratum])
        n = len(units)
        if n == 1:
            of_unit[:, units] = 1.0
            continue
        drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=replicates)
        of_unit[:, units] = drawn * n / (n - 1)
    return Resamples(
        of_unit[:, plan.unit],
        np.full(replicates, 1 / (replicates - 1)),
        float(plan.df),
        True,
        f"rescaled (Rao-Wu) bootstrap of primary sampling units, {replicates} replicates, "
        f"t with {plan.df} degrees of freedom" + _about_lone(plan),
    )


def jackknife(plan: Design) -> Resamples:
    """
    Delete one primary sampling unit at a time.

    Parameters
    ----------
    plan : Design
        The survey.

    Returns
    -------
    Resamples
        One replicate a unit, the others of its stratum counting n / (n - 1).

    Source
    ------
    Wolter KM, Introduction to Variance Estimation, 2nd ed. 2007, section 4.5.
    """
    units = np.unique(plan.unit)
    stratum_of = np.zeros(units.max() + 1, dtype=int)
    stratum_of[plan.unit] = plan.stratum
    factors, share = [], []
    for unit in units:
        mates = units[stratum_of[units] == stratum_of[unit]]
        n = len(mates)
        if n == 1:
            continue
        factor = np.ones(units.max() + 1, dtype=np.float32)
        factor[mates] = n / (n - 1)
        factor[unit] = 0
        factors.append(factor)
        share.append((n - 1) / n)
    return Resamples(
        np.stack(factors)[:, plan.unit],
        np.array(share),
        float(plan.df),
        False,
        f"jackknife of {len(factors)} primary sampling units, t with {plan.df} degrees of freedom"
        + _about_lone(plan),
    )


def _about_lone(plan: Design) -> str:
    return f"; {plan.lone} strata with one unit joined to the next" if plan.lone else ""
