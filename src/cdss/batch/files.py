"""Files as they are: CSV that keeps every cell, lines, kinds of columns, and what is wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from cdss.batch.block import Block, Unread, Wanted, block_key
from cdss.batch.layout import Layout
from cdss.errors import DefinitionError

LONGEST_LINE = 2_000_000
"""Bytes of one record."""

_CSV_BYTES = 8 << 20


def open_csv(path: Path, file: Any, odd: list[int], layout: Layout) -> Any:
    """
    Open CSV, every cell of which is taken as it is.

    Parameters
    ----------
    path : Path
        Where it is.
    file : pyarrow.NativeFile
        The same, open.
    odd : list of int
        Here the positions of rows that have too many or too few cells are added.
    layout : Layout
        How to read it.

    Returns
    -------
    pyarrow.csv.CSVStreamingReader
        Of columns of bytes.
    """
    with path.open("rb") as raw:
        header = raw.readline(LONGEST_LINE)
    delimiter = layout.delimiter
    names = pacsv.read_csv(
        io.BytesIO(header), parse_options=pacsv.ParseOptions(delimiter=delimiter)
    ).column_names

    def _skip(row: Any) -> str:
        odd.append(row.number - 1)  # the header counts there
        return "skip"

    return pacsv.open_csv(
        file,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_CSV_BYTES),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=_skip
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=True,
            null_values=["", *layout.unknown], check_utf8=False,
        ),
    )  # fmt: skip


def family(kind: Any) -> str:
    """
    Tell what a type holds, whatever its width.

    Parameters
    ----------
    kind : pyarrow.DataType
        Of a column.

    Returns
    -------
    str
        Equal for types that may stand for each other.
    """
    if pa.types.is_dictionary(kind):
        return family(kind.value_type)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_temporal(kind):
        return "time"
    return str(kind)


def same_shape(first: Mapping[str, str], other: Mapping[str, str]) -> None:
    """
    Refuse a file that has other columns than the first.

    Parameters
    ----------
    first, other : mapping of str to str
        Column → its `family`.

    Raises
    ------
    DefinitionError
        If they differ; it lists them all.
    """
    found = {
        "columns that are new": other.keys() - first.keys(),
        "columns that are not there": first.keys() - other.keys(),
        "columns of another type": {
            name for name in first.keys() & other.keys()
            if first[name] != other[name] and "null" not in (first[name], other[name])
        },
    }  # fmt: skip
    if told := [f"{what}: {', '.join(sorted(which))}" for what, which in found.items() if which]:
        raise DefinitionError(f"differs from the first file: {'; '.join(told)}")


def read_lines(
    path: Path, name: str, at: int, part_rows: int, wanted: Wanted
) -> Iterator[Block | Unread]:
    """
    Read records, one a line.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Of the file, as blocks tell it.
    at : int
        Position of the file.
    part_rows : int
        Lines in a block.
    wanted : callable
        Whether the block of a key is wanted.

    Yields
    ------
    Block or Unread
        In order.
    """
    lines: list[tuple[int, bytes]] = []
    number, block, size, first = 0, 0, 0, 1
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                size += len(line)
                lines.append((number, line))
                if len(lines) == part_rows or size > 64 * LONGEST_LINE:
                    key = block_key(at, block)
                    if wanted(key):
                        yield Block(key, "lines", name, first, lines, size)
                    block, lines, size, first = block + 1, [], 0, number + 1
    except OSError as error:
        yield Unread(name, reason(error), None)
        return
    if lines and wanted(block_key(at, block)):
        yield Block(block_key(at, block), "lines", name, first, lines, size)


def reason(error: Exception) -> str:
    """
    Tell why a file cannot be read; Arrow's own words may quote what is in it.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    str
        Without any patient's value.
    """
    if isinstance(error, DefinitionError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return "cannot be read: damaged, cut short, or not of this kind"
