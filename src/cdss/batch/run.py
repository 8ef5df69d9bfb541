"""A run: over processes, in parts, and on from where it stopped, however it stopped."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cdss.batch.block import Block, Unread
from cdss.batch.identity import Doubles, doubled, marks
from cdss.batch.layout import Layout
from cdss.batch.part import ADVICE, CHECKPOINTS, REJECTED, RESULTS, Assessor, whole
from cdss.batch.plan import NOTICE, Options, metadata_of, plan_of
from cdss.batch.read import who
from cdss.batch.source import Source
from cdss.errors import BatchError

PLAN, MANIFEST, TWICE = "plan.json", "manifest.json", "occur-twice.npy"


class Watcher:
    """Is told how far a run is; this one says nothing."""

    def begin(self, stage: str, total: int) -> None:
        """
        Hear what begins.

        Parameters
        ----------
        stage : {"identifying", "assessing"}
            What.
        total : int
            How much there is to do, as `Source.total` counts.
        """

    def advance(self, size: int, people: int) -> None:
        """
        Hear what was done.

        Parameters
        ----------
        size : int
            How much of it.
        people : int
            How many people they are.
        """


def run(
    root: Path,
    out: Path,
    options: Options,
    *,
    processes: int | None = None,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """
    Assess everybody in files, or go on with it.

    Parameters
    ----------
    root : Path
        A file, or a folder of files of one kind.
    out : Path
        A new or empty folder, or that of the same run.
    options : Options
        What is asked.
    processes : int, optional
        How many at once; by default as many as there are processors for it.
    watcher : Watcher, optional
        Is told how far it is.

    Returns
    -------
    dict
        The manifest: counts, what could not be read, and every file with its SHA-256.

    Raises
    ------
    CdssError
        If it cannot begin or go on; what is done stays, and the same call goes on from there.
    """
    source = Source.of(root, options.layout, options.part_rows)
    source.look()
    plan = plan_of(source, options)
    watcher = watcher or Watcher()
    many = processes or _processors()
    with _owned(out, plan), _pool(many) as pool:
        metadata = metadata_of(plan, source)
        _find_doubles(source, out, options.layout, pool, watcher)
        done = _checkpoints(out)
        watcher.begin("assessing", source.total)
        for checkpoint in done.values():
            watcher.advance(checkpoint["size"], checkpoint["rows"])
        unread: list[Unread] = []
        settings = (out, options, metadata)
        blocks = _read(source.blocks(lambda key: key not in done), unread)
        for checkpoint in pool.map(_assess, settings, blocks):
            done[checkpoint["part"]] = checkpoint
            watcher.advance(checkpoint["size"], checkpoint["rows"])
        manifest = _manifest(plan, metadata, done, unread, len(source.files))
        with whole(out / MANIFEST) as path:
            path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    return manifest


def _processors() -> int:
    mine = getattr(os, "sched_getaffinity", None)
    return len(mine(0)) if mine else os.cpu_count() or 1


def _read(blocks: Iterator[Block | Unread], unread: list[Unread]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Unread):
            unread.append(block)
        else:
            yield block


@contextmanager
def _owned(out: Path, plan: dict[str, Any]) -> Iterator[None]:
    """The output folder, this run's alone; refused if it is of another run."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BatchError(f"{out.name}: another run is writing there") from None
        if (out / PLAN).exists():
            before = json.loads((out / PLAN).read_text(encoding="utf-8"))
            if other := sorted(
                k for k in plan.keys() | before.keys() if plan.get(k) != before.get(k)
            ):
                raise BatchError(f"{out.name} is of a run with other {', '.join(other)}")
        elif any(path.name != ".lock" for path in out.iterdir()):
            raise BatchError(f"{out.name} is not empty, and no run began there")
        else:
            with whole(out / PLAN) as path:
                path.write_text(json.dumps(plan, indent=1), encoding="utf-8")
        for folder in (RESULTS, ADVICE, REJECTED, CHECKPOINTS):
            (out / folder).mkdir(mode=0o700, exist_ok=True)
            for left in (out / folder).glob(".*.tmp"):
                left.unlink(missing_ok=True)
        yield


