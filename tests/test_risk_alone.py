"""The probability of an equation without its contributions is the same number."""

from __future__ import annotations

import numpy as np
import pytest

import cdss
from cdss import RiskModel
from cdss.variables import VARIABLES

EQUATIONS = [m for m in cdss.published_models() if isinstance(m, RiskModel) and m.alone]


def patients(model: RiskModel, count: int) -> np.ndarray:
    """Made-up values within the limits."""
    random = np.random.default_rng(7)
    columns = []
    for name in model.predictors:
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            low, high, *_ = model.limits.get(name, (variable.low, variable.high))
            low, high = max(low, variable.low), min(high, variable.high)
            columns.append(random.uniform(low, high, count))
        else:
            columns.append(random.integers(0, len(variable.options), count).astype(float))
    return np.column_stack(columns)


@pytest.mark.parametrize("model", EQUATIONS, ids=lambda model: model.id)
def test_alone_is_to_the_last_bit_what_stands_beside_contributions(model: RiskModel) -> None:
    x = patients(model, 200)

    assert model.alone is not None
    assert np.array_equal(model.alone(x), model.function(x)[0])


def test_every_equation_has_it() -> None:
    assert {m.id for m in cdss.published_models() if isinstance(m, RiskModel)} == {
        m.id for m in EQUATIONS
    }
