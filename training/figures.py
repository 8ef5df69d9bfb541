"""Everything that is said of one set of predictions: the figures, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.calibration import calibration_error
from training.decision import at_threshold, decision_curve
from training.follow import FollowUp, followed, known_at
from training.metrics import estimates
from training.resample import SCALES, Resamples
from training.tally import Bins, Tally, bins, tally

CURVE_POINTS = 20
FOLLOWED = 0.1
NOT_FOLLOWED = "not followed to the horizon: the observed risk is not known"
AT = ("flagged", "missed", "specificity", "ppv")


@dataclass(frozen=True)
class People:
    """
    Whose outcomes predictions are compared with.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Outcome 0/1.
    known : ndarray, shape (n,)
        Inverse probability of status being known at the horizon; 0 = not known, 1 = no censoring.
    base : ndarray, shape (n,)
        Survey weight; 1 without one.
    resamples : Resamples
        Of these rows.
    follow : FollowUp, optional
        Where follow-up often ends early: a group's own censoring can then be allowed for.
    """

    y: np.ndarray
    known: np.ndarray
    base: np.ndarray
    resamples: Resamples
    follow: FollowUp | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def weight(self) -> np.ndarray:
        """How much each person counts where status must be known."""
        return self.known * self.base

    def take(self, rows: np.ndarray) -> People:
        """The same for some of the rows."""
        return replace(
            self,
            y=self.y[rows],
            known=self.known[rows],
            base=self.base[rows],
            resamples=self.resamples.take(rows),
            follow=None if self.follow is None else self.follow.take(rows),
        )

    def within(self, rows: np.ndarray) -> People:
        """Some of the rows as a group of their own, whose follow-up may end at other times."""
        part = self.take(rows)
        if part.follow is None:
            return part
        weight = None if (part.base == 1).all() else part.base
        return replace(part, known=known_at(part.follow, weight))

    @property
    def followed(self) -> float:
        """Probability of being followed to the horizon; figures need more than `FOLLOWED`."""
        return 1.0 if self.follow is None else followed(self.follow, self.base)

    def tally(self, log_odds: np.ndarray, thresholds: Sequence[float]) -> Tally:
        """Count them under each resample, by bin of these predictions."""
        return self.tally_in(bins(log_odds, thresholds))

    def tally_in(self, binned: Bins) -> Tally:
        """Count them under each resample, in bins that are given."""
        return tally(self.y, self.known, self.base, self.resamples, binned)


def figures(
    people: People,
    log_odds: np.ndarray,
    thresholds: Mapping[str, Any],
    *,
    curve: bool = True,
    counted: Tally | None = None,
) -> dict[str, Any]:
    """
    Discrimination, calibration and usefulness of one set of predictions.

    Parameters
    ----------
    people : People
        Whose.
    log_odds : ndarray, shape (n,)
        Predicted.
    thresholds : mapping
        ``range`` and ``marked``, see ``thresholds.toml``.
    curve : bool
        Whether the flexible calibration curve and the decision curve are described too.
    counted : Tally, optional
        The people under each resample, if that has been counted already.

    Returns
    -------
    dict
        What `training.metrics.estimates` gives, each with ``<name>_95ci``; with `curve` also
        ``ici``, ``e50``, ``e90``, ``ici_if_perfect`` and ``decision_curve``; ``at``: one entry a
        marked threshold.
    """
    found = estimates(people.y, log_odds, people.known, people.base)
    if found["auroc"] is None:
        return found
    marked = thresholds["marked"]
    counted = counted or people.tally(log_odds, marked)
    interval = people.resamples.interval
    replicates = {
        "auroc": counted.auroc(),
        "o_e": counted.o_e(),
        "calibration_intercept": counted.intercept(),
        "calibration_slope": counted.slope(),
        "brier": counted.brier(),
        "scaled_brier": counted.scaled_brier(),
    }
    if curve:
        found |= calibration_error(people.y, log_odds, people.weight)
        replicates |= counted.distances()
    for name, values in replicates.items():
        found[f"{name}_95ci"] = interval(found[name], values, SCALES.get(name, "identity"))
    probability = 1 / (1 + np.exp(-log_odds))
    found["at"] = [_at(people, probability, counted, t) for t in marked]
    if curve:
        low, high = thresholds["range"]
        points = np.linspace(low, high, CURVE_POINTS).tolist()
        found["decision_curve"] = decision_curve(people.y, probability, people.weight, points)
    return found


def _at(
    people: People, probability: np.ndarray, counted: Tally, threshold: float
) -> dict[str, Any]:
    found: dict[str, Any] = at_threshold(people.y, probability, people.weight, threshold)
    interval = people.resamples.interval
    for name in AT:
        found[f"{name}_95ci"] = interval(found[name], getattr(counted, name)(threshold))
    if interval_of := found["missed_95ci"]:
        found["sensitivity_95ci"] = [1 - interval_of[1], 1 - interval_of[0]]
    mine, everybody = counted.net_benefit(threshold), counted.treat_all(threshold)
    found["net_benefit_95ci"] = interval(found["net_benefit"], mine)
    found["over_treat_all"] = found["net_benefit"] - found["treat_all"]
    found["over_treat_all_95ci"] = interval(found["over_treat_all"], mine - everybody)
    return found
