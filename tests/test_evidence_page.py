"""The page of commands for data scientists runs as it is written, on data from PyPI."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cdss.bundle import load_bundle

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in PAGE.split("```sh\n")[1:]
    for line in block.partition("```")[0].splitlines()
    if line
]
DOES_NOT_RELEASE = 1


@pytest.mark.slow
def test_every_command_runs(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'mlflow.db'}"
    environment = os.environ | {"MLFLOW_TRACKING_URI": database, "COLUMNS": "160"}
    said = {}
    for command in COMMANDS:
        words = [w.replace("build/evidence", str(tmp_path)) for w in shlex.split(command)]
        assert words[:3] == ["python", "-m", "training"], command
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        expected = DOES_NOT_RELEASE if words[3] == "gate" else 0
        assert done.returncode == expected, f"{command}\n{done.stdout}\n{done.stderr}"
        said[words[3]] = done.stdout

    evidence = json.loads((tmp_path / "shipped" / "evidence.json").read_text())
    assert evidence["validation"] == "external"
    assert evidence["people"] > 4000
    child = load_bundle(tmp_path / "candidates" / "diabetes-undiagnosed")
    assert child.facts["parent"]["id"] == "diabetes-undiagnosed"
    assert (
        json.loads((tmp_path / "recalibrated" / "evidence.json").read_text())["digest"]
        == (child.facts["digest"])
    )
    assert "not released" in said["gate"]
    assert not (tmp_path / "released" / "diabetes-undiagnosed").exists()
