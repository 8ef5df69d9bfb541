"""The README says what is so: its commands run, its answers come."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import cdss
from cdss import load_jurisdiction, published_models
from serving.app import create_app
from tests.conftest import ROOT
from tests.shipped import shipped

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, flags=re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for name, text in BLOCKS if name == kind]


def test_the_curl_example_gives_its_answer() -> None:
    (command,) = [text for text in blocks("sh") if text.startswith("curl")]
    words = shlex.split(command)
    url, body = words[2], words[words.index("-d") + 1]
    headers = {"content-type": "application/json"}
    models = [*shipped(), *published_models()]
    answer = TestClient(create_app(models, load_jurisdiction("vn"))).post(
        f"http://{url}", content=body, headers=headers
    )
    (written,) = [json.loads(text) for text in blocks("json")]

    assert answer.status_code == 200
    assert close(written | {"assessment_id": ""}, answer.json() | {"assessment_id": ""})


def close(one: Any, other: Any) -> bool:
    """Equal, numbers to six digits: another processor rounds differently."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == (pytest.approx(other, rel=1e-5, abs=1e-7) if type(one) is float else other)


def test_the_python_example_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdss, "load_models", shipped)
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()

    assert [model.id for model in shipped()] == [
        line.partition(":")[0] for line in printed if ": 0." in line
    ]
    assert "BPS-01 WHO, HEARTS technical package" in " ".join(printed)


def test_the_table_of_models_is_the_bundles() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| [`")]

    assert rows == [row_of(model) for model in shipped(demonstrations=True)]


def row_of(model: Any) -> str:
    facts = model.facts
    auroc = (
        f"{facts['metrics'][t]['auroc']:.2f}" for t in ("required_only", "no_laboratory", "all")
    )
    star = " \\*" if model.demonstration else " †" * (not model.released)
    events = f"{facts['training']['n']:,} / {facts['training']['events']:,}"
    cells = [f"[`{model.id}`](model_cards/{model.id}.md){star}", facts["title"], facts["family"],
             events, *auroc]  # fmt: skip
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("command", re.findall(r"^make (\w+)", TEXT, flags=re.MULTILINE))
def test_a_make_command_exists(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"`((?:src|training|serving|datasets)/[\w./]*)`", TEXT))
def test_a_path_exists(path: str) -> None:
    assert (ROOT / Path(path)).exists()
