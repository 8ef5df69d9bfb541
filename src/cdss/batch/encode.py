"""
Tables to people: each column brought to canonical values, each row judged.

Whatever is plainly as it should be is recognised in columns; for every other value
`cdss.plausible.checked` says, as for one patient, what it is or what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cdss.batch.layout import Column, Layout
from cdss.batch.people import People, Problems, Rejected, Table, complete
from cdss.errors import Problem
from cdss.plausible import checked
from cdss.units import UNITS
from cdss.variables import VARIABLES, Variable

Array = NDArray[Any]

LONGEST_ID = 200
"""Characters of the name of a person."""

WRONG_ID = Problem(
    "wrong_id", "person_id", f"must name the person, in 1 to {LONGEST_ID} characters",
    {"most": LONGEST_ID},
)  # fmt: skip

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_REPLACED = "\ufffd"  # stands for bytes that are no UTF-8

Found = tuple[Array, Array]
"""Values as `Variable.encode` gives them, NaN where unknown; and which are to be looked at."""


def encode(
    table: Any,
    layout: Layout,
    *,
    file: str,
    numbers: Array,
    text: bool = False,
    double: Callable[[Any, Any], Array] | None = None,
) -> tuple[People, list[Rejected]]:
    """
    Read people from a table.

    Parameters
    ----------
    table : pyarrow.Table
        Rows and columns as they were sent.
    layout : Layout
        What they say.
    file : str
        Where the rows are, for those who are rejected.
    numbers : ndarray of int, shape (n,)
        Positions of the rows there.
    text : bool
        Whether everything is written as text, as in CSV.
    double : callable, optional
        Of names and days: whose name occurs elsewhere with the same day.

    Returns
    -------
    people : People
        Those who can be assessed, in the order of the table.
    rejected : list of Rejected
        The others.
    """
    rows, problems = table.num_rows, Problems()
    ids = _ids(_column(table, layout.id), problems)
    days = _days(table, layout, rows, text, problems)
    found: Table = {}
    for column in layout.columns(table.column_names):
        found[column.variable.name] = _values(_column(table, column.name), column, text, problems)
    complete(found, rows, problems)
    if double is not None:
        said = "occurs more than once for the same index date"
        for row in np.flatnonzero(double(ids, days)).tolist():
            problems.setdefault(row, []).append(Problem("duplicate_id", "person_id", said))
    rejected = [
        Rejected(file, int(numbers[row]), ids[row].as_py(), tuple(problems[row]))
        for row in sorted(problems)
    ]
    kept = {name: _kept(name, table, found, rows) for name in layout.keep}
    if not problems:
        return People(ids, days, found, kept), rejected
    good = np.ones(rows, dtype=bool)
    good[[*problems]] = False
    mask = pa.array(good)
    return (
        People(
            ids.filter(mask),
            days.filter(mask),
            {name: column[good] for name, column in found.items()},
            {name: column.filter(mask) for name, column in kept.items()},
        ),
        rejected,
    )


def names_and_days(table: Any, layout: Layout, *, text: bool = False) -> tuple[Any, Any]:
    """
    Tell who is in a table, and for which days, without judging.

    Parameters
    ----------
    table : pyarrow.Table
        Rows as they were sent.
    layout : Layout
        What they say.
    text : bool
        Whether everything is written as text.

    Returns
    -------
    tuple of two pyarrow.Array
        Null where they cannot be told.
    """
    ids = _ids(_column(table, layout.id), {})
    return ids, _days(table, layout, table.num_rows, text, {})


def _kept(name: str, table: Any, found: Table, rows: int) -> Any:
    """A variable as it is understood, derived ones too; another column as it is."""
    if (variable := VARIABLES.get(name)) is None:
        return _column(table, name)
    values = found.get(name, np.full(rows, np.nan))
    unknown = np.isnan(values)
    if variable.kind == "quantity":
        return pa.array(values, mask=unknown)
    codes = pa.array(np.where(unknown, 0, values).astype(np.int16), mask=unknown)
    if variable.kind == "yes_no":
        return codes.cast(pa.bool_())
    return pa.DictionaryArray.from_arrays(codes, pa.array(variable.choices)).dictionary_decode()


def _column(table: Any, name: str) -> Any:
    """One array; text as text, whatever its encoding."""
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_binary(kind):
        return _decoded(column)
    return column


def _decoded(column: Any) -> Any:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        raw = column.to_pylist()
        return pa.array([None if b is None else b.decode("utf-8", "replace") for b in raw])


def _ids(column: Any, problems: Problems) -> Any:
    """Names as text; what cannot name anybody is a problem."""
    try:
        ids = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        ids = pa.nulls(len(column), pa.string())
    lengths = pc.fill_null(pc.utf8_length(ids), 0)
    wrong = (lengths.to_numpy(zero_copy_only=False) == 0) | (
        lengths.to_numpy(zero_copy_only=False) > LONGEST_ID
    )
    wrong |= pc.fill_null(pc.match_substring(ids, _REPLACED), False).to_numpy(zero_copy_only=False)
    _say(WRONG_ID, wrong, problems)
    return ids


def _days(table: Any, layout: Layout, rows: int, text: bool, problems: Problems) -> Any:
    if isinstance(layout.index_date, date):
        return pa.repeat(pa.scalar(layout.index_date, pa.date32()), rows)
    column = _column(table, layout.index_date)
    kind = column.type
    if pa.types.is_string(kind):
        shaped = pc.match_substring_regex(column, _DAY)
        days = pc.if_else(shaped, column, None)
        try:
            days = days.cast(pa.date32())
        except pa.ArrowInvalid:  # the 30th of February
            days = pa.array([_day(said) for said in days.to_pylist()], pa.date32())
    elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        days = column.cast(pa.date32(), safe=False)
    else:
        days = pa.nulls(rows, pa.date32())
    detail = "must be a calendar date written YYYY-MM-DD" if text else "must be a calendar date"
    wrong = days.is_null().to_numpy(zero_copy_only=False)
    _say(Problem("wrong_date", "index_date", detail), wrong, problems)
    return days


def _day(said: str | None) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        return None


def _say(problem: Problem, wrong: Array, problems: Problems) -> None:
    for row in np.flatnonzero(wrong).tolist():
        problems.setdefault(row, []).append(problem)


def _values(column: Any, said: Column, text: bool, problems: Problems) -> Array:
    """Values of one variable; whatever is not plainly one is checked as a single patient's is."""
    variable = said.variable
    kind = "mapped" if said.values else variable.kind
    values, odd = _READ[kind](column, said, text)
    for row in np.flatnonzero(odd).tolist():
        raw = column[row].as_py()
        if text and variable.kind == "quantity" and re.match(_NUMBER, str(raw).strip()):
            raw = float(raw)
        value, problem = checked(variable, said.values.get(str(raw), raw), said.unit)
        if problem is not None:
            problems.setdefault(row, []).append(problem)
            values[row] = np.nan
        else:
            values[row] = variable.encode(value)
    return values


