"""What is described in OpenAPI is what is answered, whatever is sent: asked by another program."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from serving.benchmarks.process import served
from tests.serving_process import COMMAND, write_toys

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
    ),
]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


def test_nothing_that_can_be_sent_is_answered_otherwise_than_described(tmp_path: Path) -> None:
    settings = {
        "CDSS_BUNDLES": str(write_toys(tmp_path / "bundles")),
        "CDSS_AUDIT": str(tmp_path / "audit.db"),
    }
    with served([*COMMAND, "--port", "0"], settings) as server:
        url = f"http://127.0.0.1:{server.port}/openapi.json"
        found = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "run", url, "--checks", CHECKS,
                "--max-examples", "20", "--seed", "1", "--no-color", "--generation-deterministic",
                "--phases", "examples,coverage,fuzzing",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip

    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]
