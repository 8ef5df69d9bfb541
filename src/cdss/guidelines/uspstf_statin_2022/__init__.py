"""US Preventive Services Task Force 2022: statins to prevent a first cardiovascular event."""

from __future__ import annotations

from typing import Any

from cdss.facts import Facts, any_of
from cdss.guideline import Condition, Decision, load_guideline


def statin(f: Facts, p: Any) -> Decision:
    """What the statement says at this age and risk."""
    older = (f["age"] >= p.insufficient_age) & f.unless("prior_cvd")
    if older.value is not False:
        return older, {"statin": "statin.insufficient"}
    factor = any_of([f.yes(n) for n in ("current_smoker", "diabetes", "hypertension")])
    applies = f["age"].within(p.statin_age, p.insufficient_age) & factor & f.unless("prior_cvd")
    offer = applies & (f["risk.us_ascvd"] >= p.offer_risk)
    if offer.value is not False:
        return offer, {"statin": "statin.offer"}
    return applies & (f["risk.us_ascvd"] >= p.selective_risk), {"statin": "statin.selective"}


RULES: dict[str, Condition] = {"STA-11": statin}

GUIDELINE = load_guideline(__name__, RULES)
