"""ESC 2023: cardiovascular disease in diabetes."""

from cdss.guideline import Condition, load_guideline

RULES: dict[str, Condition] = {
    "BPT-25": lambda f, p: (
        f.yes("diabetes")
        & f.bp_at_least(p.raised_systolic, p.raised_diastolic)
        & f.unless("bp_treated")
    ),
    "CKD-12": lambda f, p: f.yes("diabetes"),
}

GUIDELINE = load_guideline(__name__, RULES)
