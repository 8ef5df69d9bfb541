"""Discrimination with censored follow-up: Uno's C and time-dependent AUC, competing events too."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.figures import People
from training.follow import FollowUp, censoring_curve, cumulative_incidence
from training.metrics import auroc


def uno_c(follow: FollowUp, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """
    Uno's C up to the horizon, with competing events.

    Parameters
    ----------
    follow : FollowUp
        The people.
    score : ndarray, shape (n,)
        Any monotone function of the risk.
    weight : ndarray, shape (n,), optional
        How much each person counts (survey).

    Returns
    -------
    float
        Probability that who has the event sooner, before the horizon, has the higher score; those
        who died of something else before count as never having it. 0-1, ties count half.

    Source
    ------
    Uno H et al., Stat Med 2011;30:1105-1117; with competing events Wolbers M et al., Biostatistics
    2014;15:526-539, section 3.2 (inverse probability of censoring weights).
    """
    w = np.ones(len(score)) if weight is None else weight
    years, status = follow.years, follow.status
    survival = censoring_curve(years, status)
    own = np.flatnonzero((status == 1) & (years < follow.horizon))
    died = status == 2
    right = total = 0.0
    of_died = w * died / np.where(died, survival(years, before=True), 1.0)
    for i in own:
        g = survival(years[i : i + 1], before=True)[0]
        later = years > years[i]
        pair = w * later / g + of_died * (~later)
        pair[i] = 0.0
        pair *= w[i] / g
        right += pair[score < score[i]].sum() + pair[score == score[i]].sum() / 2
        total += pair.sum()
    return right / total if total else float("nan")


def survival_figures(
    follow: FollowUp, people: People, log_odds: np.ndarray, *, resampled: int = 40
) -> dict[str, Any]:
    """
    What censored follow-up adds to the figures.

    Parameters
    ----------
    follow : FollowUp
        Times.
    people : People
        Outcomes, weights and resamples, same rows.
    log_odds : ndarray, shape (n,)
        Predictions.
    resampled : int
        Resamples behind the interval of Uno's C, the slowest figure.

    Returns
    -------
    dict
        ``uno_c`` and ``td_auc`` (cumulative/dynamic at the horizon) with CIs, ``observed`` by
        Aalen-Johansen, ``observed_by``, ``horizon_years``, ``events_all`` (also after it),
        ``competing`` (before it), ``censored_before``, ``median_follow_up``.
    """
    c = uno_c(follow, log_odds)
    factors = people.resamples.factors[:resampled]
    draws = np.array([uno_c(follow, log_odds, factor.astype(float)) for factor in factors])
    error = float(np.std(np.log(draws / (1 - draws)), ddof=1))
    middle = np.log(c / (1 - c))
    ends = middle + 1.96 * error * np.array([-1, 1])
    timed = auroc(people.y, log_odds, people.weight)
    counted = people.tally(log_odds, [])
    before = follow.years <= follow.horizon
    return {
        "uno_c": c,
        "uno_c_95ci": (1 / (1 + np.exp(-ends))).tolist(),
        "td_auc": timed,
        "td_auc_95ci": people.resamples.interval(timed, counted.auroc(), "logit"),
        "observed": cumulative_incidence(follow),
        "observed_by": "Aalen-Johansen",
        "horizon_years": follow.horizon,
        "events_all": int((follow.status == 1).sum()),
        "competing": int(((follow.status == 2) & before).sum()),
        "censored_before": int(((follow.status == 0) & before).sum()),
        "median_follow_up": float(np.median(follow.years)),
    }
