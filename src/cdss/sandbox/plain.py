"""JSON: what it answers, what it refuses; and the check-up XML, read here and sent as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from cdss.checkup.read import read_envelope
from cdss.record import PatientRecord
from cdss.sandbox.client import Client
from cdss.sandbox.emr import Patient
from cdss.sandbox.report import Report, fix_for, unlike

PATH = "/v1/assess"
PROBLEM = "application/problem+json"
CANARY = "Canary-Nguyen-Van-Kiem"
"""A value of a patient that no refusal may repeat."""

CHECKS = (
    "json_answer", "json_adds_up", "json_malformed", "json_type", "json_nothing_known",
    "json_all_problems", "json_too_large", "checkup_read", "checkup_same",
)  # fmt: skip

Probabilities = Mapping[str, tuple[float, float]]
"""Model → probability, twice; or both ends of a range."""

_SAME = 1e-9
_ADDS_UP = 1e-6


def check_answers(
    client: Client, report: Report, patients: tuple[Patient, ...]
) -> dict[str, tuple[dict[str, Any], Probabilities]]:
    """
    Send each patient as JSON.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patients : tuple of Patient
        Whom.

    Returns
    -------
    dict
        Patient → answer, and the probabilities in it; of those who were answered.
    """
    wrong, sums, found, fix = [], [], {}, "server"
    for patient in patients:
        answer = client.post(PATH, patient.record)
        faults = [*unlike(answer, 200, "application/json"), *_faults(answer.object())]
        wrong += [f"{patient.name}: {each}" for each in faults]
        if faults:
            fix = fix_for(answer, PATH)
            continue
        said = answer.object()
        sums += [f"{patient.name}: {model}" for model in _not_adding_up(said)]
        found[patient.name] = said, probabilities(said)
    report.expect("json_answer", wrong, fix)
    report.expect_of(found, "json_adds_up", sums)
    return found


def probabilities(said: Mapping[str, Any]) -> Probabilities:
    """
    Take the probabilities out of an answer.

    Parameters
    ----------
    said : mapping
        Answer of ``/v1/assess``.

    Returns
    -------
    Probabilities
        Estimates and ranges.
    """
    return {e["model"]: (e["probability"],) * 2 for e in said["estimates"]} | {
        r["model"]: (r["low"], r["high"]) for r in said["ranges"]
    }


def _faults(said: Mapping[str, Any]) -> Iterator[str]:
    """What an answer lacks."""
    for name, kind in (("assessment_id", str), ("notice", str), ("estimates", list),
                       ("ranges", list), ("points", list), ("not_estimated", list)):  # fmt: skip
        if not isinstance(said.get(name), kind):
            yield f"no {name}"
            return
    if not said["estimates"]:
        yield "no estimate at all"
    for model, ends in probabilities(said).items():
        if not 0 <= ends[0] <= ends[1] <= 1:
            yield f"{model}: no probability between 0 and 1"


def _not_adding_up(said: Mapping[str, Any]) -> Iterator[str]:
    """Models whose contributions do not lead from the baseline to the probability."""
    for each in said["estimates"]:
        total = sum(c["log_odds"] for c in each["contributions"])
        expected = _log_odds(each["probability"]) - _log_odds(each["baseline_probability"])
        if abs(total - expected) > _ADDS_UP * max(1, abs(expected)):
            yield each["model"]


def _log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def check_refusals(client: Client, report: Report, patient: Patient) -> None:
    """
    Send what cannot be answered.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patient : Patient
        Of whom to send a part.
    """
    cut = client.post(PATH, b'{"index_date": "2026-')
    report.expect("json_malformed", unlike(cut, 400, PROBLEM), fix_for(cut, PATH))
    text = client.post(PATH, b"hello", "text/plain")
    report.expect("json_type", unlike(text, 415, PROBLEM), fix_for(text, PATH))
    nothing = client.post(PATH, {"index_date": patient.record["index_date"], "values": {}})
    report.expect("json_nothing_known", unlike(nothing, 422, PROBLEM), fix_for(nothing, PATH))
    values = patient.record["values"] | {"smoking": CANARY, "height": CANARY, "shoe_size": 41}
    several = client.post(PATH, patient.record | {"values": values})
    wrong = unlike(several, 422, PROBLEM)
    named = {p.get("variable") for p in several.object().get("problems", [])}
    wrong += [f"{name} is not named" for name in ("smoking", "height") if name not in named]
    report.expect("json_all_problems", wrong + repeated(several.body), fix_for(several, PATH))
    large = client.post(PATH, b'{"values": "' + b"0" * 150_000 + b'"}')
    report.expect("json_too_large", unlike(large, 413), fix_for(large, PATH))


def repeated(body: bytes) -> list[str]:
    """
    Say whether a refusal repeats a patient's value.

    Parameters
    ----------
    body : bytes
        The refusal.

    Returns
    -------
    list of str
        What is wrong, or nothing.
    """
    return ["repeats a value of the patient"] if CANARY.encode() in body else []


def check_checkup(client: Client, report: Report, patient: Patient, known: Probabilities) -> None:
    """
    Read a check-up envelope here, and send what was read.

    Parameters
    ----------
    client : Client
        Calls the server.
    report : Report
        Findings are added.
    patient : Patient
        One with an envelope.
    known : Probabilities
        Those of the same patient's record.
    """
    envelope = read_envelope(patient.envelope or b"")
    readings = [person.reading for person in envelope.people]
    problems = [*envelope.problems, *(p for reading in readings for p in reading.problems)]
    wrong = [f"{p.variable}: {p.code}" for p in problems]
    record = readings[0].record if readings else None
    if not report.expect("checkup_read", wrong or ([] if record else ["nobody in it"])) or (
        record is None
    ):
        return
    answer = client.post(PATH, _sent(record))
    wrong = unlike(answer, 200, "application/json")
    if not wrong:
        wrong = differing(known, probabilities(answer.object()), _SAME)
    report.expect("checkup_same", wrong, fix_for(answer, PATH))


def _sent(record: PatientRecord) -> dict[str, Any]:
    """A record as JSON has it: what was derived is derived again."""
    values = {k: v for k, v in record.values.items() if k not in record.derived}
    return {"index_date": record.index_date.isoformat(), "values": values}


def differing(known: Probabilities, found: Probabilities, by: float) -> list[str]:
    """
    Compare probabilities of two formats.

    Parameters
    ----------
    known : Probabilities
        Of JSON.
    found : Probabilities
        Of the other.
    by : float
        How much they may differ.

    Returns
    -------
    list of str
        Models that differ, or answer in one of the two only.
    """
    return [
        f"{model}: {'not in both' if model not in known or model not in found else 'differs'}"
        for model in sorted(known.keys() | found.keys())
        if model not in known
        or model not in found
        or max(abs(a - b) for a, b in zip(known[model], found[model], strict=True)) > by
    ]
