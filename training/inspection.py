"""What the release gate asks of the bundle itself: rows, graph, native model, card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdss.bundle import load_bundle
from cdss.risk import RiskModel
from training import checks
from training.checks import CANNOT_TELL, FAIL, PASS, TOLERANCES, Check
from training.child import find_parent, parity_with_parent
from training.data import Table, load_table
from training.definition import Cohort, Definition, predictors_of
from training.families import load_native
from training.local import Local
from training.package import NATIVE, NATIVE_CANDIDATES


def development(
    model: RiskModel, definition: Definition, table: Path | None
) -> tuple[Table | None, Cohort | None]:
    """
    Load the rows a model was made from, if they are here.

    Parameters
    ----------
    model : RiskModel
        Its manifest names the data set.
    definition : Definition
        Who of them is eligible.
    table : path, optional
        Their file.

    Returns
    -------
    tuple of Table and Cohort, or of None
        The data set's people.
    """
    try:
        data = load_table(model.facts["training"]["dataset"], table)
    except (FileNotFoundError, LookupError):
        return None, None
    return data, definition.cohort(data)


def last_champion(model: RiskModel, champions: Path) -> RiskModel | None:
    """
    Find the bundle that a candidate would replace.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    champions : path
        Folder of bundles.

    Returns
    -------
    RiskModel or None
        None if there is none, or it is the candidate itself.
    """
    folder = champions / model.id
    if not (folder / "manifest.json").is_file():
        return None
    champion = load_bundle(folder)
    return None if champion.facts["digest"] == model.facts["digest"] else champion


def calibration(
    model: RiskModel, definition: Definition, evidence: Mapping[str, Any], data: Table | None
) -> Check:
    """
    Judge calibration by the evidence, and the served graph itself by the people it was made from.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    definition : Definition
        Whom it is for.
    evidence : mapping
        Cross-validation judges how a model is made; the graph that would be served is one outcome
        of that, and is looked at too.
    data : Table or None
        The development data.

    Returns
    -------
    Check
        Of a recalibrated or anchored version only the evidence counts: it is of other people.
    """
    found = checks.calibration(model, evidence)
    if data is None or model.facts.get("parent"):
        return found
    low, high = TOLERANCES["calibration"]["band"]
    own = Local.of(model, restricted(definition, model), data).figures()["all"]["o_e"]
    said = f"the served graph on its own development rows: O:E {own:.2f}"
    if low <= own <= high:
        return replace(found, why=f"{found.why}; {said}")
    return Check(found.name, FAIL, f"{said} is outside {low} to {high}; {found.why}")


def restricted(definition: Definition, model: RiskModel) -> Definition:
    """
    A definition with the predictors of a bundle, whatever the code says today.

    Parameters
    ----------
    definition : Definition
        As it is in the code.
    model : RiskModel
        As it was made.

    Returns
    -------
    Definition
        Same cohort and outcome.
    """
    reasons = model.facts.get("reasons", {})
    return replace(
        definition,
        inputs={name: reasons.get(name, "") for name in model.inputs},
        optional={name: reasons.get(name, "") for name in model.optional},
    )


def parity(model: RiskModel, folder: Path, bundles: Sequence[Path], cohort: Cohort | None) -> Check:
    """
    Compare the graph with what it was exported from, on real rows.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    folder : path
        Its bundle.
    bundles : sequence of path
        Where its parent may be.
    cohort : Cohort or None
        Its development rows.

    Returns
    -------
    Check
        Against the native library's model; of a recalibrated version against its parent's graph.
    """
    if cohort is None and not model.facts.get("parent"):
        return Check("parity", CANNOT_TELL, "the development rows are not here")
    x = None if cohort is None else real_rows(model, cohort)
    if model.facts.get("parent"):
        errors, against = _against_parent(model, (*bundles, folder.parent), x)
    else:
        assert x is not None
        errors, against = _against_native(model, x)
    if errors is None:
        return Check("parity", CANNOT_TELL, against)
    limits = TOLERANCES["parity"]
    over = [
        f"{name} {errors[name]:.2g} > {limits[name]:g}"
        for name in ("probability", "additivity")
        if not errors[name] <= limits[name]
    ]
    text = f"{errors['rows']:,} {'invented' if x is None else 'real'} rows against {against}"
    if over:
        return Check("parity", FAIL, f"{text}: {', '.join(over)}")
    return Check(
        "parity", PASS,
        f"{text}: probability to {errors['probability']:.1g}, sum of contributions to "
        f"{errors['additivity']:.1g}",
    )  # fmt: skip


def real_rows(model: RiskModel, cohort: Cohort) -> pd.DataFrame:
    """
    Real people's predictors, a third of the optional values hidden at random.

    Parameters
    ----------
    model : RiskModel
        Which predictors.
    cohort : Cohort
        The people.

    Returns
    -------
    pandas.DataFrame, shape (n, k)
        float32, required predictors known.
    """
    x = predictors_of(cohort.people, model.predictors)
    x = x[x[list(model.inputs)].notna().all(axis=1)]
    x = x.sample(min(TOLERANCES["parity"]["rows"], len(x)), random_state=3)
    hidden = np.random.default_rng(3).random(x.shape) < 1 / 3
    hidden[:, : len(model.inputs)] = False
    return x.mask(hidden).astype("float32")


def _against_parent(
    model: RiskModel, bundles: Sequence[Path], x: pd.DataFrame | None
) -> tuple[dict[str, float] | None, str]:
    parent = find_parent(model, *bundles)
    of = f"{model.facts['parent']['version']}, bundle {model.facts['parent']['digest'][:12]}"
    if parent is None:
        return None, f"its parent {of} is not here"
    step = model.facts["recalibration_history"][-1]
    rows = None if x is None else x.to_numpy(np.float32)
    found = parity_with_parent(load_bundle(parent), model, step["intercept"], step["slope"], rows)
    return found, f"its parent {of}, recalibrated"


def _against_native(model: RiskModel, x: pd.DataFrame) -> tuple[dict[str, float] | None, str]:
    """The native model of the candidate, or of the champion if that is what it is."""
    line = model.facts["recalibration"]
    probability, contributions = model.function(x.to_numpy(np.float32))
    total = model.baseline + contributions.sum(axis=1, dtype=np.float64)
    logit = np.log(probability) - np.log1p(-probability)
    best: dict[str, float] | None = None
    for fitted in _natives(model.id):
        try:
            native = line["intercept"] + line["slope"] * fitted.log_odds(x)
        except KeyError:  # of other predictors: another version's
            continue
        apart = float(np.abs(probability - 1 / (1 + np.exp(-native))).max())
        if best is None or apart < best["probability"]:
            best = {
                "rows": len(x),
                "probability": apart,
                "additivity": float(np.abs(total - logit).max()),
            }
    if best is None:
        return None, "the native model is not here"
    return best, f"the native model ({model.facts['family']})"


def _natives(model: str) -> Iterator[Any]:
    for folder in (NATIVE_CANDIDATES / model, NATIVE / model):
        if folder.is_dir():
            try:
                yield load_native(folder)
            except FileNotFoundError:
                continue


def card(model: RiskModel, evidence: Mapping[str, Any], cards: Path) -> Check:
    """
    Ask whether the model card says all it must.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    evidence : mapping
        What the validation found.
    cards : path
        Folder of model cards.

    Returns
    -------
    Check
        What the validation tried and could not give cannot be told; anything else missing fails.
    """
    from training.cards import complete

    missing = complete(model, cards)
    if not missing:
        return Check("card", PASS, "every mandatory field is filled")
    untold = [m for m in missing if evidence.get(m.removeprefix("evidence: "), "") is None]
    verdict = CANNOT_TELL if len(untold) == len(missing) else FAIL
    return Check("card", verdict, f"the card lacks {', '.join(missing)}")
