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
    levels, of = np.unique(score, return_inverse=True)
    cases = np.bincount(of, w * y, minlength=len(levels))
    others = np.bincount(of, w * (1 - y), minlength=len(levels))
    below = np.cumsum(others) - others / 2
    return float((cases * below).sum() / (cases.sum() * others.sum()))


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
        draws = [
            auroc(y, score, weight * rng.poisson(1.0, who.max() + 1)[who])
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
    What a validation reports at least.

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
    n, events = len(y), int(y.sum())
    probability = 1 / (1 + np.exp(-log_odds))
    observed, expected = float((weight * y).sum() / n) if n else 0.0, float(probability.mean())
    report: dict[str, Any] = {"n": n, "events": events, "prevalence": observed}
    known = weight > 0
    if events < 2 or int((known & (y == 0)).sum()) < 2:
        names = ("auroc", "auroc_95ci", "o_e", "o_e_95ci", "calibration_intercept",
                 "calibration_intercept_95ci", "calibration_slope", "calibration_slope_95ci",
                 "brier", "scaled_brier", "log_loss")  # fmt: skip
        reason = "fewer than two people with, or without, the outcome"
        return report | dict.fromkeys(names) | {"reason": reason}
    error = math.sqrt((1 - observed) / events)
    ratio = observed / expected
    y, log_odds, probability = y[known], log_odds[known], probability[known]
    weight = weight[known]
    person = None if person is None else person[known]
    intercept, intercept_ci = _glm(y, weight, np.ones((len(y), 1)), offset=log_odds)
    slope, slope_ci = _glm(y, weight, sm.add_constant(log_odds, has_constant="add"))
    brier = float(np.average((y - probability) ** 2, weights=weight))
    null = observed * (1 - observed)
    loss = np.logaddexp(0, log_odds) - y * log_odds
    return report | {
        "auroc": auroc(y, log_odds, weight),
        "auroc_95ci": list(auroc_interval(y, log_odds, weight, person)),
        "o_e": ratio,
        "o_e_95ci": [ratio * math.exp(-Z * error), ratio * math.exp(Z * error)],
        "calibration_intercept": intercept,
        "calibration_intercept_95ci": intercept_ci,
        "calibration_slope": slope,
        "calibration_slope_95ci": slope_ci,
        "brier": brier,
        "scaled_brier": 1 - brier / null,
        "log_loss": float(np.average(loss, weights=weight)),
    }


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
