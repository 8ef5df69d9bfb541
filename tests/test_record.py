import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdss.errors import RecordError
from cdss.record import PatientRecord
from cdss.variables import VARIABLES
from tests.toy import record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["value", "unit", "date"]), inner)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from([*VARIABLES, "nonsense"])
DAYS = st.sampled_from(["2026-11-22", "2026-02-30", "20261122", "", 20261122, None])
ALMOST_RECORDS = st.fixed_dictionaries(
    {}, optional={"index_date": DAYS, "values": st.dictionaries(NAMES, JSON), "extra": JSON}
)


def problems(payload: Any) -> list[tuple[str, str]]:
    with pytest.raises(RecordError) as error:
        PatientRecord.parse(payload)
    return [(p.code, p.variable) for p in error.value.problems]


def of_values(**values: Any) -> list[tuple[str, str]]:
    return problems({"index_date": "2026-11-22", "values": values})


def test_values_come_in_canonical_units_with_what_follows_from_them() -> None:
    patient = record(
        age=54, sex="female", smoking="never", diabetes=False, weight={"value": 150, "unit": "lb"},
        height={"value": 1.6, "unit": "m", "date": "2010-01-01"}, waist=None, alt={"value": None},
    )  # fmt: skip

    assert date(2026, 11, 22) == patient.index_date
    assert {"bmi", "current_smoker"} == patient.derived
    assert () == patient.set_aside
    expected = {
        "age": 54.0, "sex": "female", "smoking": "never", "diabetes": False, "weight": 68.0388555,
        "height": 160.0, "bmi": 26.5776779, "current_smoker": False,
    }  # fmt: skip
    assert expected == pytest.approx(dict(patient.values))


def test_values_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        record(age=54).values["age"] = 55.0  # type: ignore[index]


def plausible(name: str, value: Any) -> bool:
    variable = VARIABLES[name]
    if variable.kind == "quantity":
        return variable.low <= value <= variable.high
    return value in (variable.choices or (True, False))


@given(JSON | ALMOST_RECORDS)
def test_whatever_is_sent_is_a_record_or_a_record_error(payload: Any) -> None:
    try:
        patient = PatientRecord.parse(payload)
    except RecordError as error:
        wrong, told = [], error.problems
    else:
        wrong = [name for name, value in patient.values.items() if not plausible(name, value)]
        told = tuple(patient.values)

    assert told
    assert [] == wrong


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([], [("not_an_object", "record")]),
        ({"index_date": "2026-11-22"}, [("not_an_object", "values")]),
        ({"index_date": "2026-11-22", "values": []}, [("not_an_object", "values")]),
        ({"values": {"age": 54}}, [("wrong_date", "index_date")]),
        ({"index_date": "2026-11-22", "values": {}}, [("empty_record", "values")]),
        ({"index_date": "2026-11-22", "values": {"age": None}}, [("empty_record", "values")]),
        (
            {"index_date": "2026-11-22", "values": {"age": 54}, "name": "A"},
            [("unknown_member", "name")],
        ),
    ],
)
def test_the_shape_of_a_record(payload: Any, expected: list[tuple[str, str]]) -> None:
    assert expected == problems(payload)


@pytest.mark.parametrize(
    "day", ["2026-11-31", "20261122", "2026-W47-7", "22/11/2026", "2026-11-22T00:00", " ", 1, None]
)
def test_a_day_is_written_one_way(day: Any) -> None:
    assert [("wrong_date", "index_date")] == problems({"index_date": day, "values": {"age": 54}})
    assert [("wrong_date", "alt.date")] == of_values(alt={"value": 20, "date": day})


