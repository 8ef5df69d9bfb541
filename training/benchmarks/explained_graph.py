"""
Risk and exact contributions: the explained graph beside what else gives them.

``python -m training.benchmarks.explained_graph`` measures everything in one run on one thread and
prints medians and ratios, for a made-up model of 300 trees of depth 4 on 20 inputs and for every
shipped champion that has trees. Where a champion is a blend of trees and splines, the others get
its trees alone, the greater part of the work. It fails if a target is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import shap
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cdss.bundle import CHUNK_ROWS, SHIPPED, load_bundle
from cdss.variables import VARIABLES
from training.data import ROOT
from training.export import tree_graph
from training.families import load_native
from training.families.blend import Blend

ROWS = (1, 32, 1024, 10240)
ENOUGH_SECONDS = 0.5
IN_A_ROW = 20
"""Calls of small batches timed together: one after another, as in service."""

RISK_ONLY = ("risk-only ONNX", "risk-only ONNX, chunks")
"""The same graph twice: which is faster depends on the model, and ours is held to the faster."""

Contestant = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Subject:
    """A model, its booster, its explained graph and rows to score."""

    name: str
    booster: xgboost.Booster
    graph: bytes
    x: np.ndarray
    log_odds: Callable[[np.ndarray], np.ndarray]


def synthetic(trees: int = 300, depth: int = 4, inputs: int = 20) -> Subject:
    """Make the standard subject: a fifth of the values is unknown."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, inputs)).astype(np.float32)
    log_odds = x[:, :6].sum(axis=1) + x[:, 6] * x[:, 7] + np.abs(x[:, 8])
    y = rng.random(len(x)) < 1 / (1 + np.exp(-log_odds))
    x[rng.random(x.shape) < 0.2] = np.nan
    settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "seed": 0}
    booster = xgboost.train(settings, xgboost.DMatrix(x, y), trees)
    graph = tree_graph(booster, inputs, background=x[:1000]).to_bytes()

    def log_odds(x: np.ndarray) -> np.ndarray:
        contributions = booster.predict(xgboost.DMatrix(x), pred_contribs=True)
        return np.asarray(contributions.sum(axis=1, dtype=np.float64))

    return Subject(f"{trees} trees of depth {depth}, {inputs} inputs", booster, graph, x, log_odds)


def champion(folder: Path) -> Subject:
    """Take a shipped bundle and the model it was made from; rows lie within its limits."""
    model = load_bundle(SHIPPED / folder.name)
    native = load_native(folder)
    trees = native.parts["trees"] if isinstance(native, Blend) else native
    rng = np.random.default_rng(0)
    n, names = max(ROWS), model.predictors
    x = np.column_stack([_values(name, model.limits.get(name), n, rng) for name in names])
    x = x.astype(np.float32)
    hidden = rng.random(x.shape) < 0.3
    hidden[:, : len(model.inputs)] = False
    x[hidden] = np.nan
    recalibration = model.facts["recalibration"]

    def log_odds(x: np.ndarray) -> np.ndarray:
        found = native.log_odds(pd.DataFrame(x, columns=list(names)))
        return np.asarray(recalibration["intercept"] + recalibration["slope"] * found)

    graph = (SHIPPED / folder.name / "model.onnx").read_bytes()
    return Subject(folder.name, trees.booster, graph, x, log_odds)


