import json
import math
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdss import VARIABLES, PatientRecord, Problem, assess, load_jurisdiction, published_models
from cdss.audit.exact import answer, canonical, record_from_json, record_to_json
from cdss.record import Visit
from cdss.variables import Variable
from tests.audit_logs import assessment, patient

DAY = date(2026, 11, 22)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=20)


def value(variable: Variable) -> st.SearchStrategy[Any]:
    if variable.kind == "quantity":
        return NUMBERS
    return st.sampled_from(variable.choices) if variable.choices else st.booleans()


@st.composite
def values(draw: st.DrawFn) -> MappingProxyType[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(VARIABLES)), unique=True))
    return MappingProxyType({name: draw(value(VARIABLES[name])) for name in names})


PARAMS = st.dictionaries(TEXTS, st.one_of(NUMBERS, st.integers(), TEXTS, st.tuples(TEXTS, TEXTS)))
PROBLEMS = st.builds(Problem, TEXTS, TEXTS, TEXTS, PARAMS)
DAYS = st.integers(1, 3000).map(lambda days: DAY - timedelta(days=days))
RECORDS = st.builds(
    PatientRecord,
    st.just(DAY),
    values(),
    st.frozensets(st.sampled_from(sorted(VARIABLES))),
    st.lists(PROBLEMS, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(sorted(VARIABLES)), DAYS),
    st.lists(st.builds(Visit, DAYS, values()), max_size=3).map(tuple),
)


@given(RECORDS)
def test_a_record_is_the_same_after_there_and_back(record: PatientRecord) -> None:
    said = record_to_json(record)
    again = record_from_json(json.loads(canonical(said)))

    assert record == again
    assert {name: type(v) for name, v in record.values.items()} == {
        name: type(v) for name, v in again.values.items()
    }
    assert canonical(said) == canonical(record_to_json(again))


@given(RECORDS)
def test_a_record_is_said_in_ascii_on_one_line(record: PatientRecord) -> None:
    said = canonical(record_to_json(record))

    assert said.isascii()
    assert b"\n" not in said


@given(NUMBERS)
def test_no_digit_of_a_number_is_lost(number: float) -> None:
    again = json.loads(canonical(number))

    assert (number, math.copysign(1, number)) == (again, math.copysign(1, again))


def test_equal_values_are_equal_bytes_whatever_their_order() -> None:
    assert canonical({"a": 1.0, "b": ("x",)}) == canonical({"b": ["x"], "a": 1.0})
    assert canonical({"a": 1.0}) != canonical({"a": 1.0000000000000002})


@pytest.mark.parametrize(
    ("wrong", "error"), [(math.nan, ValueError), (math.inf, ValueError), (object(), TypeError)]
)
def test_what_has_no_json_is_refused(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical({"x": wrong})


def test_a_record_read_back_gives_the_same_answer_by_all_models_and_rules() -> None:
    record = PatientRecord.parse(
        {
            "index_date": "2026-11-22",
            "values": {
                "age": 54, "sex": "female", "height": 152, "weight": 61.25, "waist": 84,
                "systolic_bp": 151, "diastolic_bp": 93, "current_smoker": False, "diabetes": False,
                "total_cholesterol": {"value": 228.15, "unit": "mg/dL", "date": "2026-10-01"},
                "hdl_cholesterol": 1.1,
                "creatinine": {"value": 71, "unit": "umol/L", "date": "2019-01-01"},
            },
            "history": [{"date": "2026-10-01", "values": {"systolic_bp": 148, "diastolic_bp": 95}}],
        }
    )  # fmt: skip
    again = record_from_json(json.loads(canonical(record_to_json(record))))

    assert {"stale"} == {problem.code for problem in again.set_aside}
    for place in ("vn", "who", "us"):
        found = [
            assess(each, published_models(), load_jurisdiction(place), chosen=True)
            for each in (record, again)
        ]
        assert found[0].advice
        assert canonical(answer(found[0])) == canonical(answer(found[1]))


def test_an_answer_has_every_number_and_no_words() -> None:
    found = assessment()
    said = json.loads(canonical(answer(found)))
    (estimate,) = found.estimates

    assert estimate.probability == said["outcomes"]["toy"]["probability"]
    assert [list(c) for c in estimate.contributions] == said["outcomes"]["toy"]["contributions"]
    assert [[w.code, w.variable, dict(w.params)] for w in estimate.warnings] == (
        said["outcomes"]["toy"]["warnings"]
    )
    assert {a.rule.id for a in found.advice} == set(said["advice"])
    assert {u.rule.id for u in found.undecided} == set(said["undecided"])
    assert "detail" not in json.dumps(said)


def test_another_number_is_another_answer() -> None:
    assert canonical(answer(assessment())) != canonical(answer(assessment(bmi=31.3371338)))


def test_a_refusal_is_an_answer_too() -> None:
    found = assess(patient(age=19), [*published_models()])
    said = json.loads(canonical(answer(found)))

    assert {o.model for o in found.not_estimated} == {
        id for id, each in said["outcomes"].items() if each["is"] == "NoEstimate"
    }
    assert {} == said["advice"]
