"""
A population, drawn and written: ``python -m training.benchmarks.population --rows 1000000``.

``cdss population`` as anybody runs it, on one processor, start-up included: people a second, of the
clock and of the processor, and resident memory; of a longer run too (``--sustained 20000000``).
Ends with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

LEAST_RATE, MOST_MEGABYTES = 200_000, 1000
"""People a second on one processor; resident memory of all processes."""


class Measured(NamedTuple):
    """A run: people, seconds of the clock and of the processor, most megabytes, bytes written."""

    people: int
    seconds: float
    processor: float
    megabytes: float
    size: int


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


def run(out: Path, rows: int, processes: int) -> Measured:
    """One year of one population, with one thread a process."""
    command = [
        sys.executable, "-c", "from cdss.cli import main; main()", "population", str(out),
        "--n", str(rows), "--processes", str(processes),
    ]  # fmt: skip
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    start, most, before = time.perf_counter(), 0.0, os.times()
    running = subprocess.Popen(
        command, env=os.environ | threads, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while running.poll() is None:
        most = max(most, resident(running.pid))
        time.sleep(0.05)
    if running.returncode:
        sys.exit(f"it ended with {running.returncode}")
    taken, after = time.perf_counter() - start, os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    shutil.rmtree(out)
    return Measured(rows, taken, spent, most, size)


def main() -> None:
    """Measure, show, and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sustained", type=int, default=0, help="people of a second, longer run")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; removed at the end")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        found = [
            run(folder / "out", rows, asked.processes)
            for rows in filter(None, (asked.rows, asked.sustained))
        ]
    finally:
        shutil.rmtree(folder)
    console, met = Console(width=110), []
    shown = Table()
    for column in ("what", "measured", "target", ""):
        shown.add_column(column, justify="left" if column == "what" else "right")
    for one in found:
        # other programs share the machine: a second of the processor is a second of one core
        rate = one.people / one.processor
        console.print(
            f"{one.people:,} people: {one.people / one.seconds:,.0f} a second by the clock, load "
            f"{os.getloadavg()[0]:.1f}; {one.size / one.people:.0f} bytes each"
        )
        for what, measured, target, good in (
            (f"people a second of a core, {one.people:,} people", rate, LEAST_RATE,
             rate >= LEAST_RATE),
            ("  resident megabytes, all processes", one.megabytes, MOST_MEGABYTES,
             one.megabytes <= MOST_MEGABYTES),
        ):  # fmt: skip
            shown.add_row(what, f"{measured:,.0f}", f"{target:,}", "met" if good else "MISSED")
            met.append(good)
    console.print(shown)
    if not all(met):
        sys.exit(1)


if __name__ == "__main__":
    main()
