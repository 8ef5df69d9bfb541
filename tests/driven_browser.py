"""A page served within the test, and Chromium driven over it by a script of ``tests/browser``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn

from tests.conftest import ROOT

BROWSER = ROOT / "tests" / "browser"
NODE_MODULES = Path(os.environ.get("CDSS_NODE_MODULES") or BROWSER / "node_modules")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = Path(os.environ.get("CDSS_SHOTS") or ROOT / "build" / "screenshots")


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an app on a free port of this machine, as long as it is needed."""
    with listening_as(lambda address: app) as address:
        yield address


@contextmanager
def listening_as(make: Callable[[str], Any], **tls: str) -> Iterator[str]:
    """The same of an app that must know its address; over https if the files for it are given."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"{'https' if tls else 'http'}://127.0.0.1:{bound.getsockname()[1]}"
        config = uvicorn.Config(make(address), log_level="error", **tls)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield address
        server.should_exit = True
        thread.join()


def drive(script: str, app: Any, environment: Mapping[str, str]) -> None:
    """Run a script of ``tests/browser`` over an app; whatever it finds wrong fails the test."""
    skip_without_browser()
    with listening(app) as address:
        run_script(script, {"PAGE": address, **environment})


def skip_without_browser() -> None:
    """Skip a test that needs what is not here."""
    if not CHROMIUM or not shutil.which("node"):
        pytest.skip("Chromium or node is not here")
    if not (NODE_MODULES / "playwright-core").is_dir():
        pytest.skip("playwright-core is not here: npm ci in tests/browser")


def run_script(script: str, environment: Mapping[str, str]) -> None:
    """Run a script of ``tests/browser``; whatever it finds wrong fails the test."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(
        ["node", "--test", str(BROWSER / script)],
        env=os.environ | {
            "SHOTS": str(SHOTS), "CHROMIUM": str(CHROMIUM), "NODE_MODULES": str(NODE_MODULES),
            **environment,
        },
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip

    assert 0 == told.returncode, told.stdout[-8000:] + told.stderr[-2000:]
