"""Example envelopes, whose content was written down here by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdss.checkup.read import Envelope, read_envelope

FOLDER = Path(__file__).parent / "checkup_examples"
AN = {
    "age": 66, "sex": "male", "height": 165.5, "weight": 72, "bmi": 26.3, "heart_rate": 68,
    "systolic_bp": 148, "diastolic_bp": 92, "hypertension": True, "diabetes": True,
    "diabetes_type": "type_2", "bp_treated": True, "fasting_glucose": 7.4,
    "total_cholesterol": 6.2, "hdl_cholesterol": 0.98, "triglycerides": 2.6, "creatinine": 92,
}  # fmt: skip
HOA = {
    "age": 40, "sex": "female", "height": 152, "weight": 47.5, "bmi": 20.6, "heart_rate": 72,
    "systolic_bp": 108, "diastolic_bp": 70, "fasting_glucose": 6.1, "total_cholesterol": 5.9,
    "hdl_cholesterol": 1.2, "creatinine": 71,
}  # fmt: skip
MINH = {"age": 68, "sex": "male"}
THAO = {"age": 60, "sex": "female", "bmi": 23.6, "alt": 31}

EXAMPLES = {
    "two_people": ([AN, HOA], set()),
    "in_place": ([AN, HOA], set()),
    "filled_in": ([MINH], set()),
    "untidy": ([THAO], set()),
    "not_usable": ([None, None, None], set()),
    "billion_laughs": ([], {"document_type"}),
    "external_entity": ([], {"document_type"}),
    "cut_off": ([AN], {"not_xml", "count_differs"}),
    "utf16_declared": ([HOA], set()),
    "bad_part": ([HOA], set()),
}
TOLD = {
    "two_people": [{"perhaps_unasked", "unknown_tests"}, {"perhaps_unasked"}],
    "filled_in": [{"perhaps_unasked", "suspect_default", "age_roughly", "unknown_tests"}],
    "untidy": [
        {
            "perhaps_unasked", "age_roughly", "unspecific", "wrong_flag", "doubtful_drugs",
            "implausible", "ambiguous_number", "not_a_number", "wrong_pressure", "fasting_unknown",
            "unknown_tests", "unknown_unit", "doubtful_code", "no_code",
        }
    ],
    "not_usable": [{"child"}, {"mixed_visits"}, {"wrong_moment"}],
    "bad_part": [{"perhaps_unasked", "not_base64", "unknown_part"}],
}  # fmt: skip
IDENTITY = ("Trần Văn An", "Lê Thị Hoa", "079060001111", "048185002222", "Đỗ Thị Thảo", "Bùi Gia")


def read(name: str) -> Envelope:
    return read_envelope((FOLDER / f"{name}.xml").read_bytes())


def test_every_example_is_looked_at() -> None:
    assert set(EXAMPLES) == {file.stem for file in FOLDER.iterdir()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_read_from_an_example(name: str) -> None:
    people, problems = EXAMPLES[name]
    envelope = read(name)

    records = [one.reading.record for one in envelope.people]
    assert people == [
        record and {n: v for n, v in record.values.items() if n not in record.derived}
        for record in records
    ]
    assert problems == {p.code for p in envelope.problems}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_of_an_example(name: str) -> None:
    assert TOLD[name] == [{p.code for p in one.reading.problems} for one in read(name).people]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_never_tells_who_it_is(name: str) -> None:
    told = repr(read(name))

    assert [] == [words for words in IDENTITY if words in told]
