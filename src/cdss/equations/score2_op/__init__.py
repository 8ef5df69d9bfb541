"""SCORE2-OP 2021: cardiovascular events in ten years, from 70 on, by European risk region."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations


def risk(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    hdl_cholesterol: Any,
    current_smoker: Any,
    diabetes: Any,
) -> Any:
    """Risk; mmol/L, mmHg, years."""
    cage, csbp = age - 73, systolic_bp - 150
    ctc, chdl = total_cholesterol - 6, hdl_cholesterol - 1.4
    lp = linear(
        c,
        age=cage,
        diabetes=diabetes,
        smoker=current_smoker,
        sbp=csbp,
        tc=ctc,
        hdl=chdl,
        age_diabetes=cage * diabetes,
        age_smoker=cage * current_smoker,
        age_sbp=cage * csbp,
        age_tc=cage * ctc,
        age_hdl=cage * chdl,
    )
    hazard = np.log(-np.log(c["S0_10y"])) + lp - c["mean"]
    return -np.expm1(-np.exp(c["scale1"] + c["scale2"] * hazard))


MODELS = load_equations(__name__, risk=risk)
