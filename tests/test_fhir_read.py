"""Documents and people: how they come, and that nobody is mixed up with anybody."""

from __future__ import annotations

import pytest

from cdss.fhir.read import read
from tests.fhir_documents import (
    INDEX,
    SNOMED,
    bundle,
    concept,
    condition,
    example,
    observation,
    patient,
    problems,
    statement,
    values,
)


def test_an_example_in_si_units():
    reading = read(example("si-searchset"), INDEX)
    assert reading.record is not None
    known = {
        name: round(reading.record.values[name], 2)
        for name in ("age", "systolic_bp", "diastolic_bp", "hba1c", "fasting_glucose", "waist",
                     "total_cholesterol", "hdl_cholesterol", "creatinine")
    }  # fmt: skip
    assert known == {
        "age": 58, "systolic_bp": 144.01, "diastolic_bp": 87.01, "hba1c": 6.54, "waist": 91,
        "fasting_glucose": 6.4, "total_cholesterol": 5.9, "hdl_cholesterol": 1.3, "creatinine": 71,
    }  # fmt: skip
    assert reading.record.values["smoking"] == "never"
    assert not reading.problems
    assert {b.at for b in reading.basis} == {
        f"Observation/{id}" for id in ("bp", "a1c", "fpg", "chol", "hdl", "crea", "waist", "smoke")
    } | {"Patient/lan"}


def test_an_example_in_units_of_the_united_states():
    reading = read(example("us-transaction"), INDEX)
    assert reading.record is not None
    known = {
        name: round(value, 2)
        for name in ("age", "systolic_bp", "diastolic_bp", "total_cholesterol", "hdl_cholesterol",
                     "triglycerides", "fasting_glucose", "hba1c", "creatinine", "weight", "height",
                     "age_at_diabetes_diagnosis")
        if isinstance(value := reading.record.values[name], float)
    }  # fmt: skip
    assert known == {
        "age": 65, "systolic_bp": 148, "diastolic_bp": 92, "total_cholesterol": 5.48,
        "hdl_cholesterol": 1.06, "triglycerides": 2.03, "fasting_glucose": 7.27, "hba1c": 7.2,
        "creatinine": 88.4, "weight": 71.67, "height": 167.64, "age_at_diabetes_diagnosis": 50,
    }  # fmt: skip
    said = ("hypertension", "diabetes", "bp_treated", "on_statin", "on_metformin", "drinks_alcohol",
            "family_history_cvd", "family_history_diabetes", "first_degree_diabetes")  # fmt: skip
    assert {name for name in said if reading.record.values.get(name) is True} == set(said)
    assert reading.record.values["diabetes_type"] == "type_2"
    assert reading.record.values["parents_with_diabetes"] == "both"
    assert reading.record.values["current_smoker"] is True
    assert [visit.values["hba1c"] for visit in reading.record.history] == [6.8]
    assert not reading.problems


def test_an_example_in_which_everything_is_wrong_still_gives_what_is_right():
    reading = read(example("everything-wrong"), INDEX)
    assert reading.record is not None
    assert {n: reading.record.values[n] for n in ("age", "heart_rate", "systolic_bp")} == {
        "age": 55, "heart_rate": 72, "systolic_bp": 131,
    }  # fmt: skip
    assert set(reading.record.values) == {"age", "heart_rate", "systolic_bp"}
    assert {(p.code, p.params["at"]) for p in reading.problems} == {
        ("paged", "document"), ("sender_error", "entry/11"), ("not_a_resource", "entry/13"),
        ("age_roughly", "Patient/x"), ("sex_not_told", "Patient/x"),
        ("no_unit", "Observation/no-unit"), ("bound_only", "Observation/less"),
        ("no_value", "Observation/absent"), ("not_final", "Observation/wrong"),
        ("not_final", "Observation/prelim"), ("implausible", "Observation/height-m"),
        ("no_value", "Observation/half"), ("other_patient", "Observation/other"),
        ("not_confirmed", "Condition/refuted"),
    }  # fmt: skip


# The person.


@pytest.mark.parametrize(
    ("born", "age", "told"),
    [
        ("1970-11-24", 56, False), ("1970-11-25", 55, False), ("1970-05", 56, False),
        ("1970-11", 55, True), ("1970", 55, True), ("1970-05-01T00:00:00Z", 56, False),
    ],
)  # fmt: skip
def test_age_is_what_the_date_of_birth_makes_certain(born, age, told):
    reading = read(patient(birthDate=born), INDEX)
    assert reading.record is not None
    assert reading.record.values["age"] == age
    assert [p.code for p in reading.problems] == (["age_roughly"] if told else [])


