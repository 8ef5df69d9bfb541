"""
Everything a draw needs, worked out once: tables, correlations, thresholds.

`cohorts.json` is what real cohorts taught (`training.population`), `<country>_decisions.toml` what
was decided, `<country>_fitted.json` how far margins were moved to meet the published figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.datafile import read_toml
from cdss.errors import DefinitionError
from cdss.synthetic.ages import people_of
from cdss.synthetic.correlated import DRINKING, alike, between
from cdss.synthetic.figures import read_figures
from cdss.synthetic.margins import (
    AGES,
    SCORES,
    SEXES,
    below,
    possible,
    probit,
    table_of,
)

Array = NDArray[Any]

COUNTRIES = ("vn",)
GLUCOSE, DIABETES_FPG = "fasting_glucose", 7.0


@dataclass(frozen=True)
class Model:
    """
    A country as it is drawn.

    Attributes
    ----------
    names : tuple of str
        Latent quantities, each a standard normal.
    tables : dict of str to ndarray, shape (2 * ages, scores)
        Values by sex, age and score.
    thresholds : dict of str to ndarray, shape (2 * ages,)
        Score above which a yes/no is yes.
    roots : ndarray, shape (6, k, k)
        Of correlations between people, by sex and group of age.
    groups : ndarray of int, shape (2 * ages,)
        Which root.
    within, around : ndarray, shape (k,)
        Weights of what stays of a person, and of what is new at a visit.
    people : ndarray of int, shape (65536,)
        Sex and age of people, each as often as there are such people.
    regressions : dict
        Of waist and HbA1c.
    fitted, decisions : dict
        As in their files.
    """

    names: tuple[str, ...]
    tables: dict[str, Array]
    thresholds: dict[str, Array]
    roots: Array
    groups: Array
    within: Array
    around: Array
    people: Array
    regressions: dict[str, Any]
    fitted: dict[str, Any]
    decisions: dict[str, Any]


def learned() -> dict[str, Any]:
    """
    Read what cohorts taught.

    Returns
    -------
    dict
        See `training.population.learn`.
    """
    text = (resources.files(__package__) / "cohorts.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def decisions(country: str) -> dict[str, Any]:
    """
    Read what was decided.

    Parameters
    ----------
    country : str
        Of which.

    Returns
    -------
    dict
        See ``<country>_decisions.toml``.
    """
    return read_toml(resources.files(__package__) / f"{country}_decisions.toml")


@lru_cache(maxsize=4)
def load_model(country: str, scenario: str) -> Model:
    """
    Load a country as it was fitted.

    Parameters
    ----------
    country, scenario : str
        Which.

    Returns
    -------
    Model
        Ready to draw from.

    Raises
    ------
    DefinitionError
        If there is no such country or scenario.
    """
    if country not in COUNTRIES:
        raise DefinitionError(f"no country {country}; known: {', '.join(COUNTRIES)}")
    figures = read_figures(country)
    if scenario not in figures.scenarios:
        known = ", ".join(figures.scenarios)
        raise DefinitionError(f"no scenario {scenario}; known: {known}")
    text = (resources.files(__package__) / f"{country}_fitted.json").read_text(encoding="utf-8")
    return make_model(learned(), decisions(country), figures.standard, json.loads(text)[scenario])


def make_model(
    cohorts: Mapping[str, Any],
    decided: Mapping[str, Any],
    standard: Mapping[int, float],
    fitted: Mapping[str, Any],
) -> Model:
    """
    Work everything out.

    Parameters
    ----------
    cohorts, decided : mapping
        What was learned, and what was decided.
    standard : mapping of int to float
        First age of a group → share: the shape of ages within the published bands.
    fitted : mapping
        How far margins were moved, in one scenario.

    Returns
    -------
    Model
        Ready to draw from.
    """
    names = (*cohorts["names"], DRINKING)
    same = alike(names, cohorts, decided)
    within = np.sqrt(same)
    continuous = np.array([name not in cohorts["yes_no"] and name != DRINKING for name in names])
    roots = np.array([
        np.linalg.cholesky(between(names, each, continuous, within, decided))
        for each in cohorts["correlations"]
    ])  # fmt: skip
    ends = sorted({each["from_age"] for each in cohorts["correlations"]})
    group = np.searchsorted(ends, AGES, "right") - 1
    lines = _lines(cohorts, decided, fitted)
    return Model(
        names=names,
        tables=_tables(cohorts, fitted),
        thresholds={name: (-line).astype(np.float32) for name, line in lines.items()},
        roots=roots.astype(np.float32),
        groups=np.concatenate([group, group + len(ends)]),
        within=within.astype(np.float32),
        around=np.sqrt(1 - same).astype(np.float32),
        people=people_of(decided["ages"], standard),
        regressions={key: cohorts[key] for key in ("waist", "hba1c")},
        fitted=dict(fitted),
        decisions=dict(decided),
    )


def _tables(cohorts: Mapping[str, Any], fitted: Mapping[str, Any]) -> dict[str, Array]:
    found = {}
    for name, margin in cohorts["margins"].items():
        logs = table_of(cohorts["levels"], margin)
        if name == GLUCOSE:
            logs = _glucose(logs, cohorts, fitted)
        elif name == "bmi":
            logs = np.array([_moved(logs[at], fitted["bmi"][sex]) for at, sex in enumerate(SEXES)])
        else:
            for at, sex in enumerate(SEXES):
                middle = logs[at, :, len(SCORES) // 2, None]
                wide = fitted["spread"].get(name, {}).get(sex, 1.0)
                shift = fitted["shift"].get(name, {}).get(sex, 0.0)
                logs[at] = middle + wide * (logs[at] - middle) + shift
        found[name] = possible(name, logs).reshape(-1, len(SCORES))
    return found


def _moved(logs: Array, nodes: list[list[float]]) -> Array:
    """Body mass index: the cohort's value at each node becomes the published limit of a band."""
    old, new = np.log(np.array(nodes)).T
    moved = np.interp(logs, old, new)
    moved = np.where(logs < old[0], logs + (new[0] - old[0]), moved)
    return np.asarray(np.where(logs > old[-1], logs + (new[-1] - old[-1]), moved))