def _quantity(column: Any, said: Column, text: bool) -> Found:
    known = column.is_valid().to_numpy(zero_copy_only=False)
    if text and pa.types.is_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column)
        shaped = pc.match_substring_regex(trimmed, _NUMBER)
        numbers = pc.if_else(shaped, trimmed, None).cast(pa.float64())
        return _plausible(numbers, known, said)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64(), safe=False)
        raw = numbers.to_numpy(zero_copy_only=False)
        return _plausible(numbers, known & ~np.isnan(raw), said)  # NaN is how tables say unknown
    return np.full(len(column), np.nan), known


def _plausible(numbers: Any, known: Array, said: Column) -> Found:
    """Canonical values; odd is what is known and not within the plausible range."""
    variable = said.variable
    values = np.array(numbers.to_numpy(zero_copy_only=False), np.float64)
    if said.unit != variable.unit:
        conversion = UNITS[variable.name][said.unit]
        values = values * conversion.factor + conversion.offset
    odd = known & ~((values >= variable.low) & (values <= variable.high))
    return values, odd


def _yes_no(column: Any, said: Column, text: bool) -> Found:
    if pa.types.is_boolean(column.type):
        return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False)), np.zeros(
            len(column), dtype=bool
        )
    if text and pa.types.is_string(column.type):
        return _looked_up(column, {"true": 1.0, "false": 0.0})
    return np.full(len(column), np.nan), column.is_valid().to_numpy(zero_copy_only=False)


def _choice(column: Any, said: Column, text: bool) -> Found:
    if pa.types.is_string(column.type):
        choices = said.variable.choices
        return _looked_up(column, {name: float(at) for at, name in enumerate(choices)})
    return np.full(len(column), np.nan), column.is_valid().to_numpy(zero_copy_only=False)


def _mapped(column: Any, said: Column, text: bool) -> Found:
    """What a mapping says that is written; anything else is odd, and no value."""
    try:
        written = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(len(column), np.nan), column.is_valid().to_numpy(zero_copy_only=False)
    variable: Variable = said.variable
    meant: Mapping[str, float] = {
        key: variable.encode(value)
        for key, value in said.values.items()
        if checked(variable, value, said.unit)[1] is None
    }
    return _looked_up(written, meant)


def _looked_up(column: Any, meaning: Mapping[str, float]) -> Found:
    coded = column.dictionary_encode()
    values = np.array([meaning.get(key, np.nan) for key in coded.dictionary.to_pylist()] + [np.nan])
    at = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    found = values[at]
    return found, np.isnan(found) & (at >= 0)


_READ: Mapping[str, Callable[[Any, Column, bool], Found]] = {
    "quantity": _quantity, "yes_no": _yes_no, "choice": _choice, "mapped": _mapped,
}  # fmt: skip
