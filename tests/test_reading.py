"""What is chosen from candidates, and that nothing is lost."""

from __future__ import annotations

from datetime import date

import pytest

from cdss.reading import Found, compose

TODAY = date(2026, 11, 24)
PERSON = (
    Found("age", 54, None, TODAY, "Patient/1"),
    Found("sex", "female", None, None, "Patient/1"),
)


def bp(systolic, diastolic, day, at, order=0.0):
    return [
        Found("systolic_bp", systolic, "mmHg", day, at, order),
        Found("diastolic_bp", diastolic, "mmHg", day, at, order),
    ]


def test_the_newest_fresh_value_counts_and_older_ones_are_history():
    old, new = date(2026, 5, 1), date(2026, 11, 1)
    reading = compose(
        TODAY, [*PERSON, *bp(150, 95, new, "Observation/2"), *bp(130, 80, old, "Observation/1")]
    )
    assert reading.record is not None
    assert reading.record.values["systolic_bp"] == 150
    assert reading.record.measured["systolic_bp"] == new
    assert [(v.day, v.values["systolic_bp"]) for v in reading.record.history] == [(old, 130)]
    assert ("systolic_bp", "Observation/2", new) in reading.basis
    assert not reading.problems


def test_a_pressure_is_never_put_together_from_two_readings():
    found = [
        *PERSON,
        *bp(150, 95, date(2026, 11, 1), "Observation/1", 1.0),
        Found("systolic_bp", 128, "mm[Hg]", date(2026, 11, 2), "Observation/2", 2.0),
    ]
    record = compose(TODAY, found).record
    assert record is not None
    assert record.values["systolic_bp"] == 128
    assert "diastolic_bp" not in record.values
    assert record.history[-1].values["diastolic_bp"] == 95


def test_two_stand_alone_measurements_of_one_moment_are_one_reading():
    day = date(2026, 11, 1)
    found = [
        *PERSON,
        Found("systolic_bp", 150, "mmHg", day, "Observation/1", 9.5),
        Found("diastolic_bp", 95, "mmHg", day, "Observation/2", 9.5),
    ]
    record = compose(TODAY, found).record
    assert record is not None
    assert record.values["diastolic_bp"] == 95


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (Found("weight", 700, "kg", TODAY, "Observation/9"), "implausible"),
        (Found("weight", 70, "mmol/L", TODAY, "Observation/9"), "unknown_unit"),
        (Found("weight", "70", "kg", TODAY, "Observation/9"), "not_a_number"),
        (Found("weight", True, "kg", TODAY, "Observation/9"), "not_a_number"),
        (Found("weight", 70, "kg", date(2027, 1, 1), "Observation/9"), "future_date"),
        (Found("weight", 70, "kg", date(2020, 1, 1), "Observation/9"), "stale"),
        (Found("weight", 70, "kg", None, "Observation/9"), "undated"),
        (Found("smoking", "daily", None, TODAY, "Observation/9"), "not_a_choice"),
        (Found("diabetes", 1, None, TODAY, "Observation/9"), "not_yes_no"),
    ],
)
def test_one_bad_value_is_reported_with_its_place_and_the_rest_is_used(found, code):
    reading = compose(TODAY, [*PERSON, found])
    assert reading.record is not None
    assert reading.record.values["age"] == 54
    assert found.variable not in reading.record.values
    assert [(p.code, p.variable, p.params["at"]) for p in reading.problems] == [
        (code, found.variable, "Observation/9")
    ]
    assert "70" not in reading.problems[0].detail


def test_of_values_that_contradict_each_other_none_is_used():
    found = [
        *PERSON,
        *bp(90, 120, TODAY, "Observation/1"),
        Found("prior_cvd", False, None, TODAY, "Condition/1"),
        Found("prior_stroke", True, None, TODAY, "Condition/2"),
    ]
    reading = compose(TODAY, found)
    assert reading.record is not None
    assert set(reading.record.values) == {"age", "sex"}
    assert {(p.code, p.variable) for p in reading.problems} == {
        ("contradictory", n) for n in ("systolic_bp", "diastolic_bp", "prior_cvd", "prior_stroke")
    }


def test_values_that_are_implausible_together_are_not_used():
    found = [
        *PERSON,
        Found("height", 105, "cm", TODAY, "Observation/1"),
        Found("weight", 380, "kg", TODAY, "Observation/2"),
    ]
    reading = compose(TODAY, found)
    assert reading.record is not None
    assert "weight" not in reading.record.values
    assert {p.code for p in reading.problems} == {"implausible_together"}


def test_several_values_of_one_moment_are_told():
    day = date(2026, 11, 1)
    found = [*PERSON, *(Found("weight", w, "kg", day, f"Observation/{w}") for w in (70, 71))]
    reading = compose(TODAY, found)
    assert reading.record is not None
    assert reading.record.values["weight"] == 71
    assert [p.code for p in reading.problems] == ["several_values"]


def test_nothing_usable_is_no_record_and_says_so():
    reading = compose(TODAY, [Found("weight", 70, "kg", None, "Observation/1")])
    assert reading.record is None
    assert [p.code for p in reading.problems] == ["undated", "empty_record"]


def test_units_are_brought_to_the_canonical_one():
    found = [*PERSON, Found("total_cholesterol", 200, "mg/dl", TODAY, "Observation/1")]
    record = compose(TODAY, found).record
    assert record is not None
    assert record.values["total_cholesterol"] == pytest.approx(5.1726, abs=1e-4)
