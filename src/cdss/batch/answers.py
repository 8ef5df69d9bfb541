"""What each model says of everybody, as one Arrow table a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.batch.people import People
from cdss.errors import Problem
from cdss.jurisdiction import Model
from cdss.limits import found_in
from cdss.points import PointsScore
from cdss.risk import Columns, RiskModel

Array = NDArray[Any]

KINDS = ("estimate", "range", "points", "refused")
"""What can be said; of a range the ends are `low` and `high`, of an estimate its interval."""

ESTIMATE, RANGE, POINTS, REFUSED = range(len(KINDS))
TOP = 3
"""Contributions that are told of everybody."""

_WORD = pa.dictionary(pa.int16(), pa.string())
_WORDS = pa.list_(_WORD)
_CONTRIBUTION = pa.struct([("variable", _WORD), ("log_odds", pa.float32())])


@dataclass(slots=True)
class Said:
    """
    What a model says of everybody.

    Attributes
    ----------
    model : RiskModel or PointsScore
        Which.
    kind : ndarray of int8, shape (n,)
        Position in `KINDS`.
    low, high : ndarray, shape (n,)
        Least and greatest probability or points; NaN where refused.
    reasons : ndarray of bool, shape (n, k)
        Which of the model's `objections` hold.
    remarks : ndarray of bool, shape (n, j)
        Which of its `remarks` hold.
    columns : Columns or None
        All a risk model says.
    """

    model: Model
    kind: Array
    low: Array
    high: Array
    reasons: Array
    remarks: Array
    columns: Columns | None


def ask(model: Model, people: People) -> Said:
    """
    Ask a model about everybody.

    Parameters
    ----------
    model : RiskModel or PointsScore
        The model.
    people : People
        Everybody.

    Returns
    -------
    Said
        What it says.
    """
    table, rows = people.table, len(people)
    columns = model.columns(table) if isinstance(model, RiskModel) else None
    low, high = model.columns(table) if isinstance(model, PointsScore) else columns[:2]  # type: ignore[index]
    kind = np.full(rows, POINTS if columns is None else RANGE, np.int8)
    if columns is not None:
        kind[~np.isnan(columns.probability)] = ESTIMATE
    kind[np.isnan(low)] = REFUSED
    reasons, remarks = (found_in(f, table, rows) for f in (model.objections, model.remarks))
    return Said(model, kind, low, high, reasons, remarks, columns)


def schema(contributions: bool) -> Any:
    """
    Name the columns of the results.

    Parameters
    ----------
    contributions : bool
        Whether every contribution is told, not only the greatest.

    Returns
    -------
    pyarrow.Schema
        Of `rows_of`.
    """
    top = [
        column
        for at in range(1, TOP + 1)
        for column in ((f"top_{at}", _WORD), (f"top_{at}_log_odds", pa.float32()))
    ]
    every = [("contributions", pa.list_(_CONTRIBUTION))] if contributions else []
    return pa.schema([
        ("person_id", pa.string()), ("index_date", pa.date32()),
        ("model", _WORD), ("version", _WORD), ("outcome", _WORD),
        ("horizon_years", pa.float32()), ("released", pa.bool_()),
        ("kind", _WORD), ("answers", _WORD),
        ("probability", pa.float32()), ("low", pa.float32()), ("high", pa.float32()),
        ("points_low", pa.int16()), ("points_high", pa.int16()), ("positive", pa.bool_()),
        *top, *every,
        ("missing", _WORDS), ("reasons", _WORDS), ("warnings", _WORDS),
    ])  # fmt: skip


def rows_of(
    said: Said, people: People, answers: Array, questions: Sequence[str], *, contributions: bool
) -> Any:
    """
    Say it in rows.

    Parameters
    ----------
    said : Said
        What a model says of everybody.
    people : People
        Everybody.
    answers : ndarray of int, shape (n,)
        Position of the question the model answers for each; -1 if another model does.
    questions : sequence of str
        Questions of the jurisdiction.
    contributions : bool
        Whether every contribution is told.

    Returns
    -------
    pyarrow.Table
        One row for each person.
    """
    model, rows, kind = said.model, len(people), said.kind
    columns = {
        "person_id": people.ids,
        "index_date": people.days,
        "model": _same(model.id, rows),
        "version": _same(model.version, rows),
        "outcome": _same(model.outcome, rows),
        "horizon_years": pa.repeat(pa.scalar(model.horizon_years, pa.float32()), rows),
        "released": pa.repeat(getattr(model, "released", True), rows),
        "kind": pa.DictionaryArray.from_arrays(pa.array(kind.astype(np.int16)), pa.array(KINDS)),
        "answers": pa.DictionaryArray.from_arrays(
            pa.array(answers.astype(np.int16), mask=answers < 0), pa.array(questions, pa.string())
        ),
        **_numbers(said, rows),
        **_contributions(said, rows, contributions),
        "missing": _missing(said, people),
        "reasons": words([*said.reasons.T], [_code(f.problem) for f in model.objections], rows),
        "warnings": _warnings(said, people),
    }
    wanted = schema(contributions)
    return pa.Table.from_arrays([columns[name] for name in wanted.names], schema=wanted)


def words(which: Sequence[Array], labels: Sequence[str], rows: int) -> Any:
    """
    Say for each row which labels hold.

    Parameters
    ----------
    which : sequence of ndarray of bool, shape (n,)
        Whose each label is.
    labels : sequence of str
        What they are called.
    rows : int
        Number of rows, n.

    Returns
    -------
    pyarrow.ListArray
        Of strings, in the order of `labels`.
    """
    whose = [np.flatnonzero(column) for column in which]
    counts = np.zeros(rows, np.int32)
    for mine in whose:
        counts[mine] += 1
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    codes, free = np.empty(offsets[-1], np.int16), offsets[:-1].copy()
    for code, mine in enumerate(whose):
        at = free[mine]
        codes[at] = code
        free[mine] = at + 1
    coded = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(labels, pa.string()))
    return pa.ListArray.from_arrays(pa.array(offsets), coded)


def _same(word: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int16)), pa.array([word]))


def _code(problem: Problem) -> str:
    return f"{problem.code}:{problem.variable}"


def _floats(values: Array) -> Any:
    return pa.array(values.astype(np.float32), mask=np.isnan(values))


def _numbers(said: Said, rows: int) -> dict[str, Any]:
    """Probability and its ends, or points."""
    columns, model = said.columns, said.model
    unknown = np.full(rows, math.nan)
    if columns is not None:
        one = said.kind == ESTIMATE
        probability = columns.probability
        low = np.where(one, columns.interval_low, said.low)
        high = np.where(one, columns.interval_high, said.high)
        return {
            "probability": _floats(probability), "low": _floats(low), "high": _floats(high),
            "points_low": pa.nulls(rows, pa.int16()), "points_high": pa.nulls(rows, pa.int16()),
            "positive": pa.nulls(rows, pa.bool_()),
        }  # fmt: skip
    assert isinstance(model, PointsScore)
    refused = said.kind == REFUSED
    low, high = (np.where(refused, 0, p).astype(np.int16) for p in (said.low, said.high))
    least = model.cut_off.points
    open_ = refused | ((low < least) & (high >= least))
    return {
        **dict.fromkeys(("probability", "low", "high"), _floats(unknown)),
        "points_low": pa.array(low, mask=refused), "points_high": pa.array(high, mask=refused),
        "positive": pa.array(low >= least, mask=open_),
    }  # fmt: skip


def _contributions(said: Said, rows: int, every: bool) -> dict[str, Any]:
    """The greatest, by their size; and all of them if asked for."""
    columns = said.columns
    names = pa.array(said.model.predictors, pa.string())
    found: dict[str, Any] = {}
    mine = np.flatnonzero(said.kind == ESTIMATE)
    values = columns.contributions[mine] if columns is not None else np.empty((0, 0))
    size = np.abs(values)
    for at in range(1, TOP + 1):
        code, log_odds = np.full(rows, -1, np.int16), np.full(rows, math.nan, np.float32)
        if len(mine) and at <= values.shape[1]:
            best = size.argmax(axis=1)
            code[mine], log_odds[mine] = best, np.take_along_axis(values, best[:, None], 1)[:, 0]
            np.put_along_axis(size, best[:, None], -1.0, axis=1)
        found[f"top_{at}"] = pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), names)
        found[f"top_{at}_log_odds"] = _floats(log_odds)
    if every:
        offsets = np.zeros(rows + 1, np.int32)
        offsets[1:] = (said.kind == ESTIMATE) * values.shape[1]
        which = np.tile(np.arange(values.shape[1], dtype=np.int16), len(mine))
        pairs = pa.StructArray.from_arrays(
            [pa.DictionaryArray.from_arrays(pa.array(which), names),
             pa.array(values.ravel().astype(np.float32))],
            fields=[*_CONTRIBUTION],
        )  # fmt: skip
        total = np.cumsum(offsets, dtype=np.int32)
        found["contributions"] = pa.ListArray.from_arrays(pa.array(total), pairs)
    return found


def _missing(said: Said, people: People) -> Any:
    """Optional inputs, what makes a range of an estimate, or items; in the model's order."""
    model = said.model
    wanted = {*model.optional} | {*(
        model.items if isinstance(model, PointsScore) else model.spanned
    )}  # fmt: skip
    names = [name for name in model.predictors if name in wanted]
    answered, unknown = said.kind != REFUSED, np.full(len(people), math.nan)
    open_ = [answered & np.isnan(people.table.get(name, unknown)) for name in names]
    return words(open_, names, len(people))


def _warnings(said: Said, people: People) -> Any:
    model, rows = said.model, len(people)
    always = model.notes if isinstance(model, RiskModel) else model.cautions
    labels = [_code(p) for p in (*always, *(f.problem for f in model.remarks))]
    answered = said.kind != REFUSED
    parts = [answered] * len(always) + [answered & remark for remark in said.remarks.T]
    if isinstance(model, RiskModel) and said.columns is not None:
        labels += [_code(problem) for problem in model.rarities]
        parts += [*said.columns.outside.T]
        mine = (*model.predictors, *model.excluded)
        for problem, whose in people.set_aside:
            if problem.variable in mine:
                column = np.zeros(rows, dtype=bool)
                column[whose] = True
                labels.append(_code(problem))
                parts.append(answered & column)
    return words(parts, labels, rows)
