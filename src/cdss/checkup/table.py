"""One row for each person and model, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange

COLUMNS = {
    "file": str,
    "row": str,
    "row_named_by": str,
    "index_date": str,
    "model": str,
    "version": str,
    "outcome": str,
    "horizon_years": float,
    "answer": str,
    "probability": float,
    "low": float,
    "high": float,
    "points_low": float,
    "points_high": float,
    "missing": str,
    "reasons": str,
    "warnings": str,
    "not_used": str,
    "suspect": str,
}
"""Column → type; a cell that says nothing is None."""

SUSPECT = frozenset({"suspect_default", "possible_default"})
"""Codes of problems that say that a program may have filled a value in."""


def rows(
    assessment: Assessment, person: dict[str, Any], problems: Iterable[Problem]
) -> list[dict[str, Any]]:
    """
    Say an assessment in rows.

    Parameters
    ----------
    assessment : Assessment
        Of one person.
    person : dict
        ``file``, ``row`` and ``row_named_by``.
    problems : iterable of Problem
        What was not used of the person's check-up.

    Returns
    -------
    list of dict
        One for each model, with every column.
    """
    problems = tuple(problems)
    common = {
        **dict.fromkeys(COLUMNS),
        **person,
        "index_date": assessment.record.index_date.isoformat(),
        "not_used": _codes(p for p in problems if p.code != "possible_default"),
        "suspect": _list(p.variable for p in problems if p.code in SUSPECT),
    }
    return [{**common, **_answer(outcome)} for outcome in assessment.outcomes]


def _answer(outcome: Outcome) -> dict[str, Any]:
    said: dict[str, Any] = {
        "model": outcome.model,
        "version": outcome.version,
        "outcome": outcome.outcome,
        "horizon_years": outcome.horizon_years,
    }
    if isinstance(outcome, NoEstimate):
        return {**said, "answer": "none", "reasons": _codes(outcome.reasons)}
    said["warnings"] = _codes(outcome.warnings)
    if isinstance(outcome, RiskEstimate):
        low, high = outcome.interval[:2] if outcome.interval else (None, None)
        numbers = {"probability": outcome.probability, "low": low, "high": high}
        return {**said, "answer": "estimate", **numbers, "missing": _list(outcome.missing)}
    if isinstance(outcome, RiskRange):
        numbers = {"low": outcome.low, "high": outcome.high}
        return {**said, "answer": "range", **numbers, "missing": _list(outcome.narrowed_by)}
    return {**said, "answer": "points", **_points(outcome)}


def _points(total: PointsTotal) -> dict[str, Any]:
    return {
        "points_low": float(total.low),
        "points_high": float(total.high),
        "missing": _list(total.missing),
    }


def _codes(problems: Iterable[Problem]) -> str | None:
    return _list(f"{p.variable}:{p.code}" for p in problems)


def _list(names: Iterable[str]) -> str | None:
    return ";".join(dict.fromkeys(names)) or None
