"""Net benefit, calibration curve and sample size against independent implementations."""

from pathlib import Path

import dcurves
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.api as sm
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from training.calibration import KNOTS, calibration_error, flexible_curve
from training.contenders import encoded, of_log_odds, published
from training.data import load_table
from training.decision import at_threshold, decision_curve, net_benefit, treat_all
from training.definition import definitions
from training.figures import People, figures
from training.headtohead import head_to_head
from training.metrics import auroc, estimates, performance
from training.resample import bootstrap
from training.sample_size import cox_snell, to_develop, to_validate
from training.tally import bins, tally


@pytest.fixture(scope="module")
def real(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and a rough risk of real people."""
    people = load_table("framingham").frame.dropna(subset=["age", "systolic_bp"])
    y = people["cvd"].to_numpy(dtype=int)
    log_odds = -9 + 0.08 * people["age"] + 0.02 * people["systolic_bp"]
    return y, log_odds.to_numpy(dtype=float)


def test_net_benefit_is_that_of_dcurves(real: tuple[np.ndarray, np.ndarray]) -> None:
    y, log_odds = real
    p = 1 / (1 + np.exp(-log_odds))
    thresholds = [0.02, 0.05, 0.1, 0.2, 0.35]
    theirs = dcurves.dca(
        data=pd.DataFrame({"y": y, "risk": p}), outcome="y", modelnames=["risk"],
        thresholds=thresholds,
    ).set_index(["model", "threshold"])["net_benefit"]  # fmt: skip
    ours = decision_curve(y, p, np.ones(len(y)), thresholds)

    for point in ours:
        t = point["threshold"]
        assert theirs["risk", t] == pytest.approx(point["net_benefit"], abs=1e-12)
        assert theirs["all", t] == pytest.approx(point["treat_all"], abs=1e-12)


def test_weights_are_copies_of_people(real: tuple[np.ndarray, np.ndarray]) -> None:
    y, log_odds = (values[:500] for values in real)
    p = 1 / (1 + np.exp(-log_odds))
    copies = np.random.default_rng(0).integers(0, 3, 500)
    twice = [np.repeat(values, copies) for values in (y, p)]
    flat = np.ones(copies.sum())

    assert net_benefit(y, p, copies.astype(float), 0.1) == pytest.approx(
        net_benefit(*twice, flat, 0.1)
    )
    assert at_threshold(y, p, copies.astype(float), 0.1) == pytest.approx(
        at_threshold(*twice, flat, 0.1)
    )


def test_a_threshold_by_hand() -> None:
    y, p = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.1, 0.3, 0.2, 0.05])
    found = at_threshold(y, p, np.ones(5), 0.2)

    assert found["flagged"] == 0.6
    assert (found["sensitivity"], found["missed"]) == (0.5, 0.5)
    assert found["specificity"] == pytest.approx(1 / 3)
    assert (found["ppv"], found["number_to_test"]) == (pytest.approx(1 / 3), pytest.approx(3))
    assert found["net_benefit"] == pytest.approx((1 - 2 * 0.25) / 5)
    assert treat_all(y, np.ones(5), 0.2) == pytest.approx((2 - 3 * 0.25) / 5)


def test_what_cannot_be_said_is_none() -> None:
    nobody = at_threshold(np.array([0, 1]), np.array([0.1, 0.2]), np.ones(2), 0.5)

    assert nobody["ppv"] is None
    assert nobody["number_to_test"] is None
    assert nobody["net_benefit"] == 0


def test_the_curve_is_a_natural_spline_regression(real: tuple[np.ndarray, np.ndarray]) -> None:
    """Same span as patsy's natural cubic spline with the same knots, so the same fit."""
    y, log_odds = real
    inner = np.quantile(log_odds, KNOTS)
    basis = patsy.dmatrix(
        "cr(l, knots=inner, lower_bound=low, upper_bound=high) - 1",
        {"l": np.clip(log_odds, inner[0], inner[-1]), "inner": inner[1:-1], "low": inner[0],
         "high": inner[-1]},
    )  # fmt: skip
    inside = (log_odds >= inner[0]) & (log_odds <= inner[-1])
    ours = flexible_curve(y[inside], log_odds[inside], np.ones(inside.sum()))
    again = np.quantile(log_odds[inside], KNOTS)
    basis = patsy.dmatrix(
        "cr(l, knots=inner, lower_bound=low, upper_bound=high) - 1",
        {"l": np.clip(log_odds[inside], again[0], again[-1]), "inner": again[1:-1],
         "low": again[0], "high": again[-1]},
    )  # fmt: skip
    middle = (log_odds[inside] >= again[0]) & (log_odds[inside] <= again[-1])
    theirs = sm.GLM(y[inside], np.asarray(basis), family=sm.families.Binomial()).fit().predict()

    assert ours[middle] == pytest.approx(theirs[middle], abs=0.02)


def test_the_error_of_a_known_miscalibration_is_found() -> None:
    rng = np.random.default_rng(3)
    log_odds = rng.normal(-2, 1.3, 200_000)
    true = 1 / (1 + np.exp(-(0.4 + 0.7 * log_odds)))
    y = (rng.random(200_000) < true).astype(int)
    said = 1 / (1 + np.exp(-log_odds))
    found = calibration_error(y, log_odds, np.ones(200_000))

    assert found["ici"] == pytest.approx(np.abs(true - said).mean(), abs=0.004)
    assert found["e90"] == pytest.approx(np.quantile(np.abs(true - said), 0.9), abs=0.01)
    assert found["ici_if_perfect"] < 0.004 < found["ici"]


def test_sample_sizes_are_the_published_ones() -> None:
    """Examples of pmsampsize and pmvalsampsize, as computed by an independent program."""
    assert 662 == to_develop(24, 0.174, 0.288)
    for c, prevalence, people in ((0.8, 0.047, 2952), (0.75, 0.29, 1042), (0.8, 0.02, 6610)):
        needed = to_develop(20, prevalence, cox_snell(c, prevalence))
        assert people == pytest.approx(needed, rel=0.002)
    log_odds = np.random.default_rng(0).normal(-5, 2.5, 1_000_000)
    needed = to_validate(log_odds, 0.018, 0.8, o_e=1)
    assert {"o_e": 906, "slope": 4542, "auroc": 4252} == pytest.approx(needed, rel=0.01)


@pytest.fixture(scope="module")
def weighted(shared: Path) -> tuple[People, np.ndarray]:
    """Real people with censoring and made-up survey weights, several rows a person."""
    cohort = definitions()["cvd-incident"].cohort(load_table("framingham"))
    cohort = cohort.take(cohort.x["systolic_bp"].notna().to_numpy())
    log_odds = -8 + 0.07 * cohort.x["age"] + 0.015 * cohort.x["systolic_bp"]
    base = np.random.default_rng(2).uniform(0.5, 2, len(cohort))
    resamples = bootstrap(cohort.person, 200)
    return People(cohort.y, cohort.weight, base, resamples), log_odds.to_numpy(dtype=float)


def test_weighted_figures_are_those_of_other_programs(weighted: tuple[People, np.ndarray]) -> None:
    people, log_odds = weighted
    y, w = people.y, people.weight
    p = 1 / (1 + np.exp(-log_odds))
    found = estimates(y, log_odds, people.known, people.base)
    glm = [
        sm.GLM(y, columns, family=sm.families.Binomial(), freq_weights=w, offset=offset).fit()
        for columns, offset in ((np.ones(len(y)), log_odds), (sm.add_constant(log_odds), None))
    ]

    assert found["auroc"] == pytest.approx(roc_auc_score(y, log_odds, sample_weight=w), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=w), abs=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(y, p, sample_weight=w), abs=1e-9)
    assert found["calibration_intercept"] == pytest.approx(glm[0].params[0], abs=1e-8)
    assert found["calibration_slope"] == pytest.approx(glm[1].params[1], abs=1e-8)
    observed = (w * y).sum() / people.base.sum()
    assert found["o_e"] == pytest.approx(observed / np.average(p, weights=people.base))
    assert found["scaled_brier"] == pytest.approx(1 - found["brier"] / (observed * (1 - observed)))


