"""What somebody typed into the form, and the record it makes: the same as the JSON would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdss.checkup.numbers import AMBIGUOUS, number
from cdss.errors import Problem, RecordError
from cdss.i18n import Words
from cdss.record import PatientRecord
from cdss.variables import VARIABLES, Value, Variable
from serving.page.facts import FACTS

Typed = Mapping[str, str]
"""Name of an input → what stands in it, as typed."""

EARLIER: tuple[str, ...] = tuple(FACTS["earlier"]["fields"])
ROWS: int = FACTS["earlier"]["rows"]

_ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What a form says.

    Parameters
    ----------
    payload : dict
        As ``POST /v1/assess`` takes it.
    record : PatientRecord or None
        None if anything is wrong.
    problems : tuple of Problem
        All that is wrong; ``variable`` is the name of an input, or ``values``.
    """

    payload: dict[str, Any]
    record: PatientRecord | None
    problems: tuple[Problem, ...]


def check(typed: Typed) -> Checked:
    """
    Read a form.

    Parameters
    ----------
    typed : mapping of str to str
        What was typed.

    Returns
    -------
    Checked
        A record, or everything that is wrong.
    """
    problems: list[Problem] = []
    values = dict(_values(typed, "", tuple(VARIABLES), problems))
    history = _received(typed, problems)
    received = len(history)
    typed_rows = []
    for row in range(ROWS):
        prefix = f"earlier.{row}."
        found = dict(_values(typed, prefix, EARLIER, problems))
        if found or typed.get(f"{prefix}date", "").strip():
            history.append({"date": typed.get(f"{prefix}date", "").strip(), "values": found})
            typed_rows.append(row)
    payload: dict[str, Any] = {"index_date": typed.get("index_date", ""), "values": values}
    if history:
        payload["history"] = history
    try:
        record = PatientRecord.parse(payload)
    except RecordError as error:
        problems += [_placed(p, received, typed_rows) for p in error.problems]
        record = None
    if any(p.code != "empty_record" for p in problems):  # nothing is known for a better reason
        problems = [p for p in problems if p.code != "empty_record"]
    return Checked(payload, None if problems else record, tuple(problems))


def _values(
    typed: Typed, prefix: str, names: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    """Values of variables as JSON has them; what is no number is a problem."""
    drawn = typed.get("laboratory.date", "").strip() if not prefix else ""
    for name in names:
        variable, entry = VARIABLES[name], f"{prefix}{name}"
        raw = typed.get(entry, "").strip()
        if not raw:
            continue
        value = _value(variable, raw, typed.get(f"{entry}.exact", ""))
        if isinstance(value, Problem):
            problems.append(Problem(value.code, entry, value.detail, value.params))
            continue
        more = {}
        if unit := typed.get(f"{entry}.unit", "").strip():
            more["unit"] = unit
        if day := typed.get(f"{entry}.date", "").strip() or (drawn if variable.laboratory else ""):
            more["date"] = day
        yield name, {"value": value, **more} if more else value


def _value(variable: Variable, raw: str, exact: str) -> Value | Problem:
    if variable.kind == "yes_no":
        return _ANSWERS.get(raw, raw)
    if variable.kind == "choice":
        return raw
    shown, _, precise = exact.partition("=")
    found = number(precise if precise and raw == shown else raw.replace("\u2212", "-"))
    if isinstance(found, float):
        return found
    if precise and raw == shown:
        return float(precise)  # what a document gave may have more digits than anybody types
    if found == AMBIGUOUS:
        detail = "can be read as two numbers, with thousands or with decimals"
        return Problem("ambiguous_number", variable.name, detail)
    detail = f"must be a number, in {variable.unit}"
    return Problem("not_a_number", variable.name, detail, {"unit": variable.unit})


def _received(typed: Typed, problems: list[Problem]) -> list[Any]:
    """Earlier check-ups that came with a document."""
    text = typed.get("history", "").strip()
    if not text or typed.get("history.forget"):
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list):
        return found
    problems.append(
        Problem("wrong_history", "history", "must be an array of visits", {"most": 200})
    )
    return []


def _placed(problem: Problem, received: int, rows: list[int]) -> Problem:
    """Name the input that a problem is about."""
    start, _, rest = problem.variable.partition("/")
    where = problem.variable.removesuffix(".unit")
    if start == "history" and rest:
        at, _, name = rest.partition("/")
        typed = int(at) - received
        where = f"earlier.{rows[typed]}.{name}" if typed >= 0 else "history"
    return Problem(problem.code, where, problem.detail, problem.params)


def fill(record: PatientRecord, text: Words) -> dict[str, str]:
    """
    Type a record into the form.

    Parameters
    ----------
    record : PatientRecord
        Any.
    text : Words
        Words of a language, whose decimal sign is used.

    Returns
    -------
    dict of str to str
        What `check` makes the same record of.
    """
    typed = {"index_date": record.index_date.isoformat()}
    for name, value in record.values.items():
        if name in record.derived:
            continue
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            shown = text.value(name, value)
            typed[name] = shown
            if number(shown) != float(value):
                typed[f"{name}.exact"] = f"{shown}={float(value)!r}"
        else:
            typed[name] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if day := record.measured.get(name):
            typed[f"{name}.date"] = day.isoformat()
    if record.history:
        visits = [{"date": v.day.isoformat(), "values": dict(v.values)} for v in record.history]
        typed["history"] = json.dumps(visits)
    return typed
