"""
Parts that tasks write, and the driver puts in their place.

A task writes a part into a folder of its own and renames the folder when it is whole; the driver
alone puts it in its place, once. So it does not matter how often a task is tried, where, or how it
ends.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdss.batch.block import Unread, block_key
from cdss.batch.engine import ATTEMPTS, Job
from cdss.batch.part import CHECKPOINTS, FOLDERS, Writer, whole
from cdss.batch.source import Source
from cdss.errors import BatchError
from cdss.spark.stretches import Stretch

_AGAIN_SECONDS, _WAIT_SECONDS = 0.5, 60


def blocks_of(
    source: Source,
    stretch: Stretch,
    wanted: Callable[[str], bool],
    columns: Sequence[str] | None = None,
) -> Iterator[Any]:
    """
    Read a stretch, and nothing behind it.

    Parameters
    ----------
    source : Source
        What goes in.
    stretch : Stretch
        Which part of it.
    wanted : callable
        Whether the block of a key is wanted.
    columns : sequence of str, optional
        Columns of a table that are enough.

    Yields
    ------
    Block or Unread
        In order.
    """
    last = stretch.known[-1:]
    for block in source.read(stretch.file, wanted, columns):
        yield block
        if not isinstance(block, Unread) and [block.key] == last:
            return


def write_stretch(source: Source, stretch: Stretch, writer: Writer, out: Path) -> dict[str, Any]:
    """
    Write the parts of a stretch that are not in their place yet; in an executor.

    Parameters
    ----------
    source : Source
        What goes in.
    stretch : Stretch
        Which part of it.
    writer : Writer
        Assesses and writes.
    out : Path
        Where the output is.

    Returns
    -------
    dict
        ``keys`` of what was written, each in a folder of its own, and what is ``unread``: position
        of the file, and the fields of `Unread`.
    """

    def _wanted(key: str) -> bool:
        return stretch.has(key) and not (out / CHECKPOINTS / f"{key}.json").exists()

    keys, unread = [], []
    for block in blocks_of(source, stretch, _wanted):
        if isinstance(block, Unread):
            unread.append([stretch.file, *block])
            continue
        attempt = uuid.uuid4().hex
        folder = out / ATTEMPTS / f".{attempt}"
        folder.mkdir(mode=0o700)
        for name in FOLDERS:
            (folder / name).mkdir()
        writer.write(block, folder)
        folder.rename(folder.with_name(f"{block.key}.{attempt}"))
        keys.append(block.key)
        pa.default_memory_pool().release_unused()
    return {"keys": keys, "unread": unread}


def place(job: Job, done: dict[str, dict[str, Any]]) -> None:
    """
    Put parts that are whole in their place, each once; in the driver.

    Parameters
    ----------
    job : Job
        What there is to do.
    done : dict of str to dict
        Checkpoints of parts that are done; those that become so are added.
    """
    for folder in sorted((job.out / ATTEMPTS).iterdir()):
        if folder.name.startswith("."):
            continue
        key, _ = folder.name.split(".")
        told = (folder / CHECKPOINTS / f"{key}.json").read_text(encoding="utf-8")
        checkpoint = json.loads(told)
        files = checkpoint["files"]
        if key not in done and all((folder / name).exists() for name in files):
            for name in files:
                (folder / name).replace(job.out / name)
            with whole(job.out / CHECKPOINTS / f"{key}.json") as path:
                path.write_text(told, encoding="utf-8")
            done[key] = checkpoint
            job.watcher.advance(checkpoint["size"], checkpoint["rows"])
        shutil.rmtree(folder)


def left_out(
    job: Job, at: int, unread: Unread, done: dict[str, dict[str, Any]], known: set[str]
) -> set[str]:
    """
    Leave out what lies behind the damage of a file, though other tasks could read it.

    Parameters
    ----------
    job : Job
        What there is to do.
    at : int
        Position of the file.
    unread : Unread
        What is wrong with it.
    done : dict of str to dict
        Checkpoints of parts that are done; those that are left out are taken away.
    known : set of str
        Keys of all blocks.

    Returns
    -------
    set of str
        Keys of those that are left out.
    """
    if job.source.kind != "parquet" or unread.rows is None:
        return set()
    good = pq.read_metadata(job.source.files[at]).num_rows - unread.rows
    start = block_key(at, -(-good // job.source.part_rows))
    behind = {key for key in known if start <= key < block_key(at + 1, 0)}
    for key in behind & done.keys():
        (job.out / CHECKPOINTS / f"{key}.json").unlink()
        for name in done.pop(key)["files"]:
            (job.out / name).unlink()
    return behind


def wait_for(job: Job, done: dict[str, dict[str, Any]], wanted: set[str]) -> None:
    """
    Wait until every part is there: a folder shared over a network may show it late.

    Parameters
    ----------
    job : Job
        What there is to do.
    done : dict of str to dict
        Checkpoints of parts that are done; those that become so are added.
    wanted : set of str
        Keys of parts that were written.

    Raises
    ------
    BatchError
        If they do not appear.
    """
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        place(job, done)
        if not (missing := wanted - done.keys()):
            return
        if time.monotonic() > until:
            raise BatchError(
                f"{len(missing)} parts are not in {job.out.name}: is it the same folder for all "
                "executors? The same command goes on"
            )
        time.sleep(_AGAIN_SECONDS)
