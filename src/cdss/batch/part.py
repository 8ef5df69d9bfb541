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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdss.batch.advice import Rulebook, advice_schema
from cdss.batch.answers import ask, rows_of, schema
from cdss.batch.block import Block
from cdss.batch.layout import Layout
from cdss.batch.people import People, Rejected, Table
from cdss.batch.read import Double, read
from cdss.jurisdiction import Jurisdiction, Model

RESULTS, ADVICE, REJECTED, CHECKPOINTS = "results", "advice", "rejected", "checkpoints"
"""Folders of the output."""

_REJECTED = pa.schema([
    ("file", pa.string()), ("row", pa.int64()), ("person_id", pa.string()),
    ("problems", pa.list_(pa.string())), ("details", pa.list_(pa.string())),
])  # fmt: skip
_BARE = ("person_id", "row")


class Assessor:
    """
    Assesses blocks, in one process.

    Parameters
    ----------
    out : Path
        The output folder.
    models : sequence of RiskModel or PointsScore
        Those that are asked.
    place : Jurisdiction
        Whose rules.
    layout : Layout
        How to read tables.
    double : callable
        Of names and days: whose name occurs elsewhere with the same day.
    metadata : mapping of str to str
        What every file says of itself.
    contributions : bool
        Whether every contribution is told.
    """

    def __init__(
        self,
        out: Path,
        models: Sequence[Model],
        place: Jurisdiction,
        layout: Layout,
        double: Double,
        metadata: Mapping[str, str],
        *,
        contributions: bool = False,
    ) -> None:
        self._out, self._models, self._layout = out, tuple(models), layout
        self._double, self._every = double, contributions
        self._metadata = {key.encode(): value.encode() for key, value in metadata.items()}
        self._rules = Rulebook(place, models)

    def assess(self, block: Block) -> dict[str, Any]:
        """
        Assess everybody in a block and write what is said.

        Parameters
        ----------
        block : Block
            People.

        Returns
        -------
        dict
            The checkpoint: counts, and the size and SHA-256 of each file.

        Raises
        ------
        OSError
            If it cannot be written; nothing is left of it then.
        """
        people, rejected, damaged = read(block, self._layout, self._double)
        files: dict[str, Any] = {}
        with self._file(block.key, RESULTS, files) as path:
            risks = self._results(people, path)
        with self._file(block.key, ADVICE, files) as path:
            self._advice(people, risks, path)
        if rejected:
            with self._file(block.key, REJECTED, files) as path:
                self._rejected(rejected, path)
        codes = Counter(code for row in rejected for code in {p.code for p in row.problems})
        checkpoint = {
            "part": block.key,
            "size": block.size,
            "rows": len(people) + len(rejected),
            "people": len(people),
            "rejected": len(rejected),
            "results": len(people) * len(self._models),
            "problems": dict(sorted(codes.items())),
            "unread": damaged,
            "files": files,
        }
        target = self._out / CHECKPOINTS / f"{block.key}.json"
        with whole(target) as path:
            path.write_text(json.dumps(checkpoint), encoding="utf-8")
        return checkpoint

    @contextmanager
    def _file(self, key: str, kind: str, files: dict[str, Any]) -> Iterator[Path]:
        target = self._out / kind / f"part-{key}.parquet"
        with whole(target) as path:
            yield path
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            name = target.relative_to(self._out).as_posix()
            files[name] = {"bytes": path.stat().st_size, "sha256": digest}

    def _results(self, people: People, path: Path) -> Table:
        """Write them, and give the risks as rules ask for them."""
        said = [ask(model, people) for model in self._models]
        answers, risks = self._rules.choose(said, len(people))
        with self._writer(path, schema(self._every)) as writer:
            while said:
                one = said.pop(0)  # its numbers are not kept longer than needed
                rows = rows_of(
                    one, people, answers[one.model.id], self._rules.questions,
                    contributions=self._every,
                )  # fmt: skip
                writer.write_table(rows)
        return risks

    def _advice(self, people: People, risks: Table, path: Path) -> None:
        held, open_ = self._rules.advise(people, risks)
        kept = people.kept
        wanted = advice_schema({name: column.type for name, column in kept.items()})
        columns = [people.ids, people.days, *kept.values(), held, open_]
        with self._writer(path, wanted) as writer:
            writer.write_table(pa.Table.from_arrays(columns, schema=wanted))

    def _rejected(self, rejected: Sequence[Rejected], path: Path) -> None:
        problems = [each.problems for each in rejected]
        columns = [
            pa.array([each.file for each in rejected]),
            pa.array([each.row for each in rejected], pa.int64()),
            pa.array([each.person for each in rejected], pa.string()),
            pa.array([[f"{p.code}:{p.variable}" for p in each] for each in problems]),
            pa.array([[f"{p.variable}: {p.detail}" for p in each] for each in problems]),
        ]
        with self._writer(path, _REJECTED) as writer:
            writer.write_table(pa.Table.from_arrays(columns, schema=_REJECTED))

    def _writer(self, path: Path, wanted: Any) -> Any:
        """Numbers as they are: there is little to gain by looking for repeated ones."""
        repeated = [path for field in wanted for path in _repeated(field)]
        said = wanted.with_metadata(self._metadata)
        return pq.ParquetWriter(
            path, said, compression="zstd", use_dictionary=repeated, write_statistics=["model"]
        )


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
