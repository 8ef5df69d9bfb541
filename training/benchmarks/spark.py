"""
One machine or Spark: ``python -m training.benchmarks.spark --rows 1000000``.

The same people and models as ``training.benchmarks.batch``, with the engine of one machine and with
Spark's on as many cores: ``local-cluster``, a master and an executor of its own for each core, as
processes. Start-up is measured apart: of Spark the session and a task in each executor that loads
the models; of one machine a run over very few people. The parts both write must be the same, byte
for byte. With ``--frame`` also `cdss.spark.assess`, from Parquet to Parquet by Spark. Ends with
1 if the target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from cdss.batch.plan import Options
from cdss.batch.run import run
from cdss.bundle import load_models
from cdss.equations import published_models
from cdss.jurisdiction import load_jurisdiction, select
from cdss.spark import assess
from cdss.spark.cluster import Cluster
from training.benchmarks.batch import write

LEAST_SHARE = 0.6
"""Of the throughput of one machine."""

FEW = 2_000
QUIET = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "40960",
    "spark.sql.shuffle.partitions": "4",
    "spark.log.level": "ERROR",
}


def session(cores: int) -> SparkSession:
    """A cluster of its own: an executor with one core for each."""
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    builder = SparkSession.builder.master(f"local-cluster[{cores},1,1024]")
    for name, value in QUIET.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file, by the manifest."""
    parts = json.loads((out / "manifest.json").read_text())["parts"]
    return {name: file["sha256"] for part in parts for name, file in part["files"].items()}


def measure(folder: Path, asked: argparse.Namespace, options: Options) -> dict[str, float]:
    """Seconds of everything."""
    source, few = folder / "in.parquet", folder / "few.parquet"
    write(source, asked.rows)
    write(few, FEW)
    found = {}

    def local(of: Path, name: str) -> Callable[[], Any]:
        return lambda: run(of, folder / name, options, processes=asked.cores)

    found["local, start"] = seconds(local(few, "few-local"))
    found["local"] = seconds(local(source, "local"))
    start = time.perf_counter()
    spark = session(asked.cores)
    try:
        working = nullcontext(Cluster(spark))

        def cluster(of: Path, name: str) -> Callable[[], Any]:
            return lambda: run(of, folder / name, options, engine=working)

        cluster(few, "few-spark")()
        found["spark, start"] = time.perf_counter() - start
        found["spark"] = seconds(cluster(source, "spark"))
        if digests(folder / "local") != digests(folder / "spark"):
            sys.exit("they do not say the same")
        if asked.frame:
            df = spark.read.parquet(str(source)).repartition(8 * asked.cores)
            said = assess(df, options.models)
            found["data frame"] = seconds(
                lambda: said.write.option("compression", "zstd").parquet(str(folder / "frame"))
            )
    finally:
        spark.stop()
    return found


def main() -> None:
    """Measure, show, and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--frame", action="store_true", help="measure cdss.spark.assess too")
    parser.add_argument("--folder", type=Path, help="where to work; removed at the end")
    asked = parser.parse_args()
    chosen = [
        m.id for m in select([*load_models(), *published_models()], load_jurisdiction())
        if "equation" not in m.facts or m.id.startswith(("who-", "findrisc", "modasian"))
    ]  # fmt: skip
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        found = measure(folder, asked, Options(models=tuple(chosen)))
    finally:
        shutil.rmtree(folder)
    console = Console(width=100)
    console.print(f"{asked.rows:,} people, {asked.cores} cores, load {os.getloadavg()[0]:.1f}")
    shown = Table("what", "seconds", "people a second")
    net = {"local": found["local"] - found["local, start"], "spark": found["spark"]}
    for name, taken in found.items():
        rate = "" if "start" in name else f"{asked.rows / net.get(name, taken):,.0f}"
        shown.add_row(name, f"{taken:.1f}", rate)
    console.print(shown)
    share = net["local"] / net["spark"]
    verdict = "met" if share >= LEAST_SHARE else "MISSED"
    console.print(
        f"throughput of Spark, of that of one machine, start-up apart: {share:.2f} "
        f"(at least {LEAST_SHARE}): {verdict}"
    )
    if verdict != "met":
        sys.exit(1)


if __name__ == "__main__":
    main()
