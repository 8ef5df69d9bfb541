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
    """
    Risk of new hypertension within some years; the paper gives 1, 2 and 4.

    Parameters
    ----------
    c : mapping of str to float
        Coefficients of the sex, by term.
    sex : {"male", "female"}
        Sex as the derivation study recorded it.
    age : float or ndarray
        Age at the index date, a (years).
    bmi : float or ndarray
        Body mass index, kg/m2.
    systolic_bp : float or ndarray
        Systolic blood pressure, mmHg.
    diastolic_bp : float or ndarray
        Diastolic blood pressure, mmHg.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    parents_with_hypertension : {0, 1, 2} or ndarray
        How many parents have hypertension.
    years : float
        Horizon, a (years).

    Returns
    -------
    float or ndarray
        Absolute risk of new hypertension, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    Parikh NI et al., Ann Intern Med 2008;148:102-110. Erratum: none known.
    """
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
