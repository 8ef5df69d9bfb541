"""
Exact Shapley values of one leaf, as a table over what its path asks.

The output of a leaf is its value when the conditions of all the k distinct features on its path
hold, and 0 otherwise. Whether a feature's conditions hold is one bit, so a row x is a *pattern* of
k bits, and so is a background row z. A coalition takes its features from x and the others from z:
it reaches the leaf when it contains the a features that hold only in x and none of the b that hold
only in z, provided that no feature fails in both. The Shapley value of that game is

     (a-1)! b! / (a+b)!   for a feature that holds only in x,
    -a! (b-1)! / (a+b)!   for a feature that holds only in z,   0 for the others.

Averaging over the distribution of z gives both kinds of exact values, which differ in nothing else:

- interventional: the share of background rows with each pattern;
- path-dependent: features independent, each holding with the product of its splits' cover ratios.

This is known mathematics: Fast TreeSHAP v2 (Yang, 2021), PLTreeSHAP (Zern et al., 2023) and WOODELF
(Nadel and Wettenstein, 2025) tabulate leaves by the same patterns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from training.export.ensemble import LEAF, Tree


@dataclass(frozen=True)
class Leaf:
    """
    One leaf: when it is reached, and what each feature contributes for every pattern.

    `holds[j]` says for every interval of `features[j]` whether its conditions hold there: bit j of
    a pattern. `contributions [2^k, k]` and `expected`, the mean over z, are in log-odds.
    """

    features: tuple[int, ...]
    holds: tuple[NDArray[np.bool_], ...]
    contributions: NDArray[np.float64]
    expected: float


def leaves(
    tree: Tree,
    interval_values: Sequence[NDArray[np.float32]],
    background: NDArray[np.int64] | None,
) -> Iterator[Leaf]:
    """
    Tabulate every leaf of a tree, left to right.

    Parameters
    ----------
    tree : Tree
        The tree.
    interval_values : sequence of ndarray
        One value inside every interval of every feature; NaN stands for unknown.
    background : ndarray, shape (m, n_features), int, or None
        Intervals of the rows to average over, or None for path-dependent values.

    Yields
    ------
    Leaf
        A leaf whose table is about the intervals given.

    Raises
    ------
    ValueError
        If path-dependent values are asked for and no training weight reached some split.
    """
    for value, holds, shares in _walk(tree, interval_values, 0, {}, {}):
        if background is None:
            distribution = _independent(list(shares.values()))
        else:
            bits = [held[background[:, feature]] for feature, held in holds.items()]
            distribution = np.bincount(pattern(bits, len(background)), minlength=2 ** len(holds))
            distribution = distribution / len(background)
        contributions = value * np.tensordot(distribution, shapley_weights(len(holds)), 1)
        yield Leaf(
            tuple(holds), tuple(holds.values()), contributions, value * float(distribution[-1])
        )


def pattern(bits: Sequence[NDArray[np.bool_]], size: int) -> NDArray[np.int64]:
    """Pack boolean vectors of one size into numbers; the first is the lowest bit."""
    packed = np.zeros(size, np.int64)
    for j, bit in enumerate(bits):
        packed |= bit.astype(np.int64) << j
    return packed


@lru_cache
def shapley_weights(k: int) -> NDArray[np.float64]:
    """Return the Shapley values `[pattern of z, pattern of x, k]` of a leaf of value 1."""
    bits = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(np.bool_)
    x, z = bits[None, :, :], bits[:, None, :]
    only_x, only_z = x & ~z, z & ~x
    a, b = only_x.sum(2, keepdims=True), only_z.sum(2, keepdims=True)
    f = np.array([factorial(i) for i in range(k + 1)], np.float64)
    gain = f[np.maximum(a - 1, 0)] * f[b] / f[a + b]
    loss = f[a] * f[np.maximum(b - 1, 0)] / f[a + b]
    reachable = (x | z).all(2, keepdims=True)
    return np.asarray(reachable * (only_x * gain - only_z * loss))


def _walk(
    tree: Tree,
    interval_values: Sequence[NDArray[np.float32]],
    node: int,
    holds: Mapping[int, NDArray[np.bool_]],
    shares: Mapping[int, float],
) -> Iterator[tuple[float, Mapping[int, NDArray[np.bool_]], Mapping[int, float]]]:
    """Yield every leaf's value and, by feature, where its conditions hold and their cover ratio."""
    if tree.left[node] == LEAF:
        yield float(tree.value[node]), holds, shares
        return
    feature = int(tree.feature[node])
    values = interval_values[feature]
    left = np.where(np.isnan(values), tree.default_left[node], values < tree.threshold[node])
    children = (int(tree.left[node]), left), (int(tree.right[node]), ~left)
    cover = sum(float(tree.cover[child]) for child, _ in children)
    for child, side in children:
        share = float(tree.cover[child]) / cover if cover > 0 else np.nan
        yield from _walk(
            tree,
            interval_values,
            child,
            {**holds, feature: holds[feature] & side if feature in holds else side},
            {**shares, feature: shares.get(feature, 1.0) * share},
        )


def _independent(shares: Sequence[float]) -> NDArray[np.float64]:
    """Return the probability of every pattern when features hold independently."""
    if np.isnan(shares).any():
        raise ValueError("no training weight (cover) reached some split: give a background")
    distribution = np.ones(1)
    for share in shares:
        distribution = np.concatenate([distribution * (1.0 - share), distribution * share])
    return distribution
