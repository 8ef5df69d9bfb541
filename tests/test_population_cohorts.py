"""What was learned from cohorts: summaries of many, and nobody of them in a made-up population."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.stats import norm

from cdss.synthetic.columns import DECIMALS
from cdss.synthetic.complete import complete_people
from cdss.synthetic.correlated import nearest
from cdss.synthetic.model import learned, load_model
from cdss.synthetic.places import make_places
from cdss.synthetic.plan import BLOCK, Plan, drift_of
from cdss.synthetic.states import state
from training.data import load_table
from training.population import calibrate as fitting
from training.population.calibrate import calibrate, write
from training.population.correlate import BEYOND, FEWEST, score_pair
from training.population.learn import LEVELS, learn, quantile

TAUGHT = learned()
SAME = ("age", "height", "weight", "systolic_bp", "diastolic_bp", "total_cholesterol",
        "triglycerides", "creatinine")  # fmt: skip
"""Continuous values that both cohorts and made-up people have."""


def made_up(people: int) -> dict[str, np.ndarray]:
    plan = Plan(people, seed=11)
    model = load_model("vn", "central")
    places = make_places("vn", model.decisions["spread"], plan.seed)
    return complete_people(
        model, places, seed=plan.seed, people=people, block=BLOCK, first=2025, year=2025,
        drift=drift_of(model, plan, 2025),
    )  # fmt: skip


def test_every_number_has_many_people_behind_it() -> None:
    for margin in TAUGHT["margins"].values():
        for sex in ("male", "female"):
            for band in margin[sex]:
                for level, value in zip(LEVELS, band["quantiles"], strict=True):
                    behind = band["people"] * min(level, 1 - level)
                    assert (value is None) == (behind < BEYOND)
    for each in TAUGHT["correlations"]:
        assert each["fewest"] >= FEWEST
        assert np.linalg.eigvalsh(matrix_of(each)).min() > 0
    for name in ("waist", "hba1c"):
        said = TAUGHT[name]
        assert said.get("people", said.get("male", {}).get("people")) > 10_000


def matrix_of(each: dict) -> np.ndarray:
    matrix = np.eye(len(TAUGHT["names"]))
    for k, row in enumerate(each["lower"]):
        matrix[k, : len(row)] = matrix[: len(row), k] = row
    return matrix


def test_what_ships_is_small_and_has_no_rows() -> None:
    raw = (resources.files("cdss.synthetic") / "cohorts.json").read_bytes()
    assert len(raw) < 60_000
    lengths = []

    def _look(value: object) -> None:
        if isinstance(value, dict):
            for each in value.values():
                _look(each)
        elif isinstance(value, list):
            lengths.append(len(value))
            for each in value:
                _look(each)

    _look(json.loads(raw))
    assert max(lengths) <= len(TAUGHT["names"])


def test_one_person_cannot_be_read_off_a_quantile() -> None:
    values = np.random.default_rng(0).lognormal(3, 0.4, 4_000)
    with_other = values.copy()
    with_other[values.argmax()] *= 10
    for level in LEVELS:
        assert quantile(values, level) == pytest.approx(np.quantile(values, level), rel=0.02)
        assert quantile(with_other, level) == pytest.approx(quantile(values, level), rel=1e-6)
        assert quantile(values, level) not in values


def test_liabilities_are_found_behind_yes_and_no() -> None:
    rng = np.random.default_rng(1)
    a, b, c = rng.multivariate_normal(
        np.zeros(3), [[1, 0.6, 0.4], [0.6, 1, 0.3], [0.4, 0.3, 1]], 40_000
    ).T
    cell = pd.DataFrame({"bmi": a, "diabetes": (b > 1.0) * 1.0, "hypertension": (c > 0.5) * 1.0})
    assert score_pair(cell, "bmi", "diabetes")[0] == pytest.approx(0.6, abs=0.03)
    assert score_pair(cell, "diabetes", "hypertension")[0] == pytest.approx(0.3, abs=0.03)


def test_a_matrix_of_correlations_is_made_one() -> None:
    wrong = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    made = nearest(wrong)
    assert np.linalg.eigvalsh(made).min() > 0
    assert np.diag(made) == pytest.approx(1)
    right = np.array([[1, 0.5], [0.5, 1]])
    assert nearest(right) == pytest.approx(right)


@pytest.mark.usefixtures("shared")
def test_nobody_of_the_cohorts_is_in_a_made_up_population() -> None:
    people = made_up(100_000)
    ours = np.column_stack([people[name] for name in SAME])
    for cohort in ("china", "nhanes"):
        frame = load_table(cohort).frame[[*SAME]].dropna()
        theirs = np.column_stack([np.round(frame[name], DECIMALS[name]) for name in SAME])
        real = {tuple(row) for row in theirs}
        assert len(real) > 10_000
        assert not any(tuple(row) in real for row in ours)


@pytest.mark.usefixtures("shared")
def test_nobody_made_up_is_nearer_to_a_real_person_than_real_people_are() -> None:
    """The distance to the nearest real person, beside that of real people to others."""
    frame = load_table("china").frame[[*SAME]].dropna()
    rng = np.random.default_rng(2)
    order = rng.permutation(len(frame))
    real = frame.to_numpy(float)[order]
    ranked = [np.sort(column) for column in real.T]

    def _scores(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([
            norm.ppf((np.searchsorted(known, column) + 0.5) / (len(known) + 1))
            for known, column in zip(ranked, rows.T, strict=True)
        ])  # fmt: skip

    half, probes = len(real) // 2, 3_000
    tree = cKDTree(_scores(real[:half]))
    people = made_up(60_000)
    ours = np.column_stack([people[name] for name in SAME])[:probes]
    made, held_out = (tree.query(_scores(rows))[0] for rows in (ours, real[half : half + probes]))
    assert np.median(made) > 0.95 * np.median(held_out)
    assert np.quantile(made, 0.01) > 0.9 * np.quantile(held_out, 0.01)
    assert made.min() > 0


@pytest.mark.usefixtures("shared")
@pytest.mark.slow
def test_what_ships_is_what_the_cohorts_teach(tmp_path: Path) -> None:
    write(tmp_path / "again.json", learn())
    shipped = (resources.files("cdss.synthetic") / "cohorts.json").read_text(encoding="utf-8")
    again, before = json.loads((tmp_path / "again.json").read_text()), json.loads(shipped)
    assert again["cohorts"] == before["cohorts"]
    assert again["margins"] == before["margins"]
    for one, other in zip(again["correlations"], before["correlations"], strict=True):
        assert matrix_of(one) == pytest.approx(matrix_of(other), abs=0.002)


@pytest.mark.usefixtures("shared")
def test_margins_of_a_cohort_are_near_its_own() -> None:
    frame = load_table("china").frame
    cell = frame[(frame["sex"] == 1) & (frame["age"] >= 40) & (frame["age"] < 50)]
    said = TAUGHT["margins"]["systolic_bp"]["female"][2]
    assert said["people"] == cell["systolic_bp"].notna().sum()
    wanted = np.quantile(cell["systolic_bp"].dropna(), LEVELS)
    assert said["quantiles"] == pytest.approx(wanted, rel=0.01)
    assert state(made_up(1000), "bmi").min() > 10


def test_fitting_again_leads_to_what_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "PEOPLE", 40_000)
    monkeypatch.setattr(fitting, "ROUNDS", 10)
    monkeypatch.setattr(fitting, "SCENARIOS", ("central",))
    again = calibrate("vn")["central"]
    shipped = load_model("vn", "central").fitted
    assert again.keys() == shipped.keys()
    for sex in ("male", "female"):
        for name in ("systolic_bp", "hdl_cholesterol"):
            assert again["shift"][name][sex] == pytest.approx(
                shipped["shift"][name][sex], abs=0.005
            )
        assert again["high_glucose"][sex] == pytest.approx(shipped["high_glucose"][sex], abs=0.05)
        for (old, new), (before, same) in zip(again["bmi"][sex], shipped["bmi"][sex], strict=True):
            assert new == same
            assert old == pytest.approx(before, rel=0.03)
