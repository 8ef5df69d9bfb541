"""A run: in parts, on any engine, and on from where it stopped, however it stopped."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cdss.batch.block import Unread
from cdss.batch.engine import ATTEMPTS, TWICE, Engine, Job, Watcher
from cdss.batch.local import processes as on_processes
from cdss.batch.part import CHECKPOINTS, FOLDERS, whole
from cdss.batch.plan import NOTICE, Options, metadata_of, plan_of
from cdss.batch.source import Source
from cdss.errors import BatchError

PLAN, MANIFEST = "plan.json", "manifest.json"


def run(
    root: Path,
    out: Path,
    options: Options,
    *,
    processes: int | None = None,
    engine: AbstractContextManager[Engine] | None = None,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """
    Assess everybody in files, or go on with it.

    Parameters
    ----------
    root : Path
        A file, or a folder of files of one kind.
    out : Path
        A new or empty folder, or that of the same run, on whatever engine it began.
    options : Options
        What is asked.
    processes : int, optional
        How many at once on this machine; by default as many as there are processors for it.
    engine : context manager of Engine, optional
        Begins what does the work; by default processes of this machine.
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
    source = Source.of(root.absolute(), options.layout, options.part_rows)
    source.look()
    plan, out, watcher = plan_of(source, options), out.absolute(), watcher or Watcher()
    with _owned(out, plan), engine or on_processes(processes) as working:
        metadata = metadata_of(plan, source)
        job = Job(source, out, options, metadata, watcher)
        try:
            if not (out / TWICE).exists():
                watcher.begin("identifying", source.total)
                twice = working.identify(job)
                with whole(out / TWICE) as path, path.open("wb") as file:
                    np.save(file, twice)
            done = _checkpoints(out)
            watcher.begin("assessing", source.total)
            for checkpoint in done.values():
                watcher.advance(checkpoint["size"], checkpoint["rows"])
            unread = working.assess(job, done)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise BatchError(f"cannot be written: {reason}") from error
        shutil.rmtree(out / ATTEMPTS, ignore_errors=True)
        manifest = _manifest(plan, metadata, done, unread, len(source.files))
        with whole(out / MANIFEST) as path:
            path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    return manifest


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
        for folder in FOLDERS:
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
        else:
            path.unlink()  # and it is done again
    return done


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
