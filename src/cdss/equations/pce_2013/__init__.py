"""ACC/AHA pooled cohort equations 2013, for comparison only: US population."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations
from cdss.units import mg_per_dl


def risk(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    hdl_cholesterol: Any,
    bp_treated: Any,
    current_smoker: Any,
    diabetes: Any,
) -> Any:
    """
    Risk by the pooled cohort equations.

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
    hdl_cholesterol : float or ndarray
        HDL cholesterol, mmol/L.
    bp_treated : {0, 1} or ndarray
        1 if blood pressure is treated with drugs.
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
    Goff DC et al., Circulation 2014;129(Suppl 2):S49-S73, Table A. Erratum: see ``equation.toml``.
    """
    ln_age = np.log(age)
    ln_tc = np.log(mg_per_dl("total_cholesterol", total_cholesterol))
    ln_hdl = np.log(mg_per_dl("hdl_cholesterol", hdl_cholesterol))
    treated, untreated = np.log(systolic_bp) * bp_treated, np.log(systolic_bp) * (1 - bp_treated)
    lp = linear(
        c,
        ln_age=ln_age,
        ln_age2=ln_age**2,
        ln_tc=ln_tc,
        ln_age_ln_tc=ln_age * ln_tc,
        ln_hdl=ln_hdl,
        ln_age_ln_hdl=ln_age * ln_hdl,
        ln_trt_sbp=treated,
        ln_age_ln_trt_sbp=ln_age * treated,
        ln_unt_sbp=untreated,
        ln_age_ln_unt_sbp=ln_age * untreated,
        smoker=current_smoker,
        ln_age_smoker=ln_age * current_smoker,
        diabetes=diabetes,
    )
    return -np.expm1(np.log(c["S0_10y"]) * np.exp(lp - c["mean"]))


MODELS = load_equations(__name__, risk=risk)
