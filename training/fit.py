"""Cross-validate a family, recalibrate it, choose the champion; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from training.definition import Cohort, Definition
from training.families import Fit, Fitted
from training.metrics import auroc, performance, recalibration
from training.tiers import with_hidden_panels

FOLDS = 5
SEED = 1
FEW_EVENTS = 30
BAND = (0.9, 1.1)
RULE = (
    "Among the families that keep the stated directions of effects, and whose calibration slope "
    "and observed:expected ratio lie within 0.9 to 1.1 in every tier in cross-validation, the one "
    "with the highest AUROC averaged over the tiers."
)

Tick = Callable[[str], None]


@dataclass(frozen=True)
class Validation:
    """
    How a family did on people it had not seen.

    Attributes
    ----------
    tiers : dict of str to dict
        Performance by tier, recalibrated with figures from the other folds only.
    log_odds : dict of str to ndarray, shape (n,)
        The predictions behind it, follow-up time included.
    raw : dict of str to ndarray, shape (n,)
        The same before recalibration, without follow-up time.
    intercept, slope, time_coefficient : float
        Recalibration from all out-of-fold predictions: goes into the graph.
    sites : dict of str to dict or None
        Performance at each site left out, all inputs.
    left : dict of str to ndarray, shape (n,), or None
        Log-odds by tier by models that had not seen the person's site.
    """

    tiers: dict[str, dict[str, Any]]
    log_odds: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    intercept: float
    slope: float
    time_coefficient: float
    sites: dict[str, dict[str, Any]] | None
    left: dict[str, np.ndarray] | None = None

    @property
    def in_band(self) -> bool:
        """Whether slope and O:E are within 0.9 to 1.1 in every tier."""
        return all(
            BAND[0] <= figures[name] <= BAND[1]
            for figures in self.tiers.values()
            for name in ("calibration_slope", "o_e")
        )

    @property
    def mean_auroc(self) -> float:
        """AUROC averaged over the tiers."""
        return float(np.mean([figures["auroc"] for figures in self.tiers.values()]))


def folds(cohort: Cohort) -> list[tuple[np.ndarray, np.ndarray]]:
    """Five folds by participant with equal shares of events: (rows to fit, rows out)."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(splitter.split(cohort.x, cohort.y, cohort.person))


def part_folds(cohort: Cohort) -> dict[str, np.ndarray]:
    """Rows of each site or survey cycle; those with few events are left out together."""
    if cohort.part is None:
        return {}
    groups: dict[str, np.ndarray] = {}
    small = np.zeros(len(cohort), dtype=bool)
    for part in np.unique(cohort.part):
        rows = cohort.part == part
        if cohort.y[rows].sum() < FEW_EVENTS:
            small |= rows
        else:
            groups[str(part)] = rows
    if small.any():
        groups["those with few events"] = small
    return groups


def time_coefficient(cohort: Cohort) -> float:
    """What log(follow-up / horizon) adds to the log-odds at the same age: what fits start from."""
    if np.ptp(cohort.log_time) == 0:
        return 0.0
    age = cohort.x["age"].to_numpy(dtype=float) / 10
    return recalibration(cohort.y, age, cohort.log_time, cohort.weight)[2]


def cross_validate(
    definition: Definition,
    cohort: Cohort,
    fit: Fit,
    tick: Tick = lambda step: None,
    *,
    sites: bool = True,
) -> Validation:
    """
    Cross-validate a family by participant, and by site where there are sites.

    Parameters
    ----------
    definition : Definition
        The model.
    cohort : Cohort
        The people.
    fit : callable
        The family.
    tick : callable, optional
        Called with a word after each fit, for a progress bar.
    sites : bool
        Whether each site is left out in turn too.

    Returns
    -------
    Validation
        Out-of-fold performance in every tier, and the recalibration.
    """
    start = time_coefficient(cohort)
    raw = {tier: np.zeros(len(cohort)) for tier in definition.tiers}
    fold = np.zeros(len(cohort), dtype=int)
    for number, (fitted_rows, out) in enumerate(folds(cohort)):
        sample = with_hidden_panels(cohort.take(fitted_rows), definition, start)
        model = fit(sample, definition.monotone)
        fold[out] = number
        for tier, hidden in definition.tiers.items():
            raw[tier][out] = model.log_odds(definition.hide(cohort.x.iloc[out], hidden))
        tick(f"fold {number + 1}")
    intercept, slope, coefficient = _recalibrate(cohort, raw, np.ones(len(cohort), dtype=bool))
    log_odds = {tier: np.zeros(len(cohort)) for tier in raw}
    for number in range(FOLDS):
        out = fold == number
        a, b, c = _recalibrate(cohort, raw, ~out)
        for tier, values in raw.items():
            log_odds[tier][out] = a + b * values[out] + c * cohort.log_time[out]
    tiers = {
        tier: performance(cohort.y, values, cohort.weight, cohort.person)
        for tier, values in log_odds.items()
    }
    validation = Validation(tiers, log_odds, raw, intercept, slope, coefficient, None)
    if not sites or cohort.site is None:
        return validation
    left = left_out(definition, cohort, fit, raw, tick)
    figures = {
        name: performance(cohort.y[out], left["all"][out], cohort.weight[out], cohort.person[out])
        for name, out in part_folds(cohort).items()
    }
    return replace(validation, sites=figures, left=left)


