"""The explained graph of trees against xgboost, shap, and the definition of Shapley values."""

from itertools import combinations
from math import factorial

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import shap
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from training.export import ExplainedGraph, tree_graph
from training.export.ensemble import read_ensemble


def run(graph: ExplainedGraph, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(graph.to_bytes(), providers=["CPUExecutionProvider"])
    return tuple(session.run(["probability", "contributions"], {"x": x}))


def rows(n: int, inputs: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, inputs)), 1).astype(np.float32)
    return np.where(rng.random(x.shape) < 0.2, np.float32(np.nan), x)


def boosted(trees: int = 40, inputs: int = 6, seed: int = 0, **changes: object) -> xgboost.Booster:
    """Boosted trees that never see the last input differ between rows."""
    x = rows(2000, inputs, seed)
    x[:, -1] = 1.0
    rng = np.random.default_rng(seed + 1)
    known = np.nan_to_num(x)
    log_odds = known[:, 0] + known[:, 1] * known[:, 2] + np.isnan(x[:, 3]) - 1.5
    y = rng.random(len(x)) < 1 / (1 + np.exp(-log_odds))
    options = {"objective": "binary:logistic", "max_depth": 4, "base_score": 0.2, "seed": seed}
    return xgboost.train(options | changes, xgboost.DMatrix(x, y), trees)


def finite(x: np.ndarray) -> np.ndarray:
    """Very large numbers for infinities: all that xgboost's own data and shap take."""
    return np.where(np.isinf(x), np.copysign(np.float32(1e30), x), x)


def awkward(booster: xgboost.Booster, inputs: int = 6) -> np.ndarray:
    """Unknown, infinite, exactly on a threshold, and just below one."""
    x = rows(400, inputs, seed=7)
    rng = np.random.default_rng(8)
    for feature, thresholds in enumerate(read_ensemble(booster).thresholds()):
        if len(thresholds):
            x[:100, feature] = rng.choice(thresholds, 100)
            below = np.nextafter(thresholds, np.float32(-np.inf))
            x[100:200, feature] = rng.choice(below, 100)
    x[200:240][rng.random((40, inputs)) < 0.5] = np.inf
    x[240:280][rng.random((40, inputs)) < 0.5] = -np.inf
    x[280] = np.nan
    return x


BOOSTERS = {
    "depth 1": {"max_depth": 1},
    "depth 3": {"max_depth": 3},
    "depth 6": {"max_depth": 6, "trees": 8},
    "monotone": {"monotone_constraints": "(1,0,-1,0,0,0)"},
    "lossguide": {"grow_policy": "lossguide", "max_leaves": 12, "max_depth": 0},
    "stumps of one leaf": {"min_child_weight": 1e6, "trees": 3},
}


@pytest.fixture(scope="module", params=BOOSTERS, ids=lambda name: name)
def booster(request: pytest.FixtureRequest) -> xgboost.Booster:
    return boosted(**BOOSTERS[request.param])


def test_path_dependent_values_are_pred_contribs(booster: xgboost.Booster) -> None:
    x = awkward(booster)
    graph = tree_graph(booster, 6, background=None)
    probability, contributions = run(graph, x)
    expected = booster.predict(xgboost.DMatrix(finite(x)), pred_contribs=True)

    assert np.abs(contributions - expected[:, :-1]).max() <= 1e-5
    assert np.abs(graph.baseline - expected[:, -1]).max() <= 1e-5
    assert np.abs(probability - booster.inplace_predict(x)).max() <= 1e-6


@pytest.mark.parametrize("size", [1, 300])
def test_interventional_values_are_shaps(booster: xgboost.Booster, size: int) -> None:
    behind, x = rows(size, seed=3), awkward(booster)
    masker = shap.maskers.Independent(behind, max_samples=size)
    explainer = shap.TreeExplainer(booster, masker, feature_perturbation="interventional")
    graph = tree_graph(booster, 6, background=behind)
    probability, contributions = run(graph, x)

    assert np.abs(contributions - explainer.shap_values(finite(x))).max() <= 1e-5
    margins = booster.inplace_predict(behind, predict_type="margin")
    assert graph.baseline == pytest.approx(margins.mean(), abs=1e-5)
    assert np.abs(probability - booster.inplace_predict(x)).max() <= 1e-6


@pytest.mark.parametrize("interventional", [True, False])
def test_contributions_add_up(booster: xgboost.Booster, interventional: bool) -> None:
    x = awkward(booster)
    graph = tree_graph(booster, 6, background=rows(50, seed=3) if interventional else None)
    probability, contributions = run(graph, x)
    total = graph.baseline + contributions.sum(axis=1, dtype=np.float64)

    assert np.abs(np.log(probability / (1 - probability)) - total).max() <= 1e-9


