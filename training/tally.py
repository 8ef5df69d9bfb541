"""
Figures under many resamples at once.

People are sorted into narrow bins of predicted risk, and each resample only counts who falls where.
Bins are so narrow (quantiles, even steps of log-odds, and every threshold are edges) that figures
differ from the exact ones far less than the resamples do among themselves. Only intervals are made
from them; figures themselves are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.calibration import knots_for, restricted_spline
from training.resample import Resamples

BINS, EVEN = 400, 150
STEPS = 12


@dataclass(frozen=True)
class Tally:
    """
    Counts of people by bin under each resample.

    Attributes
    ----------
    cases, others : ndarray, shape (replicates, bins)
        Weights of people with and without the outcome, status known.
    log_odds, probability : ndarray, shape (bins,)
        Mean of a bin.
    expected, people : ndarray, shape (replicates,)
        Sum of predicted risks and of weights over everybody, status known or not.
    events : int
        People with the outcome, as they are.
    """

    cases: np.ndarray
    others: np.ndarray
    log_odds: np.ndarray
    probability: np.ndarray
    expected: np.ndarray
    people: np.ndarray
    events: int

    def without(self, some: Tally) -> Tally:
        """Everybody but some, counted in the same bins."""
        return Tally(
            self.cases - some.cases,
            self.others - some.others,
            self.log_odds,
            self.probability,
            self.expected - some.expected,
            self.people - some.people,
            self.events - some.events,
        )

    def auroc(self) -> np.ndarray:
        """AUROC of each resample; people of one bin count half."""
        below = np.cumsum(self.others, axis=1) - self.others / 2
        pairs = self.cases.sum(axis=1) * self.others.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.cases * below).sum(axis=1) / pairs

    def prevalence(self) -> np.ndarray:
        """Observed risk at the horizon."""
        return self.cases.sum(axis=1) / self.people

    def o_e(self) -> np.ndarray:
        """Observed over expected."""
        return self.cases.sum(axis=1) / self.expected

    def brier(self) -> np.ndarray:
        """Brier score."""
        p = self.probability
        total = self.cases.sum(axis=1) + self.others.sum(axis=1)
        return (self.cases @ (1 - p) ** 2 + self.others @ p**2) / total

    def scaled_brier(self) -> np.ndarray:
        """1 - Brier / Brier of the observed prevalence."""
        observed = self.prevalence()
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - self.brier() / (observed * (1 - observed))

    def net_benefit(self, threshold: float) -> np.ndarray:
        """Net benefit of acting from a threshold on."""
        flagged = (self.probability >= threshold).astype(float)
        odds = threshold / (1 - threshold)
        total = self.cases.sum(axis=1) + self.others.sum(axis=1)
        return (self.cases @ flagged - odds * (self.others @ flagged)) / total

    def treat_all(self, threshold: float) -> np.ndarray:
        """Net benefit of acting on everybody."""
        odds = threshold / (1 - threshold)
        cases, others = self.cases.sum(axis=1), self.others.sum(axis=1)
        return (cases - odds * others) / (cases + others)

    def missed(self, threshold: float) -> np.ndarray:
        """Share of cases below a threshold."""
        flagged = (self.probability >= threshold).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - (self.cases @ flagged) / self.cases.sum(axis=1)

    def specificity(self, threshold: float) -> np.ndarray:
        """Share of non-cases below a threshold."""
        flagged = (self.probability >= threshold).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - (self.others @ flagged) / self.others.sum(axis=1)

    def flagged(self, threshold: float) -> np.ndarray:
        """Share at or above a threshold."""
        total = self.cases + self.others
        return (total @ (self.probability >= threshold).astype(float)) / total.sum(axis=1)

    def ppv(self, threshold: float) -> np.ndarray:
        """Share of cases among people at or above a threshold."""
        flagged = (self.probability >= threshold).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.cases @ flagged) / ((self.cases + self.others) @ flagged)

    def intercept(self) -> np.ndarray:
        """Calibration intercept, slope held at 1."""
        ones = np.ones((len(self.log_odds), 1))
        return self._logistic(ones, offset=self.log_odds)[:, 0]

    def slope(self) -> np.ndarray:
        """Calibration slope."""
        return self._logistic(np.column_stack([np.ones_like(self.log_odds), self.log_odds]))[:, 1]

    def distances(self) -> dict[str, np.ndarray]:
        """``ici``, ``e50`` and ``e90`` of each resample."""
        weight = self.cases + self.others
        total = weight.sum(axis=0)
        share = np.cumsum(total) / total.sum()
        at = np.interp(knots_for(self.events), share, self.log_odds)
        if len(np.unique(at)) < len(at):
            nothing = np.full(len(weight), np.nan)
            return {"ici": nothing, "e50": nothing, "e90": nothing}
        basis = restricted_spline(self.log_odds, at)
        columns = np.column_stack([np.ones(len(basis)), basis])
        columns = np.linalg.qr(columns)[0] * np.sqrt(len(columns))
        curve = _expit(self._logistic(columns) @ columns.T)
        distance = np.abs(curve - self.probability)
        order = np.argsort(distance, axis=1)
        reached = np.cumsum(np.take_along_axis(weight, order, 1), axis=1)
        reached /= reached[:, -1:]
        ordered = np.take_along_axis(distance, order, 1)
        rows = np.arange(len(ordered))
        found = {"ici": (distance * weight).sum(axis=1) / weight.sum(axis=1)}
        for name, level in (("e50", 0.5), ("e90", 0.9)):
            place = np.minimum((reached < level).sum(axis=1), ordered.shape[1] - 1)
            found[name] = ordered[rows, place]
        return found

    def _logistic(self, columns: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
        """Coefficients [replicates, columns] by Newton's method; NaN where it fails."""
        k = columns.shape[1]
        total = self.cases + self.others
        # Perfect calibration is where to start: the log-odds are in the span of the columns.
        start = np.linalg.lstsq(columns, self.log_odds - offset, rcond=None)[0]
        found = np.tile(start, (len(total), 1))
        products = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), k * k)
        for _ in range(STEPS):
            mu = _expit(found @ columns.T + offset)
            gradient = (self.cases - total * mu) @ columns
            curvature = ((total * mu * (1 - mu)) @ products).reshape(-1, k, k)
            curvature += 1e-10 * np.eye(k) * total.sum(axis=1)[:, None, None]
            step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
            found += step
            if np.abs(step).max() < 1e-7:
                break
        failed = ~np.isfinite(found).all(axis=1) | (np.abs(step).max(axis=1) > 1e-3)
        found[failed] = np.nan
        return found


