"""Net benefit, calibration curve and sample size against independent implementations."""

from pathlib import Path
from typing import Any

import dcurves
import numpy as np
import pandas as pd
import patsy
import pytest
import statsmodels.api as sm

from training import headtohead
from training.calibration import KNOTS, calibration_error, flexible_curve
from training.data import load_table
from training.decision import at_threshold, decision_curve, net_benefit, treat_all
from training.sample_size import cox_snell, to_develop, to_validate


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
    for auroc, prevalence, people in ((0.8, 0.047, 2952), (0.75, 0.29, 1042), (0.8, 0.02, 6610)):
        needed = to_develop(20, prevalence, cox_snell(auroc, prevalence))
        assert people == pytest.approx(needed, rel=0.002)
    log_odds = np.random.default_rng(0).normal(-5, 2.5, 1_000_000)
    needed = to_validate(log_odds, 0.018, 0.8, o_e=1)
    assert {"o_e": 906, "slope": 4542, "auroc": 4252} == pytest.approx(needed, rel=0.01)


def test_head_to_head_on_the_same_people(shared: Path) -> None:
    found = headtohead.head_to_head("cvd-incident")
    contenders: dict[str, Any] = found["contenders"]

    assert {"cvd-incident", "age", "age and sex", "framingham-cvd-2008-bmi"} <= set(contenders)
    assert {found["people"]} == {c["n"] for c in contenders.values()}
    assert "people outside its limits" in found["left_out"]["framingham-cvd-2008-lipids"]
    assert contenders["framingham-cvd-2008-bmi"]["same_outcome"]
    assert "o_e" not in contenders["who-2019-lab-sea"]
    for name, apart in found["differences"].items():
        low, high = apart["auroc"]["95ci"]
        expected = contenders["cvd-incident"]["auroc"] - contenders[name]["auroc"]
        assert apart["auroc"]["difference"] == pytest.approx(expected)
        assert low < apart["auroc"]["difference"] < high
    assert found["differences"]["age"]["auroc"]["95ci"][0] > 0.05
