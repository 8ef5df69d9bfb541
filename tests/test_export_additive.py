"""The explained graph of additive models against the models themselves."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import shap
import torch
from scipy.interpolate import BSpline, CubicSpline
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from training.export import ExplainedGraph, Shape, additive_graph, relu_network_to_shape

HINGE = Shape.piecewise_linear([40, 50, 60], [-1.0, 0.0, 0.5], missing=0.1)
CODES = Shape.steps([0.0, 0.4, 0.9], missing=-0.2)
AWKWARD = np.array([np.nan, np.inf, -np.inf, 0, 0.5, 1.5, 2, 39.9, 40, 50, 60, 1e6], np.float32)


def run(graph: ExplainedGraph, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(graph.to_bytes(), providers=["CPUExecutionProvider"])
    return tuple(session.run(["probability", "contributions"], {"x": x.astype(np.float32)}))


def expit(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


def both(values: np.ndarray = AWKWARD) -> np.ndarray:
    """Every pair of awkward values."""
    return np.array([(a, b) for a in values for b in values], np.float32)


def test_contributions_are_relative_to_the_mean_of_the_background() -> None:
    behind = np.array([[45, 0], [55, 2], [np.nan, 1]], np.float32)
    graph = additive_graph([HINGE, CODES], constant=-2.0, background=behind)
    x = both(AWKWARD[np.isfinite(AWKWARD) & (AWKWARD < 1e5) | np.isnan(AWKWARD)])
    probability, contributions = run(graph, x)
    parts = np.column_stack([HINGE(x[:, 0]), CODES(x[:, 1])])
    means = np.array([(-0.5 + 0.25 + 0.1) / 3, (0.0 + 0.9 + 0.4) / 3])

    assert contributions == pytest.approx(parts - means, abs=1e-6)
    assert graph.baseline == pytest.approx(-2.0 + means.sum())
    assert probability == pytest.approx(expit(-2.0 + parts.sum(axis=1)), abs=1e-7)


def test_contributions_add_up_and_recalibration_scales_them() -> None:
    behind, x = np.array([[45, 0], [55, 2]], np.float32), both(AWKWARD[[0, 3, 6, 7, 8, 9, 10]])
    plain = additive_graph([HINGE, CODES], constant=-2.0, background=behind)
    moved = additive_graph(
        [HINGE, CODES], constant=-2.0, background=behind, intercept=0.5, slope=0.7
    )
    _, phi = run(plain, x)
    probability, psi = run(moved, x)
    total = moved.baseline + psi.sum(axis=1, dtype=np.float64)

    assert psi == pytest.approx(0.7 * phi, abs=1e-6)
    assert moved.baseline == pytest.approx(0.5 + 0.7 * plain.baseline)
    assert np.log(probability / (1 - probability)) == pytest.approx(total, abs=1e-9)


def test_values_are_shaps_of_the_model_as_a_black_box() -> None:
    rng = np.random.default_rng(0)
    shapes = [
        HINGE,
        CODES,
        Shape.cubic(CubicSpline([0, 1, 3], [0, 2, 1]), 0.3, extrapolate="linear"),
    ]
    behind = np.column_stack(
        [rng.uniform(30, 70, 150), rng.integers(0, 3, 150), rng.normal(size=150)]
    )
    behind, x = behind[:120].astype(np.float32), behind[120:].astype(np.float32)
    behind[:20, 1], x[:10, 2] = np.nan, np.nan

    def log_odds(rows: np.ndarray) -> np.ndarray:
        return -2.0 + sum(shape(rows[:, i]) for i, shape in enumerate(shapes))

    masker = shap.maskers.Independent(behind, max_samples=len(behind))
    expected = shap.explainers.Exact(log_odds, masker)(x)
    graph = additive_graph(shapes, constant=-2.0, background=behind)
    _, contributions = run(graph, x)

    assert np.abs(contributions - expected.values).max() <= 1e-5
    assert graph.baseline == pytest.approx(log_odds(behind).mean())


def test_a_batch_is_its_rows_in_plain_operators() -> None:
    graph = additive_graph([HINGE, CODES], constant=-2.0, background=np.zeros((1, 2)))
    x = both()
    probability, contributions = run(graph, x)
    for i in range(0, len(x), 7):
        p, phi = run(graph, x[i : i + 1])
        assert p == pytest.approx(probability[i : i + 1], rel=1e-12)
        assert (phi == contributions[i]).all()

    onnx.checker.check_model(graph.model, full_check=True)
    assert {node.domain for node in graph.model.graph.node} == {""}


def test_steps_take_the_nearest_code() -> None:
    assert CODES([0, 1, 2, 0.4, 9, -5, np.nan]).tolist() == [0, 0.4, 0.9, 0, 0.9, 0, -0.2]


def test_a_value_on_a_break_belongs_to_the_next_piece() -> None:
    step = Shape.steps([0.0, 1.0], missing=0.0)
    just_below = np.nextafter(np.float32(0.5), np.float32(0))
    _, contributions = run(
        additive_graph([step], constant=0.0, background=np.zeros((1, 1))),
        np.array([[0.5], [just_below]], np.float32),
    )

    assert contributions[:, 0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("between", [0.7, 0.3])  # float32 rounds the one down, the other up
def test_a_break_between_two_float32_divides_them(between: float) -> None:
    coefficients = np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0]])
    step = Shape(np.array([between]), coefficients, np.zeros(2), 0.0)
    nearest = np.float32(between)
    x = np.array([np.nextafter(nearest, np.float32(side)) for side in (-9, nearest, 9)])[:, None]
    _, contributions = run(additive_graph([step], constant=0.0, background=np.zeros((1, 1))), x)

    assert contributions[:, 0].tolist() == (x[:, 0].astype(float) >= between).tolist()


@pytest.mark.parametrize("extrapolate", ["constant", "linear", "continue"])
def test_a_spline_is_scipys_inside_and_as_told_beyond(extrapolate: str) -> None:
    spline = CubicSpline([0, 1, 3, 4], [0.0, 2.0, 1.0, 1.5])
    shape = Shape.cubic(spline, 0.0, extrapolate=extrapolate)
    inside = np.linspace(0, 4, 101)
    beyond = np.array([-2.0, 7.0])
    ends, away = np.array([0.0, 4.0]), np.array([-2.0, 3.0])
    expected = {
        "constant": spline(ends),
        "linear": spline(ends) + spline(ends, 1) * away,
        "continue": spline(beyond),
    }[extrapolate]

    assert shape(inside) == pytest.approx(spline(inside), abs=1e-12)
    assert shape(beyond) == pytest.approx(expected, abs=1e-12)
    _, contributions = run(
        additive_graph([shape], constant=0.0, background=np.zeros((1, 1))),
        np.concatenate([inside, beyond])[:, None],
    )
    both_sides = np.concatenate([spline(inside), expected])
    assert contributions[:, 0] == pytest.approx(both_sides - spline(0), abs=1e-5)


def test_scikit_learns_spline_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(20, 80, (3000, 2))
    y = rng.random(3000) < expit(np.sin(x[:, 0] / 9) + 0.04 * (x[:, 1] - 50))
    model = make_pipeline(
        SplineTransformer(degree=3, n_knots=6, extrapolation="linear"), LogisticRegression()
    ).fit(x, y)
    transformer, regression = model[0], model[1]
    weights = regression.coef_[0].reshape(2, -1)
    shapes = [
        Shape.cubic(BSpline(b.t, b.c @ w, b.k), 0.0, extrapolate="linear")
        for b, w in zip(transformer.bsplines_, weights, strict=True)
    ]
    graph = additive_graph(shapes, constant=float(regression.intercept_[0]), background=x[:100])
    new = rng.uniform(0, 100, (2000, 2)).astype(np.float32)
    probability, _ = run(graph, new)

    assert np.abs(probability - model.predict_proba(new)[:, 1]).max() <= 1e-6


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("widths", [(8,), (16, 16), (6, 5, 4)])
def test_a_relu_network_is_converted_exactly(widths: tuple[int, ...], seed: int) -> None:
    torch.manual_seed(seed)
    layers, before = [], 1
    for width in widths:
        layers += [torch.nn.Linear(before, width), torch.nn.ReLU()]
        before = width
    network = torch.nn.Sequential(*layers, torch.nn.Linear(before, 1)).double()
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    shape = relu_network_to_shape(
        [layer.weight.detach().numpy() for layer in linear],
        [layer.bias.detach().numpy() for layer in linear],
        missing=0.3,
    )
    x = np.concatenate([np.linspace(-30, 30, 4001), shape.breaks])
    expected = network(torch.tensor(x)[:, None]).detach().numpy()[:, 0]

    assert shape(x) == pytest.approx(expected, abs=1e-10)
    assert shape([np.nan]).tolist() == [0.3]
    x = np.append(x, np.nan)
    graph = additive_graph([shape], constant=0.2, background=x[:1, None])
    _, contributions = run(graph, x[:, None])
    # The graph reads float32, which moves an input by up to 1e-6 here.
    parts = shape(x.astype(np.float32)) - shape(x[:1])
    assert contributions[:, 0] == pytest.approx(parts, abs=1e-5)


def test_infinity_is_a_very_large_number() -> None:
    flat = Shape.piecewise_linear([0, 1], [0.0, 1.0], missing=0.25, extrapolate="constant")
    rising = Shape.piecewise_linear([0, 1e36], [0.0, 1.0], missing=0.0)
    graph = additive_graph([flat, rising], constant=0.0, background=np.zeros((1, 2)))
    _, contributions = run(graph, np.array([[np.inf, np.inf], [-np.inf, -np.inf], [np.nan, 1e36]]))
    largest = float(np.finfo(np.float32).max) / 1e36

    assert contributions[:, 0].tolist() == [1.0, 0.0, 0.25]
    assert contributions[:, 1] == pytest.approx([largest, -largest, 1.0], rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shape.piecewise_linear([1], [1.0], 0.0), "two knots"),
        (lambda: Shape.piecewise_linear([2, 1], [1.0, 1.0], 0.0), "ascend"),
        (lambda: Shape.steps([0.0, np.nan], missing=0.0), "finite"),
        (lambda: Shape.cubic(BSpline.basis_element(range(6)), 0.0, extrapolate="linear"), "degree"),
        (lambda: additive_graph([], constant=0.0, background=np.zeros((1, 0))), "needs a shape"),
        (lambda: additive_graph([CODES], constant=0.0, background=np.zeros((0, 1))), "background"),
        (lambda: additive_graph([CODES], constant=0.0, background=np.zeros((3, 2))), "background"),
        (lambda: relu_network_to_shape([np.ones((2, 2))], [np.ones(2)]), "one input"),
    ],
)
def test_what_is_not_a_shape_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
