"""Censoring before a horizon, by inverse probability of being known (IPCW)."""

from __future__ import annotations

import numpy as np
from lifelines import KaplanMeierFitter


def ipcw(time: np.ndarray, known: np.ndarray, horizon: float) -> np.ndarray:
    """
    Inverse probability of censoring weights for status at a horizon.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Time to the event, to a competing event, or to the end of follow-up; same unit as `horizon`.
    known : ndarray of bool, shape (n,)
        Whether `time` ends with the event or a competing event (True) or with censoring (False).
    horizon : float
        When the status is asked for.

    Returns
    -------
    ndarray, shape (n,)
        1 / P(not censored before ``min(time, horizon)``) where the status at the horizon is known,
        0 where follow-up ended before. Averages 1 over everybody.

    Source
    ------
    Graf E et al., Stat Med 1999;18:2529-2545, section 4.2, doi 10.1002/(SICI)1097-0258.
    """
    censoring = KaplanMeierFitter().fit(time, event_observed=~known)
    steps = censoring.survival_function_["KM_estimate"]
    at, value = steps.index.to_numpy(), steps.to_numpy()
    # The curve just before each time: people censored on a day were still known on that day.
    before = value[np.maximum(np.searchsorted(at, np.minimum(time, horizon), side="left") - 1, 0)]
    at_horizon = value[np.searchsorted(at, horizon, side="right") - 1]
    return np.where(
        known & (time <= horizon), 1 / before, np.where(time > horizon, 1 / at_horizon, 0.0)
    )
