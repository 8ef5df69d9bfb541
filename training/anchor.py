"""
Anchor a bundle to published prevalences: the intercept that gives them, and nothing else.

Where there are no local people with outcomes this is all that can be done. It is not a validation:
that the model ranks and spreads risk right is assumed, and the new version says so wherever it
speaks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cdss.bundle import SHIPPED, load_models
from cdss.risk import RiskModel
from training.aggregates import Aggregates
from training.child import CANDIDATES, write_child
from training.data import Table, load_table
from training.definition import definitions, predictors_of
from training.local import Local
from training.target import interval, target_of

NOT_VALIDATED = "anchored to published prevalence, not validated"


def anchor(
    model: str,
    aggregates: Aggregates,
    *,
    table: Table | None = None,
    although: str = "",
    bundles: Path = SHIPPED,
    out: Path = CANDIDATES,
) -> dict[str, Any]:
    """
    Shift a bundle's intercept to published prevalences and write it as a new version.

    Parameters
    ----------
    model : str
        Id of the bundle.
    aggregates : Aggregates
        The prevalences.
    table : Table, optional
        Local people, predictors without outcome; else the people the model was derived from,
        weighted to the cells.
    although : str
        Why the shift is made although the outcomes are not the same; recorded.
    bundles : path, optional
        Where the parent is.
    out : path, optional
        Folder of candidates.

    Returns
    -------
    dict
        ``shift`` and ``shift_95ci`` (None if no interval was published), ``cells`` with published
        prevalence, mean probability before and after and what remains, ``conditions``, ``version``
        and ``folder``.

    Raises
    ------
    LookupError
        If there is no such model.
    ValueError
        If outcome or horizon are not the model's, or a cell has no people.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    (bundle,) = load_models([model], folder=bundles, ungated=True)
    refuse_another_outcome(bundle, aggregates, although)
    if table is None:
        local = Local.of(bundle, known[model], load_table(known[model].dataset))
        x, log_odds = local.cohort.x, local.log_odds["all"]
        target = target_of(
            aggregates, x["age"].to_numpy(float), x["sex"].to_numpy(float), log_odds, None,
            f"the people it was derived from ({known[model].dataset}), weighted to the cells",
        )  # fmt: skip
    else:
        age, sex, log_odds = _eligible(bundle, table)
        target = target_of(aggregates, age, sex, log_odds, 1.0, f"the people of {table.name}")
    wanted = np.array([cell.prevalence for cell in aggregates.cells])
    shift = target.shift_to(wanted)
    ends = interval(aggregates.cells, target)
    before, after = target.means(0.0), target.means(shift)
    cells = [
        {
            "cell": cell.name,
            "published": was.prevalence,
            "wanted": cell.prevalence,
            "people": len(part),
            "before": float(b),
            "after": float(a),
            "remains": float(a - cell.prevalence),
        }
        for cell, was, part, b, a in zip(
            aggregates.cells, aggregates.published, target.log_odds, before, after, strict=True
        )
    ]
    facts = {
        "title": aggregates.title,
        "sha256": aggregates.digest,
        "sources": [_as_dict(s) for s in aggregates.sources],
        "outcome_definition": aggregates.outcome_definition,
        "undiagnosed_share": aggregates.undiagnosed_share,
        "target": target.whose,
        "prevalence": float(target.shares @ wanted),
        "prevalence_before": float(target.shares @ before),
        "cells": cells,
        "conditions": conditions(bundle, aggregates, table is not None),
        "although_outcome_differs": although or None,
    }
    child = write_child(
        bundles / model, out, shift, 1.0, f"{aggregates.label} anchored",
        {"method": "anchor", "shift_95ci": ends, "aggregates": aggregates.digest},
        {
            "anchored": True,
            "anchor": facts | {"shift": shift, "shift_95ci": ends},
            "title": f"{bundle.facts['title']} ({NOT_VALIDATED})",
            "population": f"{bundle.population}; {NOT_VALIDATED}: {aggregates.title}",
            "metrics": {},
            "parent_metrics": bundle.facts["metrics"] or bundle.facts.get("parent_metrics"),
            "sources": [
                *bundle.facts["sources"],
                *({"citation": s.citation, "locator": s.locator, "url": s.url}
                  for s in aggregates.sources),
            ],
        },
    )  # fmt: skip
    return facts | {
        "model": model,
        "parent": {"version": bundle.version, "digest": bundle.facts["digest"]},
        "shift": shift,
        "shift_95ci": ends,
        "version": child.version,
        "digest": child.facts["digest"],
        "folder": out / model,
    }