def test_without_a_date_of_birth_the_age_is_unknown():
    reading = read(patient(birthDate=None), INDEX)
    assert reading.record is not None
    assert "age" not in reading.record.values
    assert not reading.problems
    assert [p.code for p in read(patient(birthDate="soon"), INDEX).problems] == ["wrong_date"]


@pytest.mark.parametrize("born", ["2020-01-01", "2008-11-25", "2008"])
def test_nothing_is_made_for_a_child(born):
    reading = read(bundle(patient(birthDate=born), observation("8480-6", 90, "mmHg")), INDEX)
    assert reading.record is None
    assert [(p.code, p.params["age"]) for p in reading.problems] == [("child", 18)]


@pytest.mark.parametrize("gender", ["other", "unknown", 1, "F"])
def test_a_gender_that_the_equations_do_not_know_is_told(gender):
    reading = read(patient(gender=gender), INDEX)
    assert reading.record is not None
    assert "sex" not in reading.record.values
    assert [p.code for p in reading.problems] == ["sex_not_told"]


def test_sex_at_birth_does_not_replace_the_gender():
    one = observation("76689-9", valueCodeableConcept=concept(SNOMED, "248152002"))
    reading = read(bundle(patient(gender=None), one), INDEX)
    assert reading.record is not None
    assert "sex" not in reading.record.values


@pytest.mark.parametrize(
    ("died", "gone"),
    [
        ({"deceasedBoolean": True}, True), ({"deceasedDateTime": "2026-01"}, True),
        ({"deceasedDateTime": "?"}, True), ({"deceasedBoolean": False}, False),
        ({"deceasedDateTime": "2027-01-01"}, False),
    ],
)  # fmt: skip
def test_nothing_is_computed_for_the_dead(died, gone):
    reading = read(patient(**died), INDEX)
    assert (reading.record is None) is gone
    assert [p.code for p in reading.problems] == (["deceased"] if gone else [])


def test_people_are_never_mixed():
    two = bundle(
        patient("p"), patient("q", gender="male"), observation("8867-4", 60, "/min"),
        observation("8867-4", 90, "/min", "q1", subject={"reference": "Patient/q"}),
        observation("29463-7", 90, "kg", "nobody", subject=None),
    )  # fmt: skip
    assert read(two, INDEX).record is None
    assert [p.code for p in read(two, INDEX).problems] == ["several_patients"]
    for wanted in ("q", "Patient/q"):
        reading = read(two, INDEX, patient=wanted)
        assert reading.record is not None
        assert (reading.record.values["sex"], reading.record.values["heart_rate"]) == ("male", 90)
        assert "weight" not in reading.record.values
        (problem,) = reading.problems
        assert problem.code == "other_patient"
        assert problem.params["places"] == ("Observation/o", "Observation/nobody")
    assert [p.code for p in read(two, INDEX, patient="r").problems] == ["no_patient"]


def test_without_a_patient_resource_all_must_be_about_one():
    one = observation("29463-7", 71, "kg")
    other = observation("8867-4", 71, "/min", "x", subject={"reference": "Patient/x"})
    reading = read(one, INDEX)
    assert reading.record is not None
    assert dict(reading.record.values) == {"weight": 71}
    assert [p.code for p in read([one, other], INDEX).problems] == ["several_patients"]
    reading = read([one, other], INDEX, patient="x")
    assert reading.record is not None
    assert dict(reading.record.values) == {"heart_rate": 71}


@pytest.mark.parametrize(
    ("url", "reference", "same"),
    [
        ("urn:uuid:1", "urn:uuid:1", True),
        ("urn:uuid:p", "Patient/p", True),
        ("https://a.org/fhir/Patient/p", "Patient/p/_history/3", True),
        ("https://a.org/fhir/Patient/p", "https://a.org/fhir/Patient/p", True),
        ("https://a.org/fhir/Patient/p", "https://b.org/fhir/Patient/p", False),
        ("", "https://a.org/fhir/Patient/p", True),
        ("", "Group/p", False),
        ("", "#p", False),
    ],
)
def test_references_to_the_patient(url, reference, same):
    one = observation("29463-7", 71, "kg", subject={"reference": reference})
    entries = [{"fullUrl": url, "resource": patient()}, {"resource": one}]
    record = read(bundle() | {"entry": entries}, INDEX).record
    assert record is not None
    assert ("weight" in record.values) is same


def test_a_reference_by_identifier():
    person = patient(identifier=[{"system": "urn:mrn", "value": "42"}])
    for value, same in (("42", True), ("43", False)):
        subject = {"identifier": {"system": "urn:mrn", "value": value}}
        one = observation("29463-7", 71, "kg", subject=subject)
        record = read([person, one], INDEX).record
        assert record is not None
        assert ("weight" in record.values) is same


