"""Diagnoses, drugs and relatives: every trap that real data set, one test each."""

from __future__ import annotations

import pytest

from tests.fhir_documents import (
    ATC,
    CLINICAL,
    ICD10,
    RXNORM,
    SNOMED,
    VERIFICATION,
    concept,
    condition,
    ill,
    problems,
    quantity,
    relative,
    request,
    statement,
    values,
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("I10", {"hypertension": True}),
        ("I13.0", {"hypertension": True}),
        ("E10.10", {"diabetes": True, "diabetes_type": "type_1"}),
        ("E11.4†", {"diabetes": True, "diabetes_type": "type_2"}),
        ("E14.5", {"diabetes": True}),
        ("I21.9", {"prior_mi": True}),
        ("I25.2", {"prior_mi": True, "prior_cvd": True}),
        ("I25.1", {"prior_cvd": True}),
        ("I63", {"prior_stroke": True}),
        ("G45.9", {"prior_stroke": True}),
        ("G45.4", {}),
        ("I62.0", {}),
        ("N18.3", {"ckd": True}),
        ("R73.0", {"ever_high_glucose": True}),
        ("O24.4", {}),
        ("Z83.3", {}),
        ("I1", {}),
    ],
)
def test_diagnoses_by_icd_10(code, expected):
    assert values(condition(code, onsetDateTime=None)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("38341003", {"hypertension": True}),
        ("44054006", {"diabetes": True, "diabetes_type": "type_2"}),
        ("73211009", {"diabetes": True}),
        ("22298006", {"prior_mi": True}),
        ("230690007", {"prior_stroke": True}),
        ("53741008", {"prior_cvd": True}),
        ("700379002", {"ckd": True}),
        ("15777000", {"ever_high_glucose": True}),
    ],
)
def test_diagnoses_by_snomed(code, expected):
    assert values(condition(code, SNOMED, onsetDateTime=None)) == expected


@pytest.mark.parametrize("status", ["refuted", "entered-in-error", "unconfirmed", "provisional"])
def test_a_diagnosis_in_doubt_says_neither_yes_nor_no(status):
    one = condition("E11", verificationStatus=concept(VERIFICATION, status))
    assert values(one) == {}
    assert problems(one) == {("not_confirmed", "diabetes", "Condition/c")}


def test_without_a_diagnosis_nothing_is_denied():
    known = values(condition("J45"), condition("160245001", SNOMED))
    assert known == {}


@pytest.mark.parametrize("status", ["resolved", "inactive", "remission"])
def test_a_diagnosis_that_is_over_counts_where_it_is_history(status):
    over = {"clinicalStatus": concept(CLINICAL, status)}
    assert values(condition("I21", **over)) == {"prior_mi": True}
    assert values(condition("O24.4", **over)) == {"previous_gestational_diabetes": True}
    assert values(condition("I10", **over)) == {}
    assert problems(condition("I10", **over)) == {("not_current", "hypertension", "Condition/c")}
    assert problems(condition("O24.4")) == {
        ("not_current", "previous_gestational_diabetes", "Condition/c")
    }


def test_a_diagnosis_that_ended_after_the_index_date_was_active_then():
    resolved = concept(CLINICAL, "resolved")
    for day, expected in (("2026-12-01", {"hypertension": True}), ("2026-10-01", {})):
        assert values(condition("I10", clinicalStatus=resolved, abatementDateTime=day)) == expected
    assert values(condition("I10", abatementString="long ago")) == {}


def test_a_diagnosis_without_statuses_counts_and_one_with_an_odd_status_does_not():
    assert values(condition("I10", clinicalStatus=None, verificationStatus=None)) == {
        "hypertension": True
    }
    assert values(condition("I10", clinicalStatus=concept("x", "resolved"))) == {}
    assert values(condition("I10", clinicalStatus={"text": "resolved"})) == {}
    assert values(condition("I10", verificationStatus={"text": "refuted"})) == {}


@pytest.mark.parametrize("member", ["onsetDateTime", "recordedDate"])
def test_a_diagnosis_of_the_future_is_not_known_yet(member):
    one = condition("I10", **{member: "2026-12-24"})
    assert values(one) == {}
    assert problems(one) == {("future_date", "hypertension", "Condition/c")}


