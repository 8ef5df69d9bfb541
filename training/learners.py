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
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from cdss.equation import log_odds as logit
from training.contenders import Contender, of_log_odds
from training.definition import Cohort
from training.families import Sample, spline
from training.fit import folds, time_coefficient

Predict = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
Learn = Callable[[Cohort], Predict]


def learned(
    cohort: Cohort, development: Cohort | None, tick: Callable[[str], None] = lambda step: None
) -> list[Contender]:
    """
    What simple models and learners as they come make of the same columns.

    Parameters
    ----------
    cohort : Cohort
        The people to predict; columns unknown to everybody are not used.
    development : Cohort or None
        Who to learn from; None means cross-validation among `cohort`.
    tick : callable, optional
        Called with a word after each.

    Returns
    -------
    list of Contender
        "age", "age and sex", "boosting", "xgboost", "spline".
    """
    found = []
    for name, learn in LEARNERS.items():
        if development is not None:
            log_odds = learn(development)(cohort.x, cohort.log_time)
        else:
            log_odds = np.empty(len(cohort))
            for fitted, out in folds(cohort):
                log_odds[out] = learn(cohort.take(fitted))(cohort.x.iloc[out], cohort.log_time[out])
        found.append(of_log_odds(name, log_odds))
        tick(name)
    return found


def _age(inputs: Sequence[str]) -> Learn:
    """A spline of age, one for each sex where asked."""

    def learn(cohort: Cohort) -> Predict:
        models = {}
        for sex in (0, 1) if "sex" in inputs else (None,):
            rows = cohort.weight > 0
            if sex is not None:
                rows &= (cohort.x["sex"] == sex).to_numpy()
            model = make_pipeline(
                SplineTransformer(n_knots=5, extrapolation="linear"),
                LogisticRegression(C=1e4, max_iter=1000),
            )
            columns = _with_time(cohort.x[["age"]], cohort.log_time)[rows]
            weight = cohort.weight[rows]
            models[sex] = model.fit(
                columns, cohort.y[rows], logisticregression__sample_weight=weight
            )

        def predict(x: pd.DataFrame, log_time: np.ndarray) -> np.ndarray:
            columns = _with_time(x[["age"]], log_time)
            if None in models:
                return models[None].decision_function(columns)
            both = [models[sex].decision_function(columns) for sex in (0, 1)]
            return np.where(x["sex"].to_numpy() == 1, both[1], both[0])

        return predict

    return learn


def _boosted(make: Callable[[], HistGradientBoostingClassifier | XGBClassifier]) -> Learn:
    def learn(cohort: Cohort) -> Predict:
        cohort = cohort.take(cohort.weight > 0)
        names = _known(cohort.x)
        model = make()
        columns = _with_time(cohort.x[names], cohort.log_time)
        # One thread: on a shared machine OpenMP's threads wait for each other more than they work.
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
    model = spline.fit(Sample(cohort.x[names], cohort.y, cohort.weight, offset), {})
    return lambda x, log_time: model.log_odds(x[names]) + coefficient * log_time


def _known(x: pd.DataFrame) -> list[str]:
    return [name for name in x if x[name].notna().any()]


def _with_time(x: pd.DataFrame, log_time: np.ndarray) -> np.ndarray:
    """Columns, and the follow-up time where it varies at all."""
    return np.column_stack([x.to_numpy(dtype=np.float64), log_time])


LEARNERS: dict[str, Learn] = {
    "age": _age(["age"]),
    "age and sex": _age(["age", "sex"]),
    "boosting": _boosted(lambda: HistGradientBoostingClassifier(random_state=0)),
    "xgboost": _boosted(lambda: XGBClassifier(random_state=0, n_jobs=1)),
    "spline": _spline,
}
