"""Observations: every trap that real data set, one test each."""

from __future__ import annotations

from datetime import date

import pytest

from cdss.fhir.read import read
from tests.fhir_documents import (
    DAY,
    INDEX,
    LOINC,
    SNOMED,
    bundle,
    component,
    concept,
    observation,
    panel,
    patient,
    problems,
    quantity,
    values,
)


@pytest.mark.parametrize(
    ("code", "value", "unit", "variable", "expected"),
    [
        ("2160-0", 88, "umol/L", "creatinine", 88),
        ("14682-9", 1.2, "mg/dL", "creatinine", 106.08),
        ("2093-3", 5.2, "mmol/L", "total_cholesterol", 5.2),
        ("14771-0", 95, "mg/dL", "fasting_glucose", 5.27),
        ("4548-4", 48, "mmol/mol", "hba1c", 6.54),
        ("59261-8", 7.1, "%", "hba1c", 7.1),
    ],
)
def test_a_unit_of_another_kind_than_the_code_is_used_if_only_it_is_possible(
    code, value, unit, variable, expected
):
    one = observation(code, value, unit)
    assert values(one) == {variable: pytest.approx(expected, abs=0.005)}
    assert problems(one) == {("unit_not_of_code", variable, "Observation/o")}


@pytest.mark.parametrize(
    ("code", "value", "unit", "variable"),
    [("2571-8", 15, "mmol/L", "triglycerides"), ("14682-9", 10, "mg/dL", "creatinine")],
)
def test_a_number_that_could_be_in_the_unit_or_in_that_of_the_code_is_not_used(
    code, value, unit, variable
):
    one = observation(code, value, unit)
    assert values(one) == {}
    assert problems(one) == {("doubtful_unit", variable, "Observation/o")}


@pytest.mark.parametrize(
    ("code", "value", "unit", "variable"),
    [
        ("14682-9", 0.9, "umol/L", "creatinine"),
        ("1558-6", 5.5, "mg/dL", "fasting_glucose"),
        ("14771-0", 95, "mmol/L", "fasting_glucose"),
        ("2160-0", 80, "mg/dL", "creatinine"),
        ("8302-2", 1.7, "cm", "height"),
        ("8302-2", 170, "m", "height"),
    ],
)
def test_a_number_impossible_in_its_unit_is_not_used(code, value, unit, variable):
    one = observation(code, value, unit)
    assert values(one) == {}
    assert problems(one) == {("implausible", variable, "Observation/o")}


def test_a_waist_in_metres_is_one():
    assert values(observation("8280-0", 0.94, "m")) == {"waist": 94}


def test_a_unit_of_something_else_is_refused():
    assert problems(observation("29463-7", 70, "mmol/L")) == {
        ("unknown_unit", "weight", "Observation/o")
    }


# Trap 2: codings.


def test_all_codings_are_looked_at():
    both = {"coding": [
        {"system": SNOMED, "code": "27113001"}, {"code": "29463-7"}, 7,
        {"system": LOINC, "code": "29463-7"},
    ]}  # fmt: skip
    assert values(observation(both, 71, "kg")) == {"weight": 71}


@pytest.mark.parametrize(
    "system",
    [
        "http://loinc.org/",
        "https://loinc.org",
        "urn:oid:2.16.840.1.113883.6.1",
        " HTTP://LOINC.org",
    ],
)
def test_a_system_is_known_by_all_its_names(system):
    assert values(observation(concept(system, "29463-7"), 71, "kg")) == {"weight": 71}


def test_an_edition_of_snomed_is_snomed():
    code = concept("http://snomed.info/sct/32506021000036107/version/20240101", "276361009")
    assert values(observation(code, 90, "cm")) == {"waist": 90}


def test_a_code_without_a_system_is_not_guessed():
    one = observation({"coding": [{"code": "29463-7"}], "text": "Weight"}, 71, "kg")
    assert values(one) == {}
    assert problems(one) == {("not_read", "document", "Observation/o")}


def test_codings_of_two_things_are_not_used():
    one = observation(concept(LOINC, "8480-6", "8462-4"), 120, "mm[Hg]")
    assert values(one) == {}
    assert problems(one) == {("conflicting_codes", "systolic_bp", "Observation/o")}


# Trap 3: spellings of units.


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"unit": "mmHg"}, 120),
        ({"unit": "mm Hg", "code": None}, 120),
        ({"unit": "Millimetres", "code": "mm[Hg]"}, 120),
        ({"unit": "mmHg", "code": "258681007", "system": SNOMED}, 120),
        ({"code": "mm[Hg]"}, 120),
    ],
)
def test_a_unit_may_be_a_code_or_text_in_any_spelling(written, expected):
    one = observation("8480-6", valueQuantity={"value": 120} | written)
    assert values(one) == {"systolic_bp": expected}


def test_a_missing_unit_is_never_assumed():
    one = observation("8480-6", valueQuantity={"value": 120})
    assert values(one) == {}
    assert problems(one) == {("no_unit", "systolic_bp", "Observation/o")}


