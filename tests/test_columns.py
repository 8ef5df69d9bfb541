"""The column path says what the models say of one patient at a time."""

from datetime import date

import numpy as np
import pytest

from cdss import NoEstimate, PatientRecord, PointsTotal, RiskEstimate, RiskModel, RiskRange
from cdss.equations import published_models
from cdss.points import PointsScore
from cdss.variables import VARIABLES, Value
from tests.shipped import shipped

MODELS = (*shipped(demonstrations=True), *published_models())
DAY = date(2026, 11, 22)


def people(count: int) -> list[PatientRecord]:
    """Random people, inside and outside all limits, with a fifth of everything unknown."""
    rng = np.random.default_rng(7)
    spans = {"systolic_bp": (85, 210), "diastolic_bp": (50, 110), "bmi": (15, 45), "age": (18, 95)}
    found = []
    for _ in range(count):
        values: dict[str, Value] = {}
        for name, variable in VARIABLES.items():
            if rng.random() < 0.2:
                continue
            if variable.kind == "quantity":
                low, high = spans.get(name, (variable.low, variable.low + 0.2 * variable.high))
                values[name] = float(rng.uniform(low, high))
            else:
                values[name] = variable.options[rng.integers(len(variable.options))]
        if rng.random() < 0.7:
            values |= {"prior_cvd": False, "diabetes": bool(rng.random() < 0.2), "pregnant": False}
        found.append(PatientRecord(DAY, values))
    return found


RECORDS = people(300)
TABLE = {
    name: np.array([variable.encode(record.values.get(name)) for record in RECORDS])
    for name, variable in VARIABLES.items()
}


@pytest.mark.parametrize(
    "model", [m for m in MODELS if isinstance(m, RiskModel)], ids=lambda m: m.id
)
def test_risks_in_columns(model: RiskModel) -> None:
    columns = model.columns(TABLE)
    kinds = set()
    for at, outcome in enumerate(model.estimate_all(RECORDS)):
        kinds.add(type(outcome))
        low, high = columns.low[at], columns.high[at]
        if isinstance(outcome, RiskEstimate):
            assert outcome.probability == pytest.approx(columns.probability[at], abs=1e-6)
            assert low == high == columns.probability[at]
            expected = [c.log_odds for c in outcome.contributions]
            assert expected == pytest.approx(columns.contributions[at].tolist(), abs=2e-5)
        elif isinstance(outcome, RiskRange):
            assert (outcome.low, outcome.high) == pytest.approx((low, high), rel=1e-9)
            assert np.isnan(columns.probability[at])
        else:
            assert isinstance(outcome, NoEstimate)
            assert np.isnan([low, high, columns.probability[at]]).all()

    assert len(kinds) > 1


@pytest.mark.parametrize(
    "model", [m for m in MODELS if isinstance(m, PointsScore)], ids=lambda m: m.id
)
def test_points_in_columns(model: PointsScore) -> None:
    low, high = model.columns(TABLE)
    for at, outcome in enumerate(model.estimate_all(RECORDS)):
        if isinstance(outcome, PointsTotal):
            assert (outcome.low, outcome.high) == (low[at], high[at])
        else:
            assert np.isnan([low[at], high[at]]).all()


def test_a_column_that_is_not_there_is_unknown() -> None:
    table = {name: TABLE[name] for name in ("age", "sex")}
    for model in MODELS:
        alone = [PatientRecord(DAY, {n: r.values[n] for n in ("age", "sex") if n in r.values})
                 for r in RECORDS]  # fmt: skip
        answers = [isinstance(o, NoEstimate) for o in model.estimate_all(alone)]
        low = model.columns(table)[0]

        assert answers == np.isnan(low).tolist()
