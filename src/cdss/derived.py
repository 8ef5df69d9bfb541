"""Quantities computed from others. A recorded value always wins over a derived one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from cdss.source import Source
from cdss.variables import Value

CREATININE_UMOL_PER_MG_DL = 88.4


def body_mass_index(weight: float, height: float) -> float:
    """
    Body mass index.

    Parameters
    ----------
    weight : float
        Body weight, kg.
    height : float
        Standing height, cm.

    Returns
    -------
    float
        kg/m2.

    Examples
    --------
    >>> round(body_mass_index(65.0, 160.0), 1)
    25.4
    """
    metres = height / 100
    return weight / (metres * metres)


def egfr_ckd_epi_2021(creatinine: Any, age: Any, sex: str) -> Any:
    """
    Estimated glomerular filtration rate without race.

    Parameters
    ----------
    creatinine : float or ndarray
        Serum creatinine, umol/L, IDMS-traceable.
    age : float or ndarray
        Age at the index date, a (years), 18 and over.
    sex : {"male", "female"}
        Sex as the derivation study recorded it.

    Returns
    -------
    float or ndarray
        eGFR, mL/min/{1.73_m2}.

    Notes
    -----
    For adults with stable kidney function. Not for pregnancy, dialysis or children.

    Source
    ------
    Inker LA et al., N Engl J Med 2021;385:1737-1749, Table S10 (CKD-EPI creatinine 2021),
    doi:10.1056/NEJMoa2102953. Erratum: none known. Creatinine 88.4 umol/L = 1 mg/dL.

    Examples
    --------
    >>> round(egfr_ckd_epi_2021(88.4, 50, "female"))
    69
    """
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine / CREATININE_UMOL_PER_MG_DL / kappa
    power = np.minimum(ratio, 1.0) ** alpha * np.maximum(ratio, 1.0) ** -1.200
    return 142 * power * 0.9938**age * (1.012 if female else 1.0)


class Derived(NamedTuple):
    """
    How one variable follows from others; None where it does not.

    The function of a quantity takes numbers and arrays alike.
    """

    variable: str
    needs: tuple[str, ...]
    function: Callable[..., Value | None]
    source: Source


_DICTIONARY = Source("cdss data dictionary", "what one variable says of another by its meaning")

NO_LONGER_FERTILE = 60
"""Age, years, above which nobody is asked about pregnancy."""


def _not_pregnant(age: float) -> bool | None:
    return False if age > NO_LONGER_FERTILE else None


def _no_man(sex: str) -> bool | None:
    return False if sex == "male" else None


_PREGNANCY = ("pregnant", "could_become_pregnant")

DERIVED = (
    *(Derived(name, ("sex",), _no_man, _DICTIONARY)
      for name in (*_PREGNANCY, "previous_gestational_diabetes")),
    *(Derived(name, ("age",), _not_pregnant, _DICTIONARY) for name in _PREGNANCY),
    Derived("bmi", ("weight", "height"), body_mass_index,
            Source("WHO, Physical status, Technical Report Series 854, 1995", "Annex 2")),
    Derived("current_smoker", ("smoking",), lambda smoking: smoking == "current",
            _DICTIONARY),
    Derived("non_hdl_cholesterol", ("total_cholesterol", "hdl_cholesterol"),
            lambda total_cholesterol, hdl_cholesterol: total_cholesterol - hdl_cholesterol,
            Source("Definition: all cholesterol that is not HDL", "total minus HDL cholesterol")),
    Derived("first_degree_diabetes", ("relatives_with_diabetes",),
            lambda relatives_with_diabetes: relatives_with_diabetes == "first_degree", _DICTIONARY),
    Derived("first_degree_diabetes", ("parents_with_diabetes",),
            lambda parents_with_diabetes: True if parents_with_diabetes != "none" else None,
            _DICTIONARY),
    # Whether grandparents were asked about or not, "no" includes parents and siblings.
    Derived("first_degree_diabetes", ("family_history_diabetes",),
            lambda family_history_diabetes: None if family_history_diabetes else False,
            _DICTIONARY),
    Derived("relatives_with_diabetes", ("first_degree_diabetes",),
            lambda first_degree_diabetes: "first_degree" if first_degree_diabetes else None,
            _DICTIONARY),
    Derived("bp_treated", ("bp_drugs",), lambda bp_drugs: bp_drugs > 0, _DICTIONARY),
    Derived("hypertension", ("bp_treated",),
            lambda bp_treated: True if bp_treated else None, _DICTIONARY),
    Derived("prior_cvd", ("prior_mi",), lambda prior_mi: True if prior_mi else None, _DICTIONARY),
    Derived("prior_cvd", ("prior_stroke",),
            lambda prior_stroke: True if prior_stroke else None, _DICTIONARY),
    Derived("drinks_alcohol", ("alcohol_units",),
            lambda alcohol_units: alcohol_units > 0, _DICTIONARY),
    Derived("diabetes", ("diabetes_type",), lambda diabetes_type: True, _DICTIONARY),
    Derived("egfr", ("creatinine", "age", "sex"), egfr_ckd_epi_2021,
            Source("Inker LA et al., N Engl J Med 2021;385:1737-1749", "Table S10",
                   url="https://doi.org/10.1056/NEJMoa2102953")),
)  # fmt: skip


def derive(values: Mapping[str, Value]) -> dict[str, Value]:
    """
    What follows from recorded values and was not itself recorded.

    Parameters
    ----------
    values : mapping of str to value
        Recorded values in canonical units.

    Returns
    -------
    dict of str to value
        Derived values only, not checked for plausibility.
    """
    found: dict[str, Value] = {}
    for name, needs, function, _ in DERIVED:
        if name in values or name in found:
            continue
        known = [found.get(need) if need in found else values.get(need) for need in needs]
        if None not in known:
            value = function(*known)
            if value is not None:
                found[name] = float(value) if isinstance(value, np.floating) else value
    return found
