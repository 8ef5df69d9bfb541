"""A real cluster of Spark: a master and workers, each a process, on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark

_SPARK = Path(pyspark.__file__).parent
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_NO_PANDAS = """
import sys

class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

sys.meta_path.insert(0, NoPandas())
"""
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # these live for a minute
SETTINGS = {
    "spark.cores.max": "2",
    "spark.driver.extraJavaOptions": _QUICK,
    "spark.executor.extraJavaOptions": _QUICK,
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class Cluster:
    """A master and two workers with two cores; what executors run has no pandas."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        without = folder / "without"
        without.mkdir()
        (without / "sitecustomize.py").write_text(_NO_PANDAS)
        paths = os.environ.get("PYTHONPATH", "")
        self._environment = os.environ | {
            "SPARK_HOME": str(_SPARK),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": _QUICK,
            "SPARK_LOCAL_DIRS": str(folder / "scratch"),
            "PYTHONPATH": os.pathsep.join([str(without), *filter(None, [paths])]),
        }
        self.settings = SETTINGS | {
            "spark.executorEnv.PYTHONPATH": self._environment["PYTHONPATH"],
        }
        self._master, log = self._start(_MASTER, [])
        self.address = _said(self._master, log, r"Starting Spark master at (spark://\S+)")
        self.workers: list[subprocess.Popen[bytes]] = []
        begun = [self._begin_worker() for _ in range(2)]
        for worker, log in begun:
            _said(worker, log, r"(Successfully registered) with master")

    def add_worker(self) -> None:
        """Begin one more, and wait until the master knows it."""
        _said(*self._begin_worker(), r"(Successfully registered) with master")

    def executors(self, worker: int) -> list[int]:
        """Processes of a worker that run tasks now."""
        pid = self.workers[worker].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def kill_executors(self, worker: int) -> int:
        """Kill them, as the kernel does if there is no memory."""
        found = self.executors(worker)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def kill_worker(self, worker: int) -> None:
        """Kill it with its executors, as if the machine were gone."""
        self.workers[worker].kill()
        self.kill_executors(worker)
        self.workers.pop(worker).wait()

    def stop(self) -> None:
        """End all."""
        while self.workers:
            self.kill_worker(0)
        self._master.kill()
        self._master.wait()

    def _begin_worker(self) -> tuple[subprocess.Popen[bytes], Path]:
        asked = ["--cores", "2", "--memory", "2g", "--work-dir", str(self._folder / "work")]
        worker, log = self._start(_WORKER, [*asked, self.address])
        self.workers.append(worker)
        return worker, log

    def _start(self, what: str, arguments: list[str]) -> tuple[subprocess.Popen[bytes], Path]:
        self._count += 1
        log = self._folder / f"{self._count}.log"
        command = [str(_SPARK / "bin" / "spark-class"), what, "--host", "127.0.0.1"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, "--port", "0", "--webui-port", "0", *arguments],
                env=self._environment, stdout=file, stderr=file,
            )  # fmt: skip
        return process, log


def _said(process: subprocess.Popen[bytes], log: Path, pattern: str) -> str:
    """What a process writes once it is ready."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"Spark did not begin: {log.read_text(errors='replace')[-2000:]}")


def possible() -> bool:
    """Whether there is a Java to run it."""
    return shutil.which("java") is not None or "JAVA_HOME" in os.environ


@contextmanager
def session(cluster: Cluster) -> Iterator[Any]:
    """A session of Spark whose executors are the cluster's."""
    from pyspark.sql import SparkSession

    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    builder = SparkSession.builder.master(cluster.address).appName("tests")
    for name, value in cluster.settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()
