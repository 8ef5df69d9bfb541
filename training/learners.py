"""
What simple models and learners as they come make of the same data: the rivals of every model.

They see the same people, folds and columns as the model, in each tier only the columns known there,
and the follow-up time where status is known at a visit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from cdss.equation import log_odds as logit
from training.calibration import KNOTS, restricted_spline
from training.contenders import Contender, of_log_odds
from training.definition import Cohort
from training.families import Sample, spline
from training.fit import time_coefficient
from training.metrics import logistic

Predict = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
Learn = Callable[[Cohort], Predict]
Splits = list[tuple[np.ndarray, np.ndarray]]


def learned(
    cohort: Cohort,
    source: Cohort | Splits,
    tick: Callable[[str], None] = lambda step: None,
) -> list[Contender]:
    """
    What simple models and learners as they come make of the same columns.

    Parameters
    ----------
    cohort : Cohort
        The people to predict; columns unknown to everybody are not used.
    source : Cohort, or list of pairs of ndarray
        Who to learn from; or folds of `cohort`, as `training.fit.folds` gives them.
    tick : callable, optional
        Called with a word after each.

    Returns
    -------
    list of Contender
        "age", "age and sex", "boosting", "xgboost", "spline".
    """
    found = []
    for name, learn in LEARNERS.items():
        if isinstance(source, Cohort):
            log_odds = learn(source)(cohort.x, cohort.log_time)
        else:
            log_odds = np.empty(len(cohort))
            for fitted, out in source:
                log_odds[out] = learn(cohort.take(fitted))(cohort.x.iloc[out], cohort.log_time[out])
        found.append(of_log_odds(name, log_odds))
        tick(name)
    return found


def _age(inputs: Sequence[str]) -> Learn:
    """A spline of age, one for each sex where asked."""

    def learn(cohort: Cohort) -> Predict:
        knots = np.quantile(cohort.x["age"], KNOTS)
        coefficients = {}
        for sex in (0, 1) if "sex" in inputs else (None,):
            rows = cohort.weight > 0
            if sex is not None:
                rows = rows & (cohort.x["sex"] == sex).to_numpy()
            columns = _of_age(cohort.x[rows], cohort.log_time[rows], knots)
            kept = np.append([True], np.ptp(columns[:, 1:], axis=0) > 0)
            found = np.zeros(columns.shape[1])
            found[kept] = logistic(cohort.y[rows], cohort.weight[rows], columns[:, kept])
            coefficients[sex] = found

        def predict(x: pd.DataFrame, log_time: np.ndarray) -> np.ndarray:
            columns = _of_age(x, log_time, knots)
            if None in coefficients:
                return columns @ coefficients[None]
            both = [columns @ coefficients[sex] for sex in (0, 1)]
            return np.where(x["sex"].to_numpy() == 1, both[1], both[0])

        return predict

    return learn


def _of_age(x: pd.DataFrame, log_time: np.ndarray, knots: np.ndarray) -> np.ndarray:
    age = x["age"].to_numpy(dtype=np.float64)
    return np.column_stack([np.ones(len(age)), restricted_spline(age, knots), log_time])


def _boosted(make: Callable[[], HistGradientBoostingClassifier | XGBClassifier]) -> Learn:
    def learn(cohort: Cohort) -> Predict:
        cohort = cohort.take(cohort.weight > 0)
        names = _known(cohort.x)
        model = make()
        columns = _with_time(cohort.x[names], cohort.log_time)
        with threadpool_limits(1, user_api="openmp"):
            model.fit(columns, cohort.y, sample_weight=cohort.weight)

        def predict(x: pd.DataFrame, log_time: np.ndarray) -> np.ndarray:
            chance = model.predict_proba(_with_time(x[names], log_time))[:, 1].astype(float)
            return np.asarray(logit(chance))

        return predict

    return learn


def _spline(cohort: Cohort) -> Predict:
    coefficient = time_coefficient(cohort)
    cohort = cohort.take(cohort.weight > 0)
    names = _known(cohort.x)
    offset = coefficient * cohort.log_time
    with threadpool_limits(1, user_api="blas"):
        model = spline.fit(Sample(cohort.x[names], cohort.y, cohort.weight, offset), {})
    return lambda x, log_time: model.log_odds(x[names]) + coefficient * log_time


def _known(x: pd.DataFrame) -> list[str]:
    return [name for name in x if x[name].notna().any()]


def _with_time(x: pd.DataFrame, log_time: np.ndarray) -> np.ndarray:
    """Columns, and the follow-up time where it varies at all."""
    return np.column_stack([x.to_numpy(dtype=np.float64), log_time])


# Each learns on one thread: where a machine is shared, threads wait for each other more than they
# work.
LEARNERS: dict[str, Learn] = {
    "age": _age(["age"]),
    "age and sex": _age(["age", "sex"]),
    "boosting": _boosted(lambda: HistGradientBoostingClassifier(random_state=0)),
    "xgboost": _boosted(lambda: XGBClassifier(random_state=0, n_jobs=1)),
    "spline": _spline,
}
