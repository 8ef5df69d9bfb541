"""KDIGO 2022: diabetes in chronic kidney disease, and the definitions of CKD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdss.bands import band
from cdss.facts import NO, YES, Facts, Need, Truth
from cdss.guideline import Condition, Decision, load_guideline

STAGES = ("G5", "G4", "G3b", "G3a", "G2", "G1")
DAYS_A_MONTH = 365.25 / 12
DOSES = ("stop", "halve", "review", "full")


def stage(f: Facts, p: Any) -> Decision:
    """Stage by eGFR."""
    egfr = f["egfr"]
    if not egfr.known:
        return egfr >= 0
    at = band(egfr.low, (p.g5_below, p.g4_below, p.g3b_below, p.g3a_below, p.g1_from))
    return YES, {"stage": STAGES[at]}


def albuminuria(f: Facts, p: Any) -> Decision:
    """Category by albumin/creatinine ratio; exactly 300 mg/g is A2 here."""
    uacr = f["uacr"]
    if not uacr.known:
        return uacr >= 0
    category = "A1" if uacr.low < p.a2_from else "A3" if uacr.low > p.a3_above else "A2"
    return YES, {"category": category}


def lasting(f: Facts, p: Any) -> Truth:
    """Abnormal in one measure for more than three months, with nothing normal between."""
    return _lasting(f, p, "egfr", lambda v: v < p.g3a_below) | _lasting(
        f, p, "uacr", lambda v: v >= p.a2_from
    )


def _lasting(f: Facts, p: Any, name: str, abnormal: Callable[[float], bool]) -> Truth:
    since = None
    for result in f.results(name):
        since = (since or result.day) if abnormal(result.value) else None
        if since and (result.day - since).days > p.months * DAYS_A_MONTH:
            return YES
    if since:
        return Truth(None, frozenset({Need(name, again=True)}))
    return NO if f.results(name) else Truth(None, frozenset({Need(name)}))


def kidney_disease(f: Facts, p: Any) -> Truth:
    """Known, or shown by two results more than three months apart."""
    shown = lasting(f, p)
    return YES if shown.value else f.yes("ckd")


def type_2_with_ckd(f: Facts, p: Any) -> Truth:
    """Type 2 diabetes and chronic kidney disease."""
    return f.yes("diabetes") & f.among("diabetes_type", "type_2") & kidney_disease(f, p)


def metformin(f: Facts, p: Any) -> Decision:
    """What to do with metformin at this eGFR."""
    truth, egfr = type_2_with_ckd(f, p), f["egfr"]
    if not truth.value or not egfr.known:
        return truth & (egfr >= 0)
    at = band(egfr.low, (p.g4_below, p.g3b_below, p.g3a_below))
    return YES, {"metformin": f"metformin.{DOSES[at]}"}


RULES: dict[str, Condition] = {
    "CKD-01": stage,
    "CKD-02": albuminuria,
    "CKD-04": lasting,
    "CKD-09": lambda f, p: type_2_with_ckd(f, p) & (f["egfr"] >= p.sglt2_from),
    "CKD-10": metformin,
    "CKD-11": lambda f, p: (
        f.yes("diabetes") & f.yes("hypertension") & (f["uacr"] >= p.a2_from) & f.unless("pregnant")
    ),
    "STA-10": lambda f, p: f.yes("diabetes") & kidney_disease(f, p),
}

GUIDELINE = load_guideline(__name__, RULES)
