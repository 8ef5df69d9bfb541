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
from cdss.batch.files import family, open_csv, read_lines, reason, same_shape
from cdss.batch.layout import Layout
from cdss.errors import DefinitionError

ENVELOPES = 512
"""Check-up files in a part."""

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
        for at in self.usable():
            if isinstance(at, Unread):
                yield at
            else:
                yield from self.read(at, wanted, columns)

    def usable(self) -> Iterator[int | Unread]:
        """
        Look at every file: whether it can be opened, and has the columns of the first.

        Yields
        ------
        int or Unread
            Position of a file as its blocks have it (check-up files are one), or why not.
        """
        if self.kind == "xml":
            yield 0
            return
        first: dict[str, str] | None = None
        for at, path in enumerate(self.files):
            try:
                shape = self._shape(path)
                if shape is not None:
                    first = first or shape
                    same_shape(first, shape)
            except (pa.ArrowException, OSError, DefinitionError) as error:
                yield Unread(self.name(path), reason(error), self._rows(path))
                continue
            yield at

    def read(self, at: int, wanted: Wanted, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """
        Read a file that can be opened.

        Parameters
        ----------
        at : int
            Its position.
        wanted : callable
            Whether the block of a key is wanted.
        columns : sequence of str, optional
            Columns of a table that are enough.

        Yields
        ------
        Block or Unread
            In order; the last may tell why the rest of the file is not used.
        """
        if self.kind == "xml":
            yield from self._envelopes(wanted)
            return
        path = self.files[at]
        if self.kind == "ndjson":
            yield from read_lines(path, self.name(path), at, self.part_rows, wanted)
            return
        reader = {"parquet": self._parquet, "csv": self._csv}[self.kind]
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

    def _envelopes(self, wanted: Wanted) -> Iterator[Any]:
        for block, start in enumerate(range(0, len(self.files), ENVELOPES)):
            paths = self.files[start : start + ENVELOPES]
            if wanted(block_key(0, block)):
                named = [(self.name(path), str(path)) for path in paths]
                yield Block(block_key(0, block), "envelopes", named[0][0], 1, named, len(paths))
