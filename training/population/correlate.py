"""
How values go together, from cohorts: correlations of normal scores within sex and age band.

They are taken pairwise, so that whoever lacks a test still counts for the others; of a yes/no they
are of the liability behind it (biserial, tetrachoric).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from cdss.synthetic.correlated import nearest

BANDS = (18, 30, 40, 50, 60, 70, 200)
"""First ages of the bands within which margins are learned."""
GROUPS = (18, 40, 60, 200)
"""First ages of the bands within which correlations are learned."""
BEYOND = 20
"""People beyond a quantile, and people who say yes, and no, behind a correlation."""
FEWEST = 150
"""People behind a correlation."""

SEXES = ("male", "female")
FROM_CHINA = (
    "height", "bmi", "systolic_bp", "diastolic_bp", "total_cholesterol", "hdl_cholesterol",
    "triglycerides", "creatinine", "alt", "ast",
)  # fmt: skip
FROM_NHANES = ("heart_rate", "ggt", "uric_acid", "uacr")
RESIDUALS = ("waist", "hba1c")
"""Of what is modelled given other quantities, the correlations are of the residual."""
QUANTITIES = (*FROM_CHINA, *FROM_NHANES, *RESIDUALS, "fasting_glucose")
YES_NO = ("hypertension", "diabetes", "current_smoker", "prior_cvd", "on_statin",
          "family_history_diabetes")  # fmt: skip
NAMES = (*QUANTITIES, *YES_NO)


def cells(frame: pd.DataFrame, edges: tuple[int, ...]) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """
    Go through the people by sex and age.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``sex`` and ``age``.
    edges : tuple of int
        First ages of the bands, and one that nobody reaches.

    Yields
    ------
    tuple of (str, int, pandas.DataFrame)
        Sex, number of the band, and its people.
    """
    for sex, word in enumerate(SEXES):
        for at, (low, high) in enumerate(pairwise(edges)):
            inside = (frame["sex"] == sex) & (frame["age"] >= low) & (frame["age"] < high)
            yield word, at, frame[inside]


def correlate(cohorts: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """
    Correlate, in every sex and group of age.

    Parameters
    ----------
    cohorts : dict of str to pandas.DataFrame
        ``china`` and ``nhanes``, with residuals in the columns of `RESIDUALS`.

    Returns
    -------
    list of dict
        One a sex and group: the lower triangle in the order of `NAMES`, how many people are behind
        it, and the fewest behind one of its numbers.
    """
    scores = {name: _scores(frame) for name, frame in cohorts.items()}
    found = []
    parts = {name: list(cells(frame, GROUPS)) for name, frame in scores.items()}
    for at, (sex, group, _) in enumerate(parts["china"]):
        matrix, people, least = np.eye(len(NAMES)), {"china": 0, "nhanes": 0}, 10**9
        for i, j in combinations(range(len(NAMES)), 2):
            pair = (NAMES[i], NAMES[j])
            cohort = "china" if {*pair} <= {*FROM_CHINA} else "nhanes"
            if not {*pair} <= {*parts[cohort][at][2].columns}:
                continue
            r, n = score_pair(parts[cohort][at][2], *pair)
            matrix[i, j] = matrix[j, i] = r
            people[cohort] = max(people[cohort], n)
            least = min(least, n) if n >= FEWEST else least
        _through(matrix, "ast", "alt")
        found.append({
            "sex": sex, "from_age": GROUPS[group], "people": people, "fewest": int(least),
            "lower": [[round(float(x), 3) for x in row[:k]]
                      for k, row in enumerate(nearest(matrix))],
        })  # fmt: skip
    return found


def _through(matrix: Any, name: str, other: str) -> None:
    """Where no cohort has a quantity beside another: what `other` alone would make of it."""
    at, via = NAMES.index(name), NAMES.index(other)
    for j in range(len(NAMES)):
        if j not in (at, via) and NAMES[j] not in FROM_CHINA:
            matrix[at, j] = matrix[j, at] = matrix[at, via] * matrix[via, j]


def _scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Normal scores within sex and age band; of a yes/no, the answers as they are."""
    out = frame[["sex", "age", *(n for n in YES_NO if n in frame)]].astype(float).copy()
    for name in QUANTITIES:
        if name not in frame:
            continue
        column = pd.Series(np.nan, frame.index)
        for _, _, cell in cells(frame, BANDS):
            values = cell[name].dropna()
            column[values.index] = stats.norm.ppf((values.rank() - 0.5) / len(values))
        out[name] = column
    return out


def score_pair(cell: pd.DataFrame, one: str, other: str) -> tuple[float, int]:
    """
    Correlate two columns of one group of people.

    Parameters
    ----------
    cell : pandas.DataFrame
        Normal scores, and of a yes/no 0 or 1.
    one, other : str
        Columns.

    Returns
    -------
    tuple of (float, int)
        Of scores and liabilities, 0 if too few know both; and how many people that are.
    """
    known = cell[[one, other]].dropna()
    a, b = known[one].to_numpy(float), known[other].to_numpy(float)
    if len(known) < FEWEST:
        return 0.0, len(known)
    binary = (one in YES_NO, other in YES_NO)
    if not any(binary):
        return float(np.corrcoef(a, b)[0, 1]), len(known)
    if all(binary):
        return _tetrachoric(a, b), len(known)
    yes, score = (a, b) if binary[0] else (b, a)
    return _biserial(yes, score), len(known)


def _biserial(yes: Any, score: Any) -> float:
    p = yes.mean()
    if not BEYOND <= yes.sum() <= len(yes) - BEYOND:
        return 0.0
    apart = (score[yes == 1].mean() - score[yes == 0].mean()) / score.std()
    return float(np.clip(apart * p * (1 - p) / stats.norm.pdf(stats.norm.ppf(p)), -0.95, 0.95))


def _tetrachoric(a: Any, b: Any) -> float:
    if min(a.sum(), b.sum()) < BEYOND:
        return 0.0
    ends = [stats.norm.ppf(1 - a.mean()), stats.norm.ppf(1 - b.mean())]
    both = (a * b).mean()

    def _more(r: float) -> float:
        cdf = stats.multivariate_normal(cov=[[1, r], [r, 1]]).cdf([-ends[0], -ends[1]])
        return float(cdf - both)

    return float(np.clip(brentq(_more, -0.95, 0.95) if _more(-0.95) * _more(0.95) < 0 else
                         np.sign(_more(0) * -1) * 0.95, -0.95, 0.95))  # fmt: skip