def test_counting_in_bins_is_near_enough(weighted: tuple[People, np.ndarray]) -> None:
    """Under a resample the bins give what the exact figures are with those weights."""
    people, log_odds = weighted
    counted = people.tally(log_odds, [0.05, 0.1])
    p = 1 / (1 + np.exp(-log_odds))
    for at in (0, 1, 2):
        factor = people.resamples.factors[at].astype(float)
        exact = estimates(people.y, log_odds, people.known, people.base * factor)
        for name, ours in (
            ("auroc", counted.auroc()), ("o_e", counted.o_e()), ("brier", counted.brier()),
            ("scaled_brier", counted.scaled_brier()), ("calibration_slope", counted.slope()),
            ("calibration_intercept", counted.intercept()),
        ):  # fmt: skip
            # Their standard errors are 0.05 here.
            near = 5e-3 if name.startswith("calibration") else 5e-4
            assert ours[at] == pytest.approx(exact[name], abs=near), name
        weight = people.weight * factor
        error = calibration_error(people.y, log_odds, weight)
        distances = counted.distances()
        assert distances["ici"][at] == pytest.approx(error["ici"], abs=5e-4)
        assert distances["e90"][at] == pytest.approx(error["e90"], abs=2e-3)
        for t in (0.05, 0.1):
            of = at_threshold(people.y, p, weight, t)
            assert counted.net_benefit(t)[at] == pytest.approx(of["net_benefit"], abs=1e-12)
            assert counted.treat_all(t)[at] == pytest.approx(of["treat_all"], abs=1e-12)
            for name in ("missed", "specificity", "ppv", "flagged"):
                assert getattr(counted, name)(t)[at] == pytest.approx(of[name], abs=1e-12)


