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
    """Risk; mmol/L, mmHg, years."""
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
