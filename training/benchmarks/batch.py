"""
A population, Parquet to Parquet: ``python -m training.benchmarks.batch --rows 1000000``.

Every released model that the jurisdiction prefers with the equations of the WHO and FINDRISC,
contributions, intervals and advice; ``cdss batch`` as anybody runs it, start-up included. Beside
it, in the same run and on as many processors, `pred_contribs` of xgboost for the trees of the same
trained models. Ends with 1 if a target is missed. People are random: nobody's, and no population.
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
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from rich.console import Console
from rich.table import Table

from cdss.bundle import load_models
from cdss.equations import published_models
from cdss.jurisdiction import load_jurisdiction, select
from cdss.variables import VARIABLES
from training.benchmarks.explained_graph import champion
from training.data import ROOT

LEAST_RATE, LEAST_RATIO, MOST_MEGABYTES = 50_000, 25, 1000
"""People a second on two processors; times pred_contribs; resident memory of all processes."""

AT_ONCE = 131_072
CONTRIBS_ROWS = 4_000
QUANTITIES = {  # mean, standard deviation, ends, decimals
    "height": (160, 8, 135, 190, 0), "weight": (58, 9, 35, 110, 1), "waist": (82, 9, 55, 120, 0),
    "systolic_bp": (128, 17, 85, 210, 0), "heart_rate": (76, 10, 45, 130, 0),
}  # fmt: skip
LABORATORY = {  # and the share without it among those who have a laboratory
    "total_cholesterol": (5.1, 1, 2.5, 9.5, 2, 0.02),
    "hdl_cholesterol": (1.3, 0.3, 0.6, 2.2, 2, 0.1),
    "ldl_cholesterol": (3.1, 0.8, 1, 6.5, 2, 0.1), "triglycerides": (1.7, 0.8, 0.4, 8, 2, 0.1),
    "fasting_glucose": (5.5, 1.1, 3.2, 15, 1, 0.02), "hba1c": (5.7, 0.7, 4, 12, 1, 0.7),
    "creatinine": (76, 15, 35, 200, 0, 0.1), "uacr": (15, 10, 1, 300, 0, 0.8),
    "alt": (25, 9, 5, 200, 0, 0.2), "ast": (24, 8, 5, 200, 0, 0.2), "ggt": (30, 12, 5, 300, 0, 0.5),
    "uric_acid": (310, 70, 120, 700, 0, 0.5),
}  # fmt: skip
YES_NO = {  # share of yes, share unknown
    "current_smoker": (0.22, 0.05), "diabetes": (0.08, 0.02), "prior_cvd": (0.04, 0.02),
    "bp_treated": (0.15, 0.05), "hypertension": (0.25, 0.05), "on_statin": (0.05, 0.1),
    "family_history_diabetes": (0.12, 0.2), "physically_active": (0.6, 0.2), "ckd": (0.03, 0.1),
    "daily_vegetables": (0.6, 0.2), "ever_high_glucose": (0.1, 0.2), "drinks_alcohol": (0.4, 0.2),
    "pregnant": (0.0, 0.0),
}  # fmt: skip


def people(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random people aged 30 to 79, four tenths of them without a laboratory, encoded."""
    found = {
        "age": rng.integers(30, 80, count).astype(float),
        "sex": rng.integers(0, 2, count).astype(float),
    }
    for name, (mean, spread, low, high, digits) in QUANTITIES.items():
        found[name] = np.round(rng.normal(mean, spread, count), digits).clip(low, high)
    pressure = np.round(found["systolic_bp"] * 0.62 + rng.normal(0, 5, count))
    found["diastolic_bp"] = np.minimum(pressure, found["systolic_bp"] - 15).clip(45, 120)
    for name, (yes, unknown) in YES_NO.items():
        said = (rng.random(count) < yes).astype(float)
        found[name] = np.where(rng.random(count) < unknown, np.nan, said)
    without = rng.random(count) < 0.4
    for name, (mean, spread, low, high, digits, missing) in LABORATORY.items():
        values = np.round(rng.normal(mean, spread, count), digits).clip(low, high)
        found[name] = np.where(without | (rng.random(count) < missing), np.nan, values)
    return found


