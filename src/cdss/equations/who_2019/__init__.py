"""
WHO cardiovascular risk 2019, with and without laboratory values.

Two endpoints (myocardial infarction or death from coronary heart disease; stroke), each
recalibrated to a region or country, combined as independent. There is no term for blood pressure
treatment, and none for HDL.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from cdss.bands import band
from cdss.datafile import read_toml
from cdss.equation import Coefficients, linear, load_equations
from cdss.risk import RiskModel
from cdss.variables import VARIABLES, Value


def laboratory(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    current_smoker: Any,
    diabetes: Any,
) -> Any:
    """
    Risk by the equation with cholesterol and diabetes.

    Parameters
    ----------
    c : mapping of str to float
        Coefficients of the sex, by term.
    sex : {"male", "female"}
        Sex as the derivation study recorded it.
    age : float or ndarray
        Age at the index date, a (years).
    systolic_bp : float or ndarray
        Systolic blood pressure, mmHg.
    total_cholesterol : float or ndarray
        Total cholesterol, mmol/L.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    diabetes : {0, 1} or ndarray
        1 if diabetes was diagnosed.

    Returns
    -------
    float or ndarray
        Absolute risk of heart attack, coronary death or stroke within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    WHO CVD Risk Chart Working Group, Lancet Glob Health 2019;7:e1332-e1345; the charts are
    this at band mid-points. Erratum: none known.
    """
    return _risk(
        c, age - 60, systolic_bp - 120,
        {"centchol": total_cholesterol - 6, "smallbin": current_smoker, "hxdiabbin": diabetes},
    )  # fmt: skip


def without_laboratory(
    c: Coefficients, sex: str, *, age: Any, systolic_bp: Any, bmi: Any, current_smoker: Any
) -> Any:
    """
    Risk by the equation with body mass index.

    Parameters
    ----------
    c : mapping of str to float
        Coefficients of the sex, by term.
    sex : {"male", "female"}
        Sex as the derivation study recorded it.
    age : float or ndarray
        Age at the index date, a (years).
    systolic_bp : float or ndarray
        Systolic blood pressure, mmHg.
    bmi : float or ndarray
        Body mass index, kg/m2.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.

    Returns
    -------
    float or ndarray
        Absolute risk of heart attack, coronary death or stroke within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    WHO CVD Risk Chart Working Group, Lancet Glob Health 2019;7:e1332-e1345; the charts are
    this at band mid-points. Erratum: none known.
    """
    return _risk(c, age - 60, systolic_bp - 120, {"cenbmi": bmi - 25, "smallbin": current_smoker})


_CHART = read_toml(resources.files(__name__) / "chart.toml")


def chart_cell(model: RiskModel, values: Mapping[str, Value]) -> int | None:
    """
    Say what the printed chart says: the risk at the mid-points of the patient's bands, rounded.

    Parameters
    ----------
    model : RiskModel
        One of this folder's; the printed charts are those of the region.
    values : mapping of str to value
        Every input of the model, in canonical units.

    Returns
    -------
    int or None
        Percent; None below 40 and from 75 years on, where there is no chart.

    Examples
    --------
    >>> lab = MODELS[0]
    >>> chart_cell(lab, {"sex": "male", "age": 71, "systolic_bp": 165, "total_cholesterol": 3.9,
    ...                  "current_smoker": False, "diabetes": False})
    19
    """
    age, chart = float(values["age"]), _CHART["age"]
    if not chart["from"][0] <= age < chart["below"]:
        return None
    point = {name: VARIABLES[name].encode(values[name]) for name in model.inputs[1:]}
    point["age"] = chart["at"][band(age, chart["from"]) - 1]
    for name in _CHART.keys() & point.keys() - {"age"}:
        point[name] = _CHART[name]["at"][band(point[name], _CHART[name]["from"])]
    sex = str(values["sex"])
    risk = model.facts["function"](model.facts["coefficients"][sex], sex, **point)
    return round(100 * float(risk))


def _risk(c: Coefficients, cenages: Any, censbp: Any, others: dict[str, Any]) -> Any:
    terms = {"cenages": cenages, "censbp": censbp, **others}
    terms |= {f"cenages*{name}": cenages * v for name, v in terms.items() if name != "cenages"}
    free = 1.0
    for endpoint in ("CHD", "stroke"):
        lp = linear(c, **{f"{endpoint} {term}": value for term, value in terms.items()})
        # ln(-ln(1 - r)) of r = 1 - S0^exp(lp), written out: it loses no digits.
        hazard = np.log(-np.log(c[f"{endpoint} S0(10y)"])) + lp
        free = free * np.exp(-np.exp(c[f"{endpoint} a"] + c[f"{endpoint} b"] * hazard))
    return 1 - free


MODELS = load_equations(__name__, laboratory=laboratory, without_laboratory=without_laboratory)
