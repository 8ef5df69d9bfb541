"""
What an EMR sends and gets, word for word: the contract, kept in ``tests/golden/fhir``.

``python -m tests.fhir_golden`` writes the files anew; a change of one is a change of the contract
and needs an ``interop`` entry in CHANGELOG.md. Models: published equations and a toy, whose numbers
no training changes. The version of the software is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cdss
from cdss.fhir.audit_event import audit_event
from cdss.fhir.capability import capability_statement, operation_definition
from cdss.fhir.operation_outcome import issue, operation_outcome
from cdss.fhir.read import read
from cdss.fhir.write import write
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import load_jurisdiction
from tests.toy import toy_model

FOLDER = Path(__file__).parent / "golden" / "fhir"
REQUEST = FOLDER / "request.json"
ID = "0123456789abcdef0123456789abcdef"
BASE = "https://cdss.hospital.example"

_DAY = date(2026, 11, 22)
_LOINC = "http://loinc.org"


def _observation(
    id: str, code: str, value: float, unit: str, day: str = "2026-11-20"
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        "subject": {"reference": "Patient/example"},
        "effectiveDateTime": f"{day}T08:15:00+07:00",
        "valueQuantity": {
            "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
        },
    }  # fmt: skip


def request() -> dict[str, Any]:
    """An invented patient as an EMR sends her; one value is impossible, one too old."""
    pressure = _observation("bp", "85354-9", 0, "mm[Hg]")
    del pressure["valueQuantity"]
    pressure["component"] = [
        {k: part[k] for k in ("code", "valueQuantity")}
        for part in (
            _observation("", "8480-6", 142, "mm[Hg]"), _observation("", "8462-4", 86, "mm[Hg]")
        )
    ]  # fmt: skip
    smoking = _observation("smoking", "72166-2", 0, "1")
    del smoking["valueQuantity"]
    never = {"system": "http://snomed.info/sct", "code": "266919005"}
    smoking["valueCodeableConcept"] = {"coding": [never]}
    resources = [
        {"resourceType": "Patient", "id": "example", "gender": "female", "birthDate": "1972-03-14"},
        pressure,
        smoking,
        _observation("height", "8302-2", 156, "cm"),
        _observation("weight", "29463-7", 64.5, "kg"),
        _observation("waist", "8280-0", 88, "cm"),
        _observation("cholesterol", "2093-3", 228, "mg/dL"),
        _observation("hdl", "2085-9", 50, "mg/dL"),
        _observation("alt", "1742-6", 99999, "U/L"),
        _observation("creatinine", "2160-0", 0.8, "mg/dL", "2019-05-02"),
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in resources],
    }


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """File names and contents."""
    place = load_jurisdiction("vn")
    toy = toy_model(facts={"digest": "ab" * 32}, version="1.0.0")
    models = (*place.models(cdss.published_models()), toy)
    reading = read(request(), _DAY)
    assert reading.record is not None
    assessment = cdss.assess(reading.record, models, place, chosen=True)
    yield REQUEST.name, request()
    with patch.object(cdss, "__version__", "0.0.0"):
        for lang in LANGUAGES:
            yield f"answer.{lang}.json", write(
                assessment, models, assessment_id=ID, lang=lang, subject="Patient/example",
                recorded=datetime(2026, 11, 22, 1, 30, 15, 250000, UTC), basis=reading.basis,
                problems=reading.problems, base_url=BASE,
            )  # fmt: skip
            refused = read([], _DAY)
            issues = [issue(p, "error", words(lang)) for p in refused.problems]
            yield f"refused.{lang}.json", operation_outcome(issues, lang)
        yield "metadata.json", capability_statement(f"{BASE}/fhir")
        yield "operation_definition.json", operation_definition(f"{BASE}/fhir")
        yield "audit_event.json", audit_event(AUDIT_ENTRY)


AUDIT_ENTRY: dict[str, Any] = {
    "assessment_id": ID,
    "recorded": "2026-11-22T01:30:15.250Z",
    "issuer": "https://emr.hospital.example",
    "subject": "emr-client",
    "kind": "fhir",
    "outcome": "ok",
    "models": [
        {"model": "toy", "version": "1.0.0", "digest": "ab" * 32},
        {"model": "findrisc", "version": "2003", "digest": None},
    ],
    "input_sha256": "cd" * 32,
    "lang": "vi",
}


def written(document: dict[str, Any]) -> str:
    """As the file says it."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in documents():
        (FOLDER / name).write_text(written(document), encoding="utf-8")
