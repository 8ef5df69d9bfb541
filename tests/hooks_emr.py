"""A small EMR: one patient's resources, how it answers prefetch queries, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.testclient import TestClient

from cdss import load_jurisdiction, published_models
from cdss.cds_hooks.cards import Link
from cdss.cds_hooks.prefetch import KEYS
from serving.hooks_api import HooksApi
from serving.problems import HANDLERS
from tests.shipped import shipped

Resource = dict[str, Any]

PATIENT = "patient-7"
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
MODELS = (*shipped(), *published_models())
PLACE = load_jurisdiction("vn")
ASSESSMENT = "0123456789abcdef" * 2

_LOINC = "http://loinc.org"
_ABOUT = {"subject": {"reference": f"Patient/{PATIENT}"}}


def patient(**changes: Any) -> Resource:
    """Who it is."""
    told = {"id": PATIENT, "gender": "male", "birthDate": "1968-05-17"}
    return {"resourceType": "Patient", **told, **changes}


def measured(code: str, value: float, unit: str, day: str = "2026-11-20") -> Resource:
    """One measurement."""
    return {
        "resourceType": "Observation",
        "id": f"{code}-{day}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        **_ABOUT,
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
        },
    }  # fmt: skip


def pressure(systolic: float, diastolic: float, day: str = "2026-11-20") -> Resource:
    """One reading of blood pressure."""
    parts = [measured("8480-6", systolic, "mm[Hg]"), measured("8462-4", diastolic, "mm[Hg]")]
    return {
        "resourceType": "Observation",
        "id": f"bp-{day}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "85354-9"}]},
        **_ABOUT,
        "effectiveDateTime": day,
        "component": [{k: part[k] for k in ("code", "valueQuantity")} for part in parts],
    }


def smoker() -> Resource:
    """Smokes daily."""
    answer = {"coding": [{"system": "http://snomed.info/sct", "code": "449868002"}]}
    return {
        "resourceType": "Observation",
        "id": "smoking",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "72166-2"}]},
        **_ABOUT,
        "effectiveDateTime": "2026-11-20",
        "valueCodeableConcept": answer,
    }


def condition(icd10: str) -> Resource:
    """An active diagnosis."""
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "id": icd10.replace(".", "-"),
        "clinicalStatus": {"coding": [{"system": status, "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": icd10}]},
        **_ABOUT,
    }


def chart() -> list[Resource]:
    """All resources of a man of 58 years who smokes and has raised blood pressure."""
    return [
        patient(),
        pressure(152, 94),
        measured("8302-2", 165, "cm"),
        measured("29463-7", 72, "kg"),
        measured("8280-0", 92, "cm"),
        measured("8867-4", 80, "/min"),
        smoker(),
        measured("14647-2", 6.2, "mmol/L"),
        measured("14646-4", 1.1, "mmol/L"),
        measured("22748-8", 4.0, "mmol/L"),
        measured("14927-8", 2.1, "mmol/L"),
        measured("14682-9", 90, "umol/L"),
        measured("1742-6", 30, "U/L"),
        measured("1920-8", 25, "U/L"),
    ]


def search(query: str, resources: Iterable[Resource]) -> Resource:
    """Answer a query of the subset that CDS Hooks recommends, as a FHIR server would."""
    kind, _, conditions = query.partition("?")
    wanted = dict(parse_qsl(conditions))
    codes = {code.rpartition("|")[2] for code in wanted.get("code", "").split(",")} - {""}
    found = [
        r
        for r in resources
        if r["resourceType"] == kind
        and (not codes or codes & {coding["code"] for coding in r["code"]["coding"]})
    ]
    found.sort(key=lambda r: str(r.get("effectiveDateTime", "")), reverse=True)
    shown = found[: int(wanted.get("_count", 1000))]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if shown:
        bundle["entry"] = [{"resource": r, "search": {"mode": "match"}} for r in shown]
    if len(shown) < len(found):
        bundle["link"] = [{"relation": "next", "url": f"https://emr.example/{kind}?page=2"}]
    return bundle


def prefetch(resources: Iterable[Resource], **changes: Any) -> Resource:
    """Answer every query that the service advertises."""
    resources = list(resources)
    person = next((r for r in resources if r["resourceType"] == "Patient"), None)
    found = {
        key.name: person if key.name == "patient" else search(key.query, resources) for key in KEYS
    }
    return {**found, **changes}


def hook(prefetched: Mapping[str, Any] | None = None, **changes: Any) -> Resource:
    """A request of the hook patient-view."""
    told = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/12", "patientId": PATIENT},
        "prefetch": prefetch(chart()) if prefetched is None else prefetched,
    }
    return {key: value for key, value in {**told, **changes}.items() if value is not ...}


def to_a_page(asked: Any, assessment_id: str, reading: Any, here: str) -> Link:
    """Where an answer is explained."""
    return Link(f"https://cdss.example/pages/{assessment_id}")


def client(
    *, models: Any = MODELS, place: Any = PLACE, new_id: Callable[[], str] = lambda: ASSESSMENT,
    **options: Any,
) -> TestClient:  # fmt: skip
    """A client of the service, at a fixed time and with fixed identifiers."""
    api = HooksApi(models, place, clock=lambda: NOW, new_id=new_id, **options)
    app = Starlette(routes=api.routes(), exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return TestClient(app, raise_server_exceptions=False)
