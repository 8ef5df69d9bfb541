import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import cdss
from cdss.errors import Problem
from cdss.estimate import NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.operation_outcome import issue
from cdss.fhir.parts import CODES, percent, period, reference
from cdss.fhir.write import standalone, write
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import load_jurisdiction
from tests.fhir_answers import (
    DAY,
    ID,
    MOMENT,
    PATIENTS,
    STRING,
    Answer,
    all_models,
    answer,
    answers,
    of_model,
    read_patient,
    resources,
    walk,
)

each_language = pytest.mark.parametrize("lang", LANGUAGES)
each_patient = pytest.mark.parametrize("patient", PATIENTS)


def rewritten(found: Answer, **changes: object) -> dict[str, object]:
    """The same answer, written with other arguments."""
    given = {
        "assessment_id": ID, "recorded": MOMENT, "basis": found.reading.basis,
        "problems": found.reading.problems, "subject": "Patient/p1", "lang": found.lang,
        "base_url": "https://cdss.invalid",
    }  # fmt: skip
    return write(found.assessment, found.models, **(given | changes))  # type: ignore[arg-type]


@each_patient
def test_each_estimate_is_a_risk_assessment_in_percent(patient: str) -> None:
    found = answer(patient, every=True)

    for estimate in found.assessment.estimates:
        resource = of_model(found.bundle, estimate.model)
        (prediction,) = resource["prediction"]
        assert "RiskAssessment" == resource["resourceType"]
        assert 100 * estimate.probability == pytest.approx(
            prediction["probabilityDecimal"], 0, 1e-4
        )
    assert len(found.assessment.estimates) == sum(
        "probabilityDecimal" in r["prediction"][0]
        for r in resources(found.bundle, "RiskAssessment")
    )


def test_an_estimate_of_twelve_percent_is_twelve_and_not_a_fraction() -> None:
    assert (12.0, 0.0412, 100.0) == (percent(0.12), percent(0.000412), percent(1.0))


def test_every_kind_of_answer_is_among_the_patients() -> None:
    kinds = {type(o) for found in answers() for o in found.assessment.outcomes}

    assert {RiskEstimate, RiskRange, PointsTotal, NoEstimate} == kinds


def test_when_is_from_the_index_date_to_the_horizon() -> None:
    assert {"start": "2026-11-22", "end": "2036-11-22"} == period(DAY, 10)
    assert {"start": "2024-02-29", "end": "2025-02-28"} == period(date(2024, 2, 29), 1)
    assert {"start": "2026-11-22", "end": "2034-05-22"} == period(DAY, 7.5)
    bundle = answer("everything", every=True).bundle
    ends = {r["prediction"][0]["whenPeriod"]["end"] for r in resources(bundle, "RiskAssessment")}
    assert {"2026-11-22", "2036-11-22", "2056-11-22"} <= ends


def test_a_prediction_of_now_is_about_the_index_date_and_not_about_a_life() -> None:
    bundle = answer("normal pressure", every=True).bundle
    prediction = of_model(bundle, "diabetes-undiagnosed")["prediction"][0]

    assert {"start": "2026-11-22", "end": "2026-11-22"} == prediction["whenPeriod"]


def test_no_prediction_is_without_when() -> None:
    for found in answers():
        for resource in resources(found.bundle, "RiskAssessment"):
            assert "whenPeriod" in resource["prediction"][0]


def test_a_range_has_both_ends_in_percent() -> None:
    found = answer("ranges", every=True)
    assert found.assessment.ranges
    for each in found.assessment.ranges:
        (prediction,) = of_model(found.bundle, each.model)["prediction"]
        ends = prediction["probabilityRange"]
        assert {"value", "unit", "system", "code"} == set(ends["low"])
        assert "%" == ends["low"]["code"] == ends["high"]["code"]
        assert (percent(each.low), percent(each.high)) == (
            ends["low"]["value"], ends["high"]["value"]
        )  # fmt: skip
        assert "probabilityDecimal" not in prediction
        assert all(words("en").label(name) in prediction["rationale"] for name in each.narrowed_by)


@each_patient
def test_points_are_an_observation_and_no_probability(patient: str) -> None:
    found = answer(patient, every=True)

    for total in found.assessment.points:
        resource = of_model(found.bundle, total.model)
        assert "Observation" == resource["resourceType"]
        assert "probability" not in json.dumps(resource)
        if total.low == total.high:
            assert total.low == resource["valueInteger"]
        else:
            ends = resource["valueRange"]
            assert (total.low, total.high) == (ends["low"]["value"], ends["high"]["value"])
        said = resource.get("interpretation", [{"coding": [{"code": None}]}])[0]["coding"][0]
        assert {True: "POS", False: "NEG", None: None}[total.positive] == said["code"]
        assert len(total.items) == len(resource["component"])


