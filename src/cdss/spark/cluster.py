"""
The engine of a cluster: each task reads a stretch of the input and writes its parts.

Executors see the folders of input and output under the same names.
"""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from cdss.batch.block import Unread
from cdss.batch.engine import ATTEMPTS, TWICE, Job
from cdss.batch.identity import marks
from cdss.batch.part import Writer
from cdss.batch.read import who
from cdss.errors import BatchError
from cdss.spark.asked import MARKS, Asked, marked, occurring_twice
from cdss.spark.attempts import blocks_of, left_out, place, wait_for, write_stretch
from cdss.spark.stretches import Stretch, stretches_of

_LOOK_SECONDS = 0.5
_REASON = re.compile(
    r"^(?:\S*\.)?(?:\w*(?:Bundle|Batch|Definition|Unknown\w+)\w*|OSError|PermissionError"
    r"|FileNotFoundError|\w*MemoryError|ModuleNotFoundError|ImportError): .*$", re.MULTILINE,
)  # fmt: skip


@contextmanager
def cluster(master: str | None = None) -> Iterator[Cluster]:
    """
    Begin a Spark application, and end it.

    Parameters
    ----------
    master : str, optional
        Address of the cluster; by default as spark-submit or spark-defaults.conf say.

    Yields
    ------
    Cluster
        An engine.

    Raises
    ------
    BatchError
        If Spark does not begin.
    """
    builder = SparkSession.builder.appName("cdss batch")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # where the driver has it
    try:
        spark = (builder.master(master) if master else builder).getOrCreate()
    except Exception as error:  # whatever Java, the cluster or its settings lack
        reason = " ".join(str(error).splitlines()[:2])
        raise BatchError(f"Spark did not begin: {reason}") from error
    try:
        yield Cluster(spark)
    finally:
        spark.stop()


class Cluster:
    """
    The executors of a Spark session.

    Parameters
    ----------
    spark : SparkSession
        Whose.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def identify(self, job: Job) -> NDArray[np.uint64]:
        """
        Find who occurs twice.

        Parameters
        ----------
        job : Job
            What there is to do.

        Returns
        -------
        ndarray of uint64, shape (m, 2)
            Marks that occur more than once, each once, sorted.
        """
        source, layout = job.source, job.options.layout
        stretches = [each for each in stretches_of(source) if isinstance(each, Stretch)]

        def _mark(stretch: Stretch) -> Iterator[Any]:
            for block in blocks_of(source, stretch, stretch.has, layout.naming):
                if not isinstance(block, Unread):
                    yield from marked(marks(*who(block, layout)))

        twice = self._run(lambda: occurring_twice(self._tasks(stretches, _mark, MARKS)))
        job.watcher.advance(source.total, 0)
        return np.asarray(twice)

    def assess(self, job: Job, done: dict[str, dict[str, Any]]) -> list[Unread]:
        """
        Assess everybody who is not done.

        Parameters
        ----------
        job : Job
            What there is to do.
        done : dict of str to dict
            Checkpoints of parts that are done; those that become so are added.

        Returns
        -------
        list of Unread
            Files that could not be read, in order.

        Raises
        ------
        BatchError
            If the cluster could not do it; what is done stays.
        """
        source = job.source
        (job.out / ATTEMPTS).mkdir(mode=0o700, exist_ok=True)
        place(job, done)  # what an interrupted run left
        divided = [*stretches_of(source)]
        places = {source.name(path): at for at, path in enumerate(source.files)}
        unread = {places[each.file]: each for each in divided if isinstance(each, Unread)}
        stretches = [each for each in divided if isinstance(each, Stretch)]
        todo = [s for s in stretches if not s.known or not done.keys() >= {*s.known}]
        asked = Asked.of(self._spark, job.options, np.load(job.out / TWICE))
        out, metadata = job.out, job.metadata

        def _assess(stretch: Stretch) -> Iterator[Any]:
            said = json.dumps(
                write_stretch(source, stretch, Writer(asked.assessor(), metadata), out)
            )
            yield pa.RecordBatch.from_pydict({"said": [said]})

        frame = self._tasks(todo, _assess, "said string")
        told = self._run(frame.collect, lambda: place(job, done))
        said = [json.loads(row.said) for row in told]
        for at, name, reason, rows in (each for one in said for each in one["unread"]):
            if at not in unread or (unread[at].rows or 0) < (rows or 0):
                unread[at] = Unread(name, reason, rows)
        wait_for(job, done, {key for one in said for key in one["keys"]})
        wanted = {key for stretch in stretches for key in stretch.known} | done.keys()
        for at, each in unread.items():
            wanted -= left_out(job, at, each, done, wanted)
        if missing := wanted - done.keys():
            raise BatchError(f"{len(missing)} parts were not written; the same command goes on")
        return [unread[at] for at in sorted(unread)]

    def _tasks(
        self, stretches: Sequence[Stretch], does: Callable[[Stretch], Iterator[Any]], schema: str
    ) -> DataFrame:
        """One task for each stretch."""

        def _task(batches: Iterable[Any]) -> Iterator[Any]:
            for batch in batches:
                for at in batch.column(0).to_pylist():
                    yield from does(stretches[at])

        count = len(stretches)
        return self._spark.range(0, count, 1, max(count, 1)).mapInArrow(_task, schema)

    def _run(self, job: Callable[[], Any], meanwhile: Callable[[], None] = lambda: None) -> Any:
        """Run a job of Spark and look after it; an interrupted one is ended there too."""
        context, group = self._spark.sparkContext, uuid.uuid4().hex

        def _job() -> Any:
            context.setJobGroup(group, "cdss batch", interruptOnCancel=True)
            return job()

        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(_job)
            try:
                while wait([running], _LOOK_SECONDS).not_done:
                    meanwhile()
            except BaseException:
                context.cancelJobGroup(group)
                raise
        try:
            return running.result()
        except Exception as error:
            found = _REASON.findall(str(error))
            reason = found[-1] if found else "see the log of Spark"
            raise BatchError(f"the cluster could not do it: {reason}") from error
