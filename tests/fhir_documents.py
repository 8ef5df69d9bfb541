"""FHIR resources made by us, as small as they can be."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from cdss.fhir.read import read
from cdss.reading import Reading

INDEX = date(2026, 11, 24)
DAY = "2026-11-20"
EXAMPLES = sorted((Path(__file__).parent / "fhir_examples").glob("*.json"))

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

Json = dict[str, Any]


def example(name: str) -> Any:
    """One of the files in tests/fhir_examples."""
    file = Path(__file__).parent / "fhir_examples" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def concept(system: str, *codes: str, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes], **more}


def patient(id: str = "p", **more: Any) -> Json:
    person = {"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1970-03-02"}
    return {k: v for k, v in (person | more).items() if v is not None}


def quantity(value: Any, unit: str | None) -> Json:
    return {"value": value} | ({"unit": unit, "code": unit} if unit is not None else {})


def observation(
    code: str | Json, value: Any = None, unit: str | None = None, id: str = "o", **more: Any
) -> Json:
    one = {
        "resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": DAY,
        "code": concept(LOINC, code) if isinstance(code, str) else code,
        "subject": {"reference": "Patient/p"},
    }  # fmt: skip
    if value is not None:
        one["valueQuantity"] = quantity(value, unit)
    return {k: v for k, v in (one | more).items() if v is not None}


def component(code: str, value: Any = None, unit: str | None = "mm[Hg]", **more: Any) -> Json:
    one: Json = {"code": concept(LOINC, code)}
    return one | ({} if value is None else {"valueQuantity": quantity(value, unit)}) | more


def panel(*components: Json, code: str = "85354-9", **more: Any) -> Json:
    return observation(code, component=list(components), **more)


def condition(code: str, system: str = ICD10, /, id: str = "c", **more: Any) -> Json:
    one = {
        "resourceType": "Condition", "id": id, "code": concept(system, code),
        "clinicalStatus": concept(CLINICAL, "active"), "subject": {"reference": "Patient/p"},
        "verificationStatus": concept(VERIFICATION, "confirmed"),
        "onsetDateTime": "2020-05-01", "recordedDate": "2020-05-02",
    }  # fmt: skip
    return {k: v for k, v in (one | more).items() if v is not None}


def request(code: str, system: str = ATC, id: str = "m", **more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
        "medicationCodeableConcept": concept(system, code), "authoredOn": DAY,
        "subject": {"reference": "Patient/p"},
    } | more  # fmt: skip


def statement(code: str, system: str = ATC, id: str = "m", **more: Any) -> Json:
    return {
        "resourceType": "MedicationStatement", "id": id, "status": "active", "dateAsserted": DAY,
        "medicationCodeableConcept": concept(system, code), "subject": {"reference": "Patient/p"},
    } | more  # fmt: skip


def relative(who: str, *conditions: Json, id: str = "f", **more: Any) -> Json:
    return {
        "resourceType": "FamilyMemberHistory", "id": id, "status": "completed",
        "patient": {"reference": "Patient/p"}, "relationship": concept(ROLE, who),
        "condition": list(conditions),
    } | more  # fmt: skip


def ill(code: str, age: float | None = None) -> Json:
    one: Json = {"code": concept(ICD10, code)}
    return one if age is None else one | {"onsetAge": quantity(age, "a")}


def bundle(*resources: Any, type: str = "collection", **more: Any) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": type, "entry": entries, **more}


def reading(*resources: Any) -> Reading:
    """What is made of a bundle of a patient and these."""
    return read(bundle(patient(), *resources), INDEX)


def values(*resources: Any) -> dict[str, Any]:
    """What is known of the patient; age, sex and what follows from them left out."""
    record = reading(*resources).record
    assert record is not None
    return {n: v for n, v in record.values.items() if n not in record.derived | {"age", "sex"}}


def problems(*resources: Any) -> set[tuple[str, str, str]]:
    """Code, variable and place of what is told."""
    return {(p.code, p.variable, p.params["at"]) for p in reading(*resources).problems}
