"""Writing a population: parts over processes, each the same bytes whoever writes it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa

from cdss import __version__
from cdss.batch.part import whole
from cdss.errors import BatchError
from cdss.synthetic.columns import SCHEMA, comes, table_of
from cdss.synthetic.draw import draw_persons, draw_visits
from cdss.synthetic.files import PartFile
from cdss.synthetic.model import Model, load_model
from cdss.synthetic.outcomes import OUTCOME_SCHEMA, outcomes_of
from cdss.synthetic.places import Places, make_places, province_names
from cdss.synthetic.plan import BLOCK, LABEL, PART, Plan, drift_of

OUTCOMES = "outcomes"
MANIFEST, README = "manifest.json", "README.txt"


def write_population(
    out: Path,
    plan: Plan,
    *,
    processes: int = 1,
    told: Callable[[int], None] = lambda people: None,
) -> dict[str, Any]:
    """
    Write a population.

    Parameters
    ----------
    out : Path
        A new or empty folder.
    plan : Plan
        Which.
    processes : int
        How many at once; the files are the same for any number.
    told : callable
        Is told, as they are written, how many more people there are.

    Returns
    -------
    dict
        The manifest: counts, sources, and every file with its size and SHA-256.

    Raises
    ------
    CdssError
        If the folder has something in it, or there is no such country or scenario.
    """
    load_model(plan.country, plan.scenario)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BatchError(f"{out.name} is not an empty folder")
    for name in (*plan.years, *([OUTCOMES] if plan.outcomes else [])):
        (out / str(name)).mkdir(parents=True)
    parts = range(-(-plan.people // PART))
    files: dict[str, Any] = {}
    try:
        with ExitStack() as stack:
            run: Any = map
            if processes > 1 and len(parts) > 1:
                run = stack.enter_context(_pool(min(processes, len(parts)))).map
            for people, written in run(partial(_write, out, plan), parts):
                files |= written
                told(people)
    except BrokenProcessPool:
        raise BatchError("a process was ended from outside, perhaps for want of memory") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BatchError(f"cannot be written: {reason}") from error
    manifest = _manifest(plan, files)
    for name, text in ((MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False)),
                       (README, _readme(plan, manifest))):  # fmt: skip
        with whole(out / name) as path:
            path.write_text(text, encoding="utf-8")
    return manifest


def processors() -> int:
    """
    Count the processors there are for this process.

    Returns
    -------
    int
        At least 1.
    """
    mine = getattr(os, "sched_getaffinity", None)
    return len(mine(0)) if mine else os.cpu_count() or 1


def _pool(many: int) -> ProcessPoolExecutor:
    for library in ("OPENBLAS", "OMP", "MKL"):  # one thread each: the processes are the threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    return ProcessPoolExecutor(many, get_context("spawn"))


@lru_cache(maxsize=2)
def _ready(country: str, scenario: str, seed: int) -> tuple[Model, Places]:
    pa.set_cpu_count(1)
    model = load_model(country, scenario)
    return model, make_places(country, model.decisions["spread"], seed)


def _write(out: Path, plan: Plan, part: int) -> tuple[int, dict[str, Any]]:
    """Write one part of every year; its people, and the files with their counts and digests."""
    model, places = _ready(plan.country, plan.scenario, plan.seed)
    many = min(PART, plan.people - part * PART)
    names = [*map(str, plan.years), *([OUTCOMES] if plan.outcomes else [])]
    written = {}
    with ExitStack() as stack:
        sinks = []
        for name in names:
            file = f"{name}/part-{part:05d}.parquet"
            path = stack.enter_context(whole(out / file))
            schema = OUTCOME_SCHEMA if name == OUTCOMES else SCHEMA
            sinks.append((file, stack.enter_context(PartFile(path, schema, plan.metadata()))))
        first = part * (PART // BLOCK)
        for block in range(first, first + -(-many // BLOCK)):
            for batch, (_, sink) in zip(draw_block(model, places, plan, block), sinks, strict=True):
                sink.add(batch)
        for file, sink in sinks:
            written[file] = sink.close()
    return many, written


def draw_block(model: Model, places: Places, plan: Plan, block: int) -> list[Any]:
    """
    Draw a block in every year.

    Parameters
    ----------
    model : Model
        What to draw from.
    places : Places
        Where people live.
    plan : Plan
        Which population.
    block : int
        Which block of it.

    Returns
    -------
    list of pyarrow.RecordBatch
        One a year, of those who came; and, if they are asked for, their outcomes.
    """
    first = block * BLOCK
    many = min(BLOCK, plan.people - first)
    persons = draw_persons(model, places, plan.seed, block, first + 1, many, plan.years[0])
    found, later = [], []
    for at, year in enumerate(plan.years):
        drift = drift_of(model, plan, year)
        visits = draw_visits(model, places, persons, plan.seed, block, year, drift)
        known = visits["hypertension"] | visits["diabetes"]
        chosen = comes(model, persons, known, len(plan.years), at, plan.seed, block)
        batch = table_of(model, places, persons, visits, chosen, plan.seed, block, year)
        found.append(batch)
        if plan.outcomes:
            later += outcomes_of(model, visits, chosen, batch, plan.seed, block, year,
                                 year - plan.years[0])  # fmt: skip
    return [*found, *([pa.concat_batches(later)] if later else [])]


def _manifest(plan: Plan, files: dict[str, Any]) -> dict[str, Any]:
    counted: Counter[str] = Counter()
    for name, each in files.items():
        counted[name.split("/")[0]] += each["rows"]
    return {
        "synthetic": True,
        "label": LABEL,
        "plan": asdict(plan) | {"years": list(plan.years)},
        "metadata": plan.metadata(),
        "rows": dict(sorted(counted.items())),
        "columns": SCHEMA.names,
        "provinces": province_names(plan.country),
        "files": dict(sorted(files.items())),
    }


def _readme(plan: Plan, manifest: dict[str, Any]) -> str:
    return f"""{LABEL}

Made by cdss {__version__}: {plan.people} made-up people, scenario "{plan.scenario}", seed
{plan.seed}.
Their margins are calibrated to figures published of Viet Nam, where there are any; their joint
structure is that of cohorts of other countries. For rehearsal, load tests and teaching.
Rows: {", ".join(f"{year}: {rows}" for year, rows in manifest["rows"].items())}.

DỮ LIỆU TỔNG HỢP: không có ai trong dữ liệu này là người thật. Không phải bằng chứng về Việt Nam.
"""
