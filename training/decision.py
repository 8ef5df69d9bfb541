"""Usefulness: net benefit, and what a working threshold does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def net_benefit(
    y: np.ndarray, probability: np.ndarray, weight: np.ndarray, threshold: float
) -> float:
    """
    Net benefit of acting on everybody at or above a threshold.

    Parameters
    ----------
    y, probability, weight : ndarray, shape (n,)
        Outcome 0/1, risk 0-1, weights (censoring or survey).
    threshold : float
        Risk from which on one acts, above 0 and below 1.

    Returns
    -------
    float
        True positives less false positives, these at the odds of the threshold, per person;
        acting on nobody is 0.

    Source
    ------
    Vickers AJ, Elkin EB, Med Decis Making 2006;26:565-574, doi 10.1177/0272989X06295361.
    """
    flagged = weight * (probability >= threshold)
    odds = threshold / (1 - threshold)
    return float((flagged * (y - (1 - y) * odds)).sum() / weight.sum())


def treat_all(y: np.ndarray, weight: np.ndarray, threshold: float) -> float:
    """
    Net benefit of acting on everybody.

    Parameters
    ----------
    y, weight : ndarray, shape (n,)
        As in `net_benefit`.
    threshold : float
        As in `net_benefit`.

    Returns
    -------
    float
        What a model has to beat, besides 0.
    """
    return net_benefit(y, np.ones(len(y)), weight, threshold)


def at_threshold(
    y: np.ndarray, probability: np.ndarray, weight: np.ndarray, threshold: float
) -> dict[str, float | None]:
    """
    What acting from a threshold on does.

    Parameters
    ----------
    y, probability, weight, threshold
        As in `net_benefit`.

    Returns
    -------
    dict
        ``flagged`` (share), ``sensitivity``, ``specificity``, ``ppv``, ``npv``, ``missed``
        (share of cases below the threshold), ``number_to_test`` (flagged people for one case) and
        ``net_benefit`` with ``treat_all``. None where nobody is flagged, or everybody.
    """
    flagged = probability >= threshold
    total, cases = weight.sum(), (weight * y).sum()
    positive, hit = (weight * flagged).sum(), (weight * flagged * y).sum()
    negative, clear = total - positive, (weight * ~flagged * (1 - y)).sum()
    sensitivity = _share(hit, cases)
    return {
        "threshold": threshold,
        "flagged": _share(positive, total),
        "sensitivity": sensitivity,
        "specificity": _share(clear, total - cases),
        "ppv": _share(hit, positive),
        "npv": _share(clear, negative),
        "missed": None if sensitivity is None else 1 - sensitivity,
        "number_to_test": _share(positive, hit),
        "net_benefit": net_benefit(y, probability, weight, threshold),
        "treat_all": treat_all(y, weight, threshold),
    }


def decision_curve(
    y: np.ndarray, probability: np.ndarray, weight: np.ndarray, thresholds: Sequence[float]
) -> list[dict[str, Any]]:
    """
    Net benefit over a range of thresholds.

    Parameters
    ----------
    y, probability, weight : ndarray, shape (n,)
        As in `net_benefit`.
    thresholds : sequence of float
        Stated beforehand.

    Returns
    -------
    list of dict
        ``threshold``, ``net_benefit`` and ``treat_all`` of each; acting on nobody is 0.
    """
    return [
        {
            "threshold": float(t),
            "net_benefit": net_benefit(y, probability, weight, t),
            "treat_all": treat_all(y, weight, t),
        }
        for t in thresholds
    ]


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
