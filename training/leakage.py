"""
Whether a model knows what it should not: the outcome's own measurement, or the future.

Looked for in what the model is said to use, in the description of its data, and in its people's
rows: a single predictor, or the pattern of what is missing, that separates people too well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cdss.risk import RiskModel
from cdss.variables import VARIABLES
from training.checks import CANNOT_TELL, FAIL, TOLERANCES, Check, Finding, worst
from training.data import Table
from training.definition import Cohort, Definition
from training.mapping import columns_of, extra_spec
from training.metrics import auroc


def leakage(
    model: RiskModel,
    definition: Definition,
    evidence: Mapping[str, Any],
    table: Table | None,
    cohort: Cohort | None,
) -> Check:
    """
    Look for predictors that know the outcome.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    definition : Definition
        What measures the outcome, and who is left out.
    evidence : mapping
        Cross-validated AUROC, and that of sites or survey cycles left out.
    table, cohort : Table, Cohort or None
        The development data; without them the rows cannot be looked at.

    Returns
    -------
    Check
        Named ``leakage``.
    """
    findings = list(_declared(model, definition))
    said = []
    if table is None or cohort is None:
        findings.append(Finding(CANNOT_TELL, "the development rows are not here"))
    else:
        findings += _described(model, table)
        found, most = _rows(model, cohort)
        findings += found
        said.append(most)
    finding, gap = _gap(evidence)
    findings += finding
    said.append(gap)
    return worst("leakage", findings, "; ".join(said))


def _declared(model: RiskModel, definition: Definition) -> Iterator[Finding]:
    """Predictors that the model or its definition says it must not have."""
    measures = {*model.measured_by, *definition.measured_by}
    for name in model.predictors:
        if name in measures:
            yield Finding(FAIL, f"{name} measures the outcome itself")
        if name in {*model.excluded, *definition.excluded}:
            yield Finding(FAIL, f"{name} decides who is eligible: it cannot be a predictor")
        if name not in VARIABLES:
            yield Finding(FAIL, f"{name} is not a variable known at the index date")


def _described(model: RiskModel, table: Table) -> Iterator[Finding]:
    """Predictors read from a column of follow-up, of the outcome, or kept for audits."""
    later = {extra_spec(spec)["column"]: extra for extra, spec in table.facts["extra"].items()}
    audit = {extra_spec(spec)["column"]: extra for extra, spec in
             table.facts.get("audit", {}).items()}  # fmt: skip
    for name in model.predictors:
        if name not in table.facts["columns"]:
            continue
        columns = set(columns_of(table.facts["columns"][name]))
        if known := columns & set(later):
            yield Finding(
                FAIL, f"{name} is read from {', '.join(known)}, which says what happened later"
            )
        if known := columns & set(audit):
            yield Finding(FAIL, f"{name} is read from {', '.join(known)}, kept for audits only")


def _rows(model: RiskModel, cohort: Cohort) -> tuple[list[Finding], str]:
    """Each predictor alone, and whether it is known at all."""
    limits = TOLERANCES["leakage"]
    known = cohort.weight > 0
    alone, missing = {}, {}
    for name in model.predictors:
        values = _column(cohort, name)
        if values is None:
            continue
        alone[name] = _separates(cohort, values, known & np.isfinite(values))
        missing[name] = _separates(cohort, np.isnan(values).astype(float), known)
    findings = [
        Finding(FAIL, f"{name} alone separates people with an AUROC of {found:.3f}, above "
                      f"{limits['one_predictor']}")
        for name, found in alone.items() if found > limits["one_predictor"]
    ]  # fmt: skip
    findings += [
        Finding(FAIL, f"whether {name} is known separates people with an AUROC of {found:.3f}, "
                      f"above {limits['missingness']}")
        for name, found in missing.items() if found > limits["missingness"]
    ]  # fmt: skip
    if not alone:
        return findings, "no predictor could be looked at"
    best, seldom = max(alone, key=alone.__getitem__), max(missing, key=missing.__getitem__)
    said = (
        f"of {len(alone)} predictors alone {best} separates best, AUROC {alone[best]:.3f}; of what "
        f"is missing {seldom}, {missing[seldom]:.3f}"
    )
    return findings, said


def _column(cohort: Cohort, name: str) -> np.ndarray | None:
    for frame in (cohort.x, cohort.people):
        if name in frame and pd.api.types.is_numeric_dtype(frame[name]):
            return frame[name].to_numpy(np.float64)
    return None


def _separates(cohort: Cohort, values: np.ndarray, rows: np.ndarray) -> float:
    """AUROC in whichever direction it is above a half; a half if it cannot be computed."""
    y, weight, x = cohort.y[rows], cohort.weight[rows], values[rows]
    if not y.any() or y.all() or np.ptp(x) == 0:
        return 0.5
    found = auroc(y, x, weight)
    return max(found, 1 - found)


def _gap(evidence: Mapping[str, Any]) -> tuple[list[Finding], str]:
    """Cross-validated AUROC less that of parts left out, which a leak between parts would widen."""
    limit = TOLERANCES["leakage"]["gap"]
    tiers = evidence.get("tiers") or {}
    inside = tiers.get("all", {}).get("auroc")
    left = evidence.get("sites") or evidence.get("cycles")
    pooled = ((left or {}).get("pooled") or {}).get("auroc")
    if evidence.get("validation") == "external":
        return [], "judged on people of another data set"
    if inside is None or pooled is None:
        return [], "no site or survey cycle to leave out"
    gap = inside - pooled["estimate"]
    text = f"AUROC {inside:.3f} cross-validated, {pooled['estimate']:.3f} in parts left out"
    if gap > limit:
        return [Finding(FAIL, f"{text}: a gap above {limit}")], text
    return [], text
