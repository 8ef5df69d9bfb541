"""Half-open bands: each value is in exactly one, found by bisection of the thresholds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def band(value: float, thresholds: Sequence[float]) -> int:
    """
    Which band a value lies in.

    Parameters
    ----------
    value : float
        A finite number.
    thresholds : sequence of float
        Ascending; each is the first value of the band above it.

    Returns
    -------
    int
        0 below the first threshold, ``len(thresholds)`` from the last on.

    Examples
    --------
    >>> [band(p, (0.05, 0.10, 0.20, 0.30)) for p in (0.049, 0.05, 0.3)]
    [0, 1, 4]
    """
    return bisect_right(thresholds, value)
