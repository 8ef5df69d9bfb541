"""Framingham hypertension risk (Parikh 2008): new hypertension within four years, Weibull."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations

YEARS = 4.0


def risk(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    bmi: Any,
    systolic_bp: Any,
    diastolic_bp: Any,
    current_smoker: Any,
    parents_with_hypertension: Any,
    years: float = YEARS,
) -> Any:
    """Risk within some years; the paper gives 1, 2 and 4."""
    xb = linear(
        c,
        intercept=1.0,
        age=age,
        female=float(sex == "female"),
        bmi=bmi,
        sbp=systolic_bp,
        dbp=diastolic_bp,
        smoker=current_smoker,
        parents_hypertension_0_1_2=parents_with_hypertension,
        age_dbp=age * diastolic_bp,
    )
    return -np.expm1(-np.exp((np.log(years) - xb) / c["scale"]))


MODELS = load_equations(__name__, risk=risk)
