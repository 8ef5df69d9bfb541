"""
FamilyMemberHistories: diseases of relatives by blood.

A disease that is listed says yes. One that is not says nothing, even of a history called complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from cdss.errors import Problem
from cdss.fhir.codes import Code, coded, codings, rows, table
from cdss.fhir.diagnoses import diagnosis
from cdss.fhir.notes import Notes
from cdss.fhir.resources import Resource
from cdss.fhir.values import entries, moment, objects, text
from cdss.plausible import checked
from cdss.variables import VARIABLES

_CVD = frozenset({"prior_cvd", "prior_mi", "prior_stroke"})
_PARENTS = {"diabetes": "parents_with_diabetes", "hypertension": "parents_with_hypertension"}


class Relative(NamedTuple):
    """
    Who a relative is.

    Attributes
    ----------
    who : str
        ``"father"``, ``"mother"``, ``"brother"``, ``"sister"`` or ``"grandparent"``.
    degree : int
        1 for parents and siblings.
    sex : str
        Empty if the word does not say.
    """

    who: str
    degree: int
    sex: str


_RELATIVES: Mapping[Code, Relative] = {
    code: Relative(row["is"], row["degree"], row.get("sex", ""))
    for row in rows("family", "relative", "is degree", "sex")
    for code in coded(row)
}
_EARLY: Mapping[str, float] = table("family", "early")["below"]


def relatives(resources: Iterable[Resource], index_date: date, notes: Notes) -> None:
    """
    Note what runs in the family.

    Parameters
    ----------
    resources : iterable of Resource
        The person's FamilyMemberHistories.
    index_date : datetime.date
        What was told later is not used.
    notes : Notes
        Where it is noted.
    """
    parents: dict[str, dict[str, str]] = {name: {} for name in _PARENTS}
    for one in resources:
        who = _relative(one.body.get("relationship"))
        if who is None:
            notes.ignore(one)
            continue
        if not _usable(one, index_date, notes):
            continue
        for condition in objects(one.body.get("condition")):
            found = diagnosis(condition.get("code"))
            if found is None:
                continue
            values = found.values.keys() - found.conflicts
            if "diabetes" in values:
                notes.find("family_history_diabetes", True, one.at)
                if who.degree == 1:
                    notes.find("first_degree_diabetes", True, one.at)
            if values & _CVD and who.degree == 1:
                _early(condition, who, one.at, notes)
            for name in _PARENTS.keys() & values:
                parents[name].setdefault(who.who, one.at)
    for name, variable in _PARENTS.items():
        # "One" would say that the other parent is well, which a list of diseases does not.
        if {"father", "mother"} <= parents[name].keys():
            notes.find(variable, "both", parents[name]["mother"])


def _relative(concept: Any) -> Relative | None:
    """Who it is, by any of the codings."""
    found = (_RELATIVES.get(coding.key) for coding in codings(concept))
    return next((who for who in found if who is not None), None)


def _usable(one: Resource, index_date: date, notes: Notes) -> bool:
    """Whether it is meant, and was known."""
    if one.body.get("status") not in ("completed", "partial"):
        detail = "is not a history that was taken (entered in error, unknown): not used"
        notes.say(Problem("not_final", "family_history", detail), one.at)
        return False
    told = moment(one.body.get("date"))
    if told is not None and told.first > index_date:
        detail = "was recorded after the index date"
        notes.say(Problem("future_date", "family_history", detail), one.at)
        return False
    return True


def _early(condition: Mapping[str, Any], who: Relative, at: str, notes: Notes) -> None:
    """Note heart or vessel disease, if it is known to have come early."""
    onset = entries(condition.get("onsetAge"))
    unit = text(onset.get("code")) or text(onset.get("unit"))
    age, _ = checked(VARIABLES["age_at_diabetes_diagnosis"], onset.get("value"), unit)
    bound = onset.get("comparator")
    if age is None or bound not in (None, "<", "<="):
        detail = "needs the age at which the relative fell ill: not used"
        notes.say(Problem("age_of_relative", "family_history_cvd", detail), at)
    elif float(age) < _EARLY[who.sex]:
        notes.find("family_history_cvd", True, at)
