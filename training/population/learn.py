"""
Joint structure of a check-up, learned from cohorts: margins by sex and age, and correlations.

Only summaries leave this module. A quantile is a Harrell-Davis estimate, a weighted mean of every
order statistic, made only where `BEYOND` people lie on its far side: no number is one person's
value.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import betainc

from training.data import Table, load_table
from training.population.correlate import (
    BANDS,
    BEYOND,
    FROM_CHINA,
    FROM_NHANES,
    GROUPS,
    NAMES,
    SEXES,
    YES_NO,
    cells,
    correlate,
)

LEVELS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.98, 0.995)
TREATED_BP = {"systolic_bp": 10.0, "diastolic_bp": 5.0}
"""mmHg added to what was measured under treatment: by decision, as is usual."""
DIABETES_FPG = 7.0


def learn() -> dict[str, Any]:
    """
    Learn from the development cohorts.

    Returns
    -------
    dict
        Margins, regressions, correlations and within-person correlations, each with how many
        people are behind it and whose they are.

    Raises
    ------
    FileNotFoundError
        If the cohorts are not there.
    """
    china, nhanes = _china(), _nhanes()
    waist, residual = _waist(nhanes.frame)
    nhanes.frame["waist"] = residual
    hba1c, residual = _hba1c(nhanes.frame)
    nhanes.frame["hba1c"] = residual
    cohorts = {"china": china.frame, "nhanes": nhanes.frame}
    return {
        "names": NAMES,
        "levels": LEVELS,
        "bands": BANDS[:-1],
        "groups": GROUPS[:-1],
        "cohorts": {t.name: {"title": t.facts["title"], "sha256": t.digest, "people": len(t.frame)}
                    for t in (china, nhanes)},
        "margins": {
            **{name: _margins(china.frame, name, "china") for name in FROM_CHINA},
            **{name: _margins(nhanes.frame, name, "nhanes") for name in FROM_NHANES},
            "fasting_glucose": _margins(
                china.frame[china.frame["fasting_glucose"] < DIABETES_FPG], "fasting_glucose",
                "china",
            ),
        },
        "diabetic_glucose": _tail(nhanes.frame),
        "waist": waist,
        "hba1c": hba1c,
        "yes_no": {name: _liability(nhanes.frame, name) for name in YES_NO},
        "glucose_age": _glucose_age(nhanes.frame),
        "correlations": correlate(cohorts),
        "within_person": _within(),
    }  # fmt: skip


def _china() -> Table:
    table = load_table("china")
    frame = table.frame
    frame.loc[frame["triglycerides"] <= 0.2, "triglycerides"] = np.nan  # errors, by its README
    frame.loc[frame["hdl_cholesterol"] <= 0.2, "hdl_cholesterol"] = np.nan
    return table


def _nhanes() -> Table:
    table = load_table("nhanes")
    frame = table.frame[table.frame["pregnant"] != 1].copy()
    frame["hypertension"] = frame["hypertension_told"].astype(float)
    frame["current_smoker"] = (frame["smoking"] == 2).where(frame["smoking"].notna())
    for name, added in TREATED_BP.items():
        frame[name] += np.where(frame["bp_treated"] == 1, added, 0)
    object.__setattr__(table, "frame", frame)
    return table


def quantile(values: Any, level: float) -> float:
    """
    Estimate a quantile after Harrell and Davis.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Known values.
    level : float
        Between 0 and 1.

    Returns
    -------
    float
        A weighted mean of all of them.
    """
    n = len(values)
    ends = betainc((n + 1) * level, (n + 1) * (1 - level), np.arange(n + 1) / n)
    return float(np.diff(ends) @ np.sort(values))


def _quantiles(values: Any) -> list[float | None]:
    """One a level; None where too few people lie beyond."""
    n = len(values)
    return [
        _short(quantile(values, level)) if n * min(level, 1 - level) >= BEYOND else None
        for level in LEVELS
    ]


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _margins(frame: pd.DataFrame, name: str, cohort: str) -> dict[str, Any]:
    found: dict[str, Any] = {"cohort": cohort}
    for sex, _, cell in cells(frame, BANDS):
        known = cell[[name, "age"]].dropna()
        found.setdefault(sex, []).append(
            {"age": round(float(known["age"].mean()), 1), "people": len(known),
             "quantiles": _quantiles(known[name].to_numpy(float))}
        )  # fmt: skip
    return found


def _tail(frame: pd.DataFrame) -> dict[str, Any]:
    values = frame.loc[frame["fasting_glucose"] >= DIABETES_FPG, "fasting_glucose"].to_numpy(float)
    return {"cohort": "nhanes", "people": len(values), "quantiles": _quantiles(values)}


def _solve(columns: list[Any], y: Any) -> tuple[Any, Any]:
    matrix = np.column_stack([np.ones(len(y)), *columns])
    weights = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return weights, y - matrix @ weights


def _waist(frame: pd.DataFrame) -> tuple[dict[str, Any], pd.Series]:
    """Waist given build: in the log, by sex."""
    found: dict[str, Any] = {"cohort": "nhanes"}
    residual = pd.Series(np.nan, frame.index)
    for sex, word in enumerate(SEXES):
        known = frame[frame["sex"] == sex][["waist", "bmi", "height", "age"]].dropna()
        logs = [np.log(known["bmi"]), np.log(known["height"]), known["age"]]
        weights, left = _solve(logs, np.log(known["waist"]))
        residual[known.index] = left
        found[word] = {"people": len(known), "weights": [float(f"{w:.6g}") for w in weights],
                       "spread": _short(float(left.std()))}  # fmt: skip
    return found, residual


def _hba1c(frame: pd.DataFrame) -> tuple[dict[str, Any], pd.Series]:
    """HbA1c given fasting glucose, with a bend where diabetes begins, and age."""
    known = frame[["hba1c", "fasting_glucose", "age"]].dropna()
    glucose = known["fasting_glucose"].to_numpy(float)
    columns = [glucose, np.maximum(glucose - DIABETES_FPG, 0), known["age"].to_numpy(float)]
    weights, left = _solve(columns, known["hba1c"].to_numpy(float))
    residual = pd.Series(np.nan, frame.index)
    residual[known.index] = left
    spreads = [
        _short(float(left[(glucose >= low) & (glucose < high)].std()))
        for low, high in ((0, 6), (6, 7), (7, 99))
    ]
    return {"cohort": "nhanes", "people": len(known), "spreads": spreads,
            "weights": [float(f"{w:.6g}") for w in weights]}, residual  # fmt: skip


def _liability(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """How common it is by age: a probit line, by sex."""
    found: dict[str, Any] = {"cohort": "nhanes"}
    for sex, word in enumerate(SEXES):
        known = frame[frame["sex"] == sex][["age", name]].dropna()
        found[word] = _probit(known["age"].to_numpy(float), known[name].to_numpy(float))
    return found


def _glucose_age(frame: pd.DataFrame) -> dict[str, Any]:
    high = frame[["age", "sex", "fasting_glucose"]].dropna()
    return {
        word: _probit(
            high.loc[high["sex"] == sex, "age"].to_numpy(float),
            (high.loc[high["sex"] == sex, "fasting_glucose"] >= DIABETES_FPG).to_numpy(float),
        )
        for sex, word in enumerate(SEXES)
    }


def _probit(age: Any, y: Any) -> dict[str, Any]:
    """Weighted line through the probits of bands of age."""
    points = []
    for low, high in pairwise(BANDS):
        inside = (age >= low) & (age < high)
        share = (y[inside].sum() + 0.5) / (inside.sum() + 1)
        points.append((age[inside].mean(), stats.norm.ppf(share), inside.sum() * share))
    ages, probits, weights = np.array(points).T
    slope, at0 = np.polyfit(ages, probits, 1, w=np.sqrt(weights))
    return {"at_50": _short(at0 + 50 * slope), "a_year": _short(slope), "people": len(y)}


def _within() -> dict[str, Any]:
    """How alike two visits of a person are: normal scores, within sex and age band."""
    exams = load_table("framingham").frame
    found: dict[str, Any] = {}
    names = ("bmi", "systolic_bp", "diastolic_bp", "heart_rate", "total_cholesterol")
    exams = exams.sort_values(["person", "examination_day"])
    turn = exams.groupby("person").cumcount()
    first, second = (exams[turn == k].set_index("person") for k in (0, 1))
    for name in names:
        pair = pd.DataFrame({"a": first[name], "b": second[name], "sex": first["sex"],
                             "age": first["age"]}).dropna()  # fmt: skip
        scores = []
        for _, _, cell in cells(pair, (18, 50, 200)):
            scores += [np.column_stack([stats.norm.ppf((cell[c].rank() - 0.5) / len(cell))
                                        for c in "ab"])]  # fmt: skip
        both = np.concatenate(scores)
        found[name] = {"correlation": round(float(np.corrcoef(both.T)[0, 1]), 2),
                       "people": len(both), "cohort": "framingham", "years": 6}  # fmt: skip
    return found
