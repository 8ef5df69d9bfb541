import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdss.errors import Problem
from cdss.estimate import NoEstimate, RiskEstimate, expit, risk_per_log_odds
from cdss.risk import Array
from tests.toy import BASELINE, record, toy_function, toy_log_odds, toy_model

ABLE = {"age": 60, "sex": "female", "bmi": 30, "diabetes": False, "pregnant": False}


def codes(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(p.code, p.variable) for p in problems]


def test_an_estimate_is_the_function_of_the_predictors_in_order() -> None:
    estimate = toy_model().estimate(record(**ABLE))
    phi = toy_log_odds(age=60, sex=1, bmi=30)

    assert isinstance(estimate, RiskEstimate)
    assert expit(BASELINE + sum(phi.values())) == pytest.approx(estimate.probability)
    assert expit(BASELINE) == estimate.baseline_probability
    assert ("toy", "1.0.0", "incident_diabetes", 10.0) == (
        estimate.model, estimate.version, estimate.outcome, estimate.horizon_years
    )  # fmt: skip
    assert phi == pytest.approx({c.variable: c.log_odds for c in estimate.contributions})
    shown = [(c.variable, c.value, c.unit) for c in estimate.contributions]
    expected = [
        ("age", 60.0, "a"),
        ("sex", "female", ""),
        ("bmi", 30.0, "kg/m2"),
        ("alt", None, "U/L"),
    ]
    assert expected == shown
    assert ("alt",) == estimate.missing
    assert () == estimate.warnings
    assert estimate.demonstration is False


@given(
    st.floats(20, 80), st.sampled_from(["male", "female"]), st.floats(12.5, 60), st.floats(1, 1000)
)
def test_risk_points_add_up(age: float, sex: str, bmi: float, alt: float) -> None:
    estimate = toy_model().estimate(record(age=age, sex=sex, bmi=bmi, alt=alt))

    assert isinstance(estimate, RiskEstimate)
    points = math.fsum(c.risk_points for c in estimate.contributions)
    assert estimate.probability - estimate.baseline_probability == pytest.approx(points, abs=1e-7)
    assert all(c.risk_points * c.log_odds >= 0 for c in estimate.contributions)


@given(st.floats(-6, 6), st.floats(-1e-3, 1e-3))
def test_points_do_not_jump_where_contributions_cancel(start: float, total: float) -> None:
    """Next to the baseline the difference of the probabilities is mostly rounding."""
    p, p0 = expit(start + total), expit(start)

    assert p0 * (1 - p0) == pytest.approx(risk_per_log_odds(p, p0, total), rel=2e-2, abs=1e-3)


def test_points_of_a_certain_difference() -> None:
    assert 0.1 == pytest.approx(risk_per_log_odds(0.3, 0.1, 2.0))
    assert 0.25 == risk_per_log_odds(0.5, 0.5, 0.0)


@given(st.floats(-800, 800))
def test_expit_is_symmetric_and_never_overflows(log_odds: float) -> None:
    assert 1.0 == pytest.approx(expit(log_odds) + expit(-log_odds))
    assert 0 <= expit(log_odds) <= 1
    assert expit(log_odds) == pytest.approx((1 + math.tanh(log_odds / 2)) / 2, abs=1e-15)


def test_a_refusal_gives_every_reason() -> None:
    answer = toy_model().estimate(record(age=81, sex="female", diabetes=True, alt=0.5))

    assert isinstance(answer, NoEstimate)
    assert ("toy", "1.0.0", "incident_diabetes", 10.0) == (
        answer.model, answer.version, answer.outcome, answer.horizon_years
    )  # fmt: skip
    expected = [
        ("missing_input", "bmi"),
        ("excluded", "diabetes"),
        ("outside_limits", "age"),
        ("outside_limits", "alt"),
    ]
    assert expected == codes(answer.reasons)
    assert {"low": 20, "high": 80, "unit": "a"} == answer.reasons[2].params


@pytest.mark.parametrize(
    ("age", "answers"), [(20, True), (80, True), (19.999, False), (80.001, False)]
)
def test_limits_are_included(age: float, answers: bool) -> None:
    assert answers == isinstance(toy_model().estimate(record(**ABLE | {"age": age})), RiskEstimate)


@pytest.mark.parametrize(
    ("stated", "reasons", "warnings"),
    [
        ({"diabetes": False, "pregnant": False}, [], []),
        ({"diabetes": True, "pregnant": False}, [("excluded", "diabetes")], []),
        ({"diabetes": False}, [], [("assumed_absent", "pregnant")]),
        ({"diabetes": False, "sex": "male"}, [], []),
        ({"pregnant": False}, [], [("assumed_absent", "diabetes")]),
    ],
)
def test_yes_excludes_and_unknown_warns(stated: dict, reasons: list, warnings: list) -> None:
    answer = toy_model().estimate(record(age=60, bmi=30, **{"sex": "female"} | stated))

    assert reasons == codes(getattr(answer, "reasons", ()))
    assert warnings == codes(getattr(answer, "warnings", ()))


def test_what_was_set_aside_is_told_by_the_models_that_use_it() -> None:
    old = {"value": 55, "date": "2020-01-01"}
    answer = toy_model().estimate(record(**ABLE, alt=old, ggt=old))

    assert isinstance(answer, RiskEstimate)
    assert [("stale", "alt")] == codes(answer.warnings)


def test_a_demonstration_says_so() -> None:
    answer = toy_model(demonstration=True).estimate(record(**ABLE))

    assert isinstance(answer, RiskEstimate)
    assert answer.demonstration is True
    assert [("demonstration", "model")] == codes(answer.warnings)


def test_many_are_answered_in_order_by_one_run_on_those_it_applies_to() -> None:
    rows = []

    def counting(x: Array) -> tuple[Array, Array]:
        rows.append(len(x))
        return toy_function(x)

    model = toy_model(function=counting)
    patients = [record(**ABLE | {"age": age}) for age in (30, 90, 50, 19, 70)]
    answers = model.estimate_all(patients)

    assert [3] == rows
    assert [RiskEstimate, NoEstimate, RiskEstimate, NoEstimate, RiskEstimate] == [
        type(answer) for answer in answers
    ]
    assert [model.estimate(patient) for patient in patients] == answers


def test_the_function_does_not_run_for_nobody() -> None:
    def never(x: Array) -> tuple[Array, Array]:
        raise AssertionError("ran")

    assert [] == toy_model(function=never).estimate_all([])
    assert isinstance(toy_model(function=never).estimate(record(age=90)), NoEstimate)


def test_a_known_measure_of_the_outcome_is_told() -> None:
    """A low estimate beside a diagnostic value must not reassure."""
    model = toy_model(measured_by=("hba1c", "fasting_glucose"))
    patient = {"age": 54, "sex": "male", "bmi": 25, "diabetes": False, "pregnant": False}
    plain, known = (
        model.estimate(record(**patient, **more)) for more in ({}, {"fasting_glucose": 7.4})
    )

    assert isinstance(plain, RiskEstimate)
    assert isinstance(known, RiskEstimate)
    assert plain.warnings == ()
    assert [("outcome_measured", "fasting_glucose")] == [
        (w.code, w.variable) for w in known.warnings
    ]
    assert plain.probability == known.probability