def _values(
    name: str, limits: Sequence[float] | None, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Quantities within the limits; codes of anything else."""
    if VARIABLES[name].kind == "quantity" and limits:
        return rng.uniform(*limits[:2], n)
    return rng.integers(0, max(len(VARIABLES[name].choices), 2), n)


def contestants(subject: Subject) -> dict[str, Contestant]:
    """Everything that gives the risk, the contributions, or both; one thread each."""
    booster = subject.booster
    booster.set_param({"nthread": 1})
    inputs = subject.x.shape[1]
    explained, risk_only = session(subject.graph), session(_risk_only(booster, inputs))
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    one_thread = partial(xgboost.DMatrix, nthread=1)
    outputs = ["probability", "contributions"]
    return {
        "explained graph": _in_chunks(lambda x: explained.run(outputs, {"x": x})),
        RISK_ONLY[0]: lambda x: risk_only.run(["probabilities"], {"x": x}),
        RISK_ONLY[1]: _in_chunks(lambda x: risk_only.run(["probabilities"], {"x": x})),
        "xgboost, risk only": lambda x: booster.inplace_predict(x),
        "xgboost pred_contribs": lambda x: booster.predict(one_thread(x), pred_contribs=True),
        # From an array shap makes data of as many threads as cores, whatever the booster is set to.
        "shap.TreeExplainer": lambda x: explainer.shap_values(one_thread(x)),
    }


def session(graph: bytes) -> ort.InferenceSession:
    """Run ONNX as a bundle does: one thread, in order."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def seconds(runs: Mapping[str, Contestant], x: np.ndarray) -> dict[str, float]:
    """Median time of each contestant, taken in turns so that noise meets all."""
    calls = IN_A_ROW if len(x) < 1024 else 1
    took: dict[str, list[float]] = {name: [] for name in runs}
    waiting = list(runs)
    for name in waiting:
        runs[name](x[:32])  # warm
    while waiting:
        for name in waiting:
            start = perf_counter()
            for _ in range(calls):
                runs[name](x)
            took[name].append(perf_counter() - start)
        waiting = [name for name in waiting if sum(took[name]) < ENOUGH_SECONDS]
    return {name: float(np.median(times)) / calls for name, times in took.items()}


def log_odds_error(subject: Subject) -> float:
    """Largest difference of the graph's log-odds from the native model's."""
    x = subject.x[:10_240]
    expected = subject.log_odds(x)
    (p,) = session(subject.graph).run(["probability"], {"x": x})
    return float(np.abs(np.log(p) - np.log1p(-p) - expected).max())


def main() -> None:
    """Measure, print, and fail if a target is missed."""
    console = Console(width=120)
    subjects = [synthetic()]
    for bundle in sorted(path for path in SHIPPED.iterdir() if path.is_dir()):
        folder = ROOT / "training" / "champions" / bundle.name
        if (folder / "trees.ubj").exists():
            subjects.append(champion(folder))
        else:
            console.print(f"skipped {bundle.name}: no champion with trees")
    missed = []
    for subject in subjects:
        runs = contestants(subject)
        table = Table(title=f"{subject.name} ({len(subject.graph) / 1e6:.1f} MB)")
        for column in ("", *(f"{n:,} rows" for n in ROWS)):
            table.add_column(column, justify="right")
        results = [
            seconds(runs, subject.x[:n])
            for n in track(ROWS, subject.name, console=Console(stderr=True), transient=True)
        ]
        for name in runs:
            cells = [f"{_time(r[name])} ({r[name] / r['explained graph']:.2f}x)" for r in results]
            table.add_row(name, *cells)
        console.print(table)
        error = log_odds_error(subject)
        checks = [("log-odds error <= 1e-5", f"{error:.1e}", error <= 1e-5)]
        for n, r in zip(ROWS, results, strict=True):
            ours, least = r["explained graph"], {1: 15, 1024: 30, 10240: 30}.get(n)
            slowest = min(r["xgboost pred_contribs"], r["shap.TreeExplainer"]) / ours
            if least:
                what = f"{n:,} rows: contributions at least {least}x faster"
                checks.append((what, f"{slowest:.0f}x", slowest >= least))
            if n >= 1024:
                price = ours / min(r[name] for name in RISK_ONLY)
                what = f"{n:,} rows: at most 1.5x the risk-only ONNX"
                checks.append((what, f"{price:.2f}x", price <= 1.5))
        for what, found, kept in checks:
            console.print(f"  {'ok    ' if kept else 'MISSED'} {what}: {found}")
            missed += [] if kept else [f"{subject.name}, {what}"]
    if missed:
        sys.exit(f"{len(missed)} targets missed")


def _in_chunks(run: Contestant) -> Contestant:
    """Call with `CHUNK_ROWS` rows at a time, as a bundle does."""
    return lambda x: [run(x[at : at + CHUNK_ROWS]) for at in range(0, len(x), CHUNK_ROWS)]


def _risk_only(booster: xgboost.Booster, inputs: int) -> bytes:
    plain = xgboost.Booster(model_file=booster.save_raw("ubj"))
    plain.feature_names = None
    shape = [("x", FloatTensorType([None, inputs]))]
    return bytes(convert_xgboost(plain, initial_types=shape).SerializeToString())


def _time(s: float) -> str:
    return f"{1e6 * s:.0f} µs" if s < 1e-3 else f"{1e3 * s:.1f} ms" if s < 1 else f"{s:.1f} s"


if __name__ == "__main__":
    main()