def test_a_unit_that_contradicts_its_own_text_is_not_used():
    one = observation("2093-3", valueQuantity={"value": 20, "code": "mg/dL", "unit": "mmol/L"})
    assert values(one) == {}
    assert problems(one) == {("doubtful_unit", "total_cholesterol", "Observation/o")}


@pytest.mark.parametrize(
    ("code", "unit", "variable"),
    [("14682-9", "µmol/L", "creatinine"), ("98979-8", "mL/min/1.73m2", "egfr")],
)
def test_common_units_that_are_not_ucum_are_understood(code, unit, variable):
    assert values(observation(code, 80, unit)) == {variable: 80}


# Trap 4 and 5: values that are none, comparators, statuses, several values.


def test_a_component_without_a_value_costs_the_other_one_nothing():
    half = panel(component("8480-6", 131), component("8462-4", dataAbsentReason=concept("x", "y")))
    assert values(half) == {"systolic_bp": 131}
    assert problems(half) == {("no_value", "diastolic_bp", "Observation/o")}


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">=", "ad", 7])
def test_a_bound_is_not_a_value(comparator):
    one = observation("4548-4", valueQuantity=quantity(4, "%") | {"comparator": comparator})
    assert values(one) == {}
    assert problems(one) == {("bound_only", "hba1c", "Observation/o")}


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_a_final_result_is_used(status):
    assert values(observation("29463-7", 71, "kg", status=status)) == {"weight": 71}


@pytest.mark.parametrize(
    "status", ["preliminary", "entered-in-error", "cancelled", "registered", "unknown", None, 5]
)
def test_what_is_not_a_final_result_is_told_and_not_used(status):
    one = observation("29463-7", 71, "kg", status=status)
    assert values(one) == {}
    assert problems(one) == {("not_final", "weight", "Observation/o")}


def test_a_panel_of_pressures_is_one_reading_and_the_newest_counts():
    old = panel(component("8480-6", 128), component("8462-4", 88), id="1",
                effectiveDateTime="2026-11-20T08:00:00+07:00", code="55284-4")  # fmt: skip
    new = panel(component("8480-6", 141), id="2", effectiveDateTime="2026-11-20T09:00:00+07:00")
    assert values(old, new) == {"systolic_bp": 141}
    assert values(new | {"effectiveDateTime": "2026-11-20T07:00:00+07:00"}, old) == {
        "systolic_bp": 128, "diastolic_bp": 88,
    }  # fmt: skip


def test_pressures_that_stand_alone_belong_together_if_of_one_moment():
    two = [observation("8480-6", 128, "mmHg", "1"), observation("8462-4", 81, "mmHg", "2")]
    assert values(*two) == {"systolic_bp": 128, "diastolic_bp": 81}
    two[1]["effectiveDateTime"] = "2026-11-21"
    assert values(*two) == {"systolic_bp": 128}


def test_pressures_are_never_averaged_over_history_which_keeps_the_older_ones():
    old = panel(component("8480-6", 160), component("8462-4", 100), id="1",
                effectiveDateTime="2026-03-01")  # fmt: skip
    new = panel(component("8480-6", 120), component("8462-4", 80), id="2")
    record = read(bundle(patient(), new, old), INDEX).record
    assert record is not None
    assert (record.values["systolic_bp"], record.measured["systolic_bp"]) == (
        120,
        date(2026, 11, 20),
    )
    assert [(v.day, v.values["systolic_bp"]) for v in record.history] == [(date(2026, 3, 1), 160)]


def test_a_component_counts_only_in_a_panel_of_blood_pressure():
    stress = panel(component("8480-6", 190), code="18752-6")
    assert values(stress) == {}
    assert problems(stress) == {("not_read", "document", "Observation/o")}


def test_a_value_too_old_is_told():
    one = observation("29463-7", 71, "kg", effectiveDateTime="2020-01-01")
    assert values(one) == {}
    assert problems(one) == {("stale", "weight", "Observation/o")}


def test_a_value_of_the_future_is_told():
    one = observation("29463-7", 71, "kg", effectiveDateTime="2026-11-25T08:00:00Z")
    assert problems(one) == {("future_date", "weight", "Observation/o")}


# Trap 6: dates, also those that R4 forbids.


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ({"effectiveDateTime": "2026-11-19T23:30:00-05:00"}, date(2026, 11, 19)),
        ({"effectiveDateTime": "2026-11-19T23:30:00"}, date(2026, 11, 19)),
        ({"effectiveDateTime": "2026-11-19T23:30"}, date(2026, 11, 19)),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-11-19T01:00:00.12345Z"},
         date(2026, 11, 19)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-11", "end": "2026-11-19"}},
         date(2026, 11, 19)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-11-18", "end": "2027-01"}},
         date(2026, 11, 18)),
        ({"effectiveDateTime": None, "issued": "2026-11-19T08:00:00.000+07:00"},
         date(2026, 11, 19)),
    ],
)  # fmt: skip
def test_a_date_may_stand_in_several_members_with_or_without_time_and_zone(when, day):
    record = read(bundle(patient(), observation("29463-7", 71, "kg", **when)), INDEX).record
    assert record is not None
    assert record.measured["weight"] == day