@pytest.mark.parametrize(
    ("more", "age", "told"),
    [
        ({"onsetDateTime": "2015-03-01"}, 44, False), ({"onsetDateTime": "2015"}, 44, True),
        ({"onsetDateTime": None, "onsetPeriod": {"start": "2015-03-02"}}, 45, False),
        ({"onsetDateTime": None, "onsetAge": quantity(41, "a")}, 41, False),
        ({"onsetDateTime": None}, None, False),
        ({"code": concept(ICD10, "E11.4")}, None, False),
        ({"code": concept(SNOMED, "422034002")}, None, False),
    ],
)  # fmt: skip
def test_the_age_at_diagnosis_is_that_of_diabetes_itself(more, age, told):
    one = condition("E11.9", **more)
    assert values(one).get("age_at_diabetes_diagnosis") == age
    assert {p[0] for p in problems(one)} == ({"age_roughly"} if told else set())


def test_the_first_diagnosis_counts():
    later = condition("E11", id="later", onsetDateTime="2021-01-01")
    earlier = condition("E11", id="earlier", onsetDateTime="2010-05-01")
    assert values(later, earlier)["age_at_diabetes_diagnosis"] == 40


def test_of_two_types_of_diabetes_none_is_used():
    two = [condition("E10", id="1"), condition("E11", id="2")]
    assert values(*two) == {"diabetes": True, "age_at_diabetes_diagnosis": 50}
    assert problems(*two) == {
        ("conflicting_codes", "diabetes_type", f"Condition/{n}") for n in "12"
    }
    both = {"coding": [*concept(ICD10, "E10")["coding"], *concept(SNOMED, "44054006")["coding"]]}
    assert "diabetes_type" not in values(condition("E10", code=both))


def test_a_pregnancy_is_believed_for_42_weeks():
    assert values(condition("Z34.9", onsetDateTime="2026-04-01")) == {"pregnant": True}
    assert values(condition("Z34.9", onsetDateTime="2026-01-01", recordedDate=None)) == {}
    assert values(condition("Z33.2", onsetDateTime="2026-11-01")) == {}


# Drugs.


@pytest.mark.parametrize("make", [request, statement])
@pytest.mark.parametrize(
    ("code", "system", "variable"),
    [
        ("C10AA05", ATC, "on_statin"), ("C10BA05", ATC, "on_statin"), ("C10BX05", ATC, "on_statin"),
        ("A10BA02", ATC, "on_metformin"), ("A10BD07", ATC, "on_metformin"),
        ("C09AA04", ATC, "bp_treated"), ("C08CA01", ATC, "bp_treated"),
        ("312961", RXNORM, "on_statin"), ("860975", RXNORM, "on_metformin"),
        ("197361", RXNORM, "bp_treated"),
    ],
)  # fmt: skip
def test_a_drug_that_is_taken_says_yes(make, code, system, variable):
    assert values(make(code, system)) == {variable: True}


@pytest.mark.parametrize("code", ["C10BA10", "C10AB05", "A10BD06", "B01AC06", "C10", "C1"])
def test_drugs_that_say_nothing(code):
    assert values(statement(code)) == {}
    assert problems(statement(code)) == {("not_read", "document", "MedicationStatement/m")}


def test_a_combination_says_both():
    assert values(statement("C10BX03")) == {"on_statin": True, "bp_treated": True}


@pytest.mark.parametrize(
    "one",
    [
        *(statement("C10AA05", status=s) for s in ("completed", "stopped", "intended", "on-hold",
                                                   "entered-in-error", "not-taken", "unknown", 1)),
        statement("C10AA05", effectivePeriod={"start": "2026-01-01", "end": "2026-06-01"}),
        *(request("C10AA05", status=s) for s in ("completed", "stopped", "draft", "cancelled")),
        *(request("C10AA05", intent=i) for i in ("proposal", "plan", "option", None)),
        request("C10AA05", doNotPerform=True),
    ],
)  # fmt: skip
def test_a_drug_that_is_not_taken_now_does_not_say_no(one):
    assert values(one) == {}
    assert problems(one) == {("not_taken", "on_statin", f"{one['resourceType']}/m")}


def test_a_prescription_of_years_ago_or_of_no_date_is_not_taken_now():
    assert problems(request("C10AA05", authoredOn="2019-01-01")) == {
        ("stale", "on_statin", "MedicationRequest/m")
    }
    assert problems(request("C10AA05", authoredOn=None)) == {
        ("undated", "on_statin", "MedicationRequest/m")
    }
    assert problems(statement("C10AA05", dateAsserted=None, effectivePeriod={"start": "2027"})) == {
        ("future_date", "on_statin", "MedicationStatement/m")
    }


