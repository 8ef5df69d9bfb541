"""What `cdss trends` counts, against the same counted by pandas from the rows; without noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdss.batch.layout import Layout
from cdss.batch.plan import Options as BatchOptions
from cdss.batch.run import run as run_batch
from cdss.errors import BatchError, DefinitionError
from cdss.trends.measures import wanted_variables
from cdss.trends.noise import Secret
from cdss.trends.report import Report
from cdss.trends.run import Options, run
from tests.batch_people import people as random_people
from tests.batch_people import table
from tests.trends_site import people, write

SECRET = Secret(b"s" * 32)
BARE = Options(areas=("province", "commune"), spread=0.0, weights=0.0, least=1)
YEARS = (2023, 2024, 2025)
COUNT = 2500


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Report]:
    base = tmp_path_factory.mktemp("site")
    rows = {year: people(COUNT, year, seed=1) for year in YEARS}
    outs = [write(base / str(year), rows[year], part=1000) for year in YEARS]
    truth = pd.DataFrame([row for year in YEARS for row in rows[year]])
    truth["period"] = pd.to_datetime(truth.index_date).dt.year.astype(str)
    truth["area"] = truth.province + " / " + truth.commune
    edges = [18, 30, 40, 50, 60, 70, 80, 200]
    truth["band"] = pd.cut(truth.age, edges, right=False, labels=False)
    return truth, run(outs, SECRET, BARE)


def cell(report: Report, measure: str, period: str, **where: Any) -> dict[str, Any]:
    wanted = {"area": "*", "sex": "*", "band": "*"} | where
    found = report.figures.filter(
        (pl.col("measure") == measure) & (pl.col("period") == period),
        *(pl.col(key) == value for key, value in wanted.items()),
    )
    assert found.height == 1
    return found.row(0, named=True)


def groups(truth: pd.DataFrame) -> Iterator[tuple[str, dict[str, str], pd.DataFrame]]:
    for period, year in truth.groupby("period"):
        yield period, {}, year
        for sex, mine in year.groupby("sex"):
            yield period, {"sex": sex}, mine
        for province, mine in year.groupby("province"):
            yield period, {"area": province}, mine
            yield period, {"area": province, "sex": "male"}, mine[mine.sex == "male"]
            older = mine[(mine.sex == "female") & (mine.age >= 70) & (mine.age < 80)]
            yield period, {"area": province, "sex": "female", "band": "70-79"}, older
        for area, mine in year.groupby("area"):
            yield period, {"area": area}, mine


def test_people_and_shares_are_those_of_the_rows(site: tuple[pd.DataFrame, Report]) -> None:
    truth, report = site
    for period, where, mine in groups(truth):
        seen = cell(report, "seen", period, **where)
        assert seen["count"] == pytest.approx(len(mine)) or (
            len(mine) == 0 and seen["count"] is None
        )
        known = mine.systolic_bp.notna() & mine.diastolic_bp.notna()
        raised = known & ((mine.systolic_bp >= 140) | (mine.diastolic_bp >= 90))
        pairs = {
            "share.raised_bp": (raised, known),
            "share.undiagnosed_hypertension": (
                raised & (mine.hypertension == False), known & (mine.hypertension == False)  # noqa: E712
            ),
            "share.untreated_hypertension": (
                (mine.hypertension == True) & (mine.bp_treated == False),  # noqa: E712
                mine.hypertension == True,  # noqa: E712
            ),
            "missing.fasting_glucose": (mine.fasting_glucose.isna(), mine.period.notna()),
            "high_risk.cardiovascular": (
                (mine.kind == "estimate") & (mine.p.astype("float32") >= np.float32(0.2)),
                mine.kind == "estimate",
            ),
            "refused.cardiovascular": (mine.kind == "refused", mine.period.notna()),
            "range.cardiovascular": (mine.kind == "range", mine.period.notna()),
            "positive.diabetes_points": ((40 * mine.p).astype(int) >= 10, mine.period.notna()),
        }  # fmt: skip
        for measure, (of, among) in pairs.items():
            found = cell(report, measure, period, **where)
            if found["suppressed"]:
                assert (
                    min(of.sum(), among.sum() - of.sum()) <= 1 or found["suppressed"] == "with_it"
                )
                continue
            assert (found["count"], found["among"]) == (of.sum(), among.sum()), measure
            assert found["estimate"] == pytest.approx(of.sum() / among.sum())


def test_expected_cases_are_sums_of_probabilities(site: tuple[pd.DataFrame, Report]) -> None:
    truth, report = site
    for period, where, mine in groups(truth):
        one, span = mine[mine.kind == "estimate"], mine[mine.kind == "range"]
        found = cell(report, "expected.cardiovascular", period, **where)
        if not found["suppressed"]:
            assert found["estimate"] == pytest.approx(one.p.sum(), abs=0.01)
            assert found["among"] == len(one)
            assert found["low"] < found["estimate"] < found["high"]
        bounds = cell(report, "expected_bounds.cardiovascular", period, **where)
        if not bounds["suppressed"]:
            assert bounds["estimate"] is None
            assert bounds["low"] == pytest.approx(one.p.sum() + 0.8 * span.p.sum(), abs=0.01)
            assert bounds["high"] + 0.01 >= one.p.sum() + span.p.sum()
        told = cell(report, "expected.undiagnosed_diabetes", period, **where)
        if not told["suppressed"]:
            assert told["low"] - 0.01 <= 0.7 * mine.p.sum() / 3
            assert told["high"] + 0.01 >= mine.p.sum() / 3


def test_standardised_shares_have_the_mix_of_the_whole_report(
    site: tuple[pd.DataFrame, Report],
) -> None:
    truth, report = site
    weights = truth.groupby(["sex", "band"]).size() / len(truth)
    for (period, province), mine in truth.groupby(["period", "province"]):
        rates = mine.fasting_glucose.isna().groupby([mine.sex, mine.band]).mean()
        both = rates.index.intersection(weights.index)
        expected = (rates[both] * weights[both]).sum() / weights[both].sum()
        found = cell(report, "missing.fasting_glucose", period, area=province)
        assert found["standardised"] == pytest.approx(expected)
        assert found["standardised_low"] < expected < found["standardised_high"]


def test_what_was_not_kept_is_absent_and_said(site: tuple[pd.DataFrame, Report]) -> None:
    _, report = site
    absent = dict(report.absent)

    assert absent["share.diabetic_glucose"] == ("hba1c",)
    assert absent["question.new_hypertension"] == ("models",)
    assert not report.figures.filter(pl.col("measure").str.contains("hba1c|smoking")).height


def test_a_person_counts_once_a_period_as_at_the_last_visit(tmp_path: Path) -> None:
    first = people(300, 2024, seed=2)
    second = [
        row | {"index_date": row["index_date"].replace(month=12, day=30), "sex": "male"}
        for row in first[:100]
    ]
    report = run([write(tmp_path / "a", first + second)], SECRET, BARE)

    assert cell(report, "seen", "2024")["count"] == 300
    males = sum(row["sex"] == "male" for row in first[100:]) + 100
    assert cell(report, "seen", "2024", sex="male")["count"] == males


def test_who_was_asked_back_and_did_not_come(tmp_path: Path) -> None:
    raised = [row | {"advice": ["BPS-05"]} for row in people(90, 2024, seed=3)]
    day = raised[0]["index_date"].replace(month=3, day=1)
    first = [row | {"index_date": day} for row in raised]
    soon = [row | {"index_date": day.replace(month=4)} for row in raised[:30]]
    late = [row | {"index_date": day.replace(month=6)} for row in raised[30:50]]
    last = [row | {"index_date": day.replace(month=12, day=20), "person_id": f"L{at:05d}0"}
            for at, row in enumerate(raised[:40])]  # fmt: skip
    for row in last:
        row["person_id"] = row["person_id"].replace("L", "9")
    out = write(tmp_path / "a", first + soon + late + last)
    found = cell(run([out], SECRET, BARE), "unmet.weeks", "2024")

    # of 90 thirty came within 28 + 28 days; of those of 20 December it is not known yet
    assert (found["count"], found["among"]) == (60, 90)


def test_the_change_knows_who_was_seen_twice(tmp_path: Path) -> None:
    """With the same people in both years its interval covers as it says, and is narrower."""
    rng = np.random.default_rng(0)
    covered, widths = [], {True: [], False: []}
    base = people(600, 2025, seed=7, provinces=1, communes=1)
    for trial in range(16):
        for same in (True, False):
            own = rng.random(600) < 0.3
            again = own ^ (rng.random(600) < 0.05) if same else rng.random(600) < 0.3
            now = [
                row
                | {
                    "person_id": f"P{at + (0 if same else 50_000):06d}",
                    "index_date": row["index_date"].replace(year=2026),
                }
                for at, row in enumerate(base)
            ]
            for rows, missing in ((base, own), (now, again)):
                for row, lacks in zip(rows, missing, strict=True):
                    row["fasting_glucose"] = None if lacks else 5.0
            folder = tmp_path / f"{trial}-{same}"
            outs = [write(folder / "1", base), write(folder / "2", now)]
            options = Options(
                areas=("province",), spread=0.0, weights=0.0, measures=("missing.fasting_glucose",)
            )
            row = (
                run(outs, SECRET, options).changes.filter(pl.col("area") == "*").row(0, named=True)
            )
            widths[same].append(row["high"] - row["low"])
            truth = 0.05 * (0.7 - 0.3) if same else 0.0
            covered.append(row["low"] <= truth <= row["high"])

    assert np.mean(widths[True]) < 0.6 * np.mean(widths[False])
    assert np.mean(covered) > 0.83  # three standard deviations of 32 trials below 0.95


def test_predictions_are_compared_with_what_happened(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = people(4000, 2024, seed=5, provinces=1, communes=1)
    asked = [row for row in rows if row["kind"] == "estimate"]
    happened = pl.DataFrame({
        "person_id": [row["person_id"] for row in asked],
        "index_date": [row["index_date"] for row in asked],
        "outcome": ["cardiovascular"] * len(asked),
        "event": [bool(rng.random() < 1.5 * row["p"]) for row in asked],
    })  # fmt: skip
    file = tmp_path / "outcomes.parquet"
    happened.write_parquet(file)
    out = write(tmp_path / "a", rows)
    (found,) = run([out], SECRET, Options(outcomes=file)).calibration

    assert found.question == "cardiovascular"
    assert found.n == pytest.approx(len(asked), abs=40)
    assert found.ratio_low < 1.5 < found.ratio_high
    assert found.ratio == pytest.approx(
        happened["event"].sum() / sum(row["p"] for row in asked), rel=0.05
    )
    assert found.slope_low < found.slope < found.slope_high

    happened.with_columns(outcome=pl.lit("gout")).write_csv(tmp_path / "wrong.csv")
    with pytest.raises(DefinitionError, match="gout"):
        run([out], SECRET, Options(outcomes=tmp_path / "wrong.csv"))


def test_inputs_that_move_are_seen(tmp_path: Path) -> None:
    before, after = people(3000, 2024, seed=6), people(3000, 2025, seed=6)
    for row in after:
        if row["systolic_bp"] is not None:
            row["systolic_bp"] += 15
    outs = [write(tmp_path / "1", before), write(tmp_path / "2", after)]
    moved = {d.variable: d.psi for d in run(outs, SECRET, Options()).drift if d.period == "2025"}

    assert moved["systolic_bp"] > 0.25 > 0.05 > moved["age"]


def test_quarters_and_communes_of_one_batch_as_it_is_really_written(tmp_path: Path) -> None:
    rows = random_people(400, seed=4)
    source = table(rows)
    place = ["Hà Nội" if at % 2 else "Huế" for at in range(400)]
    pq.write_table(source.append_column("province", pa.array(place)), tmp_path / "in.parquet")
    layout = Layout(keep=("province", *wanted_variables()))
    run_batch(tmp_path / "in.parquet", tmp_path / "out", BatchOptions(layout), processes=1)
    report = run(
        [tmp_path / "out"],
        SECRET,
        Options(areas=("province",), spread=0.0, weights=0.0, every="quarter"),
    )
    kept = pl.read_parquet(tmp_path / "out" / "advice" / "*.parquet")

    assert report.periods == ("2026-Q4",)
    assert cell(report, "seen", "2026-Q4")["count"] == kept.height
    wanted = kept.filter(pl.col("province") == "Huế").height
    assert cell(report, "seen", "2026-Q4", area="Huế")["count"] == wanted
    both = kept.filter(pl.col("systolic_bp").is_not_null() & pl.col("diastolic_bp").is_not_null())
    raised = both.filter((pl.col("systolic_bp") >= 140) | (pl.col("diastolic_bp") >= 90)).height
    assert cell(report, "share.raised_bp", "2026-Q4")["count"] == raised
    assert not [what for what, _ in report.absent if what.startswith("share")]


def test_folders_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    out = write(tmp_path / "a", people(50, 2024))
    with pytest.raises(BatchError, match="named twice"):
        run([out, out], SECRET, BARE)
    with pytest.raises(BatchError, match="no finished batch"):
        run([tmp_path / "none"], SECRET, BARE)
    with pytest.raises(DefinitionError, match="village"):
        run([out], SECRET, Options(areas=("village",)))
    with pytest.raises(DefinitionError, match="happiness"):
        run([out], SECRET, Options(measures=("happiness",)))
    (out / "results" / "part-0000.parquet").write_bytes(b"")
    with pytest.raises(BatchError, match="not as the batch left it"):
        run([out], SECRET, BARE)
