"""The blend: an average of spline and trees in one graph, exact to the last row."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from test_families import MONOTONE, people, sample

from training.export import ExplainedGraph, Shape, additive_graph, blend_graph, tree_graph
from training.export.ensemble import read_ensemble
from training.families import Sample, blend, families, load_native, remembered
from training.families.blend import Blend
from training.families.trees import Trees
from training.package import Product
from training.parity import shap_contributions


@pytest.fixture(scope="module")
def fitted() -> Blend:
    found = families()["blend"](sample(), MONOTONE)
    assert isinstance(found, Blend)
    return found


@pytest.fixture(scope="module")
def product(fitted: Blend) -> Product:
    return Product.of(fitted, 0.3, 0.9, people(150, seed=3))


def run(graph: ExplainedGraph, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(graph.to_bytes(), providers=["CPUExecutionProvider"])
    return tuple(session.run(["probability", "contributions"], {"x": x.astype(np.float32)}))


def awkward(fitted: Blend) -> pd.DataFrame:
    """Unknown, infinite, exactly on a threshold of the trees or a knot, and just below one."""
    x = people(400, seed=7)
    rng = np.random.default_rng(8)
    trees = fitted.parts["trees"]
    assert isinstance(trees, Trees)
    for name, breaks in zip(x, read_ensemble(trees.booster).thresholds(), strict=True):
        if name in ("sex", "smoking"):  # codes: between two of them nothing is defined
            continue
        x.loc[:99, name] = rng.choice(breaks, 100)
        x.loc[100:199, name] = rng.choice(np.nextafter(breaks, np.float32(-np.inf)), 100)
    for term in fitted.parts["spline"].terms:
        if "knots" in term:
            x.loc[200:239, term["name"]] = rng.choice(np.float32(term["knots"]), 40)
    x = x.astype("float32")
    x.iloc[240] = np.nan
    return x


def test_it_is_the_average_of_its_parts(fitted: Blend) -> None:
    x = people(500, seed=5)
    alone = [families()[name](sample(), MONOTONE).log_odds(x) for name in ("spline", "trees")]

    assert fitted.log_odds(x) == pytest.approx(np.mean(alone, axis=0), abs=1e-9)
    assert fitted.parameters["share_of_trees"] == 0.5
    assert {"spline_C", "trees_max_depth"} <= fitted.parameters.keys()


def test_the_graph_is_the_native_model_on_awkward_rows(fitted: Blend, product: Product) -> None:
    x = awkward(fitted)
    probability, contributions = product.run(x)
    native = 1 / (1 + np.exp(-product.native_log_odds(x)))
    total = product.graph.baseline + contributions.sum(axis=1, dtype=np.float64)

    assert np.abs(probability - native).max() <= 1e-6
    assert np.abs(np.log(probability / (1 - probability)) - total).max() <= 1e-9


def test_contributions_are_shaps(fitted: Blend, product: Product) -> None:
    x = awkward(fitted).iloc[::20]
    _, contributions = product.run(x)

    assert np.abs(contributions - shap_contributions(product, x)).max() <= 1e-5


def test_infinities_are_what_they_are_to_each_part(fitted: Blend, product: Product) -> None:
    x = people(100, seed=9).to_numpy()
    rng = np.random.default_rng(10)
    x[rng.random(x.shape) < 0.3] = np.inf
    x[rng.random(x.shape) < 0.2] = -np.inf
    behind = product.background.to_numpy(np.float32)
    parts = [run(p.graph(behind, 0.0, 0.45), x)[1] for p in fitted.parts.values()]
    probability, contributions = run(product.graph, x)

    assert np.isfinite(contributions).all()
    assert contributions == pytest.approx(np.sum(parts, axis=0), rel=1e-5)
    assert np.isfinite(probability).all()


def test_it_is_one_plain_graph(product: Product) -> None:
    model = onnx.load_from_string(product.graph.to_bytes())
    names = [tensor.name for tensor in model.graph.initializer]
    made = [name for node in model.graph.node for name in node.output]

    assert [tensor.name for tensor in model.graph.input] == ["x"]
    assert [tensor.name for tensor in model.graph.output] == ["probability", "contributions"]
    assert {node.domain for node in model.graph.node} == {""}
    assert len(set(names + made)) == len(names + made)
    assert [node.op_type for node in model.graph.node].count("Sigmoid") == 1
    used = {name for node in model.graph.node for name in node.input}
    assert set(names) <= used


def test_the_sum_of_a_graph_alone_is_itself() -> None:
    shape = Shape.piecewise_linear([0, 1], [0, 1], missing=0.2, extrapolate="linear")
    part = additive_graph([shape, shape], constant=-1.0, background=np.zeros((3, 2)))
    x = np.array([[0.3, np.nan], [2.0, -1.0]])

    for mine, its in zip(run(blend_graph([part]), x), run(part, x), strict=True):
        assert mine == pytest.approx(its, abs=1e-7)


def test_parts_that_do_not_fit_are_refused() -> None:
    shape = Shape.steps([0.0, 1.0], missing=0.0)
    one, two = (
        additive_graph([shape] * k, constant=0.0, background=np.zeros((1, k))) for k in (1, 2)
    )
    with pytest.raises(ValueError, match=r"one number of inputs are needed, not of \[1, 2\]"):
        blend_graph([one, two])
    with pytest.raises(ValueError, match="one number of inputs"):
        blend_graph([])


def test_a_weight_is_a_slope(fitted: Blend) -> None:
    trees = fitted.parts["trees"]
    assert isinstance(trees, Trees)
    behind, x = people(20, seed=3).to_numpy(), people(50, seed=4).to_numpy()
    half = tree_graph(trees.booster, 5, background=behind, slope=0.5)
    whole = tree_graph(trees.booster, 5, background=behind)
    twice = blend_graph([half, half])

    assert twice.baseline == pytest.approx(whole.baseline, abs=1e-9)
    assert run(twice, x)[1] == pytest.approx(run(whole, x)[1], abs=1e-6)


def test_it_is_read_back_before_its_parts(fitted: Blend, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    x = people(500, seed=5)
    again = load_native(tmp_path)

    assert {file.name for file in tmp_path.iterdir()} == {"blend.json", "spline.json", "trees.ubj"}
    assert isinstance(again, Blend)
    assert again.shares == fitted.shares
    assert again.log_odds(x) == pytest.approx(fitted.log_odds(x), abs=1e-9)


def test_parts_are_fitted_once_for_a_sample() -> None:
    calls = []

    def fit(data: Sample, monotone: Mapping[str, int]) -> object:
        calls.append(len(data.x))
        return object()

    once, some, other = remembered(fit), sample(50), sample(60)
    first = once(some, MONOTONE)

    assert once(sample(50), dict(MONOTONE)) is first
    assert once(some, {}) is not first
    assert once(other, MONOTONE) is not first
    assert calls == [50, 50, 60]


def test_shares_can_be_others() -> None:
    found = blend.fit(sample(2000), MONOTONE, shares={"spline": 0.25, "trees": 0.75})
    x = people(50)
    expected = 0.25 * found.parts["spline"].log_odds(x) + 0.75 * found.parts["trees"].log_odds(x)

    assert found.log_odds(x) == pytest.approx(expected, abs=1e-12)
