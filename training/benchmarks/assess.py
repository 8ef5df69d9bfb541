"""
What an assessment costs the processor: ``python -m training.benchmarks.assess``.

One patient with every model there is and with those a jurisdiction prefers, advice and explanations
included; ten thousand people in columns; and exact contributions of an equation beside those that
`shap` computes for the same function. Ends with 1 if a target is missed.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from datetime import date
from time import process_time
from typing import Any

import numpy as np
import shap
from rich.console import Console
from rich.table import Table

from cdss import (
    NoEstimate,
    PatientRecord,
    RiskModel,
    assess,
    assess_all,
    load_jurisdiction,
    load_models,
    published_models,
)
from cdss.equation import log_odds
from cdss.jurisdiction import select
from cdss.variables import VARIABLES
from cdss.wire import to_dict

ALL, DEFAULT, COLUMNS = 0.015, 0.005, 2.0
"""Most seconds of the processor: one patient with all models, with the default set; the columns."""

PEOPLE = 10_000
PATIENT: dict[str, Any] = {
    "age": 58, "sex": "female", "pregnant": False, "height": 156, "weight": 64.5, "waist": 88,
    "systolic_bp": 136, "diastolic_bp": 84, "heart_rate": 74, "bp_treated": False,
    "smoking": "current", "family_history_diabetes": True, "diabetes": False, "prior_cvd": False,
    "on_statin": False, "parents_with_hypertension": "one", "parents_with_diabetes": "one",
    "relatives_with_diabetes": "first_degree", "physically_active": False, "hypertension": False,
    "activity_level": "mild", "daily_vegetables": False, "ever_high_glucose": False,
    "previous_gestational_diabetes": False, "total_cholesterol": 5.9, "hdl_cholesterol": 1.29,
    "ldl_cholesterol": 3.6, "triglycerides": 1.9, "hba1c": 5.9, "fasting_glucose": 5.8,
    "creatinine": 68, "uacr": 9, "alt": 24, "ast": 22, "ggt": 30, "uric_acid": 310,
}  # fmt: skip
"""Everything that a model asks for; nobody's."""


def seconds(function: Callable[[], Any], least: float = 0.5) -> float:
    """Median processor time of a call."""
    function()
    taken: list[float] = []
    while sum(taken) < least or len(taken) < 3:
        start = process_time()
        function()
        taken.append(process_time() - start)
    return statistics.median(taken)


def people(count: int) -> list[PatientRecord]:
    """Random people of the age of the equations, four tenths of them without laboratory values."""
    rng = np.random.default_rng(0)
    laboratory = [name for name, v in VARIABLES.items() if v.laboratory]
    found = []
    for _ in range(count):
        values = PatientRecord.parse({"index_date": "2026-11-22", "values": PATIENT}).values | {
            "age": float(rng.integers(30, 80)),
            "sex": ("male", "female")[rng.integers(2)],
            "systolic_bp": float(rng.integers(95, 190)),
            "diastolic_bp": float(rng.integers(55, 94)),
            "bmi": float(rng.uniform(17, 36)),
            "total_cholesterol": float(rng.uniform(3.4, 7.8)),
            "current_smoker": bool(rng.random() < 0.2),
            "diabetes": bool(rng.random() < 0.08),
            "prior_cvd": bool(rng.random() < 0.04),
            "bp_treated": bool(rng.random() < 0.2),
        }
        if rng.random() < 0.4:
            values = {name: v for name, v in values.items() if name not in laboratory}
        found.append(PatientRecord(date(2026, 11, 22), values))
    return found


def main() -> None:
    """Measure, show, and judge."""
    place = load_jurisdiction("vn")
    every = (*load_models(demonstrations=True, ungated=True), *published_models())
    default = select([m for m in every if not m.demonstration], place)
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": PATIENT})

    def whole(models: Any, chosen: bool) -> Callable[[], Any]:
        return lambda: to_dict(assess(record, models, place, chosen=chosen), assessment_id="a")

    records = people(PEOPLE)
    table = {
        name: np.array([v.encode(r.values.get(name)) for r in records])
        for name, v in VARIABLES.items()
        if any(name in r.values for r in records)
    }
    answered = sum(not isinstance(m.estimate(record), NoEstimate) for m in every)
    rows = [
        (f"one patient, all {len(every)} models ({answered} answer), advice, JSON",
         seconds(whole(every, False)), ALL),
        (f"one patient, the default set ({len(default)} models), advice, JSON",
         seconds(whole(default, True)), DEFAULT),
        (f"{PEOPLE:,} people in columns, the default set",
         seconds(lambda: [m.columns(table) for m in default], 1), COLUMNS),
        (f"{PEOPLE:,} people in columns, all {len(every)} models",
         seconds(lambda: [m.columns(table) for m in every], 1), COLUMNS),
        (f"{PEOPLE:,} people one by one in 10 batches, default set, advice",
         seconds(lambda: assess_all(records[: PEOPLE // 10], default, place, chosen=True), 1) * 10,
         None),
    ]  # fmt: skip
    shown = Table(title="Processor time, explanations included, one thread")
    for column in ("what", "measured", "at most", ""):
        shown.add_column(column, justify="left" if column == "what" else "right")
    met = True
    for what, taken, most in rows:
        good = most is None or taken <= most
        met &= good
        verdict = "" if most is None else "met" if good else "MISSED"
        shown.add_row(what, _time(taken), "" if most is None else _time(most), verdict)
    console = Console(width=110)
    console.print(shown)
    console.print(_beside_shap(next(m for m in every if m.id == "who-2019-lab-sea"), table))
    if not met:
        sys.exit(1)


def _beside_shap(model: Any, table: dict[str, np.ndarray]) -> Table:
    """Time of the same contributions by `shap.explainers.Exact`, and the greatest difference."""
    assert isinstance(model, RiskModel)
    names, facts = model.inputs, model.facts
    known = ~np.isnan(np.column_stack([table[name] for name in names])).any(axis=1)
    x = np.column_stack([table[name] for name in names])[known & (table["age"] >= 40)]
    reference = [*facts["reference"].values()]
    background = np.array([[sex, *reference] for sex in (0.0, 1.0)])

    def equation(x: np.ndarray) -> np.ndarray:
        risk = np.empty(len(x))
        for code, sex in enumerate(("male", "female")):
            mine = x[:, 0] == code
            values = dict(zip(names[1:], x[mine, 1:].T, strict=True))
            risk[mine] = facts["function"](facts["coefficients"][sex], sex, **values)
        return np.asarray(log_odds(risk))

    explainer = shap.explainers.Exact(equation, shap.maskers.Independent(background))
    shown = Table(title=f"Exact contributions of {model.id}, {len(names)} inputs")
    for column in ("rows", "cdss", "shap Exact", "ratio", "greatest difference"):
        shown.add_column(column, justify="right")
    for rows in (1, 100):
        part = x[:rows]
        ours = seconds(lambda part=part: model.function(part), 0.2)
        theirs = seconds(lambda part=part: explainer(part, silent=True), 0.2)
        error = np.abs(model.function(part)[1] - explainer(part, silent=True).values).max()
        shown.add_row(
            str(rows), _time(ours), _time(theirs), f"{theirs / ours:.0f}×", f"{error:.1e}"
        )
    return shown


def _time(taken: float) -> str:
    return f"{taken:.2f} s" if taken >= 1 else f"{1000 * taken:.2f} ms"


if __name__ == "__main__":
    main()