@pytest.mark.parametrize(
    ("name", "entry", "code"),
    [
        ("shoe_size", 43, "unknown_variable"),
        ("age", "54", "not_a_number"),
        ("age", True, "not_a_number"),
        ("age", [54], "not_a_number"),
        ("age", float("nan"), "not_finite"),
        ("age", float("inf"), "not_finite"),
        ("age", 10**400, "not_finite"),
        ("age", 17.9, "implausible"),
        ("age", 110.1, "implausible"),
        ("systolic_bp", {"value": 120, "unit": "mg/dL"}, "unknown_unit"),
        ("systolic_bp", {"value": 120, "unit": None}, "unknown_unit"),
        ("fasting_glucose", 100, "implausible"),  # mg/dL sent as mmol/L
        ("diabetes", 0, "not_yes_no"),
        ("diabetes", "no", "not_yes_no"),
        ("sex", "f", "not_a_choice"),
        ("sex", ["female"], "not_a_choice"),
        ("alt", {"unit": "U/L"}, "wrong_members"),
        ("alt", {"value": 20, "method": "x"}, "wrong_members"),
        ("alt", {"value": 20, "date": "2026-11-23"}, "future_date"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, entry: Any, code: str) -> None:
    assert [(code, name)] == of_values(**{name: entry})


@pytest.mark.parametrize(("value", "accepted"), [(18, True), (110, True)])
def test_plausible_limits_are_included(value: float, accepted: bool) -> None:
    assert accepted == ("age" in record(age=value).values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"systolic_bp": 90, "diastolic_bp": 90}, [("contradictory", "diastolic_bp")]),
        ({"sex": "male", "pregnant": True}, [("contradictory", "pregnant")]),
        ({"smoking": "former", "current_smoker": True}, [("contradictory", "current_smoker")]),
        ({"smoking": "current", "current_smoker": False}, [("contradictory", "current_smoker")]),
        ({"weight": 25, "height": 230}, [("implausible_together", "weight")]),
        (
            {"total_cholesterol": 2, "hdl_cholesterol": 3},
            [("implausible_together", "total_cholesterol")],
        ),
    ],
)
def test_values_must_agree(values: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert expected == of_values(**values)


def test_every_problem_is_told_at_once() -> None:
    expected = [("wrong_date", "index_date"), ("not_a_number", "age"), ("not_yes_no", "diabetes")]

    assert expected == problems({"index_date": "soon", "values": {"age": "x", "diabetes": "x"}})


@pytest.mark.parametrize("name", [n for n, v in VARIABLES.items() if v.fresh_for])
def test_a_measurement_stays_fresh_to_the_last_day(name: str) -> None:
    variable = VARIABLES[name]
    value = variable.options[-1] if variable.options else variable.low
    day = date(2026, 11, 22) - timedelta(days=variable.fresh_for or 0)
    last = {"value": value, "date": day.isoformat()}
    late = {"value": value, "date": (day - timedelta(days=1)).isoformat()}

    assert name in record(**{name: last}).values
    patient = record(age=54, **{name: late})
    assert name not in patient.values
    assert [("stale", name)] == [(p.code, p.variable) for p in patient.set_aside]


SECRETS = st.sampled_from([987654.25, -31337.5, "s3cr3t-value", ["s3cr3t-value"]])


@given(st.sampled_from([*VARIABLES]), SECRETS, st.booleans())
def test_an_error_never_tells_a_value(name: str, secret: Any, bare: bool) -> None:
    entry = secret if bare else {"value": secret, "unit": "s3cr3t-value", "date": "s3cr3t-value"}
    with pytest.raises(RecordError) as error:
        record(**{name: entry})

    told = str(error.value) + json.dumps([dict(p.params) for p in error.value.problems])
    assert not [word for word in ("987654", "31337", "s3cr3t") if word in told]


@given(st.floats(61, 299), st.floats(31, 199))
def test_a_contradiction_never_tells_a_value(systolic: float, diastolic: float) -> None:
    systolic, diastolic = sorted((systolic + 0.123456, diastolic + 0.123456))
    with pytest.raises(RecordError) as error:
        record(systolic_bp=max(60.123456, systolic), diastolic_bp=min(199.123456, diastolic))

    assert ".1234" not in str(error.value)
