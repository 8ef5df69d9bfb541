"""
Recalibrate a bundle on a local table: an intercept, or intercept and slope, on the log-odds.

Ranking does not change, contributions stay exact. Before anything is fitted the table must be large
enough; what the new version does is judged on rows that its figures did not come from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from cdss.bundle import SHIPPED, load_models
from cdss.risk import RiskModel
from training.child import CANDIDATES, write_child
from training.data import Table
from training.definition import definitions
from training.local import Local, Method, choose, fit
from training.sample_size import cox_snell, to_develop

EVENTS = {"intercept": 50, "slope": 100}
"""Fewest people with, and without, the outcome: a rule of this project, on top of Riley's."""

FOLDS = 5


def recalibrate(
    model: str,
    table: Table,
    *,
    site: str,
    method: Literal["none", "intercept", "slope", "auto"] = "auto",
    bundles: Path = SHIPPED,
    out: Path = CANDIDATES,
) -> dict[str, Any]:
    """
    Fit a local recalibration and write it as a new version.

    Parameters
    ----------
    model : str
        Id of the bundle.
    table : Table
        Local people with the outcome, in the dictionary's names and units.
    site : str
        Where they are; becomes part of the version.
    method : {"auto", "intercept", "slope"}
        What to fit; ``auto`` lets a closed test choose between nothing, an intercept, and both.
    bundles : path, optional
        Where the parent is.
    out : path, optional
        Folder of candidates.

    Returns
    -------
    dict
        ``method`` chosen, ``intercept`` and ``slope`` with CIs, ``tests``, ``sample_size`` (needed
        and had), ``people``, ``events``, ``outside_limits``; ``before`` and ``after`` by tier,
        ``after`` cross-fitted; ``version`` and ``folder``, None if nothing had to be changed.

    Raises
    ------
    LookupError
        If there is no such model.
    ValueError
        If the table is too small; says what was needed and what there was.

    Source
    ------
    Closed test: Vergouwe Y et al., Stat Med 2017;36:4529-4539, doi 10.1002/sim.7179. Size: Riley RD
    et al., BMJ 2020;368:m441, doi 10.1136/bmj.m441.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    if method not in ("auto", "intercept", "slope"):
        raise ValueError(f"method must be auto, intercept or slope, not {method}")
    (bundle,) = load_models([model], folder=bundles, ungated=True)
    local = Local.of(bundle, known[model], table)
    sizes = {name: sample_size(bundle, local, name) for name in ("intercept", "slope")}
    least: Method = "slope" if method == "slope" else "intercept"
    if lacking := sizes[least]["lacking"]:
        raise ValueError(
            f"the table is too small to fit {'an intercept' if least == 'intercept' else least}: "
            + "; ".join(lacking)
        )
    most: Method = "intercept" if sizes["slope"]["lacking"] else "slope"
    chosen, tests = choose(local, most) if method == "auto" else (method, [])
    line = fit(local, chosen)
    report = {
        "model": model,
        "parent": {"version": bundle.version, "digest": bundle.facts["digest"]},
        "site": site,
        "table": {"name": table.name, "sha256": table.digest},
        "asked": method,
        "method": chosen,
        "intercept": line.intercept,
        "intercept_95ci": list(line.intercept_95ci),
        "slope": line.slope,
        "slope_95ci": line.slope_95ci and list(line.slope_95ci),
        "tests": tests,
        "sample_size": sizes,
        "people": local.people,
        "events": local.events,
        "rows": len(local.cohort),
        "outside_limits": local.outside,
        "before": local.figures(),
        "after": cross_fitted(local, method, most),
        "validation": f"cross-fitted in {FOLDS} folds by person",
        "version": None,
        "folder": None,
    }
    if chosen == "none":
        return report
    child = _write(bundle, bundles / model, out, report)
    return report | {
        "version": child.version, "digest": child.facts["digest"], "folder": out / model,
    }  # fmt: skip


def sample_size(bundle: RiskModel, local: Local, method: Method) -> dict[str, Any]:
    """
    Tell whether a table is large enough for an intercept, or intercept and slope.

    Parameters
    ----------
    bundle : RiskModel
        Its AUROC says how much of the outcome it can explain.
    local : Local
        The people.
    method : {"intercept", "slope"}
        One parameter, or two.

    Returns
    -------
    dict
        ``needed`` and ``had`` (people, with and without the outcome), and ``lacking``: a sentence
        for each that does not suffice.
    """
    had = {
        "people": local.people,
        "people with the outcome": local.events,
        "people without it": local.people - local.events,
    }
    least = EVENTS[method]
    needed = {"people": None, "people with the outcome": least, "people without it": least}
    if 0 < local.events < local.people:
        c = local.cohort
        prevalence = min(max(float((c.weight * c.y).mean()), 1e-6), 1 - 1e-6)
        r_squared = cox_snell(_auroc_of(bundle), prevalence)
        needed["people"] = to_develop(1 + (method == "slope"), prevalence, r_squared)
    lacking = [
        f"{name} needed {needed[name]}, had {had[name]}"
        for name in had
        if needed[name] is not None and had[name] < needed[name]
    ]
    return {"needed": needed, "had": had, "lacking": lacking}


def cross_fitted(local: Local, method: str, most: Method) -> dict[str, dict[str, Any]]:
    """
    Judge a recalibration, its choice included, on people it was not fitted on.

    Parameters
    ----------
    local : Local
        The people.
    method : {"auto", "intercept", "slope"}
        What was asked for.
    most : {"slope", "intercept"}
        The greatest change for ``auto``.

    Returns
    -------
    dict of str to dict
        Performance by tier.
    """
    c = local.cohort
    intercept, slope = np.zeros(len(c)), np.ones(len(c))
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1)
    for rows, out in splitter.split(c.x, c.y, c.person):
        mask = np.zeros(len(c), dtype=bool)
        mask[rows] = True
        chosen = choose(local, most, mask)[0] if method == "auto" else method
        line = fit(local, chosen, mask)  # type: ignore[arg-type]
        intercept[out], slope[out] = line.intercept, line.slope
    return local.figures(intercept, slope)


def _write(bundle: RiskModel, parent: Path, out: Path, report: dict[str, Any]) -> RiskModel:
    keys = ("site", "table", "asked", "method", "intercept_95ci", "slope_95ci", "tests", "people",
            "events", "sample_size")  # fmt: skip
    citation = f"Local table of {report['site']}: {report['table']['name']}"
    locator = f"{report['rows']} rows, SHA-256 {report['table']['sha256']}"
    return write_child(
        parent,
        out,
        report["intercept"],
        report["slope"],
        report["site"],
        {name: report[name] for name in keys},
        {
            "metrics": report["after"],
            "metrics_are": f"{report['site']}, {report['validation']}",
            "metrics_before_recalibration": report["before"],
            "parent_metrics": bundle.facts["metrics"],
            "sources": [
                *bundle.facts["sources"], {"citation": citation, "locator": locator, "url": ""}
            ],
        },
    )  # fmt: skip


def _auroc_of(bundle: RiskModel) -> float:
    """What the model reached where it was validated, kept off the ends where R² has no value."""
    figures = bundle.facts["metrics"].get("all") or {}
    return min(max(figures.get("auroc") or 0.7, 0.55), 0.99)
