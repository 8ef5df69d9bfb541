"""Calibration as a curve: how far predicted risk is from observed, person by person."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.metrics import logistic

KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of the log-odds at which the curve may bend (Harrell's five knots)."""

FEW_KNOTS = (0.1, 0.5, 0.9)
FEW_EVENTS = 200
NULL_DRAWS, NULL_BINS = 20, 500


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
    at = np.quantile(log_odds[weight > 0], knots_for(int((y * (weight > 0)).sum())))
    used = weight > 0
    columns = _columns(log_odds, at)
    found = logistic(y[used], weight[used], columns[used])
    return 1 / (1 + np.exp(-np.clip(columns @ found, -500, 500)))


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
    return {
        "ici": float(np.average(distance, weights=weight[used])),
        "e50": _quantile(distance, weight[used], 0.5),
        "e90": _quantile(distance, weight[used], 0.9),
        "emax": float(distance.max()),
        "ici_if_perfect": _null(log_odds[used], weight[used], seed),
    }


def knots_for(events: int) -> tuple[float, ...]:
    """Quantiles of the log-odds at which the curve may bend, fewer where events are few."""
    return KNOTS if events >= FEW_EVENTS else FEW_KNOTS


def restricted_spline(z: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """
    Basis of a cubic spline that is linear beyond the outer knots.

    Parameters
    ----------
    z : ndarray, shape (n,)
        Where.
    knots : ndarray, shape (k,)
        Ascending.

    Returns
    -------
    ndarray, shape (n, k - 1)
        The value itself, then the bends.
    """
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


def _null(log_odds: np.ndarray, weight: np.ndarray, seed: int) -> float:
    """Mean ICI if outcomes were drawn from the predicted risks, people in narrow bins of risk."""
    probability = 1 / (1 + np.exp(-log_odds))
    of = np.searchsorted(np.quantile(log_odds, np.linspace(0, 1, NULL_BINS)[1:-1]), log_odds)
    levels, of = np.unique(of, return_inverse=True)
    total = np.bincount(of, weight)
    middle, risk = (np.bincount(of, weight * v) / total for v in (log_odds, probability))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(NULL_DRAWS):
        drawn = rng.random(len(log_odds)) < probability
        cases = np.bincount(of, weight * drawn, minlength=len(levels))
        at = np.quantile(log_odds, knots_for(int(drawn.sum())))
        columns = _columns(middle, at)
        curve = 1 / (1 + np.exp(-columns @ logistic(cases / total, total, columns)))
        found.append(np.average(np.abs(curve - risk), weights=total))
    return float(np.mean(found))


def _columns(log_odds: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The spline's basis with a constant, made orthogonal for Newton's method."""
    basis = restricted_spline(log_odds, knots)
    columns = np.column_stack([np.ones(len(basis)), basis])
    triangle = np.linalg.qr(columns[:: max(1, len(columns) // 5000)], mode="r")
    rotated = np.linalg.solve(triangle.T, columns.T).T
    return rotated / rotated[0, 0]


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(reached, share)])
