"""Two hundred made-up records, of all that a page may be given: the same each time."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from cdss import Model, PatientRecord, RecordError, assess, load_models, published_models
from cdss.i18n import words
from cdss.jurisdiction import load_jurisdiction
from cdss.units import UNITS
from cdss.variables import VARIABLES, Variable
from cdss.wire import problems_to_list, to_dict

TOLERANCE = 1e-6
"""Of numbers that another program computed."""

DAY = date(2026, 11, 22)

USUAL = {
    "age": (20, 85), "height": (140, 185), "weight": (40, 110), "bmi": (15, 40), "waist": (60, 120),
    "systolic_bp": (95, 205), "diastolic_bp": (50, 95), "heart_rate": (50, 110),
    "mid_arm_circumference": (20, 40), "bp_drugs": (0, 4), "age_at_diabetes_diagnosis": (20, 25),
    "alcohol_units": (0, 5), "total_cholesterol": (3, 9.5), "hdl_cholesterol": (0.7, 2.5),
    "non_hdl_cholesterol": (2, 7), "ldl_cholesterol": (1, 6), "triglycerides": (0.5, 6),
    "hba1c": (4.5, 9), "random_glucose": (4, 19), "ogtt_glucose": (4, 15),
    "fasting_glucose": (4, 9), "creatinine": (40, 300), "egfr": (15, 120), "uacr": (1, 500),
    "alt": (8, 120), "ast": (8, 120), "ggt": (8, 200), "uric_acid": (150, 600),
}  # fmt: skip
"""What people usually have, canonical units; with the plausible range for the others."""


def cases(count: int = 200) -> list[dict[str, Any]]:
    """Make records: of few values and of many, in any unit, some old, some wrong."""
    return [_case(random.Random(seed), seed) for seed in range(count)]


def _case(chance: random.Random, seed: int) -> dict[str, Any]:
    known = chance.choice((0.15, 0.4, 0.7, 0.95))
    values = {
        name: _entry(v, chance)
        for name, v in VARIABLES.items()
        if chance.random() < (0.9 if name in ("age", "sex") else known)
    }
    _consistent(values, chance)
    record: dict[str, Any] = {"index_date": DAY.isoformat(), "values": values}
    if chance.random() < 0.3:
        record["history"] = _history(chance)
    if seed % 10 == 9:
        _spoil(record, chance)
    return record


def _entry(variable: Variable, chance: random.Random) -> Any:
    value = _value(variable, chance)
    kind = chance.random()
    if variable.kind != "quantity":
        old = DAY - timedelta(chance.choice((1, 100, 1000)))
        return {"value": value, "date": old.isoformat()} if kind < 0.15 else value
    if kind < 0.6:
        return value
    unit, (factor, offset, _) = chance.choice(list(UNITS[variable.name].items()))
    entry = {"value": float(f"{(value - offset) / factor:.6g}"), "unit": unit}
    if kind > 0.85:
        entry["date"] = (DAY - timedelta(chance.choice((0, 5, 200, 400, 900)))).isoformat()
    return entry


def _value(variable: Variable, chance: random.Random) -> Any:
    if variable.kind == "yes_no":
        return chance.random() < 0.25
    if variable.kind == "choice":
        return chance.choice(variable.choices)
    low, high = USUAL.get(variable.name, (variable.low, variable.high))
    if chance.random() < 0.05:
        low, high = variable.low, variable.high
    decimals = chance.choice((0, 1, 2)) if high - low > 20 else 2
    number = round(chance.uniform(low, high), decimals)
    return int(number) if decimals == 0 and variable.low <= int(number) else number


def _consistent(values: dict[str, Any], chance: random.Random) -> None:
    """Take out what would contradict the rest, nearly always, so that there is an answer."""
    if chance.random() < 0.03:
        return
    for name in ("current_smoker", "diabetes_type", "age_at_diabetes_diagnosis", "prior_mi"):
        if chance.random() < 0.8:
            values.pop(name, None)
    for general, special in (("prior_cvd", "prior_mi"), ("prior_cvd", "prior_stroke")):
        if special in values:
            values.pop(general, None)
    if "diabetes_type" in values:
        values.pop("diabetes", None)
    if "smoking" in values:
        values.pop("current_smoker", None)
    values.pop("pregnant", None) if chance.random() < 0.7 else None
    for name in ("height", "weight"):
        if isinstance(values.get(name), dict):
            values[name].pop("date", None)


def _history(chance: random.Random) -> list[dict[str, Any]]:
    names = ("systolic_bp", "diastolic_bp", "fasting_glucose", "hba1c", "egfr", "uacr")
    days = chance.sample(range(20, 700), chance.choice((1, 2, 3)))
    return [
        {
            "date": (DAY - timedelta(back)).isoformat(),
            "values": {n: _value(VARIABLES[n], chance) for n in names if chance.random() < 0.6},
        }
        for back in days
    ]


def _spoil(record: dict[str, Any], chance: random.Random) -> None:
    """Make something wrong."""
    values = record["values"]
    wrong = chance.choice(
        (
            ("waist", 5), ("shoe_size", 42), ("systolic_bp", {"value": 120, "unit": "mg/dL"}),
            ("smoking", "sometimes"), ("diabetes", 1),
            ("hba1c", {"value": 6, "date": "2026-13-01"}),
            ("weight", {"value": 60, "date": "2027-01-01"}), ("uacr", {"values": 3}),
        )
    )  # fmt: skip
    values.__setitem__(*wrong)
    if chance.random() < 0.3:
        record["index_date"] = "22/11/2026"
    if chance.random() < 0.3:
        record["history"] = [{"date": "2026-11-22", "values": {}}]


@lru_cache
def models_of(place_id: str) -> tuple[Model, ...]:
    """Those that a jurisdiction asks."""
    return tuple(load_jurisdiction(place_id).models([*load_models(), *published_models()]))


def expected(place_id: str, record: dict[str, Any], lang: str) -> dict[str, Any]:
    """What the library says, as JSON."""
    place = load_jurisdiction(place_id)
    try:
        read = PatientRecord.parse(record)
    except RecordError as error:
        return {"problems": problems_to_list(error.problems, words(lang))}
    assessment = assess(read, models_of(place_id), place, chosen=True)
    said = to_dict(assessment, assessment_id="", lang=lang)
    del said["assessment_id"]
    return json.loads(json.dumps(said))


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two answers differ: numbers by more than the tolerance, anything else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            return [f"{where}: {ours.keys() ^ theirs.keys()}"]
        return [d for key in ours for d in differences(ours[key], theirs[key], f"{where}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{where}: {len(ours)} and {len(theirs)}"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for at, (a, b) in pairs for d in differences(a, b, f"{where}/{at}")]
    numbers = [type(each) in (int, float) for each in (ours, theirs)]
    if all(numbers):
        return [f"{where}: {ours} {theirs}"] if not abs(ours - theirs) <= TOLERANCE else []
    return [] if ours == theirs and type(ours) is type(theirs) else [f"{where}: {ours} {theirs}"]