def write(path: Path, rows: int) -> None:
    """Write them as anybody would, a row group of the usual size at a time."""
    rng, writer = np.random.default_rng(0), None
    for first in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - first)
        columns = {
            "person_id": pa.array([f"P{at:010d}" for at in range(first, first + count)]),
            "index_date": pa.array(np.full(count, np.datetime64(date(2026, 11, 22)))),
        }
        for name, values in people(count, rng).items():
            unknown, choices = np.isnan(values), VARIABLES[name].choices
            if VARIABLES[name].kind == "yes_no":
                columns[name] = pa.array(values == 1, mask=unknown)
            elif choices:
                columns[name] = pa.array(np.array(choices)[values.astype(int)])
            else:
                columns[name] = pa.array(values, mask=unknown)
        part = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer is not None
    writer.close()


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


def run(source: Path, out: Path, processes: int, models: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and most megabytes of ``cdss batch``."""
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
    return taken, spent - before.children_user - before.children_system, most


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


def contribs(trained: list[str], threads: int) -> tuple[float, float]:
    """Seconds a person, and of the processor, of `pred_contribs` for the trees of these models."""
    total, spent = 0.0, 0.0
    for name in trained:
        subject = champion(ROOT / "training" / "champions" / name)
        subject.booster.set_param({"nthread": threads})
        data = xgboost.DMatrix(subject.x[:CONTRIBS_ROWS], nthread=threads)
        start, processor = time.perf_counter(), time.process_time()
        subject.booster.predict(data, pred_contribs=True)
        total += (time.perf_counter() - start) / CONTRIBS_ROWS
        spent += (time.process_time() - processor) / CONTRIBS_ROWS
    return total, spent


def main() -> None:
    """Measure, show, and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0, help="kill -9 so often, and compare")
    parser.add_argument("--folder", type=Path, help="where to work; removed at the end")
    asked = parser.parse_args()
    loaded = [*load_models(), *published_models()]
    wanted = ("who-", "findrisc", "modasian")
    models = [
        m.id for m in select(loaded, load_jurisdiction())
        if "equation" not in m.facts or m.id.startswith(wanted)
    ]  # fmt: skip
    trained = [m.id for m in loaded if m.id in models and "equation" not in m.facts]
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        write(folder / "in.parquet", asked.rows)
        took, spent, most = run(folder / "in.parquet", folder / "out", asked.processes, models)
        manifest = json.loads((folder / "out/manifest.json").read_text())
        if asked.kills:
            count = killed(folder / "in.parquet", folder / "again", asked.processes, models,
                           asked.kills, took)  # fmt: skip
            same = json.loads((folder / "again/manifest.json").read_text()) == manifest
            print(
                f"killed {count} times while running: {'the same' if same else 'DIFFERENT'} files"
            )
            if not same:
                sys.exit(1)
    finally:
        shutil.rmtree(folder)
    each, each_spent = contribs(trained, asked.processes)
    rate = asked.rows / took
    console = Console(width=110)
    console.print(f"{asked.rows:,} people, {', '.join(models)}; {asked.processes} processes")
    console.print(manifest["counts"])
    console.print(
        f"processor: {1e6 * spent / asked.rows:.1f} µs a person, with everything; pred_contribs "
        f"{1e6 * each_spent:,.0f} µs; {each_spent * asked.rows / spent:.0f} times"
    )
    shown = Table()
    for column in ("what", "measured", "target", ""):
        shown.add_column(column, justify="left" if column == "what" else "right")
    judged = [
        ("people a second, start-up included", rate, LEAST_RATE, rate >= LEAST_RATE),
        (f"times pred_contribs ({1 / each:,.0f} people/s)", rate * each, LEAST_RATIO,
         rate * each >= LEAST_RATIO),
        ("resident megabytes, all processes", most, MOST_MEGABYTES, most <= MOST_MEGABYTES),
    ]  # fmt: skip
    for what, measured, target, met in judged:
        shown.add_row(what, f"{measured:,.0f}", f"{target:,}", "met" if met else "MISSED")
    console.print(shown)
    if not all(met for *_, met in judged):
        sys.exit(1)


if __name__ == "__main__":
    main()
