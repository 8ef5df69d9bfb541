"""AHA PREVENT 2023, base: cardiovascular disease, ASCVD, heart failure; 10 and 30 years."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations


def vascular(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    hdl_cholesterol: Any,
    egfr: Any,
    diabetes: Any,
    current_smoker: Any,
    bp_treated: Any,
    on_statin: Any,
) -> Any:
    """
    Risk of total cardiovascular disease, or of ASCVD.

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
    egfr : float or ndarray
        Estimated GFR (CKD-EPI 2021), mL/min/{1.73_m2}.
    diabetes : {0, 1} or ndarray
        1 if diabetes was diagnosed.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    bp_treated : {0, 1} or ndarray
        1 if blood pressure is treated with drugs.
    on_statin : {0, 1} or ndarray
        1 if a statin is taken.

    Returns
    -------
    float or ndarray
        Absolute risk of the outcome of the coefficients, within their horizon, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    Khan SS et al., Circulation 2024;149:430-449, base equations. Erratum: one row of the printed
    table is named differently at 30 years ("Age, 10 years"): it is the same term.
    """
    years = _age(age)
    non_hdl = total_cholesterol - hdl_cholesterol - 3.5
    hdl = (hdl_cholesterol - 1.3) / 0.3
    terms = {
        "non-HDL-C per 1 mmol/L": non_hdl,
        "HDL-C per 0.3 mmol/L": hdl,
        "Statin use": on_statin,
        "Treated non-HDL-C": on_statin * non_hdl,
        "Age per 10yr * non-HDL-C per 1 mmol/L": years * non_hdl,
        "Age per 10yr * HDL-C per 0.3 mmol/L": years * hdl,
    }
    return _risk(c, years, systolic_bp, egfr, diabetes, current_smoker, bp_treated, terms)


def heart_failure(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    bmi: Any,
    egfr: Any,
    diabetes: Any,
    current_smoker: Any,
    bp_treated: Any,
) -> Any:
    """
    Risk of heart failure.

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
    egfr : float or ndarray
        Estimated GFR (CKD-EPI 2021), mL/min/{1.73_m2}.
    diabetes : {0, 1} or ndarray
        1 if diabetes was diagnosed.
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.
    bp_treated : {0, 1} or ndarray
        1 if blood pressure is treated with drugs.

    Returns
    -------
    float or ndarray
        Absolute risk of the outcome of the coefficients, within their horizon, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    Khan SS et al., Circulation 2024;149:430-449, base equations. Erratum: one row of the printed
    table is named differently at 30 years ("Age, 10 years"): it is the same term.
    """
    years = _age(age)
    obese = (np.maximum(bmi, 30) - 30) / 5
    terms = {
        "BMI <30 per 5 kg/m2": (np.minimum(bmi, 30) - 25) / 5,
        "BMI 30+ per 5 kg/m2": obese,
        "Age per 10yr * BMI 30+ per 5 kg/m2": years * obese,
    }
    return _risk(c, years, systolic_bp, egfr, diabetes, current_smoker, bp_treated, terms)


def _age(age: Any) -> Any:
    return (age - 55) / 10


def _risk(
    c: Coefficients,
    years: Any,
    systolic_bp: Any,
    egfr: Any,
    diabetes: Any,
    current_smoker: Any,
    bp_treated: Any,
    terms: dict[str, Any],
) -> Any:
    high_bp = (np.maximum(systolic_bp, 110) - 130) / 20
    low_egfr = (np.minimum(egfr, 60) - 60) / -15
    terms |= {
        "Age per 10 years": years,
        "SBP <110 per 20 mmHg": (np.minimum(systolic_bp, 110) - 110) / 20,
        "SBP ≥110 per 20 mmHg": high_bp,
        "Diabetes": diabetes,
        "Current smoking": current_smoker,
        "eGFR <60 per -15 ml": low_egfr,
        "eGFR 60+ per -15 ml": (np.maximum(egfr, 60) - 90) / -15,
        "Anti-hypertensive use": bp_treated,
        "Treated SBP ≥110 mm Hg per 20 mm Hg": bp_treated * high_bp,
        "Age per 10yr * SBP ≥110 mm Hg per 20 mmHg": years * high_bp,
        "Age per 10yr * diabetes": years * diabetes,
        "Age per 10yr * current smoking": years * current_smoker,
        "Age per 10yr * eGFR <60 per -15 ml": years * low_egfr,
        "Constant": 1.0,
    }
    if "Age squared" in c:
        terms["Age squared"] = years**2
    return 1 / (1 + np.exp(-linear(c, **terms)))


MODELS = load_equations(__name__, vascular=vascular, heart_failure=heart_failure)
