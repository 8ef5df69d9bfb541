"""ESC 2024: elevated blood pressure and hypertension; what ESC's own release says."""

from __future__ import annotations

from typing import Any

from cdss.bands import band
from cdss.facts import YES, Facts
from cdss.guideline import Condition, Decision, load_guideline

CATEGORIES = ("non_elevated", "elevated", "hypertension")


def category(f: Facts, p: Any) -> Decision:
    """Category of the latest reading; the higher component decides."""
    systolic, diastolic = f["systolic_bp"], f["diastolic_bp"]
    known = (systolic >= 0) & (diastolic >= 0)
    if not known.value:
        return known
    reached = max(
        band(systolic.low, (p.elevated_systolic, p.raised_systolic)),
        band(diastolic.low, (p.elevated_diastolic, p.raised_diastolic)),
    )
    return YES, {"category": f"esc_category.{CATEGORIES[reached]}"}


RULES: dict[str, Condition] = {
    "BPS-15": category,
    "BPT-26": lambda f, p: f.yes("bp_treated"),
}

GUIDELINE = load_guideline(__name__, RULES)
