"""
How the same study might have turned out: resamples of its people, and intervals from them.

Every figure with an interval is computed again under each resample, which says how many times each
row counts. Differences between models or groups use the same resamples, so that they are paired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

REPLICATES = 400
QUICK = 60
SEED = 7
SCALES = {"auroc": "logit", "o_e": "log", "ici": "log", "e50": "log", "e90": "log"}
"""Scale on which an interval is symmetric; all other figures on their own."""


@dataclass(frozen=True)
class Resamples:
    """
    Resamples of a study.

    Attributes
    ----------
    factors : ndarray, shape (replicates, n)
        How many times each row counts.
    share : ndarray, shape (replicates,)
        What each squared deviation adds to the variance.
    df : float
        Degrees of freedom of the intervals, infinite for a bootstrap of persons.
    about_mean : bool
        Whether deviations are from the mean of the replicates (bootstrap) or from the estimate
        itself (jackknife).
    method : str
        One sentence for the reader.
    """

    factors: np.ndarray
    share: np.ndarray
    df: float
    about_mean: bool
    method: str

    def take(self, rows: np.ndarray) -> Resamples:
        """The same for some of the rows: the others have weight zero, the design stays whole."""
        return replace(self, factors=self.factors[:, rows])

    def error(self, estimate: float, replicates: np.ndarray) -> float:
        """
        Standard error of a figure.

        Parameters
        ----------
        estimate : float
            The figure itself.
        replicates : ndarray, shape (replicates,)
            The figure under each resample; NaN where it could not be computed.

        Returns
        -------
        float
            NaN if a tenth or more of the replicates could not be computed.
        """
        known = np.isfinite(replicates)
        if known.mean() < 0.9:
            return float("nan")
        centre = replicates[known].mean() if self.about_mean else estimate
        squared = (replicates[known] - centre) ** 2 * self.share[known]
        return float(np.sqrt(squared.sum() / self.share[known].sum() * self.share.sum()))

    def interval(
        self, estimate: float | None, replicates: np.ndarray, scale: str = "identity"
    ) -> list[float] | None:
        """
        95 % confidence interval.

        Parameters
        ----------
        estimate : float or None
            The figure itself.
        replicates : ndarray, shape (replicates,)
            The figure under each resample.
        scale : {'identity', 'log', 'logit'}
            Where the interval is symmetric.

        Returns
        -------
        list of float, or None
            Estimate ± t · standard error on that scale; None if there is none.
        """
        if estimate is None:
            return None
        to, back = _SCALES[scale]
        with np.errstate(divide="ignore", invalid="ignore"):
            middle, moved = to(np.float64(estimate)), to(replicates)
        wide = float(student.ppf(0.975, self.df)) * self.error(float(middle), moved)
        if not np.isfinite(middle) or not np.isfinite(wide):
            return None
        return [float(back(middle - wide)), float(back(middle + wide))]


def bootstrap(person: np.ndarray, replicates: int = REPLICATES, seed: int = SEED) -> Resamples:
    """
    Bootstrap of persons: each counts a Poisson(1) number of times, with all of their rows.

    Parameters
    ----------
    person : ndarray, shape (n,)
        Who a row belongs to.
    replicates : int
        How many.
    seed : int
        Of the draws.

    Returns
    -------
    Resamples
        Rows of a person stay together.

    Source
    ------
    Hanley JA, MacGibbon B, Comput Methods Programs Biomed 2006;83:57-62 (Poisson weights).
    """
    rng = np.random.default_rng(seed)
    who = np.unique(person, return_inverse=True)[1]
    factors = np.stack(
        [rng.poisson(1.0, who.max() + 1).astype(np.uint8)[who] for _ in range(replicates)]
    )
    return Resamples(
        factors,
        np.full(replicates, 1 / (replicates - 1)),
        float("inf"),
        True,
        f"bootstrap of persons ({replicates} replicates), normal on the logit scale for AUROC, the "
        "log scale for O:E and distances from the calibration curve, else the natural scale",
    )


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)


def _expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _same(x: np.ndarray) -> np.ndarray:
    return x


_SCALES = {"identity": (_same, _same), "log": (np.log, np.exp), "logit": (_logit, _expit)}
