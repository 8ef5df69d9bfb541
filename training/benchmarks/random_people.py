"""Random people for benchmarks: nobody's values, and no population's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cdss.variables import VARIABLES

AT_ONCE = 131_072
QUANTITIES = {  # mean, standard deviation, ends, decimals
    "height": (160, 8, 135, 190, 0), "weight": (58, 9, 35, 110, 1), "waist": (82, 9, 55, 120, 0),
    "systolic_bp": (128, 17, 85, 210, 0), "heart_rate": (76, 10, 45, 130, 0),
}  # fmt: skip
LABORATORY = {  # and the share without it among those who have a laboratory
    "total_cholesterol": (5.1, 1, 2.5, 9.5, 2, 0.02),
    "hdl_cholesterol": (1.3, 0.3, 0.6, 2.2, 2, 0.1),
    "ldl_cholesterol": (3.1, 0.8, 1, 6.5, 2, 0.1), "triglycerides": (1.7, 0.8, 0.4, 8, 2, 0.1),
    "fasting_glucose": (5.5, 1.1, 3.2, 15, 1, 0.02), "hba1c": (5.7, 0.7, 4, 12, 1, 0.7),
    "creatinine": (76, 15, 35, 200, 0, 0.1), "uacr": (15, 10, 1, 300, 0, 0.8),
    "alt": (25, 9, 5, 200, 0, 0.2), "ast": (24, 8, 5, 200, 0, 0.2), "ggt": (30, 12, 5, 300, 0, 0.5),
    "uric_acid": (310, 70, 120, 700, 0, 0.5),
}  # fmt: skip
YES_NO = {  # share of yes, share unknown
    "current_smoker": (0.22, 0.05), "diabetes": (0.08, 0.02), "prior_cvd": (0.04, 0.02),
    "bp_treated": (0.15, 0.05), "hypertension": (0.25, 0.05), "on_statin": (0.05, 0.1),
    "family_history_diabetes": (0.12, 0.2), "physically_active": (0.6, 0.2), "ckd": (0.03, 0.1),
    "daily_vegetables": (0.6, 0.2), "ever_high_glucose": (0.1, 0.2), "drinks_alcohol": (0.4, 0.2),
    "pregnant": (0.0, 0.0),
}  # fmt: skip


def people(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random people aged 30 to 79, four tenths of them without a laboratory, encoded."""
    found = {
        "age": rng.integers(30, 80, count).astype(float),
        "sex": rng.integers(0, 2, count).astype(float),
    }
    for name, (mean, spread, low, high, digits) in QUANTITIES.items():
        found[name] = np.round(rng.normal(mean, spread, count), digits).clip(low, high)
    pressure = np.round(found["systolic_bp"] * 0.62 + rng.normal(0, 5, count))
    found["diastolic_bp"] = np.minimum(pressure, found["systolic_bp"] - 15).clip(45, 120)
    for name, (yes, unknown) in YES_NO.items():
        said = (rng.random(count) < yes).astype(float)
        found[name] = np.where(rng.random(count) < unknown, np.nan, said)
    without = rng.random(count) < 0.4
    for name, (mean, spread, low, high, digits, missing) in LABORATORY.items():
        values = np.round(rng.normal(mean, spread, count), digits).clip(low, high)
        found[name] = np.where(without | (rng.random(count) < missing), np.nan, values)
    return found


def write(path: Path, rows: int) -> None:
    """Write them as anybody would, a row group of the usual size at a time."""
    rng, writer = np.random.default_rng(0), None
    for first in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - first)
        columns = {
            "person_id": pa.array([f"P{at:010d}" for at in range(first, first + count)]),
            "index_date": pa.array(np.full(count, np.datetime64(date(2026, 11, 22)))),
        }
        for name, values in people(count, rng).items():
            unknown, choices = np.isnan(values), VARIABLES[name].choices
            if VARIABLES[name].kind == "yes_no":
                columns[name] = pa.array(values == 1, mask=unknown)
            elif choices:
                columns[name] = pa.array(np.array(choices)[values.astype(int)])
            else:
                columns[name] = pa.array(values, mask=unknown)
        part = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer is not None
    writer.close()
