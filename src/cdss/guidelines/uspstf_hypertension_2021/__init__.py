"""US Preventive Services Task Force 2021: screening for hypertension."""

from cdss.guideline import Condition, load_guideline

RULES: dict[str, Condition] = {"BPS-16": lambda f, p: f.unless("hypertension")}

GUIDELINE = load_guideline(__name__, RULES)