@each_patient
def test_a_refusal_is_told_with_all_its_reasons_and_never_as_a_number(patient: str) -> None:
    found = answer(patient, every=True)
    said = json.dumps(resources(found.bundle, "OperationOutcome"))

    for refusal in found.assessment.not_estimated:
        for reason in refusal.reasons:
            assert f"{refusal.model}@{refusal.version}: {reason.variable}" in said
    answered = {
        r["method"]["coding"][0]["code"]
        for kind in ("RiskAssessment", "Observation")
        for r in resources(found.bundle, kind)
    }
    assert {o.model for o in found.assessment.outcomes} - answered == {
        refusal.model for refusal in found.assessment.not_estimated
    }


def test_basis_is_what_the_model_used_and_nothing_else() -> None:
    bundle = answer("everything", every=True).bundle

    def basis(model: str) -> set[str]:
        return {each["reference"] for each in of_model(bundle, model)["basis"]}

    assert basis("who-2019-nonlab-sea") == {
        "Patient/p1", "Observation/bp", "Observation/smoking", "Observation/height",
        "Observation/weight", "Observation/diagnoses",
    }  # fmt: skip
    assert basis("who-2019-lab-sea") == {
        "Patient/p1", "Observation/bp", "Observation/smoking", "Observation/cholesterol",
        "Observation/diagnoses",
    }  # fmt: skip


def test_a_computed_value_rests_on_what_it_was_computed_from() -> None:
    found = answer("everything", every=True)
    basis = [each["reference"] for each in of_model(found.bundle, "cvd-death")["basis"]]

    assert "egfr" in found.assessment.record.derived
    assert "Observation/creatinine" in basis
    assert len(set(basis)) == len(basis)


def test_an_unknown_input_has_no_basis() -> None:
    bundle = answer("no laboratory", every=True).bundle

    assert "Observation/creatinine" not in json.dumps(bundle)


def test_derived_values_that_follow_from_each_other_do_not_go_in_circles() -> None:
    reading = read_patient({"relatives_with_diabetes": None})
    said = [*reading.basis, reading.basis[0]._replace(variable="parents_with_diabetes", at="X/1")]
    record = cdss.PatientRecord.parse(
        {"index_date": "2026-11-22", "values": {"age": 54, "parents_with_diabetes": "one"}}
    )
    found = cdss.assess(record, all_models())
    bundle = write(found, all_models(), assessment_id=ID, recorded=MOMENT, basis=said)

    assert {"first_degree_diabetes", "relatives_with_diabetes"} <= record.derived
    assert bundle["entry"]


def test_what_has_no_address_is_named_and_not_referred_to() -> None:
    assert {"display": "entry/17"} == reference("entry/17")
    assert {"reference": "Observation/42"} == reference("Observation/42")
    for address in ("https://emr.vn/fhir/Patient/1", "urn:uuid:0d0b"):
        assert {"reference": address} == reference(address)
    for odd in ("Patient/1 or 2", "Patient/", "javascript:x", "Patient/1\n", "\0"):
        assert ["display"] == list(reference(odd))
        assert STRING.fullmatch(reference(odd)["display"])


def test_without_a_subject_the_patient_of_the_request_is_meant() -> None:
    found = answer("everything")
    bundle = rewritten(found, subject=None)

    (plan,) = resources(bundle, "CarePlan")
    assert {"display": "Patient of the request"} == plan["subject"]


def test_nothing_is_null_or_empty_and_every_string_is_one_of_fhir() -> None:
    for found in answers():
        for path, value in walk(found.bundle):
            assert value not in (None, "", [], {}), path
            assert not isinstance(value, str) or STRING.fullmatch(value), path
            assert not isinstance(value, str) or value.strip() == value, path


def test_references_within_the_bundle_are_all_there_and_ids_are_unique() -> None:
    for found in answers():
        urls = [entry["fullUrl"] for entry in found.bundle["entry"]]
        wanted = {
            value
            for path, value in walk(found.bundle)
            if path.endswith(".reference") and value.startswith("urn:uuid:")
        }
        assert len(set(urls)) == len(urls)
        assert wanted <= set(urls)
        assert [f"urn:uuid:{e['resource']['id']}" for e in found.bundle["entry"]] == urls


