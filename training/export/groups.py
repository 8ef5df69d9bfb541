"""
Groups of leaves that are looked up together.

A leaf asks, of each feature on its path, whether the feature's interval is one where its conditions
hold. Leaves that ask about the same features, mostly neighbours in a tree, share the answers: all
that a group of leaves needs to know of a feature is which of a few *states* its interval is in. The
states of all the group's features together are one number, the *code*, and the sum of the leaves'
contributions is a table with a row for every code.

Mixed radix: with s_f states of feature f, the code is `sum_f state_f * stride_f`, where the strides
are the running products of the s_f. Each feature adds its own part, which depends on nothing but
its interval, so the parts are tabulated and at run time only added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from training.export.leaves import Leaf, pattern


@dataclass(frozen=True)
class Group:
    """
    Leaves, and by feature the state of every interval.

    States are numbered from 0; intervals in the same state are alike to all the leaves.
    """

    leaves: tuple[Leaf, ...]
    states: dict[int, NDArray[np.int64]]

    @property
    def n_codes(self) -> int:
        """Rows of the table."""
        return prod(self._n_states())

    def _n_states(self) -> list[int]:
        return [int(states.max()) + 1 for states in self.states.values()]

    def joined_by(self, leaf: Leaf) -> Group:
        """Return the group with one more leaf."""
        states = dict(self.states)
        for feature, holds in zip(leaf.features, leaf.holds, strict=True):
            before = states.get(feature, np.zeros(len(holds), np.int64))
            states[feature] = np.unique(2 * before + holds, return_inverse=True)[1]
        return Group((*self.leaves, leaf), states)

    def code_parts(self) -> dict[int, NDArray[np.int64]]:
        """By feature, what every interval adds to the code."""
        strides = np.cumprod([1, *self._n_states()])[:-1]
        return {f: s * int(d) for (f, s), d in zip(self.states.items(), strides, strict=True)}

    def table(self) -> NDArray[np.float64]:
        """Sum of the leaves' contributions `[n_codes, features]`, log-odds, features in order."""
        sizes = self._n_states()
        strides = np.cumprod([1, *sizes])[:-1]
        codes = np.arange(self.n_codes)
        column = {feature: j for j, feature in enumerate(self.states)}
        table = np.zeros((self.n_codes, len(column)))
        for leaf in self.leaves:
            columns = [column[feature] for feature in leaf.features]
            bits = []
            for j, feature, holds in zip(columns, leaf.features, leaf.holds, strict=True):
                in_state = np.zeros(sizes[j], np.bool_)
                in_state[self.states[feature]] = holds
                bits.append(in_state[codes // strides[j] % sizes[j]])
            table[:, columns] += leaf.contributions[pattern(bits, len(codes))]
        return table


def grouped(leaves: Iterable[Leaf], max_codes: int) -> Iterator[Group]:
    """Pack leaves in their order into groups of at most `max_codes` codes."""
    group = Group((), {})
    for leaf in leaves:
        if not leaf.features:
            continue  # a tree of a single leaf contributes to the baseline only
        joined = group.joined_by(leaf)
        if joined.n_codes > max_codes:
            yield group
            joined = Group((), {}).joined_by(leaf)
        group = joined
    if group.leaves:
        yield group