@pytest.mark.parametrize(
    ("reference", "found"),
    [("#m", True), ("Medication/m2", True), ("urn:uuid:m2", True), ("Medication/none", False),
     ("https://a.org/fhir/Medication/m2", True), ("#none", False)],
)  # fmt: skip
def test_a_drug_may_be_contained_or_referred_to(reference, found):
    one = statement("") | {
        "medicationCodeableConcept": None, "medicationReference": {"reference": reference},
        "contained": [{"resourceType": "Medication", "id": "m", "code": concept(ATC, "C10AA01")}],
    }  # fmt: skip
    ingredient = [{"itemCodeableConcept": concept(RXNORM, "36567")}]
    other = {"resourceType": "Medication", "id": "m2", "ingredient": ingredient}
    assert values(one, other) == ({"on_statin": True} if found else {})


def test_a_drug_mainly_for_hypertension_is_taken_as_such_and_that_is_told():
    one = statement("C09AA05")
    assert problems(one) == {("purpose_assumed", "bp_treated", "MedicationStatement/m")}
    assert problems(one, condition("I10")) == set()


@pytest.mark.parametrize(
    ("others", "more"),
    [
        ([], {"reasonCode": [concept(SNOMED, "88805009")]}),
        ([condition("I50", id="hf")], {"reasonReference": [{"reference": "Condition/hf"}]}),
        ([condition("I25.1")], {}),
        ([condition("N18.3")], {}),
    ],
)
def test_a_drug_that_may_be_for_something_else_does_not_say_hypertension(others, more):
    told = problems(statement("C09AA05", **more), *others)
    assert ("purpose_unknown", "bp_treated", "MedicationStatement/m") in told
    assert "bp_treated" not in values(statement("C09AA05", **more), *others)


@pytest.mark.parametrize("code", ["C07AB02", "C03CA01", "C08DA01", "C09DX04"])
def test_a_drug_for_several_purposes_needs_a_reason(code):
    assert values(statement(code)) == {}
    assert values(statement(code, reasonCode=[concept(ICD10, "I10")])) == {"bp_treated": True}
    assert values(statement(code), condition("I10")) == {"bp_treated": True, "hypertension": True}


# The family.


def test_diabetes_of_a_parent_is_of_first_degree_and_one_parent_is_not_said_to_be_the_only_one():
    assert values(relative("FTH", ill("E11"))) == {
        "family_history_diabetes": True, "first_degree_diabetes": True,
    }  # fmt: skip
    assert values(relative("MGRFTH", ill("E11"))) == {"family_history_diabetes": True}
    assert values(relative("FTH", ill("E11")), relative("MTH", id="g")) == {
        "family_history_diabetes": True, "first_degree_diabetes": True,
    }  # fmt: skip


def test_two_parents_with_hypertension():
    both = [relative("NFTH", ill("I10")), relative("NMTH", ill("I11.9"), id="g")]
    assert values(*both) == {"parents_with_hypertension": "both"}


@pytest.mark.parametrize(
    ("who", "age", "early"),
    [("FTH", 54, True), ("FTH", 55, False), ("SIS", 64, True), ("SIS", 65, False)],
)
def test_heart_disease_in_the_family_counts_if_it_came_early(who, age, early):
    one = relative(who, ill("I21.9", age))
    assert values(one) == ({"family_history_cvd": True} if early else {})
    assert not problems(one)


def test_heart_disease_of_a_relative_needs_an_age():
    assert problems(relative("BRO", ill("I21"))) == {
        ("age_of_relative", "family_history_cvd", "FamilyMemberHistory/f")
    }


@pytest.mark.parametrize("who", ["STPFTH", "FTHINLAW", "SPS", "COUSN"])
def test_others_than_relatives_by_blood_do_not_count(who):
    assert values(relative(who, ill("E11"))) == {}
    assert problems(relative(who, ill("E11"))) == {
        ("not_read", "document", "FamilyMemberHistory/f")
    }


def test_a_family_history_that_was_not_taken_or_came_later():
    assert {p[0] for p in problems(relative("FTH", ill("E11"), status="health-unknown"))} == {
        "not_final"
    }
    assert {p[0] for p in problems(relative("FTH", ill("E11"), date="2027"))} == {"future_date"}