def _checkpoints(out: Path) -> dict[str, dict[str, Any]]:
    """Parts that are done: every file of theirs is there, as long as it was written."""
    done = {}
    for path in sorted((out / CHECKPOINTS).glob("*.json")):
        checkpoint = json.loads(path.read_text(encoding="utf-8"))
        sizes = {name: out / name for name in checkpoint["files"]}
        if all(
            file.is_file() and file.stat().st_size == checkpoint["files"][name]["bytes"]
            for name, file in sizes.items()
        ):
            done[checkpoint["part"]] = checkpoint
    return done


def _find_doubles(source: Source, out: Path, layout: Layout, pool: _Pool, watcher: Watcher) -> None:
    """Before anybody is assessed: who occurs twice, anywhere."""
    if (out / TWICE).exists():
        return
    watcher.begin("identifying", source.total)
    doubles = Doubles(out / ".marks")
    wanted = [layout.id, *([layout.index_date] if isinstance(layout.index_date, str) else [])]
    blocks = _read(source.blocks(lambda key: True, wanted), [])
    for found, size in pool.map(_mark, layout, blocks):
        doubles.add(found)
        watcher.advance(size, len(found))
    with whole(out / TWICE) as path, path.open("wb") as file:
        np.save(file, doubles.result())


def _mark(layout: Layout, block: Block) -> tuple[Any, int]:
    return marks(*who(block, layout)), block.size


_ready: dict[Path, Assessor] = {}
"""In a process: what assesses, made once."""


def _assess(settings: tuple[Path, Options, dict[str, str]], block: Block) -> dict[str, Any]:
    out, options, metadata = settings
    if out not in _ready:
        place, models = options.asked()
        double = doubled(np.load(out / TWICE))
        _ready.clear()
        _ready[out] = Assessor(
            out, models, place, options.layout, double, metadata,
            contributions=options.contributions,
        )  # fmt: skip
    found = _ready[out].assess(block)
    pa.default_memory_pool().release_unused()
    return found


class _Pool:
    """
    Some processes, and never more blocks in memory than they need.

    One process is this one.
    """

    def __init__(self, pool: ProcessPoolExecutor | None, many: int) -> None:
        self._pool, self._most = pool, many

    def map(
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
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise BatchError(f"cannot be written: {reason}") from error


@contextmanager
def _pool(many: int) -> Iterator[_Pool]:
    if many == 1:
        yield _Pool(None, 1)
        return
    for library in ("OPENBLAS", "OMP", "MKL"):  # one thread each: the processes are the threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    with ProcessPoolExecutor(many, get_context("spawn"), initializer=_begin) as pool:
        try:
            yield _Pool(pool, many)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


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


def _manifest(
    plan: dict[str, Any],
    metadata: dict[str, str],
    done: dict[str, dict[str, Any]],
    unread: list[Unread],
    files: int,
) -> dict[str, Any]:
    """All there is to say of a run; the same for the same run, however often it was interrupted."""
    parts = [done[key] for key in sorted(done)]
    lost = [{"file": u.file, "reason": u.reason, "rows": u.rows} for u in unread]
    lost += [each for part in parts for each in part["unread"]]
    problems: Counter[str] = Counter()
    for part in parts:
        problems.update(part["problems"])
    counts = {n: sum(part[n] for part in parts) for n in ("rows", "people", "rejected", "results")}
    if counts["rows"] != counts["people"] + counts["rejected"]:
        raise BatchError("the counts do not add up")
    said = {key: value for key, value in metadata.items() if key not in ("cdss.models",)}
    return {
        **plan,
        "notice": NOTICE,
        "metadata": said,
        "counts": {**counts, "files": files, "files_unread": len({each["file"] for each in lost})},
        "problems": dict(sorted(problems.items())),
        "unread": lost,
        "parts": [{k: v for k, v in part.items() if k not in ("unread", "size")} for part in parts],
    }
