"""US Preventive Services Task Force 2021: screening for prediabetes and type 2 diabetes."""

from __future__ import annotations

from typing import Any

from cdss.facts import DIABETES_TESTS, Facts, Truth
from cdss.guideline import Condition, load_guideline


def screen(f: Facts, p: Any) -> Truth:
    """Adults of an age with overweight, without symptoms."""
    asian: Truth = (f["bmi"] >= p.bmi_asian) & f.yes("asian_ancestry")
    of_age: Truth = f["age"].within(p.screening_age, p.screening_until + 1)
    well = f.unless("diabetes") & f.unless("diabetes_symptoms")
    heavy: Truth = asian | (f["bmi"] >= p.bmi)
    return of_age & heavy & well & f.unless_known(*DIABETES_TESTS)


RULES: dict[str, Condition] = {"DMS-12": screen}

GUIDELINE = load_guideline(__name__, RULES)
