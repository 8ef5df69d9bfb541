"""A folder of envelopes to files: everybody is in them, once."""

from __future__ import annotations

import csv
import gc
import json
import os
import re
import shlex
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cdss import cli
from cdss.bundle import load_models
from cdss.checkup import output
from cdss.checkup.folder import assess_folder
from cdss.checkup.table import COLUMNS
from cdss.cli import NOT_EVERYBODY
from cdss.console import BAD_INPUT
from cdss.equations import published_models
from tests.checkup_files import envelope, person
from tests.conftest import ROOT
from tests.test_checkup_examples import EXAMPLES, FOLDER, IDENTITY

PEOPLE = sum(len(people) for people, _ in EXAMPLES.values())
REJECTED = 3  # those of not_usable.xml
BAD_FILES = 3  # both that declare a document type, and the one that is cut off


@pytest.fixture
def run(
    toy_models: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run the command on the toy bundles; `out` is where the results are."""
    models = tmp_path / "bundles"
    monkeypatch.setattr(cli, "load_models", partial(load_models, folder=models))
    monkeypatch.setenv("COLUMNS", "300")
    return lambda folder, *more: CliRunner().invoke(
        cli.app, ["checkup", str(folder), str(tmp_path / "out"), *more]
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_everybody_is_assessed_or_rejected_and_counted(run: Callable, out: Path) -> None:
    result = run(FOLDER)

    assert NOT_EVERYBODY == result.exit_code
    counted = (
        f"{PEOPLE} people: {PEOPLE - REJECTED} assessed, {REJECTED} rejected. Files with a pro"
    )
    assert counted in result.stdout
    assert "Not a medical device" in result.stdout
    lines = [json.loads(line) for line in (out / "assessments.jsonl").read_text().splitlines()]
    rejected = table(out / "rejected.csv")
    people = {(row["file"], row["row"]) for row in table(out / "assessments.csv")}
    assert PEOPLE - REJECTED == len(lines) == len(people)
    assert people == {(line["file"], line["row"]) for line in lines}
    assert REJECTED == sum(bool(row["row"]) for row in rejected)
    assert BAD_FILES == sum(not row["row"] for row in rejected)
    assert {"not_usable.xml"} == {row["file"] for row in rejected if row["row"]}


def test_a_row_says_what_the_assessment_says(run: Callable, out: Path) -> None:
    run(FOLDER)
    lines = [json.loads(line) for line in (out / "assessments.jsonl").read_text().splitlines()]
    by_person = {(line["file"], line["row"]): line["assessment"] for line in lines}
    rows = table(out / "assessments.csv")

    assert list(COLUMNS) == list(rows[0])
    for row in rows:
        answer = by_person[row["file"], row["row"]]
        kinds = {"estimate": "estimates", "range": "ranges", "points": "points",
                 "none": "not_estimated"}  # fmt: skip
        [said] = [a for a in answer[kinds[row["answer"]]] if a["model"] == row["model"]]
        assert (said["version"], answer["index_date"]) == (row["version"], row["index_date"])
        if row["answer"] == "estimate":
            assert said["probability"] == float(row["probability"])
            assert ";".join(said["missing"]) == row["missing"]
        elif row["answer"] == "none":
            codes = {f"{p['variable']}:{p['code']}" for p in said["reasons"]}
            assert codes == set(row["reasons"].split(";"))
            assert "" == row["probability"]
    assert {"estimate", "range", "points"} <= {row["answer"] for row in rows}


def test_suspect_values_are_in_the_row_and_counted(run: Callable, out: Path) -> None:
    result = run(FOLDER)

    suspect = {row["file"] for row in table(out / "assessments.csv") if row["suspect"]}
    assert {"filled_in.xml"} == suspect
    assert "filled in: 1" in result.stdout


def test_parquet_holds_the_same_rows(run: Callable, out: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run(FOLDER)
    rows = parquet.read_table(out / "assessments.parquet").to_pylist()

    def cell(value: str, kind: type) -> object:
        return kind(value) if value else None

    assert rows == [
        {name: cell(row[name], kind) for name, kind in COLUMNS.items()}
        for row in table(out / "assessments.csv")
    ]


def test_without_pyarrow_there_is_no_parquet_and_it_is_said(
    run: Callable, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (output, cli):
        monkeypatch.setattr(module, "parquet_possible", lambda: False)
    result = run(FOLDER)

    assert "needs the package pyarrow" in result.stdout
    assert {"assessments.jsonl", "assessments.csv", "rejected.csv"} == {
        file.name for file in out.iterdir()
    }


def test_vietnamese(run: Callable, out: Path) -> None:
    result = run(FOLDER, "--lang", "vi")

    assert f"{PEOPLE} người: {PEOPLE - REJECTED} người được đánh giá" in result.stdout
    reasons = " ".join(row["reasons"] for row in table(out / "rejected.csv"))
    assert "dưới 18 tuổi" in reasons
    assert "Chưa được kiểm chứng tại Việt Nam" in (out / "assessments.jsonl").read_text()


def test_nobody_can_be_recognised_from_the_results(run: Callable, out: Path) -> None:
    result = run(FOLDER)
    written = result.output + " ".join(
        file.read_bytes().decode("utf-8", "replace") for file in out.iterdir()
    )

    assert [] == [words for words in IDENTITY if words in written]
    if os.name == "posix":
        assert {0o600} == {file.stat().st_mode & 0o777 for file in out.iterdir()}


def test_all_is_well_if_everybody_was_assessed(run: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "huyện").mkdir(parents=True)
    (folder / "huyện" / "a.XML").write_bytes(envelope([person(1), person(2)]))
    (folder / "notes.txt").write_text("x")
    result = run(folder)

    assert (0, "") == (result.exit_code, result.stderr.strip())
    assert "1 files, 2 people: 2 assessed, 0 rejected" in result.stdout


def test_a_file_that_cannot_be_read_or_is_too_large_does_not_stop_the_rest(
    run: Callable, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.xml").write_bytes(envelope([person()]))
    with (folder / "huge.xml").open("wb") as file:
        file.truncate(33_000_000)
    read_bytes = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.name == "a.xml":
            raise PermissionError
        assert "huge.xml" != path.name
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    result = run(folder)

    assert NOT_EVERYBODY == result.exit_code
    assert {"a.xml": "unreadable_file", "huge.xml": "too_large"} == {
        row["file"]: row["codes"] for row in table(out / "rejected.csv")
    }
    assert 1 == len((out / "assessments.jsonl").read_text().splitlines())


def test_a_name_of_a_file_is_no_formula(run: Callable, tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "=cmd.xml").write_bytes(envelope([person()]))
    run(folder)

    assert {"'=cmd.xml"} == {row["file"] for row in table(out / "assessments.csv")}


def test_results_never_replace_others(run: Callable, out: Path) -> None:
    assert NOT_EVERYBODY == run(FOLDER).exit_code
    result = run(FOLDER)

    assert BAD_INPUT == result.exit_code
    assert "is not empty" in result.stderr


@pytest.mark.parametrize("missing", [True, False])
def test_a_folder_without_envelopes(run: Callable, tmp_path: Path, missing: bool) -> None:
    folder = tmp_path / "in"
    if not missing:
        folder.mkdir()
    result = run(folder)

    assert BAD_INPUT == result.exit_code
    assert "no XML files" in result.stderr


def test_a_site_says_that_zero_is_no(run: Callable, tmp_path: Path, out: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("zero_is_no = true\n")
    run(FOLDER, "--site", str(site))
    [hoa] = [line for line in map(json.loads, (out / "assessments.jsonl").read_text().splitlines())
             if line["file"] == "utf16_declared.xml"]  # fmt: skip

    assert [] == hoa["problems"]
    assert {"diabetes", "prior_cvd"} <= {b["variable"] for b in hoa["basis"]}


@pytest.mark.parametrize("content", ["zero = true", "zero_is_no = 2", "=", None])
def test_a_site_file_that_is_wrong(run: Callable, tmp_path: Path, content: str | None) -> None:
    site = tmp_path / "site.toml"
    if content is not None:
        site.write_text(content)
    result = run(FOLDER, "--site", str(site))

    assert BAD_INPUT == result.exit_code
    assert not (tmp_path / "out").exists()


def test_the_examples_of_the_guide_work(run: Callable, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "check-up-xml.md").read_text(encoding="utf-8")
    blocks = {kind: text for kind, text in re.findall(r"```(\w+)\n(.*?)```", guide, re.DOTALL)}
    _, command, folder, out, *options = shlex.split(blocks["sh"])
    site = tmp_path / "site.toml"
    site.write_text(blocks["toml"])
    names = {"data": (ROOT / folder / "two_people.xml").read_bytes()}
    exec(blocks["python"], names)

    assert ("checkup", "build/check-ups") == (command, out)
    assert NOT_EVERYBODY == run(ROOT / folder, *options, "--site", str(site)).exit_code
    assert 2 == len(names["envelope"].people)  # type: ignore[attr-defined]


def test_memory_does_not_grow_with_the_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "parquet_possible", lambda: False)
    data = envelope([person(1), person(2)])
    kept = []
    for turn, files in enumerate((10, 10, 100)):  # the first fills what is kept for good
        folder, out = tmp_path / f"in{turn}", tmp_path / f"out{turn}"
        folder.mkdir()
        out.mkdir()
        for i in range(files):
            (folder / f"{i}.xml").write_bytes(data)
        tracemalloc.start()
        count, _ = assess_folder(folder, out, published_models()[:1], None)
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert 2 * files == count.people

    assert kept[2] - kept[1] < 20 * len(data)
