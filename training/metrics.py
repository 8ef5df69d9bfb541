"""
Discrimination and calibration, with weights.

Weights are inverse probabilities of being known at the horizon (`training.censoring`); without
censoring they are 1 and every formula is the usual one. A figure that cannot be computed is None
with a reason, never 0.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import statsmodels.api as sm
from scipy.stats import norm, rankdata

Z = float(norm.ppf(0.975))
BOOTSTRAPS = 200
NEWTON = 50


def auroc(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """
    Probability that a random case scores higher than a random non-case, ties counting half.

    Parameters
    ----------
    y, score : ndarray, shape (n,)
        Outcome 0/1 and any monotone function of the risk.
    weight : ndarray, shape (n,), optional
        Weights, 0 or more.

    Returns
    -------
    float
        0-1; with censoring weights this is the cumulative/dynamic AUC at the horizon.
    """
    w = np.ones(len(y)) if weight is None else weight
    return _auroc_of_levels(y, np.unique(score, return_inverse=True)[1], w)


def auroc_interval(
    y: np.ndarray, score: np.ndarray, weight: np.ndarray, person: np.ndarray | None = None
) -> tuple[float, float]:
    """
    95 % confidence interval of the AUROC.

    Parameters
    ----------
    y, score, weight : ndarray, shape (n,)
        As in `auroc`.
    person : ndarray, shape (n,), optional
        Who a row belongs to, if people have several rows.

    Returns
    -------
    tuple of float
        DeLong's where all weights are 1 and every row is a person, else a bootstrap of persons with
        200 Poisson replicates (normal approximation on the logit scale).
    """
    estimate = auroc(y, score, weight)
    several = person is not None and len(np.unique(person)) < len(person)
    if (weight == 1).all() and not several:
        error = _delong(y, score) / (estimate * (1 - estimate))
    else:
        rng = np.random.default_rng(7)
        who = np.arange(len(y)) if person is None else np.unique(person, return_inverse=True)[1]
        of = np.unique(score, return_inverse=True)[1]  # ranks are as good, and sorted once
        order = np.argsort(of, kind="stable")
        y, of, weight, who = y[order], of[order], weight[order], who[order]
        draws = [
            _auroc_of_levels(y, of, weight * rng.poisson(1.0, who.max() + 1)[who])
            for _ in range(BOOTSTRAPS)
        ]
        error = float(np.std([_logit(a) for a in draws], ddof=1))
    middle = _logit(estimate)
    return _expit(middle - Z * error), _expit(middle + Z * error)


def performance(
    y: np.ndarray,
    log_odds: np.ndarray,
    weight: np.ndarray,
    person: np.ndarray | None = None,
) -> dict[str, Any]:
    """
    What a validation reports at least, with intervals that need no resamples.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Outcome within the horizon.
    log_odds : ndarray, shape (n,)
        Predicted log-odds.
    weight : ndarray, shape (n,)
        Censoring weights; 1 without censoring, 0 if censored before the horizon.
    person : ndarray, shape (n,), optional
        Who a row belongs to, if people have several rows.

    Returns
    -------
    dict
        ``n``, ``events`` (rows), ``prevalence``, ``auroc`` and ``auroc_95ci``; ``o_e`` with CI:
        observed over expected, the observed being the cumulative incidence at the horizon with
        competing events where there are some, the expected the mean probability over everybody;
        ``calibration_intercept`` (slope held at 1) and ``calibration_slope`` with CIs; ``brier``
        and ``scaled_brier`` (1 - Brier / Brier of the observed prevalence), ``log_loss``.
        Figures that cannot be computed are None and ``reason`` says why.
    """
    report = estimates(y, log_odds, weight)
    names = ("auroc_95ci", "o_e_95ci", "calibration_intercept_95ci", "calibration_slope_95ci")
    if report["auroc"] is None:
        return report | dict.fromkeys(names)
    error = math.sqrt((1 - report["prevalence"]) / report["events"])
    ratio = report["o_e"]
    known = weight > 0
    y, log_odds, weight = y[known], log_odds[known], weight[known]
    person = None if person is None else person[known]
    ones = np.ones((len(y), 1))
    intervals = (
        list(auroc_interval(y, log_odds, weight, person)),
        [ratio * math.exp(-Z * error), ratio * math.exp(Z * error)],
        _glm(y, weight, ones, offset=log_odds)[1],
        _glm(y, weight, sm.add_constant(log_odds, has_constant="add"))[1],
    )
    return report | dict(zip(names, intervals, strict=True))


def estimates(
    y: np.ndarray, log_odds: np.ndarray, weight: np.ndarray, base: np.ndarray | None = None
) -> dict[str, Any]:
    """
    The figures of `performance` without their intervals.

    Parameters
    ----------
    y, log_odds, weight : ndarray, shape (n,)
        As in `performance`.
    base : ndarray, shape (n,), optional
        Survey weights, by which everybody counts; 1 without.

    Returns
    -------
    dict
        As `performance`, without the keys that end in ``_95ci``.
    """
    n, events = len(y), int(y.sum())
    base = np.ones(n) if base is None else base
    known = (weight > 0) & (base > 0)
    if events < 2 or int((known & (y == 0)).sum()) < 2:
        names = ("auroc", "o_e", "calibration_intercept", "calibration_slope", "brier",
                 "scaled_brier", "log_loss")  # fmt: skip
        observed = float((base * weight * y).sum() / base.sum()) if n and base.sum() else 0.0
        reason = "fewer than two people with, or without, the outcome"
        found = {"n": n, "events": events, "prevalence": observed}
        return found | dict.fromkeys(names) | {"reason": reason}
    probability = 1 / (1 + np.exp(-log_odds))
    observed = float((base * weight * y).sum() / base.sum())
    expected = float(np.average(probability, weights=base))
    weight = (base * weight)[known]
    y, log_odds, probability = y[known], log_odds[known], probability[known]
    brier = float(np.average((y - probability) ** 2, weights=weight))
    loss, ones = np.logaddexp(0, log_odds) - y * log_odds, np.ones((len(y), 1))
    return {
        "n": n,
        "events": events,
        "prevalence": observed,
        "auroc": auroc(y, log_odds, weight),
        "o_e": observed / expected,
        "calibration_intercept": float(logistic(y, weight, ones, log_odds)[0]),
        "calibration_slope": float(logistic(y, weight, np.column_stack([ones, log_odds]))[1]),
        "brier": brier,
        "scaled_brier": 1 - brier / (observed * (1 - observed)),
        "log_loss": float(np.average(loss, weights=weight)),
    }


def logistic(
    y: np.ndarray, weight: np.ndarray, columns: np.ndarray, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """
    Coefficients of a weighted logistic regression, by Newton's method.

    Parameters
    ----------
    y, weight : ndarray, shape (n,)
        Outcome (or share with it), 0-1, and weights.
    columns : ndarray, shape (n, k)
        Of full rank, the first constant.
    offset : ndarray, shape (n,), or float
        Part of the log-odds that is given.

    Returns
    -------
    ndarray, shape (k,)
        NaN where outcomes are separated perfectly or columns are not of full rank.
    """

    def likelihood(coefficients: np.ndarray) -> float:
        eta = columns @ coefficients + offset
        return float((weight * (y * eta - np.logaddexp(0, eta))).sum())

    found = np.zeros(columns.shape[1])
    if np.ndim(offset) == 0:
        mean = float(np.clip(np.average(y, weights=weight), 1e-9, 1 - 1e-9))
        found[0] = math.log(mean / (1 - mean)) / columns[0, 0]
    now = likelihood(found)
    for _ in range(NEWTON):
        mu = 1 / (1 + np.exp(-np.clip(columns @ found + offset, -500, 500)))
        curvature = columns.T @ (columns * (weight * mu * (1 - mu))[:, None])
        try:
            step = np.linalg.solve(curvature, columns.T @ (weight * (y - mu)))
        except np.linalg.LinAlgError:
            break
        if np.abs(step).max() < 1e-9 * (1 + np.abs(found).max()):
            return found + step
        # Halve a step that overshoots.
        for size in 0.5 ** np.arange(20):
            then = likelihood(found + size * step)
            if then >= now - 1e-9 * abs(now):
                break
        found, now = found + size * step, then
    return np.full(columns.shape[1], np.nan)


def recalibration(
    y: np.ndarray, log_odds: np.ndarray, log_time: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float]:
    """
    Intercept and slope on the log-odds, and the coefficient of follow-up time.

    Parameters
    ----------
    y, log_odds, weight : ndarray, shape (n,)
        Outcome, out-of-fold log-odds (without follow-up time), weights.
    log_time : ndarray, shape (n,)
        log(follow-up / horizon); all 0 if the status is known at the horizon itself.

    Returns
    -------
    tuple of float
        Intercept, slope, coefficient of `log_time` (0 if it does not vary).
    """
    columns = [np.ones(len(y)), log_odds]
    timed = bool(np.ptp(log_time) > 0)
    if timed:
        columns.append(log_time)
    used = weight > 0
    model = sm.GLM(
        y[used], np.column_stack(columns)[used], family=sm.families.Binomial(),
        var_weights=weight[used],
    )  # fmt: skip
    found = model.fit().params
    return float(found[0]), float(found[1]), float(found[2]) if timed else 0.0


def _glm(
    y: np.ndarray, weight: np.ndarray, columns: np.ndarray, offset: np.ndarray | None = None
) -> tuple[float, list[float]]:
    """Last coefficient of a weighted logistic regression, and its robust 95 % CI."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels warns about var_weights with robust errors
        fit = sm.GLM(
            y, columns, family=sm.families.Binomial(), offset=offset, var_weights=weight
        ).fit(cov_type="HC0")
    estimate, error = float(fit.params[-1]), float(fit.bse[-1])
    return estimate, [estimate - Z * error, estimate + Z * error]


def _auroc_of_levels(y: np.ndarray, of: np.ndarray, weight: np.ndarray) -> float:
    """AUROC where `of` says which of the ascending scores each person has."""
    cases, others = np.bincount(of, weight * y), np.bincount(of, weight * (1 - y))
    below = np.cumsum(others) - others / 2
    return float((cases * below).sum() / (cases.sum() * others.sum()))


def _delong(y: np.ndarray, score: np.ndarray) -> float:
    """Standard error of the AUROC by DeLong's structural components."""
    cases, others = score[y == 1], score[y == 0]
    m, k = len(cases), len(others)
    ranks = rankdata(np.concatenate([cases, others]))
    of_cases = (ranks[:m] - rankdata(cases)) / k
    of_others = 1 - (ranks[m:] - rankdata(others)) / m
    return float(np.sqrt(of_cases.var(ddof=1) / m + of_others.var(ddof=1) / k))


def _logit(p: float) -> float:
    return math.log(p / (1 - p)) if 0 < p < 1 else math.copysign(20.0, p - 0.5)


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))
