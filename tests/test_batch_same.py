"""A batch says of everybody what is said of one patient."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cdss import (
    Assessment,
    NoEstimate,
    PatientRecord,
    PointsTotal,
    RecordError,
    RiskEstimate,
    RiskRange,
    assess_all,
)
from cdss.batch.plan import Options
from cdss.batch.run import run
from cdss.errors import Problem
from cdss.wire import to_dict
from tests.batch_people import DAY, digests, people, rows_in, table, write_csv, write_ndjson

PEOPLE = people(400)
OPTIONS = Options(ungated=True, contributions=True, part_rows=150)


def code(problem: Problem) -> str:
    return f"{problem.code}:{problem.variable}"


def parsed(values: Any) -> PatientRecord | tuple[Problem, ...]:
    try:
        return PatientRecord.parse({"index_date": DAY.isoformat(), "values": values})
    except RecordError as error:
        return error.problems


RECORDS = {f"P{at:05d}": parsed(values) for at, values in enumerate(PEOPLE)}
ABLE = {name: record for name, record in RECORDS.items() if isinstance(record, PatientRecord)}
ANSWERS: dict[str, Assessment] = dict(
    zip(ABLE, assess_all([*ABLE.values()], OPTIONS.asked()[1], OPTIONS.asked()[0]), strict=True)
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    pq.write_table(table(PEOPLE), folder / "in.parquet", row_group_size=70)
    run(folder / "in.parquet", folder / "out", OPTIONS, processes=1)
    return folder / "out"


def test_the_people_are_of_every_kind() -> None:
    kinds = {type(o) for a in ANSWERS.values() for o in a.outcomes}

    assert kinds == {RiskEstimate, RiskRange, PointsTotal, NoEstimate}
    assert 20 < len(RECORDS) - len(ABLE) < 300
    assert len({rule.rule.id for a in ANSWERS.values() for rule in a.advice}) > 40


def test_every_answer(out: Path) -> None:
    rows = rows_in(out, "results")
    assert len(rows) == len(ABLE) * len(OPTIONS.asked()[1])
    found = {(row["person_id"], row["model"]): row for row in rows}
    assert len(found) == len(rows)
    for name, answer in ANSWERS.items():
        chosen = {c.model: c.question.id for c in answer.choices if c.model}
        for outcome in answer.outcomes:
            row = found[name, outcome.model]
            assert (row["version"], row["outcome"]) == (outcome.version, outcome.outcome)
            assert row["horizon_years"] == outcome.horizon_years
            assert row["answers"] == chosen.get(outcome.model)
            assert row["index_date"] == DAY
            if isinstance(outcome, NoEstimate):
                assert row["kind"] == "refused"
                assert row["reasons"] == [code(p) for p in outcome.reasons]
                assert row["probability"] is row["low"] is row["points_low"] is row["top_1"] is None
                continue
            assert row["reasons"] == []
            assert row["warnings"] == [code(p) for p in outcome.warnings]
            COMPARE[type(outcome)](row, outcome)


def same_estimate(row: dict[str, Any], outcome: RiskEstimate) -> None:
    assert row["kind"] == "estimate"
    assert row["probability"] == pytest.approx(outcome.probability, abs=1e-6)
    assert row["released"] == outcome.released
    assert row["missing"] == [*outcome.missing]
    if outcome.interval is None:
        assert row["low"] is row["high"] is None
    else:
        ends = (outcome.interval.low, outcome.interval.high)
        assert (row["low"], row["high"]) == pytest.approx(ends, abs=1e-6)
    every = {c.variable: c.log_odds for c in outcome.contributions}
    told = {c["variable"]: c["log_odds"] for c in row["contributions"]}
    assert told == pytest.approx(every, abs=2e-5)
    top = {row[f"top_{at}"]: row[f"top_{at}_log_odds"] for at in (1, 2, 3)}
    assert top == pytest.approx({name: told[name] for name in top}, abs=1e-9)
    largest = sorted(map(abs, told.values()), reverse=True)[:3]
    assert [*map(abs, top.values())] == pytest.approx(largest, abs=1e-9)


def same_range(row: dict[str, Any], outcome: RiskRange) -> None:
    assert row["kind"] == "range"
    assert row["probability"] is row["top_1"] is None
    assert (row["low"], row["high"]) == pytest.approx((outcome.low, outcome.high), abs=1e-6)
    assert sorted(row["missing"]) == sorted(outcome.narrowed_by)


def same_points(row: dict[str, Any], outcome: PointsTotal) -> None:
    assert row["kind"] == "points"
    assert (row["points_low"], row["points_high"]) == (outcome.low, outcome.high)
    assert row["positive"] is outcome.positive
    assert sorted(row["missing"]) == sorted(outcome.missing)


COMPARE: dict[type, Any] = {
    RiskEstimate: same_estimate, RiskRange: same_range, PointsTotal: same_points,
}  # fmt: skip


def test_all_advice(out: Path) -> None:
    rows = {row["person_id"]: row for row in rows_in(out, "advice")}

    assert {*rows} == {*ABLE}
    for name, answer in ANSWERS.items():
        assert rows[name]["advice"] == [advice.rule.id for advice in answer.advice]
        assert rows[name]["undecided"] == [open_.rule.id for open_ in answer.undecided]


def test_everybody_rejected_with_every_reason(out: Path) -> None:
    rows = {row["person_id"]: row for row in rows_in(out, "rejected")}
    refused = {name: p for name, p in RECORDS.items() if not isinstance(p, PatientRecord)}

    assert {*rows} == {*refused}
    for name, problems in refused.items():
        assert sorted(rows[name]["problems"]) == sorted(code(p) for p in problems)
        assert sorted(rows[name]["details"]) == sorted(
            f"{p.variable}: {p.detail}" for p in problems
        )
        assert rows[name]["row"] == int(name[1:]) + 1


def test_the_manifest_counts_and_knows_every_file(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    counts = manifest["counts"]

    assert counts["rows"] == len(PEOPLE) == counts["people"] + counts["rejected"]
    assert counts["people"] == len(ABLE)
    assert [model["id"] for model in manifest["models"]] == [m.id for m in OPTIONS.asked()[1]]
    assert all(len(model["sha256"]) == 64 for model in manifest["models"])
    for name, digest in digests(out).items():
        assert digest == hashlib.sha256((out / name).read_bytes()).hexdigest()
        said = pq.read_schema(out / name).metadata
        assert json.loads(said[b"cdss.models"]) == manifest["models"]
        assert b"not validated in" in said[b"cdss.notice"]


def same(one: Path, other: Path, kinds: Sequence[str] = ("results", "advice")) -> None:
    for kind in kinds:
        first, second = (rows_in(folder, kind) for folder in (one, other))
        assert [row["person_id"] for row in first] == [row["person_id"] for row in second]
        assert first == second


def test_the_same_again_and_over_processes(out: Path, tmp_path: Path) -> None:
    run(out.parent / "in.parquet", tmp_path / "out", OPTIONS, processes=2)

    assert digests(tmp_path / "out") == digests(out)
    assert (tmp_path / "out/manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_the_same_from_text(out: Path, tmp_path: Path, form: str) -> None:
    if form == "csv":
        write_csv(tmp_path / "in.csv", table(PEOPLE))
    else:
        write_ndjson(tmp_path / "in.ndjson", PEOPLE)
    run(tmp_path / f"in.{form}", tmp_path / "out", OPTIONS, processes=1)

    same(out, tmp_path / "out")
    first, second = (rows_in(folder, "rejected") for folder in (out, tmp_path / "out"))
    assert [(r["person_id"], r["row"]) for r in first] == [
        (r["person_id"], r["row"]) for r in second
    ]
    assert [sorted(r["problems"]) for r in first] == [sorted(r["problems"]) for r in second]


def test_parts_that_differ_in_size_say_the_same(out: Path, tmp_path: Path) -> None:
    options = Options(ungated=True, contributions=True, part_rows=64)
    run(out.parent / "in.parquet", tmp_path / "out", options, processes=1)

    first, second = (
        {(r["person_id"], r["model"]): r for r in rows_in(folder, "results")}
        for folder in (out, tmp_path / "out")
    )
    assert {*first} == {*second}
    for key, row in first.items():
        assert row["probability"] == pytest.approx(second[key]["probability"], abs=1e-6)
    same(out, tmp_path / "out", ["advice", "rejected"])


def test_earlier_visits_count(tmp_path: Path) -> None:
    raised = {"systolic_bp": 152, "diastolic_bp": 96, "age": 60, "sex": "female"}
    said = {
        "person_id": "A", "index_date": "2026-11-22", "values": raised,
        "history": [{"date": "2026-10-01", "values": {"systolic_bp": 155, "diastolic_bp": 99}}],
    }  # fmt: skip
    alone = {"person_id": "B", "index_date": "2026-11-22", "values": raised}
    (tmp_path / "in.ndjson").write_text(f"{json.dumps(said)}\n\n{json.dumps(alone)}\n")
    run(tmp_path / "in.ndjson", tmp_path / "out", Options(), processes=1)

    first, second = rows_in(tmp_path / "out", "advice")
    assert "BPS-06" in first["advice"]
    assert "BPS-06" in second["undecided"]
    place, models = Options().asked()
    record = PatientRecord.parse({k: v for k, v in said.items() if k != "person_id"})
    answer = to_dict(assess_all([record], models, place)[0], assessment_id="x", lang="en")
    assert first["advice"] == [rule["rule"] for rule in answer["advice"]]


def test_what_is_too_old_is_told(tmp_path: Path) -> None:
    old = {"value": 5.9, "date": date(2020, 1, 1).isoformat()}
    said = {"person_id": "A", "index_date": "2026-11-22"}
    said |= {"values": {"age": 60, "sex": "female", "hba1c": old, "pregnant": False}}
    (tmp_path / "in.jsonl").write_text(json.dumps(said))
    run(tmp_path / "in.jsonl", tmp_path / "out", Options(ungated=True), processes=1)

    told = {row["model"]: row["warnings"] for row in rows_in(tmp_path / "out", "results")}
    assert "stale:hba1c" not in told["findrisc"]
    place, models = Options(ungated=True).asked()
    record = PatientRecord.parse({k: v for k, v in said.items() if k != "person_id"})
    for outcome in assess_all([record], models, place)[0].outcomes:
        expected = [] if isinstance(outcome, NoEstimate) else [code(p) for p in outcome.warnings]
        assert told[outcome.model] == expected
