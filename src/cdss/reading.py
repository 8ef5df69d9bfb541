"""
From what somebody else's document says to a record: the part that all formats share.

A format finds candidates and where they stood; here the usable ones are chosen. One bad value never
costs the others: it is reported with its place, and the rest is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.derived import derive
from cdss.errors import Problem
from cdss.plausible import checked, contradictions, implausible_derived, stale
from cdss.record import MOST_VISITS, PatientRecord, Visit
from cdss.variables import VARIABLES, Value


class Found(NamedTuple):
    """
    One value a document gives.

    Attributes
    ----------
    variable : str
        Name in the data dictionary.
    value : object
        As the document gives it: a number, true or false, or one of the choices.
    unit : str or None
        As written; None only where the document cannot give one, and it is the canonical one.
    day : datetime.date or None
        When it was measured or said; None if the document does not tell.
    at : str
        Where it stood, e.g. ``Observation/42``; never a patient's value.
    order : float
        What was measured later on the same day is larger.
    """

    variable: str
    value: Any
    unit: str | None
    day: date | None
    at: str
    order: float = 0.0


class Basis(NamedTuple):
    """
    A value that was used.

    Attributes
    ----------
    variable : str
        Name in the data dictionary.
    at : str
        Where it stood.
    day : datetime.date or None
        When it was measured.
    """

    variable: str
    at: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What was made of a document.

    Attributes
    ----------
    record : PatientRecord or None
        None if nothing in it could be used; `problems` say why.
    basis : tuple of Basis
        What `record` was made of.
    problems : tuple of Problem
        What was not used, and why; ``params["at"]`` says where it stood.
    """

    record: PatientRecord | None
    basis: tuple[Basis, ...]
    problems: tuple[Problem, ...]


class _Usable(NamedTuple):
    """A candidate in canonical form."""

    value: Value
    found: Found

    @property
    def when(self) -> tuple[date, float]:
        return (self.found.day or date.min, self.found.order)


def compose(index_date: date, found: Iterable[Found], problems: Iterable[Problem] = ()) -> Reading:
    """
    Choose what describes the patient at the index date.

    The newest value of each variable counts, if it is fresh; a blood pressure is one reading, never
    put together from two. Earlier values become the record's history. Of values that contradict
    each other none is used.

    Parameters
    ----------
    index_date : datetime.date
        The day for which everything is computed.
    found : iterable of Found
        Candidates.
    problems : iterable of Problem
        What the format itself could not use.

    Returns
    -------
    Reading
        Everything found is in it: as part of the record, of its history, or as a problem.
    """
    said = list(problems)
    usable = [u for f in found if (u := _usable(f, index_date, said)) is not None]
    usable.sort(key=lambda u: u.when)
    chosen = _chosen(usable, said)
    for name, problem in _stale(chosen, index_date).items():
        said.append(problem)
        del chosen[name]
    _consistent(chosen, said)
    if not chosen:
        said.append(Problem("empty_record", "values", "holds nothing usable at the index date"))
        return Reading(None, (), tuple(said))
    values = {name: u.value for name, u in chosen.items()}
    computed = derive(values)
    record = PatientRecord(
        index_date,
        MappingProxyType(values | computed),
        frozenset(computed),
        tuple(p for p in said if p.code == "stale"),
        {name: u.found.day for name, u in chosen.items() if u.found.day},
        _history(usable, chosen, index_date),
    )
    basis = tuple(Basis(name, u.found.at, u.found.day) for name, u in chosen.items())
    return Reading(record, basis, tuple(said))


def placed(problem: Problem, at: str) -> Problem:
    """
    Say where a problem stood.

    Parameters
    ----------
    problem : Problem
        Any problem.
    at : str
        Its place in the document.

    Returns
    -------
    Problem
        The same, with ``params["at"]``.
    """
    return replace(problem, params={**problem.params, "at": at})


def _usable(found: Found, index_date: date, said: list[Problem]) -> _Usable | None:
    """A plausible value of the past, or a problem said."""
    variable = VARIABLES[found.variable]
    unit = variable.unit if found.unit is None else found.unit
    value, problem = checked(variable, found.value, unit)
    if problem is None and found.day is None and variable.fresh_for is not None:
        detail = "has no date, so nobody can tell whether it still holds: not used"
        problem = Problem("undated", variable.name, detail)
    if problem is None and found.day is not None and found.day > index_date:
        problem = Problem("future_date", variable.name, "was measured after the index date")
    if problem is None and value is not None:
        return _Usable(value, found)
    said += [placed(problem, found.at)] if problem else []
    return None


def _chosen(usable: Sequence[_Usable], said: list[Problem]) -> dict[str, _Usable]:
    """Newest of each variable; of candidates in the order of time."""
    chosen: dict[str, _Usable] = {}
    for one in usable:
        name = one.found.variable
        before = chosen.get(name)
        if before is not None and before.when == one.when and before.value != one.value:
            said.append(placed(Problem("several_values", name, _SEVERAL), one.found.at))
        chosen[name] = one
    _one_pressure(usable, chosen)
    return chosen


def _one_pressure(usable: Sequence[_Usable], chosen: dict[str, _Usable]) -> None:
    """A diastolic pressure stays only if it is of the same reading as the systolic one."""
    systolic = chosen.get("systolic_bp")
    if systolic is None or chosen.pop("diastolic_bp", None) is None:
        return
    every = [u for u in usable if u.found.variable == "diastolic_bp"]
    same = [u for u in every if u.found.at == systolic.found.at and u.when == systolic.when]
    # Sent as two measurements of one moment, they are one reading, if no other could be meant.
    same = same or [u for u in every if u.when == systolic.when]
    if len({u.found.at for u in same}) == 1:
        chosen["diastolic_bp"] = same[-1]


def _stale(chosen: Mapping[str, _Usable], index_date: date) -> dict[str, Problem]:
    """Variables whose newest value is too old."""
    old = {}
    for name, one in chosen.items():
        variable = VARIABLES[name]
        if one.found.day is not None and stale(variable, one.found.day, index_date):
            days = variable.fresh_for
            problem = Problem("stale", name, f"is older than {days} days: not used", {"days": days})
            old[name] = placed(problem, one.found.at)
    return old


def _consistent(chosen: dict[str, _Usable], said: list[Problem]) -> None:
    """Take out values that cannot all be right: which of them is wrong, nobody can tell."""
    for find in (contradictions, lambda values: implausible_derived(derive(values))):
        for problem in find({name: u.value for name, u in chosen.items()}):
            for name in (problem.variable, *problem.params["others"]):
                if (one := chosen.pop(name, None)) is not None:
                    said.append(placed(replace(problem, variable=name), one.found.at))


def _history(
    usable: Sequence[_Usable], chosen: Mapping[str, _Usable], index_date: date
) -> tuple[Visit, ...]:
    """What was found on earlier days and does not count as today's."""
    days: dict[date, list[_Usable]] = {}
    taken = set(map(id, chosen.values()))
    for one in usable:
        if one.found.day is not None and one.found.day < index_date and id(one) not in taken:
            days.setdefault(one.found.day, []).append(one)
    visits = []
    for day, ones in sorted(days.items())[-MOST_VISITS:]:
        of_day = _chosen(ones, [])
        _consistent(of_day, [])
        values = {name: u.value for name, u in of_day.items()}
        if values:
            visits.append(Visit(day, MappingProxyType(values | derive(values))))
    return tuple(visits)


_SEVERAL = "was given several times for one moment with different values: the last one is used"
