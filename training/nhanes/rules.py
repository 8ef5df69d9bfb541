"""
How each column of the NHANES analysis table follows from answers and measurements.

The rules are those of ``../shared/data/README.md``; where that leaves one open (what of the three
questions on a drug makes a "no"), it was found by reproducing the distributed table from CDC's own
files of 2013-2014.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cdss.derived import CREATININE_UMOL_PER_MG_DL, egfr_ckd_epi_2021
from training.nhanes.files import catalogue

ADULT = 18
MOST_CIGARETTES = 95
OLDEST = 120
CARDIOVASCULAR = (1, 5)
"""Leading causes of death: 1 diseases of heart, 5 cerebrovascular diseases."""
ETHNICITIES = {1: "mexican_american", 2: "other_hispanic", 3: "nh_white", 4: "nh_black", 5: "other"}
ASIAN = 6

Series = pd.Series


class Rule(NamedTuple):
    """A column, what it follows from, and how."""

    column: str
    needs: tuple[str, ...]
    function: Callable[..., Series]


def _nothing(like: Series) -> Series:
    return Series(np.nan, index=like.index)


def _where(no: Series, yes: Series) -> Series:
    """1 where `yes`, else 0 where `no`, else unknown."""
    return _nothing(no).mask(no, 0.0).mask(yes, 1.0)


def _yes_no(code: Series) -> Series:
    """1 is yes, 2 is no; refused, unknown and not asked are unknown."""
    return _where(code == 2, code == 1)


def _any(*answers: Series) -> Series:
    """Yes if one is; no if all are known to be."""
    together = pd.concat(answers, axis=1)
    return _where((together == 0).all(axis=1), (together == 1).any(axis=1))


def _in_words(words: Mapping[Any, str]) -> Callable[[Series], Series]:
    return lambda code: code.map(words)


def _mean_of_readings(*readings: Series) -> Series:
    """Mean of readings 1 to 3; the fourth only where there is none of them."""
    return pd.concat(readings[:3], axis=1).mean(axis=1).fillna(readings[3])


def _positive(reading: Series) -> Series:
    """A diastolic pressure of 0 means that the sound did not vanish: unknown."""
    return reading.mask(reading == 0)


def _bp_drug(told: Series, prescribed: Series, taken: Series) -> Series:
    """Takes blood pressure drugs; no if never told of hypertension or never prescribed any."""
    return _where((told == 2) | (prescribed == 2) | (taken == 2), taken == 1)


def _lipid_drug(told: Series, advised: Series, taken: Series) -> Series:
    """Takes lipid drugs; no if never told of high cholesterol or never advised any."""
    return _where((taken == 2) | (advised == 2) | ((told == 2) & taken.isna()), taken == 1)


def _smoking(ever: Series, now: Series) -> Series:
    known = _in_words({1: "current", 2: "current", 3: "former"})(now)
    return known.astype("object").mask(ever == 2, "never")


def _cigarettes(number: Series, smoking: Series) -> Series:
    """Cigarettes a day; 0 for who does not smoke now."""
    counted = number.mask(number > MOST_CIGARETTES)
    return counted.mask(smoking.isin(["never", "former"]), 0.0)


def _told_diabetes(code: Series) -> Series:
    """Borderline is no."""
    return _where(code.isin([2, 3]), code == 1)


def _pills(taken: Series, told: Series) -> Series:
    """Takes diabetes pills; no if not asked because not told of diabetes."""
    return _yes_no(taken).mask(taken.isna() & (told == 0), 0.0)


def _creatinine(measured: Series, cycle: Series) -> Series:
    """Recalibrated to the reference method where NCHS says so, mg/dL."""
    line = catalogue()["creatinine"].get(cycle.iloc[0], {"slope": 1.0, "intercept": 0.0})
    return measured * line["slope"] + line["intercept"]


def _egfr(creatinine: Series, age: Series, sex: Series) -> Series:
    """CKD-EPI 2021 for adults; NaN where an input is."""
    umol = creatinine * CREATININE_UMOL_PER_MG_DL
    known = umol.notna() & (umol > 0) & (age >= ADULT) & sex.notna()
    values = [
        egfr_ckd_epi_2021(*row) for row in zip(umol[known], age[known], sex[known], strict=True)
    ]
    return _nothing(creatinine).where(~known, Series(values, index=umol.index[known], dtype=float))


def _hypertensive(systolic_from: float, diastolic_from: float) -> Callable[..., Series]:
    def rule(systolic: Series, diastolic: Series, treated: Series) -> Series:
        high = (systolic >= systolic_from) | (diastolic >= diastolic_from) | (treated == 1)
        return _where(systolic.notna() & diastolic.notna() & treated.notna(), high)

    return rule


def _measured(hba1c: Series, glucose: Series) -> Series:
    return hba1c.notna() | glucose.notna()


def _raised(hba1c: Series, glucose: Series) -> Series:
    return (hba1c >= 6.5) | (glucose >= 126)


def _diabetes(told: Series, hba1c: Series, glucose: Series) -> Series:
    """Told, or laboratory in the diabetic range; no needs one of the two measurements."""
    return _where((told == 0) & _measured(hba1c, glucose), (told == 1) | _raised(hba1c, glucose))


def _undiagnosed(told: Series, hba1c: Series, glucose: Series) -> Series:
    measured = (told == 0) & _measured(hba1c, glucose)
    return _where(measured, measured & _raised(hba1c, glucose))


def _prediabetes(diabetes: Series, hba1c: Series, glucose: Series) -> Series:
    return _where(diabetes == 0, (diabetes == 0) & ((hba1c >= 5.7) | (glucose >= 100)))


def _cvd_death(died: Series, cause: Series) -> Series:
    return _where(died.notna(), (died == 1) & cause.isin(CARDIOVASCULAR))


def _same(value: Series) -> Series:
    return value


def _up_to(most: float) -> Callable[[Series], Series]:
    return lambda value: value.mask(value > most)


_HISTORY = ("chf", "chd", "angina", "mi", "stroke")
_LABORATORY = ("hba1c", "fpg")

RULES = (
    Rule("sex", ("sex_code",), _in_words({1: "male", 2: "female"})),
    Rule("race_eth", ("ethnicity_code",), _in_words(ETHNICITIES)),
    Rule("education", ("education_code",), _up_to(5)),
    Rule("pregnant", ("pregnancy_code",), lambda code: (code == 1).astype("float64")),
    *(Rule(f"sbp{i}", (f"systolic_{i}",), _same) for i in range(1, 5)),
    *(Rule(f"dbp{i}", (f"diastolic_{i}",), _positive) for i in range(1, 5)),
    Rule("sbp", tuple(f"sbp{i}" for i in range(1, 5)), _mean_of_readings),
    Rule("dbp", tuple(f"dbp{i}" for i in range(1, 5)), _mean_of_readings),
    Rule("htn_told", ("told_hypertension",), _yes_no),
    Rule("bp_med_self", ("told_hypertension", "bp_drug_prescribed", "bp_drug_taken"), _bp_drug),
    Rule("lipid_med_self", ("told_cholesterol", "lipid_drug_advised", "lipid_drug_taken"),
         _lipid_drug),
    Rule("smoking", ("smoked_100", "smokes_now"), _smoking),
    Rule("cigs_per_day", ("cigarettes", "smoking"), _cigarettes),
    Rule("fam_hx_diabetes", ("family_diabetes",), _yes_no),
    Rule("fam_hx_mi_before50", ("family_mi",), _yes_no),
    Rule("creatinine_std", ("creatinine", "recalibration"), _creatinine),
    Rule("egfr_2021", ("creatinine_std", "age", "sex"), _egfr),
    Rule("uacr", ("urine_albumin", "urine_creatinine"),
         lambda albumin, creatinine: 100 * albumin / creatinine.mask(creatinine == 0)),
    Rule("diabetes_told", ("told_diabetes",), _told_diabetes),
    Rule("borderline_told", ("told_diabetes",), lambda code: _where(code.isin([1, 2]), code == 3)),
    Rule("insulin_use", ("insulin",), _yes_no),
    Rule("oral_dm_med", ("diabetes_pills", "diabetes_told"), _pills),
    Rule("diabetes_dx_age", ("diabetes_age",), _up_to(OLDEST)),
    *(Rule(f"{name}_hx", (f"told_{name}",), _yes_no) for name in _HISTORY),
    Rule("cvd_hx", tuple(f"{name}_hx" for name in _HISTORY), _any),
    Rule("ascvd_hx", ("chd_hx", "mi_hx", "stroke_hx"), _any),
    Rule("htn_140_90", ("sbp", "dbp", "bp_med_self"), _hypertensive(140, 90)),
    Rule("htn_130_80", ("sbp", "dbp", "bp_med_self"), _hypertensive(130, 80)),
    Rule("diabetes_prev", ("diabetes_told", *_LABORATORY), _diabetes),
    Rule("diabetes_undiagnosed", ("diabetes_told", *_LABORATORY), _undiagnosed),
    Rule("prediabetes", ("diabetes_prev", *_LABORATORY), _prediabetes),
    Rule("mort_eligible", ("eligible_code",), lambda code: (code == 1).astype("float64")),
    Rule("mort_died", ("died_code",), _same),
    Rule("fu_months_int", ("months_interview",), _same),
    Rule("fu_months_exam", ("months_exam",), _same),
    Rule("ucod_leading", ("cause",), _same),
    Rule("mcod_diabetes", ("diabetes_flag",), _same),
    Rule("mcod_hypertension", ("hypertension_flag",), _same),
    Rule("cvd_death", ("mort_died", "cause"), _cvd_death),
)  # fmt: skip
"""How each column follows, in an order in which what a rule needs comes before it."""
