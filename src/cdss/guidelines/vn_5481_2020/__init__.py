"""Viet Nam, Decision 5481/QD-BYT 2020: type 2 diabetes."""

from __future__ import annotations

from typing import Any

from cdss.facts import Facts, Truth, any_known
from cdss.guideline import Condition, load_guideline


def diagnosed(f: Facts, p: Any) -> Truth:
    """Two results in the range of diabetes, or one random value with classic symptoms."""
    twice = f.two_results(
        {"fasting_glucose": p.fasting, "hba1c": p.hba1c, "ogtt_glucose": p.two_hours}
    )
    random = f["random_glucose"] >= p.two_hours
    if f.knows("random_glucose"):
        twice = twice | (random & f.yes("diabetes_symptoms"))
    return twice & f.unless("diabetes")


def off_target(f: Facts, p: Any) -> Truth:
    """HbA1c or fasting glucose beyond the target; what was not measured does not matter."""
    fasting = (f["fasting_glucose"] > p.fasting_high) | (f["fasting_glucose"] < p.fasting_low)
    return f.yes("diabetes") & any_known([f["hba1c"] >= p.hba1c_target, fasting])


RULES: dict[str, Condition] = {
    "DMD-01": diagnosed,
    "DMF-02": off_target,
    "BPT-19": lambda f, p: f.yes("diabetes"),
    "STA-12": lambda f, p: f.yes("diabetes"),
    "DMS-04": lambda f, p: (f["age"] >= p.screening_age) & f.unless("diabetes"),
}

GUIDELINE = load_guideline(__name__, RULES)
