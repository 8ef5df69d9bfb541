"""
A client that nobody here wrote: healthchain's SandboxClient.

It needs older versions of what the service needs, so it lives in an environment of its own, whose
Python ``CDSS_HEALTHCHAIN_PYTHON`` names.
"""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from serving.hooks_api import HooksApi
from serving.problems import HANDLERS
from tests.hooks_emr import MODELS, NOW, PATIENT, PLACE, chart, prefetch

PYTHON = os.environ.get("CDSS_HEALTHCHAIN_PYTHON", "")

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="CDSS_HEALTHCHAIN_PYTHON does not name a Python with healthchain"
)

SCRIPT = """
import json, sys
from healthchain.sandbox import SandboxClient

url, file, patient = sys.argv[1:]
client = SandboxClient(url=url, workflow="patient-view")
client.load_from_path(file)
if patient:  # the client draws one at random, whoever the prefetch is about
    for request in client.requests:
        request.context.patientId = patient
print(json.dumps(client.send_requests()))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    api = HooksApi(MODELS, PLACE, clock=lambda: NOW)
    app = Starlette(routes=api.routes(), exception_handlers=HANDLERS)
    address = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, args=([address],))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{address.getsockname()[1]}/cds-services/cdss-all"
    server.should_exit = True
    thread.join()
    address.close()


def answers(url: str, file: Path, patient: str = "") -> list[dict[str, Any]]:
    ran = subprocess.run(
        [PYTHON, "-c", SCRIPT, url, str(file), patient],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])


def test_it_gets_cards(url: str, tmp_path: Path) -> None:
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps(prefetch(chart())))
    (answer,) = answers(url, file, PATIENT)

    assert 3 <= len(answer["cards"])
    assert all(len(card["summary"]) < 140 for card in answer["cards"])
    assert all(card["source"]["label"] for card in answer["cards"])
    assert any(card.get("suggestions") for card in answer["cards"])


def test_it_is_refused_about_another_patient_than_the_data(url: str, tmp_path: Path) -> None:
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps(prefetch(chart())))

    assert [{}] == answers(url, file)  # what it makes of an error


def test_it_is_told_what_is_missing(url: str, tmp_path: Path) -> None:
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps({"patient": chart()[0]}))

    assert [{}] == answers(url, file, PATIENT)