def refuse_another_outcome(bundle: RiskModel, aggregates: Aggregates, although: str) -> None:
    """
    Refuse prevalences of another outcome, unless somebody says why they serve.

    Parameters
    ----------
    bundle : RiskModel
        Whose intercept is to move.
    aggregates : Aggregates
        The prevalences.
    although : str
        The reason; a different horizon it does not excuse.

    Raises
    ------
    ValueError
        With what is different.
    """
    if aggregates.horizon_years != bundle.horizon_years:
        raise ValueError(
            f"{bundle.id} answers for {_when(bundle.horizon_years)}, the aggregates are of "
            f"{_when(aggregates.horizon_years)}"
        )
    different = []
    if aggregates.outcome != bundle.outcome:
        different.append(f"It is {aggregates.outcome}, the model's is {bundle.outcome}.")
    if not aggregates.same_outcome:
        different.append(aggregates.differs)
    of_unaware = bundle.outcome.startswith("undiagnosed")
    if of_unaware and aggregates.counts_diagnosed and aggregates.undiagnosed_share is None:
        different.append("People who know of their disease are counted, the model leaves them out.")
    if different and not although.strip():
        raise ValueError(
            "the outcome is not the model's: " + " ".join(different)
            + " Give the reason why it serves with --although-outcome-differs."
        )  # fmt: skip


def conditions(bundle: RiskModel, aggregates: Aggregates, local: bool) -> list[str]:
    """
    What has to hold for an anchored version to be right, for humans.

    Parameters
    ----------
    bundle : RiskModel
        The parent.
    aggregates : Aggregates
        The prevalences.
    local : bool
        Whether local people's predictors were there.

    Returns
    -------
    list of str
        Sentences.
    """
    said = [
        "Only the intercept moves: that the model ranks people and spreads their risk as it did "
        "where it was derived is assumed, not shown.",
        "One shift for everybody: what remains by cell is printed, not mended.",
        f"The outcome of the source: {aggregates.outcome_definition}. The model's: "
        f"{bundle.facts['outcome_definition'].rstrip('.')}.",
    ]
    if not local:
        said.append(
            "The people the model was derived from stand in for the local ones, who may be leaner "
            "or healthier at the same age: then the shift is too low or too high for them. Local "
            "predictors (--table) remove this assumption."
        )
    low, high = bundle.limits["age"][:2]
    lowest, highest = (f([getattr(c, a) for c in aggregates.cells])
                       for f, a in ((min, "age_low"), (max, "age_high")))  # fmt: skip
    if lowest < low or highest > high:
        said.append(
            f"The cells reach from {lowest:g} to {highest:g} years, the model from {low:g} to "
            f"{high:g}: people outside the model's ages are assumed to be like the nearest."
        )
    if aggregates.undiagnosed_share is not None:
        said.append(
            f"{aggregates.undiagnosed_share:.1%} of those with the disease are taken not to know "
            "it, at every age and in both sexes."
        )
    if aggregates.standard:
        said.append(
            "The prevalences are age-standardised: people are weighted to the standard population, "
            "not to the country's own ages."
        )
    return [*said, aggregates.differs] if aggregates.differs else said


def _eligible(bundle: RiskModel, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Age, sex and log-odds of the people of a table whom the model answers for."""
    if lacking := [name for name in bundle.inputs if name not in table.frame]:
        raise ValueError(f"{table.name} lacks {', '.join(lacking)}, which {bundle.id} requires")
    names = (*bundle.predictors, *bundle.excluded)
    columns = predictors_of(table.frame, names)
    p = bundle.columns({n: columns[n].to_numpy(np.float64) for n in names}).probability
    answered = np.isfinite(p)
    p = p[answered]
    age, sex = (columns[n].to_numpy(np.float64)[answered] for n in ("age", "sex"))
    return age, sex, np.log(p) - np.log1p(-p)


def _as_dict(source: Any) -> dict[str, Any]:
    checked = source.checked_on
    return {"citation": source.citation, "locator": source.locator, "url": source.url,
            "checked_on": checked.isoformat() if checked else None}  # fmt: skip


def _when(horizon: float | None) -> str:
    return "now" if horizon is None else f"{horizon:g} years"