def test_recalibration_scales_everything() -> None:
    booster, behind = boosted(), rows(50, seed=3)
    x = awkward(booster)
    plain, moved = (
        tree_graph(booster, 6, background=behind, intercept=a, slope=b)
        for a, b in ((0.0, 1.0), (-0.4, 0.8))
    )
    (p, phi), (q, psi) = run(plain, x), run(moved, x)

    assert moved.baseline == pytest.approx(-0.4 + 0.8 * plain.baseline)
    assert np.abs(psi - 0.8 * phi).max() <= 1e-5
    expected = 1 / (1 + np.exp(0.4 - 0.8 * np.log(p / (1 - p))))
    assert np.abs(q - expected).max() <= 1e-6


def test_a_batch_is_its_rows() -> None:
    booster = boosted()
    x = awkward(booster)[:30]
    graph = tree_graph(booster, 6, background=rows(50, seed=3))
    probability, contributions = run(graph, x)

    for i in range(len(x)):
        p, phi = run(graph, x[i : i + 1])
        assert p == pytest.approx(probability[i : i + 1], abs=1e-12)
        assert phi == pytest.approx(contributions[i : i + 1], abs=1e-6)


def test_an_input_without_a_split_contributes_nothing() -> None:
    booster = boosted()
    _, contributions = run(tree_graph(booster, 6, background=rows(50, seed=3)), awkward(booster))

    assert (contributions[:, -1] == 0).all()
    assert (np.abs(contributions[:, 0]).max()) > 0.1


def shapley(value: object, inputs: int) -> np.ndarray:
    """Shapley values by their definition: over all coalitions."""
    phi = np.zeros(inputs)
    for i in range(inputs):
        others = [j for j in range(inputs) if j != i]
        for size in range(inputs):
            weight = factorial(size) * factorial(inputs - size - 1) / factorial(inputs)
            for coalition in combinations(others, size):
                phi[i] += weight * (value({*coalition, i}) - value(set(coalition)))
    return phi


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 12))
def test_values_are_shapleys_by_definition(seed: int, depth: int, trees: int) -> None:
    booster = boosted(trees, inputs=4, seed=seed, max_depth=depth)
    behind, x = rows(20, 4, seed + 2), rows(3, 4, seed + 3)
    _, contributions = run(tree_graph(booster, 4, background=behind), x)
    for row, given_values in zip(x, contributions, strict=True):

        def mean_log_odds(known: set[int], row: np.ndarray = row) -> float:
            mixed = behind.copy()
            mixed[:, list(known)] = row[list(known)]
            margins = booster.inplace_predict(mixed, predict_type="margin")
            return float(np.mean(margins, dtype=np.float64))

        assert given_values == pytest.approx(shapley(mean_log_odds, 4), abs=1e-5)


def test_the_graph_runs_wherever_onnx_runs() -> None:
    model = tree_graph(boosted(), 6, background=rows(50)).model

    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}
    assert [entry.domain for entry in model.opset_import] == [""]
    assert not {"TreeEnsemble", "TreeEnsembleClassifier"} & {n.op_type for n in model.graph.node}


def categorical() -> xgboost.Booster:
    codes = np.random.default_rng(0).integers(0, 5, (300, 1)).astype(np.float32)
    data = xgboost.DMatrix(codes, codes[:, 0] == 2, feature_types=["c"], enable_categorical=True)
    return xgboost.train({"objective": "binary:logistic", "max_cat_to_onehot": 1}, data, 3)


def stopped_early() -> xgboost.Booster:
    x = rows(300)
    y = np.random.default_rng(0).integers(0, 2, 300)
    data = xgboost.DMatrix(x, y)
    return xgboost.train(
        {"objective": "binary:logistic", "eta": 1.0}, data, 50,
        evals=[(xgboost.DMatrix(rows(100, seed=5), y[:100]), "out")],
        early_stopping_rounds=3, verbose_eval=False,
    )  # fmt: skip


REFUSALS = {
    "'reg:logistic' is not supported": lambda: boosted(objective="reg:logistic"),
    "'survival:cox' is not supported": lambda: boosted(objective="survival:cox", base_score=1.0),
    "'dart' is not supported": lambda: boosted(booster="dart"),
    "'gblinear' is not supported": lambda: boosted(booster="gblinear"),
    "categorical splits": categorical,
    "slice it first": stopped_early,
    "deepest supported is 8": lambda: boosted(2, max_depth=12, min_child_weight=0),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_what_would_be_wrong_is_refused(message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tree_graph(REFUSALS[message](), 1 if "categorical" in message else 6, background=None)


def test_a_sliced_booster_is_accepted() -> None:
    booster = stopped_early()
    best = booster[: booster.best_iteration + 1]
    x = rows(100, seed=6)
    probability, _ = run(tree_graph(best, 6, background=None), x)

    assert np.abs(probability - best.inplace_predict(x)).max() <= 1e-6


@pytest.mark.parametrize("shape", [(0, 6), (10, 5), (6,)])
def test_a_background_must_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="background has shape"):
        tree_graph(boosted(2), 6, background=np.zeros(shape, np.float32))


def test_the_number_of_inputs_must_fit() -> None:
    with pytest.raises(ValueError, match="6 inputs, not 7"):
        tree_graph(boosted(2), 7, background=None)
