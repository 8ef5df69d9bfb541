"""People for tests of batches: random, seeded, some of them impossible."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cdss.variables import VARIABLES, Value

DAY = date(2026, 11, 22)
_SPANS = {
    "systolic_bp": (90, 200), "diastolic_bp": (50, 120), "age": (25, 90), "height": (140, 190),
    "weight": (38, 110), "waist": (55, 130), "total_cholesterol": (2, 10), "hba1c": (4, 11),
    "hdl_cholesterol": (0.5, 2.5), "fasting_glucose": (3, 15), "creatinine": (30, 300),
    "uacr": (1, 400), "egfr": (10, 120), "bp_drugs": (0, 4),
}  # fmt: skip
_RARE = {"pregnant", "prior_cvd", "prior_mi", "prior_stroke", "diabetes"}


def people(count: int, seed: int = 0) -> list[dict[str, Value]]:
    """Values as they are sent; some contradict each other or are impossible together."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        unknown, values = rng.random() * 0.7, {}
        for name, variable in VARIABLES.items():
            if name in ("bmi", "smoking", "non_hdl_cholesterol") or rng.random() < unknown:
                continue
            if variable.kind == "quantity":
                low, high = _SPANS.get(name, (variable.low, variable.low + 0.2 * variable.high))
                values[name] = round(float(rng.uniform(low, high)), 1)
            elif name in _RARE:
                values[name] = bool(rng.random() < 0.1)
            elif name not in ("diabetes_type", "age_at_diabetes_diagnosis"):
                values[name] = variable.options[rng.integers(len(variable.options))]
        found.append(values)
    return found


def table(rows: Sequence[Mapping[str, Value]], first: int = 0) -> pa.Table:
    """The same people in columns."""
    kinds = {"quantity": pa.float64(), "yes_no": pa.bool_(), "choice": pa.string()}
    columns = {
        "person_id": pa.array([f"P{first + at:05d}" for at in range(len(rows))]),
        "index_date": pa.array([DAY] * len(rows), pa.date32()),
    }
    for name, variable in VARIABLES.items():
        if any(name in row for row in rows):
            columns[name] = pa.array([row.get(name) for row in rows], kinds[variable.kind])
    return pa.table(columns)


def write_ndjson(path: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    """The same people as records, every other one flat."""
    with path.open("w", encoding="utf-8") as file:
        for at, values in enumerate(rows):
            record: dict[str, Any] = {"person_id": f"P{at:05d}", "index_date": DAY.isoformat()}
            record |= {"values": values} if at % 2 else values
            file.write(json.dumps(record) + "\n")


def rows_in(out: Path, kind: str) -> list[dict[str, Any]]:
    """What a run wrote, in the order of its parts."""
    files = sorted((out / kind).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def write_csv(path: Path, people_: pa.Table) -> None:
    """The same people as text."""
    pacsv.write_csv(people_, path)


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file, as the manifest has them; and they are right."""
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    found = {}
    for part in manifest["parts"]:
        for name, file in part["files"].items():
            found[name] = file["sha256"]
    return found
