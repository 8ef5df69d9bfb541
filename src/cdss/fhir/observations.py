"""
Observations: measurements, laboratory results, coded answers.

Only results that are final are used. A number counts with its unit, which is checked against the
code; a unit is never assumed. Both pressures of a panel stand at the one Observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from cdss.errors import Problem
from cdss.fhir.codes import codings
from cdss.fhir.notes import Notes
from cdss.fhir.observation_codes import ANSWERS, KIND_OF_UNIT, MEANINGS, Meaning
from cdss.fhir.resources import Resource
from cdss.fhir.values import Moment, entries, moment, objects, text
from cdss.plausible import checked
from cdss.units import canonical_unit
from cdss.variables import VARIABLES

_FINAL = frozenset({"final", "amended", "corrected"})
_COMPARATORS = frozenset({"<", "<=", ">", ">=", "ad"})
_EFFECTIVE = ("effectiveDateTime", "effectiveInstant")


def observations(resources: Iterable[Resource], index_date: date, notes: Notes) -> None:
    """
    Note what Observations say.

    Parameters
    ----------
    resources : iterable of Resource
        The person's Observations.
    index_date : datetime.date
        A period that lasts beyond it counts from its start.
    notes : Notes
        Where it is noted.
    """
    for one in resources:
        meaning = _meaning(one.body.get("code"), one.at, notes)
        if meaning is None:
            notes.ignore(one)
        elif isinstance(meaning, Meaning) and _usable(one, meaning.variable, notes):
            when = _when(one.body, index_date)
            if meaning.reads == "panel":
                _panel(one, when, notes)
            else:
                _note(one.body, meaning, one.at, when, notes)


def _meaning(code: Any, at: str, notes: Notes) -> Meaning | str | None:
    """What a code stands for; None if it is not known, a text if its codings disagree."""
    found: Meaning | None = None
    for coding in codings(code):
        meaning = MEANINGS.get((coding.system, coding.code))
        if meaning is None:
            continue
        if found is not None and (found.reads, found.variable) != (meaning.reads, meaning.variable):
            detail = "is coded as two different things: not used"
            notes.say(Problem("conflicting_codes", found.variable, detail), at)
            return "conflict"
        # Of two codings of one thing, the one that implies a unit tells more.
        if found is None or (meaning.unit and not found.unit):
            found = meaning
    return found


def _usable(one: Resource, variable: str, notes: Notes) -> bool:
    """Whether an Observation is final and about the person."""
    if text(one.body.get("status")) not in _FINAL:
        detail = "is not a final result (preliminary, cancelled, entered in error): not used"
        notes.say(Problem("not_final", variable, detail), one.at)
        return False
    if one.body.get("focus"):
        detail = "is about something other than the patient as a whole: not used"
        notes.say(Problem("other_focus", variable, detail), one.at)
        return False
    return True


def _when(body: Mapping[str, Any], index_date: date) -> Moment | None:
    """When it was measured; when it was published, if only that is told."""
    for member in _EFFECTIVE:
        if member in body:
            return moment(body[member])
    if (period := entries(body.get("effectivePeriod"))) != {}:
        end = moment(period.get("end"))
        return end if end and end.first <= index_date else moment(period.get("start"))
    return moment(body.get("issued"))


def _panel(one: Resource, when: Moment | None, notes: Notes) -> None:
    """Note the components of a blood pressure."""
    found = False
    for component in objects(one.body.get("component")):
        meaning = _meaning(component.get("code"), one.at, notes)
        if isinstance(meaning, Meaning) and meaning.reads == "quantity":
            _note(component, meaning, one.at, when, notes)
            found = True
    if not found:
        _no_value("systolic_bp", one.at, notes)


def _note(
    body: Mapping[str, Any], meaning: Meaning, at: str, when: Moment | None, notes: Notes
) -> None:
    """Note the value of an Observation or component."""
    if meaning.reads == "answer":
        _answer(body, meaning.variable, at, when, notes)
    elif meaning.reads == "not_comparable":
        detail = "was measured in a way that cannot be compared: not used"
        notes.say(Problem("not_comparable", meaning.variable, detail), at)
    else:
        _quantity(body, meaning, at, when, notes)


def _quantity(
    body: Mapping[str, Any], meaning: Meaning, at: str, when: Moment | None, notes: Notes
) -> None:
    """Note a number with its unit."""
    name = meaning.variable
    quantity = entries(body.get("valueQuantity"))
    value = quantity.get("value")
    if value is None:
        _no_value(name, at, notes)
    elif quantity.get("comparator") is not None:
        detail = "is told as less or more than a number only: not used"
        notes.say(Problem("bound_only", name, detail), at)
    elif meaning.reads == "more_than_none":
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            notes.find(name, value > 0, at, when=when)
        else:
            _no_value(name, at, notes)
    else:
        problem, unit = _unit(quantity, meaning, at, notes)
        if problem is not None:
            notes.say(problem, at)
            return
        if caveat := _CAVEATS.get(meaning.caveat):
            notes.warn(caveat(name, at))
        notes.find(name, value, at, unit=unit, when=when)


def _unit(
    quantity: Mapping[str, Any], meaning: Meaning, at: str, notes: Notes
) -> tuple[Problem | None, str]:
    """The unit, or why it cannot be relied on."""
    name = meaning.variable
    code, words = text(quantity.get("code")), text(quantity.get("unit"))
    if not code and not words:
        return Problem("no_unit", name, "has no unit: not used, as none is assumed"), ""
    unit = canonical_unit(code) or canonical_unit(words)
    if unit is None:
        return None, code or words
    if words and words != code and canonical_unit(words) not in (None, unit):
        return Problem("doubtful_unit", name, _TWO_UNITS), ""
    if meaning.unit and KIND_OF_UNIT.get(unit) != KIND_OF_UNIT[meaning.unit]:
        variable, value = VARIABLES[name], quantity.get("value")
        if checked(variable, value, meaning.unit)[1] is None:
            return Problem("doubtful_unit", name, _EITHER), ""
        detail = "has a unit that does not belong to its code; only with it the number is possible"
        notes.warn(Problem("unit_not_of_code", name, detail, {"at": at}))
    return None, unit


def _answer(body: Mapping[str, Any], name: str, at: str, when: Moment | None, notes: Notes) -> None:
    """Note a coded answer."""
    concept = body.get("valueCodeableConcept")
    if concept is None:
        _no_value(name, at, notes)
        return
    words = text(entries(concept).get("text"))
    said = set()
    for coding in codings(concept):
        answer = ANSWERS[name].get(coding.key)
        if answer is None:
            continue
        if not answer.unless_said or answer.unless_said not in (words + coding.display).lower():
            said.add(answer.value)
    if len(said) == 1:
        notes.find(name, said.pop(), at, when=when)
    elif said:
        detail = "is coded as two different things: not used"
        notes.say(Problem("conflicting_codes", name, detail), at)
    else:
        detail = "has an answer that is not known here, or says unknown: not used"
        notes.say(Problem("no_answer", name, detail), at)


def _no_value(name: str, at: str, notes: Notes) -> None:
    detail = "was sent without a value that can be read"
    notes.say(Problem("no_value", name, detail), at)


def _other_equation(name: str, at: str) -> Problem:
    detail = "was computed by the laboratory with an older or unnamed equation, not CKD-EPI 2021"
    return Problem("other_equation", name, detail, {"at": at})


def _taken_as_random(name: str, at: str) -> Problem:
    detail = "was sent without saying whether the patient had fasted: taken as not fasting"
    return Problem("taken_as_random", name, detail, {"at": at})


_CAVEATS = {"other_equation": _other_equation, "taken_as_random": _taken_as_random}
_TWO_UNITS = "has one unit as a code and another as text: not used"
_EITHER = "has a unit that does not belong to its code, and the number could be in either: not used"
