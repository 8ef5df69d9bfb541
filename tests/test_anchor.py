"""Anchoring to published prevalences: exact, sourced, and said to be no validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cdss import PatientRecord, RiskEstimate
from cdss.bundle import load_bundle
from cdss.errors import DefinitionError
from tests.simulated import MODEL, bundle, definition, fitted, people
from training import anchor as module
from training.__main__ import app
from training.aggregates import AGGREGATES, Aggregates, Cell, read_aggregates, read_standard
from training.anchor import anchor
from training.child import parity_with_parent
from training.data import load_table
from training.definition import definitions
from training.target import Target, target_of

OF = definition("bmi", "waist")
FILE = """
title = "Made up"
label = "xx"
outcome = "undiagnosed_diabetes"
outcome_definition = "HbA1c >= 6.5 %"
counts_diagnosed = false
same_outcome = true
people_are = "census"
[source]
citation = "Somebody, 2020"
locator = "table 1"
[[cells]]
sex = "male"
age_low = 25
age_high = 49
prevalence = 0.05
ci_low = 0.04
ci_high = 0.06
people = 3
[[cells]]
sex = "female"
age_low = 50
age_high = 69
prevalence = 0.15
ci_low = 0.12
ci_high = 0.18
people = 1
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("parent")
    table = people(6_000, 1)
    bundle(folder / MODEL, OF, table, fitted(OF, table))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "definitions", lambda: {MODEL: OF})
        patch.setattr(module, "load_table", lambda name: table)
        yield folder


def _file(folder: Path, text: str = FILE) -> Path:
    (folder / "a.toml").write_text(text)
    return folder / "a.toml"


def _read(folder: Path, text: str = FILE) -> Aggregates:
    return read_aggregates(_file(folder, text))


def test_the_shift_gives_the_prevalence_exactly(parent: Path, tmp_path: Path) -> None:
    report = anchor(MODEL, _read(tmp_path), bundles=parent, out=tmp_path)
    old, new = load_bundle(parent / MODEL), load_bundle(tmp_path / MODEL)
    aim = 0.75 * 0.05 + 0.25 * 0.15

    assert report["prevalence"] == pytest.approx(aim)
    young, aged = report["cells"]
    assert 0.75 * young["after"] + 0.25 * aged["after"] == pytest.approx(aim, abs=1e-10)
    assert young["remains"] == pytest.approx(young["after"] - 0.05)
    assert 0.75 * young["remains"] + 0.25 * aged["remains"] == pytest.approx(0, abs=1e-10)
    low, high = report["shift_95ci"]
    assert low < report["shift"] < high
    assert new.version == "1.0.0+xxanchored.1"
    found = parity_with_parent(old, new, report["shift"], 1.0)
    assert found["probability"] < 1e-9
    assert new.baseline == pytest.approx(old.baseline + report["shift"])


def test_the_short_cut_would_fall_short(tmp_path: Path) -> None:
    """Mean 3.87 % to 8 %: the difference of the log-odds stops at 7.8 %."""
    said = np.random.default_rng(0).normal(-4.0, 1.1, 200_000)
    share = np.full(len(said), 1 / len(said))
    target = Target((said,), (share,), np.ones(1), "made up")
    mean = float(target.means(0.0)[0])
    short = np.log(0.08 / 0.92) - np.log(mean / (1 - mean))
    exact = target.shift_to(np.array([0.08]))

    assert target.means(exact)[0] == pytest.approx(0.08, abs=1e-12)
    assert target.means(short)[0] < 0.0795
    assert exact > short


def test_it_says_that_it_is_not_validated(parent: Path, tmp_path: Path) -> None:
    anchor(MODEL, _read(tmp_path), bundles=parent, out=tmp_path)
    old, new = load_bundle(parent / MODEL), load_bundle(tmp_path / MODEL)
    record = PatientRecord.parse(
        {"index_date": "2026-11-22", "values": {"age": 50, "sex": "male", "bmi": 28, "waist": 98}}
    )
    estimate = new.estimate(record)

    assert isinstance(estimate, RiskEstimate)
    assert "anchored" in {problem.code for problem in estimate.warnings}
    assert new.facts["anchored"] is True
    assert "anchored to published prevalence, not validated" in new.facts["title"]
    assert new.population.startswith(old.population)
    assert new.facts["metrics"] == {}, "no figure of the parent is the child's"
    assert new.facts["parent_metrics"] == old.facts["metrics"]
    assert new.facts["interval"] is None
    assert new.facts["anchor"]["sources"][0]["locator"] == "table 1"
    assert [s.citation for s in new.sources][-1] == "Somebody, 2020"
    assert new.facts["recalibration_history"][0]["method"] == "anchor"


def test_local_predictors_stand_for_themselves(parent: Path, tmp_path: Path) -> None:
    """People without outcome, leaner than those of the derivation: a greater shift."""
    table = people(4_000, 2)
    lean = table.frame.drop(columns="hba1c").assign(bmi=table.frame["bmi"] - 4)
    known = replace(table, frame=lean)
    with_table = anchor(MODEL, _read(tmp_path), table=known, bundles=parent, out=tmp_path / "1")
    without = anchor(MODEL, _read(tmp_path), bundles=parent, out=tmp_path / "2")

    assert with_table["shift"] > without["shift"] + 0.1
    shares = [cell["people"] for cell in with_table["cells"]]
    after = np.average([cell["after"] for cell in with_table["cells"]], weights=shares)
    wanted = np.average([0.05, 0.15], weights=shares)
    assert after == pytest.approx(wanted, abs=1e-10)
    assert any("stand in for the local ones" in c for c in without["conditions"])
    assert not any("stand in for the local ones" in c for c in with_table["conditions"])


