"""
Read a gradient-boosted ensemble of XGBoost, and refuse what cannot be explained exactly.

A silent difference between the served model and the trained one is the worst outcome, so everything
this reader does not know is an error, never a guess.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xgboost

MAX_DEPTH = 8
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """
    One binary tree, as parallel arrays over its nodes; node 0 is the root.

    A row goes left where `x[feature] < threshold` (float32), or where `x[feature]` is NaN and
    `default_left` holds. `left == LEAF` marks a leaf, whose `value` is in log-odds. `cover` is the
    sum of hessians that reached the node in training.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float32]
    default_left: NDArray[np.bool_]
    cover: NDArray[np.float64]
    value: NDArray[np.float64]

    def depth(self, node: int = 0) -> int:
        """Return the number of splits on the longest path below the node; 0 for a leaf."""
        if self.left[node] == LEAF:
            return 0
        return 1 + max(self.depth(int(self.left[node])), self.depth(int(self.right[node])))


@dataclass(frozen=True)
class Ensemble:
    """A sum of trees plus a constant (`base`, log-odds), of `n_features` inputs."""

    trees: tuple[Tree, ...]
    base: float
    n_features: int

    def thresholds(self) -> list[NDArray[np.float32]]:
        """Return the distinct thresholds of every feature, ascending."""
        splits = [tree.left != LEAF for tree in self.trees]
        features = np.concatenate([t.feature[s] for t, s in zip(self.trees, splits, strict=True)])
        values = np.concatenate([t.threshold[s] for t, s in zip(self.trees, splits, strict=True)])
        return [np.unique(values[features == feature]) for feature in range(self.n_features)]


def read_ensemble(booster: xgboost.Booster | Mapping[str, Any]) -> Ensemble:
    """
    Read a booster, or the parsed JSON of `booster.save_raw("json")`.

    Parameters
    ----------
    booster : xgboost.Booster or mapping
        A `gbtree` booster with objective `binary:logistic` and numerical splits.

    Returns
    -------
    Ensemble
        Trees and base score in log-odds.

    Raises
    ------
    ValueError
        If the objective is not `binary:logistic`; if the booster is DART, linear or without trees;
        if a split is categorical; if a tree is deeper than 8; or if early stopping left trees after
        the best iteration (slice them off first: `booster[: booster.best_iteration + 1]`).
    """
    parsed = booster if isinstance(booster, Mapping) else json.loads(booster.save_raw("json"))
    learner = parsed["learner"]
    objective = learner["objective"]["name"]
    if objective != "binary:logistic":
        raise ValueError(f"objective {objective!r} is not supported, only 'binary:logistic'")
    kind = learner["gradient_booster"]["name"]
    if kind != "gbtree":
        raise ValueError(f"booster {kind!r} is not supported, only 'gbtree'")
    model = learner["gradient_booster"]["model"]
    if not model["trees"]:
        raise ValueError("the booster has no trees")
    _refuse_unsliced(learner, model)
    ensemble = Ensemble(
        tuple(_read_tree(tree) for tree in model["trees"]),
        _base_log_odds(learner["learner_model_param"]["base_score"]),
        int(learner["learner_model_param"]["num_feature"]),
    )
    depth = max(tree.depth() for tree in ensemble.trees)
    if depth > MAX_DEPTH:
        raise ValueError(f"a tree of depth {depth}: the deepest supported is {MAX_DEPTH}")
    return ensemble


def _refuse_unsliced(learner: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    best = learner.get("attributes", {}).get("best_iteration")
    rounds = len(model["iteration_indptr"]) - 1
    if best is not None and int(best) + 1 != rounds:
        raise ValueError(
            f"early stopping chose iteration {best} but the booster holds {rounds} rounds: "
            "slice it first, booster[: booster.best_iteration + 1]"
        )


def _base_log_odds(base_score: str) -> float:
    """Read the base score, a probability: XGBoost 3 writes "[2.5E-1]", before it "2.5E-1"."""
    scores = np.atleast_1d(json.loads(base_score))
    if len(scores) != 1:
        raise ValueError(f"a binary model has one base score, not {len(scores)}")
    probability = float(np.float32(scores[0]))
    return math.log(probability / (1.0 - probability))


def _read_tree(tree: Mapping[str, Any]) -> Tree:
    if any(tree.get("split_type", ())) or tree.get("categories"):
        raise ValueError("categorical splits are not supported: encode categories as numbers")
    left = np.array(tree["left_children"], np.int64)
    conditions = np.array(tree["split_conditions"], np.float32)
    if not np.isfinite(conditions).all():
        raise ValueError("a split threshold or leaf value is not finite")
    return Tree(
        left=left,
        right=np.array(tree["right_children"], np.int64),
        feature=np.array(tree["split_indices"], np.int64),
        threshold=conditions,
        default_left=np.array(tree["default_left"], np.bool_),
        cover=np.array(tree["sum_hessian"], np.float64),
        value=np.where(left == LEAF, conditions.astype(np.float64), 0.0),
    )
