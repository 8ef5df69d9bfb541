"""
Follow-up with censoring: its times, observed risk, and who is known at a horizon.

A person who dies of something else can no longer have the event and is told apart from one whose
follow-up ended: the first is a known non-case, the second is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.censoring import ipcw
from training.definition import Cohort, Definition

YEAR = 365.25


@dataclass(frozen=True)
class FollowUp:
    """
    Time and end of each person's follow-up.

    Attributes
    ----------
    years : ndarray, shape (n,)
        From the index date.
    status : ndarray of int, shape (n,)
        0 censored, 1 the outcome, 2 a competing event (death from another cause).
    horizon : float
        Years at which the risk is asked for.
    """

    years: np.ndarray
    status: np.ndarray
    horizon: float

    def take(self, rows: np.ndarray) -> FollowUp:
        """The same for some of the rows."""
        return replace(self, years=self.years[rows], status=self.status[rows])

    @property
    def censored(self) -> float:
        """Share of people whose follow-up ended before the horizon."""
        return float(((self.status == 0) & (self.years < self.horizon)).mean())


def follow_up(definition: Definition, cohort: Cohort) -> FollowUp | None:
    """
    Times of follow-up, where the data have them.

    Parameters
    ----------
    definition : Definition
        Whose outcome.
    cohort : Cohort
        The people; their table holds the times.

    Returns
    -------
    FollowUp or None
        ``cardiovascular_death``: months from examination to death or the end of linkage, half a
        month at least. ``cardiovascular_disease``: days from examination to event, death or end
        (Framingham). ``incident_hypertension``: days to the examination that found it; deaths
        after half a year past the horizon do not compete. None for outcomes that are present now,
        and for those known at one visit only (``incident_diabetes``), which nothing censors.
    """
    read = _READERS.get(definition.outcome)
    return None if read is None else read(cohort.people)


def _death(people: pd.DataFrame) -> FollowUp:
    years = np.maximum(people["followup_months"].to_numpy(dtype=float), 0.5) / 12
    died = people["died"].to_numpy() == 1
    cause = people["cvd_death"].to_numpy() == 1
    return FollowUp(years, np.where(died & cause, 1, np.where(died, 2, 0)), 10.0)


def _disease(people: pd.DataFrame) -> FollowUp:
    start = people["examination_day"].to_numpy(dtype=float)
    years = (people["cvd_day"].to_numpy(dtype=float) - start) / YEAR
    event, died = people["cvd"].to_numpy() == 1, people["died"].to_numpy() == 1
    return FollowUp(years, np.where(event, 1, np.where(died, 2, 0)), 10.0)


def _hypertension(people: pd.DataFrame) -> FollowUp:
    start = people["examination_day"].to_numpy(dtype=float)
    found, died = people["hypertension"].to_numpy() == 1, people["died"].to_numpy() == 1
    years = (people["hypertension_day"].to_numpy(dtype=float) - start) / YEAR
    death = (people["death_day"].to_numpy(dtype=float) - start) / YEAR
    years = np.where(found, years, np.maximum(years, death * died))
    competing = died & (death <= 4.5)
    return FollowUp(years, np.where(found, 1, np.where(competing, 2, 0)), 4.5)


_READERS: dict[str, Callable[[pd.DataFrame], FollowUp]] = {
    "cardiovascular_death": _death,
    "cardiovascular_disease": _disease,
    "incident_hypertension": _hypertension,
}


def cumulative_incidence(
    follow: FollowUp, at: float | None = None, weight: np.ndarray | None = None
) -> float:
    """
    Aalen-Johansen estimate of the risk at a time.

    Parameters
    ----------
    follow : FollowUp
        The people.
    at : float, optional
        Years; the horizon by default.
    weight : ndarray, shape (n,), optional
        How much each person counts.

    Returns
    -------
    float
        Probability of the outcome by then, with competing events; 0-1.
    """
    at = follow.horizon if at is None else at
    w = np.ones(len(follow.years)) if weight is None else weight
    times, of = np.unique(follow.years, return_inverse=True)
    at_risk = np.cumsum(np.bincount(of, w)[::-1])[::-1]
    outcome = np.bincount(of, w * (follow.status == 1), minlength=len(times))
    ended = np.bincount(of, w * (follow.status > 0), minlength=len(times))
    with np.errstate(invalid="ignore", divide="ignore"):
        free = np.cumprod(np.where(at_risk > 0, 1 - ended / at_risk, 1.0))
        before = np.concatenate([[1.0], free[:-1]])
        steps = np.where(at_risk > 0, before * outcome / at_risk, 0.0)
    return float(steps[times <= at].sum())


def known_at(follow: FollowUp, weight: np.ndarray | None = None) -> np.ndarray:
    """
    Inverse probability of status being known at the horizon.

    Parameters
    ----------
    follow : FollowUp
        The people.
    weight : ndarray, shape (n,), optional
        Survey weights, by which the curve of censoring is estimated.

    Returns
    -------
    ndarray, shape (n,)
        As `training.censoring.ipcw`, which it equals without weights.
    """
    if weight is None:
        return ipcw(follow.years, follow.status > 0, follow.horizon)
    survival = censoring_curve(follow.years, follow.status, weight)
    horizon = np.array([follow.horizon])
    known = (follow.status > 0) & (follow.years <= follow.horizon)
    own = survival(np.minimum(follow.years, follow.horizon), before=True)
    at_end = survival(horizon, before=False)[0]
    with np.errstate(divide="ignore"):  # nobody is followed so long: nobody gets that weight
        return np.where(known, 1 / own, np.where(follow.years > follow.horizon, 1 / at_end, 0.0))


def followed(follow: FollowUp, weight: np.ndarray | None = None) -> float:
    """
    Probability of not being censored before the horizon.

    Parameters
    ----------
    follow : FollowUp
        The people.
    weight : ndarray, shape (n,), optional
        How much each counts.

    Returns
    -------
    float
        Near 0 where people entered too late: their risk at the horizon cannot be known.
    """
    survival = censoring_curve(follow.years, follow.status, weight)
    return float(survival(np.array([follow.horizon]), before=False)[0])


def censoring_curve(
    years: np.ndarray, status: np.ndarray, weight: np.ndarray | None = None
) -> Callable[..., np.ndarray]:
    """
    Kaplan-Meier curve of not being censored.

    Parameters
    ----------
    years, status : ndarray, shape (n,)
        As in `FollowUp`.
    weight : ndarray, shape (n,), optional
        How much each person counts.

    Returns
    -------
    callable
        ``(at, before)`` → probability of still being followed at a time, or just before it.
    """
    w = np.ones(len(years)) if weight is None else weight
    times, of = np.unique(years, return_inverse=True)
    at_risk = np.cumsum(np.bincount(of, w)[::-1])[::-1]
    lost = np.bincount(of, w * (status == 0), minlength=len(times))
    curve = np.concatenate([[1.0], np.cumprod(np.where(at_risk > 0, 1 - lost / at_risk, 1.0))])

    def survival(at: np.ndarray, *, before: bool) -> np.ndarray:
        return curve[np.searchsorted(times, at, side="left" if before else "right")]

    return survival
