"""
What an explained assessment costs over HTTP: ``python -m serving.benchmarks.http``.

Several routes are sent the same body in turn, round after round, so that they share the machine's
noise: ours that assesses, an empty one of the same server, and empty ones of BentoML as it comes
and of FastAPI in uvicorn. An empty route does not even read the body. Ends with 1 if a target is
missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.request import Request, urlopen

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cdss.bundle import SHIPPED
from serving.benchmarks.client import latencies, request_bytes
from serving.benchmarks.process import Server, served

RECORD: dict[str, Any] = {
    "index_date": "2026-11-22",
    "values": {
        "age": 54, "sex": "female", "pregnant": False, "height": 156, "weight": 64.5, "waist": 88,
        "systolic_bp": 132, "diastolic_bp": 82, "heart_rate": 74, "bp_treated": False,
        "smoking": "never", "family_history_diabetes": True, "diabetes": False, "prior_cvd": False,
        "on_statin": False, "total_cholesterol": {"value": 228, "unit": "mg/dL"},
        "hdl_cholesterol": {"value": 50, "unit": "mg/dL"}, "ldl_cholesterol": 3.6,
        "triglycerides": 1.9, "hba1c": 5.9, "fasting_glucose": {"value": 104, "unit": "mg/dL"},
        "creatinine": {"value": 0.77, "unit": "mg/dL"}, "uacr": 9, "alt": 24, "ast": 22, "ggt": 30,
        "uric_acid": 310,
    },
}  # fmt: skip
"""All that a model may ask for, as a check-up records it; nobody's."""

ROUNDS = 20
ADDED = 1.0, 0.5  # of the empty route's p50: target, aim
SPREAD = 5.0  # p99 / p50 at one connection
GROWTH = 5.0  # MB
START = 3.0  # s

_BODY = json.dumps(RECORD).encode()


class Contestant:
    """
    A route that is measured.

    Parameters
    ----------
    name : str
        What is shown.
    port : int
        Of 127.0.0.1.
    path : str
        Path and query that are posted to.
    """

    def __init__(self, name: str, port: int, path: str) -> None:
        self.name, self.port = name, port
        self.request = request_bytes(path, _BODY)
        self.took: dict[int, list[float]] = {}
        self.elapsed: dict[int, float] = {}

    def run(self, connections: int, requests: int) -> None:
        """
        Measure once more.

        Parameters
        ----------
        connections : int
            Kept alive, all busy.
        requests : int
            Altogether.
        """
        start = perf_counter()
        took = latencies(self.port, self.request, connections, requests)
        self.elapsed[connections] = self.elapsed.get(connections, 0.0) + perf_counter() - start
        self.took.setdefault(connections, []).extend(took)

    def percentile(self, connections: int, percent: int) -> float:
        """
        Time within which so many percent of the requests of all rounds were answered.

        Parameters
        ----------
        connections : int
            Kept alive, all busy.
        percent : int
            1-99.

        Returns
        -------
        float
            Seconds.
        """
        return statistics.quantiles(self.took[connections], n=100)[percent - 1]

    def rate(self, connections: int) -> float:
        """
        Requests answered a second, over all rounds.

        Parameters
        ----------
        connections : int
            Kept alive, all busy.

        Returns
        -------
        float
            One a second and more.
        """
        return len(self.took[connections]) / self.elapsed[connections]


