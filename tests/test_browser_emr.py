"""A CDS Hooks client in a real browser, on another origin: CORS, and tokens signed in the page."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from serving.benchmarks.process import Server, served
from tests.hooks_emr import PATIENT, measured, patient, pressure
from tests.security_clients import BASE, EMR, signer, site
from tests.serving_process import COMMAND

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no chromium here"),
]
CALL = {
    "hook": "patient-view",
    "hookInstance": "2fd2f3f0-6a25-4f1c-9a0e-6a9f0c3d7b11",
    "context": {"userId": "Practitioner/1", "patientId": PATIENT},
    "prefetch": {
        "patient": patient(),
        "bloodPressure": {
            "resourceType": "Bundle", "type": "searchset",
            "entry": [
                {"resource": each} for each in (pressure(152, 91), measured("39156-5", 27, "kg/m2"))
            ],
        },
    },
}  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """Where the EMR's page is."""
    handler = partial(_Quiet, directory=Path(__file__).parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as emr:
        threading.Thread(target=emr.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{emr.server_port}/browser_emr.html"
        emr.shutdown()


@pytest.fixture(scope="module")
def server(page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    environment = {
        "CDSS_CLIENTS": str(site(folder)),
        "CDSS_URL": BASE,
        "CDSS_ORIGINS": page.removesuffix("/browser_emr.html"),
        "CDSS_AUDIT": str(folder / "audit.db"),
    }
    with served([*COMMAND, "--port", "0"], environment) as server:
        yield server


def browse(page: str, server: Server, tmp_path: Path, *, allowed: bool) -> dict[str, Any]:
    """What the page wrote down."""
    asked = {
        "base": f"http://127.0.0.1:{server.port}", "url": BASE, "iss": EMR, "call": CALL,
        "key": signer("emr-1").as_dict(private=True), "allowed": allowed,
    }  # fmt: skip
    shown = subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--timeout=60000",
            "--dump-dom", f"{page}#{quote(json.dumps(asked))}",
        ],
        capture_output=True, text=True, timeout=120, check=False,
    ).stdout  # fmt: skip
    found = re.search(r'<pre id="said">(.+?)</pre>', shown, flags=re.DOTALL)
    assert found, shown[-2000:]
    said: dict[str, Any] = json.loads(html.unescape(found[1]))
    return said


def test_a_page_of_an_allowed_origin_gets_cards(page: str, server: Server, tmp_path: Path) -> None:
    said = browse(page, server, tmp_path, allowed=True)

    assert 200 == said["discovery"]["status"]
    ids = [service["id"] for service in said["discovery"]["body"]["services"]]
    assert "cdss-all" in ids
    assert 200 == said["call"]["status"], said["call"]
    assert all(len(card["summary"]) < 140 for card in said["call"]["body"]["cards"])
    assert 200 == said["feedback"]["status"], said["feedback"]
    assert 400 == said["broken"]["status"]
    assert 401 == said["nobody"]["status"]
    for refused in (said["broken"], said["nobody"]):
        assert "OperationOutcome" == refused["body"]["resourceType"]


def test_a_page_of_another_origin_gets_nothing(page: str, server: Server, tmp_path: Path) -> None:
    elsewhere = page.replace("127.0.0.1", "localhost")

    said = browse(elsewhere, server, tmp_path, allowed=False)

    assert {"discovery": {"blocked": "TypeError"}} == said
