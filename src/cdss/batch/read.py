"""Blocks to people: tables column by column, records and check-up files one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from cdss.batch.block import Block
from cdss.batch.encode import LONGEST_ID, WRONG_ID, encode, names_and_days
from cdss.batch.layout import Layout
from cdss.batch.people import People, Rejected, from_records
from cdss.checkup.folder import read_file
from cdss.checkup.site import Site
from cdss.errors import Problem, RecordError
from cdss.record import PatientRecord

Array = NDArray[Any]
Double = Callable[[Any, Any], Array]
"""Of names and days: whose name occurs elsewhere with the same day."""


def read(
    block: Block, layout: Layout, double: Double
) -> tuple[People, list[Rejected], list[dict[str, Any]]]:
    """
    Read a block.

    Parameters
    ----------
    block : Block
        As it was cut.
    layout : Layout
        How to read tables.
    double : callable
        Of names and days: whose name occurs elsewhere with the same day.

    Returns
    -------
    people : People
        Those who can be assessed.
    rejected : list of Rejected
        The others.
    damaged : list of dict
        Files of which nothing can be told: ``file`` and ``reason``.
    """
    if block.kind in ("table", "text"):
        detail = "the row has too many or too few cells"
        odd = [
            Rejected(block.file, row, None, (Problem("wrong_cells", "row", detail),))
            for row in block.odd
        ]
        if not block.data:
            return from_records([]), odd, []
        table = pa.ipc.open_stream(block.data).read_all()
        people, rejected = encode(
            table, layout, file=block.file, numbers=block.numbers(table.num_rows),
            text=block.kind == "text", double=double,
        )  # fmt: skip
        return people, sorted([*odd, *rejected], key=lambda each: each.row), []
    damaged: list[dict[str, Any]] = []
    found = _records(block, layout, damaged)
    ids = pa.array([person for _, _, person, _, _ in found], pa.string())
    days = pa.array([day for _, _, _, day, _ in found], pa.date32())
    able: list[tuple[str, PatientRecord]] = []
    rejected = []
    said = Problem("duplicate_id", "person_id", "occurs more than once for the same index date")
    for (file, row, person, _, record), twice in zip(found, double(ids, days), strict=True):
        problems = record if isinstance(record, tuple) else ()
        problems += (said,) * bool(twice)
        if problems or person is None or isinstance(record, tuple):
            rejected.append(Rejected(file, row, person, problems))
        else:
            able.append((person, record))
    return from_records(able), rejected, damaged


def who(block: Block, layout: Layout) -> tuple[Any, Any]:
    """
    Tell who is in a block, without judging.

    Parameters
    ----------
    block : Block
        As it was cut; of tables, two columns are enough.
    layout : Layout
        How to read tables.

    Returns
    -------
    tuple of two pyarrow.Array
        Names and days.
    """
    if block.kind in ("table", "text"):
        if not block.data:
            return pa.array([], pa.string()), pa.array([], pa.date32())
        table = pa.ipc.open_stream(block.data).read_all()
        return names_and_days(table, layout, text=block.kind == "text")
    if block.kind == "lines":
        opened = [_opened(line, layout) for _, line in block.data if line.strip()]
        found = [(person, _day(said.get("index_date"))) for person, said, _ in opened]
    else:
        found = [(person, day) for _, _, person, day, _ in _records(block, layout, [])]
    return (
        pa.array([person for person, _ in found], pa.string()),
        pa.array([day for _, day in found], pa.date32()),
    )


Row = tuple[str, int, str | None, date | None, PatientRecord | tuple[Problem, ...]]
"""File, position, who, day; and the record, or what is wrong with it."""


def _records(block: Block, layout: Layout, damaged: list[dict[str, Any]]) -> list[Row]:
    if block.kind == "lines":
        return [
            (block.file, number, *_line(line, layout))
            for number, line in block.data
            if line.strip()
        ]
    found: list[Row] = []
    for name, path in block.data:
        envelope = read_file(Path(path), Site())
        if envelope.problems:
            reason = "; ".join(f"{p.code}: {p.detail}" for p in envelope.problems)
            damaged.append({"file": name, "reason": reason, "rows": None})
        for at, one in enumerate(envelope.people, 1):
            person = one.row if one.named_by == "MA_LK" else f"{name}#{one.row}"
            record = one.reading.record or one.reading.problems
            found.append((name, at, person, one.index_date, record))
    return found


def _line(
    line: bytes, layout: Layout
) -> tuple[str | None, date | None, PatientRecord | tuple[Problem, ...]]:
    """A record as `PatientRecord.parse` takes it, with the person's name beside; or flat."""
    person, said, problems = _opened(line, layout)
    if not said:
        return person, None, problems
    if "values" not in said:
        aside = {"index_date", *layout.ignore}
        values = {name: value for name, value in said.items() if name not in aside}
        said = {"index_date": said.get("index_date"), "values": values}
    try:
        record = PatientRecord.parse(said)
    except RecordError as error:
        return person, _day(said.get("index_date")), (*problems, *error.problems)
    return person, record.index_date, problems or record


def _opened(line: bytes, layout: Layout) -> tuple[str | None, dict[str, Any], tuple[Problem, ...]]:
    """Who it is, and what is said of them, which is empty if it is no record."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None, {}, (Problem("not_json", "row", "must be one JSON object a line"),)
    if not isinstance(said, dict):
        return None, {}, (Problem("not_an_object", "record", "must be a JSON object"),)
    person = said.pop(layout.id, None)
    if isinstance(person, int) and not isinstance(person, bool):
        person = str(person)
    if isinstance(layout.index_date, date):
        said["index_date"] = layout.index_date.isoformat()
    elif layout.index_date != "index_date":
        said["index_date"] = said.pop(layout.index_date, None)
    said.setdefault("index_date", None)
    if not isinstance(person, str) or not 0 < len(person) <= LONGEST_ID:
        return None, said, (WRONG_ID,)
    return person, said, ()


def _day(said: Any) -> date | None:
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        return None
