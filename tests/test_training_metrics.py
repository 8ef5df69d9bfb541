import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from training.metrics import auroc, auroc_interval, performance, recalibration


def simulated(n: int = 4000, slope: float = 1.0, intercept: float = 0.0, seed: int = 0):
    """Outcomes drawn from log-odds, and the log-odds a model with that error would give."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-1.5, 1.0, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-true))).astype(int)
    return y, (true - intercept) / slope


def test_auroc_is_scikit_learns_with_ties_and_weights() -> None:
    rng = np.random.default_rng(1)
    y, score = rng.integers(0, 2, 500), rng.integers(0, 20, 500) / 10
    weight = rng.random(500)

    assert roc_auc_score(y, score) == pytest.approx(auroc(y, score), abs=1e-12)
    weighted = roc_auc_score(y, score, sample_weight=weight)
    assert weighted == pytest.approx(auroc(y, score, weight), abs=1e-12)


def test_delongs_interval_covers_as_often_as_it_says() -> None:
    truth = auroc(*simulated(200_000, seed=99))
    hits = 0
    for seed in range(200):
        y, score = simulated(400, seed=seed)
        low, high = auroc_interval(y, score, np.ones(len(y)))
        hits += low <= truth <= high

    assert 180 <= hits <= 199


def test_bootstrap_agrees_with_delong_and_widens_with_repeated_people() -> None:
    y, score = simulated(1500)
    one = np.ones(len(y))
    low, high = auroc_interval(y, score, one)
    low_b, high_b = auroc_interval(y, score, one * 1.0000001)
    twice = np.concatenate
    low_2, high_2 = auroc_interval(
        twice([y, y]), twice([score, score]), twice([one, one]),
        person=twice([np.arange(1500), np.arange(1500)]),
    )  # fmt: skip

    assert high - low == pytest.approx(high_b - low_b, rel=0.15)
    assert high - low == pytest.approx(high_2 - low_2, rel=0.15)


def test_performance_of_the_truth_is_calibrated() -> None:
    y, log_odds = simulated(20_000)
    report = performance(y, log_odds, np.ones(len(y)))
    p = 1 / (1 + np.exp(-log_odds))

    assert len(y) == report["n"]
    assert y.sum() == report["events"]
    assert brier_score_loss(y, p) == pytest.approx(report["brier"])
    assert log_loss(y, p) == pytest.approx(report["log_loss"])
    assert y.mean() / p.mean() == pytest.approx(report["o_e"])
    for figure, truth in (("o_e", 1), ("calibration_intercept", 0), ("calibration_slope", 1)):
        low, high = report[f"{figure}_95ci"]
        assert low < truth < high
        assert low < report[figure] < high


def test_performance_sees_a_wrong_intercept_and_slope() -> None:
    y, log_odds = simulated(20_000, slope=0.5, intercept=0.7)
    report = performance(y, log_odds, np.ones(len(y)))

    assert report["calibration_slope"] == pytest.approx(0.5, abs=0.05)
    assert report["o_e"] > 1.3


def test_what_cannot_be_computed_is_none_with_a_reason() -> None:
    report = performance(np.array([0, 0, 1]), np.zeros(3), np.ones(3))

    assert report["events"] == 1
    assert report["auroc"] is None
    assert report["calibration_slope"] is None
    assert "fewer than two" in report["reason"]


def test_recalibration_finds_intercept_slope_and_time() -> None:
    rng = np.random.default_rng(3)
    raw, log_time = rng.normal(size=200_000), rng.normal(size=200_000)
    true = -1 + 0.8 * raw + 1.2 * log_time
    y = (rng.random(200_000) < 1 / (1 + np.exp(-true))).astype(int)

    found = recalibration(y, raw, log_time, np.ones(len(y)))

    assert found == pytest.approx((-1, 0.8, 1.2), abs=0.03)
    assert recalibration(y, raw, 0 * log_time, np.ones(len(y)))[2] == 0.0


def test_weight_stands_for_repeated_rows() -> None:
    y, log_odds = simulated(800)
    twice = np.where(np.arange(800) % 3 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(800), twice.astype(int))
    weighted = performance(y, log_odds, twice)
    repeated = performance(y[rows], log_odds[rows], np.ones(len(rows)))

    for figure in ("auroc", "calibration_intercept", "calibration_slope", "brier"):
        assert repeated[figure] == pytest.approx(weighted[figure], abs=1e-9)
    assert math.isfinite(weighted["log_loss"])
