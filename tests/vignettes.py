"""Patient vignettes as clinicians write them (../shared/facts/vignettes*.md), as our records."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cdss.facts import Amount, Facts
from cdss.guidelines import guidelines
from cdss.record import PatientRecord

DAY = date(2026, 11, 22)

DEFAULTS = {
    "pregnant": False, "could_become_pregnant": False, "urgent_symptoms": False,
    "severe_bp_symptoms": False, "diabetes_symptoms": False, "bp_treated": False, "bp_drugs": 0,
    "prior_cvd": False, "prior_mi": False, "prior_stroke": False, "diabetes": False, "ckd": False,
    "on_statin": False, "on_metformin": False, "target_organ_damage": False,
    "heart_or_vessel_signs": False, "proteinuria": False, "urine_ketones": False,
    "hypertension": False,
}  # fmt: skip
"""Unless said: not pregnant, no symptoms, no drugs, no known disease."""

RENAMED = {
    "htn": "hypertension", "hypertension_known": "hypertension", "tc": "total_cholesterol",
    "arm_circumference_cm": "mid_arm_circumference", "drinks_per_day": "alcohol_units",
    "ldl_mmol_l": "ldl_cholesterol", "hdl_mmol_l": "hdl_cholesterol", "tg_mmol_l": "triglycerides",
    "smoker": "current_smoker", "n_bp_drugs": "bp_drugs", "active": "physically_active",
    "total_cholesterol_mmol": "total_cholesterol", "tc_mmol": "total_cholesterol",
    "tc_mmol_l": "total_cholesterol", "ldl_mmol": "ldl_cholesterol", "hdl_mmol": "hdl_cholesterol",
    "tg_mmol": "triglycerides", "mid_arm_cm": "mid_arm_circumference",
    "mid_arm_circumference_cm": "mid_arm_circumference", "arm_cm": "mid_arm_circumference",
    "waist_cm": "waist", "alcohol_units_per_day": "alcohol_units", "units_per_day": "alcohol_units",
    "ketones_2plus": "urine_ketones", "first_degree_relative_dm": "first_degree_diabetes",
    "previous_gdm": "previous_gestational_diabetes", "gdm": "previous_gestational_diabetes",
    "organ_damage": "target_organ_damage",
}  # fmt: skip
SERIES = {
    "fpg_mg_dl": ("fasting_glucose", 10 / 180.16), "fpg_mmol": ("fasting_glucose", 1),
    "fpg_mmol_l": ("fasting_glucose", 1), "hba1c_pct": ("hba1c", 1), "egfr": ("egfr", 1),
    "uacr": ("uacr", 1), "uacr_mg_g": ("uacr", 1), "ogtt_2h_mg_dl": ("ogtt_glucose", 10 / 180.16),
    "ogtt_mmol": ("ogtt_glucose", 1), "ogtt_2h_mmol": ("ogtt_glucose", 1),
    "rpg_mg_dl": ("random_glucose", 10 / 180.16), "random_mg_dl": ("random_glucose", 10 / 180.16),
    "random_mmol": ("random_glucose", 1), "rpg_mmol": ("random_glucose", 1),
    "random_glucose_mmol_l": ("random_glucose", 1), "rpg_mmol_l": ("random_glucose", 1),
    "ogtt_2h_mmol_l": ("ogtt_glucose", 1), "glucose_mmol_l": ("random_glucose", 1),
    "glucose_mmol": ("random_glucose", 1), "plasma_glucose_mmol": ("random_glucose", 1),
}  # fmt: skip
SAID_ELSEWHERE = {"same_sample", "weeks_since_change", "other_cvd_risk_factors", "treated"}
"""What the other fields already say, or what no rule asks."""


class Vignette(NamedTuple):
    """One variant of one patient, and what is expected of some rules."""

    id: str
    rulesets: tuple[str, ...]
    record: PatientRecord
    amounts: Mapping[str, Amount]
    fires: frozenset[str]
    silent: frozenset[str]

    def fired(self) -> set[str]:
        """Ids of the rules of the rule sets that hold."""
        facts = Facts(self.record, self.amounts)
        return {
            advice.rule.id for key in self.rulesets for advice in guidelines()[key].advise(facts)[0]
        }


def vignettes(file: Path) -> Iterator[Vignette]:
    """Every variant in a file of vignettes."""
    for block in re.findall(r"```yaml\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL):
        for entry in yaml.safe_load(block):
            for name, variant in entry["variants"].items():
                said = {**entry["patient"], **variant}
                expected = entry["expect"][name]
                record, amounts = patient(said)
                yield Vignette(
                    f"{entry['id']}{name}", tuple(entry["ruleset"]), record, amounts,
                    frozenset(expected.get("fires", ())), frozenset(expected.get("not", ())),
                )  # fmt: skip


def patient(said: Mapping[str, Any]) -> tuple[PatientRecord, dict[str, Amount]]:
    """A record and given risks, from a patient as a vignette says it."""
    said = dict(said)
    amounts = _risks(said)
    months = said.pop("months_abnormal", 0)
    values: dict[str, Any] = {**DEFAULTS, "current_smoker": False}
    readings: dict[int, dict[str, float]] = defaultdict(dict)
    for field, value in said.items():
        if field in ("bp", "bp_persistent") or field in SERIES:
            for day, found in _readings(field, value):
                readings[day] |= found
        elif field not in SAID_ELSEWHERE:
            values |= _values(field, value)
    if values["bp_drugs"]:
        values |= {"bp_treated": True, "hypertension": True}
    last = max(readings, default=0)
    values |= readings.pop(last, {})
    history = [
        {"date": (DAY - timedelta(days=last - day)).isoformat(), "values": found}
        for day, found in readings.items()
    ]
    if months:
        lasting = {name: values[name] for name in ("egfr", "uacr") if name in values}
        day = DAY - timedelta(days=round(months * 30.5))
        history.append({"date": day.isoformat(), "values": lasting})
    payload = {"index_date": DAY.isoformat(), "values": values, "history": history}
    return PatientRecord.parse(payload), amounts


def _risks(said: dict[str, Any]) -> dict[str, Amount]:
    """Risks a vignette gives instead of having them computed, in percent."""
    amounts: dict[str, Amount] = {}
    risk, model = said.pop("risk10", None), said.pop("risk_model", "WHO_lab")
    if risk is not None:
        amounts["risk.cardiovascular"] = Amount(risk / 100, risk / 100)
        if "non" in model.lower():
            amounts["risk.cardiovascular_without_laboratory"] = amounts["risk.cardiovascular"]
    us_risk = said.pop("us_risk10", None)
    if us_risk is not None:
        amounts["risk.us_ascvd"] = Amount(us_risk / 100, us_risk / 100)
    return amounts


def _readings(field: str, value: Any) -> Iterator[tuple[int, dict[str, float]]]:
    """Days and what was measured on them."""
    if field in SERIES:
        name, factor = SERIES[field]
        for day, number in value if isinstance(value, list) else [[0, value]]:
            yield day, {name: number * factor}
        return
    visits = value if field == "bp" else [[day, *value] for day in (0, 14)]
    for day, systolic, diastolic in visits:
        yield day, {"systolic_bp": systolic, "diastolic_bp": diastolic}


def _values(field: str, value: Any) -> dict[str, Any]:
    """What one field says, in our variables."""
    if field == "sex":
        return {"sex": {"M": "male", "F": "female"}.get(value, value)}
    if field in ("dm", "diabetes"):
        kind = {"diabetes_type": value.replace("type", "type_")} if isinstance(value, str) else {}
        return {"diabetes": bool(value), **kind}
    if field == "cvd":
        return _cardiovascular(str(value))
    if field == "symptoms":
        return _symptoms(str(value).lower())
    if field == "ancestry":
        return {"asian_ancestry": value == "asian"}
    return {RENAMED.get(field, field): value}


def _symptoms(said: str) -> dict[str, bool]:
    """Which of the lists of symptoms."""
    if said in ("none", "[]", "false"):
        return {}
    found = {
        "diabetes_symptoms": ("thirst", "polyuria", "polydipsia", "weight", "classic", "diabetes"),
        "urgent_symptoms": ("chest", "tia", "stroke", "anuria", "vision", "heart failure"),
        "severe_bp_symptoms": ("headache", "chest", "dyspnoea", "blurred", "mental", "nausea",
                               "vomiting", "letharg", "seizure", "papill", "neuro", "urine"),
    }  # fmt: skip
    return {name: True for name, words in found.items() if any(word in said for word in words)}


def _cardiovascular(kind: str) -> dict[str, bool]:
    """Which cardiovascular disease."""
    stroke = any(word in kind for word in ("stroke", "tia"))
    heart = any(word in kind for word in ("mi", "infarction")) and "ischaemic" not in kind
    return (
        {"prior_cvd": True}
        | ({"prior_stroke": True} if stroke else {})
        | ({"prior_mi": True} if heart else {})
    )
