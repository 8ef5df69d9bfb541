"""Files of a made-up population: bytes, labels, what batch says of them, the command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cdss.batch.layout import Layout
from cdss.batch.plan import Options
from cdss.batch.run import run as run_batch
from cdss.cli import app
from cdss.errors import BatchError
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import load_jurisdiction
from cdss.synthetic import run as writing
from cdss.synthetic.columns import DECIMALS, GROUPS, KEPT, SCHEMA, YES_NO, ids_of
from cdss.synthetic.compare import compare
from cdss.synthetic.complete import complete_people
from cdss.synthetic.model import load_model
from cdss.synthetic.places import make_places
from cdss.synthetic.plan import BLOCK, Plan, drift_of
from cdss.synthetic.report import write_report
from cdss.synthetic.run import write_population

THREE = Plan(40_000, years=(2024, 2025, 2026), outcomes=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("population") / "out"
    write_population(out, THREE)
    return out


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_files_are_the_same_for_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "processors", lambda: 1)
    plan = Plan(writing.PART + 3_000, years=(2025,), seed=5)  # two parts
    for processes in (1, 2):
        write_population(tmp_path / str(processes), plan, processes=processes)
    one, two = (bytes_of(tmp_path / str(processes)) for processes in (1, 2))
    assert list(one) == [
        "2025/part-00000.parquet", "2025/part-00001.parquet", "README.txt", "manifest.json",
    ]  # fmt: skip
    assert one == two


def test_another_seed_is_another_population(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_population(tmp_path / str(seed), Plan(500, seed=seed))
    one, two = (
        pl.read_parquet(tmp_path / str(seed) / "2025" / "part-00000.parquet") for seed in (1, 2)
    )
    assert one.columns == two.columns == SCHEMA.names
    assert not one["systolic_bp"].equals(two["systolic_bp"])


def test_a_larger_population_begins_with_the_smaller_one(tmp_path: Path) -> None:
    for people in (BLOCK, 2 * BLOCK):
        write_population(tmp_path / str(people), Plan(people))
    small, large = (
        pl.read_parquet(tmp_path / str(people) / "2025" / "part-00000.parquet")
        for people in (BLOCK, 2 * BLOCK)
    )
    assert large.head(BLOCK).equals(small)


def test_everything_says_that_it_is_synthetic(made: Path) -> None:
    files = sorted(made.rglob("*.parquet"))
    assert len(files) == 4
    for path in files:
        said = pq.read_schema(path).metadata
        assert said[b"cdss.synthetic"] == b"true"
        assert said[b"cdss.synthetic.seed"] == b"1"
        assert said[b"cdss.synthetic.scenario"] == b"central"
        assert said[b"cdss.synthetic.generator"].startswith(b"cdss ")
        assert said[b"cdss.synthetic.figures"].startswith(b"sha256 ")
        table = pl.read_parquet(path)
        assert table["person_id"].str.starts_with("syn-").all()
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert "SYNTHETIC" in (made / "README.txt").read_text(encoding="utf-8")


def test_the_manifest_counts_what_is_there(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    for name, said in manifest["files"].items():
        assert (made / name).stat().st_size == said["bytes"]
        assert pq.read_metadata(made / name).num_rows == said["rows"]
    assert manifest["columns"] == SCHEMA.names


def test_people_come_in_some_years_and_in_one_at_least(made: Path) -> None:
    years = [pl.read_parquet(made / str(year) / "*.parquet") for year in THREE.years]
    for year, table in zip(THREE.years, years, strict=True):
        assert table["person_id"].is_unique().all()
        assert 0.6 * THREE.people < len(table) < 0.95 * THREE.people
        assert set(table["index_date"].dt.year().unique()) == {year}
    every = pl.concat(years)
    counts = every.group_by("person_id").len()
    assert len(counts) == THREE.people
    assert set(counts["len"].unique()) == {1, 2, 3}
    same = every.group_by("person_id").agg(
        pl.col("sex", "commune", "care_level", "ethnicity").n_unique()
    )
    assert (same.select(pl.col("sex", "commune", "care_level", "ethnicity").max()) == 1).row(0) == (
        True, True, True, True,
    )  # fmt: skip


def test_tests_are_missing_by_level_of_care(made: Path) -> None:
    table = pl.read_parquet(made / "2025" / "*.parquet")
    shares = load_model("vn", "central").decisions["missing"]
    for at, level in enumerate(("commune", "district", "province")):
        rows = table.filter(pl.col("care_level") == level)
        for name, group in GROUPS.items():
            wanted = shares[group][at]
            lost = rows[name].null_count() / len(rows)
            most = 0.02 if name != "ldl_cholesterol" else 0.06  # high triglycerides too
            assert wanted - 0.02 <= lost <= wanted + most, name
    commune = table.filter(pl.col("care_level") == "commune")
    assert (commune["total_cholesterol"].is_null() == commune["triglycerides"].is_null()).all()
    assert table.select(pl.col("age", "sex", "province").null_count()).row(0) == (0, 0, 0)


def test_what_was_measured_is_what_the_report_measures(made: Path) -> None:
    model = load_model("vn", "central")
    places = make_places("vn", model.decisions["spread"], THREE.seed)
    people = complete_people(
        model, places, seed=THREE.seed, people=THREE.people, block=BLOCK, first=2024, year=2025,
        drift=drift_of(model, THREE, 2025),
    )  # fmt: skip
    table = pl.read_parquet(made / "2025" / "*.parquet")
    rows = table["person_id"].str.slice(4).cast(pl.Int64).to_numpy() - 1
    for name in (*DECIMALS, *YES_NO):
        known = table[name].is_not_null().to_numpy()
        assert np.array_equal(table[name].to_numpy()[known], people[name][rows][known])


def test_urban_and_kinh_go_with_the_commune(made: Path) -> None:
    table = pl.read_parquet(made / "2024" / "*.parquet")
    assert (table.group_by("commune").agg(pl.col("urban").n_unique())["urban"] == 1).all()
    assert table["commune"].str.starts_with("VN-").all()
    assert (table["commune"].str.slice(0, 5) == table["province"]).all()
    assert set(table["ethnicity"].unique()) == {"Kinh", "other"}
    assert (table["ethnicity"] == "Kinh").mean() == pytest.approx(0.853, abs=0.01)


def test_outcomes_are_of_questions_and_of_visits(made: Path) -> None:
    told = pl.read_parquet(made / "outcomes" / "*.parquet")
    questions = {each.id for each in load_jurisdiction("vn").questions}
    assert set(told["outcome"].unique()) <= questions
    assert (told["event_date"].is_not_null() == told["event"]).all()
    assert (told.filter("event")["event_date"] > told.filter("event")["index_date"]).all()
    years = pl.concat([pl.read_parquet(made / str(y) / "*.parquet") for y in THREE.years])
    visits = years.select("person_id", "index_date", "diabetes")
    joined = told.join(visits, on=["person_id", "index_date"])
    assert len(joined) == len(told)
    new = joined.filter(pl.col("outcome") == "new_diabetes")
    assert not new["diabetes"].any()
    assert not told.select("person_id", "index_date", "outcome").is_duplicated().any()
    rates = new.group_by(pl.col("index_date").dt.year()).agg(pl.col("event").mean())
    first, *_, last = rates.sort("index_date")["event"]
    assert last > 1.15 * first  # every year is worse than it was, by a stated number


def test_batch_takes_everybody(tmp_path: Path) -> None:
    write_population(tmp_path / "in", Plan(50_000))
    options = Options(Layout.read(None, keep=KEPT))
    manifest = run_batch(tmp_path / "in" / "2025", tmp_path / "out", options, processes=1)
    assert manifest["counts"]["people"] == 50_000
    assert manifest["counts"]["rejected"] == 0
    assert manifest["counts"]["files_unread"] == 0
    assert manifest["metadata"]["cdss.synthetic"] == "true"
    advice = pl.read_parquet(tmp_path / "out" / "advice" / "*.parquet")
    assert advice["province"].n_unique() == 34
    results = pl.read_parquet(tmp_path / "out" / "results" / "*.parquet")
    answered = results.filter(pl.col("kind") == "estimate").group_by("model").len()
    assert answered.filter(pl.col("model") == "diabetes-incident")["len"].sum() > 35_000


def test_row_groups_are_as_large_whatever_the_population(tmp_path: Path) -> None:
    """What is held in memory is a few blocks of each year: files grow by row groups."""
    write_population(tmp_path / "out", Plan(9 * BLOCK))
    file = pq.ParquetFile(tmp_path / "out" / "2025" / "part-00000.parquet").metadata
    rows = [file.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert rows == [4 * BLOCK, 4 * BLOCK, BLOCK]


def test_ids_are_numbers_in_order() -> None:
    assert ids_of(9_999_999_998, np.arange(2)).to_pylist() == ["syn-9999999998", "syn-9999999999"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BatchError, match="not an empty folder"):
        write_population(tmp_path, Plan(10))
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_the_command_writes_and_reports(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        app, ["population", str(tmp_path / "out"), "--n", "30000", "--report", "--processes", "1"]
    )
    assert said.exit_code == 0, said.output
    assert "SYNTHETIC" in said.output
    assert "hypertension" not in said.stderr
    for lang in LANGUAGES:
        page = (tmp_path / "out" / "report" / f"{lang}.html").read_text(encoding="utf-8")
        assert 'name="cdss.synthetic" content="true"' in page
        assert "http://" not in page
        assert "src=" not in page
    report = json.loads((tmp_path / "out" / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["met"] is True
    assert report["synthetic"] is True
    assert len(report["figures"]) > 50


@pytest.mark.parametrize("years", ["soon", "2025,2024", "2024,2024", "1800", ""])
def test_years_that_are_none_are_refused(tmp_path: Path, years: str) -> None:
    said = CliRunner().invoke(
        app, ["population", str(tmp_path / "out"), "--n", "10", "--years", years]
    )
    assert said.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_an_unknown_scenario_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        app, ["population", str(tmp_path / "out"), "--n", "10", "--scenario", "worst"]
    )
    assert said.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_report_that_misses_an_aim_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(20_000)
    found = compare(plan)
    far = type(found.found[0])(found.found[0].figure, 200.0, 127.0, 0.1)
    wrong = type(found)(**{**found.__dict__, "found": (far, *found.found[1:])})
    assert not wrong.met
    monkeypatch.setattr("cdss.synthetic.compare.compare", lambda *_: wrong)
    said = CliRunner().invoke(
        app, ["population", str(tmp_path / "out"), "--n", "20000", "--report", "--lang", "vi"]
    )
    assert said.exit_code == 1
    assert "không đạt" in said.output
    assert write_report(wrong, tmp_path / "again").is_dir()
    assert os.listdir(tmp_path / "again")
