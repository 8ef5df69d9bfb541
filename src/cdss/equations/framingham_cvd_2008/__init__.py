"""Framingham general cardiovascular disease 2008, with lipids or with body mass index."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations
from cdss.units import mg_per_dl


def lipids(
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
    Risk by the equation with cholesterol.

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
        Absolute risk of cardiovascular disease within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    D'Agostino RB et al., Circulation 2008;117:743-753. Erratum: none known. Treated or not,
    the logarithm of the pressure is used.
    """
    terms = {
        "ln_tc": np.log(mg_per_dl("total_cholesterol", total_cholesterol)),
        "ln_hdl": np.log(mg_per_dl("hdl_cholesterol", hdl_cholesterol)),
    }
    return _risk(c, age, systolic_bp, bp_treated, current_smoker, diabetes, terms)


def body_mass(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    bmi: Any,
    bp_treated: Any,
    current_smoker: Any,
    diabetes: Any,
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
    bp_treated : {0, 1} or ndarray
        1 if blood pressure is treated with drugs.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    diabetes : {0, 1} or ndarray
        1 if diabetes was diagnosed.

    Returns
    -------
    float or ndarray
        Absolute risk of cardiovascular disease within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    D'Agostino RB et al., Circulation 2008;117:743-753. Erratum: none known. Treated or not,
    the logarithm of the pressure is used.
    """
    terms = {"ln_bmi": np.log(bmi)}
    return _risk(c, age, systolic_bp, bp_treated, current_smoker, diabetes, terms)


def _risk(
    c: Coefficients,
    age: Any,
    systolic_bp: Any,
    bp_treated: Any,
    current_smoker: Any,
    diabetes: Any,
    terms: dict[str, Any],
) -> Any:
    ln_sbp = np.log(systolic_bp)
    lp = linear(
        c,
        ln_age=np.log(age),
        ln_sbp_untreated=ln_sbp * (1 - bp_treated),
        ln_sbp_treated=ln_sbp * bp_treated,
        smoker=current_smoker,
        diabetes=diabetes,
        **terms,
    )
    return -np.expm1(np.log(c["S0_10y"]) * np.exp(lp - c["mean"]))


MODELS = load_equations(__name__, lipids=lipids, body_mass=body_mass)
