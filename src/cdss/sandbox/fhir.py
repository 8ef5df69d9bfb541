"""FHIR: what $assess answers, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdss.sandbox.client import Client
from cdss.sandbox.emr import Patient
from cdss.sandbox.plain import CANARY, Probabilities, differing, repeated
from cdss.sandbox.report import Report, fix_for, unlike

PATH = "/fhir/$assess"
FHIR = "application/fhir+json"

CHECKS = (
    "fhir_metadata", "fhir_answer", "fhir_percent", "fhir_same", "fhir_malformed",
    "fhir_nothing_known",
)  # fmt: skip

ROUNDED = 0.51e-6
"""Half of the last place of a percentage with four decimals."""

_NEEDED = ("RiskAssessment", "Provenance", "Device")


def check_answers(
    client: Client,
    report: Report,
    patients: tuple[Patient, ...],
    known: Mapping[str, Probabilities],
) -> None:
    """
    Send each patient as a Bundle.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patients : tuple of Patient
        Whom.
    known : mapping of str to Probabilities
        What JSON answered about those it answered about.
    """
    said = client.get("/fhir/metadata")
    wrong = unlike(said, 200, FHIR)
    if not wrong and said.object().get("fhirVersion") != "4.0.1":
        wrong = ["fhirVersion is not 4.0.1"]
    report.expect("fhir_metadata", wrong, fix_for(said, PATH))
    wrong, percents, different, answered, fix = [], [], [], set(), "server"
    for patient in patients:
        asked = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "resource", "resource": patient.bundle},
                {"name": "indexDate", "valueDate": patient.record["index_date"]},
            ],
        }
        answer = client.post(PATH, asked, FHIR)
        found = resources(answer.object())
        faults = unlike(answer, 200, FHIR) or [
            f"no {kind}" for kind in _NEEDED if not any(kind == r["resourceType"] for r in found)
        ]
        if faults:
            wrong += [f"{patient.name}: {each}" for each in faults]
            fix = fix_for(answer, PATH)
            continue
        answered.add(patient.name)
        percents += [f"{patient.name}: {each}" for r in found for each in percent_faults(r)]
        if patient.name in known:
            same = differing(known[patient.name], probabilities(found), ROUNDED)
            different += [f"{patient.name}: {each}" for each in same]
    report.expect("fhir_answer", wrong, fix)
    report.expect_of(answered, "fhir_percent", percents)
    report.expect_of(answered & known.keys(), "fhir_same", different)


def check_refusals(client: Client, report: Report) -> None:
    """
    Send what cannot be answered.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    """
    cut = client.post(PATH, b'{"resourceType": "Bundle", "entry": [', FHIR)
    report.expect("fhir_malformed", unlike(cut, 400, FHIR) or no_outcome(cut.json()),
                  fix_for(cut, PATH))  # fmt: skip
    name = {"resourceType": "Patient", "id": "nobody", "name": [{"text": CANARY}]}
    nothing = client.post(PATH, {"resourceType": "Bundle", "type": "collection",
                                 "entry": [{"resource": name}]}, FHIR)  # fmt: skip
    wrong = unlike(nothing, 422, FHIR) or no_outcome(nothing.json()) + repeated(nothing.body)
    report.expect("fhir_nothing_known", wrong, fix_for(nothing, PATH))


def no_outcome(said: Any) -> list[str]:
    """
    Say whether a refusal is an OperationOutcome.

    Parameters
    ----------
    said : object
        Decoded body.

    Returns
    -------
    list of str
        What is wrong, or nothing.
    """
    issues = said.get("issue") if isinstance(said, dict) else None
    if isinstance(said, dict) and said.get("resourceType") == "OperationOutcome" and issues:
        return []
    return ["no OperationOutcome"]


def resources(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Take the resources out of a Bundle.

    Parameters
    ----------
    bundle : mapping
        The Bundle, or anything.

    Returns
    -------
    list of dict
        Those with a type.
    """
    entries = bundle.get("entry")
    found = [e.get("resource") for e in (entries if isinstance(entries, list) else ())]
    return [r for r in found if isinstance(r, dict) and "resourceType" in r]


def percent_faults(resource: Mapping[str, Any]) -> Iterator[str]:
    """
    Check that a RiskAssessment says its probability as R4 has it.

    Parameters
    ----------
    resource : mapping
        Any resource.

    Yields
    ------
    str
        What is wrong.
    """
    if resource.get("resourceType") != "RiskAssessment":
        return
    for low, high in _percents(resource):
        if not 0 <= low <= high <= 100:
            yield "a percentage outside of 0 to 100"
    for prediction in resource.get("prediction", []):
        if "whenPeriod" not in prediction and "whenRange" not in prediction:
            yield "a prediction without when: about the rest of a life"


def probabilities(found: list[dict[str, Any]]) -> Probabilities:
    """
    Take the probabilities out of resources.

    Parameters
    ----------
    found : list of dict
        Resources; RiskAssessments count.

    Returns
    -------
    Probabilities
        By model.
    """
    return {
        resource["identifier"][0]["value"].rpartition("/")[2]: (low / 100, high / 100)
        for resource in found
        if resource["resourceType"] == "RiskAssessment"
        for low, high in _percents(resource)
    }


def _percents(resource: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    for prediction in resource.get("prediction", []):
        if "probabilityDecimal" in prediction:
            yield (prediction["probabilityDecimal"],) * 2
        elif span := prediction.get("probabilityRange"):
            yield span["low"]["value"], span["high"]["value"]
