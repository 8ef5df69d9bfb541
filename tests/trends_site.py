"""A made-up site for tests of trends: batches with known answers, written as `cdss batch` does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cdss.batch.advice import advice_schema
from cdss.batch.answers import schema

KEPT = {
    "province": pa.string(), "commune": pa.string(), "sex": pa.string(), "age": pa.float64(),
    "systolic_bp": pa.float64(), "diastolic_bp": pa.float64(), "hypertension": pa.bool_(),
    "bp_treated": pa.bool_(), "diabetes": pa.bool_(), "fasting_glucose": pa.float64(),
}  # fmt: skip
LAB, NONLAB, UNDIAGNOSED = "who-2019-lab-sea", "who-2019-nonlab-sea", "diabetes-undiagnosed"
POINTS = "findrisc"
Rows = list[dict[str, Any]]


def people(
    count: int, year: int, seed: int = 0, *, provinces: int = 3, communes: int = 4, first: int = 0
) -> Rows:
    """Visits of `count` people in a year, one each; the same seed gives the same people."""
    rng = np.random.default_rng([seed, year])
    rows = []
    for at in range(first, first + count):
        home = int(np.random.default_rng([seed, at]).integers(provinces * communes))
        own = np.random.default_rng([seed, at, 1])
        sbp = float(own.normal(128, 14) + rng.normal(0, 6))
        p = float(own.beta(1.2, 9))
        kind = str(rng.choice(["estimate", "range", "refused"], p=[0.8, 0.12, 0.08]))
        known = bool(own.random() < 0.25)
        rows.append({
            "person_id": f"P{at:06d}",
            "index_date": date(year, 1, 1) + timedelta(days=int(rng.integers(330))),
            "province": f"Tỉnh {home % provinces}", "commune": f"Xã {home // provinces}",
            "sex": str(own.choice(["male", "female"])),
            "age": float(own.integers(18, 85)),
            "systolic_bp": None if rng.random() < 0.1 else sbp,
            "diastolic_bp": None if rng.random() < 0.1 else sbp * 0.62,
            "hypertension": None if rng.random() < 0.05 else known,
            "bp_treated": bool(own.random() < 0.5) if known else False,
            "diabetes": False,
            "fasting_glucose": None if rng.random() < 0.4 else float(own.normal(5.6, 0.9)),
            "kind": kind, "p": p, "advice": ["BPS-05"] if sbp >= 140 else ["CVR-03"],
        })  # fmt: skip
    return rows


def write(
    out: Path, rows: Sequence[Mapping[str, Any]], *, part: int = 4000, synthetic: str = ""
) -> Path:
    """As `cdss batch` leaves a folder, in parts."""
    metadata = {"cdss.jurisdiction": "vn"} | ({"cdss.synthetic": synthetic} if synthetic else {})
    parts = []
    for folder in ("results", "advice"):
        (out / folder).mkdir(parents=True)
    for at in range(0, len(rows), part):
        mine = rows[at : at + part]
        key = f"{at // part:04d}"
        files = {}
        for kind, table in (("results", _results(mine)), ("advice", _advice(mine))):
            path = out / kind / f"part-{key}.parquet"
            pq.write_table(table.replace_schema_metadata(metadata), path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[f"{kind}/{path.name}"] = {"bytes": path.stat().st_size, "sha256": digest}
        parts.append({"part": key, "people": len(mine), "rejected": 0, "files": files})
    models = [
        {"id": m, "version": "1", "sha256": "0" * 64} for m in (LAB, NONLAB, UNDIAGNOSED, POINTS)
    ]
    manifest = {
        "jurisdiction": "vn", "code": "0" * 64, "cdss": "0", "models": models, "metadata": metadata,
        "counts": {"rows": len(rows), "people": len(rows), "rejected": 0, "files_unread": 0},
        "parts": parts,
    }  # fmt: skip
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return out


def _advice(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    wanted = advice_schema(KEPT)
    columns = {name: [row.get(name) for row in rows] for name in wanted.names}
    columns["undecided"] = [[] for _ in rows]
    return pa.Table.from_arrays(
        [pa.array(columns[f.name], _plain(f.type)).cast(f.type) for f in wanted], schema=wanted
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _results(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """One chart answers every other person, the other the others; refusals answer nothing."""
    wanted = schema(False)
    found: list[dict[str, Any]] = []
    for model in (LAB, NONLAB, UNDIAGNOSED, POINTS):
        for row in rows:
            said = dict.fromkeys(wanted.names)
            said |= {name: row[name] for name in ("person_id", "index_date")}
            said |= {
                "model": model, "version": "1", "outcome": "x", "horizon_years": 10.0,
                "released": True, "missing": [], "reasons": [], "warnings": [],
            }  # fmt: skip
            found.append(said | _said(model, row))
    columns = [
        pa.array([row[f.name] for row in found], _plain(f.type)).cast(f.type) for f in wanted
    ]
    return pa.Table.from_arrays(columns, schema=wanted)


def _said(model: str, row: Mapping[str, Any]) -> dict[str, Any]:
    p, kind = row["p"], row["kind"]
    if model == POINTS:
        points = int(40 * p)
        return {
            "kind": "points", "answers": "diabetes_points", "points_low": points,
            "points_high": points, "positive": points >= 10,
        }  # fmt: skip
    if model == UNDIAGNOSED:
        q = p / 3
        return {
            "kind": "estimate", "answers": "undiagnosed_diabetes", "probability": q,
            "low": q * 0.7, "high": min(1.0, q * 1.4),
        }  # fmt: skip
    mine = LAB if int(row["person_id"][1:]) % 2 else NONLAB
    answers = "cardiovascular" if model == mine and kind != "refused" else None
    if kind == "refused":
        return {"kind": "refused", "answers": None}
    if kind == "range":
        return {"kind": "range", "answers": answers, "low": p * 0.8, "high": min(1.0, p * 1.5)}
    return {"kind": "estimate", "answers": answers, "probability": p}
