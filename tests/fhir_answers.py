"""Answers of many kinds as FHIR: what the tests of what is written look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NamedTuple

from cdss import Assessment, Model, assess, load_jurisdiction, published_models
from cdss.fhir.write import write
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import select
from cdss.reading import Found, Reading, compose
from tests.shipped import shipped

DAY = date(2026, 11, 22)
MOMENT = datetime(2026, 11, 22, 8, 30, 15, 250000, UTC)
ID = "0123456789abcdef0123456789abcdef"

EVERYTHING: dict[str, tuple[Any, str | None, str]] = {
    "age": (54, "a", "Patient/p1"),
    "sex": ("female", None, "Patient/p1"),
    "height": (156, "cm", "Observation/height"),
    "weight": (64.5, "kg", "Observation/weight"),
    "waist": (88, "cm", "Observation/waist"),
    "systolic_bp": (142, "mm[Hg]", "Observation/bp"),
    "diastolic_bp": (86, "mm[Hg]", "Observation/bp"),
    "heart_rate": (74, "/min", "Observation/pulse"),
    "bp_treated": (False, None, "Observation/drugs"),
    "smoking": ("never", None, "Observation/smoking"),
    "relatives_with_diabetes": ("first_degree", None, "FamilyMemberHistory/mother"),
    "parents_with_hypertension": ("one", None, "FamilyMemberHistory/mother"),
    "diabetes": (False, None, "Observation/diagnoses"),
    "prior_cvd": (False, None, "Observation/diagnoses"),
    "ever_high_glucose": (False, None, "Observation/diagnoses"),
    "physically_active": (True, None, "Observation/life"),
    "daily_vegetables": (False, None, "Observation/life"),
    "total_cholesterol": (228, "mg/dL", "Observation/cholesterol"),
    "hdl_cholesterol": (1.3, "mmol/L", "Observation/hdl"),
    "triglycerides": (1.9, "mmol/L", "Observation/tg"),
    "fasting_glucose": (104, "mg/dL", "Observation/glucose"),
    "hba1c": (5.9, "%", "Observation/hba1c"),
    "creatinine": (70, "umol/L", "Observation/creatinine"),
    "alt": (23, "U/L", "Observation/alt"),
}

Changes = Mapping[str, Any]

PATIENTS: dict[str, Changes] = {
    "everything": {},
    "no laboratory": dict.fromkeys(
        ("total_cholesterol", "hdl_cholesterol", "triglycerides", "fasting_glucose", "hba1c",
         "creatinine", "alt")
    ),
    "ranges": dict.fromkeys(("smoking", "diabetes", "bp_treated", "hba1c", "fasting_glucose")),
    "age and sex": dict.fromkeys(set(EVERYTHING) - {"age", "sex"}),
    "too young": {"age": 19},
    "man at high risk": {
        "age": 74, "sex": "male", "systolic_bp": 178, "smoking": "current", "diabetes": True,
        "total_cholesterol": 310,
    },
    "had a stroke": {"prior_cvd": True},
    "points alone decide": {"relatives_with_diabetes": None, "ever_high_glucose": None},
    "impossible values": {"alt": 1e9, "waist": -1, "heart_rate": "fast", "diastolic_bp": 199},
    "nothing anybody can use": dict.fromkeys(set(EVERYTHING) - {"height"}),
    "normal pressure": {"systolic_bp": 118, "diastolic_bp": 76, "hba1c": None,
                        "fasting_glucose": None},
}  # fmt: skip
"""What is other than in `EVERYTHING`; None is unknown."""


class Answer(NamedTuple):
    """A Bundle, and what it was made from."""

    bundle: dict[str, Any]
    assessment: Assessment
    models: tuple[Model, ...]
    reading: Reading
    lang: str


def read_patient(changes: Changes) -> Reading:
    """What the tests take for a document that was read."""
    found = [
        Found(name, changes.get(name, value), unit, DAY, at)
        for name, (value, unit, at) in EVERYTHING.items()
        if changes.get(name, value) is not None
    ]
    return compose(DAY, found)


@cache
def all_models() -> tuple[Model, ...]:
    """Every model of the package, teaching models included."""
    return (*shipped(demonstrations=True), *published_models())


@cache
def answer(patient: str, *, lang: str = "en", every: bool = False, place: str = "vn") -> Answer:
    """What is written of one of `PATIENTS`, by the models in use or by every one."""
    reading = read_patient(PATIENTS[patient])
    assert reading.record is not None
    where = load_jurisdiction(place) if place else None
    ids = [model.id for model in all_models()] if every else None  # those that are off too
    models = select(all_models(), where, ids)
    assessment = assess(reading.record, models, where, chosen=not every)
    bundle = write(
        assessment, models, assessment_id=ID, recorded=MOMENT, basis=reading.basis,
        problems=reading.problems, subject="Patient/p1", lang=lang, base_url="https://cdss.invalid",
    )  # fmt: skip
    return Answer(bundle, assessment, models, reading, lang)


def answers() -> Iterator[Answer]:
    """All of `PATIENTS`, in each language, by the models in use and by every one."""
    for patient in PATIENTS:
        for lang in LANGUAGES:
            yield answer(patient, lang=lang)
            yield answer(patient, lang=lang, every=True)
    yield answer("everything", place="")


def resources(bundle: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Resources of one type."""
    found = (entry["resource"] for entry in bundle["entry"])
    return [resource for resource in found if resource["resourceType"] == kind]


def of_model(bundle: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The resource that a model's answer is in."""
    kinds = (*resources(bundle, "RiskAssessment"), *resources(bundle, "Observation"))
    (found,) = (r for r in kinds if r["method"]["coding"][0]["code"] == model)
    return found


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path."""
    yield path, value
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from walk(member, f"{path}.{key}")
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from walk(member, f"{path}[{at}]")


STRING = re.compile(r"[ \r\n\t\S]+")
"""A FHIR string; ``\\S`` leaves out spaces of other kinds, such as the one that does not break."""
