"""What people are said to have in published figures: states, from complete values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.variables import VARIABLES

Array = NDArray[Any]
People = Mapping[str, Array]

CURRENT = VARIABLES["smoking"].choices.index("current")


def _raised(people: People) -> Array:
    return np.asarray((people["systolic_bp"] >= 140) | (people["diastolic_bp"] >= 90))


def _hypertension(people: People) -> Array:
    return np.asarray(_raised(people) | (people["bp_treated"] == 1))


def _diabetes(people: People) -> Array:
    high = (people["fasting_glucose"] >= 7.0) | (people["hba1c"] >= 6.5)
    return np.asarray(high | (people["on_metformin"] == 1))


STATES: Mapping[str, Callable[[People], Array]] = {
    "raised_bp": _raised,
    "hypertension_state": _hypertension,
    "hypertension_known": lambda people: people["hypertension"] == 1,
    "bp_treated": lambda people: people["bp_treated"] == 1,
    "bp_controlled": lambda people: (people["bp_treated"] == 1) & ~_raised(people),
    "diabetes_state": _diabetes,
    "diabetes_treated": lambda people: people["on_metformin"] == 1,
    "diabetes_told": lambda people: people["diabetes"] == 1,
    "cvd_known": lambda people: people["prior_cvd"] == 1,
    "diabetes_unknown": lambda people: people["diabetes"] == 0,
    "current_smoker": lambda people: people["smoking"] == CURRENT,
    "drinks_alcohol": lambda people: people["drinks_alcohol"] == 1,
}
"""Name → of whom it is true; blood pressure >= 140/90 mmHg, diabetes by NCD-RisC's definition."""

_DERIVED: Mapping[str, Callable[[People], Array]] = {
    "bmi": lambda people: people["weight"] / np.square(people["height"] / 100),
    "non_hdl_cholesterol": lambda people: people["total_cholesterol"] - people["hdl_cholesterol"],
}


def state(people: People, name: str) -> Array:
    """
    Tell of whom a state is true, or what a quantity is.

    Parameters
    ----------
    people : mapping of str to ndarray, shape (n,)
        Complete values.
    name : str
        Of `STATES`, or a quantity, also one that follows from others.

    Returns
    -------
    ndarray, shape (n,)
        Booleans, or values.
    """
    if name in STATES:
        return STATES[name](people)
    return _DERIVED[name](people) if name in _DERIVED else people[name]