def _glucose(logs: Array, cohorts: Mapping[str, Any], fitted: Mapping[str, Any]) -> Array:
    """Those below 7.0 mmol/L as in one cohort, the share from it on as fitted, as in the other."""
    tail = [np.log(DIABETES_FPG)]
    levels = [0.0]
    for level, value in zip(cohorts["levels"], cohorts["diabetic_glucose"]["quantiles"],
                            strict=True):  # fmt: skip
        if value is not None:
            tail.append(np.log(value))
            levels.append(level)
    shares = below(SCORES)
    lines = _high_glucose(cohorts, fitted)
    for at in range(len(SEXES)):
        for age in range(len(AGES)):
            share = float(below(lines[at * len(AGES) + age]))
            rank = shares / (1 - share)
            normal = np.interp(
                np.clip(rank, 0, 1), shares, np.minimum(logs[at, age], tail[0] - 1e-3)
            )
            high = np.interp((shares - (1 - share)) / share, levels, tail)
            logs[at, age] = np.where(rank < 1, normal, high)
    return logs


def _high_glucose(cohorts: Mapping[str, Any], fitted: Mapping[str, Any]) -> Array:
    """Probit of fasting glucose being 7.0 mmol/L or more, by sex and age."""
    return np.concatenate([
        _line(cohorts["glucose_age"][sex]) + fitted["high_glucose"][sex] for sex in SEXES
    ])  # fmt: skip


def _line(said: Mapping[str, float]) -> Array:
    return np.asarray(said["at_50"] + said["a_year"] * (AGES - 50))


def _lines(
    cohorts: Mapping[str, Any], decided: Mapping[str, Any], fitted: Mapping[str, Any]
) -> dict[str, Array]:
    """Probits of the yes/nos, by sex and age; who is treated is among those who know."""
    moved = fitted["liability"]
    found = {}
    for name, said in cohorts["yes_no"].items():
        found[name] = np.concatenate([
            _line(said[sex]) + decided["liability"].get(name, 0) + moved.get(name, {}).get(sex, 0)
            for sex in SEXES
        ])  # fmt: skip
    for treated, known in (("bp_treated", "hypertension"), ("diabetes_treated", "diabetes")):
        gap = np.concatenate([np.full(len(AGES), moved[treated][sex]) for sex in SEXES])
        found[treated] = found[known] - np.abs(gap)
    smokers = below(found["current_smoker"])
    ever = np.minimum(smokers * (1 + decided["liability"]["former_per_smoker"]), 0.98)
    found["ever_smoker"] = np.array([probit(float(share)) for share in ever])
    found[DRINKING] = np.concatenate([np.full(len(AGES), moved[DRINKING][sex]) for sex in SEXES])
    return found
