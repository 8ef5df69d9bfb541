"""One patient on one day, in canonical units; and how to read one from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.derived import derive
from cdss.errors import Problem, RecordError
from cdss.plausible import checked, contradictions, implausible_derived, stale
from cdss.variables import VARIABLES, Value, Variable

MOST_VISITS = 200
"""Earlier check-ups in one record."""

_MEMBERS = frozenset({"value", "unit", "date"})
_VARIABLES = dict(VARIABLES)  # looked up for every value: faster than through the proxy


class Visit(NamedTuple):
    """
    An earlier check-up.

    Attributes
    ----------
    day : datetime.date
        Before the index date.
    values : mapping of str to value
        What was known then, canonical units.
    """

    day: date
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """
    One patient on one day.

    Parameters
    ----------
    index_date : datetime.date
        The day for which everything is computed.
    values : mapping of str to value
        What is known, in canonical units, derived quantities included. What is unknown is absent.
    derived : frozenset of str
        Names in `values` that were computed, not recorded.
    set_aside : tuple of Problem
        What was sent but could not be used (too old), so that nothing is lost silently.
    measured : mapping of str to datetime.date
        Day of measurement of those values that were sent with one.
    history : tuple of Visit
        Earlier check-ups, oldest first. Models see the index date only; rules see readings.
    """

    index_date: date
    values: Mapping[str, Value]
    derived: frozenset[str] = frozenset()
    set_aside: tuple[Problem, ...] = ()
    measured: Mapping[str, date] = field(default_factory=dict)
    history: tuple[Visit, ...] = ()

    @classmethod
    def parse(cls, payload: Any) -> PatientRecord:
        """
        Read a record from decoded JSON, collecting every problem before failing.

        Parameters
        ----------
        payload : mapping
            ``{"index_date": "2026-11-22", "values": {"age": 54, "sex": "female",
            "total_cholesterol": {"value": 5.9, "unit": "mmol/L", "date": "2026-10-01"}}}``. A bare
            number is in the variable's canonical unit; ``date`` is the day of measurement;
            ``null`` means unknown. ``history`` may list earlier check-ups, each
            ``{"date": "2026-10-01", "values": {...}}``.

        Returns
        -------
        PatientRecord
            Values in canonical units with derived quantities added.

        Raises
        ------
        RecordError
            With all problems at once: unknown variable, wrong type, unknown unit, implausible or
            contradictory value, wrong date, nothing known.

        Examples
        --------
        >>> record = PatientRecord.parse({"index_date": "2026-11-22", "values": {
        ...     "age": 54, "total_cholesterol": {"value": 228.15, "unit": "mg/dL"}}})
        >>> round(record.values["total_cholesterol"], 2)
        5.9
        """
        if not isinstance(payload, Mapping):
            raise RecordError([Problem("not_an_object", "record", "must be a JSON object")])
        problems = [
            Problem("unknown_member", str(name)[:64], "is not one of index_date, values, history")
            for name in payload.keys() - {"index_date", "values", "history"}
        ]
        index_date = _day(payload.get("index_date"), "index_date", problems)
        entries = payload.get("values")
        if not isinstance(entries, Mapping):
            problems.append(
                Problem("not_an_object", "values", "must be an object of variables and values")
            )
            entries = {}
        values, set_aside, measured_on = _values(entries, index_date, problems)
        history = _history(payload.get("history"), index_date, problems)
        if not problems and not values:
            problems.append(
                Problem("empty_record", "values", "holds nothing that is known at the index date")
            )
        computed = derive(values)
        problems += contradictions(values) + implausible_derived(computed)
        if problems or index_date is None:
            raise RecordError(problems)
        return cls(
            index_date,
            MappingProxyType(values | computed),
            frozenset(computed),
            tuple(set_aside),
            measured_on,
            history,
        )


def _values(
    entries: Mapping[Any, Any], index_date: date | None, problems: list[Problem]
) -> tuple[dict[str, Value], list[Problem], dict[str, date]]:
    """Usable values in canonical units, what is too old to use, and days of measurement."""
    values: dict[str, Value] = {}
    measured_on: dict[str, date] = {}
    set_aside: list[Problem] = []
    for name, entry in entries.items():
        variable = _VARIABLES.get(name) if isinstance(name, str) else None
        if variable is None:
            problems.append(
                Problem("unknown_variable", str(name)[:64], "is not a variable of the dictionary")
            )
            continue
        if (value := _plain(variable, entry)) is not None:
            values[name] = value
            continue
        value, measured = _entry(variable, entry, problems)
        if value is None:
            continue
        if measured and index_date and measured > index_date:
            problems.append(Problem("future_date", name, "was measured after the index date"))
        elif measured and index_date and stale(variable, measured, index_date):
            days = variable.fresh_for
            detail = f"is older than {days} days: not used"
            set_aside.append(Problem("stale", name, detail, {"days": days}))
        else:
            values[name] = value
            if measured:
                measured_on[name] = measured
    return values, set_aside, measured_on


def _history(entries: Any, index_date: date | None, problems: list[Problem]) -> tuple[Visit, ...]:
    """Earlier check-ups, oldest first; their problems are told under ``history/<position>``."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or len(entries) > MOST_VISITS:
        problems.append(
            Problem("wrong_history", "history", f"must be an array of up to {MOST_VISITS} visits",
                    {"most": MOST_VISITS})
        )  # fmt: skip
        return ()
    visits = []
    for at, entry in enumerate(entries):
        found: list[Problem] = []
        if not isinstance(entry, Mapping) or set(entry) != {"date", "values"}:
            found.append(Problem("wrong_visit", "date", "must be an object of date and values"))
        elif not isinstance(entry["values"], Mapping):
            found.append(Problem("wrong_visit", "values", "must be an object of date and values"))
        else:
            day = _day(entry["date"], "date", found)
            if day and index_date and day >= index_date:
                found.append(Problem("not_before", "date", "must be before the index date"))
            values, _, _ = _values(entry["values"], day, found)
            found += contradictions(values)
            if day and not found:
                visits.append(Visit(day, MappingProxyType(values | derive(values))))
        problems += [
            Problem(p.code, f"history/{at}/{p.variable}", p.detail, p.params) for p in found
        ]
    return tuple(sorted(visits, key=lambda visit: visit.day))


