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
    """
    Risk by SCORE2-OP.

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
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    diabetes : {0, 1} or ndarray
        1 if diabetes was diagnosed.

    Returns
    -------
    float or ndarray
        Absolute risk of heart attack, stroke or cardiovascular death within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    SCORE2-OP working group, Eur Heart J 2021;42:2455-2467. Erratum: the published example follows
    from the rounded coefficients only.
    """
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
