"""Viet Nam, protocol for hypertension at grassroots facilities (Decision 5904/QD-BYT 2019)."""

from __future__ import annotations

from typing import Any

from cdss.facts import NO, Facts, Truth
from cdss.guideline import Condition, load_guideline


def above_target(f: Facts, p: Any, by: float) -> Truth:
    """Latest pressure at least so much above the upper end of the target for the age."""
    older: Truth = f["age"] >= p.older
    if older.value is None:
        return older
    systolic = p.target_systolic_older if older.value else p.target_systolic
    return f.bp_at_least(systolic + by, p.target_diastolic + by)


def not_at_target(f: Facts, p: Any) -> Truth:
    """Clearly above target on treatment."""
    return f.yes("bp_treated") & above_target(f, p, p.step_up)


def grade_2(f: Facts, p: Any) -> Truth:
    """Grade 2 or more, before treatment."""
    raised = f.bp_at_least(p.grade_2_systolic, p.grade_2_diastolic)
    return raised & f.unless("bp_treated")


RULES: dict[str, Condition] = {
    "BPT-13": grade_2,
    "BPT-14": lambda f, p: f.yes("bp_treated") & (f["age"] < p.older),
    "BPT-15": lambda f, p: f.yes("bp_treated") & (f["age"] >= p.older),
    "BPF-15": lambda f, p: not_at_target(f, p) | grade_2(f, p),
    "BPF-16": lambda f, p: f.yes("bp_treated") & ~above_target(f, p, p.near_target),
    "BPF-17": not_at_target,
    "BPF-18": lambda f, p: (
        f.twice("systolic_bp", lambda v: v < p.low_systolic) & f.yes("bp_treated")
    ),
    "BPF-19": lambda f, p: not_at_target(f, p) & f.yes("only_bp_drug_at_full_dose"),
    "REF-02": lambda f, p: not_at_target(f, p) & f.yes("only_bp_drug_at_full_dose"),
    "REF-01": lambda f, p: (
        not_at_target(f, p) & ((f["bp_drugs"] >= p.last_step) if f.knows("bp_drugs") else NO)
    ),
}

GUIDELINE = load_guideline(__name__, RULES)
