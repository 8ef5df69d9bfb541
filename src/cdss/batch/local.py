"""The engine of one machine: as many processes as it has processors."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.batch.block import Block, Unread
from cdss.batch.engine import Job, assessor_of
from cdss.batch.identity import Doubles, marks
from cdss.batch.layout import Layout
from cdss.batch.part import Writer
from cdss.batch.plan import Options
from cdss.batch.read import who
from cdss.errors import BatchError


@contextmanager
def processes(many: int | None = None) -> Iterator[Local]:
    """
    Begin processes.

    Parameters
    ----------
    many : int, optional
        How many; by default as many as there are processors for this one. One is this process.

    Yields
    ------
    Local
        An engine.
    """
    many = many or _processors()
    if many == 1:
        yield Local(None, 1)
        return
    for library in ("OPENBLAS", "OMP", "MKL"):  # one thread each: the processes are the threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    with ProcessPoolExecutor(many, get_context("spawn"), initializer=_begin) as pool:
        try:
            yield Local(pool, many)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class Local:
    """
    Some processes, and never more blocks in memory than they need.

    Parameters
    ----------
    pool : ProcessPoolExecutor or None
        The processes; without them it is this one.
    many : int
        How many they are.
    """

    def __init__(self, pool: ProcessPoolExecutor | None, many: int) -> None:
        self._pool, self._most = pool, many

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
        doubles, layout = Doubles(job.out / ".marks"), job.options.layout
        blocks = _read(job.source.blocks(lambda key: True, layout.naming), [])
        for found, size in self._map(_mark, layout, blocks):
            doubles.add(found)
            job.watcher.advance(size, len(found))
        return doubles.result()

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
        """
        unread: list[Unread] = []
        settings = (job.out, job.options, job.metadata)
        blocks = _read(job.source.blocks(lambda key: key not in done), unread)
        for checkpoint in self._map(_assess, settings, blocks):
            done[checkpoint["part"]] = checkpoint
            job.watcher.advance(checkpoint["size"], checkpoint["rows"])
        return unread

    def _map(
        self, function: Callable[[Any, Block], Any], settings: Any, blocks: Iterator[Block]
    ) -> Iterator[Any]:
        try:
            if self._pool is None:
                yield from (function(settings, block) for block in blocks)
                return
            waiting: set[Future[Any]] = set()
            for block in blocks:
                waiting.add(self._pool.submit(function, settings, block))
                if len(waiting) > self._most:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ready)
            yield from (future.result() for future in waiting)
        except BrokenProcessPool:
            raise BatchError(
                "a process was ended from outside, perhaps for want of memory"
            ) from None


def _processors() -> int:
    mine = getattr(os, "sched_getaffinity", None)
    return len(mine(0)) if mine else os.cpu_count() or 1


def _read(blocks: Iterator[Block | Unread], unread: list[Unread]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Unread):
            unread.append(block)
        else:
            yield block


def _begin() -> None:
    """
    Begin a process that ends with its parent.

    Nobody writes for a run that was killed: another may have begun to go on with it.
    """
    pa.set_cpu_count(1)
    parent = parent_process()
    assert parent is not None

    def guard() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=guard, daemon=True).start()


def _mark(layout: Layout, block: Block) -> tuple[Any, int]:
    return marks(*who(block, layout)), block.size


_ready: dict[Path, Writer] = {}
"""In a process: what assesses, made once."""


def _assess(settings: tuple[Path, Options, dict[str, str]], block: Block) -> dict[str, Any]:
    out, options, metadata = settings
    if out not in _ready:
        _ready.clear()
        _ready[out] = Writer(assessor_of(out, options), metadata)
    found = _ready[out].write(block, out)
    pa.default_memory_pool().release_unused()
    return found
