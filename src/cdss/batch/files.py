"""Files as they are: CSV that keeps every cell, kinds of columns, and why a file cannot be read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

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
