"""
The range in which a model may be used, and what is said of those whose values meet a test.

A test is of one variable, and the same for one patient's value and for a column of many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.errors import Problem
from cdss.variables import VARIABLES


class Limit(NamedTuple):
    """
    Range of one quantity.

    Attributes
    ----------
    low, high : float
        Canonical unit; infinite where the source sets no end. `low` belongs to the range.
    source : str
        Who set it, citation and locator; empty means the range of the derivation data.
    below : bool
        `high` itself lies outside; then `low` is not set.
    """

    low: float
    high: float
    source: str = ""
    below: bool = False

    def holds(self, value: float) -> bool:
        """
        Tell whether a value lies in the range.

        Parameters
        ----------
        value : float
            In the canonical unit.

        Returns
        -------
        bool
            False for NaN.

        Examples
        --------
        >>> Limit(30, 79).holds(79), Limit(-math.inf, 140, below=True).holds(140)
        (True, False)
        """
        return self.low <= value and (value < self.high if self.below else value <= self.high)

    def passed(self, value: Any) -> Any:
        """
        Tell whether a known value lies outside the range.

        Parameters
        ----------
        value : float or ndarray
            In the canonical unit.

        Returns
        -------
        bool or ndarray of bool
            False for NaN.
        """
        return (value < self.low) | (value >= self.high if self.below else value > self.high)

    def problem(self, variable: str) -> Problem:
        """
        Say why a value of a variable is refused, without naming it.

        Parameters
        ----------
        variable : str
            The variable the range is of.

        Returns
        -------
        Problem
            ``outside_limits`` for a derivation range; with the source where one set the range.
        """
        low, high, unit = self.low, self.high, VARIABLES[variable].unit
        params = {"unit": unit, "source": self.source}
        if not self.source:
            detail = f"is outside {low:g} to {high:g} {unit}, the derivation range"
            limits = {"low": low, "high": high, "unit": unit}
            return Problem("outside_limits", variable, detail, limits)
        if math.isinf(high):
            detail = f"is below {low:.5g} {unit}, the limit of {self.source}"
            return Problem("limit_from", variable, detail, {"low": low, **params})
        if self.below:
            detail = f"is not below {high:.5g} {unit}, the limit of {self.source}"
            return Problem("limit_below", variable, detail, {"high": high, **params})
        detail = f"is outside {low:.5g} to {high:.5g} {unit}, the limits of {self.source}"
        return Problem("limit_between", variable, detail, {"low": low, "high": high, **params})


class Finding(NamedTuple):
    """
    What is said of those whose value of one variable meets a test.

    Attributes
    ----------
    problem : Problem
        What is said; it names the variable.
    test : callable
        Of one value, canonical or NaN, or of a column as `Variable.encode` gives it.
    """

    problem: Problem
    test: Callable[[Any], Any]

    def holds(self, values: Mapping[str, Any]) -> Any:
        """
        Tell of whom it is said.

        Parameters
        ----------
        values : mapping of str to value or ndarray
            What is known, of one patient or in columns.

        Returns
        -------
        bool or ndarray of bool
            One for each.
        """
        return self.test(values.get(self.problem.variable, math.nan))


def found_in(
    findings: Sequence[Finding], table: Mapping[str, NDArray[Any]], rows: int
) -> NDArray[np.bool_]:
    """
    Tell of whom something is said, in columns.

    Parameters
    ----------
    findings : sequence of Finding
        What may be said.
    table : mapping of str to ndarray, shape (n,)
        Columns as `Variable.encode` gives them, NaN where unknown.
    rows : int
        Number of people, n.

    Returns
    -------
    ndarray of bool, shape (n, k)
        Whose, and which finding.
    """
    found = np.empty((len(findings), rows), dtype=bool)
    for row, finding in zip(found, findings, strict=True):
        row[:] = finding.holds(table)
    return found.T


def is_unknown(value: Any) -> Any:
    """
    Tell whether a value is unknown.

    Parameters
    ----------
    value : value or ndarray
        NaN where unknown.

    Returns
    -------
    bool or ndarray of bool
        Of each.
    """
    return value != value  # only NaN differs from itself


def is_known(value: Any) -> Any:
    """
    Tell whether a value is known.

    Parameters
    ----------
    value : value or ndarray
        NaN where unknown.

    Returns
    -------
    bool or ndarray of bool
        Of each.
    """
    return value == value


def is_yes(value: Any) -> Any:
    """
    Tell whether a yes/no is yes.

    Parameters
    ----------
    value : bool or ndarray
        NaN where unknown.

    Returns
    -------
    bool or ndarray of bool
        False where unknown.
    """
    return value == 1


def is_no(value: Any) -> Any:
    """
    Tell whether a yes/no is no.

    Parameters
    ----------
    value : bool or ndarray
        NaN where unknown.

    Returns
    -------
    bool or ndarray of bool
        False where unknown.
    """
    return value == 0
