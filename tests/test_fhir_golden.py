import json
from datetime import date

from cdss.fhir.read import read
from tests.fhir_golden import FOLDER, documents, request, written


def test_what_is_sent_and_answered_is_word_for_word_what_was_agreed() -> None:
    found = {name: written(document) for name, document in documents()}

    assert sorted(found) == sorted(file.name for file in FOLDER.iterdir())
    for name, text in found.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, (
            f"{name} differs: a change of the contract? python -m tests.fhir_golden writes it anew"
        )


def test_the_golden_answer_holds_every_kind_of_resource() -> None:
    answer = json.loads((FOLDER / "answer.en.json").read_text(encoding="utf-8"))
    predictions = [
        key
        for entry in answer["entry"]
        for prediction in entry["resource"].get("prediction", ())
        for key in prediction
    ]

    assert {
        "RiskAssessment", "Observation", "CarePlan", "OperationOutcome", "Provenance", "Device",
    } == {entry["resource"]["resourceType"] for entry in answer["entry"]}  # fmt: skip
    assert {"probabilityDecimal", "probabilityRange"} <= set(predictions)


def test_the_golden_request_is_read() -> None:
    reading = read(request(), date(2026, 11, 22))
    assert {"Observation/alt", "Observation/creatinine"} == {
        problem.params["at"] for problem in reading.problems
    }
