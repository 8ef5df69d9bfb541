"""WHO HEARTS-R 2020: bands of ten-year cardiovascular risk and what belongs to each."""

from __future__ import annotations

from typing import Any

from cdss.facts import NO, YES, Facts, Truth, any_of
from cdss.guideline import Condition, Decision, load_guideline

BANDS = ("green", "yellow", "orange", "red", "deep_red")


def thresholds(p: Any) -> tuple[float, ...]:
    """First probability of each band but the lowest."""
    return (p.yellow, p.orange, p.red, p.deep_red)


def band(f: Facts, p: Any) -> Decision:
    """The band of the chart, once the risk lies in one."""
    risk, ends = f["risk.cardiovascular"], (0.0, *thresholds(p), float("inf"))
    for name, low, high in zip(BANDS, ends, ends[1:], strict=False):
        inside = risk.within(low, high)
        if inside.value is not False:
            return inside, {"band": f"band.{name}"}
    return NO


def persistent(f: Facts, systolic: float, diastolic: float) -> Truth:
    """On two visits in a row."""
    return f.visits_at_least(systolic, diastolic)


RULES: dict[str, Condition] = {
    "CVR-01": lambda f, p: (
        f.unless("prior_cvd")
        & any_of(
            [f["age"] > p.entry_age, f["bmi"] >= p.obesity_bmi]
            + [
                f.yes(n)
                for n in ("current_smoker", "hypertension", "diabetes", "family_history_cvd")
            ]
        )
    ),
    "CVR-02": band,
    "CVR-03": lambda f, p: f["risk.cardiovascular"] < p.yellow,
    "CVR-04": lambda f, p: f["risk.cardiovascular"].within(p.yellow, p.orange),
    "CVR-05": lambda f, p: f["risk.cardiovascular"].within(p.orange, p.red),
    "CVR-06": lambda f, p: f["risk.cardiovascular"] >= p.red,
    "CVR-07": lambda f, p: f.yes("prior_cvd") | f.yes("ckd"),
    "CVR-08": lambda f, p: (
        f.yes("target_organ_damage")
        | f.yes("proteinuria")
        | (f["uacr"] >= p.albuminuria)
        | persistent(f, p.grade_2_systolic, p.grade_2_diastolic)
        | (f["total_cholesterol"] >= p.very_high_cholesterol)
    ),
    "CVR-09": lambda f, p: f["risk.cardiovascular"] < p.orange,
    "CVR-10": lambda f, p: f["risk.cardiovascular_without_laboratory"] >= p.orange,
    "CVR-11": lambda f, p: (
        f.yes("diabetes")
        & (f["risk.cardiovascular_without_laboratory"] >= 0)
        & (NO if f.knows("total_cholesterol") else YES)
    ),
    "BPT-12": lambda f, p: (
        f.bp_at_least(p.grade_2_systolic, p.grade_2_diastolic)
        | (f.bp_at_least(p.raised_systolic, p.raised_diastolic) & f.yes("target_organ_damage"))
    ),
}

GUIDELINE = load_guideline(__name__, RULES)
