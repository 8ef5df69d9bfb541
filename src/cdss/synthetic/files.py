"""Files of a population: Parquet that says of itself that it is synthetic."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdss.synthetic.plan import BLOCK

ROW_GROUP = 4 * BLOCK


class PartFile:
    """
    A Parquet file whose row groups are as large whatever the blocks.

    Parameters
    ----------
    path : Path
        Where.
    schema : pyarrow.Schema
        Its columns.
    said : dict of str to str
        What it says of itself.
    """

    def __init__(self, path: Path, schema: Any, said: dict[str, str]) -> None:
        metadata = {key.encode(): value.encode() for key, value in said.items()}
        repeated = [
            each.name for each in schema
            if each.name != "person_id" and each.type in (pa.string(), pa.float64())
        ]  # fmt: skip
        self._path, self._schema, self.rows = path, schema, 0
        self._waiting: list[Any] = []
        self._writer = pq.ParquetWriter(
            path, schema.with_metadata(metadata), compression="zstd", compression_level=1,
            use_dictionary=repeated, write_statistics=False,
        )  # fmt: skip

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, batch: Any) -> None:
        """
        Add rows.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Words may be numbers with a dictionary.
        """
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if sum(each.num_rows for each in self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> dict[str, Any]:
        """
        End the file.

        Returns
        -------
        dict
            Its ``rows``, ``bytes`` and ``sha256``.
        """
        self._flush()
        self._writer.close()
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"rows": self.rows, "bytes": self._path.stat().st_size, "sha256": digest}

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting).cast(self._schema)
            self._writer.write_table(table, row_group_size=2 * ROW_GROUP)
            self._waiting = []
