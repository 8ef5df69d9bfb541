"""
What rules may ask about a patient, in three-valued logic.

A statement is true, false, or unknown; one that is unknown says what would have to be known. A rule
never sees a default: ``unknown and false`` is false, ``unknown or true`` is true, all else stays
unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple, cast

from cdss.record import PatientRecord
from cdss.variables import VARIABLES, Value

DIABETES_TESTS = ("fasting_glucose", "hba1c", "ogtt_glucose")
"""Tests that screen for diabetes."""


class Need(NamedTuple):
    """
    Something that would have to be known.

    Attributes
    ----------
    variable : str
        What to ask or measure.
    again : bool
        It is known, and has to be measured again, on another day or by another test.
    """

    variable: str
    again: bool = False


class Truth:
    """
    True, false, or unknown for want of something.

    Parameters
    ----------
    value : bool or None
        None means unknown.
    needs : frozenset of Need
        What would have to be known.

    Examples
    --------
    >>> unknown = Truth(None, frozenset({Need("diabetes")}))
    >>> (unknown & NO).value, (unknown | YES).value, (unknown & YES).value
    (False, True, None)
    """

    __slots__ = ("needs", "value")

    def __init__(self, value: bool | None, needs: frozenset[Need] = frozenset()) -> None:
        self.value = value
        self.needs = needs

    def __and__(self, other: Truth) -> Truth:
        if self.value is False or other.value is True:
            return self
        if other.value is False or self.value is True:
            return other
        return Truth(None, self.needs | other.needs)

    def __or__(self, other: Truth) -> Truth:
        if self.value is True or other.value is False:
            return self
        if other.value is True or self.value is False:
            return other
        return Truth(None, self.needs | other.needs)

    def __invert__(self) -> Truth:
        return self if self.value is None else NO if self.value else YES

    def __repr__(self) -> str:
        return f"Truth({self.value}, needs={sorted(self.needs)})"

    def __bool__(self) -> bool:
        raise TypeError("a Truth may be unknown: combine it with & | ~, not with and, or, not")


YES = Truth(True)
NO = Truth(False)


class Amount:
    """
    A quantity that is known, known within a range, or unknown.

    Parameters
    ----------
    low, high : float
        What it can be; equal if it is known.
    needs : frozenset of Need
        What would have to be known to say more.
    """

    __slots__ = ("high", "low", "needs")

    def __init__(self, low: float, high: float, needs: frozenset[Need] = frozenset()) -> None:
        self.low, self.high, self.needs = low, high, needs

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def __ge__(self, least: float) -> Truth:
        if self.low >= least:
            return YES
        return NO if self.high < least else Truth(None, self.needs)

    def __gt__(self, least: float) -> Truth:
        if self.low > least:
            return YES
        return NO if self.high <= least else Truth(None, self.needs)

    def __lt__(self, most: float) -> Truth:
        return ~(self >= most)

    def __le__(self, most: float) -> Truth:
        return ~(self > most)

    @classmethod
    def nothing(cls) -> Amount:
        """What does not apply: every statement about it is unknown, and nothing would help."""
        return cls(math.nan, math.nan)

    def within(self, low: float, high: float) -> Truth:
        """
        Tell whether it lies in a half-open range.

        Parameters
        ----------
        low, high : float
            `low` belongs to the range, `high` does not.

        Returns
        -------
        Truth
            Unknown if what it can be lies on both sides.
        """
        return (self >= low) & (self < high)


class Result(NamedTuple):
    """One measurement of one variable."""

    day: date
    value: float


class Facts:
    """
    What is known of a patient, as rules ask for it.

    Parameters
    ----------
    record : PatientRecord
        One patient on one day, with earlier visits.
    amounts : mapping of str to Amount, optional
        What was computed: risks by name.
    """

    def __init__(self, record: PatientRecord, amounts: Mapping[str, Amount] | None = None) -> None:
        self.record = record
        self._values = record.values
        self._amounts = dict(amounts or {})
        self._results: dict[str, tuple[Result, ...]] = {}

    def __getitem__(self, name: str) -> Amount:
        """A quantity, or something computed."""
        amount = self._amounts.get(name)
        if amount is None:
            value = self._values.get(name)
            if value is None:
                amount = Amount(-math.inf, math.inf, frozenset({Need(name)}))
            else:
                amount = Amount(cast(float, value), cast(float, value))
            self._amounts[name] = amount
        return amount

    def yes(self, name: str) -> Truth:
        """
        Tell whether a yes/no is yes.

        Parameters
        ----------
        name : str
            A yes/no variable.

        Returns
        -------
        Truth
            Unknown if nobody said.
        """
        value = self._values.get(name)
        if value is None:
            return Truth(None, frozenset({Need(name)}))
        return YES if value is True else NO

    def unless(self, name: str) -> Truth:
        """
        Tell whether a yes/no is not known to be yes: for a rule nobody's silence should stop.

        Parameters
        ----------
        name : str
            A yes/no variable.

        Returns
        -------
        Truth
            False only if it is known to be yes; never unknown.
        """
        return NO if self._values.get(name) is True else YES

    def among(self, name: str, *choices: Value) -> Truth:
        """
        Tell whether a choice is one of some.

        Parameters
        ----------
        name : str
            A choice variable.
        *choices : str
            Some of its values.

        Returns
        -------
        Truth
            Unknown if nobody said.
        """
        value = self._values.get(name)
        if value is None:
            return Truth(None, frozenset({Need(name)}))
        return YES if value in choices else NO

    def knows(self, *names: str) -> bool:
        """
        Tell whether all of some variables are known.

        Parameters
        ----------
        *names : str
            Variables.

        Returns
        -------
        bool
            True if every one is.
        """
        return all(name in self._values for name in names)

    def unless_known(self, *names: str) -> Truth:
        """
        Tell whether none of some variables is known: a test that was done is not asked for again.

        Parameters
        ----------
        *names : str
            Variables.

        Returns
        -------
        Truth
            Never unknown.
        """
        return NO if any(name in self._values for name in names) else YES

    def results(self, name: str) -> tuple[Result, ...]:
        """
        Measurements of a quantity, oldest first, one a day, none too old to use.

        Parameters
        ----------
        name : str
            A quantity.

        Returns
        -------
        tuple of Result
            Those of earlier visits and the one of the index date.
        """
        if name not in self._results:
            record, fresh = self.record, VARIABLES[name].fresh_for
            found = {
                visit.day: float(visit.values[name])
                for visit in record.history
                if name in visit.values
                and (fresh is None or (record.index_date - visit.day).days <= fresh)
            }
            if name in record.values:
                day = record.measured.get(name, record.index_date)
                found[day] = cast(float, record.values[name])
            self._results[name] = tuple(Result(day, found[day]) for day in sorted(found))
        return self._results[name]

    def twice(self, name: str, meets: Callable[[float], bool]) -> Truth:
        """
        Tell whether two visits in a row meet a condition.

        Parameters
        ----------
        name : str
            A quantity.
        meets : callable
            The condition on one value.

        Returns
        -------
        Truth
            Unknown if only the last visit meets it: it must be measured again on another day.
        """
        results = self.results(name)
        if not results:
            return Truth(None, frozenset({Need(name)}))
        met = [meets(result.value) for result in results]
        if any(a and b for a, b in pairwise(met)):
            return YES
        return Truth(None, frozenset({Need(name, again=True)})) if met[-1] else NO

    def visits_at_least(self, systolic: float, diastolic: float) -> Truth:
        """
        Tell whether blood pressure was at or above a threshold on two visits in a row.

        Parameters
        ----------
        systolic, diastolic : float
            mmHg; the same component must be raised on both days.

        Returns
        -------
        Truth
            Unknown after one raised visit.
        """
        return self.twice("systolic_bp", lambda v: v >= systolic) | self.twice(
            "diastolic_bp", lambda v: v >= diastolic
        )

    def bp_at_least(self, systolic: float, diastolic: float) -> Truth:
        """
        Tell whether the latest blood pressure is at or above a threshold in either component.

        Parameters
        ----------
        systolic, diastolic : float
            In mmHg.

        Returns
        -------
        Truth
            Unknown if it was not measured.
        """
        return (self["systolic_bp"] >= systolic) | (self["diastolic_bp"] >= diastolic)

    def bp_above(self, systolic: float, diastolic: float) -> Truth:
        """
        Tell whether the latest blood pressure is above a threshold in either component.

        Parameters
        ----------
        systolic, diastolic : float
            In mmHg.

        Returns
        -------
        Truth
            Unknown if it was not measured.
        """
        return (self["systolic_bp"] > systolic) | (self["diastolic_bp"] > diastolic)

    def two_results(self, thresholds: Mapping[str, float]) -> Truth:
        """
        Tell whether two results, of one test or of two, are at or above their thresholds.

        Parameters
        ----------
        thresholds : mapping of str to float
            Quantity → threshold, canonical unit.

        Returns
        -------
        Truth
            Unknown after one such result, and if nothing was measured.
        """
        measured = [(n, r.value >= t) for n, t in thresholds.items() for r in self.results(n)]
        raised = [name for name, high in measured if high]
        if len(raised) >= 2:
            return YES
        if raised:
            return Truth(None, frozenset({Need(raised[0], again=True)}))
        if measured:
            return NO
        return Truth(None, frozenset({Need(next(iter(thresholds)))}))


def any_of(truths: Sequence[Truth]) -> Truth:
    """
    Tell whether one of several statements is true.

    Parameters
    ----------
    truths : sequence of Truth
        Any number.

    Returns
    -------
    Truth
        False if there are none.
    """
    found = NO
    for truth in truths:
        found = found | truth
    return found


def any_known(truths: Sequence[Truth]) -> Truth:
    """
    Tell whether one of several alternative measurements says so; those not done do not matter.

    Parameters
    ----------
    truths : sequence of Truth
        One for each measurement.

    Returns
    -------
    Truth
        Unknown only if none of them was done.
    """
    done = [truth for truth in truths if truth.value is not None]
    return any_of(done or truths)