def test_an_observation_about_something_else_is_not_used():
    one = observation("8480-6", 70, "mmHg", focus=[{"reference": "Patient/baby"}])
    assert problems(one) == {("other_focus", "systolic_bp", "Observation/o")}


# Trap 7: how documents come.


@pytest.mark.parametrize(
    "document", [None, [], {}, 7, "Bundle", [None], bundle(), bundle(type="searchset"), [[[]]]]
)
def test_a_document_about_nobody_gives_no_record_and_says_so(document):
    reading = read(document, INDEX)
    assert (reading.record, reading.basis) == (None, ())
    assert reading.problems[-1].code == "no_patient"


def test_a_prefetch_is_bundles_single_resources_and_nothing():
    prefetch = {
        "patient": patient(), "weight": observation("29463-7", 71, "kg", "w"), "none": None,
        "pulse": bundle(observation("8867-4", 71, "/min"), type="searchset", total=1),
    }  # fmt: skip
    reading = read(list(prefetch.values()), INDEX)
    assert reading.record is not None
    assert (reading.record.values["weight"], reading.record.values["heart_rate"]) == (71, 71)
    assert not reading.problems


def test_further_pages_are_missed():
    link = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]
    for more in ({"link": link}, {"total": 5}):
        document = bundle(patient(), type="searchset", **more)
        assert [p.code for p in read(document, INDEX).problems] == ["paged"]
    assert not read(bundle(patient(), type="searchset", total=1), INDEX).problems


@pytest.mark.parametrize("severity", ["fatal", "error", "warning", None])
def test_an_error_of_the_sender_is_told_wherever_it_stands(severity):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity}]}
    alone = read([patient(), outcome], INDEX).problems
    within = read(bundle(patient(), outcome), INDEX).problems
    entry = {"response": {"status": "404", "outcome": outcome}}
    answered = read(bundle() | {"entry": [{"resource": patient()}, entry]}, INDEX).problems
    for told in (alone, within, answered):
        assert [(p.code, p.params["at"]) for p in told] == [("sender_error", "entry/1")]


def test_information_of_the_sender_is_no_error():
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}
    assert not read([patient(), outcome], INDEX).problems


def test_one_resource_sent_twice_is_one_and_the_newer_version_counts():
    old = observation("29463-7", 71, "kg", meta={"lastUpdated": "2026-11-20T00:00:00Z"})
    new = old | {"status": "entered-in-error", "meta": {"lastUpdated": "2026-11-22T00:00:00Z"}}
    for two in ([old, new], [new, old]):
        assert values(*two) == {}
        assert problems(*two) == {("not_final", "weight", "Observation/o")}
    assert not problems(old, old)


def test_what_was_deleted_is_not_read():
    entry = {"resource": observation("29463-7", 71, "kg"), "request": {"method": "DELETE"}}
    record = read(bundle() | {"entry": [{"resource": patient()}, entry]}, INDEX).record
    assert record is not None
    assert "weight" not in record.values


@pytest.mark.parametrize("id", [None, "with space", "x" * 65, 17, "ngày-sinh"])
def test_what_has_no_proper_id_is_found_by_its_place(id):
    one = observation("29463-7", 700, "kg", id=id)
    assert problems(one) == {("implausible", "weight", "entry/1")}


def test_what_is_too_deep_is_not_read():
    document = bundle(patient())
    for _ in range(10_000):
        document = bundle(document)
    assert [p.code for p in read(document, INDEX).problems] == ["not_a_resource", "no_patient"]
    lists = [patient()]
    for _ in range(10_000):
        lists = [lists]
    assert read(lists, INDEX).problems[-1].code == "no_patient"


def test_no_value_of_a_patient_is_in_a_problem():
    secret = "Nguyễn Thị Bí Mật"
    document = bundle(
        patient(name=[{"text": secret}], gender=secret, birthDate=secret),
        observation("29463-7", secret, secret, status=secret),
        observation("8480-6", secret, secret, "b", effectiveDateTime=secret),
        observation("2093-3", valueQuantity={"value": 1, "unit": secret, "comparator": secret}),
        condition(secret, id=secret), condition("I10", clinicalStatus=secret),
        condition("I10", id="d", verificationStatus=secret), statement("C10AA05", status=secret),
    )  # fmt: skip
    problems = read(document, INDEX).problems
    assert len(problems) >= 7
    assert not [p for p in problems if secret in repr(p)]
