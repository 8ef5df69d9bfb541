"""Blocks that one task does: few enough to share, long enough to read every row group once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow.parquet as pq

from cdss.batch.block import Unread, block_key
from cdss.batch.source import ENVELOPES, Source

MOST_BLOCKS = 8
"""Blocks of a task, of files that can be read from any row group on."""


class Stretch(NamedTuple):
    """
    Blocks of a file, one after another.

    Attributes
    ----------
    file : int
        Position of the file.
    first : int
        Position of the first block.
    end : int or None
        Position behind the last; None if the file has to be read to know.
    """

    file: int
    first: int
    end: int | None

    def has(self, key: str) -> bool:
        """
        Say whether a block is one of these.

        Parameters
        ----------
        key : str
            Of the block.

        Returns
        -------
        bool
            Whether it is.
        """
        end = block_key(self.file + 1, 0) if self.end is None else block_key(self.file, self.end)
        return block_key(self.file, self.first) <= key < end

    @property
    def known(self) -> list[str]:
        """
        Name the blocks.

        Returns
        -------
        list of str
            Keys; none if the file has to be read to know.
        """
        end = self.first if self.end is None else self.end
        return [block_key(self.file, block) for block in range(self.first, end)]


def stretches_of(source: Source) -> Iterator[Stretch | Unread]:
    """
    Divide what goes in.

    Parameters
    ----------
    source : Source
        What goes in.

    Yields
    ------
    Stretch or Unread
        In order; or a file that cannot be opened.
    """
    for at in source.usable():
        if isinstance(at, Unread):
            yield at
        elif source.kind == "parquet":
            yield from _parquet(source, at)
        elif source.kind == "xml":
            blocks = -(-len(source.files) // ENVELOPES)
            yield from (Stretch(at, block, block + 1) for block in range(blocks))
        else:  # where a row begins is known to who read those before it
            yield Stretch(at, 0, None)


def _parquet(source: Source, at: int) -> Iterator[Stretch]:
    meta = pq.read_metadata(source.files[at])
    size, end, ends = source.part_rows, 0, set()
    for group in range(meta.num_row_groups):
        end += meta.row_group(group).num_rows
        ends.add((end - 1) // size)
    blocks, first = -(-end // size), 0
    for block in range(blocks):
        if block in ends or block + 1 - first == MOST_BLOCKS:
            yield Stretch(at, first, block + 1)
            first = block + 1