def test_some_and_the_others_are_everybody(weighted: tuple[People, np.ndarray]) -> None:
    people, log_odds = weighted
    rows = np.arange(len(people)) % 3 == 0
    binned = bins(log_odds, [0.1])
    args = (people.y, people.known, people.base, people.resamples, binned)
    others = tally(*args).without(tally(*args, rows))
    directly = tally(*args, ~rows)

    assert others.auroc() == pytest.approx(directly.auroc())
    assert others.o_e() == pytest.approx(directly.o_e())
    assert others.events == directly.events


def test_the_bootstrap_agrees_with_formulas(real: tuple[np.ndarray, np.ndarray]) -> None:
    """One row a person, no weights: DeLong, sandwich and binomial intervals are right."""
    y, log_odds = real
    n = len(y)
    people = People(y, np.ones(n), np.ones(n), bootstrap(np.arange(n), 400))
    ours = figures(people, log_odds, {"range": [0.05, 0.2], "marked": [0.1]}, curve=False)
    theirs = performance(y, log_odds, np.ones(n))

    for name in ("auroc", "calibration_intercept", "calibration_slope"):
        widths = [np.ptp(f[f"{name}_95ci"]) for f in (ours, theirs)]
        assert widths[0] == pytest.approx(widths[1], rel=0.12), name


def test_people_with_several_rows_are_fewer(weighted: tuple[People, np.ndarray]) -> None:
    """Rows of a person are alike: resampling persons gives a wider interval than rows."""
    people, log_odds = weighted
    n = len(people)
    rows = People(people.y, people.known, people.base, bootstrap(np.arange(n), 200))
    widths = [
        p.resamples.error(0, np.log(p.tally(log_odds, []).o_e())) for p in (people, rows)
    ]  # fmt: skip

    assert widths[0] > 1.05 * widths[1]


def test_a_paired_difference_is_delongs(real: tuple[np.ndarray, np.ndarray]) -> None:
    """The standard error of a difference of two AUROCs, by DeLong's covariance written out."""
    y, log_odds = real
    other = log_odds + np.random.default_rng(0).normal(0, 0.6, len(y))
    cases, rest = y == 1, y == 0

    def components(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        above = (score[cases][:, None] > score[rest][None, :]) * 1.0
        above += 0.5 * (score[cases][:, None] == score[rest][None, :])
        return above.mean(axis=1), above.mean(axis=0)

    a, b = components(log_odds), components(other)
    variance = sum(np.var(x - z, ddof=1) / len(x) for x, z in zip(a, b, strict=True))
    n = len(y)
    people = People(y, np.ones(n), np.ones(n), bootstrap(np.arange(n), 400))
    thresholds = {"range": [0.05, 0.2], "marked": [0.1]}
    found = head_to_head(
        people, of_log_odds("a", log_odds), [of_log_odds("b", other)], thresholds
    )["differences"]["b"]["auroc"]  # fmt: skip
    low, high = found["95ci"]

    assert found["difference"] == pytest.approx(a[0].mean() - b[0].mean())
    assert (high - low) / (2 * 1.96) == pytest.approx(np.sqrt(variance), rel=0.12)


def test_who_answers_for_few_is_compared_apart(real: tuple[np.ndarray, np.ndarray]) -> None:
    y, log_odds = real
    n = len(y)
    some = np.where(np.arange(n) % 2 == 0, log_odds, np.nan)
    hardly = np.where(np.arange(n) < 20, log_odds, np.nan)
    people = People(y, np.ones(n), np.ones(n), bootstrap(np.arange(n), 20))
    found = head_to_head(
        people,
        of_log_odds("model", log_odds),
        [of_log_odds("some", some), of_log_odds("hardly", hardly)],
        {"range": [0.05, 0.2], "marked": [0.1]},
    )

    assert found["people"] == found["of"] == n
    assert list(found["contenders"]) == ["model"]
    assert found["pairwise"]["some"]["contenders"]["model"]["n"] == np.isfinite(some).sum()
    assert found["pairwise"]["some"]["differences"]["some"]["auroc"]["difference"] == 0
    assert "answers for 20 people" in found["left_out"]["hardly"]


def test_points_are_ranked_and_cut(shared: Path) -> None:
    cohort = definitions()["diabetes-undiagnosed"].cohort(load_table("nhanes"))
    cohort = cohort.take(np.arange(0, len(cohort), 4))
    found, left_out = published("undiagnosed_diabetes", encoded(cohort.people))
    ada = next(c for c in found if c.name == "ada-risk-test")
    known = np.isfinite(ada.score)

    assert not ada.same_outcome
    assert set(np.unique(ada.probability[known])) == {0.0, 1.0}
    assert (ada.probability[known] == 1).tolist() == (ada.score[known] >= 5).tolist()
    assert known.mean() > 0.9
    # facts/reporting.md: .777 for the unweighted sample, at 20 years and over.
    assert auroc(cohort.y[known], ada.score[known]) == pytest.approx(0.777, abs=0.02)
    assert "lacks most of its items" in " ".join(left_out.values()) or "idrs" in {
        c.name for c in found
    }
