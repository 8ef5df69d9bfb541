"""Figures of many sites or survey cycles, pooled by random effects, with a prediction interval."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.meta_analysis import combine_effects

Z = float(norm.ppf(0.975))
FEWEST = 3
"""Parts needed for a spread between them."""


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


Moves = tuple[Callable[[float], float], Callable[[float], float]]
POOLED: dict[str, Moves] = {
    "auroc": (_logit, _expit),
    "o_e": (math.log, math.exp),
    "calibration_intercept": (float, float),
    "calibration_slope": (float, float),
}
"""What is pooled, and the scale on which it is."""


def pool(each: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """
    Pool the figures of sites or cycles.

    Parameters
    ----------
    each : mapping of str to mapping
        Figures of each part, with ``<name>_95ci``; parts without a figure are passed over.

    Returns
    -------
    dict
        AUROC (on the logit scale), O:E (log), calibration intercept and slope: ``estimate``,
        ``95ci`` (Hartung-Knapp), ``prediction_95`` (where the figure of another such part is
        expected), ``tau2`` (Paule-Mandel, on that scale), ``i2``, ``k`` parts. None below three
        parts.
    """
    answer: dict[str, dict[str, Any] | None] = {}
    for name, (to, back) in POOLED.items():
        known = [
            (to(f[name]), (to(f[f"{name}_95ci"][1]) - to(f[f"{name}_95ci"][0])) / (2 * Z))
            for f in each.values()
            if f.get(name) is not None and f.get(f"{name}_95ci") is not None
        ]
        effects = [e for e, _ in known]
        errors = [s for _, s in known]
        answer[name] = random_effects(effects, errors, back) if len(known) >= FEWEST else None
    return answer


def random_effects(
    effects: Sequence[float], errors: Sequence[float], back: Callable[[float], float] = float
) -> dict[str, Any]:
    """
    Random-effects mean with Hartung-Knapp interval and prediction interval.

    Parameters
    ----------
    effects, errors : sequence of float
        Estimate and standard error of each part, on the scale on which they are pooled.
    back : callable
        From that scale to the natural one.

    Returns
    -------
    dict
        As in `pool`.

    Source
    ------
    IntHout J et al., BMC Med Res Methodol 2014;14:25 (Hartung-Knapp); Higgins JPT et al., J R Stat
    Soc A 2009;172:137-159, section 4.1 (prediction interval with k - 2 degrees of freedom).
    """
    k = len(effects)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the degrees of freedom of unused tests
        found = combine_effects(
            np.array(effects), np.array(errors) ** 2, method_re="iterated", use_t=True
        )
    mean, error = float(found.mean_effect_re), float(found.sd_eff_w_re_hksj)
    tau2 = float(found.tau2)
    within = student.ppf(0.975, k - 1) * error
    spread = student.ppf(0.975, k - 2) * math.sqrt(tau2 + error**2)
    return {
        "estimate": back(mean),
        "95ci": [back(mean - within), back(mean + within)],
        "prediction_95": [back(mean - spread), back(mean + spread)],
        "tau2": tau2,
        "i2": max(0.0, float(found.i2)),
        "k": k,
    }
