"""Train every family, keep what was found in MLflow, make a candidate of the best."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training import tracking
from training.data import ROOT, Table, load_table
from training.definition import Cohort, Definition, definitions
from training.families import Fit, families
from training.fit import (
    FOLDS,
    RULE,
    Validation,
    background,
    champion,
    cross_validate,
    fit_all,
    keeps_directions,
    left_out,
    part_folds,
    untuned_boosting,
)
from training.package import (
    CANDIDATES,
    NATIVE,
    NATIVE_CANDIDATES,
    Product,
    next_release,
    write,
)
from training.parity import held_out, parity, refuse_without_parity
from training.uncertainty import interval_evidence, population_facts

__all__ = ["NATIVE", "SMALL_MODELS", "train"]

SMALL = ROOT / "build" / "bundles"
SMALL_VERSION = "0.1.0-small"
SMALL_MODELS = ("diabetes-undiagnosed",)
"""What the survey cycle from PyPI has the outcome and the required inputs of."""


@dataclass(frozen=True)
class Candidate:
    """A family that might ship: its evidence, its graph, and its number in the model registry."""

    validation: Validation
    product: Product
    parity: dict[str, float]
    directed: bool
    registry_version: str


def train(
    model: str, data: str = "shared", out: Path | None = None, version: str | None = None
) -> dict[str, Any]:
    """
    Train a model: four families cross-validated, logged and registered, the best one exported.

    What comes out is a candidate: `training.gate` decides whether it is released.

    Parameters
    ----------
    model : str
        Id of a definition in ``training/models``.
    data : {"shared", "pypi"}
        The development data set, or the small real one that a PyPI package carries.
    out : path, optional
        Where the bundle goes: by default ``build/candidates`` for the development data,
        ``build/bundles`` for the small variant, a demonstration.
    version : str, optional
        Of the candidate; by default the next minor version after the shipped one.

    Returns
    -------
    dict
        The best family's name, every family's validation, the AUROC of untuned boosting, and where
        the bundle is, its version and digest.

    Raises
    ------
    LookupError
        If there is no such model, or the small data set does not suffice for it.
    RuntimeError
        If the graph does not reproduce the native model.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    small = data == "pypi"
    if small and model not in SMALL_MODELS:
        raise LookupError(f"from pypi only {', '.join(SMALL_MODELS)} can be trained")
    definition, version, registered_as = known[model], version or next_release(model), model
    table = load_table("pypi" if small else definition.dataset)
    if small:
        definition, version = _small_variant(definition, table), SMALL_VERSION
        registered_as = f"{model}-small"
    cohort = definition.cohort(table)
    cohort = dataclasses.replace(cohort, x=cohort.x[list(definition.predictors)])
    outsiders = held_out(definition, table, cohort)
    behind = background(cohort)
    candidates: dict[str, Candidate] = {}
    with _progress(model, cohort) as tick:
        reference = untuned_boosting(cohort)
        tick("HistGradientBoosting, untuned")
        title = f"{model} {version} ({table.name})"
        with tracking.study(title, definition, table, cohort, reference) as run_id:
            for name, fit in families().items():
                with tracking.family(name):
                    v = cross_validate(
                        definition, cohort, fit, lambda step, name=name: tick(f"{name}, {step}")
                    )
                    fitted = fit_all(definition, cohort, fit)
                    product = Product.of(fitted, v.intercept, v.slope, behind)
                    errors = parity(product, outsiders)
                    refuse_without_parity(errors)
                    directed = keeps_directions(fitted, definition, behind)
                    entry = tracking.log_family(
                        definition, cohort, name, v, product, errors, directed, registered_as
                    )
                    candidates[name] = Candidate(v, product, errors, directed, entry)
                    tick(f"{name}, exported")
            validations = {name: c.validation for name, c in candidates.items()}
            best = champion(validations, {name: c.directed for name, c in candidates.items()})
            chosen = candidates[best]
            tracking.log_choice(
                best, validations, chosen.registry_version, reference, registered_as
            )
            evidence = _evidence(best, candidates, reference) | {"mlflow_run_id": run_id}
            evidence |= _validity(definition, cohort, chosen.validation, families()[best])
            folder = (out or (SMALL if small else CANDIDATES)) / model
            digest = write(folder, definition, table, cohort, chosen.product, evidence, version)
            tracking.log_bundle(folder, best, digest, registered_as, chosen.registry_version)
    if not small and out is None:
        _keep_native(model, chosen.product)
    return {
        "model": model,
        "champion": best,
        "folder": folder,
        "version": version,
        "digest": digest,
        "validations": validations,
        "untuned_boosting_auroc": reference,
    }


def _small_variant(definition: Definition, table: Table) -> Definition:
    """The same model on a table that lacks some predictors; its name says so everywhere."""
    available = {n: why for n, why in definition.optional.items() if n in table.frame}
    return dataclasses.replace(
        definition,
        title=f"{definition.title} (small variant)",
        optional=available,
        monotone={n: s for n, s in definition.monotone.items() if n in table.frame},
        population=f"{table.facts['population']} (small variant: one survey cycle, HbA1c only, "
        "for trying the tools, not for patients)",
        demonstration=True,
    )


@contextmanager
def _progress(model: str, cohort: Cohort) -> Iterator[Any]:
    sites = 0 if cohort.site is None else len(part_folds(cohort))
    steps = 1 + len(families()) * (FOLDS + sites + 1)
    bar = Progress(
        TextColumn(f"[bold]{model}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("", total=steps)
        yield lambda step: bar.update(task, advance=1, description=step)


def _evidence(best: str, candidates: dict[str, Candidate], reference: float) -> dict[str, Any]:
    v = candidates[best].validation
    return {
        "family": best,
        "recalibration": {"intercept": v.intercept, "slope": v.slope},
        "time_coefficient": v.time_coefficient,
        "champion_rule": RULE,
        "metrics": v.tiers,
        "sites": v.sites,
        "families": {
            name: {
                "in_band": c.validation.in_band,
                "keeps_directions": c.directed,
                "mean_auroc": c.validation.mean_auroc,
                "auroc": c.validation.tiers["all"]["auroc"],
            }
            for name, c in candidates.items()
        },
        "untuned_boosting_auroc": reference,
        "parity": candidates[best].parity,
    }


def _validity(
    definition: Definition, cohort: Cohort, validation: Validation, fit: Fit
) -> dict[str, Any]:
    """What serving needs to say how sure an estimate is, and for whom it was made."""
    left = validation.left
    if left is None and cohort.part is not None:
        left = left_out(definition, cohort, fit, validation.raw)
    try:
        measured = interval_evidence(definition, cohort, left or validation.log_odds)
        interval = {key: measured[key] for key in ("level", "people", "between", "scale")}
    except ValueError:  # too few people for one
        interval = None
    hidden = {
        tier: [name for panel in panels for name in definition.panels[panel]]
        for tier, panels in definition.tiers.items()
    }
    return {
        "interval": interval,
        "tiers": hidden,
        "population_facts": population_facts(cohort),
    }


def _keep_native(model: str, product: Product) -> None:
    """Keep the candidate's native model: the gate checks parity with it."""
    folder = NATIVE_CANDIDATES / model
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    product.fitted.save(folder)
