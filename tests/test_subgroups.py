"""Groups of people: the same figures, small groups kept, differences paired."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, selection_rate
from scipy.stats import poisson
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from training.data import load_table
from training.definition import Cohort, definitions
from training.figures import People
from training.resample import bootstrap
from training.subgroups import COMPARED, dimensions, exact, laboratory, subgroups

THRESHOLDS = {"range": [0.025, 0.2], "marked": [0.05, 0.1]}


@pytest.fixture(scope="module")
def cohort(shared: Path) -> Cohort:
    whole = definitions()["cvd-incident"].cohort(load_table("framingham"))
    known = (whole.weight > 0) & whole.x["systolic_bp"].notna().to_numpy()
    return whole.take(known)


@pytest.fixture(scope="module")
def log_odds(cohort: Cohort) -> np.ndarray:
    return (-9 + 0.07 * cohort.x["age"] + 0.02 * cohort.x["systolic_bp"]).to_numpy(dtype=float)


@pytest.fixture(scope="module")
def people(cohort: Cohort) -> People:
    ones = np.ones(len(cohort))
    return People(cohort.y, ones, ones, bootstrap(cohort.person, 60))


@pytest.fixture(scope="module")
def found(
    cohort: Cohort, people: People, log_odds: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any]]:
    groups = dimensions(definitions()["cvd-incident"], cohort)
    return subgroups(people, log_odds, groups, THRESHOLDS)


def test_figures_of_groups_are_those_of_fairlearn(
    cohort: Cohort, log_odds: np.ndarray, found: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    probability = 1 / (1 + np.exp(-log_odds))
    sex = cohort.people["sex"].map({0: "male", 1: "female"}).to_numpy()
    flagged = (probability >= 0.05).astype(int)
    theirs = MetricFrame(
        metrics={"missed": false_negative_rate, "flagged": selection_rate},
        y_true=cohort.y, y_pred=flagged, sensitive_features=sex,
    ).by_group  # fmt: skip
    ranked = MetricFrame(
        metrics=roc_auc_score, y_true=cohort.y, y_pred=log_odds, sensitive_features=sex
    ).by_group

    for group in ("male", "female"):
        ours = found[0]["sex"][group]
        assert ours["at"][0]["missed"] == pytest.approx(theirs.loc[group, "missed"])
        assert ours["at"][0]["flagged"] == pytest.approx(theirs.loc[group, "flagged"])
        assert ours["auroc"] == pytest.approx(ranked[group])


def test_differences_are_those_of_the_groups(
    found: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    every, apart = found
    male, female = every["sex"]["male"], every["sex"]["female"]
    difference = apart["sex"]["male"]

    assert difference["auroc"]["difference"] == pytest.approx(male["auroc"] - female["auroc"])
    assert difference["o_e"]["ratio"] == pytest.approx(male["o_e"] / female["o_e"])
    missed = male["at"][0]["missed"] - female["at"][0]["missed"]
    assert difference["missed"]["difference"] == pytest.approx(missed)
    low, high = difference["missed"]["95ci"]
    assert low < missed < high


def test_several_looks_are_allowed_for_as_statsmodels_does(
    found: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    for name in COMPARED:
        every = [g[name] for groups in found[1].values() for g in groups.values() if name in g]
        p = [d["p"] for d in every]
        assert [d["q"] for d in every] == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_no_group_is_left_out(cohort: Cohort, found: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for groups in found[0].values():
        assert sum(g["n"] for g in groups.values()) == len(cohort)
        assert sum(g["events"] for g in groups.values()) == cohort.y.sum()
    assert set(found[0]) == {"sex", "age", "bmi", "laboratory"}


@pytest.mark.parametrize(
    ("events", "said", "unsaid"),
    [
        (9, ["reason"], ["o_e", "auroc", "at"]),
        (10, ["o_e", "o_e_95ci"], ["auroc", "calibration_slope", "at"]),
        (50, ["o_e", "auroc_95ci", "calibration_intercept_95ci"], ["calibration_slope", "at"]),
        (100, ["calibration_slope_95ci", "at", "scaled_brier_95ci"], ["ici"]),
        (200, ["ici_95ci", "e90"], []),
    ],
)
def test_how_much_is_said_depends_on_events(
    events: int, said: list[str], unsaid: list[str]
) -> None:
    rng = np.random.default_rng(1)
    n = 4000
    log_odds = rng.normal(-2, 1, n)
    order = np.argsort(rng.random(n) - 1 / (1 + np.exp(-log_odds)))
    y = np.zeros(n, dtype=int)
    y[order[:events]] = 1
    y[order[-400:]] = 1  # the other group has plenty
    groups = {"kind": pd.Series(np.where(np.arange(n) == -1, "", "small"))}
    groups["kind"].iloc[order[-400:]] = "large"
    log_odds[order[-400:]] += 0.1 * rng.normal(size=400)
    people = People(y, np.ones(n), np.ones(n), bootstrap(np.arange(n), 30))
    small = subgroups(people, log_odds, groups, THRESHOLDS)[0]["kind"]["small"]

    assert (small["n"], small["events"]) == (n - 400, events)
    assert small["status"] == ("insufficient" if events < 10 else "reported")
    assert set(said) <= set(small)
    assert not set(unsaid) & set(small)


def test_a_group_of_cases_only_is_insufficient() -> None:
    y = np.array([1] * 40 + [0] * 40)
    people = People(y, np.ones(80), np.ones(80), bootstrap(np.arange(80), 20))
    groups = {"kind": pd.Series(["cases"] * 40 + ["others"] * 40)}
    found, apart = subgroups(people, np.linspace(-1, 1, 80), groups, THRESHOLDS)

    assert {g["status"] for g in found["kind"].values()} == {"insufficient"}
    assert apart["kind"] == {}


@pytest.mark.parametrize("events", [10, 25, 49])
def test_the_exact_interval_is_the_poissons(events: int) -> None:
    low, high = exact(1.25, events)
    expected = events / 1.25

    assert poisson.sf(events - 1, low * expected) == pytest.approx(0.025)
    assert poisson.cdf(events, high * expected) == pytest.approx(0.025)


def test_harm_to_a_group_is_seen() -> None:
    """Half the cases of one group get a risk far too low: its missed share and O:E say so."""
    rng = np.random.default_rng(5)
    n = 8000
    log_odds = rng.normal(-2, 1, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    group = np.where(rng.random(n) < 0.3, "b", "a")
    log_odds = np.where(group == "b", log_odds - 1.2, log_odds)
    people = People(y, np.ones(n), np.ones(n), bootstrap(np.arange(n), 100))
    _, apart = subgroups(people, log_odds, {"group": pd.Series(group)}, THRESHOLDS)

    harmed = apart["group"]["b"]
    assert harmed["missed"]["95ci"][0] > 0.05
    assert harmed["o_e"]["95ci"][0] > 1.5
    assert harmed["o_e"]["q"] < 0.001


def test_laboratory_tier_is_what_is_known(cohort: Cohort) -> None:
    definition = definitions()["cvd-incident"]
    known = partial(laboratory, definition)
    lipids = cohort.x[["total_cholesterol", "hdl_cholesterol"]].notna().any(axis=1)

    assert (known(cohort) == "every panel").to_numpy() == pytest.approx(lipids.to_numpy())
