"""The same record and the same models: the same answer, or it is said where it differs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from cdss.assess import Assessment, assess
from cdss.audit.entry import NOT_SHOWN, hash_of_answer, hash_of_record
from cdss.audit.exact import answer, canonical, record_from_json, record_to_json
from cdss.audit.identity import Code, Identity, identities
from cdss.audit.keys import Key, Keys
from cdss.audit.store import Store
from cdss.cds_hooks.prefetch import reading
from cdss.cds_hooks.request import read_request
from cdss.errors import AuditError
from cdss.fhir.read import read
from cdss.jurisdiction import Model, load_jurisdiction
from cdss.record import PatientRecord

TOLERANCE = 1e-6
"""Greatest difference between two numbers, as a share of the larger if that exceeds 1."""

_ANOTHER = "is not the record that was assessed"


class Replayed(NamedTuple):
    """
    What came of a replay.

    Attributes
    ----------
    verdict : {"identical", "equal", "different"}
        Every byte of the answer is the same; every number is the same to 1e-6 and the rest exactly;
        or neither.
    assessment : Assessment
        The new one.
    largest : float or None
        Greatest difference between two numbers; None if the old ones are not kept.
    where : tuple of str
        What differs beyond that, e.g. ``advice/HEARTS-E-1``; empty if the old ones are not kept.
    code : Code
        With which the old answer was made, which explains what differs if it is not the one here.
    """

    verdict: Literal["identical", "equal", "different"]
    assessment: Assessment
    largest: float | None
    where: tuple[str, ...]
    code: Code


def replay(
    entry: Mapping[str, Any],
    record: PatientRecord,
    models: Sequence[Model],
    key: Key,
    kept: Mapping[str, Any] | None = None,
) -> Replayed:
    """
    Assess again, and compare.

    Parameters
    ----------
    entry : mapping
        What the log says about the assessment.
    record : PatientRecord
        The record that was assessed.
    models : sequence of RiskModel or PointsScore
        At least those that were asked.
    key : Key
        Key of the entry.
    kept : mapping, optional
        The old answer, if it was kept; without it, only whether all of it is the same can be said.

    Returns
    -------
    Replayed
        What came of it.

    Raises
    ------
    AuditError
        If it is another record, or a model is not here exactly as it was.
    """
    if not _is_of(entry, record, key):
        raise AuditError(_ANOTHER)
    if wanted := lacking(entry, identities(models)):
        raise AuditError(f"needs {'; '.join(wanted)}")
    by_id = {model.id: model for model in models}
    place = load_jurisdiction(entry["jurisdiction"]) if entry["jurisdiction"] else None
    asked = [by_id[each["model"]] for each in entry["models"]]
    chosen = any(each["status"] == NOT_SHOWN for each in entry["models"])
    assessment = assess(
        record, [place.adapted(m) for m in asked] if place else asked, place, chosen=chosen
    )
    found = canonical(answer(assessment))
    then = Code(**entry["code"])
    if hash_of_answer(found, entry["assessment_id"], key) == entry["answer_sha256"]:
        return Replayed("identical", assessment, 0.0, (), then)
    if kept is None:
        return Replayed("different", assessment, None, (), then)
    differences = dict(_differences(kept, json.loads(found)))
    where = tuple(path for path, by in differences.items() if not by <= TOLERANCE)
    largest = max((by for by in differences.values() if by < math.inf), default=0.0)
    return Replayed("different" if where else "equal", assessment, largest, where, then)


def lacking(entry: Mapping[str, Any], here: Mapping[str, Identity]) -> list[str]:
    """
    Say which models an entry needs that are not here exactly as they were.

    Parameters
    ----------
    entry : mapping
        What the log says about the assessment.
    here : mapping of str to Identity
        The models there are.

    Returns
    -------
    list of str
        Name, version and SHA-256 of each, and what is here instead.
    """
    found = []
    for said in entry["models"]:
        then = Identity(**{name: said[name] for name in Identity._fields})
        now = here.get(then.model)
        if now != then:
            found.append(f"{_exactly(then)}; here is {_exactly(now) if now else 'none'}")
    return found


def kept_of(store: Store, keys: Keys, id: str) -> tuple[PatientRecord, Mapping[str, Any]] | None:
    """
    Look up what is kept of an assessment.

    Parameters
    ----------
    store : Store
        The log.
    keys : Keys
        Its keys.
    id : str
        Of the assessment.

    Returns
    -------
    tuple of PatientRecord and mapping, or None
        The record, and the answer; None if they are not kept.

    Raises
    ------
    AuditError
        If the key is not there any more, or what is kept was changed.
    """
    found = store.kept(id)
    if found is None:
        return None
    key_id, sealed = found
    kept = json.loads(keys.of(key_id).unseal(id, sealed))
    return record_from_json(kept["record"]), kept["answer"]


def record_in(document: Any, entry: Mapping[str, Any], key: Key) -> PatientRecord:
    """
    Find the record of an assessment in the document it came from.

    Parameters
    ----------
    document : object
        Decoded JSON: a record as ``/v1/assess`` takes it, a batch of them, FHIR, or the call of a
        hook in which nothing had to be fetched.
    entry : mapping
        What the log says about the assessment.
    key : Key
        Key of the entry.

    Returns
    -------
    PatientRecord
        The one that was assessed.

    Raises
    ------
    RecordError
        If it cannot be read.
    AuditError
        If the one that was assessed is not in it.
    """
    for record in _records(document, entry):
        if _is_of(entry, record, key):
            return record
    raise AuditError(_ANOTHER)


def _records(document: Any, entry: Mapping[str, Any]) -> Iterator[PatientRecord]:
    members = document if isinstance(document, Mapping) else {}
    day = date.fromisoformat(entry["index_date"])
    if "hook" in members:
        asked = read_request(document)
        found = reading(asked.prefetch, day, asked.patient_id)
        yield from [found.record] if found.record else []
    elif "resourceType" in members:
        found = read(document, day)
        yield from [found.record] if found.record else []
    elif isinstance(members.get("records"), list):
        yield from map(PatientRecord.parse, members["records"])
    else:
        yield PatientRecord.parse(document)


def _is_of(entry: Mapping[str, Any], record: PatientRecord, key: Key) -> bool:
    said = canonical(record_to_json(record))
    expected: str = entry["input_sha256"]
    return hash_of_record(said, entry["assessment_id"], key) == expected


def _exactly(model: Identity) -> str:
    release = "" if model.released else " without a release record"
    return f"{model.model} {model.version} (SHA-256 {model.digest}){release}"


def _differences(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Paths and how far numbers are apart there; infinity for what is no number."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            inner = f"{path}/{name}" if path else name
            if name in then and name in now:
                yield from _differences(then[name], now[name], inner)
            else:
                yield inner, math.inf
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for at, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _differences(one, other, f"{path}/{at}")
    elif isinstance(then, float) and isinstance(now, float):
        yield path, abs(then - now) / max(1.0, abs(then), abs(now))
    elif then != now or type(then) is not type(now):
        yield path, math.inf
