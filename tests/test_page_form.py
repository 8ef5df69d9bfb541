"""What the form asks, and the record that it makes of what was typed."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from typing import Any

import pytest

from cdss import VARIABLES, PatientRecord
from cdss.i18n import LANGUAGES, words
from cdss.units import UNITS, convert
from serving.page.facts import FACTS
from serving.page.fields import NAMES, field, parts, used_by
from serving.page.form import form
from serving.page.typed import EARLIER, check, fill
from tests.conftest import ROOT
from tests.shipped import shipped

TODAY = date(2026, 11, 22)
DAY = {"index_date": "2026-11-22"}
PATIENTS = sorted((ROOT / "docs" / "patients").glob("*.toml"))


def patient(file: Any) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))["record"]


def told(**typed: str) -> list[tuple[str, str]]:
    return [(p.code, p.variable) for p in check({**DAY, **typed}).problems]


def test_every_group_of_the_dictionary_has_a_place_and_every_name_in_the_file_is_a_variable() -> (
    None
):
    groups = {group for row in FACTS["more"] for group in row["groups"]}
    named = {name for row in FACTS["first"] for name in row["fields"]}
    named |= {*FACTS["implied"]["fields"], *FACTS["seldom"]["fields"], *EARLIER}
    named |= {*FACTS["trend"]["fields"], *FACTS["possible"]}

    assert {v.group for v in VARIABLES.values()} == groups
    assert named <= set(VARIABLES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_variable_is_asked_once_when_it_has_a_value(lang: str) -> None:
    asked = [f.name for part in parts(frozenset(), NAMES, words(lang)) for f in part.fields]

    assert sorted(NAMES) == sorted(asked)


def test_what_the_models_look_at_is_asked_or_follows_from_what_is() -> None:
    needed = used_by(shipped())
    asked = {f.name for part in parts(needed, (), words("en")) for f in part.fields}

    assert needed - asked <= {*FACTS["implied"]["fields"]}


def test_a_model_that_looks_at_something_seldom_makes_it_asked() -> None:
    asked = {
        f.name for p in parts(frozenset({"asian_ancestry"}), (), words("en")) for f in p.fields
    }

    assert "asian_ancestry" in asked
    assert "activity_level" not in asked


def test_the_limits_of_a_unit_are_those_of_the_dictionary() -> None:
    for name, units in UNITS.items():
        for unit in field(name, words("vi")).units:
            assert unit.code in units
            ends = [convert(name, end, unit.code) for end in (unit.low, unit.high)]
            assert [VARIABLES[name].low, VARIABLES[name].high] == pytest.approx(ends)


def test_not_known_is_an_answer_of_its_own_and_makes_no_value() -> None:
    options = [value for value, _ in field("diabetes", words("en")).options]

    assert ["yes", "no", ""] == options
    assert {"age": 54.0} == check({**DAY, "age": "54", "diabetes": ""}).payload["values"]
    assert check({**DAY, "age": "54", "diabetes": "no"}).payload["values"]["diabetes"] is False


@pytest.mark.parametrize(
    ("raw", "value"), [("6,1", 6.1), ("6.1", 6.1), ("6", 6.0), (" 6,10 ", 6.1), ("0,123", 0.123)]
)
def test_a_decimal_comma_is_read_where_it_can_be_nothing_else(raw: str, value: float) -> None:
    assert value == check({**DAY, "alcohol_units": raw}).payload["values"]["alcohol_units"]


def test_what_is_wrong_is_told_at_its_input_all_at_once() -> None:
    found = told(
        age="640", systolic_bp="1.234", diastolic_bp="abc", sex="x", diabetes="perhaps",
        **{"weight": "70", "weight.unit": "stone", "hba1c": "6", "hba1c.date": "2027-01-01",
           "earlier.1.date": "2026-11-30", "earlier.0.weight": "x", "earlier.0.date": "2026-01-01"},
    )  # fmt: skip

    assert {
        ("ambiguous_number", "systolic_bp"), ("not_a_number", "diastolic_bp"),
        ("implausible", "age"), ("not_a_choice", "sex"), ("not_yes_no", "diabetes"),
        ("unknown_unit", "weight"), ("future_date", "hba1c"), ("not_a_number", "earlier.0.weight"),
        ("not_before", "earlier.1.date"),
    } == set(found)  # fmt: skip


def test_nothing_typed_is_told_and_no_value_appears_in_what_is_told() -> None:
    assert [("empty_record", "values")] == told()
    assert [("not_a_number", "age")] == told(age="NguyenVanA")
    said = check({**DAY, "age": "NguyenVanA", "weight": "99999"}).problems
    assert all("NguyenVanA" not in p.detail and "99999" not in p.detail for p in said)


def test_a_history_that_was_tampered_with_is_told() -> None:
    assert [("wrong_history", "history")] == told(age="54", history="{")
    assert [("wrong_visit", "history")] == told(age="54", history='[{"x": 1}]')
    assert [] == told(age="54", history="{", **{"history.forget": "1"})


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("file", PATIENTS, ids=lambda file: file.stem)
def test_a_record_typed_into_the_form_is_the_same_record(file: Any, lang: str) -> None:
    record = PatientRecord.parse(patient(file))
    again = check(fill(record, words(lang)))

    assert () == again.problems
    assert again.record is not None
    assert (dict(record.values), record.derived, record.index_date) == (
        dict(again.record.values), again.record.derived, again.record.index_date
    )  # fmt: skip
    assert record.measured == again.record.measured
    assert [(v.day, dict(v.values)) for v in record.history] == [
        (v.day, dict(v.values)) for v in again.record.history
    ]


def test_more_digits_than_are_shown_are_kept_until_the_value_is_changed() -> None:
    record = PatientRecord.parse(
        {**DAY, "values": {"fasting_glucose": {"value": 110, "unit": "mg/dL"}}}
    )
    typed = fill(record, words("vi"))

    assert "6,11" == typed["fasting_glucose"]
    assert record.values["fasting_glucose"] == check(typed).record.values["fasting_glucose"]  # type: ignore[union-attr]
    changed = check({**typed, "fasting_glucose": "6,2"})
    assert 6.2 == changed.record.values["fasting_glucose"]  # type: ignore[union-attr]


def test_earlier_check_ups_are_added_to_those_that_came_with_a_document() -> None:
    visits = json.dumps([{"date": "2026-01-01", "values": {"systolic_bp": 150.0}}])
    typed = {**DAY, "age": "54", "history": visits, "earlier.0.date": "2026-05-01",
             "earlier.0.systolic_bp": "144", "earlier.0.systolic_bp.unit": "mm[Hg]"}  # fmt: skip
    record = check(typed).record

    assert record is not None
    assert [150.0, 144.0] == [v.values["systolic_bp"] for v in record.history]


def test_the_day_of_the_blood_test_holds_for_laboratory_values_without_a_day() -> None:
    typed = {**DAY, "age": "54", "hba1c": "6", "total_cholesterol": "5",
             "total_cholesterol.date": "2026-11-01", "laboratory.date": "2026-11-10"}  # fmt: skip
    record = check(typed).record

    assert record is not None
    assert {"hba1c": date(2026, 11, 10), "total_cholesterol": date(2026, 11, 1)} == record.measured


def test_a_part_is_unfolded_if_something_is_typed_in_it_and_not_for_its_units() -> None:
    made = form({"uacr": "300", "earlier.0.weight.unit": "kg"}, (), words("en"), today=TODAY)

    assert {"laboratory"} == made.open & {"laboratory", "family", "earlier"}
    assert "2026-11-22" == made.typed["index_date"]
