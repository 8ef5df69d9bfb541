"""
A local table against a bundle: what it says of the people there, and the line that would mend it.

The line is an intercept, or intercept and slope, on the log-odds; variances are robust, clustered
by person, because people may have several rows and rows may have censoring weights.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import statsmodels.api as sm
from scipy.stats import chi2

from cdss.risk import RiskModel
from training.bundled import eligible, predict
from training.data import Table
from training.definition import Cohort, Definition
from training.metrics import Z, performance

Method = Literal["none", "intercept", "slope"]
LEVEL = 0.05


@dataclass(frozen=True)
class Local:
    """
    The people of a local table whom a bundle answers for, and what it says of them.

    Attributes
    ----------
    cohort : Cohort
        The definition's cohort, inside the bundle's limits, required inputs known.
    log_odds : dict of str to ndarray, shape (n,)
        What the bundle says at its horizon, by tier.
    later : ndarray, shape (n,)
        What a follow-up other than the horizon adds to the log-odds.
    outside : int
        How many people of the cohort get no estimate.
    """

    cohort: Cohort
    log_odds: dict[str, np.ndarray]
    later: np.ndarray
    outside: int

    @classmethod
    def of(cls, bundle: RiskModel, definition: Definition, table: Table) -> Local:
        """Apply the definition's eligibility and the bundle's limits to a table."""
        everybody = eligible(definition, table)
        inside, at_follow_up = predict(bundle, definition, everybody)
        cohort = everybody.take(inside)
        later = bundle.facts["time_coefficient"] * cohort.log_time
        log_odds = {tier: values - later for tier, values in at_follow_up.items()}
        return cls(cohort, log_odds, later, int((~inside).sum()))

    @property
    def people(self) -> int:
        """Distinct people whose outcome is known."""
        return len(np.unique(self.cohort.person[self.cohort.weight > 0]))

    @property
    def events(self) -> int:
        """Distinct people with the outcome."""
        known = self.cohort.weight > 0
        return len(np.unique(self.cohort.person[known & (self.cohort.y == 1)]))

    def figures(self, intercept: Any = 0.0, slope: Any = 1.0) -> dict[str, dict[str, Any]]:
        """Performance by tier of ``intercept + slope * log-odds`` (numbers, or one a row)."""
        c = self.cohort
        return {
            tier: performance(c.y, intercept + slope * values + self.later, c.weight, c.person)
            for tier, values in self.log_odds.items()
        }


@dataclass(frozen=True)
class Line:
    """A recalibration: log-odds become ``intercept + slope * log-odds``, with 95 % CIs."""

    intercept: float
    slope: float
    intercept_95ci: tuple[float, float]
    slope_95ci: tuple[float, float] | None


def choose(
    local: Local, most: Method = "slope", rows: np.ndarray | None = None
) -> tuple[Method, list[dict[str, Any]]]:
    """
    Choose the least change that the data ask for.

    Parameters
    ----------
    local : Local
        The people.
    most : {"slope", "intercept"}
        The greatest change that the table is large enough for.
    rows : ndarray of bool, shape (n,), optional
        Which of them.

    Returns
    -------
    method, tests : str, list of dict
        The choice, and each test's question, kind, statistic, degrees of freedom and p. First the
        greatest change against none, then against the intercept alone, each at 5 %. The tests are
        likelihood ratios; with censoring weights, or several rows of a person, where these do not
        hold, Wald tests with a variance that is robust and clustered by person.
    """
    whole = _model(local, most, rows)
    of_both = np.array([0.0, 1.0])[: 1 + (most == "slope")]
    tests = [_test(f"{most} against none", whole, of_both, local, rows)]
    if tests[0]["p"] >= LEVEL:
        return "none", tests
    if most == "intercept":
        return "intercept", tests
    tests.append(_test("slope against intercept alone", whole, None, local, rows))
    return ("slope" if tests[1]["p"] < LEVEL else "intercept"), tests


def fit(local: Local, method: Method, rows: np.ndarray | None = None) -> Line:
    """
    Fit a recalibration on what the bundle says with all that was observed.

    Parameters
    ----------
    local : Local
        The people.
    method : {"none", "intercept", "slope"}
        An offset regression, or one with a slope; follow-up time is an offset in both.
    rows : ndarray of bool, shape (n,), optional
        Which of them.

    Returns
    -------
    Line
        CIs robust, clustered by person.
    """
    if method == "none":
        return Line(0.0, 1.0, (0.0, 0.0), None)
    found = _model(local, method, rows)
    ends = [(float(v - Z * e), float(v + Z * e)) for v, e in zip(found.params, found.bse,
                                                              strict=True)]  # fmt: skip
    slope = float(found.params[1]) if method == "slope" else 1.0
    return Line(float(found.params[0]), slope, ends[0], ends[1] if method == "slope" else None)


def _model(local: Local, method: Method, rows: np.ndarray | None) -> Any:
    """The regression behind a method, variance clustered by person."""
    c, said = local.cohort, local.log_odds["all"]
    used = (c.weight > 0) & (True if rows is None else rows)
    ones = np.ones(int(used.sum()))
    columns = np.column_stack([ones, said[used]]) if method == "slope" else ones[:, None]
    offset = local.later[used] + (0 if method == "slope" else said[used])
    who = np.unique(c.person[used], return_inverse=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of var_weights with robust errors
        glm = sm.GLM(c.y[used], columns, family=sm.families.Binomial(), offset=offset,
                     var_weights=c.weight[used])  # fmt: skip
        return glm.fit(cov_type="cluster", cov_kwds={"groups": who})


def _test(
    question: str, whole: Any, null: np.ndarray | None, local: Local, rows: np.ndarray | None
) -> dict[str, Any]:
    """A likelihood-ratio or robust Wald test of `whole`; `null` None is the intercept alone."""
    c = local.cohort
    used = (c.weight > 0) & (True if rows is None else rows)
    plain = (c.weight[used] == 1).all() and len(np.unique(c.person[used])) == int(used.sum())
    df = 1 if null is None else len(null)
    if plain:
        log_odds = local.log_odds["all"][used] + local.later[used]
        if null is None:
            smaller = _model(local, "intercept", rows).llf
        else:
            smaller = float((c.y[used] * log_odds - np.logaddexp(0, log_odds)).sum())
        statistic = 2 * (whole.llf - smaller)
        kind = "likelihood ratio"
    else:
        covariance = whole.cov_params()
        apart = np.array([whole.params[1] - 1]) if null is None else whole.params - null
        part = covariance[1:, 1:] if null is None else covariance
        statistic = float(apart @ np.linalg.solve(part, apart))
        kind = "Wald, robust"
    statistic = max(float(statistic), 0.0)
    return {"question": question, "kind": kind, "statistic": statistic, "df": df,
            "p": float(chi2.sf(statistic, df))}  # fmt: skip
