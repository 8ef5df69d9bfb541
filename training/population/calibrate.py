"""
Moving margins until a population meets the published figures of a scenario.

Each number that can be moved has one figure that it is moved for; all are moved at once, again and
again, on the same people. What comes out is stored: drawing solves nothing.
"""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from cdss.synthetic.complete import complete_people
from cdss.synthetic.figures import Figure, Figures, read_figures
from cdss.synthetic.margins import SEXES, probit
from cdss.synthetic.model import decisions, learned, make_model
from cdss.synthetic.places import make_places

PEOPLE, SEED, YEAR, ROUNDS = 400_000, 20_251, 2025, 24
SCENARIOS = ("central", "low", "high")
BLOCK = 16_384
BP = ("systolic_bp", "diastolic_bp")
MEN_WOMEN = {"men": "male", "women": "female"}
_LIMITS = (18.5, 20.0, 25.0, 30.0)
_BANDS = ("under", "low", "middle", "over")
_SD = 0.11  # of the logarithm of blood pressure: how far a probit moves it
_EFFECT = 0.07  # of treatment: how far a probit of control moves it

Fitted = dict[str, Any]


def calibrate(country: str, cohorts: dict[str, Any] | None = None) -> dict[str, Fitted]:
    """
    Fit every scenario of a country.

    Parameters
    ----------
    country : str
        Which.
    cohorts : dict, optional
        What cohorts taught; by default what ships.

    Returns
    -------
    dict of str to dict
        Scenario → numbers for `cdss.synthetic.model.make_model`.
    """
    figures = read_figures(country)
    taught = cohorts or learned()
    decided = decisions(country)
    begin, fitted = _start(), {}
    for scenario in SCENARIOS:
        # the others begin where the central one ended: sexes differ as there
        begin = copy.deepcopy(fitted.get(SCENARIOS[0], begin))
        fitted[scenario] = _fit(begin, figures, scenario, taught, decided, country)
    return {name: _short(fitted[name]) for name in figures.scenarios if name in fitted}


def write(path: Path, content: dict[str, Any]) -> None:
    """Write JSON, small and the same every time."""
    text = json.dumps(content, indent=None, separators=(",", ":"), ensure_ascii=False)
    path.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")


def _start() -> Fitted:
    same = [[limit, limit] for limit in _LIMITS]
    both = lambda value: dict.fromkeys(SEXES, value)  # noqa: E731
    return {
        "bmi": {sex: copy.deepcopy(same) for sex in SEXES},
        "shift": {
            name: both(0.0) for name in (*BP, "total_cholesterol", "hdl_cholesterol")
        },
        "spread": {name: both(1.0) for name in BP},
        "high_glucose": both(-0.1),
        "liability": {
            "hypertension": both(-0.5), "diabetes": both(-0.4), "current_smoker": both(0.0),
            "bp_treated": both(0.4), "diabetes_treated": both(0.4), "drinks_alcohol": both(0.0),
        },
        "urban": 0.4,
        "treatment": 0.06,
    }  # fmt: skip


def _fit(
    fitted: Fitted, figures: Figures, scenario: str, taught: Any, decided: Any, country: str
) -> Fitted:
    places = make_places(country, decided["spread"], SEED)
    aims = figures.scenarios[scenario]
    known = {figure.id: figure for figure in figures.figures}
    for _ in range(ROUNDS):
        model = make_model(taught, decided, figures.standard, fitted)
        still = np.zeros((len(model.names), 2), np.float32)
        people = complete_people(
            model, places, seed=SEED, people=PEOPLE, block=BLOCK, first=YEAR, year=YEAR,
            drift=still,
        )  # fmt: skip
        weights = figures.weights(people)
        off = {name: _off(known[name], aim, people, weights) for name, aim in aims.items()}
        _move(fitted, off)
        _move_bmi(fitted, people, weights, aims)
    return fitted


def _off(figure: Figure, aim: float, people: Any, weights: Any) -> float:
    """How far it is to go: in the logarithm of a mean, the probit of a share."""
    found = figure.measure(people, weights)
    if figure.difference:
        return aim - found
    if figure.mean:
        return math.log(aim / found)
    inside = min(max(found, 1e-4), 1 - 1e-4)
    return probit(aim) - probit(inside)


def _move(fitted: Fitted, off: dict[str, float]) -> None:
    liability, shift = fitted["liability"], fitted["shift"]
    for word, sex in MEN_WOMEN.items():
        for figure, name in (("cholesterol", "total_cholesterol"), ("hdl", "hdl_cholesterol"),
                             ("sbp", "systolic_bp"), ("dbp", "diastolic_bp")):  # fmt: skip
            shift[name][sex] += off.get(f"{figure}-{word}", 0.0)
        for name in BP:
            # a wider spread has more beyond a limit above the mean
            fitted["spread"][name][sex] *= math.exp(0.5 * off.get(f"raised-{word}", 0.0))
            total = off.get("hypertension-2015", off.get("hypertension-2020", 0.0))
            shift[name][sex] += _SD * total
        common = off.get("hyperglycaemia-2020", 0.0)
        fitted["high_glucose"][sex] += 0.8 * off.get(f"diabetes-{word}", common)
        smoking = (off[key] for key in off if key.startswith(f"smoking-{word}"))
        liability["current_smoker"][sex] += sum(smoking)
        liability["drinks_alcohol"][sex] += off[f"drinking-{word}"]
        liability["hypertension"][sex] += 0.7 * off["aware"]
        liability["bp_treated"][sex] -= 0.5 * (off["treated"] - off["aware"])
        liability["diabetes"][sex] -= 0.7 * off["undiagnosed"]
        gap = liability["diabetes_treated"][sex] - 0.5 * off[f"diabetes-treated-{word}"]
        liability["diabetes_treated"][sex] = max(gap, 0.0)
    fitted["urban"] += 2 * off["urban-rural"]
    fitted["treatment"] += _EFFECT * 0.5 * (off["controlled"] - off["treated"])
    fitted["treatment"] = min(max(fitted["treatment"], 0.0), 0.3)


def _move_bmi(fitted: Fitted, people: Any, weights: Any, aims: dict[str, float]) -> None:
    """Where the cohort has the share that is published below each limit."""
    bmi = people["weight"] / np.square(people["height"] / 100)
    for word, sex in MEN_WOMEN.items():
        whom = (people["sex"] == SEXES.index(sex)) & (people["age"] >= 20)
        order = np.argsort(bmi[whom])
        values, share = bmi[whom][order], np.cumsum(weights[whom][order])
        share /= share[-1]
        total = sum(aims[f"bmi-{band}-{word}"] for band in (*_BANDS, "obese"))
        below = np.cumsum([aims[f"bmi-{band}-{word}"] for band in _BANDS]) / total
        old, new = np.log(np.array(fitted["bmi"][sex])).T
        reached = np.log(np.interp(below, share, values))
        back = np.interp(reached, new, old)
        back = np.where(reached < new[0], old[0] + reached - new[0], back)
        back = np.where(reached > new[-1], old[-1] + reached - new[-1], back)
        fitted["bmi"][sex] = [[float(np.exp(a)), b] for a, b in zip(back, _LIMITS, strict=True)]


def _short(value: Any) -> Any:
    """Five digits are more than the figures have."""
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return float(f"{value:.5g}")