@pytest.mark.parametrize(
    ("text", "day"), [("2026-08", date(2026, 8, 1)), ("2026", date(2026, 1, 1))]
)
def test_a_date_without_its_day_is_the_first_it_can_be_and_that_is_told(text, day):
    one = observation("29463-7", 71, "kg", effectiveDateTime=text)
    reading = read(bundle(patient(), one), INDEX)
    assert reading.record is not None
    assert reading.record.measured["weight"] == day
    assert problems(one) == {("partial_date", "weight", "Observation/o")}


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-13-01", "20261120", "2026-W47-5", 20261120, "9999-12x"]
)
def test_what_has_no_date_that_can_be_read_is_not_used(text):
    one = observation("29463-7", 71, "kg", effectiveDateTime=text)
    assert values(one) == {}
    assert problems(one) == {("undated", "weight", "Observation/o")}


def test_of_several_values_a_day_the_last_one_counts():
    times = ("T10:00:00+07:00", "T04:30:00Z", "T09:00:00+07:00")  # the second is at 11:30 there
    three = [
        observation("8867-4", rate, "/min", str(rate), effectiveDateTime=DAY + time)
        for rate, time in zip((70, 80, 90), times, strict=True)
    ]
    assert values(*three) == {"heart_rate": 80}
    assert not problems(*three)


def test_several_values_of_one_moment_are_told():
    two = [observation("8867-4", rate, "/min", str(rate)) for rate in (70, 80)]
    assert values(*two) == {"heart_rate": 80}
    assert problems(*two) == {("several_values", "heart_rate", "Observation/80")}


# Glucose, eGFR and others that are not what they seem.


def test_glucose_of_which_fasting_is_not_told_is_never_fasting_glucose():
    one = observation("2345-7", 110, "mg/dL")
    assert values(one) == {"random_glucose": pytest.approx(6.106, abs=0.001)}
    assert problems(one) == {("taken_as_random", "random_glucose", "Observation/o")}


@pytest.mark.parametrize(
    ("code", "unit", "variable"),
    [("2339-0", "mg/dL", "random_glucose"), ("41995-2", "g/dL", "hba1c")],
)
def test_another_measurement_under_a_like_name_is_not_used(code, unit, variable):
    one = observation(code, 90, unit)
    assert values(one) == {}
    assert problems(one) == {("not_comparable", variable, "Observation/o")}


@pytest.mark.parametrize("code", ["33914-3", "62238-1", "48642-3"])
def test_an_egfr_of_an_older_or_unnamed_equation_is_used_and_told(code):
    one = observation(code, 61, "mL/min/{1.73_m2}")
    assert values(one) == {"egfr": 61}
    assert problems(one) == {("other_equation", "egfr", "Observation/o")}
    assert not problems(observation("98979-8", 61, "mL/min/{1.73_m2}"))


def test_an_egfr_that_is_not_for_the_body_surface_is_not_used():
    assert problems(observation("33914-3", 61, "mL/min")) == {
        ("unknown_unit", "egfr", "Observation/o")
    }


@pytest.mark.parametrize("code", ["30525-0", "76689-9", "32309-7", "2089-1", "15074-8"])
def test_codes_that_are_not_read_on_purpose(code):
    one = observation(code, 3, "a")
    assert values(one) == {}
    assert problems(one) == {("not_read", "document", "Observation/o")}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("266919005",), {"smoking": "never"}),
        (("8517006",), {"smoking": "former"}),
        (("449868002",), {"smoking": "current"}),
        (("428041000124106",), {"smoking": "current"}),
        (("77176002",), {"smoking": "current"}),
        (("266927001",), {}),
        (("266919005", "8517006"), {}),
    ],
)
@pytest.mark.parametrize("code", ["72166-2", "11367-0"])
def test_smoking(code, codes, expected):
    assert values(observation(code, valueCodeableConcept=concept(SNOMED, *codes))) == expected


def test_a_smoker_of_whom_the_present_is_unknown_is_not_a_current_smoker():
    answer = {"coding": [
        {"system": SNOMED, "code": "77176002", "display": "Smoker, current status unknown"}
    ]}  # fmt: skip
    one = observation("72166-2", valueCodeableConcept=answer)
    assert values(one) == {}
    assert problems(one) == {("no_answer", "smoking", "Observation/o")}


def test_an_answer_of_loinc_and_a_pregnancy():
    said = concept(LOINC, "LA18978-9")
    assert values(observation("72166-2", valueCodeableConcept=said)) == {"smoking": "never"}
    for code, expected in (("77386006", True), ("60001007", False)):
        one = observation("82810-3", valueCodeableConcept=concept(SNOMED, code))
        assert values(one) == {"pregnant": expected}


def test_drinks_say_that_somebody_drinks_and_not_how_much_alcohol():
    assert values(observation("74013-4", 3, "{drinks}/d")) == {"drinks_alcohol": True}
    assert values(observation("74013-4", 0, "{drinks}/d")) == {"drinks_alcohol": False}
    assert values(observation("74013-4", "3", "{drinks}/d")) == {}