@each_language
def test_every_score_says_what_this_is_not(lang: str) -> None:
    bundle = answer("everything", lang=lang, every=True).bundle
    notice = words(lang)("notice.advisory")

    for kind in ("RiskAssessment", "Observation", "CarePlan"):
        assert resources(bundle, kind)
        for resource in resources(bundle, kind):
            assert notice in [note["text"] for note in resource["note"]]
            assert "AIAST" == resource["meta"]["security"][0]["code"]


@each_language
def test_every_warning_of_an_estimate_stands_in_its_notes(lang: str) -> None:
    found, text = answer("everything", lang=lang, every=True), words(lang)
    codes = set()

    for estimate in found.assessment.estimates:
        notes = [note["text"] for note in of_model(found.bundle, estimate.model)["note"]]
        for warning in estimate.warnings:
            codes.add(warning.code)
            assert f"{text.label(warning.variable)}: {text.problem(warning)}" in notes
    assert {"demonstration", "outcome_measured", "comparison_only"} <= codes


@each_language
def test_the_rationale_explains_in_the_language_and_claims_no_cause(lang: str) -> None:
    found, text = answer("everything", lang=lang), words(lang)
    estimate = next(e for e in found.assessment.estimates if e.model == "cvd-death")
    rationale = of_model(found.bundle, "cvd-death")["prediction"][0]["rationale"]

    assert rationale.startswith(text.percent(estimate.probability))
    assert estimate.interval is not None
    assert text.interval(estimate.interval) in rationale
    assert f"- {text.label('age')}, {text.quantity('age', 54)}: " in rationale
    assert text("notice.baseline") in rationale
    assert text("report.computed") in rationale
    for name in estimate.missing:
        assert text.label(name) in rationale
    assert not re.search(r"\b(because|bởi vì|do đó)\b", rationale)


def test_models_that_disagree_are_named_and_one_says_beside_whom_it_stands() -> None:
    bundle = answer("everything").bundle
    answered, beside = (
        [note["text"] for note in of_model(bundle, f"who-2019-lab-{region}")["note"]]
        for region in ("sea", "vnm")
    )

    assert any("who-2019-lab-sea, who-2019-lab-vnm" in n or "vnm, who-2019-lab-sea" in n
               for n in answered)  # fmt: skip
    assert words("en")("fhir.beside", model="who-2019-lab-sea") in beside
    assert [{"text": "Heart attack or stroke"}] == of_model(bundle, "who-2019-lab-sea")[
        "reasonCode"
    ]
    assert "reasonCode" not in of_model(bundle, "who-2019-lab-vnm")


def test_the_answer_to_a_question_stands_before_what_stands_beside_it() -> None:
    bundle = answer("everything", every=True).bundle

    first = [r["method"]["coding"][0]["code"] for r in resources(bundle, "RiskAssessment")][:2]
    assert ["who-2019-lab-sea", "who-2019-lab-vnm"] == first


@pytest.mark.parametrize(
    ("patient", "code", "hl7"),
    [("everything", "green", None), ("man at high risk", "deep_red", "high")],
)
def test_a_band_is_told_of_the_answer_only_with_a_code_only_where_the_source_has_the_word(
    patient: str, code: str, hl7: str | None
) -> None:
    found = answer(patient, every=True)
    banded = {
        r["method"]["coding"][0]["code"]: r["prediction"][0]["qualitativeRisk"]
        for r in resources(found.bundle, "RiskAssessment")
        if "qualitativeRisk" in r["prediction"][0]
    }

    (model, risk), = banded.items()  # fmt: skip
    choice = next(c for c in found.assessment.choices if c.question.id == "cardiovascular")
    assert choice.model == model
    assert words("en")(f"band.{code}") == risk["text"]
    codes = [c["code"] for c in risk["coding"]]
    assert [code, hl7] == codes if hl7 else [code] == codes


@each_language
def test_all_advice_is_in_the_plan_with_source_and_strength(lang: str) -> None:
    found = answer("man at high risk", lang=lang)
    (plan,) = resources(found.bundle, "CarePlan")

    assert [a.rule.id for a in found.assessment.advice] == [
        each["detail"]["code"]["coding"][0]["code"] for each in plan["activity"]
    ]
    for advice, each in zip(found.assessment.advice, plan["activity"], strict=True):
        assert advice.rule.source.citation in each["detail"]["description"]
        assert "not-started" == each["detail"]["status"]
    assert ("draft", "proposal") == (plan["status"], plan["intent"])


