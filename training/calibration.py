"""Calibration as a curve: how far predicted risk is from observed, person by person."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.api as sm

KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of the log-odds at which the curve may bend (Harrell's five knots)."""

FEW_KNOTS = (0.1, 0.5, 0.9)
FEW_EVENTS = 200
NULL_DRAWS = 20


def flexible_curve(y: np.ndarray, log_odds: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """
    Observed risk as a smooth function of the predicted.

    Parameters
    ----------
    y, log_odds, weight : ndarray, shape (n,)
        Outcome 0/1, predicted log-odds, weights; people of weight 0 are not used.

    Returns
    -------
    ndarray, shape (n,)
        0-1, for each person: logistic regression on a restricted cubic spline of the log-odds, with
        five knots, three below 200 events.
    """
    knots = KNOTS if (y * (weight > 0)).sum() >= FEW_EVENTS else FEW_KNOTS
    at = np.quantile(log_odds[weight > 0], knots)
    columns = sm.add_constant(_restricted_spline(log_odds, at), has_constant="add")
    used = weight > 0
    model = sm.GLM(y[used], columns[used], family=sm.families.Binomial(), freq_weights=weight[used])
    return np.asarray(model.fit().predict(columns))


def calibration_error(
    y: np.ndarray, log_odds: np.ndarray, weight: np.ndarray, seed: int = 0
) -> dict[str, Any]:
    """
    Distance of the curve from the diagonal.

    Parameters
    ----------
    y, log_odds, weight : ndarray, shape (n,)
        As in `flexible_curve`.
    seed : int
        For the null value.

    Returns
    -------
    dict
        ``ici`` (mean absolute distance), ``e50``, ``e90`` and ``emax`` (its quantiles), and
        ``ici_if_perfect``: the mean of a perfectly calibrated model of this size, which is not 0.

    Source
    ------
    Austin PC, Steyerberg EW, Stat Med 2019;38:4051-4065, doi 10.1002/sim.8281.
    """
    probability = 1 / (1 + np.exp(-log_odds))
    used = weight > 0
    distance = np.abs(flexible_curve(y, log_odds, weight) - probability)[used]
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(NULL_DRAWS):
        drawn = (rng.random(len(y)) < probability).astype(int)
        curve = flexible_curve(drawn, log_odds, weight)
        null.append(np.average(np.abs(curve - probability)[used], weights=weight[used]))
    return {
        "ici": float(np.average(distance, weights=weight[used])),
        "e50": _quantile(distance, weight[used], 0.5),
        "e90": _quantile(distance, weight[used], 0.9),
        "emax": float(distance.max()),
        "ici_if_perfect": float(np.mean(null)),
    }


def _restricted_spline(z: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Basis of a cubic spline that is linear beyond the outer knots."""
    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2

    def cubed(at: float) -> np.ndarray:
        return np.maximum(z - at, 0) ** 3

    bends = [
        (
            cubed(k)
            - cubed(before) * (last - k) / (last - before)
            + cubed(last) * (before - k) / (last - before)
        )
        / scale
        for k in knots[:-2]
    ]
    return np.column_stack([z, *bends])


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(reached, share)])
