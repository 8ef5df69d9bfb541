"""WHO HEARTS-E 2018: evidence-based treatment protocols for hypertension and diabetes."""

from __future__ import annotations

from typing import Any

from cdss.facts import DIABETES_TESTS, NO, YES, Facts, Truth, any_known, any_of
from cdss.guideline import Condition, load_guideline


def raised(f: Facts, p: Any) -> Truth:
    """Raised at the latest visit."""
    return f.bp_at_least(p.raised_systolic, p.raised_diastolic)


def confirmed(f: Facts, p: Any) -> Truth:
    """Raised in the same component on two visits in a row."""
    return f.visits_at_least(p.raised_systolic, p.raised_diastolic)


def once(f: Facts, p: Any) -> Truth:
    """Raised at the latest visit, below the same-day line, and not confirmed so far."""
    below = ~f.bp_at_least(p.same_day_systolic, p.same_day_diastolic)
    not_yet = NO if confirmed(f, p).value is True else YES
    return raised(f, p) & below & not_yet & f.unless("hypertension")


def diagnosed(f: Facts, p: Any) -> Truth:
    """Confirmed, or known and raised today."""
    known = f.yes("hypertension") & raised(f, p)
    return any_known([confirmed(f, p), known]) if raised(f, p).value else confirmed(f, p)


def glucose_above(f: Facts, threshold: float) -> Truth:
    """Fasting or random plasma glucose, whichever was measured."""
    return any_known([f["fasting_glucose"] > threshold, f["random_glucose"] > threshold])


def diabetic_value(f: Facts, p: Any) -> Truth:
    """One result in the range that defines diabetes."""
    return any_known(
        [
            f["fasting_glucose"] >= p.fasting,
            f["random_glucose"] >= p.two_hours,
            f["ogtt_glucose"] >= p.two_hours,
            f["hba1c"] >= p.hba1c,
        ]
    )


def compelling(f: Facts, p: Any) -> Truth:
    """Diabetes, coronary disease, stroke or chronic kidney disease."""
    return any_of([f.yes(n) for n in ("diabetes", "prior_mi", "prior_stroke", "ckd")])


def other_risk_factor(f: Facts, p: Any) -> Truth:
    """Another cardiovascular risk factor than blood pressure."""
    names = ("current_smoker", "diabetes", "prior_cvd", "ckd")
    return any_of([f.yes(name) for name in names])


def high_normal(f: Facts, p: Any) -> Truth:
    """Systolic 130-139 or diastolic 80-89, and neither above."""
    return f.bp_at_least(p.high_normal_systolic, p.high_normal_diastolic) & ~raised(f, p)


def persistent(f: Facts, p: Any) -> Truth:
    """Still above target on two visits; the target is lower in diabetes."""
    strict = f.visits_at_least(p.high_normal_systolic, p.high_normal_diastolic)
    return confirmed(f, p) | (f.yes("diabetes") & strict)


def unscreened(f: Facts, p: Any) -> Truth:
    """Blood pressure not measured, or not raised, in somebody not known to have hypertension."""
    measured = f.knows("systolic_bp", "diastolic_bp")
    return f.unless("hypertension") & (~raised(f, p) if measured else YES)


def new_diabetes(f: Facts, p: Any) -> Truth:
    """Glucose in the range of diabetes, not above the urgent line."""
    values = any_known([f["fasting_glucose"] >= p.fasting, f["random_glucose"] >= p.two_hours])
    return (
        values
        & (f["fasting_glucose"] < p.urgent_glucose if f.knows("fasting_glucose") else YES)
        & (f["random_glucose"] < p.urgent_glucose if f.knows("random_glucose") else YES)
    )


