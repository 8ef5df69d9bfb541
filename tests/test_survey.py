"""Survey-weighted figures and their intervals against svy, on real people."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from training.data import load_table
from training.definition import definitions
from training.figures import People, figures
from training.survey import Design, design, jackknife, rao_wu

svy = pytest.importorskip("svy")
THRESHOLDS = {"range": [0.01, 0.1], "marked": [0.02]}


@pytest.fixture(scope="module")
def survey(shared: Path) -> tuple[Design, pd.DataFrame]:
    """Design, and outcome with a rough risk, of two survey cycles."""
    definition = definitions()["diabetes-undiagnosed"]
    cohort = definition.cohort(load_table("nhanes"))
    rows = cohort.people["cycle"].isin(["2011-2012", "2013-2014"]).to_numpy()
    cohort = cohort.take(rows & cohort.x["bmi"].notna().to_numpy())
    plan = design(cohort.people)
    assert plan is not None
    log_odds = -7.5 + 0.045 * cohort.x["age"] + 0.07 * cohort.x["bmi"]
    frame = pd.DataFrame(
        {
            "y": cohort.y.astype(float),
            "log_odds": log_odds.to_numpy(dtype=float),
            "risk": 1 / (1 + np.exp(-log_odds.to_numpy(dtype=float))),
            "weight": plan.weight,
            "stratum": plan.stratum,
            "unit": plan.unit,
            "man": (cohort.x["sex"] == 0).to_numpy(),
        }
    )
    return plan, frame


@pytest.fixture(scope="module")
def theirs(survey: tuple[Design, pd.DataFrame]) -> "svy.Sample":
    frame = pl.from_dict({name: survey[1][name].to_numpy() for name in survey[1]})
    plan = svy.Design(stratum="stratum", psu="unit", wgt="weight")
    return svy.Sample(frame, plan)


@pytest.fixture(scope="module")
def people(survey: tuple[Design, pd.DataFrame]) -> People:
    plan, frame = survey
    return People(
        frame["y"].to_numpy(int), np.ones(len(frame)), plan.weight, rao_wu(plan, 400)
    )  # fmt: skip


def test_degrees_of_freedom_are_units_less_strata(
    survey: tuple[Design, pd.DataFrame], theirs: "svy.Sample"
) -> None:
    plan, _ = survey

    assert plan.lone == 0
    assert plan.df == theirs.estimation.mean("y").design_df
    assert plan.weight.mean() == pytest.approx(1)


@pytest.mark.parametrize("method", ["jackknife", "rao_wu"])
def test_standard_error_of_a_mean_is_that_of_svy(
    survey: tuple[Design, pd.DataFrame], theirs: "svy.Sample", method: str
) -> None:
    plan, frame = survey
    found = theirs.estimation.mean("y").estimates[0]
    resamples = jackknife(plan) if method == "jackknife" else rao_wu(plan, 2000)
    weights = resamples.factors * plan.weight
    replicates = (weights @ frame["y"].to_numpy()) / weights.sum(axis=1)
    estimate = float(np.average(frame["y"], weights=plan.weight))

    assert estimate == pytest.approx(found.est, rel=1e-9)
    assert resamples.error(estimate, replicates) == pytest.approx(
        found.se, rel=0.01 if method == "jackknife" else 0.06
    )


def test_observed_over_expected_is_svys_ratio(people: People, survey, theirs) -> None:
    ours = figures(people, survey[1]["log_odds"].to_numpy(), THRESHOLDS, curve=False)
    found = theirs.estimation.ratio("y", "risk").estimates[0]
    low, high = ours["o_e_95ci"]
    error = (np.log(high) - np.log(low)) / (2 * 2.04)  # t with 32 degrees of freedom

    assert ours["o_e"] == pytest.approx(found.est, rel=1e-9)
    assert error == pytest.approx(found.se / found.est, rel=0.1)


def test_calibration_is_svys_regression(people: People, survey, theirs) -> None:
    ours = figures(people, survey[1]["log_odds"].to_numpy(), THRESHOLDS, curve=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slope = theirs.glm.fit("y", x=["log_odds"], family="binomial").coefs[-1]
        level = theirs.glm.fit("y", x=[], family="binomial", offset="log_odds").coefs[0]

    for name, found in (("calibration_slope", slope), ("calibration_intercept", level)):
        low, high = ours[f"{name}_95ci"]
        assert ours[name] == pytest.approx(found.est, abs=1e-5)
        assert (high - low) / (2 * 2.04) == pytest.approx(found.se, rel=0.12)


def test_a_subgroup_keeps_the_whole_design(survey, theirs) -> None:
    plan, frame = survey
    man = frame["man"].to_numpy()
    people = People(frame["y"].to_numpy(int), np.ones(len(frame)), plan.weight, jackknife(plan))
    ours = figures(
        people.take(man), frame["log_odds"].to_numpy()[man], THRESHOLDS, curve=False
    )  # fmt: skip
    found = theirs.estimation.ratio("y", "risk", by="man").estimates
    (men,) = [estimate for estimate in found if str(estimate.by_level[0]).lower() == "true"]
    low, high = ours["o_e_95ci"]

    assert ours["o_e"] == pytest.approx(men.est, rel=1e-9)
    assert (np.log(high) - np.log(low)) / (2 * 2.04) == pytest.approx(men.se / men.est, rel=0.05)


def test_the_design_matters(people: People, survey) -> None:
    """People of a unit are alike: the interval that ignores it is too narrow somewhere."""
    frame = survey[1]
    factors = rao_wu(survey[0], 400).factors

    assert factors.shape == (400, len(frame))
    # Whole units are drawn or not: everybody of a unit counts the same.
    spread = pd.DataFrame(factors.T).groupby(frame["unit"].to_numpy()).std().to_numpy()
    assert np.nanmax(spread) == 0
    assert factors.mean() == pytest.approx(1, abs=0.02)


def test_a_lone_unit_is_joined_to_its_neighbour() -> None:
    people = pd.DataFrame(
        {
            "survey_weight": [1.0, 2, 3, 4, 5],
            "survey_stratum": [1, 1, 2, 3, 3],
            "survey_psu": [1, 2, 1, 1, 2],
        }
    )
    plan = design(people)

    assert plan is not None
    assert plan.lone == 1
    assert len(np.unique(plan.stratum)) == 2
    assert "1 strata with one unit joined" in rao_wu(plan, 5).method
    assert (jackknife(plan).factors >= 0).all()


def test_a_table_without_a_design_has_none() -> None:
    assert design(pd.DataFrame({"age": [50.0]})) is None
