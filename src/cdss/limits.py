"""The range in which a model may be used."""

from __future__ import annotations

import math
from typing import NamedTuple

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
