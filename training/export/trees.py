"""
Explained graph of gradient-boosted trees: exact Shapley values at the price of a prediction.

What a leaf contributes depends only on the intervals between the ensemble's thresholds that the
inputs lie in. So all the work is done here, once, and put in tables; at run time the graph

1. counts the thresholds each input has passed: its interval (`GreaterOrEqual`, `ReduceSum`);
2. looks up what each interval adds to the codes of all groups of leaves and adds these parts up
   (`Gather`, `ReduceSum`), three codes of eight bits in one float32;
3. takes the codes apart (`BitShift`, `BitwiseAnd`), looks up the groups' contributions (`Gather`);
4. adds these up by feature (`MatMul` with a matrix of zeros and ones).

`training.export.leaves` has the mathematics and `training.export.groups` the codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from training.export.ensemble import read_ensemble
from training.export.graph import ExplainedGraph, GraphBuilder
from training.export.groups import Group, grouped
from training.export.leaves import Leaf, leaves

if TYPE_CHECKING:
    import xgboost

# Integers are exact in float32 up to 2**24: three codes of eight bits.
CODE_BITS = 8
CODES_PER_WORD = 3


def tree_graph(
    booster: xgboost.Booster | Mapping[str, Any],
    n_features: int,
    *,
    background: NDArray[np.float32] | None,
    intercept: float = 0.0,
    slope: float = 1.0,
) -> ExplainedGraph:
    """
    Convert a binary XGBoost model into an explained graph.

    Parameters
    ----------
    booster : xgboost.Booster or mapping
        A `gbtree` booster with objective `binary:logistic`, or its parsed `save_raw("json")`.
        Trees after the best iteration of early stopping must be sliced off first:
        `booster[: booster.best_iteration + 1]`.
    n_features : int
        Number of inputs, in the booster's order.
    background : ndarray, shape (m, n_features), float32, or None
        Rows the contributions are relative to (interventional values, equal to those of
        `shap.TreeExplainer` with a masker that keeps all rows); NaN = unknown. None: path-dependent
        values, equal to `predict(pred_contribs=True)`.
    intercept, slope : float
        Recalibration: log-odds become `intercept + slope * log-odds`, and the contributions and
        the baseline with them.

    Returns
    -------
    ExplainedGraph
        Its baseline is the mean log-odds over the background, or over the training rows by cover.
        NaN takes the default direction of each split; an infinity is beyond every threshold.

    Raises
    ------
    ValueError
        If the model is not one this conversion is exact for (`read_ensemble` lists the reasons),
        if it has another number of inputs, or if the background is empty or has another width.

    Notes
    -----
    The size grows about fourfold with every level: a few MB for 300 trees of depth 4.
    """
    ensemble = read_ensemble(booster)
    if ensemble.n_features != n_features:
        raise ValueError(f"the booster has {ensemble.n_features} inputs, not {n_features}")
    if background is not None and (
        background.ndim != 2 or background.shape[1] != n_features or len(background) == 0
    ):
        raise ValueError(f"background has shape {background.shape}, not (m > 0, {n_features})")
    thresholds = ensemble.thresholds()
    values = [np.array([np.nan, -np.inf, *t], np.float32) for t in thresholds]
    rows = None if background is None else _intervals(background, thresholds)
    all_leaves = [leaf for tree in ensemble.trees for leaf in leaves(tree, values, rows)]
    expected = sum(leaf.expected for leaf in all_leaves)
    baseline = intercept + slope * (ensemble.base + expected)
    return _graph(thresholds, all_leaves, slope).finish(baseline)


def _intervals(
    x: NDArray[np.float32], thresholds: Sequence[NDArray[np.float32]]
) -> NDArray[np.int64]:
    """Number the intervals of rows as `GraphBuilder.interval_rows` does."""
    columns = np.asarray(x, np.float32).T
    passed = [np.searchsorted(t, c, side="right") for t, c in zip(thresholds, columns, strict=True)]
    return np.where(np.isnan(columns), 0, 1 + np.array(passed)).T


def _graph(
    thresholds: Sequence[NDArray[np.float32]], all_leaves: Sequence[Leaf], slope: float
) -> GraphBuilder:
    groups = list(grouped(all_leaves, 2**CODE_BITS))
    while not groups or len(groups) % CODES_PER_WORD:  # without any split there are none
        groups.append(Group((), {}))
    width = max(1, *(len(group.states) for group in groups))
    g = GraphBuilder(len(thresholds))
    g.interval_rows(thresholds)
    g.node(
        "Gather",
        g.constant("code_parts", _code_words(thresholds, groups)),
        "interval_rows",
        out="parts",
        axis=0,
    )
    g.node("ReduceSum", "parts", g.constant("part_axis", [1], np.int64), out="sums", keepdims=1)
    g.node("Cast", "sums", out="words", to=TensorProto.UINT32)
    shifts = CODE_BITS * np.arange(CODES_PER_WORD)[:, None]
    g.node(
        "BitShift",
        "words",
        g.constant("shifts", shifts, np.uint32),
        out="shifted",
        direction="RIGHT",
    )
    g.node("BitwiseAnd", "shifted", g.constant("mask", 2**CODE_BITS - 1, np.uint32), out="masked")
    g.node("Cast", "masked", out="codes", to=TensorProto.INT32)
    starts = np.cumsum([0, *(group.n_codes for group in groups[:-1])])
    starts = g.constant("starts", starts.reshape(CODES_PER_WORD, -1), np.int32)
    g.node("Add", "codes", starts, out="table_rows")
    tables = [np.pad(t, ((0, 0), (0, width - t.shape[1]))) for t in (g.table() for g in groups)]
    tables = g.constant("tables", slope * np.concatenate(tables))
    g.node("Gather", tables, "table_rows", out="looked_up", axis=0)
    flat = g.constant("flat", [0, len(groups) * width], np.int64)
    g.node("Reshape", "looked_up", flat, out="group_contributions")
    by_feature = np.zeros((len(groups), width, len(thresholds)))
    for i, group in enumerate(groups):
        by_feature[i, range(len(group.states)), list(group.states)] = 1.0
    by_feature = g.constant("by_feature", by_feature.reshape(-1, len(thresholds)))
    g.node("MatMul", "group_contributions", by_feature, out="contributions")
    return g


def _code_words(
    thresholds: Sequence[NDArray[np.float32]], groups: Sequence[Group]
) -> NDArray[np.int64]:
    """What each interval of each feature adds to the codes `[intervals, words]`."""
    starts = np.cumsum([0, *(len(values) + 2 for values in thresholds)])
    words = np.zeros((starts[-1], len(groups) // CODES_PER_WORD), np.int64)
    for i, group in enumerate(groups):
        place, word = divmod(i, words.shape[1])
        for feature, parts in group.code_parts().items():
            words[starts[feature] : starts[feature + 1], word] += parts << CODE_BITS * place
    return words
