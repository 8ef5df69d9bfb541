"""How many people a model needs, to be made and to be validated (Riley's criteria)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from cdss.variables import VARIABLES

if TYPE_CHECKING:
    from training.study import Study

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05


def to_develop(parameters: int, prevalence: float, r_squared: float) -> int:
    """
    Fewest people for developing a model of a binary outcome.

    Parameters
    ----------
    parameters : int
        Candidate parameters; a lower bound for trees, which have no such number.
    prevalence : float
        Share with the outcome, 0-1.
    r_squared : float
        Anticipated Cox-Snell R², see `cox_snell`.

    Returns
    -------
    int
        The greatest of three criteria: shrinkage 0.9, optimism in R² 0.05, margin of the overall
        risk 0.05.

    Source
    ------
    Riley RD et al., BMJ 2020;368:m441, criteria (i) to (iii), doi 10.1136/bmj.m441.

    Examples
    --------
    >>> to_develop(24, 0.174, 0.288)
    662
    """
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    most = 1 - math.exp(2 * null)

    def at(shrinkage: float) -> float:
        return parameters / ((shrinkage - 1) * math.log(1 - r_squared / shrinkage))

    overall = (norm.ppf(0.975) / MARGIN) ** 2 * prevalence * (1 - prevalence)
    second = at(r_squared / (r_squared + OPTIMISM * most))
    return math.ceil(max(at(SHRINKAGE), second, overall))


def cox_snell(auroc: float, prevalence: float, draws: int = 200_000) -> float:
    """
    Cox-Snell R² that an AUROC and a prevalence imply, with a normal linear predictor in each group.

    Parameters
    ----------
    auroc : float
        0.5-1.
    prevalence : float
        0-1.
    draws : int
        Points of the normal distributions, at equal quantiles.

    Returns
    -------
    float
        0-1.

    Source
    ------
    Riley RD et al., Stat Med 2021;40:859-864, doi 10.1002/sim.8806.
    """
    apart = math.sqrt(2) * float(norm.ppf(auroc))
    z = norm.ppf((np.arange(draws) + 0.5) / draws)
    cut = math.log(prevalence / (1 - prevalence)) - apart**2 / 2
    gain = 0.0
    for share, mean, sign in ((prevalence, apart, 1), (1 - prevalence, 0.0, -1)):
        log_odds = cut + apart * (z + mean)
        gain += share * float(np.mean(-np.logaddexp(0, -sign * log_odds)))
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(2 * (null - gain))


def to_validate(
    log_odds: np.ndarray,
    prevalence: float,
    auroc: float,
    *,
    o_e: float = 0.2,
    slope: float = 0.2,
    c: float = 0.1,
) -> dict[str, int]:
    """
    Fewest people for validating a model, from the widths that the 95 % intervals may have.

    Parameters
    ----------
    log_odds : ndarray, shape (n,)
        Distribution of predicted log-odds expected in the validation.
    prevalence, auroc : float
        Expected there.
    o_e, slope, c : float
        Widths of the intervals of observed:expected, calibration slope and AUROC.

    Returns
    -------
    dict of str to int
        ``o_e``, ``slope`` and ``auroc``: people needed for each.

    Source
    ------
    Riley RD et al., Stat Med 2021;40:4230-4251, doi 10.1002/sim.9025.
    """
    z = 2 * float(norm.ppf(0.975))
    p = 1 / (1 + np.exp(-log_odds))
    v = p * (1 - p)
    i00, i01, i11 = (float((v * log_odds**k).mean()) for k in range(3))
    needed_slope = i00 / ((slope / z) ** 2 * (i00 * i11 - i01**2))
    # On the log scale an interval of this width around 1.
    error = _log_width(o_e) / z
    needed_o_e = (1 - prevalence) / (prevalence * error**2)
    needed_c = _smallest(lambda n: z * _auroc_error(auroc, prevalence, n) <= c)
    return {
        "o_e": math.ceil(needed_o_e),
        "slope": math.ceil(needed_slope),
        "auroc": needed_c,
    }


def enough(study: Study, overall: Mapping[str, Any]) -> dict[str, Any]:
    """
    Whether a study has the people its figures need.

    Parameters
    ----------
    study : Study
        The model and its people.
    overall : mapping
        Figures with every input known.

    Returns
    -------
    dict
        ``development`` (None on another table than the model's own) and ``validation``, each with
        ``needed``, ``had`` and ``sufficient``; both None without an AUROC.
    """
    if overall["auroc"] is None:
        return {"development": None, "validation": None}
    share, auroc = overall["prevalence"], overall["auroc"]
    r_squared = cox_snell(auroc, share)
    parameters, how = _parameters(study)
    validation = to_validate(study.log_odds["all"], share, auroc)
    needed = max(validation.values())
    found: dict[str, Any] = {
        "development": None,
        "validation": validation
        | {"needed": needed, "had": len(study.cohort), "sufficient": len(study.cohort) >= needed},
    }
    if study.validation == "cross-validated":
        needed = to_develop(parameters, share, r_squared)
        found["development"] = {
            "needed": needed,
            "had": len(study.cohort),
            "sufficient": len(study.cohort) >= needed,
            "parameters": parameters,
            "cox_snell": r_squared,
            "about": how,
        }
    return found


def _parameters(study: Study) -> tuple[int, str]:
    names = study.definition.predictors
    if study.family == "spline":
        each = [8 if VARIABLES[n].kind == "quantity" else max(2, len(VARIABLES[n].choices))
                for n in names]  # fmt: skip
        return sum(each), "terms of the splines, and one for unknown values"
    return len(names), "predictors: a lower bound, trees and networks have no such number"


def _log_width(width: float) -> float:
    """Width on the log scale of an interval around 1 that has a width on the natural scale."""
    return 2 * math.asinh(width / 2)


def _auroc_error(c: float, prevalence: float, n: int) -> float:
    half = n / 2 - 1
    inside = 1 + half * (1 - c) / (2 - c) + half * c / (1 + c)
    return math.sqrt(c * (1 - c) * inside / (n**2 * prevalence * (1 - prevalence)))


def _smallest(enough: object) -> int:
    low, high = 2, 2
    while not enough(high):  # type: ignore[operator]
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)  # type: ignore[operator]
    return high
