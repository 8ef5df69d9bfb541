"""The page in Chromium; ``npm ci`` in ``tests/browser`` brings what drives it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from tests.checkup_files import envelope, person
from tests.conftest import ROOT
from tests.page_client import client

BROWSER = ROOT / "tests" / "browser"
NODE_MODULES = Path(os.environ.get("CDSS_NODE_MODULES") or BROWSER / "node_modules")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = Path(os.environ.get("CDSS_SHOTS") or ROOT / "build" / "screenshots")


@pytest.fixture
def address() -> Iterator[str]:
    """Where the page is served."""
    app = client(base_url="https://example.org", keep=lambda service, said: None).app
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.slow
def test_the_page_in_a_browser(address: str, tmp_path: Path) -> None:
    if not CHROMIUM or not shutil.which("node"):
        pytest.skip("Chromium or node is not here")
    if not (NODE_MODULES / "playwright-core").is_dir():
        pytest.skip("playwright-core is not here: npm ci in tests/browser")
    SHOTS.mkdir(parents=True, exist_ok=True)
    check_up = tmp_path / "check-up.xml"
    check_up.write_bytes(envelope([person()]))
    told = subprocess.run(
        ["node", "--test", str(BROWSER / "page.test.mjs")],
        env=os.environ | {
            "PAGE": address, "SHOTS": str(SHOTS), "CHROMIUM": CHROMIUM,
            "NODE_MODULES": str(NODE_MODULES), "CHECK_UP": str(check_up),
            "BUNDLE": str(ROOT / "tests" / "fhir_examples" / "us-transaction.json"),
        },
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip

    assert 0 == told.returncode, told.stdout[-8000:] + told.stderr[-2000:]
