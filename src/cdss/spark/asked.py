"""What is asked, on its way to the executors: options, bundles, and those who occur twice."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from cdss.audit.identity import code
from cdss.batch.assessor import Assessor
from cdss.batch.identity import doubled
from cdss.batch.plan import Options
from cdss.errors import BatchError

MARKS = "a long, b long"
"""Columns of `marked`."""


@dataclass(frozen=True)
class Asked:
    """
    What is asked, as it travels.

    Attributes
    ----------
    options : Options
        What is asked.
    bundles : pyspark.Broadcast of dict of str to bytes
        Every file of the bundles, below their folder.
    twice : pyspark.Broadcast of ndarray
        Marks that occur more than once.
    code : str
        Digest of the code that asks.
    id : str
        By which a process knows that it is ready.
    """

    options: Options
    bundles: Any
    twice: Any
    code: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of(cls, spark: SparkSession, options: Options, twice: NDArray[np.uint64]) -> Asked:
        """
        Send bundles and marks to the executors.

        Parameters
        ----------
        spark : SparkSession
            Whose executors.
        options : Options
            What is asked.
        twice : ndarray of uint64, shape (m, 2)
            Marks that occur more than once.

        Returns
        -------
        Asked
            To be captured by a function that runs there.
        """
        files = {
            path.relative_to(options.bundles).as_posix(): path.read_bytes()
            for path in sorted(options.bundles.rglob("*"))
            if path.is_file()
        }
        send = spark.sparkContext.broadcast
        return cls(options, send(files), send(twice), code().digest)

    def assessor(self) -> Assessor:
        """
        Get ready, once in a process.

        Returns
        -------
        Assessor
            With the models of the driver.

        Raises
        ------
        CdssError
            If this process has other code than the driver, or a model cannot be used.
        """
        if self.id not in _ready:
            if code().digest != self.code:
                raise BatchError(
                    f"an executor has cdss {code().version} with other code than the driver: "
                    "install the same wheel on both"
                )
            pa.set_cpu_count(1)  # the tasks are the threads
            with tempfile.TemporaryDirectory() as folder:
                for name, content in self.bundles.value.items():
                    path = Path(folder, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                place, models = replace(self.options, bundles=Path(folder)).asked()
            _ready.clear()
            _ready[self.id] = Assessor(
                place, models, self.options.layout, doubled(self.twice.value),
                contributions=self.options.contributions,
            )  # fmt: skip
        return _ready[self.id]


_ready: dict[str, Assessor] = {}


def marked(found: NDArray[np.uint64]) -> Iterator[Any]:
    """
    Put marks in columns.

    Parameters
    ----------
    found : ndarray of uint64, shape (n, 2)
        As `cdss.batch.identity.marks` gives them.

    Yields
    ------
    pyarrow.RecordBatch
        Of `MARKS`, without those of whom name or day is unknown.
    """
    known = found[found.any(axis=1)].astype(np.int64)
    if len(known):
        columns = [pa.array(np.ascontiguousarray(column)) for column in known.T]
        yield pa.RecordBatch.from_arrays(columns, names=["a", "b"])


def occurring_twice(frame: DataFrame) -> NDArray[np.uint64]:
    """
    Find the marks that occur more than once.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Of `MARKS`.

    Returns
    -------
    ndarray of uint64, shape (m, 2)
        Each once, sorted.
    """
    rows = frame.groupBy("a", "b").count().where("count > 1").select("a", "b").collect()
    found = np.array(rows, np.int64).reshape(-1, 2).astype(np.uint64)
    return np.asarray(found[np.lexsort((found[:, 1], found[:, 0]))])