def left_out(
    definition: Definition,
    cohort: Cohort,
    fit: Fit,
    raw: Mapping[str, np.ndarray],
    tick: Tick = lambda step: None,
) -> dict[str, np.ndarray]:
    """
    Predict the people of each site or survey cycle by a model that never saw it.

    Parameters
    ----------
    definition : Definition
        The model.
    cohort : Cohort
        The people; must come from sites or cycles.
    fit : callable
        The family.
    raw : mapping of str to ndarray, shape (n,)
        `Validation.raw`: what each part is recalibrated with, its own people excepted.
    tick : callable, optional
        Called with a word after each fit.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Log-odds in every tier, follow-up time included.
    """
    start = time_coefficient(cohort)
    log_odds = {tier: np.full(len(cohort), np.nan) for tier in definition.tiers}
    for name, out in part_folds(cohort).items():
        model = fit(with_hidden_panels(cohort.take(~out), definition, start), definition.monotone)
        a, b, c = _recalibrate(cohort, raw, ~out)
        for tier, hidden in definition.tiers.items():
            values = model.log_odds(definition.hide(cohort.x[out], hidden))
            log_odds[tier][out] = a + b * values + c * cohort.log_time[out]
        tick(f"without {name}")
    return log_odds


def fit_all(definition: Definition, cohort: Cohort, fit: Fit) -> Fitted:
    """Fit a family on everybody: the model that ships."""
    sample = with_hidden_panels(cohort, definition, time_coefficient(cohort))
    return fit(sample, definition.monotone)


def untuned_boosting(cohort: Cohort) -> float:
    """AUROC of scikit-learn's HistGradientBoosting with default settings, same folds and inputs."""
    score = np.zeros(len(cohort))
    for fitted_rows, out in folds(cohort):
        part = cohort.take(fitted_rows)
        part = part.take(part.weight > 0)
        model = HistGradientBoostingClassifier(random_state=0)
        model.fit(part.x.to_numpy(), part.y, sample_weight=part.weight)
        score[out] = model.predict_proba(cohort.x.iloc[out].to_numpy())[:, 1]
    return auroc(cohort.y, score, cohort.weight)


def keeps_directions(fitted: Fitted, definition: Definition, people: pd.DataFrame) -> bool:
    """
    Whether effects that may go in one direction only do so.

    Parameters
    ----------
    fitted : Fitted
        Any family's model.
    definition : Definition
        Says which effects, and in which direction.
    people : pandas.DataFrame, shape (m, k)
        Real people, each followed along 30 values of each such predictor, others unchanged.

    Returns
    -------
    bool
        True if the log-odds never turn back by more than 1e-4.
    """
    some = people.head(100)
    for name, direction in definition.monotone.items():
        values = np.unique(np.quantile(people[name].dropna(), np.linspace(0, 1, 30)))
        along = np.stack([fitted.log_odds(some.assign(**{name: np.float32(v)})) for v in values])
        if (direction * np.diff(along, axis=0) < -1e-4).any():
            return False
    return True


def champion(validations: Mapping[str, Validation], directed: Mapping[str, bool]) -> str:
    """
    Choose the family to ship.

    Parameters
    ----------
    validations : mapping of str to Validation
        Cross-validation of each family.
    directed : mapping of str to bool
        Whether it keeps the directions of effects.

    Returns
    -------
    str
        Its name, by `RULE`; where few data leave no family in the band, the best of those that
        keep the directions: the figures tell.
    """
    eligible = [name for name, kept in directed.items() if kept]
    calibrated = [name for name in eligible if validations[name].in_band]
    return max(calibrated or eligible, key=lambda name: validations[name].mean_auroc)


def background(cohort: Cohort, rows: int = 1000) -> pd.DataFrame:
    """
    The average person: a fixed random sample of the people a model was made from, as observed.

    Parameters
    ----------
    cohort : Cohort
        The people.
    rows : int
        How many.

    Returns
    -------
    pandas.DataFrame, shape (rows, k)
        Contributions are relative to their mean log-odds.
    """
    known = cohort.x[cohort.weight > 0]
    return known.sample(min(rows, len(known)), random_state=SEED)


def _recalibrate(
    cohort: Cohort, raw: Mapping[str, np.ndarray], rows: np.ndarray
) -> tuple[float, float, float]:
    """One intercept and slope for all tiers together: the graph has no more."""

    def stack(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([v[rows] for v in values])

    times = len(raw)
    return recalibration(
        stack([cohort.y] * times),
        stack(list(raw.values())),
        stack([cohort.log_time] * times),
        stack([cohort.weight] * times),
    )
