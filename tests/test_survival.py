"""Censored follow-up against scikit-survival and lifelines, on real people."""

import warnings
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_ipcw, cumulative_dynamic_auc
from sksurv.util import Surv

from training.data import load_table
from training.definition import Cohort, definitions
from training.figures import People
from training.follow import FollowUp, cumulative_incidence, follow_up, followed, known_at
from training.metrics import auroc
from training.resample import bootstrap
from training.subgroups import subgroups
from training.survival import uno_c


@pytest.fixture(scope="module")
def cohort(shared: Path) -> Cohort:
    whole = definitions()["cvd-incident"].cohort(load_table("framingham"))
    return whole.take(np.arange(0, len(whole), 4))


@pytest.fixture(scope="module")
def follow(cohort: Cohort) -> FollowUp:
    found = follow_up(definitions()["cvd-incident"], cohort)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def censored(follow: FollowUp) -> FollowUp:
    """The same with early losses, and deaths as losses: what other programs can do."""
    lost = np.random.default_rng(0).exponential(25, len(follow.years))
    status = np.where((follow.status == 1) & (follow.years <= lost), 1, 0)
    return FollowUp(np.minimum(follow.years, lost), status, 10.0)


@pytest.fixture(scope="module")
def score(cohort: Cohort) -> np.ndarray:
    return (0.08 * cohort.x["age"] + 0.02 * cohort.x["systolic_bp"]).to_numpy(dtype=float)


def test_uno_c_is_that_of_scikit_survival(censored: FollowUp, score: np.ndarray) -> None:
    theirs = Surv.from_arrays(censored.status == 1, censored.years)
    expected = concordance_index_ipcw(theirs, theirs, score, tau=10.0)[0]

    assert uno_c(censored, score) == pytest.approx(expected, abs=2e-4)


def test_time_dependent_auc_is_that_of_scikit_survival(
    censored: FollowUp, score: np.ndarray
) -> None:
    theirs = Surv.from_arrays(censored.status == 1, censored.years)
    expected = cumulative_dynamic_auc(theirs, theirs, score, [10.0])[0][0]
    y = ((censored.status == 1) & (censored.years <= 10)).astype(int)

    assert auroc(y, score, known_at(censored)) == pytest.approx(expected, abs=2e-4)


def test_observed_risk_is_that_of_lifelines(follow: FollowUp) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = lifelines.AalenJohansenFitter(calculate_variance=False, seed=0)
        fitted.fit(follow.years, follow.status, event_of_interest=1)
    curve = fitted.cumulative_density_
    expected = float(curve[curve.index <= 10].iloc[-1, 0])

    # lifelines moves tied times apart by chance.
    assert cumulative_incidence(follow) == pytest.approx(expected, abs=1e-4)


def test_observed_risk_is_the_weighted_mean(follow: FollowUp, shared: Path) -> None:
    weight = known_at(follow)
    whole = definitions()["cvd-incident"].cohort(load_table("framingham"))
    y = (follow.status == 1) & (follow.years <= 10)

    everybody = follow_up(definitions()["cvd-incident"], whole)
    assert everybody is not None
    assert known_at(everybody) == pytest.approx(whole.weight)
    assert (weight * y).mean() == pytest.approx(cumulative_incidence(follow), abs=1e-6)
    assert weight.mean() == pytest.approx(1, abs=1e-6)


def test_survey_weights_of_one_change_nothing(follow: FollowUp, score: np.ndarray) -> None:
    ones = np.ones(len(score))

    assert known_at(follow, ones) == pytest.approx(known_at(follow))
    assert uno_c(follow, score, ones) == pytest.approx(uno_c(follow, score))


def test_who_died_of_something_else_never_has_the_event() -> None:
    """By hand: events at 1 and 2 years, a death from another cause at 0.5 and one at 3."""
    follow = FollowUp(np.array([1.0, 2.0, 0.5, 3.0]), np.array([1, 1, 2, 2]), 10.0)
    # Pairs: event 1 against event 2, death 0.5 and death 3; event 2 against both deaths.
    score = np.array([4.0, 1.0, 2.0, 3.0])

    assert uno_c(follow, score) == pytest.approx(3 / 5)
    assert cumulative_incidence(follow) == pytest.approx(0.5)
    assert cumulative_incidence(follow, at=1.5) == pytest.approx(0.25)


def test_present_outcomes_have_no_follow_up(cohort: Cohort) -> None:
    assert follow_up(definitions()["diabetes-undiagnosed"], cohort) is None


def test_a_group_that_entered_too_late_is_not_judged() -> None:
    """Everybody of the second half is followed for 5 years at most, of 10."""
    rng = np.random.default_rng(0)
    n = 2000
    late = np.arange(n) >= n // 2
    event, end = rng.exponential(40, n), np.where(late, rng.uniform(3, 5, n), 15.0)
    follow = FollowUp(np.minimum(event, end), (event <= end).astype(int), 10.0)
    y = ((follow.status == 1) & (follow.years <= 10)).astype(int)
    people = People(y, known_at(follow), np.ones(n), bootstrap(np.arange(n), 30), follow)
    groups = {"entry": pd.Series(np.where(late, "late", "early"))}
    thresholds = {"range": [0.05, 0.2], "marked": [0.1]}
    true = 1 - np.exp(-10 / 40)
    log_odds = np.full(n, np.log(true / (1 - true))) + rng.normal(0, 1e-3, n)
    found, apart = subgroups(people, log_odds, groups, thresholds)

    assert followed(follow.take(late)) == 0
    assert found["entry"]["late"]["status"] == "insufficient"
    assert "not followed" in found["entry"]["late"]["reason"]
    # Within the group that was followed nobody is censored: the plain share, not inflated.
    assert found["entry"]["early"]["prevalence"] == pytest.approx(y[~late].mean())
    assert found["entry"]["early"]["o_e"] == pytest.approx(1, abs=0.15)
    assert apart["entry"] == {}