@dataclass(frozen=True)
class Bins:
    """
    Which narrow bin of predicted risk each person is in.

    Attributes
    ----------
    of : ndarray of int, shape (n,)
        Bin of each person, 0 to bins - 1.
    log_odds, probability : ndarray, shape (bins,)
        Mean of a bin.
    risk : ndarray, shape (n,)
        Predicted risk of each person.
    """

    of: np.ndarray
    log_odds: np.ndarray
    probability: np.ndarray
    risk: np.ndarray

    def take(self, rows: np.ndarray) -> Bins:
        """The same bins for some of the people."""
        return Bins(self.of[rows], self.log_odds, self.probability, self.risk[rows])


def bins(log_odds: np.ndarray, thresholds: Sequence[float] = ()) -> Bins:
    """
    Sort people into narrow bins.

    Parameters
    ----------
    log_odds : ndarray, shape (n,)
        Predictions.
    thresholds : sequence of float
        Risks at which figures will be asked for: edges of bins.

    Returns
    -------
    Bins
        At most 550, and one more for each threshold.
    """
    risk = _expit(log_odds)
    even = np.linspace(log_odds.min(), log_odds.max(), EVEN + 1)  # people are few in the tails
    edges = np.concatenate([np.quantile(log_odds, np.linspace(0, 1, BINS + 1)[1:-1]), even[1:-1]])
    cuts = [np.log(t / (1 - t)) for t in thresholds]
    edges = np.unique(np.concatenate([edges, cuts]))
    of = np.searchsorted(edges, log_odds, side="right")
    # At a threshold counts as from it on, whatever logit and expit do to the last digit.
    for t, cut in zip(thresholds, cuts, strict=True):
        at = np.searchsorted(edges, cut, side="right")
        of = np.where(risk >= t, np.maximum(of, at), np.minimum(of, at - 1))
    of = np.unique(of, return_inverse=True)[1]
    size = np.bincount(of)
    return Bins(of, np.bincount(of, log_odds) / size, np.bincount(of, risk) / size, risk)


def tally(
    y: np.ndarray,
    known: np.ndarray,
    base: np.ndarray,
    resamples: Resamples,
    binned: Bins,
    rows: np.ndarray | None = None,
) -> Tally:
    """
    Count people by bin of predicted risk under each resample.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome 0/1.
    known : ndarray, shape (n,)
        Inverse probability of status being known; 0 = not known.
    base : ndarray, shape (n,)
        Survey weight; 1 without one.
    resamples : Resamples
        Of these n rows.
    binned : Bins
        Of these n rows.
    rows : ndarray of bool, shape (n,), optional
        Only these, in everybody's bins.

    Returns
    -------
    Tally
        Counts.
    """
    chosen = np.ones(len(y), dtype=bool) if rows is None else rows
    weight = known * base
    case = np.flatnonzero(chosen & (weight * y > 0))
    other = np.flatnonzero(chosen & (weight * (1 - y) > 0))
    everybody = np.flatnonzero(chosen)
    sums = np.column_stack([base * binned.risk, base])[everybody]
    k, replicates = len(binned.log_odds), len(resamples.factors)
    cases, others = np.empty((replicates, k)), np.empty((replicates, k))
    totals = np.empty((replicates, 2))
    for b, factor in enumerate(resamples.factors):
        cases[b] = np.bincount(binned.of[case], factor[case] * weight[case], minlength=k)
        others[b] = np.bincount(binned.of[other], factor[other] * weight[other], minlength=k)
        totals[b] = factor[everybody].astype(float) @ sums
    return Tally(
        cases, others, binned.log_odds, binned.probability, totals[:, 0], totals[:, 1], len(case)
    )


def _expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))