def main(arguments: list[str] | None = None) -> None:
    """
    Measure, print, and end with 1 if a target is missed.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.
    """
    parser = argparse.ArgumentParser("python -m serving.benchmarks.http", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that serves cdss")
    parser.add_argument(
        "--requests", type=int, default=100_000, help="over which memory must stay flat"
    )
    options = parser.parse_args(arguments)
    if not any(Path(os.environ.get("CDSS_BUNDLES") or SHIPPED).glob("*/manifest.json")):
        sys.exit("no bundles to serve; train them first, or name a folder of them in CDSS_BUNDLES")
    ours = [options.python, "-m", "serving", "--port", "0"]
    settings = {
        name: "1" for name in ("CDSS_DEMONSTRATION_MODELS", "CDSS_UNGATED_MODELS", "CDSS_BENCH")
    } | {"CDSS_AUDIT": "none"}  # the log is measured in `serving.benchmarks.emr`
    with (
        served(ours, settings) as server,
        served([sys.executable, "-m", "serving.benchmarks.stock"]) as stock,
        served([sys.executable, "-m", "serving.benchmarks.plain"]) as plain,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        contestants = _contestants(server, stock, plain)
        for turn in progress.track(range(ROUNDS), description="rounds"):
            _round(contestants, turn, options.requests // (5 * ROUNDS) or 1)
        growth = _growth(server, contestants[0], options.requests, progress)
    _show(contestants)
    if not _meets(contestants, growth, options.requests, server.seconds):
        sys.exit(1)


def _contestants(server: Server, stock: Server, plain: Server) -> list[Contestant]:
    """Who takes part: the targets are about the first, the last three are empty."""
    models = _get(server, "/v1/models")["models"]
    shipped = [m["model"] for m in models if m["kind"] == "trained" and not m["demonstration"]]
    usual = [m for m in models if not m["off"]]
    alone = f"/v1/assess?models={','.join(shipped)}&jurisdiction=none"
    answer = _get(server, alone, RECORD)
    missing = {name for estimate in answer["estimates"] for name in estimate["missing"]}
    if answer["not_estimated"] or missing:
        raise RuntimeError(f"the record is not complete: {answer['not_estimated']} {missing}")
    return [
        Contestant(f"assess, {len(shipped)} trained models", server.port, alone),
        Contestant("assess, as a site asks: with advice", server.port, "/v1/assess"),
        Contestant(f"assess, {len(usual)} models, advice", server.port, "/v1/assess?models=all"),
        Contestant("empty, same server", server.port, "/empty"),
        Contestant("empty, BentoML as it comes", stock.port, "/empty"),
        Contestant("empty, FastAPI", plain.port, "/empty"),
    ]  # fmt: skip


def _get(server: Server, path: str, sent: object = None) -> Any:
    body = None if sent is None else json.dumps(sent).encode()
    url = f"http://127.0.0.1:{server.port}{path}"
    with urlopen(Request(url, body, {"content-type": "application/json"}), timeout=30) as answer:
        return json.load(answer)


def _round(contestants: Sequence[Contestant], turn: int, requests: int) -> None:
    """Measure everybody; who is first changes."""
    for connections in (1, 32):
        for at in range(len(contestants)):
            one = contestants[(turn + at) % len(contestants)]
            one.run(connections, max(requests, 2 * connections))


def _growth(server: Server, contestant: Contestant, requests: int, progress: Progress) -> float:
    """MB by which the server grows over many requests, having warmed up on a tenth of them."""
    process = psutil.Process(server.process.pid)
    latencies(server.port, contestant.request, 32, max(requests // 10, 32))
    before = process.memory_info().rss
    step = max(requests // 20, 32)
    for _ in progress.track(range(0, requests, step), description="memory"):
        latencies(server.port, contestant.request, 32, step)
    return float(process.memory_info().rss - before) / 1e6


def _show(contestants: Sequence[Contestant]) -> None:
    empty, stock, plain = contestants[-3:]
    table = Table(title=f"POST of one full check-up ({len(_BODY)} bytes), one worker")
    table.add_column("route")
    for column in (
        "connections",
        "p50 ms",
        "p99 ms",
        "requests/s",
        "× empty",
        "× BentoML",
        "× FastAPI",
    ):
        table.add_column(column, justify="right")
    for connections in (1, 32):
        for one in contestants:
            p50 = one.percentile(connections, 50)
            table.add_row(
                one.name,
                str(connections),
                f"{1000 * p50:.3f}",
                f"{1000 * one.percentile(connections, 99):.3f}",
                f"{one.rate(connections):,.0f}",
                *(
                    f"{p50 / other.percentile(connections, 50):.2f}"
                    for other in (empty, stock, plain)
                ),
            )
        table.add_section()
    Console(width=116).print(table)


def _added(p50: float, empty: Contestant) -> tuple[str, str, str, bool]:
    """Compare what explaining adds with what an empty route takes."""
    base = empty.percentile(1, 50)
    share = (p50 - base) / base
    what = f"added to p50 of: {empty.name} (aim {ADDED[1]:.0%})"
    return what, f"{share:.0%}, {1000 * (p50 - base):.2f} ms", f"{ADDED[0]:.0%}", share <= ADDED[0]


def _meets(contestants: Sequence[Contestant], growth: float, requests: int, seconds: float) -> bool:
    """Say for each target whether it is met."""
    explained, empty, stock = contestants[0], *contestants[-3:-1]
    p50 = explained.percentile(1, 50)
    spread = explained.percentile(1, 99) / p50
    rows = [
        *(_added(p50, one) for one in (empty, stock)),
        ("p99 / p50 at 1 connection", f"{spread:.1f}", f"{SPREAD:g}", spread <= SPREAD),
        (f"memory grown over {requests:,} requests", f"{growth:.1f} MB", f"{GROWTH:g} MB",
         growth <= GROWTH),
        ("ready after start", f"{seconds:.2f} s", f"{START:g} s", seconds <= START),
    ]  # fmt: skip
    table = Table(title=f"Targets, for {explained.name}")
    table.add_column("what")
    for column in ("measured", "at most", ""):
        table.add_column(column, justify="right")
    for what, measured, most, met in rows:
        table.add_row(what, measured, most, "[green]ok" if met else "[red]MISSED")
    Console(width=116).print(table)
    return all(met for *_, met in rows)


if __name__ == "__main__":
    main()
