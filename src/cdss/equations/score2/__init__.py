"""
SCORE2 2021, SCORE2-Diabetes 2023 and SCORE2-Asia-Pacific 2024: cardiovascular events in ten years.

The three share a baseline, and the two of Europe their recalibration to four risk regions. Viet Nam
has no region in SCORE2; its region in SCORE2-Asia-Pacific is not confirmed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cdss.equation import Coefficients, linear, load_equations
from cdss.units import mmol_per_mol


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
    Risk by SCORE2.

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
    SCORE2 working group, Eur Heart J 2021;42:2439-2454, and its successors in ``equation.toml``.
    """
    terms = _shared(age, systolic_bp, total_cholesterol, hdl_cholesterol, current_smoker)
    return _recalibrated(c, terms | _diabetes(terms["cage"], diabetes))


def without_diabetes(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    hdl_cholesterol: Any,
    current_smoker: Any,
) -> Any:
    """
    Risk by SCORE2-Asia-Pacific, whose charts exclude people with diabetes.

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

    Returns
    -------
    float or ndarray
        Absolute risk of heart attack, stroke or cardiovascular death within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    SCORE2 working group, Eur Heart J 2021;42:2439-2454, and its successors in ``equation.toml``.
    """
    return _recalibrated(
        c, _shared(age, systolic_bp, total_cholesterol, hdl_cholesterol, current_smoker)
    )


def with_diabetes(
    c: Coefficients,
    sex: str,
    *,
    age: Any,
    systolic_bp: Any,
    total_cholesterol: Any,
    hdl_cholesterol: Any,
    hba1c: Any,
    egfr: Any,
    age_at_diabetes_diagnosis: Any,
    current_smoker: Any,
) -> Any:
    """
    Risk by SCORE2-Diabetes, of a person with diabetes.

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
    hba1c : float or ndarray
        HbA1c, %.
    egfr : float or ndarray
        Estimated GFR (CKD-EPI 2021), mL/min/{1.73_m2}.
    age_at_diabetes_diagnosis : float or ndarray
        Age when diabetes was diagnosed, a (years).
    current_smoker : {0, 1} or ndarray
        1 if the person smokes now.

    Returns
    -------
    float or ndarray
        Absolute risk of heart attack, stroke or cardiovascular death within 10 years, 0-1.
        NaN where an input is NaN, never a default. The limits of ``equation.toml`` are not
        checked here.

    Source
    ------
    SCORE2 working group, Eur Heart J 2021;42:2439-2454, and its successors in ``equation.toml``.
    """
    terms = _shared(age, systolic_bp, total_cholesterol, hdl_cholesterol, current_smoker)
    cage = terms["cage"]
    ifcc = (mmol_per_mol(hba1c) - 31) / 9.34
    lnegfr = (np.log(egfr) - 4.5) / 0.15
    terms |= {
        "agedx": (age_at_diabetes_diagnosis - 50) / 5,
        "hba1c": ifcc,
        "lnegfr": lnegfr,
        "lnegfr2": lnegfr**2,
        "cage_hba1c": cage * ifcc,
        "cage_lnegfr": cage * lnegfr,
    }
    return _recalibrated(c, terms | _diabetes(cage, 1.0))


def _shared(
    age: Any, systolic_bp: Any, total_cholesterol: Any, hdl_cholesterol: Any, current_smoker: Any
) -> dict[str, Any]:
    cage = (age - 60) / 5
    terms = {
        "smoker": current_smoker,
        "csbp": (systolic_bp - 120) / 20,
        "ctc": total_cholesterol - 6,
        "chdl": (hdl_cholesterol - 1.3) / 0.5,
    }
    return {"cage": cage, **terms, **{f"cage_{name}": cage * v for name, v in terms.items()}}


def _diabetes(cage: Any, diabetes: Any) -> dict[str, Any]:
    return {"diabetes": diabetes, "cage_diabetes": cage * diabetes}


def _recalibrated(c: Coefficients, terms: dict[str, Any]) -> Any:
    hazard = np.log(-np.log(c["S0_10y"])) + linear(c, **terms)
    return -np.expm1(-np.exp(c["scale1"] + c["scale2"] * hazard))


MODELS = load_equations(
    __name__, risk=risk, without_diabetes=without_diabetes, with_diabetes=with_diabetes
)
