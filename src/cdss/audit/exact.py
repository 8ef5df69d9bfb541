"""A record and an answer in JSON that loses nothing and says one thing in one way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.record import PatientRecord, Visit


def canonical(value: Any) -> bytes:
    """
    Write a value so that equal values are equal bytes.

    Parameters
    ----------
    value : object
        Of JSON types, or made of what records and answers are made of.

    Returns
    -------
    bytes
        ASCII JSON, keys sorted, numbers as the shortest text that reads back as the same number.

    Raises
    ------
    ValueError
        If a number is not finite: there is no JSON for it.
    TypeError
        If something else has no JSON.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    return text.encode("ascii")


def record_to_json(record: PatientRecord) -> dict[str, Any]:
    """
    Say a record, all of it.

    Parameters
    ----------
    record : PatientRecord
        Any record, from whatever format.

    Returns
    -------
    dict
        Of JSON types only.
    """
    said: dict[str, Any] = json.loads(
        canonical(
            {
                "index_date": record.index_date,
                "values": record.values,
                "derived": record.derived,
                "set_aside": [
                    {"code": p.code, "variable": p.variable, "detail": p.detail, "params": p.params}
                    for p in record.set_aside
                ],
                "measured": record.measured,
                "history": [{"day": visit.day, "values": visit.values} for visit in record.history],
            }
        )
    )
    return said


def record_from_json(said: Mapping[str, Any]) -> PatientRecord:
    """
    Make the record again.

    Parameters
    ----------
    said : mapping
        As `record_to_json` says it; nothing is checked or derived anew, since that was done.

    Returns
    -------
    PatientRecord
        Equal to the one that was said.
    """
    return PatientRecord(
        date.fromisoformat(said["index_date"]),
        MappingProxyType(dict(said["values"])),
        frozenset(said["derived"]),
        tuple(
            Problem(p["code"], p["variable"], p["detail"], _frozen(p["params"]))
            for p in said["set_aside"]
        ),
        {name: date.fromisoformat(day) for name, day in said["measured"].items()},
        tuple(
            Visit(date.fromisoformat(visit["day"]), MappingProxyType(dict(visit["values"])))
            for visit in said["history"]
        ),
    )


def answer(assessment: Assessment) -> dict[str, Any]:
    """
    Take from an assessment what was found, without words: the same in every language and format.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.

    Returns
    -------
    dict
        For `canonical`: outcomes with every number, choices, advice and what is undecided.
    """
    return {
        "outcomes": {outcome.model: outcome for outcome in assessment.outcomes},
        "choices": {
            choice.question.id: {
                "model": choice.model,
                "beside": choice.beside,
                "measured": choice.measured,
            }
            for choice in assessment.choices
        },
        "advice": {advice.rule.id: advice.params for advice in assessment.advice},
        "undecided": {undecided.rule.id: undecided.needs for undecided in assessment.undecided},
    }


def _plain(value: Any) -> Any:
    """What `json` does not know: tuples, the named ones too, it writes as lists."""
    if isinstance(value, Problem):  # its sentence is words
        return [value.code, value.variable, value.params]
    if is_dataclass(value) and not isinstance(value, type):
        said = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"is": type(value).__name__, **said}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _frozen(value: Any) -> Any:
    """Lists back to the tuples they were."""
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