def test_mitigation_is_the_advice_about_that_risk() -> None:
    bundle = answer("man at high risk", every=True).bundle

    heart = of_model(bundle, "who-2019-lab-sea")["mitigation"]
    assert "(CVR-06)" in heart
    assert "(DM" not in heart
    assert heart == of_model(bundle, "cvd-death")["mitigation"]
    assert "(CVR" not in of_model(bundle, "hypertension-undiagnosed")["mitigation"]


def test_every_outcome_of_a_model_has_its_mitigation() -> None:
    named = {outcome for row in CODES["mitigation"] for outcome in row["outcomes"]}

    assert {model.outcome for model in all_models()} == named


def test_devices_name_model_version_and_hash() -> None:
    found = answer("everything", every=True)
    devices = {d.get("modelNumber"): d for d in resources(found.bundle, "Device")}

    for outcome in found.assessment.outcomes:
        if isinstance(outcome, NoEstimate):
            continue
        device = devices[outcome.model]
        values = [version["value"] for version in device["version"]]
        assert outcome.version == values[0]
        digest = next(m for m in found.models if m.id == outcome.model).facts.get("digest")
        assert values[1:] == ([digest] if digest else [])
        assert (device["type"].get("coding") is not None) == bool(digest)
        made_by = of_model(found.bundle, outcome.model)
        made_by = made_by.get("performer") or made_by["device"]
        assert f"urn:uuid:{device['id']}" == made_by["reference"]
    assert cdss.__version__ == devices[None]["version"][0]["value"]


def test_provenance_covers_everything_written_and_every_model() -> None:
    found = answer("everything")
    (made,) = resources(found.bundle, "Provenance")
    kinds = ("RiskAssessment", "Observation", "CarePlan", "OperationOutcome")
    written = [f"urn:uuid:{r['id']}" for k in kinds for r in resources(found.bundle, k)]

    assert sorted(written) == sorted(t["reference"] for t in made["target"])
    assert "2026-11-22T08:30:15.250Z" == made["recorded"] == found.bundle["timestamp"]
    agents = {agent["who"]["reference"] for agent in made["agent"]}
    assert {f"urn:uuid:{d['id']}" for d in resources(found.bundle, "Device")} == agents
    sources = {entity["what"]["reference"] for entity in made["entity"]}
    assert {each.at for each in found.reading.basis} == sources


def test_an_unreleased_model_says_so_in_its_notes_and_device() -> None:
    found = answer("everything")
    models = [replace(m, released=False) if m.id == "cvd-death" else m for m in found.models]
    assessment = cdss.assess(found.assessment.record, models, load_jurisdiction("vn"), chosen=True)
    bundle = write(assessment, models, assessment_id=ID, recorded=MOMENT)

    device = next(d for d in resources(bundle, "Device") if d.get("modelNumber") == "cvd-death")
    assert words("en")("card.not_released") in [note["text"] for note in device["note"]]


def test_what_was_not_used_is_told_with_its_place_and_without_its_value() -> None:
    found = answer("impossible values")
    (outcome,) = resources(found.bundle, "OperationOutcome")
    warnings = [i for i in outcome["issue"] if i["severity"] == "warning"]

    assert {"Observation/alt", "Observation/waist", "Observation/pulse", "Observation/bp"} == {
        place for each in warnings for place in each["location"]
    }
    assert len(warnings) == len(found.reading.problems)
    assert "ALT: must be within 0.5 to 5000 U/L" in [w["details"]["text"] for w in warnings]
    assert not re.search(r"1000000000|1e\+?0?9|199|fast\b", json.dumps(outcome))


def test_no_issue_holds_a_value_of_the_patient() -> None:
    odd = {
        "age": 53.713,
        "systolic_bp": 143.737,
        "alt": 23.919,
        "weight": 64.537,
        "height": 156.319,
    }
    reading = read_patient({**odd, "hba1c": 41.373})
    models = all_models()
    found = cdss.assess(reading.record, models, load_jurisdiction("vn"))  # type: ignore[arg-type]
    bundle = write(
        found, models, assessment_id=ID, recorded=MOMENT, basis=reading.basis,
        problems=reading.problems,
    )  # fmt: skip
    said = json.dumps(resources(bundle, "OperationOutcome"))

    assert not re.search(r"53\.7|143\.7|23\.9|64\.5|156\.3|41\.3", said)


