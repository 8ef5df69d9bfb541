"""
What goes in: files of one kind, cut into blocks that depend on nothing but the files.

A block is what becomes one part of the output. A file that cannot be read, or that has other
columns than the first, is told and left out; the others are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdss.batch.block import PART_ROWS, Block, Cutter, Unread, Wanted, block_key
from cdss.batch.files import LONGEST_LINE, family, open_csv, reason
from cdss.batch.layout import Layout
from cdss.errors import DefinitionError

_ENVELOPES = 512  # check-up files in a part
_BATCH = 16_384

KINDS = {
    ".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".xml": "xml",
}  # fmt: skip


@dataclass(slots=True)
class Source:
    """
    Files of one kind.

    Parameters
    ----------
    root : Path
        The file or folder.
    kind : str
        Of the files.
    files : sequence of Path
        Sorted.
    layout : Layout
        How to read them.
    part_rows : int
        People in a block.
    """

    root: Path
    kind: str
    files: Sequence[Path]
    layout: Layout
    part_rows: int = PART_ROWS
    metadata: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, layout: Layout, part_rows: int = PART_ROWS) -> Source:
        """
        Look what there is.

        Parameters
        ----------
        root : Path
            A file, or a folder with its subfolders.
        layout : Layout
            How to read tables.
        part_rows : int
            People in a part.

        Returns
        -------
        Source
            Its files.

        Raises
        ------
        DefinitionError
            If there are none, or of different kinds.
        """
        found = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        hidden = (".", "_")
        files = [
            p
            for p in found
            if p.suffix.lower() in KINDS
            and not any(part.startswith(hidden) for part in p.relative_to(root).parts)
        ]
        kinds = sorted({KINDS[p.suffix.lower()] for p in files})
        if len(kinds) != 1:
            said = f"files of several kinds: {', '.join(kinds)}" if kinds else "no files"
            raise DefinitionError(f"{root.name}: {said}; one of {', '.join(KINDS)} is read")
        return cls(root, kinds[0], files, layout, part_rows)

    def name(self, path: Path) -> str:
        """
        Name a file.

        Parameters
        ----------
        path : Path
            One of the files.

        Returns
        -------
        str
            Below the input folder.
        """
        return path.name if path == self.root else path.relative_to(self.root).as_posix()

    @property
    def total(self) -> int:
        """
        How much there is.

        Returns
        -------
        int
            Rows of Parquet, bytes of text, files of check-ups.
        """
        if self.kind == "xml":
            return len(self.files)
        if self.kind != "parquet":
            return sum(path.stat().st_size for path in self.files)
        rows = 0
        for path in self.files:
            try:
                rows += pq.read_metadata(path).num_rows
            except (pa.ArrowException, OSError):
                continue
        return rows

    def look(self) -> None:
        """
        Look at the first file that can be read: what it says of itself, and its columns.

        Raises
        ------
        DefinitionError
            If its columns do not fit the layout.
        """
        if self.kind in ("ndjson", "xml"):
            if self.layout.keep:
                raise DefinitionError("only columns of tables can be kept")
            return
        for path in self.files:
            try:
                self._shape(path)
            except (pa.ArrowException, OSError):
                continue
            if self.kind == "parquet":
                found = pq.read_schema(path).metadata or {}
                own = {k.decode(): v.decode() for k, v in found.items() if k.startswith(b"cdss.")}
                self.metadata |= own
            return

    def blocks(self, wanted: Wanted, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """
        Read.

        Parameters
        ----------
        wanted : callable
            Whether the block of a key is wanted; what is not is not read where that can be.
        columns : sequence of str, optional
            Columns of tables that are enough.

        Yields
        ------
        Block or Unread
            In order.
        """
        if self.kind == "xml":
            yield from self._envelopes(wanted)
            return
        reader = {"parquet": self._parquet, "csv": self._csv, "ndjson": self._lines}[self.kind]
        first: dict[str, str] | None = None
        for at, path in enumerate(self.files):
            try:
                shape = self._shape(path)
                if shape is not None:
                    first = first or shape
                    self._same(first, shape)
            except (pa.ArrowException, OSError, DefinitionError) as error:
                yield Unread(self.name(path), reason(error), self._rows(path))
                continue
            yield from reader(at, path, wanted, columns)

    def _shape(self, path: Path) -> dict[str, str] | None:
        """Column → what kind of values; None for lines, which have no columns."""
        if self.kind == "ndjson":
            return None
        if self.kind == "csv":
            with pa.OSFile(str(path)) as file, open_csv(path, file, [], self.layout) as reader:
                names = reader.schema.names
            self.layout.columns(names)
            return dict.fromkeys(names, "text")
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
        self.layout.columns(schema.names)
        return {column.name: family(column.type) for column in schema}

    def _same(self, first: dict[str, str], other: dict[str, str]) -> None:
        found = {
            "columns that are new": other.keys() - first.keys(),
            "columns that are not there": first.keys() - other.keys(),
            "columns of another type": {
                name for name in first.keys() & other.keys()
                if first[name] != other[name] and "null" not in (first[name], other[name])
            },
        }  # fmt: skip
        if told := [
            f"{what}: {', '.join(sorted(which))}" for what, which in found.items() if which
        ]:
            raise DefinitionError(f"differs from the first file: {'; '.join(told)}")

    def _rows(self, path: Path) -> int | None:
        try:
            return int(pq.read_metadata(path).num_rows) if self.kind == "parquet" else None
        except (pa.ArrowException, OSError):
            return None

    def _parquet(
        self, at: int, path: Path, wanted: Wanted, columns: Sequence[str] | None
    ) -> Iterator[Any]:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            total, done = file.metadata.num_rows, 0
            cutter = Cutter(self.name(path), self.part_rows, at, path, "table", wanted)
            names = None if columns is None else [*columns]
            try:
                for group in range(file.num_row_groups):
                    rows = file.metadata.row_group(group).num_rows
                    if not cutter.wants(done, rows):
                        cutter.skip(rows)
                    else:
                        for batch in file.iter_batches(
                            _BATCH, [group], columns=names, use_threads=False
                        ):
                            yield from cutter.add(pa.Table.from_batches([batch]))
                    done += rows
            except (pa.ArrowException, OSError) as error:
                yield from cutter.rest()
                yield Unread(self.name(path), reason(error), total - cutter.position)
                return
            yield from cutter.rest()

    def _csv(
        self, at: int, path: Path, wanted: Wanted, columns: Sequence[str] | None
    ) -> Iterator[Any]:
        odd: list[int] = []
        cutter = Cutter(self.name(path), self.part_rows, at, path, "text", wanted, odd)
        try:
            with pa.OSFile(str(path)) as file, open_csv(path, file, odd, self.layout) as reader:
                cutter.read = file.tell
                for batch in reader:
                    table = pa.Table.from_batches([batch])
                    yield from cutter.add(table if columns is None else table.select(columns))
        except (pa.ArrowException, OSError) as error:
            yield from cutter.rest()
            yield Unread(self.name(path), reason(error), None)
            return
        yield from cutter.rest()

    def _lines(
        self, at: int, path: Path, wanted: Wanted, columns: Sequence[str] | None
    ) -> Iterator[Any]:
        name = self.name(path)
        number, block, lines, size = 0, 0, [], 0
        first = 1
        try:
            with path.open("rb") as file:
                while line := file.readline(LONGEST_LINE):
                    number += 1
                    size += len(line)
                    lines.append((number, line))
                    if len(lines) == self.part_rows or size > 64 * LONGEST_LINE:
                        key = block_key(at, block)
                        if wanted(key):
                            yield Block(key, "lines", name, first, lines, size)
                        block, lines, size, first = block + 1, [], 0, number + 1
        except OSError as error:
            yield Unread(name, reason(error), None)
            return
        if lines and wanted(block_key(at, block)):
            yield Block(block_key(at, block), "lines", name, first, lines, size)

    def _envelopes(self, wanted: Wanted) -> Iterator[Any]:
        for block, start in enumerate(range(0, len(self.files), _ENVELOPES)):
            paths = self.files[start : start + _ENVELOPES]
            if wanted(block_key(0, block)):
                named = [(self.name(path), str(path)) for path in paths]
                yield Block(block_key(0, block), "envelopes", named[0][0], 1, named, len(paths))
