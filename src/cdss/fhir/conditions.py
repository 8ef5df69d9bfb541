"""
Conditions: diagnoses that are confirmed, and whether they are over.

A diagnosis says yes. None, or one that was refuted, does not say no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from cdss.codes.diagnoses import BELIEVED, LASTING
from cdss.errors import Problem
from cdss.fhir.codes import codings
from cdss.fhir.diagnoses import Diagnosis, diagnosis
from cdss.fhir.notes import Notes
from cdss.fhir.resources import Resource
from cdss.fhir.values import Moment, approximate, entries, moment, text, years
from cdss.plausible import checked
from cdss.variables import VARIABLES, Value

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})


def conditions(
    resources: Iterable[Resource], index_date: date, birth: Moment | None, notes: Notes
) -> frozenset[str]:
    """
    Note what Conditions say.

    Parameters
    ----------
    resources : iterable of Resource
        The person's Conditions.
    index_date : datetime.date
        What began or was recorded later is not used.
    birth : Moment or None
        Date of birth, for the age at the diagnosis of diabetes.
    notes : Notes
        Where it is noted.

    Returns
    -------
    frozenset of str
        Variables about which they say something.
    """
    said: dict[str, list[tuple[Value, Moment | None, str]]] = {}
    onsets = []
    for one in resources:
        found = diagnosis(one.body.get("code"))
        if found is None:
            notes.ignore(one)
            continue
        for name in found.conflicts:
            detail = "is coded as two different things: not used"
            notes.say(Problem("conflicting_codes", name, detail), one.at)
        if not _confirmed(one, found, notes):
            continue
        onset, recorded = _onset(one.body), moment(one.body.get("recordedDate"))
        if any(when and when.first > index_date for when in (onset, recorded)):
            detail = "was diagnosed or recorded after the index date"
            notes.say(Problem("future_date", next(iter(found.values)), detail), one.at)
            continue
        over = _over(one.body, index_date)
        for name in found.values.keys() - found.conflicts:
            if _applies(name, over):
                said.setdefault(name, []).append((found.values[name], onset or recorded, one.at))
            else:
                detail = "is recorded with a status that says nothing certain about now: not used"
                notes.say(Problem("not_current", name, detail), one.at)
        if found.itself and "diabetes" in found.values and over is False:
            onsets.append(one)
    for name, values in said.items():
        _note(name, values, index_date, notes)
    _age_at_diagnosis(onsets, birth, notes)
    return frozenset(said)


def _confirmed(one: Resource, found: Diagnosis, notes: Notes) -> bool:
    """Whether a diagnosis is not in doubt."""
    if _status(one.body.get("verificationStatus"), "verification") in ("", "confirmed"):
        return True
    detail = "is refuted, entered in error or not confirmed: says neither yes nor no"
    notes.say(Problem("not_confirmed", next(iter(found.values)), detail), one.at)
    return False


def _status(concept: Any, system: str) -> str:
    """Status of a Condition; also as plain text, as earlier versions of FHIR have it."""
    if isinstance(concept, str):
        return concept
    if concept is None:
        return ""
    return next((c.code for c in codings(concept) if c.system == system), "unreadable")


def _over(body: Mapping[str, Any], index_date: date) -> bool | None:
    """Whether it had ended by the index date; None if that cannot be read."""
    status = _status(body.get("clinicalStatus"), "clinical")
    ended = moment(body.get("abatementDateTime")) or moment(
        entries(body.get("abatementPeriod")).get("end")
    )
    if status and status not in _ACTIVE | _OVER:
        return None
    if ended is not None:
        return ended.first <= index_date
    return status in _OVER or any(key.startswith("abatement") for key in body)


def _applies(variable: str, over: bool | None) -> bool:
    """Whether a diagnosis says something about a variable, now that it is over or not."""
    match LASTING[variable]:
        case "event":
            return over is not None
        case "past":
            return over is True
        case _:
            return over is False


def _onset(body: Mapping[str, Any]) -> Moment | None:
    """When it began, if that is told as a date."""
    start = entries(body.get("onsetPeriod")).get("start")
    return moment(body.get("onsetDateTime")) or moment(start)


def _note(
    name: str, said: list[tuple[Value, Moment | None, str]], index_date: date, notes: Notes
) -> None:
    """Note what was diagnosed; of two types of diabetes, neither."""
    if len({value for value, _, _ in said}) > 1:
        for _, _, at in said:
            detail = "is coded as two different things: not used"
            notes.say(Problem("conflicting_codes", name, detail), at)
        return
    value, when, at = max(said, key=lambda one: one[1].first if one[1] else date.min)
    if when is not None and (index_date - when.first).days <= BELIEVED.get(name, -1):
        notes.find(name, value, at, day=index_date)
    else:
        notes.find(name, value, at, day=when.first if when else None)


def _age_at_diagnosis(diabetes: Iterable[Resource], birth: Moment | None, notes: Notes) -> None:
    """Note the age at the first diagnosis of diabetes."""
    ages = [(known, one.at) for one in diabetes if (known := _age(one.body, birth)) is not None]
    if ages:
        (age, more), at = min(ages)
        notes.find(_AGE, age, at)
        if more:
            notes.warn(approximate(_AGE, at))


def _age(body: Mapping[str, Any], birth: Moment | None) -> tuple[float, bool] | None:
    """Age at which it began, and whether it may have been higher."""
    quantity = entries(body.get("onsetAge"))
    if quantity and quantity.get("comparator") is None:
        unit = text(quantity.get("code")) or text(quantity.get("unit"))
        age, _ = checked(VARIABLES[_AGE], quantity.get("value"), unit)
        return None if age is None else (float(age), False)
    onset = _onset(body)
    return None if birth is None or onset is None else years(birth, onset)


_AGE = "age_at_diabetes_diagnosis"
