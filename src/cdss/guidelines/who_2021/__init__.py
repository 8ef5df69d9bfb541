"""WHO guideline for the pharmacological treatment of hypertension in adults, 2021."""

from __future__ import annotations

from typing import Any

from cdss.facts import Facts, Truth, any_known
from cdss.guideline import Condition, load_guideline


def to_treat(f: Facts, p: Any) -> Truth:
    """Confirmed hypertension that is raised today."""
    raised = f.bp_at_least(p.raised_systolic, p.raised_diastolic)
    twice = f.visits_at_least(p.raised_systolic, p.raised_diastolic)
    return raised & any_known([f.yes("hypertension"), twice]) & f.unless("bp_treated")


def high_normal(f: Facts, p: Any) -> Truth:
    """Systolic from 130 to below 140."""
    return f["systolic_bp"].within(p.lower_systolic, p.raised_systolic)


RULES: dict[str, Condition] = {
    "BPT-01": to_treat,
    "BPT-02": lambda f, p: high_normal(f, p) & f.yes("prior_cvd") & f.unless("bp_treated"),
    "BPT-03": lambda f, p: (
        high_normal(f, p)
        & ~f.yes("prior_cvd")
        & (f.yes("diabetes") | f.yes("ckd") | (f["risk.cardiovascular"] >= p.high_risk))
        & f.unless("bp_treated")
    ),
    "BPF-13": to_treat,
}

GUIDELINE = load_guideline(__name__, RULES)
