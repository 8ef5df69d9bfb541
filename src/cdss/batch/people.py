"""People in columns: what is known of those who can be assessed, and why others cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.batch.decide import Decider
from cdss.batch.questions import Answers, bits_of, rows_in
from cdss.derived import DERIVED, Derived
from cdss.errors import Problem
from cdss.plausible import contradictions, implausible_derived
from cdss.record import PatientRecord
from cdss.variables import VARIABLES

Array = NDArray[Any]
Table = dict[str, Array]

Problems = dict[int, list[Problem]]
"""Row → what is wrong with it."""


@dataclass(slots=True)
class People:
    """
    People who can be assessed.

    Attributes
    ----------
    ids, days : pyarrow.Array
        Who, and for which day.
    table : dict of str to ndarray, shape (n,)
        Variable → values as `Variable.encode` gives them, NaN where unknown.
    kept : dict of str to pyarrow.Array
        Columns that are copied.
    set_aside : sequence of (Problem, rows)
        What was sent but could not be used, and whose it was.
    told : mapping of int to PatientRecord
        Rows with more than columns can hold: earlier visits.
    """

    ids: Any
    days: Any
    table: Table
    kept: dict[str, Any] = field(default_factory=dict)
    set_aside: Sequence[tuple[Problem, Array]] = ()
    told: Mapping[int, PatientRecord] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


class Rejected(NamedTuple):
    """
    A row that cannot be assessed.

    Attributes
    ----------
    file : str
        Where it is.
    row : int
        Its position there, from 1.
    person : str or None
        Who, if that can be told.
    problems : tuple of Problem
        All that is wrong.
    """

    file: str
    row: int
    person: str | None
    problems: tuple[Problem, ...]


_DERIVERS = [
    (each, None if VARIABLES[each.variable].kind == "quantity" else Decider(
        lambda values, each=each: each.function(*(values[name] for name in each.needs))  # type: ignore[misc]
    ))
    for each in DERIVED
]  # fmt: skip
_contradictory = Decider(lambda values: tuple(contradictions(values)))
_implausible = Decider(lambda values: tuple(implausible_derived(values)))


def derive_columns(table: Mapping[str, Array], rows: int) -> Table:
    """
    Derive in columns what `cdss.derived.derive` derives of one patient.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (n,)
        Recorded values, NaN where unknown.
    rows : int
        Number of people, n.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Derived values only, NaN where there are none.
    """
    found: Table = {}
    whole = Answers(table, rows)

    def known(name: str) -> Array:
        recorded = whole.column(name)
        return np.where(np.isnan(recorded), found[name], recorded) if name in found else recorded

    for each, decider in _DERIVERS:
        needs = {name: known(name) for name in each.needs}
        able = np.isnan(known(each.variable))
        for column in needs.values():
            able &= ~np.isnan(column)
        mine = np.flatnonzero(able)
        if not len(mine):
            continue
        target = found.setdefault(each.variable, np.full(rows, np.nan))
        if decider is None:
            _compute(each, needs, mine, target)
            continue
        for value, whose in decider(Answers(needs, rows), bits_of(able)):
            if value is not None:
                target[rows_in(whose, rows)] = VARIABLES[each.variable].encode(value)
    return found


def _compute(each: Derived, needs: Mapping[str, Array], mine: Array, target: Array) -> None:
    """A quantity, which follows from quantities by arithmetic; choices are given one by one."""
    options = {n: VARIABLES[n].options for n in each.needs if VARIABLES[n].kind != "quantity"}
    assert len(options) <= 1
    cases: list[tuple[Any, Array]] = [(None, mine)]
    for name, choices in options.items():
        cases = [(c, mine[needs[name][mine] == code]) for code, c in enumerate(choices)]
    for choice, part in cases:
        if len(part):
            target[part] = each.function(
                *(choice if name in options else needs[name][part] for name in each.needs)
            )


def complete(table: Table, rows: int, problems: Problems) -> Table:
    """
    Add what follows from recorded values, and say what cannot be together.

    Parameters
    ----------
    table : dict of str to ndarray, shape (n,)
        Recorded values in canonical units, NaN where unknown.
    rows : int
        Number of people, n.
    problems : dict of int to list of Problem
        What is wrong with which row so far; more is added.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Recorded and derived values.
    """
    table.setdefault("age", np.full(rows, np.nan))  # a table has a column
    nothing = np.ones(rows, dtype=bool)
    for column in table.values():
        nothing &= np.isnan(column)
    empty = Problem("empty_record", "values", "holds nothing that is known at the index date")
    for row in np.flatnonzero(nothing).tolist():
        if row not in problems:
            problems[row] = [empty]
    computed = derive_columns(table, rows)
    for decider, about in ((_contradictory, table), (_implausible, computed)):
        for told, whose in decider(Answers(about, rows)):
            for row in np.flatnonzero(rows_in(whose, rows)).tolist() if told else ():
                problems.setdefault(row, []).extend(told)
    for name, column in computed.items():
        recorded = table.get(name)
        table[name] = column if recorded is None else np.where(np.isnan(recorded), column, recorded)
    return table


def from_records(who: Sequence[tuple[str, PatientRecord]]) -> People:
    """
    Put records side by side.

    Parameters
    ----------
    who : sequence of (str, PatientRecord)
        Name of each person, and what is known.

    Returns
    -------
    People
        The same, in columns.
    """
    names = {name: at for at, name in enumerate(VARIABLES)}
    matrix = np.full((len(names), len(who)), np.nan)
    aside: dict[Problem, list[int]] = {}
    told = {}
    for row, (_, record) in enumerate(who):
        for name, value in record.values.items():
            matrix[names[name], row] = VARIABLES[name].encode(value)
        for problem in record.set_aside:
            aside.setdefault(problem, []).append(row)
        if record.history:
            told[row] = record
    used = {
        n: matrix[at] for n, at in names.items() if n == "age" or not np.isnan(matrix[at]).all()
    }
    return People(
        pa.array([person for person, _ in who], pa.string()),
        pa.array([record.index_date for _, record in who], pa.date32()),
        used,
        set_aside=[(problem, np.array(rows)) for problem, rows in aside.items()],
        told=told,
    )
