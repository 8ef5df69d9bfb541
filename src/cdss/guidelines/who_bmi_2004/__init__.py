"""WHO expert consultation 2004: body mass index in Asian populations."""

from cdss.guideline import Condition, load_guideline

RULES: dict[str, Condition] = {"LIF-10": lambda f, p: f["bmi"] >= p.action_point}

GUIDELINE = load_guideline(__name__, RULES)
