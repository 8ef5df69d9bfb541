"""Random-effects pooling against the defining equations and published figures."""

import math

import numpy as np
import pytest

from training.pooling import pool, random_effects

# Thirteen trials of the BCG vaccine (Colditz GA et al., JAMA 1994;271:698): log risk ratios and
# their variances, the example of most programs for meta-analysis.
EFFECTS = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713,
           -0.3394, 0.4459, -0.0173]  # fmt: skip
VARIANCES = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730, 0.0124,
             0.5325, 0.0714]  # fmt: skip


def test_the_example_of_every_program() -> None:
    found = random_effects(EFFECTS, [math.sqrt(v) for v in VARIANCES])
    tau2, weight = found["tau2"], 1 / (np.array(VARIANCES) + found["tau2"])
    mean = float(np.average(EFFECTS, weights=weight))
    # Paule-Mandel: the generalised Q equals its degrees of freedom.
    q = float((weight * (np.array(EFFECTS) - mean) ** 2).sum())

    assert q == pytest.approx(12, abs=1e-3)
    assert tau2 == pytest.approx(0.318, abs=0.002)
    assert found["estimate"] == pytest.approx(-0.715, abs=0.002)
    error = math.sqrt(q / 12 / weight.sum())
    low, high = found["95ci"]
    assert high - low == pytest.approx(2 * 2.1788 * error, rel=1e-3)
    low, high = found["prediction_95"]
    assert high - low == pytest.approx(2 * 2.2010 * math.sqrt(tau2 + error**2), rel=1e-3)


def test_equal_parts_have_nothing_between_them() -> None:
    found = random_effects([1.0, 1.0, 1.0, 1.0], [0.1, 0.2, 0.1, 0.2])

    assert (found["estimate"], found["tau2"], found["k"]) == (pytest.approx(1), 0, 4)


def test_parts_without_a_figure_are_passed_over() -> None:
    part = {"auroc": 0.8, "auroc_95ci": [0.75, 0.84], "o_e": 1.1, "o_e_95ci": [0.9, 1.3]}
    few = {"auroc": None, "auroc_95ci": None, "o_e": 0.9, "o_e_95ci": [0.7, 1.2]}
    found = pool({"a": part, "b": part, "c": few})

    assert found["auroc"] is None
    assert found["o_e"] is not None
    assert found["o_e"]["k"] == 3
    low, high = found["o_e"]["prediction_95"]
    assert 0 < low < found["o_e"]["estimate"] < high
    assert found["calibration_slope"] is None
