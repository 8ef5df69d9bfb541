"""
One block to one part: its results, advice and rejected rows, and a checkpoint when all are there.

Files appear under their names only when they are whole, the checkpoint last: what has no checkpoint
was not done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdss.batch.assessor import ADVICE, REJECTED, RESULTS, Assessor
from cdss.batch.block import Block
from cdss.batch.read import read

CHECKPOINTS = "checkpoints"
FOLDERS = (RESULTS, ADVICE, REJECTED, CHECKPOINTS)
"""Folders of the output."""

_BARE = ("person_id", "row")


class Writer:
    """
    Assesses blocks and writes what is said, in one process.

    Parameters
    ----------
    assessor : Assessor
        Says it.
    metadata : mapping of str to str
        What every file says of itself.
    """

    def __init__(self, assessor: Assessor, metadata: Mapping[str, str]) -> None:
        self._assessor = assessor
        self._metadata = {key.encode(): value.encode() for key, value in metadata.items()}

    def write(self, block: Block, out: Path) -> dict[str, Any]:
        """
        Assess everybody in a block and write what is said.

        Parameters
        ----------
        block : Block
            People.
        out : Path
            Where `FOLDERS` are.

        Returns
        -------
        dict
            The checkpoint: counts, and the size and SHA-256 of each file.

        Raises
        ------
        OSError
            If it cannot be written; nothing is left of it then.
        """
        assessor = self._assessor
        people, rejected, damaged = read(block, assessor.layout, assessor.double)
        files: dict[str, Any] = {}
        for kind, tables in groupby(assessor.tables(people, rejected), itemgetter(0)):
            target = out / kind / f"part-{block.key}.parquet"
            with whole(target) as path:
                self._write(path, (table for _, table in tables))
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                name = target.relative_to(out).as_posix()
                files[name] = {"bytes": path.stat().st_size, "sha256": digest}
        codes = Counter(code for row in rejected for code in {p.code for p in row.problems})
        checkpoint = {
            "part": block.key,
            "size": block.size,
            "rows": len(people) + len(rejected),
            "people": len(people),
            "rejected": len(rejected),
            "results": len(people) * len(assessor.models),
            "problems": dict(sorted(codes.items())),
            "unread": damaged,
            "files": files,
        }
        with whole(out / CHECKPOINTS / f"{block.key}.json") as path:
            path.write_text(json.dumps(checkpoint), encoding="utf-8")
        return checkpoint

    def _write(self, path: Path, tables: Iterator[Any]) -> None:
        """Numbers as they are: there is little to gain by looking for repeated ones."""
        first = next(tables)
        wanted = first.schema
        repeated = [path for field in wanted for path in _repeated(field)]
        with pq.ParquetWriter(
            path, wanted.with_metadata(self._metadata), compression="zstd",
            use_dictionary=repeated, write_statistics=["model"],
        ) as writer:  # fmt: skip
            writer.write_table(first)
            del first
            for table in tables:
                writer.write_table(table)


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """
    Write a file that is there when it is whole, and not before.

    Parameters
    ----------
    target : Path
        Its name.

    Yields
    ------
    Path
        Where to write.
    """
    path = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _repeated(field: Any) -> list[str]:
    """Where a column has words that come again and again."""
    kind, inner = field.type, ""
    if pa.types.is_list(kind):
        kind, inner = kind.value_type, ".list.element"
    if pa.types.is_struct(kind):
        kind, inner = kind.field(0).type, f"{inner}.{kind.field(0).name}"
    bare = field.name in _BARE or pa.types.is_floating(kind)
    return [] if bare else [f"{field.name}{inner}"]
