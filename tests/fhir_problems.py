"""One document or more for each problem that only FHIR documents have."""

from __future__ import annotations

from cdss.errors import Problem
from cdss.fhir.read import read
from tests.fhir_documents import (
    INDEX,
    bundle,
    concept,
    condition,
    example,
    ill,
    observation,
    panel,
    patient,
    relative,
    request,
)

_DOCUMENTS = (
    example("everything-wrong"),
    None,
    [patient("a"), patient("b")],
    patient(deceasedBoolean=True),
    patient(birthDate="2020-01-01"),
    bundle(
        patient(birthDate="1970"),
        observation("2089-1", 1, "mmol/L", "unknown-code"),
        observation("8480-6", 130, "mm[Hg]", "focus", focus=[{"reference": "Patient/baby"}]),
        observation("2160-0", 88, "umol/L", "molar"),
        observation("2571-8", 15, "mmol/L", "either"),
        observation("33914-3", 70, "mL/min/{1.73_m2}", "mdrd"),
        observation("2345-7", 6, "mmol/L", "glucose"),
        observation("2339-0", 6, "mmol/L", "blood"),
        observation("29463-7", 60, "kg", "month", effectiveDateTime="2026-11"),
        observation(concept("http://loinc.org", "2093-3", "2085-9"), 5, "mmol/L", "two"),
        observation("72166-2", id="answer", valueCodeableConcept=concept("x", "y")),
        panel(id="empty"),
        condition("I10", clinicalStatus=concept("x", "resolved"), id="odd"),
        request("C07AB02", id="beta"),
        request("C09AA05", id="ace"),
        request("C10AA01", id="stopped", status="stopped"),
        relative("FTH", ill("I21"), id="father"),
    ),
)


def every_fhir_problem() -> list[Problem]:
    """What is told of them."""
    return [problem for document in _DOCUMENTS for problem in read(document, INDEX).problems]
