"""Who stands beside a model: published equations and points scores, as far as they apply."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cdss import RiskModel, published_models
from cdss.equation import log_odds as logit
from cdss.points import PointsScore

PUBLISHED = tomllib.loads((Path(__file__).parent / "contenders.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Contender:
    """
    Predictions of one model.

    Attributes
    ----------
    name : str
        As in the tables.
    score : ndarray, shape (n,)
        What ranks people: log-odds, or points; NaN for people to whom it does not apply.
    probability : ndarray, shape (n,)
        Risk 0-1; of points 1 from the published cut-off on, else 0.
    same_outcome : bool
        Whether its risk is one of this outcome and can be judged as such.
    note : str
        What a reader must know, or empty.
    """

    name: str
    score: np.ndarray
    probability: np.ndarray
    same_outcome: bool
    note: str = ""

    def take(self, rows: np.ndarray) -> Contender:
        """The same for some of the rows."""
        return replace(self, score=self.score[rows], probability=self.probability[rows])


def of_log_odds(name: str, log_odds: np.ndarray, note: str = "") -> Contender:
    """
    Make a contender of a model of the outcome itself.

    Parameters
    ----------
    name : str
        As in the tables.
    log_odds : ndarray, shape (n,)
        Predictions.
    note : str
        What a reader must know.

    Returns
    -------
    Contender
        Judged by ranking, calibration and net benefit.
    """
    return Contender(name, log_odds, 1 / (1 + np.exp(-log_odds)), True, note)


def published(outcome: str, table: dict[str, np.ndarray]) -> tuple[list[Contender], dict[str, str]]:
    """
    Published equations and points scores that answer for somebody.

    Parameters
    ----------
    outcome : str
        Of the model they are compared with.
    table : dict of str to ndarray, shape (n,)
        What `encoded` makes.

    Returns
    -------
    contenders : list of Contender
        Those of the same outcome first.
    left_out : dict of str to str
        Those that answer for nobody, with the reason.
    """
    every = {m.id: m for m in published_models()}
    found, left_out = [], {}
    for same, entries in ((True, "same"), (False, "related")):
        for ids in PUBLISHED[outcome][entries]:
            name = " / ".join(ids)
            parts = [_answer(every[i], table) for i in ids]
            score, probability = parts[0].score, parts[0].probability
            for part in parts[1:]:
                open_ = np.isnan(score)
                score = np.where(open_, part.score, score)
                probability = np.where(open_, part.probability, probability)
            if np.isnan(score).all():
                left_out[name] = parts[0].note
            else:
                found.append(Contender(name, score, probability, same, parts[0].note))
    return found, left_out


def encoded(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """
    Columns of a table as equations and points scores take them.

    Parameters
    ----------
    people : pandas.DataFrame, shape (n, k)
        Variables as models see them.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        With what follows from other columns where only those are there: `current_smoker` from
        `smoking`; `hypertension` from having been told of it or treated for it; relatives with
        diabetes from any family history, taken as first degree; `physically_active` from any
        leisure-time activity.
    """
    table = {
        name: people[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in people.columns
        if pd.api.types.is_numeric_dtype(people[name])
    }
    if "smoking" in table and "current_smoker" not in table:
        smoking = table["smoking"]
        table["current_smoker"] = np.where(np.isnan(smoking), np.nan, smoking == 2)
    if "hypertension_told" in table:
        treated = table.get("bp_treated", np.zeros(len(people))) == 1
        told = table["hypertension_told"]
        table["hypertension"] = np.where(treated, 1.0, told)
    if "leisure_activity" in table:
        table.setdefault("physically_active", table["leisure_activity"])
    if "family_history_diabetes" in table:
        family = table["family_history_diabetes"]
        table.setdefault("first_degree_diabetes", family)
        table.setdefault("relatives_with_diabetes", 2 * family)
        table.setdefault("parents_with_diabetes", np.where(family == 0, 0.0, np.nan))
    if "sex" in table:
        table.setdefault("previous_gestational_diabetes", np.where(table["sex"] == 0, 0.0, np.nan))
    return table


def _answer(model: RiskModel | PointsScore, table: dict[str, np.ndarray]) -> Contender:
    """One equation's or score's answers, NaN where there is none; `note` says why."""
    if isinstance(model, PointsScore):
        return _points(model, table)
    lacking = [n for n in model.inputs if n not in table or np.isnan(table[n]).all()]
    spanned = [n for n in lacking if n in model.spanned]
    nobody = np.full(len(table["age"]), np.nan)
    if needed := [n for n in lacking if n not in spanned]:
        return Contender(model.id, nobody, nobody, False, f"lacks {_list(needed)}")
    answer = model.columns(table)
    # Where a yes/no is unknown there is a range; its middle on the log-odds scale takes part.
    log_odds = (np.asarray(logit(answer.low)) + np.asarray(logit(answer.high))) / 2
    log_odds[np.isnan(answer.low)] = np.nan
    note = f"{_list(spanned)} unknown: middle of the range" if spanned else ""
    if np.isnan(log_odds).all():
        note = "nobody is within its limits"
    return Contender(model.id, log_odds, 1 / (1 + np.exp(-log_odds)), False, note)


def _points(score: PointsScore, table: dict[str, np.ndarray]) -> Contender:
    n = len(table["age"])
    unknown = [
        i for i in score.items if i not in table or np.isnan(table[i]).mean() > RARELY_UNKNOWN
    ]
    usable = {k: v for k, v in table.items() if k not in unknown}
    if len(unknown) > len(score.items) / 2:
        nothing = np.full(n, np.nan)
        note = f"lacks most of its items: {_list(unknown)}"
        return Contender(score.id, nothing, nothing, False, note)
    points = score.columns(usable)[0]
    complete = np.ones(n, dtype=bool)
    for item in score.items:
        complete &= ~np.isnan(usable[item]) if item in usable else True
    points = np.where(complete, points, np.nan)
    flagged = np.where(np.isnan(points), np.nan, points >= score.cut_off.points)
    note = f"ranked by points, positive from {score.cut_off.points}"
    if unknown:
        note += f"; counted without {_list(unknown)}"
    return Contender(score.id, points, flagged, False, note)


RARELY_UNKNOWN = 0.3
"""An item unknown to more than this share counts for nobody, instead of leaving them all out."""


def _list(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
