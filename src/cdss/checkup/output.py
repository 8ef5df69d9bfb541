"""The files that a folder of envelopes becomes: JSON lines, CSV and, if it can be had, Parquet."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from cdss.checkup.table import COLUMNS

_REJECTED = ("file", "row", "row_named_by", "index_date", "codes", "reasons")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def parquet_possible() -> bool:
    """
    Say whether Parquet can be written.

    Returns
    -------
    bool
        Whether the optional package pyarrow is there.
    """
    return importlib.util.find_spec("pyarrow") is not None


class Output:
    """
    The files of one run, readable by their owner only.

    Parameters
    ----------
    folder : Path
        Where; it must be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = ["assessments.jsonl", "assessments.csv", "rejected.csv"]
        self._open = ExitStack()
        files = [self._file(name) for name in self.names]
        self._lines, table, rejected = files
        self._table = csv.DictWriter(table, COLUMNS)
        self._rejected = csv.DictWriter(rejected, _REJECTED)
        self._table.writeheader()
        self._rejected.writeheader()
        self._columns: _Parquet | None = None
        if parquet_possible():
            self.names.append("assessments.parquet")
            self._columns = _Parquet(folder / self.names[-1])
            self._open.callback(self._columns.close)

    def _file(self, name: str) -> IO[str]:
        path = self.folder / name
        path.touch(mode=0o600, exist_ok=False)
        return self._open.enter_context(path.open("w", encoding="utf-8", newline=""))

    def assessed(
        self, lines: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]
    ) -> None:
        """
        Write what was said about some people.

        Parameters
        ----------
        lines : iterable of mapping
            One for each person, of JSON types.
        rows : iterable of mapping
            One for each person and model.
        """
        for line in lines:
            self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        cells = list(rows)
        self._table.writerows(_safe(row) for row in cells)
        if self._columns is not None:
            self._columns.write(cells)

    def rejected(self, row: Mapping[str, Any]) -> None:
        """
        Write that a person or a file could not be used.

        Parameters
        ----------
        row : mapping
            ``file``, ``row``, ``row_named_by``, ``index_date``, ``codes`` and ``reasons``.
        """
        self._rejected.writerow(_safe(row))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()


def _safe(row: Mapping[str, Any]) -> dict[str, Any]:
    """No cell that a spreadsheet would compute: the names of files come from outside."""
    return {
        name: f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for name, cell in row.items()
    }


class _Parquet:
    """A Parquet file, written some rows at a time."""

    def __init__(self, path: Path) -> None:
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        types = {str: self._arrow.string(), float: self._arrow.float64()}
        self._schema = self._arrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._writer: Any = parquet.ParquetWriter(str(path), self._schema)

    def write(self, rows: list[Mapping[str, Any]]) -> None:
        if rows:
            self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()
