"""
Facts that are looked at only when they matter.

``a & b`` says no if `a` does, whatever `b` says: then `b` is not asked for. Decisions are the same
(`cdss.facts.Truth` makes them); there are fewer kinds of people to tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdss.facts import Amount, Facts, Need, Truth
from cdss.variables import Value


class Later(Truth):
    """
    A statement that is made when somebody looks at it.

    Parameters
    ----------
    make : callable
        Makes it.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Truth]) -> None:
        self._make = make
        self._made: Truth | None = None

    def now(self) -> Truth:
        """
        Make it.

        Returns
        -------
        Truth
            One that is not lazy.
        """
        if self._made is None:
            made = self._make()
            self._made = made.now() if isinstance(made, Later) else made
        return self._made

    @property
    def value(self) -> bool | None:  # type: ignore[override]
        """As of any statement."""  # numpydoc ignore=RT01
        return self.now().value

    @property
    def needs(self) -> frozenset[Need]:  # type: ignore[override]
        """As of any statement."""  # numpydoc ignore=RT01
        return self.now().needs

    def __and__(self, other: Truth) -> Truth:
        return Later(lambda: _both(self, other))

    def __rand__(self, other: Truth) -> Truth:
        return Later(lambda: _both(other, self))

    def __or__(self, other: Truth) -> Truth:
        return Later(lambda: _either(self, other))

    def __ror__(self, other: Truth) -> Truth:
        return Later(lambda: _either(other, self))

    def __invert__(self) -> Truth:
        return Later(lambda: ~self.now())


def _now(truth: Truth) -> Truth:
    return truth.now() if isinstance(truth, Later) else truth


def _both(one: Truth, other: Truth) -> Truth:
    first = _now(one)
    return first if first.value is False else first & _now(other)


def _either(one: Truth, other: Truth) -> Truth:
    first = _now(one)
    return first if first.value is True else first | _now(other)


class _Amount(Amount):
    """An amount that is looked up when somebody looks at it."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[], Amount]) -> None:
        self._find = find

    @property
    def low(self) -> float:  # type: ignore[override]
        return self._find().low

    @property
    def high(self) -> float:  # type: ignore[override]
        return self._find().high

    @property
    def needs(self) -> frozenset[Need]:  # type: ignore[override]
        return self._find().needs

    def __ge__(self, least: float) -> Truth:
        return Later(lambda: self._find() >= least)

    def __gt__(self, least: float) -> Truth:
        return Later(lambda: self._find() > least)


class LazyFacts(Facts):
    """What is known of a patient, as rules ask for it, and looked at as late as can be."""

    def __getitem__(self, name: str) -> Amount:
        """A quantity, or something computed."""
        find = super().__getitem__
        return _Amount(lambda: find(name))

    def yes(self, name: str) -> Truth:
        """As `Facts.yes`."""  # numpydoc ignore=PR01,RT01
        said = super().yes
        return Later(lambda: said(name))

    def unless(self, name: str) -> Truth:
        """As `Facts.unless`."""  # numpydoc ignore=PR01,RT01
        said = super().unless
        return Later(lambda: said(name))

    def among(self, name: str, *choices: Value) -> Truth:
        """As `Facts.among`."""  # numpydoc ignore=PR01,RT01
        said = super().among
        return Later(lambda: said(name, *choices))

    def unless_known(self, *names: str) -> Truth:
        """As `Facts.unless_known`."""  # numpydoc ignore=PR01,RT01
        said = super().unless_known
        return Later(lambda: said(*names))

    def twice(self, name: str, meets: Callable[[float], bool]) -> Truth:
        """As `Facts.twice`."""  # numpydoc ignore=PR01,RT01
        said = super().twice
        return Later(lambda: said(name, meets))

    def two_results(self, thresholds: Mapping[str, Any]) -> Truth:
        """As `Facts.two_results`."""  # numpydoc ignore=PR01,RT01
        said = super().two_results
        return Later(lambda: said(thresholds))
