"""Asking the service, and running it as its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from cdss.bundle import write_bundle
from serving.benchmarks.process import Server
from tests.conftest import ROOT
from tests.toy import MANIFEST, release, toy_cases, toy_graph

COMMAND = [sys.executable, "-m", "serving"]
JSON = {"content-type": "application/json"}


def sent(**values: Any) -> dict[str, Any]:
    """A request about a patient to whom the toy model applies, changed as the test wants."""
    known = {"age": 60, "sex": "female", "bmi": 30, "diabetes": False, "pregnant": False}
    return {"index_date": "2026-11-22", "values": known | values}


def problems(answer: Any, status: int) -> list[tuple[str, str]]:
    """Code and variable of each problem of an answer, which must be as RFC 9457 has it."""
    document = answer.json()
    assert (status, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    ), document
    assert ["type", "title", "status", "detail", "problems"] == list(document)
    assert ("about:blank", HTTPStatus(status).phrase, status) == tuple(document.values())[:3]
    assert all(["code", "variable", "detail"] == list(p) for p in document["problems"])
    assert document["problems"]
    assert "no-store" == answer.headers["cache-control"]
    return [(problem["code"], problem["variable"]) for problem in document["problems"]]


def write_toys(folder: Path, *ids: str, gate: bool = True) -> Path:
    """Write toy bundles; a folder of them is what ``CDSS_BUNDLES`` names."""
    for id in ids or ("toy",):
        write_bundle(folder / id, MANIFEST | {"id": id}, toy_graph(), toy_cases())
        if gate:
            release(folder / id)
    return folder


def log_with(server: Server, text: str, times: int = 1) -> str:
    """What a server wrote, once it has written `text` so often: an answer comes before its line."""
    end = monotonic() + 10
    while (log := server.log.read_text()).count(text) < times or not log.endswith("\n"):
        assert monotonic() < end, f"{text} is not logged"
        sleep(0.01)
    return log


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of ours to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
    )
