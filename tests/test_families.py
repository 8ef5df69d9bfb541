"""Every family, one contract: each gives a graph that says what the family says."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.definition import Definition, definitions
from training.families import Fitted, Sample, families, load_native
from training.fit import Validation, champion, keeps_directions
from training.package import Product
from training.parity import parity, refuse_without_parity

MONOTONE = {"age": 1, "bmi": 1}


def people(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(
        {
            "age": rng.uniform(20, 80, n),
            "sex": rng.integers(0, 2, n),
            "smoking": rng.integers(0, 3, n),
            "bmi": rng.normal(26, 4, n),
            "hba1c": rng.normal(5.5, 0.4, n),
        }
    ).astype("float32")
    hidden = rng.random(x.shape) < 0.25
    hidden[:, :2] = False
    return x.mask(hidden)


def truth(x: pd.DataFrame) -> np.ndarray:
    """Log-odds with a bend, a step and an effect of being unknown."""
    known = x.fillna({"bmi": 26, "smoking": 0, "hba1c": 5.5})
    bend = 1.5 * np.maximum(known["hba1c"] - 5.7, 0)
    step = 0.5 * (known["smoking"] == 2)
    return (-2 + 0.05 * (x["age"] - 50) + 0.08 * (known["bmi"] - 26) + bend + step).to_numpy()


def sample(n: int = 6000) -> Sample:
    x = people(n)
    rng = np.random.default_rng(1)
    offset = rng.normal(0, 1.0, n)
    p = 1 / (1 + np.exp(-truth(x) - offset))
    return Sample(x, (rng.random(n) < p).astype(int), np.ones(n), offset)


@pytest.fixture(scope="module", params=list(families()))
def fitted(request: pytest.FixtureRequest) -> Fitted:
    return families()[request.param](sample(), MONOTONE)


def test_it_learns_and_does_not_learn_the_offset(fitted: Fitted) -> None:
    x = people(4000, seed=2)
    given, true = fitted.log_odds(x), truth(x)

    assert np.corrcoef(given, true)[0, 1] > 0.9
    assert given.mean() == pytest.approx(true.mean(), abs=0.15)


def test_its_graph_passes_parity_with_recalibration(fitted: Fitted) -> None:
    product = Product.of(fitted, 0.3, 0.9, people(150, seed=3))
    errors = parity(product, people(1500, seed=4), explained_rows=100)

    refuse_without_parity(errors)
    assert errors["rows"] == 1500
    assert errors["additivity"] <= 1e-6


def test_it_survives_saving(fitted: Fitted, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    x = people(500, seed=5)

    assert (tmp_path / fitted.file_name).is_file()
    assert load_native(tmp_path).log_odds(x) == pytest.approx(fitted.log_odds(x), abs=1e-9)


def test_no_native_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no native model"):
        load_native(tmp_path)


@pytest.mark.parametrize("family", ["trees", "spline", "blend"])
@pytest.mark.parametrize("direction", [1, -1])
def test_effects_keep_to_their_directions(family: str, direction: int) -> None:
    """Even where the data say otherwise, and beyond the range of the data."""
    monotone = {"age": direction, "bmi": direction, "smoking": direction}
    fitted = families()[family](sample(), monotone)
    x = people(200, seed=6)
    for name in monotone:
        grid = np.linspace(0, 2, 3) if name == "smoking" else np.linspace(5, 110, 60)
        curves = np.stack([fitted.log_odds(x.assign(**{name: np.float32(v)})) for v in grid])
        assert (direction * np.diff(curves, axis=0) >= -1e-6).all(), name
        assert keeps_directions(fitted, definition(monotone), x)
        if direction == 1:
            assert np.ptp(curves, axis=0).min() > 0.1  # and they are effects
    if direction == -1:
        free = families()[family](sample(), {})
        assert not keeps_directions(free, definition(monotone), x)


def definition(monotone: dict[str, int]) -> Definition:
    return dataclasses.replace(definitions()["cvd-death"], monotone=monotone)


def test_the_champion_is_calibrated_directed_and_discriminating() -> None:
    def found(auroc: float, slope: float = 1.0) -> Validation:
        figures = {"auroc": auroc, "calibration_slope": slope, "o_e": 1.0}
        return Validation({"all": figures, "some": figures}, {}, {}, 0.0, 1.0, 0.0, None)

    three = {"a": found(0.8), "b": found(0.9), "c": found(0.95, slope=0.8)}

    assert champion(three, {"a": True, "b": True, "c": True}) == "b"
    assert champion(three, {"a": True, "b": False, "c": True}) == "a"
    assert champion(three, {"a": False, "b": False, "c": True}) == "c"


@pytest.mark.parametrize("name", ["probability", "additivity", "shap"])
def test_a_graph_that_says_something_else_is_refused(name: str) -> None:
    errors = {"probability": 0.0, "additivity": 0.0, "shap": 0.0} | {name: 0.1}

    with pytest.raises(RuntimeError, match=f"{name} 0.1 >"):
        refuse_without_parity(errors)
    with pytest.raises(RuntimeError, match=name):
        refuse_without_parity(errors | {name: float("nan")})