def test_a_stale_value_is_told_once() -> None:
    stale = Problem(
        "stale", "hba1c", "is older than 365 days: not used", {"days": 365, "at": "O/1"}
    )
    found = answer("everything")
    record = replace(found.assessment.record, set_aside=(stale,))
    found = found._replace(assessment=replace(found.assessment, record=record))

    for problems in ((), (stale,)):
        (outcome,) = resources(rewritten(found, problems=problems), "OperationOutcome")
        codes = [i["details"]["coding"][0]["code"] for i in outcome["issue"]]
        assert 1 == codes.count("stale")


def test_a_place_that_is_a_fhirpath_is_an_expression() -> None:
    problem = Problem("implausible", "alt", "", {"low": 1, "high": 2, "unit": "U/L"})
    at = {"at": "Bundle.entry[3].resource"}

    said = issue(replace(problem, params={**problem.params, **at}), "warning", words("en"))
    assert ["Bundle.entry[3].resource"] == said["expression"]
    assert "location" not in issue(problem, "warning", words("en"))


def test_what_somebody_sent_as_a_name_cannot_break_the_issue() -> None:
    for name in ("\0\x1f", "a\u00a0b", " x ", "\n"):
        said = issue(Problem("unknown_variable", name, "is not"), "error", words("vi"))
        for path, value in walk(said):
            assert not isinstance(value, str) or STRING.fullmatch(value), path
            assert not isinstance(value, str) or value.isprintable(), path


def test_a_problem_without_words_is_said_in_english_rather_than_not_at_all() -> None:
    said = issue(Problem("solar_flare", "server", "was hit"), "error", words("vi"))

    assert ("processing", "server: was hit") == (said["code"], said["details"]["text"])


def test_an_assumed_index_date_is_said() -> None:
    found = answer("everything")
    first = resources(rewritten(found, date_given=False), "OperationOutcome")[0]["issue"][0]

    assert "date_assumed" == first["details"]["coding"][0]["code"]
    assert "2026-11-22" in first["details"]["text"]
    assert "date_assumed" not in json.dumps(found.bundle)


def test_where_nothing_can_be_estimated_the_answer_is_a_list_of_reasons_and_not_empty() -> None:
    found = answer("nothing anybody can use")

    assert [] == resources(found.bundle, "RiskAssessment")
    (outcome,) = resources(found.bundle, "OperationOutcome")
    assert "missing_input" in json.dumps(outcome)


def test_the_same_arguments_give_the_same_bytes() -> None:
    found = answer("everything")

    assert json.dumps(found.bundle) == json.dumps(rewritten(found))
    other = rewritten(found, assessment_id="f" * 32)
    ids = [{r["id"] for r in resources(b, "RiskAssessment")} for b in (found.bundle, other)]
    devices = [[d["id"] for d in resources(b, "Device")] for b in (found.bundle, other)]
    assert ids[0].isdisjoint(ids[1])
    assert devices[0] == devices[1]


def test_numbers_do_not_depend_on_the_language() -> None:
    def numbers(lang: str) -> list[object]:
        bundle = answer("ranges", lang=lang, every=True).bundle
        return [v for _, v in walk(bundle) if isinstance(v, int | float)]

    assert numbers("en") == numbers("vi")


@each_language
@each_patient
def test_an_answer_can_stand_alone(patient: str, lang: str) -> None:
    found = answer(patient, lang=lang)

    for outcome in found.assessment.outcomes:
        if isinstance(outcome, NoEstimate):
            continue
        alone = standalone(
            found.assessment, found.models, assessment_id=ID, subject="Patient/p1",
            basis=found.reading.basis, lang=lang,
        )(outcome)  # fmt: skip
        (inside,) = alone["contained"]
        assert "#device" == (alone.get("performer") or alone["device"])["reference"]
        assert ("device", outcome.model) == (inside["id"], inside["modelNumber"])
        assert "urn:uuid:" not in json.dumps(alone)


def test_issue_codes_are_of_problems_that_exist() -> None:
    listed = [code for codes in CODES["issue"].values() for code in codes]
    root = Path(__file__).parents[1]
    code = "".join(f.read_text() for d in ("src", "serving") for f in (root / d).rglob("*.py"))

    assert len(set(listed)) == len(listed)
    assert [] == [each for each in listed if f'"{each}"' not in code]
