"""WHO HEARTS-H 2018: healthy-lifestyle counselling."""

from cdss.facts import YES
from cdss.guideline import Condition, load_guideline

RULES: dict[str, Condition] = {
    "LIF-01": lambda f, p: YES,
    "LIF-02": lambda f, p: YES,
    "LIF-03": lambda f, p: YES,
    "LIF-04": lambda f, p: f.yes("drinks_alcohol"),
    "LIF-05": lambda f, p: f["alcohol_units"] >= p.alcohol_units,
    "LIF-06": lambda f, p: f.yes("current_smoker"),
}

GUIDELINE = load_guideline(__name__, RULES)