def _plain(variable: Variable, entry: Any) -> Value | None:
    """Take a bare value that is as it should be, as most are; for others `_entry` says what is."""
    kind = type(entry)
    if kind is float or kind is int:
        return float(entry) if variable.low <= entry <= variable.high else None
    if kind is bool:
        return entry if variable.kind == "yes_no" else None
    return entry if kind is str and entry in variable.choices else None


def _day(text: Any, name: str, problems: list[Problem]) -> date | None:
    try:
        # Written back, because fromisoformat also takes basic format and week dates.
        if isinstance(text, str) and (day := date.fromisoformat(text)).isoformat() == text:
            return day
    except ValueError:
        pass
    problems.append(Problem("wrong_date", name, "must be a calendar date written YYYY-MM-DD"))
    return None


def _entry(
    variable: Variable, entry: Any, problems: list[Problem]
) -> tuple[Value | None, date | None]:
    """Value in the canonical unit and day of measurement of one member of ``values``."""
    value, unit, measured = entry, variable.unit, None
    if entry is None:
        return None, None
    if isinstance(entry, Mapping):
        extra = ", ".join(sorted(str(key) for key in entry.keys() - _MEMBERS))
        if extra or "value" not in entry:
            problems.append(
                Problem("wrong_members", variable.name, "must have value, may have unit and date")
            )
            return None, None
        value = entry["value"]
        unit = entry.get("unit", variable.unit)
        if "date" in entry:
            measured = _day(entry["date"], f"{variable.name}.date", problems)
        if value is None:
            return None, None
    value, problem = checked(variable, value, unit)
    if problem:
        problems.append(problem)
        return None, None
    return value, measured
