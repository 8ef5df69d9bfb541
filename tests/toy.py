"""A risk model whose every number can be worked out by hand."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cdss.bundle import write_gate
from cdss.limits import Limit
from cdss.population import LEVELS
from cdss.record import PatientRecord
from cdss.risk import Array, RiskModel
from cdss.source import Source

BASELINE = -2.0
WEIGHTS = {"age": (0.05, 50.0), "sex": (-0.4, 0.5), "bmi": (0.1, 25.0), "alt": (0.01, 20.0)}
"""Predictor → (log-odds a unit, value at which it contributes nothing)."""

MANIFEST: dict[str, Any] = {
    "id": "toy",
    "version": "1.0.0",
    "outcome": "incident_diabetes",
    "horizon_years": 10.0,
    "inputs": ["age", "sex", "bmi"],
    "optional": ["alt"],
    "baseline": BASELINE,
    "limits": {"age": [20, 80], "bmi": [12.5, 60], "alt": [1, 1000]},
    "excluded": ["diabetes", "pregnant"],
    "population": "Nobody: a model made by hand for tests.",
    "sources": [{"citation": "tests/toy.py", "locator": "WEIGHTS"}],
    "demonstration": False,
}

SURE: dict[str, Any] = {
    "tiers": {"required_only": ["alt"], "all": []},
    "interval": {
        "level": 0.95,
        "people": 500,
        "between": 0.2,
        "scale": {"required_only": 2.5, "all": 2.0},
    },
    "population_facts": {
        "quantiles": {
            "age": [20 + 60 * level for level in LEVELS],
            "bmi": [18 + 20 * level for level in LEVELS],
            "alt": [5 + 95 * level**2 for level in LEVELS],
        },
        "names": ["age", "bmi", "alt"],
        "correlation": [[1, 0.6, 0.3], [0.6, 1, 0.4], [0.3, 0.4, 1]],
        "threshold": 2.3,
    },
}
"""What a manifest says besides, once uncertainty and population were measured."""


def release(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write the release record of a bundle, changed as the test wants."""
    text = (folder / "manifest.json").read_bytes()
    manifest = json.loads(text)
    record = {
        "model": manifest["id"],
        "version": manifest["version"],
        "manifest_sha256": hashlib.sha256(text).hexdigest(),
        "verdict": "pass",
        "checks": [
            {"name": "parity", "verdict": "pass", "why": "made by hand"},
            {"name": "subgroups", "verdict": "cannot tell", "why": "there is nobody"},
        ],
        "evidence_sha256": "0" * 64,
        "signed_by": {"name": "A Tester", "role": "test", "statement": "for tests only"},
        "released_on": "2026-11-24",
        "code": "0" * 12,
        "mlflow_run_id": "0" * 32,
        "history": [],
    } | changes
    write_gate(folder, record)
    return record


def toy_log_odds(**values: float) -> dict[str, float]:
    """Contributions worked out in plain Python; what is unknown contributes nothing."""
    return {
        name: weight * (values[name] - zero) if name in values else 0.0
        for name, (weight, zero) in WEIGHTS.items()
    }


def toy_function(x: Array) -> tuple[Array, Array]:
    """The toy model in NumPy."""
    weights, zeros = np.array(list(WEIGHTS.values())).T
    contributions = np.where(np.isnan(x), 0.0, (x - zeros) * weights)
    return 1 / (1 + np.exp(-BASELINE - contributions.sum(axis=1))), contributions


def toy_model(**changes: Any) -> RiskModel:
    """The toy model without a bundle."""
    facts = {name: MANIFEST[name] for name in MANIFEST if name not in {"sources", "limits"}}
    for name in ("inputs", "optional", "excluded"):
        facts[name] = tuple(facts[name])
    limits = MappingProxyType(
        {name: Limit(lo, hi) for name, (lo, hi) in MANIFEST["limits"].items()}
    )
    sources = (Source("tests/toy.py", "WEIGHTS"),)
    return RiskModel(
        **{"function": toy_function, "limits": limits, "sources": sources, **facts, **changes}
    )


def record(**values: Any) -> PatientRecord:
    """A record of a fixed day."""
    return PatientRecord.parse({"index_date": "2026-11-22", "values": values})


def toy_graph() -> bytes:
    """The explained graph of the toy model."""
    weights, zeros = np.array(list(WEIGHTS.values()), dtype=np.float32).T
    constants = {"weights": weights, "zeros": zeros, "baseline": np.float32([BASELINE])}
    constants |= {"columns": np.int64([1])}
    nodes = [
        helper.make_node("IsNaN", ["x"], ["unknown"]),
        helper.make_node("Where", ["unknown", "zeros", "x"], ["known"]),
        helper.make_node("Sub", ["known", "zeros"], ["distance"]),
        helper.make_node("Mul", ["distance", "weights"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "columns"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "baseline"], ["log_odds"]),
        helper.make_node("Sigmoid", ["log_odds"], ["probability"]),
    ]
    k = len(WEIGHTS)
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", k])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["n", k]),
        ],
        [numpy_helper.from_array(np.atleast_1d(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def toy_cases() -> str:
    """Known answers of the toy model, by hand; an empty cell is unknown."""
    rows = ["age,sex,bmi,alt,probability,origin"]
    for cells in ((50, 1, 25, None), (70, 0, 32.5, 80), (33, 1, 19.0, 15)):
        known = {n: c for n, c in zip(WEIGHTS, cells, strict=True) if c is not None}
        p = 1 / (1 + math.exp(-BASELINE - sum(toy_log_odds(**known).values())))
        rows.append(",".join([*("" if c is None else str(c) for c in cells), str(p), "by hand"]))
    return "\n".join(rows) + "\n"
