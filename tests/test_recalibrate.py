"""Recalibration: the graph stays exact, the figures are right, small tables are refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from cdss.bundle import SHIPPED, load_bundle
from tests.simulated import MODEL, bundle, definition, fitted, people
from tests.toy import toy_graph
from training import recalibrate as module
from training.__main__ import app
from training.child import next_version, parity_with_parent
from training.data import load_table
from training.definition import definitions
from training.export.recalibrated import recalibrated
from training.local import Local, choose, fit
from training.recalibrate import recalibrate

OF = definition("bmi", "waist")


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of bundles with one model of made-up people."""
    folder = tmp_path_factory.mktemp("parent")
    table = people(12_000, 1)
    bundle(folder / MODEL, OF, table, fitted(OF, table))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "definitions", lambda: {MODEL: OF})
        yield folder


def _run(graph: bytes, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(["probability", "contributions"], {"x": x})


def _rows(folder: Path, n: int = 300) -> np.ndarray:
    model = load_bundle(folder)
    rng = np.random.default_rng(5)
    ends = np.array([model.limits.get(name, (0.0, 1.0))[:2] for name in model.predictors])
    x = ends[:, 0] + (ends[:, 1] - ends[:, 0]) * rng.random((n, len(ends)))
    x[rng.random(x.shape) < 0.4] = np.nan
    x[:3] = np.nan
    return x.astype(np.float32)


@pytest.mark.parametrize("name", sorted(definitions()))
def test_a_recalibrated_graph_is_exact(name: str) -> None:
    """Probability to 1e-9 of ``expit(a + b logit p)``, contributions adding up to 1e-5."""
    folder = SHIPPED / name
    graph, x = (folder / "model.onnx").read_bytes(), _rows(folder)
    p, phi = _run(graph, x)
    before = np.log(p) - np.log1p(-p)
    start = load_bundle(folder).baseline
    for a, b in ((0.7, 0.8), (-1.3, 1.25), (0.5, 1.0)):
        made = recalibrated(graph, a, b)
        now, contributions = _run(made.to_bytes(), x)
        total = made.baseline + contributions.sum(axis=1, dtype=np.float64)

        assert np.abs(now - 1 / (1 + np.exp(-(a + b * before)))).max() < 1e-9
        assert np.abs(total - (np.log(now) - np.log1p(-now))).max() < 1e-5
        assert np.abs(contributions - b * phi).max() < 1e-5
        assert made.baseline == pytest.approx(a + b * start, abs=1e-12)
    twice, once = recalibrated(made.to_bytes(), -0.2, 0.9), recalibrated(graph, 0.25, 0.9)
    assert np.abs(_run(twice.to_bytes(), x)[0] - _run(once.to_bytes(), x)[0]).max() < 1e-12


def test_the_graph_keeps_its_shape(parent: Path) -> None:
    graph = (parent / MODEL / "model.onnx").read_bytes()
    old = onnx.load_from_string(graph)
    new = recalibrated(graph, 0.1, 0.9).model
    again = recalibrated(new.SerializeToString(), 0.1, 0.9).model

    assert new.graph.input == old.graph.input
    assert new.graph.output == old.graph.output
    assert new.opset_import == old.opset_import
    assert len(new.graph.node) == len(old.graph.node) + 2
    assert len(again.graph.node) == len(new.graph.node), "two slopes become one"
    assert {n.op_type for n in new.graph.node} <= {n.op_type for n in old.graph.node} | {"Mul"}
    assert len(recalibrated(graph, 0.1, 1.0).model.graph.node) == len(old.graph.node)


@pytest.mark.parametrize("line", [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_what_cannot_recalibrate_is_refused(parent: Path, line: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="cannot recalibrate by"):
        recalibrated((parent / MODEL / "model.onnx").read_bytes(), *line)
    with pytest.raises(ValueError, match="does not end as an explained graph"):
        recalibrated(toy_graph(), 0.1, 1.0)


def test_the_line_is_that_of_another_program(parent: Path) -> None:
    model = load_bundle(parent / MODEL)
    local = Local.of(model, OF, people(4_000, 3, intercept=0.6, slope=0.8))
    said, y = local.log_odds["all"], local.cohort.y
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=500).fit(said[:, None], y)
    line, shift = fit(local, "slope"), fit(local, "intercept")

    assert line.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert line.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert line.slope_95ci[0] < 0.8 < line.slope_95ci[1]
    assert shift.slope == 1
    # An intercept makes as many expected as observed, exactly.
    after = 1 / (1 + np.exp(-(shift.intercept + said)))
    assert after.mean() == pytest.approx(y.mean(), abs=1e-9)


@pytest.mark.parametrize(
    ("truth", "method"),
    [({}, "none"), ({"intercept": 0.5}, "intercept"), ({"intercept": 0.3, "slope": 0.6}, "slope")],
)
def test_the_least_change_that_is_needed_is_chosen(
    parent: Path, truth: dict[str, float], method: str
) -> None:
    local = Local.of(load_bundle(parent / MODEL), OF, people(5_000, 4, **truth))
    chosen, tests = choose(local)

    assert chosen == method
    assert {test["kind"] for test in tests} == {"likelihood ratio"}
    assert [test["df"] for test in tests] == ([2] if method == "none" else [2, 1])


def test_people_with_several_rows_are_tested_robustly(parent: Path) -> None:
    """The same people three times over are no more evidence than once."""
    table = people(1_500, 5, intercept=0.25)
    thrice = replace(table, frame=pd.concat([table.frame] * 3, ignore_index=True))
    model = load_bundle(parent / MODEL)
    once, many = Local.of(model, OF, table), Local.of(model, OF, thrice)
    (first, *_), (robust, *_) = choose(once)[1], choose(many)[1]

    assert many.people == once.people
    assert many.events == once.events
    assert robust["kind"] == "Wald, robust"
    assert robust["statistic"] == pytest.approx(first["statistic"], rel=0.15)


def test_a_new_version_says_what_it_is(parent: Path, tmp_path: Path) -> None:
    table = people(5_000, 6, intercept=0.4, slope=0.7)
    report = recalibrate(MODEL, table, site="Ha Noi", bundles=parent, out=tmp_path / "c")
    old, new = load_bundle(parent / MODEL), load_bundle(tmp_path / "c" / MODEL)
    (step,) = new.facts["recalibration_history"]

    assert report["method"] == "slope"
    assert new.version == report["version"] == "1.0.0+hanoi.1"
    assert new.facts["parent"] == {
        "id": MODEL, "version": old.version, "digest": old.facts["digest"],
    }  # fmt: skip
    assert new.limits == old.limits
    assert new.population == old.population
    assert new.facts["interval"] is None
    assert not new.released
    assert step["site"] == "Ha Noi"
    assert step["table"]["sha256"] == table.digest
    assert new.facts["parent_metrics"] == old.facts["metrics"]
    assert "local table of ha noi" in new.sources[-1].citation.lower()
    # Judged by rows it was not fitted on, and better for it.
    for tier, after in report["after"].items():
        before = report["before"][tier]
        assert abs(after["o_e"] - 1) < 0.05 < abs(before["o_e"] - 1)
        assert after["auroc"] == pytest.approx(before["auroc"], abs=0.005)
    assert report["after"]["all"]["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert report["after"]["all"]["calibration_slope"] != pytest.approx(1, abs=1e-6)
    assert new.facts["metrics"] == report["after"]
    found = parity_with_parent(old, new, report["intercept"], report["slope"])
    assert found["probability"] < 1e-9
    assert found["additivity"] < 1e-5


def test_known_answers_follow_from_the_parents(parent: Path, tmp_path: Path) -> None:
    report = recalibrate(
        MODEL, people(5_000, 6, intercept=0.4), site="x", method="slope", bundles=parent,
        out=tmp_path,
    )  # fmt: skip
    old, new = (
        list(csv.DictReader((folder / MODEL / "cases.csv").open())) for folder in (parent, tmp_path)
    )

    for was, now in zip(old, new, strict=True):
        p, q = float(was["probability"]), float(now["probability"])
        line = report["intercept"] + report["slope"] * (np.log(p) - np.log1p(-p))
        assert np.log(q) - np.log1p(-q) == pytest.approx(line, abs=1e-12)
        assert now["origin"].startswith(was["origin"])
        assert "then log-odds x" in now["origin"]
        assert {k: v for k, v in was.items() if k not in ("probability", "origin")} == {
            k: v for k, v in now.items() if k not in ("probability", "origin")
        }


def test_a_grandchild_keeps_the_line_of_all(parent: Path, tmp_path: Path) -> None:
    first = recalibrate(
        MODEL, people(5_000, 6, intercept=0.4), site="A", method="slope", bundles=parent,
        out=tmp_path / "1",
    )  # fmt: skip
    second = recalibrate(
        MODEL, people(5_000, 7, intercept=-0.4), site="A", method="slope", bundles=tmp_path / "1",
        out=tmp_path / "2",
    )  # fmt: skip
    start = load_bundle(parent / MODEL).facts["recalibration"]
    whole = load_bundle(tmp_path / "2" / MODEL).facts

    assert second["version"] == "1.0.0+a.2"
    assert [step["version"] for step in whole["recalibration_history"]] == [
        first["version"], second["version"],
    ]  # fmt: skip
    assert whole["parent"]["digest"] == first["digest"]
    by_hand = second["intercept"] + second["slope"] * (
        first["intercept"] + first["slope"] * start["intercept"]
    )
    assert whole["recalibration"]["intercept"] == pytest.approx(by_hand, abs=1e-12)
    with pytest.raises(ValueError, match="cannot replace its parent"):
        recalibrate(MODEL, people(5_000, 8, intercept=1), site="A", bundles=parent, out=parent)


def test_nothing_to_change_writes_nothing(parent: Path, tmp_path: Path) -> None:
    report = recalibrate(MODEL, people(5_000, 4), site="x", bundles=parent, out=tmp_path)

    assert report["method"] == "none"
    assert report["version"] is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("n", "method", "told"),
    [
        (150, "auto", "people with the outcome needed 50, had "),
        (150, "intercept", "people needed "),
        (600, "slope", "people with the outcome needed 100, had "),
    ],
)
def test_a_small_table_is_refused_before_fitting(
    parent: Path, tmp_path: Path, n: int, method: Any, told: str
) -> None:
    with pytest.raises(ValueError, match="the table is too small to fit") as refused:
        recalibrate(MODEL, people(n, 9), site="x", method=method, bundles=parent, out=tmp_path)

    assert told in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_too_few_for_a_slope_still_allows_an_intercept(parent: Path, tmp_path: Path) -> None:
    report = recalibrate(
        MODEL, people(600, 9, intercept=-0.4), site="x", bundles=parent, out=tmp_path
    )

    assert 50 <= report["events"] < 100
    assert report["sample_size"]["slope"]["lacking"]
    assert report["method"] in ("none", "intercept")
    assert report["slope"] == 1


def test_people_outside_the_limits_take_no_part(parent: Path) -> None:
    table = people(2_000, 10)
    odd = table.frame.assign(bmi=np.where(table.frame.index < 100, 80.0, table.frame["bmi"]))
    unknown = odd.assign(age=np.where(odd.index >= 1_950, np.nan, odd["age"]))
    local = Local.of(load_bundle(parent / MODEL), OF, replace(table, frame=unknown))

    assert 100 <= local.outside <= 110
    assert len(local.cohort) + local.outside == 1_950


def test_versions_are_valid_everywhere() -> None:
    from packaging.version import Version

    for version, site in (("1.0.0", "Ha Noi"), ("1.0.0+hanoi.1", "Huế"), ("2.1.0", "site-7")):
        made = next_version(version, site)
        assert str(Version(made)) == made
    with pytest.raises(ValueError, match="needs a name"):
        next_version("1.0.0", "---")


def test_a_site_with_its_own_columns(parent: Path, tmp_path: Path) -> None:
    """The command, with a mapping file: other names, other units, other codes."""
    frame = people(5_000, 6, intercept=0.5).frame
    site = frame.assign(
        tuoi=frame["age"], gioi=np.where(frame["sex"] == 1, "nu", "nam"), eo=frame["waist"] / 100,
        a1c=frame["hba1c"], biet="khong",
    )  # fmt: skip
    site[["tuoi", "gioi", "bmi", "eo", "a1c", "biet"]].to_csv(tmp_path / "site.csv", index=False)
    (tmp_path / "site.toml").write_text(
        """
title = "A hospital"
[columns]
age = { column = "tuoi", unit = "a" }
sex = { column = "gioi", recode = { nam = "male", nu = "female" } }
bmi = { column = "bmi", unit = "kg/m2" }
waist = { column = "eo", unit = "m" }
hba1c = { column = "a1c", unit = "%" }
diabetes = { column = "biet", recode = { khong = false, co = true } }
"""
    )
    arguments = [
        "recalibrate", "--model", MODEL, "--table", str(tmp_path / "site.csv"), "--mapping",
        str(tmp_path / "site.toml"), "--site", "hospital", "--bundles", str(parent), "--out",
        str(tmp_path / "out"),
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.output
    assert "5000 of 5000 rows kept" in result.output
    assert "version 1.0.0+hospital.1" in result.output
    assert "after (cross-fitted)" in result.output
    assert load_bundle(tmp_path / "out" / MODEL).version == "1.0.0+hospital.1"
    both = CliRunner().invoke(app, [*arguments, "--dataset", "nhanes"])
    assert both.exit_code == 2
    assert "give either --dataset or --mapping" in both.output


def test_censored_people_with_several_examinations(shared: Path, tmp_path: Path) -> None:
    """Framingham: weights, and up to three examinations of a person."""
    table = load_table("framingham")
    real = definitions()["cvd-incident"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "definitions", definitions)
        report = recalibrate("cvd-incident", table, site="demo", method="slope", out=tmp_path)
    local = Local.of(load_bundle(SHIPPED / "cvd-incident"), real, table)

    assert report["people"] < report["rows"]
    assert {t["kind"] for t in choose(local)[1]} == {"Wald, robust"}
    low, high = report["slope_95ci"]
    assert 0.9 < low < high < 1.4  # on its own people a regularised model is a little too careful
    assert report["after"]["all"]["o_e"] == pytest.approx(1, abs=0.01)
