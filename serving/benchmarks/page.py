"""
What the clinician's page costs a browser: bytes, requests, and time until it can be used.

The real server, Chromium with its processor slowed down four times, an empty cache. ``npm ci`` in
``tests/browser`` brings what drives Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from serving.benchmarks.process import ROOT, served

KILOBYTES, SECONDS, SLOWER = 150.0, 1.0, 4
VISITS = 10
WRITTEN = "page_budget.json"
_DRIVER = ROOT / "tests" / "browser" / "budget.mjs"
_MODULES = Path(os.environ.get("CDSS_NODE_MODULES") or _DRIVER.parent / "node_modules")


def main(arguments: list[str] | None = None) -> None:
    """
    Measure, print, write, and end with 1 if a target is missed.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.
    """
    parser = argparse.ArgumentParser("python -m serving.benchmarks.page", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that serves cdss")
    parser.add_argument("--visits", type=int, default=VISITS, help="each with an empty cache")
    parser.add_argument("--docs", action="store_true", help=f"write docs/{WRITTEN} too")
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium or not shutil.which("node") or not (_MODULES / "playwright-core").is_dir():
        sys.exit("Chromium, node and npm ci in tests/browser are needed")
    command = [options.python, "-m", "serving", "--port", "0"]
    with served(command, {"CDSS_AUDIT": "none"}) as server:
        environment = {
            "PAGE": f"http://127.0.0.1:{server.port}",
            "CHROMIUM": chromium,
            "NODE_MODULES": str(_MODULES),
            "VISITS": str(options.visits),
        }
        told = subprocess.run(
            ["node", str(_DRIVER)],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            check=True,
        )
    found = figures(json.loads(told.stdout))
    text = json.dumps(found, indent=1) + "\n"
    for folder in ("build", "docs") if options.docs else ("build",):
        (ROOT / folder).mkdir(exist_ok=True)
        (ROOT / folder / WRITTEN).write_text(text, encoding="utf-8")
    show(found)
    if not all(found["met"].values()):
        sys.exit(1)


def figures(measured: dict[str, Any]) -> dict[str, Any]:
    """
    Summarise what was measured.

    Parameters
    ----------
    measured : dict
        What ``tests/browser/budget.mjs`` writes.

    Returns
    -------
    dict
        For form and results: the most bytes and requests of a visit, requests to elsewhere, and
        the median and slowest times in milliseconds, of the clock and of the processor; how busy
        the machine is; and which targets are met.
    """
    visits = measured["visits"]
    pages = {name: _page([visit[name] for visit in visits]) for name in ("form", "results")}
    whole = max(sum(visit[name]["bytes"] for name in pages) for visit in visits) / 1000
    return {
        "browser": measured["browser"],
        "processor": f"slowed down {SLOWER} times",
        "machine": {"processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
        "visits": len(visits),
        "pages": pages,
        "kilobytes": round(whole, 1),
        "targets": {"kilobytes": KILOBYTES, "seconds": SECONDS, "outside": 0},
        "met": {
            "kilobytes": whole < KILOBYTES,
            "outside": not any(page["outside"] for page in pages.values()),
            "seconds": all(p["interactive_ms"]["median"] < 1000 * SECONDS for p in pages.values()),
        },
    }


def _page(loads: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kilobytes": round(max(load["bytes"] for load in loads) / 1000, 1),
        "requests": max(load["requests"] for load in loads),
        "outside": sorted({url for load in loads for url in load["outside"]}),
        **{f"{name}_ms": _times(loads, name) for name in ("painted", "interactive", "processor")},
    }


def _times(loads: list[dict[str, Any]], name: str) -> dict[str, float]:
    times = [load[name] for load in loads if load[name] is not None]
    return {"median": round(statistics.median(times)), "slowest": round(max(times))}


def show(found: dict[str, Any]) -> None:
    """
    Print figures beside targets.

    Parameters
    ----------
    found : dict
        What `figures` returns.
    """
    console = Console()
    title = f"The page in Chromium {found['browser']}, processor {found['processor']}"
    table = Table(title=title, title_justify="left")
    for column in (
        "page",
        "kB compressed",
        "requests",
        "elsewhere",
        "painted ms",
        "interactive ms",
        "processor ms",
    ):
        table.add_column(column, justify="left" if column == "page" else "right")
    for name, page in found["pages"].items():
        times = [f"{page[k]['median']} ({page[k]['slowest']})" for k in _TIMES]
        outside = str(len(page["outside"]))
        table.add_row(name, f"{page['kilobytes']}", f"{page['requests']}", outside, *times)
    console.print(table)
    console.print(
        f"Medians and, in brackets, the slowest of {found['visits']} visits. Processor: of the "
        "page's own thread, whatever else the machine does; "
        f"{found['machine']['load']} processes for {found['machine']['processors']} processors."
    )
    slowest = max(page["interactive_ms"]["median"] for page in found["pages"].values())
    for said, name in (
        (f"form and results together {found['kilobytes']} kB, under {KILOBYTES:g}", "kilobytes"),
        ("nothing asked of another server", "outside"),
        (f"interactive in {slowest} ms, under {1000 * SECONDS:g}", "seconds"),
    ):
        console.print(f"{'met   ' if found['met'][name] else 'MISSED'} {said}", highlight=False)


_TIMES = ("painted_ms", "interactive_ms", "processor_ms")


if __name__ == "__main__":
    main()
