"""
A population, Parquet to Parquet: ``python -m training.benchmarks.batch --rows 1000000``.

Every released model that the jurisdiction prefers with the equations of the WHO and FINDRISC,
contributions, intervals and advice; ``cdss batch`` as anybody runs it, start-up included. With
``--sustained 20000000`` the same again for so many, to see that neither memory nor the time a row
grows. Beside it, in the same run and on as many processors, `pred_contribs` of xgboost for the
trees of the same trained models and the people these models apply to. Ends with 1 if a target is
missed. People are random: nobody's, and no population. All that is written is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from rich.console import Console
from rich.table import Table

from cdss.batch.encode import encode
from cdss.batch.layout import Layout
from cdss.bundle import load_models
from cdss.equations import published_models
from cdss.jurisdiction import load_jurisdiction, select
from cdss.limits import found_in
from cdss.risk import RiskModel, column_matrix
from training.benchmarks.explained_graph import champion
from training.benchmarks.random_people import write
from training.data import ROOT

LEAST_RATE, LEAST_RATIO, MOST_MEGABYTES, MOST_SLOWER = 50_000, 25, 1000, 1.1
"""
People a second on two processors; times pred_contribs; resident memory of all processes; time a row
of the sustained run, of that of the other.
"""

MANY = 100_000_000
"""People for whom the time is extrapolated."""

CONTRIBS_ROWS, TRIES = 8_000, 3


def _command(source: Path, out: Path, processes: int, models: list[str]) -> list[str]:
    command = [sys.executable, "-m", "cdss.batch", str(source), str(out)]
    return [*command, "--processes", str(processes), *(f"--model={model}" for model in models)]


def resident(pid: int) -> float:
    """Megabytes of a process and of those it started."""
    found, total = [pid], 0.0
    for one in found:
        try:
            found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except OSError:  # it has ended
            continue
        total += pages * os.sysconf("SC_PAGESIZE") / 1e6
    return total


class Measured(NamedTuple):
    """A run: people, seconds, seconds of the processor, most megabytes of all processes, counts."""

    people: int
    seconds: float
    processor: float
    megabytes: float
    counts: dict[str, int]

    @property
    def rate(self) -> float:
        """People a second."""
        return self.people / self.seconds


def run(source: Path, out: Path, processes: int, models: list[str]) -> Measured:
    """``cdss batch``, as anybody runs it."""
    command = _command(source, out, processes, models)
    start, most, before = time.perf_counter(), 0.0, os.times()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        most = max(most, resident(running.pid))
        time.sleep(0.05)
    if running.returncode not in (0, 4):  # 4: somebody was rejected
        sys.exit(f"the batch ended with {running.returncode}")
    taken, after = time.perf_counter() - start, os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    return Measured(counts["rows"], taken, spent, most, counts)


def killed(
    source: Path, out: Path, processes: int, models: list[str], times: int, took: float
) -> int:
    """Kill the same run at random moments and let it go on; how often it was still running."""
    rng, interrupted = np.random.default_rng(0), 0
    command = _command(source, out, processes, models)
    for _ in range(times):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.02, 0.15) * took)
        interrupted += running.poll() is None
        running.kill()
        running.wait()
    run(source, out, processes, models)
    return interrupted


def applicable(source: Path, model: RiskModel) -> tuple[np.ndarray, float]:
    """What the model sees of the first people it applies to, and to what share it applies."""
    with pq.ParquetFile(source) as file:
        table = pa.Table.from_batches([next(file.iter_batches(4 * CONTRIBS_ROWS))])
    layout, numbers = Layout(), np.arange(table.num_rows)
    people, _ = encode(table, layout, file="", numbers=numbers)
    able = ~found_in(model.objections, people.table, len(people)).any(axis=1)
    x = column_matrix(people.table, model.predictors)[able]
    return x[:CONTRIBS_ROWS].astype(np.float32), len(x) / table.num_rows


def contribs(source: Path, trained: list[RiskModel], threads: int) -> tuple[float, float]:
    """
    Seconds a person, and of the processor, of `pred_contribs` for the trees of these models.

    The best of a few; only of the people a model applies to. That is all it does: its data lies
    ready in memory, nothing is read, refused, added up to a probability, recalibrated, judged or
    written, and of a blend the spline is left out.
    """
    total, spent = 0.0, 0.0
    for model in trained:
        booster = champion(ROOT / "training" / "champions" / model.id).booster
        booster.set_param({"nthread": threads})
        x, share = applicable(source, model)
        data = xgboost.DMatrix(x, nthread=threads)
        rounds = (0, booster.num_boosted_rounds())  # the trees of the graph, which has them all
        taken = []
        for _ in range(TRIES):
            start, processor = time.perf_counter(), time.process_time()
            booster.predict(data, pred_contribs=True, iteration_range=rounds)
            taken.append((time.perf_counter() - start, time.process_time() - processor))
        total += min(seconds for seconds, _ in taken) * share / len(x)
        spent += min(seconds for _, seconds in taken) * share / len(x)
    return total, spent


def measure(
    folder: Path, asked: argparse.Namespace, models: list[str], trained: list[RiskModel]
) -> tuple[list[Measured], tuple[float, float]]:
    """Every run, the sustained one last, and what `contribs` gives."""
    source, out, found = folder / "in.parquet", folder / "out", []
    write(source, asked.rows)
    found.append(run(source, out, asked.processes, models))
    peer = contribs(source, trained, asked.processes)
    if asked.kills:
        again = folder / "again"
        count = killed(source, again, asked.processes, models, asked.kills, found[0].seconds)
        first, other = (json.loads((each / "manifest.json").read_text()) for each in (out, again))
        differs = [key for key in first if first[key] != other.get(key)]
        print(f"killed {count} times while running: {'OTHER' if differs else 'the same'} files")
        if differs:
            sys.exit(f"the manifests differ in {', '.join(differs)}")
        shutil.rmtree(again)
    if asked.sustained:
        shutil.rmtree(out)
        write(source, asked.sustained)
        found.append(run(source, out, asked.processes, models))
    return found, peer


def judge(found: list[Measured], peer: tuple[float, float]) -> list[tuple[str, float, float, bool]]:
    """Each target: what was measured, what is wanted, whether it is met."""
    first, last = found[0], found[-1]
    ratio = first.rate * peer[0]
    judged = []
    for one in found:
        judged += [
            (f"people a second, {one.people:,} people", one.rate, LEAST_RATE,
             one.rate >= LEAST_RATE),
            ("  resident megabytes, all processes", one.megabytes, MOST_MEGABYTES,
             one.megabytes <= MOST_MEGABYTES),
        ]  # fmt: skip
    judged.append((f"times pred_contribs ({1 / peer[0]:,.0f} people/s)", ratio, LEAST_RATIO,
                   ratio >= LEAST_RATIO))  # fmt: skip
    if last is not first:
        slower = first.rate / last.rate
        judged.append((f"time a row at {last.people:,}, of that at {first.people:,}", slower,
                       MOST_SLOWER, slower <= MOST_SLOWER))  # fmt: skip
    return judged


def main() -> None:
    """Measure, show, and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sustained", type=int, default=0, help="people of a second, longer run")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0, help="kill -9 so often, and compare")
    parser.add_argument("--folder", type=Path, help="where to work; removed at the end")
    asked = parser.parse_args()
    loaded = [*load_models(), *published_models()]
    wanted = ("who-", "findrisc", "modasian")
    chosen = [
        m for m in select(loaded, load_jurisdiction())
        if "equation" not in m.facts or m.id.startswith(wanted)
    ]  # fmt: skip
    trained = [m for m in chosen if isinstance(m, RiskModel) and "equation" not in m.facts]
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        found, peer = measure(folder, asked, [m.id for m in chosen], trained)
    finally:
        shutil.rmtree(folder)
    console = Console(width=110)
    console.print(", ".join(m.id for m in chosen), f"; {asked.processes} processes")
    for one in found:
        each = one.processor / one.people
        console.print(one.counts)
        console.print(
            f"processor: {1e6 * each:.1f} µs a person, with everything; pred_contribs "
            f"{1e6 * peer[1]:,.0f} µs; {peer[1] / each:.1f} times; load {os.getloadavg()[0]:.1f}"
        )
    if asked.sustained:
        hours = MANY / found[-1].rate / 3600
        console.print(f"{MANY:,} people: {hours:.2f} hours, extrapolated from the last run")
    shown = Table()
    for column in ("what", "measured", "target", ""):
        shown.add_column(column, justify="left" if column == "what" else "right")
    judged = judge(found, peer)
    for what, measured, target, met in judged:
        digits = 2 if target < 10 else 1 if target < 100 else 0
        shown.add_row(what, f"{measured:,.{digits}f}", f"{target:,}", "met" if met else "MISSED")
    console.print(shown)
    if not all(met for *_, met in judged):
        sys.exit(1)


if __name__ == "__main__":
    main()
