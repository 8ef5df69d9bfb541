"""Viet Nam, Decision 3192/QD-BYT 2010: hypertension."""

from __future__ import annotations

from typing import Any

from cdss.bands import band
from cdss.facts import YES, Facts
from cdss.guideline import Condition, Decision, load_guideline

GRADES = ("optimal", "normal", "prehypertension", "grade_1", "grade_2", "grade_3")


def grade(f: Facts, p: Any) -> Decision:
    """Grade of the latest reading; the higher component decides."""
    systolic, diastolic = f["systolic_bp"], f["diastolic_bp"]
    known = (systolic >= 0) & (diastolic >= 0)
    if not known.value:
        return known
    reached = max(
        band(systolic.low, (p.normal_systolic, p.pre_systolic, p.raised_systolic,
                            p.grade_2_systolic, p.grade_3_systolic)),
        band(diastolic.low, (p.normal_diastolic, p.pre_diastolic, p.raised_diastolic,
                             p.grade_2_diastolic, p.grade_3_diastolic)),
    )  # fmt: skip
    isolated = systolic.low >= p.raised_systolic and diastolic.low < p.raised_diastolic
    words = (f"bp_grade.{GRADES[reached]}", *(("bp_grade.isolated_systolic",) * isolated))
    return YES, {"grade": words}


RULES: dict[str, Condition] = {
    "BPS-06": lambda f, p: f.visits_at_least(p.raised_systolic, p.raised_diastolic),
    "BPS-08": grade,
}

GUIDELINE = load_guideline(__name__, RULES)
