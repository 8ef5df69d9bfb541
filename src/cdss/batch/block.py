"""
Rows of a file, cut into blocks that depend on nothing but the file.

A block is what becomes one part of the output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PART_ROWS = 40_960
"""People in a part: what a process holds at once."""

Array = NDArray[Any]


class Unread(NamedTuple):
    """
    A file that is not used, or not from some row on.

    Attributes
    ----------
    file, reason : str
        Which, and why.
    rows : int or None
        How many rows are missing, if that can be told.
    """

    file: str
    reason: str
    rows: int | None


@dataclass(slots=True)
class Block:
    """
    People who are assessed together.

    Attributes
    ----------
    key : str
        Of the part it becomes: position of the file, and of the block within.
    kind : str
        ``table``, ``text`` (a table of text), ``lines`` or ``envelopes``.
    file : str
        Where it comes from, below the input folder.
    first : int
        Position of its first row there, from 1.
    data : object
        A table in Arrow's stream format, lines, or names of files.
    size : int
        How much of the whole it is, as `Source.total` counts.
    odd : tuple of int
        Positions of rows of text that have too many or too few cells.
    shifts : tuple of int
        Rows of the table before which such a row lies, once for each.
    """

    key: str
    kind: str
    file: str
    first: int
    data: Any
    size: int
    odd: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()

    def numbers(self, rows: int) -> Array:
        """
        Tell where the rows of the table lie in the file.

        Parameters
        ----------
        rows : int
            How many there are.

        Returns
        -------
        ndarray of int, shape (n,)
            Positions, from 1.
        """
        at = np.arange(rows)
        return self.first + at + np.searchsorted(self.shifts, at, side="right")


Wanted = Callable[[str], bool]
"""Whether the block of a key is wanted."""


class Cutter:
    """
    Cuts a file's rows into blocks; a block that is not wanted is not kept.

    Parameters
    ----------
    name : str
        Of the file, as blocks tell it.
    size : int
        Rows of a block.
    at : int
        Position of the file.
    path : Path
        The file.
    kind : str
        Of the blocks.
    wanted : callable
        Whether a block is wanted.
    odd : list of int
        Positions of rows that have too many or too few cells, as far as they are known.
    """

    def __init__(
        self, name: str, size: int, at: int, path: Path, kind: str, wanted: Wanted,
        odd: list[int] | None = None,
    ) -> None:  # fmt: skip
        self.position = 0
        self._name, self._size, self._at, self._kind = name, size, at, kind
        self._wanted, self._odd, self._told = wanted, [] if odd is None else odd, 0
        self._counted = 0
        self.read: Callable[[], int] = lambda: 0
        self._pieces: list[Any] = []
        self._bytes = path.stat().st_size if kind == "text" else 0

    def wants(self, start: int, rows: int) -> bool:
        """
        Say whether any of some rows is wanted.

        Parameters
        ----------
        start, rows : int
            Position of the first, from 0, and how many there are.

        Returns
        -------
        bool
            Whether they are in a wanted block.
        """
        size = self._size
        blocks = range(start // size, -(-(start + rows) // size))
        return any(self._wanted(block_key(self._at, block)) for block in blocks)

    def skip(self, rows: int) -> None:
        """
        Pass over rows that are not wanted.

        Parameters
        ----------
        rows : int
            How many.
        """
        self.position += rows

    def add(self, table: Any) -> Iterator[Block]:
        """
        Add rows.

        Parameters
        ----------
        table : pyarrow.Table
            The next rows of the file.

        Yields
        ------
        Block
            Each that is complete.
        """
        size = self._size
        while table.num_rows:
            room = size - self.position % size
            piece = table.slice(0, room)
            if self._wanted(block_key(self._at, self.position // size)):
                self._pieces.append(piece)
            self.position += piece.num_rows
            table = table.slice(room)
            if self.position % size == 0:
                yield from self._flush()

    def rest(self) -> Iterator[Block]:
        """
        End the file.

        Yields
        ------
        Block
            What is left.
        """
        if self.position % self._size or len(self._odd) > self._told:
            yield from self._flush(last=True)

    def _flush(self, *, last: bool = False) -> Iterator[Block]:
        size = self._size
        start = max(self.position - 1, 0) // size * size
        if start + size == self.position and last:  # what is left lies behind a full block
            start = self.position
        key = block_key(self._at, start // size)
        pieces, self._pieces = self._pieces, []
        told = self._told
        before = np.array(self._odd, np.int64) - 1 - np.arange(len(self._odd))
        self._told = len(before) if last else int(np.searchsorted(before, self.position))
        odd = tuple(self._odd[told : self._told])
        if not (pieces or odd) or not self._wanted(key):
            return
        data, rows = b"", 0
        if pieces:
            table = pa.concat_tables(pieces)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            data, rows = sink.getvalue().to_pybytes(), table.num_rows
        shifts = tuple((before[told : self._told] - start).tolist())
        count = rows if self._kind == "table" else self._bytes_so_far(last)
        yield Block(key, self._kind, self._name, start + 1 + told, data,
                    count, odd, shifts)  # fmt: skip

    def _bytes_so_far(self, last: bool) -> int:
        """Bytes of text since the last block, as far as rows are alike."""
        now = self._bytes if last else min(self._bytes, self.read())
        size, self._counted = now - self._counted, now
        return size


def block_key(file: int, block: int) -> str:
    """
    Name a block.

    Parameters
    ----------
    file, block : int
        Position of the file, and of the block within.

    Returns
    -------
    str
        In whose order blocks lie.
    """
    return f"{file:06d}-{block:06d}"
