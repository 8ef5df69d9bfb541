"""Shares of people with their uncertainty, and which counts may be shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

FEWEST = 10
"""A count of fewer people is not shown, nor what would give it away."""

_Z = 1.96
_MARGIN = 0.05  # a rise by less than five in a hundred is not worth anybody's morning


class Share(NamedTuple):
    """
    So many of so many.

    Attributes
    ----------
    n, of : int
        How many of how many.
    """

    n: int
    of: int

    @property
    def share(self) -> float:
        """0-1; NaN of nobody."""
        return self.n / self.of if self.of else math.nan

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval (Wilson)."""
        return self._end(-1)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval (Wilson)."""
        return self._end(1)

    def _end(self, sign: int) -> float:
        # Wilson EB, J Am Stat Assoc 1927;22:209-212: of nobody, everything from 0 to 1.
        if not self.of:
            return 0.0 if sign < 0 else 1.0
        square = _Z * _Z / self.of
        middle = self.share + square / 2
        half = math.sqrt(square * (self.share * (1 - self.share) + square / 4))
        return min(max((middle + sign * half) / (1 + square), 0.0), 1.0)


def rose(before: Share, now: Share) -> bool:
    """
    Say whether a share rose, by an amount that matters and that chance does not explain.

    Parameters
    ----------
    before, now : Share
        The two.

    Returns
    -------
    bool
        False unless it is known of both, the intervals are apart, and five in a hundred lie
        between them.

    Examples
    --------
    >>> rose(Share(10, 100), Share(3, 10)), rose(Share(100, 1000), Share(300, 1000))
    (False, True)
    """
    if not before.of or not now.of:
        return False
    return now.low > before.high and now.share - before.share >= _MARGIN


def shown(counts: Sequence[int]) -> tuple[int | None, ...]:
    """
    Leave out what says too much of few people.

    Parameters
    ----------
    counts : sequence of int
        Of bins that add up to a total which is known.

    Returns
    -------
    tuple of int or None
        None for a count from 1 to 9, and for the next smallest until those left out are of at
        least two bins and ten people: else the total would give them away.

    Examples
    --------
    >>> shown([0, 3, 50, 20]), shown([0, 30, 50, 20])
    ((0, None, 50, None), (0, 30, 50, 20))
    """
    order = sorted((n, at) for at, n in enumerate(counts) if n)
    hidden: list[int] = []
    total = 0
    for n, at in order:
        if n >= FEWEST and (not hidden or (len(hidden) > 1 and total >= FEWEST)):
            break
        hidden.append(at)
        total += n
    return tuple(None if at in hidden else n for at, n in enumerate(counts))
