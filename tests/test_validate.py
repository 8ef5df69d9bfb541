"""Evidence put together: what it holds, what it says when data are lacking, and its report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from training.__main__ import app
from training.data import load_table
from training.definition import definitions
from training.follow import follow_up
from training.metrics import auroc
from training.report import number, rounded, write
from training.study import Study, of_equation
from training.validate import Evidence, parts, population, sampled, validate

FIGURES = {"n", "events", "prevalence", "auroc", "auroc_95ci", "o_e", "o_e_95ci",
           "calibration_intercept", "calibration_intercept_95ci", "calibration_slope",
           "calibration_slope_95ci", "brier", "scaled_brier", "log_loss", "ici", "ici_95ci", "e50",
           "e50_95ci", "e90", "e90_95ci", "ici_if_perfect", "at", "decision_curve"}  # fmt: skip


@pytest.fixture(scope="module")
def evidence(shared: Path) -> Evidence:
    return validate("cvd-incident", quick=True)


@pytest.fixture(scope="module")
def report(evidence: Evidence) -> dict[str, Any]:
    return evidence.report


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing but what PyPI has."""
    monkeypatch.setenv("CDSS_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr("training.data.DEFAULT_FOLDER", tmp_path / "nothing")


def test_it_is_what_the_card_and_the_gate_read(report: dict[str, Any]) -> None:
    assert report["validation"] == "cross-validated"
    assert (report["people"], report["events"]) == (8138, 857)
    assert set(report["tiers"]) == {"required_only", "no_laboratory", "all"}
    for tier in report["tiers"].values():
        assert set(tier) >= FIGURES
        low, high = tier["ici_95ci"]
        assert low < tier["ici"] < high
        assert [a["threshold"] for a in tier["at"]] == report["thresholds"]["marked"]
    assert report["flow"][-1][1] == report["people"]
    assert report["weighted"] is report["sites"] is report["cycles"] is None
    assert {row["variable"] for row in report["characteristics"]} >= {"age", "hdl_cholesterol"}
    assert report["sample_size"]["validation"]["sufficient"]
    assert json.loads(json.dumps(rounded(report), allow_nan=False))


def test_everybody_who_ought_to_stands_beside_the_model(report: dict[str, Any]) -> None:
    compared = report["head_to_head"]["all"]
    pairs = compared["pairwise"]
    framingham = pairs["framingham-cvd-2008-bmi"]

    assert set(compared["contenders"]) == {
        "cvd-incident", "age", "age and sex", "boosting", "xgboost", "spline"
    }  # fmt: skip
    assert {c["n"] for c in compared["contenders"].values()} == {compared["people"]}
    assert "lacks egfr" in compared["left_out"]["prevent-2023-cvd-10y"]
    assert {"who-2019-nonlab-sea", "pce-2013-white-or-other"} <= set(pairs)
    assert {c["n"] for c in framingham["contenders"].values()} == {framingham["people"]}
    assert framingham["contenders"]["framingham-cvd-2008-bmi"]["o_e"] < 0.8
    assert "o_e" not in pairs["who-2019-nonlab-sea"]["contenders"]["who-2019-nonlab-sea"]
    assert "framingham-cvd-2008-bmi" in compared["curves"]["contenders"]
    for name, apart in compared["differences"].items():
        low, high = apart["auroc"]["95ci"]
        mine, its = (compared["contenders"][n]["auroc"] for n in ("cvd-incident", name))
        assert apart["auroc"]["difference"] == pytest.approx(mine - its)
        assert low < apart["auroc"]["difference"] < high
        assert set(apart) >= {"net_benefit_0.05", "net_benefit_0.1"}
    assert compared["differences"]["age"]["auroc"]["95ci"][0] > 0.05
    assert {"scaled_brier", "abs_log_o_e"} <= set(compared["differences"]["spline"])


def test_censoring_and_other_data_are_accounted_for(report: dict[str, Any]) -> None:
    survival = report["survival"]

    assert survival["observed"] == pytest.approx(report["tiers"]["all"]["prevalence"], abs=1e-6)
    assert survival["td_auc"] == pytest.approx(report["tiers"]["all"]["auroc"])
    low, high = survival["uno_c_95ci"]
    assert 0.7 < low < survival["uno_c"] < high < 0.8
    assert {x["dataset"] for x in report["external"]} == {"china", "nhanes", "pypi"}
    assert all(x["figures"] is None and "lacks" in x["why_not"] for x in report["external"])


def test_the_report_needs_nothing_else(evidence: Evidence, tmp_path: Path) -> None:
    files = write(evidence, tmp_path)
    page = files["report"].read_text(encoding="utf-8")
    stored = json.loads(files["evidence"].read_text(encoding="utf-8"))

    assert stored == rounded(evidence.report)
    assert {p.name for p in tmp_path.glob("*.png")} == {
        "calibration.png", "decision_curve.png", "subgroups.png"
    }  # fmt: skip
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "not validated in Viet Nam" in page
    assert "insufficient" in page
    assert number(stored["tiers"]["all"]["auroc"]) in page
    assert "None" not in re.sub(r"base64,[^\"]*", "", page)


def test_an_equation_is_judged_by_a_models_outcome(shared: Path) -> None:
    study = of_equation("framingham-cvd-2008-bmi", "cvd-incident")

    assert (study.validation, list(study.log_odds)) == ("external", ["all"])
    assert study.same_outcome
    assert not of_equation("who-2019-nonlab-sea", "cvd-incident").same_outcome
    assert study.cohort.flow[-1] == ("framingham-cvd-2008-bmi applies", len(study.cohort))
    with pytest.raises(ValueError, match="counts points"):
        of_equation("findrisc", "cvd-incident")
    with pytest.raises(LookupError, match="no published equation"):
        of_equation("nothing", "cvd-incident")


def test_cycles_that_were_followed_too_briefly_are_not_judged(shared: Path) -> None:
    """Deaths within ten years: nobody of the last two survey cycles was followed so long."""
    definition = definitions()["cvd-death"]
    data = load_table("nhanes")
    cohort = definition.cohort(data)
    log_odds = (-9.5 + 0.09 * cohort.x["age"]).to_numpy(dtype=float)
    said = dict.fromkeys(definition.tiers, log_odds)
    study = Study(
        "cvd-death", "0", "", "trees", definition, data, cohort, said, said,
        "cross-validated",
    )  # fmt: skip
    people = sampled(cohort, 30, follow_up(definition, cohort))
    found = parts(study, people) | population(study, 30)
    each = found["cycles"]["each"]

    assert found["sites"] is None
    assert [n for n, f in each.items() if f["auroc"] is None] == ["2011-2012", "2013-2014"]
    assert "not followed" in each["2013-2014"]["reason"]
    assert found["cycles"]["pooled"]["o_e"]["k"] == 6
    # Where everybody was followed, the share is that of the cycle itself.
    first = (cohort.part == "1999-2000") & (cohort.y >= 0)
    assert each["1999-2000"]["prevalence"] == pytest.approx(cohort.y[first].mean())
    weighted, plain = found["weighted"]["all"], people
    assert "t with 123 degrees of freedom" in found["weighted_intervals"]
    assert weighted["auroc"] > auroc(plain.y, log_odds, plain.known)
    assert weighted["prevalence"] < (plain.known * plain.y).mean()


def test_with_pypi_only(newcomer: None, tmp_path: Path) -> None:
    """External and temporal: a survey cycle after all those the model was made from."""
    data = load_table("pypi")
    found = validate("diabetes-undiagnosed", data=data, quick=True)
    report = found.report
    compared = report["head_to_head"]["all"]

    assert report["validation"] == "external"
    assert report["people"] > 3000
    assert report["events"] > 100
    assert report["tiers"]["all"]["auroc"] > 0.7
    assert "not on this machine" in compared["left_out"]["xgboost"]
    assert compared["contenders"]["diabetes-undiagnosed"]["n"] == compared["people"]
    assert report["interval"] is report["weighted"] is report["survival"] is None
    assert report["sample_size"]["development"] is None
    assert write(found, tmp_path)["report"].is_file()


def test_the_command(newcomer: None, tmp_path: Path) -> None:
    args = ["validate", "--model", "diabetes-undiagnosed", "--dataset", "pypi", "--quick"]
    result = CliRunner().invoke(app, [*args, "--out", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert "diabetes-undiagnosed on pypi, external" in result.output
    assert (tmp_path / "evidence.json").is_file()
    wrong = CliRunner().invoke(app, ["validate", "--model", "nothing"])
    assert wrong.exit_code == 2
    lacking = CliRunner().invoke(
        app, ["validate", "--model", "cvd-death", "--dataset", "pypi", "--out", str(tmp_path)]
    )
    assert lacking.exit_code == 2
    assert "pypi lacks" in lacking.stderr


def test_numbers_are_rounded_and_never_nan() -> None:
    assert rounded({"a": [0.123456789, float("nan")], "b": (1, None)}) == {
        "a": [0.123457, None], "b": [1, None]
    }  # fmt: skip
