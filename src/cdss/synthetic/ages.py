"""How old people are, and how many are women: tickets, each as often as there are such people."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.synthetic.margins import AGES

Array = NDArray[Any]

TICKETS = 1 << 16
_OLD = 65


def people_of(said: Mapping[str, Any], standard: Mapping[int, float]) -> Array:
    """
    Make tickets of sex and age.

    Parameters
    ----------
    said : mapping
        Published bands of age with their shares, the oldest age, and the shares of women.
    standard : mapping of int to float
        First age of a group → share in a standard population: the shape within the bands.

    Returns
    -------
    ndarray of int, shape (65536,)
        ``sex * ages + age``, from the youngest.
    """
    single: dict[int, float] = {}
    ends = [*sorted(standard), said["oldest"] + 1]
    for low, high in pairwise(ends):
        single |= dict.fromkeys(range(low, high), standard[low] / (high - low))
    share = np.zeros(len(AGES))
    bands = [*said["bands"], [said["oldest"] + 1, 0]]
    for (low, wanted), (high, _) in pairwise(bands):
        whole = sum(single[age] for age in range(low, high))
        for age in range(max(low, AGES[0]), high):
            share[age - AGES[0]] = wanted * single[age] / whole
    share /= share.sum()
    old = AGES >= _OLD
    younger = (said["women"] - said["women_65"] * share[old].sum()) / share[~old].sum()
    women = np.where(old, said["women_65"], younger)
    both = np.concatenate([share * (1 - women), share * women])
    places = np.arange(TICKETS) + 0.5
    return np.searchsorted(np.cumsum(both) * TICKETS, places).astype(np.int32)
