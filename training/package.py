"""From a fitted model to a served bundle: manifest, graph, known answers."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd

from cdss.bundle import SHIPPED, load_bundle, write_bundle
from cdss.variables import VARIABLES
from training.data import ROOT, Table
from training.definition import Cohort, Definition
from training.export import ExplainedGraph
from training.families import Fitted

FIRST_VERSION = "1.0.0"
CANDIDATES = ROOT / "build" / "candidates"
"""Bundles that the release gate has not let pass yet."""

NATIVE = ROOT / "training" / "champions"
"""Native models of the released bundles, so that anybody can check parity again."""

NATIVE_CANDIDATES = ROOT / "build" / "native"
CASES = 12
LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "shap", "torch", "xgboost")


@dataclass(frozen=True)
class Product:
    """A family fitted on everybody, its recalibration and its explained graph."""

    fitted: Fitted
    intercept: float
    slope: float
    background: pd.DataFrame
    graph: ExplainedGraph

    @classmethod
    def of(
        cls, fitted: Fitted, intercept: float, slope: float, background: pd.DataFrame
    ) -> Product:
        """Export the graph of a fitted model."""
        graph = fitted.graph(background.to_numpy(np.float32), intercept, slope)
        return cls(fitted, intercept, slope, background, graph)

    def native_log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Recalibrated log-odds [n] in the native library, float64."""
        return self.intercept + self.slope * self.fitted.log_odds(x)

    def run(self, x: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Probability [n] and contributions [n, k] of the explained graph."""
        session = ort.InferenceSession(self.graph.to_bytes(), providers=["CPUExecutionProvider"])
        names = ["probability", "contributions"]
        probability, contributions = session.run(names, {"x": x.to_numpy(np.float32)})
        return probability, contributions


def write(
    folder: Path,
    definition: Definition,
    table: Table,
    cohort: Cohort,
    product: Product,
    evidence: Mapping[str, Any],
    version: str = FIRST_VERSION,
) -> str:
    """
    Write the bundle of a fitted model.

    Parameters
    ----------
    folder : path
        The bundle's folder.
    definition, table, cohort, product
        What it is, where it comes from, whom, and the model.
    evidence : mapping
        Validation and parity figures, put into the manifest as they are.
    version : str
        Version of the model.

    Returns
    -------
    str
        The bundle's digest.
    """
    manifest = {
        "id": definition.id,
        "version": version,
        "title": definition.title,
        "outcome": definition.outcome,
        "horizon_years": definition.horizon_years,
        "inputs": list(definition.inputs),
        "optional": list(definition.optional),
        "reasons": {**definition.inputs, **definition.optional},
        "excluded": list(definition.excluded),
        "monotone": dict(definition.monotone),
        "measured_by": list(definition.measured_by),
        "limits": limits(cohort),
        "baseline": product.graph.baseline,
        "population": definition.population,
        "outcome_definition": definition.outcome_definition,
        "exclusions": definition.exclusions,
        "time_handling": definition.time_handling,
        "demonstration": definition.demonstration,
        "sources": [
            {
                "citation": table.facts["origin"],
                "locator": f"{len(cohort)} rows of {table.facts['title']}, see training",
                "url": table.facts["url"],
            }
        ],
        "training": {
            "dataset": table.name,
            "data_sha256": table.digest,
            "n": len(cohort),
            "events": int(cohort.y.sum()),
            "flow": [list(step) for step in cohort.flow],
            "set_to_missing_as_implausible": table.implausible,
            "missing": {
                name: round(float(share), 4) for name, share in cohort.x.isna().mean().items()
            },
            "background_rows": len(product.background),
            "trained_on": date.today().isoformat(),
            "code": code_version(),
            "python": platform.python_version(),
            "libraries": {name: library_version(name) for name in LIBRARIES},
        },
        **evidence,
    }
    cases = known_answers(cohort, product)
    digest = write_bundle(folder, manifest, product.graph.to_bytes(), cases)
    load_bundle(folder)  # what cannot be loaded is not a bundle
    return digest


def next_release(model: str, bundles: Path = SHIPPED) -> str:
    """
    Version of a newly trained candidate.

    Parameters
    ----------
    model : str
        Id of the model.
    bundles : path, optional
        Where its last released bundle is.

    Returns
    -------
    str
        The next minor version, what was added for a site dropped; `FIRST_VERSION` if none is there.
    """
    manifest = bundles / model / "manifest.json"
    if not manifest.is_file():
        return FIRST_VERSION
    public = json.loads(manifest.read_text(encoding="utf-8"))["version"].partition("+")[0]
    major, minor, *_ = public.split("-")[0].split(".")
    return f"{major}.{int(minor) + 1}.0"


def limits(cohort: Cohort) -> dict[str, list[float]]:
    """
    Range of each quantity among the people a model was made from.

    Parameters
    ----------
    cohort : Cohort
        Those people.

    Returns
    -------
    dict of str to [low, high]
        In canonical units, rounded outward to three digits.
    """
    known = cohort.x[cohort.weight > 0]
    return {
        name: [_rounded(known[name].min(), math.floor), _rounded(known[name].max(), math.ceil)]
        for name in known
        if VARIABLES[name].kind == "quantity"
    }


def _rounded(value: float, towards: Callable[[float], int]) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{towards(value / step) * step:.3g}")


def known_answers(cohort: Cohort, product: Product) -> str:
    """
    Invented patients with the native library's answers, as CSV.

    Parameters
    ----------
    cohort : Cohort
        Supplies each predictor's distribution; predictors are drawn one by one and rounded, so no
        row is a person.
    product : Product
        Its native model answers.

    Returns
    -------
    str
        One column for each predictor, then probability and origin.
    """
    rng = np.random.default_rng(11)
    rows = {}
    for name in cohort.x:
        known = cohort.x[name].dropna().to_numpy(dtype=float)
        drawn = np.quantile(known, rng.uniform(0.02, 0.98, CASES), method="nearest")
        drawn = np.round(drawn, 0 if VARIABLES[name].kind != "quantity" or name == "age" else 1)
        hidden = rng.random(CASES) < np.linspace(0, 0.8, CASES)
        rows[name] = np.where(hidden & (name not in ("age", "sex")), np.nan, drawn)
    x = pd.DataFrame(rows).astype("float32")
    required = [n for n in x if not x[n].isna().any()] or ["age"]
    x = x.assign(**{n: x[n].fillna(x[n].median()) for n in required})
    probability = 1 / (1 + np.exp(-product.native_log_odds(x)))
    origin = f"{type(product.fitted).__name__.lower()}, native prediction before export"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*x.columns, "probability", "origin"])
    for row, p in zip(x.to_numpy(), probability, strict=True):
        cells = ["" if np.isnan(value) else repr(float(value)) for value in row]
        writer.writerow([*cells, repr(float(p)), origin])
    return text.getvalue()


def code_version() -> str:
    """Commit the model is made with; ``-dirty`` if what makes it is not as committed."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    dictionary = ["src/cdss/variables.py", "src/cdss/units.py"]
    makers = ["training", "datasets", *dictionary, ":!training/champions", ":!training/benchmarks",
              ":!training/experiments"]  # fmt: skip
    changed = _git("status", "--porcelain", "--", *makers)
    return f"{commit}-dirty" if changed else commit or "unknown"


def _git(*arguments: str) -> str:
    result = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout.strip()