RULES: dict[str, Condition] = {
    "BPS-01": unscreened,
    "BPS-02": lambda f, p: f["mid_arm_circumference"] > p.large_cuff,
    "BPS-03": lambda f, p: f.yes("first_bp_measurement"),
    "BPS-04": confirmed,
    "BPS-05": once,
    "BPF-01": lambda f, p: f.yes("urgent_symptoms"),
    "BPF-02": lambda f, p: (
        f.bp_above(p.severe_systolic, p.severe_diastolic) & f.yes("severe_bp_symptoms")
    ),
    "BPF-03": lambda f, p: f.bp_above(p.crisis_systolic, p.crisis_diastolic),
    "BPF-04": lambda f, p: (
        glucose_above(f, p.urgent_glucose) & (f.yes("urine_ketones") | f.yes("diabetes_symptoms"))
    ),
    "BPF-05": lambda f, p: (
        f.bp_at_least(p.same_day_systolic, p.same_day_diastolic) & f.unless("bp_treated")
    ),
    "BPF-06": lambda f, p: once(f, p) & f.unless("bp_treated"),
    "BPF-07": lambda f, p: raised(f, p) & f.yes("bp_treated"),
    "BPF-08": lambda f, p: (
        f.twice("systolic_bp", lambda v: v < p.low_systolic) & f.yes("bp_treated")
    ),
    "BPF-09": lambda f, p: (f["age"] < p.young) & raised(f, p),
    "BPF-10": lambda f, p: f["bp_drugs"].within(2, 4) & persistent(f, p),
    "BPF-11": lambda f, p: f.yes("pregnant") & (f.yes("hypertension") | f.yes("diabetes")),
    "BPF-12": lambda f, p: (
        f.yes("heart_or_vessel_signs")
        | f.yes("proteinuria")
        | (f["total_cholesterol"] > p.refer_cholesterol)
    ),
    "BPT-05": lambda f, p: diagnosed(f, p) & f.unless("bp_treated"),
    "BPT-06": lambda f, p: high_normal(f, p) & ~other_risk_factor(f, p),
    "BPT-07": lambda f, p: f.yes("bp_treated") & ~raised(f, p),
    "BPT-08": compelling,
    "BPT-09": lambda f, p: (
        f.yes("diabetes") & f.bp_at_least(p.high_normal_systolic, p.high_normal_diastolic)
    ),
    "BPT-10": lambda f, p: f.yes("prior_mi"),
    "BPT-33": lambda f, p: f.yes("prior_stroke"),
    "BPT-11": lambda f, p: f.yes("pregnant") | f.yes("could_become_pregnant"),
    "DMS-01": lambda f, p: (
        (f["age"] >= p.screening_age)
        & (f["bmi"] > p.screening_bmi)
        & f.unless("diabetes")
        & f.unless_known(*DIABETES_TESTS)
    ),
    "DMS-02": lambda f, p: f.yes("diabetes_symptoms") & f.unless("diabetes"),
    "DMD-03": lambda f, p: diabetic_value(f, p) & f.unless("diabetes"),
    "DMF-01": lambda f, p: f.yes("diabetes"),
    "DMF-07": lambda f, p: f.yes("diabetes"),
    "DMF-10": lambda f, p: glucose_above(f, p.urgent_glucose),
    "DMF-11": lambda f, p: new_diabetes(f, p) & f.unless("on_metformin"),
    "DMF-12": lambda f, p: f.yes("urine_ketones") & diabetic_value(f, p),
    "DMF-14": lambda f, p: any_known(
        [f["fasting_glucose"] < p.low_glucose, f["random_glucose"] < p.low_glucose]
    ),
    "STA-01": lambda f, p: (
        (f.yes("prior_mi") | f.yes("prior_stroke") | (f["risk.cardiovascular"] >= p.high_risk))
        & (f.yes("bp_treated") | diagnosed(f, p))
    ),
    "STA-02": lambda f, p: type_2(f) & (f["age"] > p.statin_age),
    "STA-03": lambda f, p: f.yes("prior_mi") | f.yes("prior_stroke"),
    "CKD-13": lambda f, p: f.yes("diabetes"),
}

REFERRAL = tuple(f"BPF-{number}" for number in ("01", "02", "03", "04", "09", "10", "11", "12"))
"""The criteria of pp 36-37."""


def referred(f: Facts, p: Any) -> Truth:
    """Any criterion of the two lists."""
    found: list[Truth] = []
    for rule in REFERRAL:
        decision = RULES[rule](f, p)
        assert isinstance(decision, Truth)
        found.append(decision)
    return any_of(found)


RULES["REF-07"] = referred


def type_2(f: Facts) -> Truth:
    """Type 2 diabetes."""
    return f.yes("diabetes") & f.among("diabetes_type", "type_2")


GUIDELINE = load_guideline(__name__, RULES)