def test_another_outcome_is_refused_unless_somebody_says_why(parent: Path, tmp_path: Path) -> None:
    other = FILE.replace("same_outcome = true", 'same_outcome = false\ndiffers = "Another cut."')
    told = FILE.replace("counts_diagnosed = false", "counts_diagnosed = true")
    for text, reason in ((other, "Another cut."), (told, "who know of their disease are counted")):
        with pytest.raises(ValueError, match=reason):
            anchor(MODEL, _read(tmp_path, text), bundles=parent, out=tmp_path / "out")
    with pytest.raises(ValueError, match="answers for now, the aggregates are of 5 years"):
        anchor(
            MODEL, _read(tmp_path, FILE.replace("[source]", "horizon_years = 5.0\n[source]")),
            although="why not", bundles=parent, out=tmp_path / "out",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    report = anchor(
        MODEL, _read(tmp_path, other), although="the nearest there is", bundles=parent, out=tmp_path
    )
    facts = load_bundle(tmp_path / MODEL).facts["anchor"]
    assert report["although_outcome_differs"] == facts["although_outcome_differs"]
    assert facts["although_outcome_differs"] == "the nearest there is"
    assert "Another cut." in facts["conditions"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (('citation = "Somebody, 2020"', 'citation = ""'), "needs a citation and a locator"),
        (('locator = "table 1"', 'locator = " "'), "needs a citation and a locator"),
        (("prevalence = 0.05", "prevalence = 5.0"), "prevalence is a proportion"),
        (("ci_low = 0.04", "ci_low = 0.055"), "not inside its interval"),
        (("ci_low = 0.04\n", ""), "its interval has two ends"),
        (("people = 3", "persons = 3"), "unknown key persons, people is missing"),
        (('sex = "male"', 'sex = "m"'), "sex must be male, female or both"),
        (("same_outcome = true", "same_outcome = false"), "say under 'differs'"),
        (("age_low = 25", "age_low = 95"), "ages go up"),
        (("[source]", "[undiagnosed]\nshare = 0.5\n[source]"), "nothing to convert"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, wrong: tuple[str, str], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        _read(tmp_path, FILE.replace(*wrong, 1))


def test_the_share_of_the_undiagnosed_by_hand() -> None:
    """1,000 people, 100 with diabetes, 60 of whom do not know: 60 of 960 who were never told."""
    found = Cell("both", 20, 79, 0.10, 0.08, 0.12, 1).undiagnosed(0.6)

    assert found.prevalence == pytest.approx(60 / 960)
    assert found.ci_low == pytest.approx(48 / 968)
    assert found.ci_high == pytest.approx(72 / 952)


def test_age_standardised_prevalences_are_of_the_standard_population(tmp_path: Path) -> None:
    groups, source = read_standard("who-world-2001")
    one = FILE[: FILE.index("[[cells]]")].replace(
        "[source]", 'age_standardised_to = "who-world-2001"\n[source]'
    ) + ('[[cells]]\nsex = "both"\nage_low = 20\nage_high = 120\nprevalence = 0.1\npeople = 1\n')
    facts = _read(tmp_path, one)
    age = np.random.default_rng(1).uniform(20, 85, 5_000)
    target = target_of(facts, age, age * 0, age * 0, None, "x")
    (weights,) = target.weights
    adults = {low: share for low, share in groups if low >= 20}

    assert sum(share for _, share in groups) == pytest.approx(100 - 8.86 - 8.69 - 8.60, abs=0.05)
    for low, share in adults.items():
        high = low + 5 if low < 85 else 200
        found = weights[(age >= low) & (age < high)].sum()
        if (age >= low).any():
            assert found == pytest.approx(share / sum(adults.values()), rel=0.02)
    assert source.locator


def test_the_files_that_ship_are_sourced() -> None:
    files = sorted(AGGREGATES.glob("*.toml"))
    assert len(files) >= 3
    for file in files:
        facts = read_aggregates(file)
        assert all(source.checked_on for source in facts.sources), file.name
        assert facts.same_outcome or facts.differs


def test_a_shipped_file_on_a_shipped_model(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "definitions", definitions)
    monkeypatch.setattr(module, "load_table", load_table)
    name = "hypertension-undiagnosed"
    file = AGGREGATES / "vietnam-undiagnosed-hypertension.toml"
    arguments = ["anchor", "--model", name, "--aggregates", str(file), "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    refused = CliRunner().invoke(
        app,
        ["anchor", "--model", "diabetes-undiagnosed", "--aggregates",
         str(AGGREGATES / "vietnam-diabetes.toml"), "--out", str(tmp_path)],
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert "14.74%" in result.output, "25.1 %, of whom 51.6 % do not know"
    assert "Only the intercept moves" in result.output
    assert "anchored, not validated" in result.output
    assert load_bundle(tmp_path / name).facts["anchored"]
    assert refused.exit_code == 2
    assert "--although-outcome-differs" in refused.output
