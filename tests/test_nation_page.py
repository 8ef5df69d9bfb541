"""The page from nothing to a report for planners runs as it is written, on fewer people."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "nation.md").read_text(encoding="utf-8")
BLOCKS = [block.partition("```")[0] for block in PAGE.split("```sh\n")[1:]]
PEOPLE = 30_000


@pytest.mark.slow
def test_from_nothing_to_a_report(tmp_path: Path) -> None:
    installs, *commands = BLOCKS
    assert "pip install" in installs
    script = "".join(commands).replace("build/nation", str(tmp_path))
    assert "--n 1000000 " in script
    script = script.replace("--n 1000000 ", f"--n {PEOPLE} ")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    made = json.loads((tmp_path / "people" / "manifest.json").read_text())
    assert made["plan"]["people"] == PEOPLE
    visits = 0
    for year in ("2024", "2025"):
        counts = json.loads((tmp_path / year / "manifest.json").read_text())["counts"]
        assert counts["rejected"] == 0
        visits += counts["people"]
    assert 0.5 * PEOPLE < visits < 2 * PEOPLE

    figures = pq.read_table(tmp_path / "report" / "figures.parquet")
    assert all("SYNTHETIC" in label for label in figures["synthetic"].unique().to_pylist())
    assert figures.num_rows > 10_000
    for lang, word in (("en", "synthetic"), ("vi", "tổng hợp")):
        report = (tmp_path / "report" / f"report.{lang}.html").read_text(encoding="utf-8")
        assert word in report.lower()
