"""What the log says about one assessment. No value of a patient, and none that follows from one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cdss.assess import Assessment
from cdss.audit.exact import answer, canonical, record_to_json
from cdss.audit.identity import Identity, code
from cdss.audit.keys import Key
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange

FORMAT = 1
"""Version of an entry's format."""

_STATUS = {
    RiskEstimate: "estimated",
    RiskRange: "range",
    PointsTotal: "points",
    NoEstimate: "refused",
}
NOT_SHOWN = "not_shown"
"""Status of a model that was asked, while another one answers its question."""


@dataclass(frozen=True, slots=True)
class Asking:
    """
    Who asked, and how.

    Attributes
    ----------
    kind : str
        Format: ``json``, ``batch``, ``fhir``, ``cds-hooks``, ``checkup``.
    lang : str
        Language of the answer.
    issuer, subject, token_id : str or None
        Who vouched for whom, and the id of the token or key; None where nobody was asked who they
        are.
    body : bytes
        What was sent, as it was.
    """

    kind: str
    lang: str
    issuer: str | None = None
    subject: str | None = None
    token_id: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Draft:
    """
    What is to be added to the log.

    Attributes
    ----------
    id : str
        Of the assessment, or of what else happened.
    entry : str
        The entry, canonical JSON.
    key : str
        Id of the key it was made with.
    sealed : bytes or None
        Record and answer, encrypted; None if they are not kept.
    """

    id: str
    entry: str
    key: str
    sealed: bytes | None = None


def draft(
    assessment_id: str,
    assessment: Assessment,
    asking: Asking,
    models: Mapping[str, Identity],
    key: Key,
    *,
    keep: bool = False,
    body_hash: str | None = None,
) -> Draft:
    """
    Make the entry of an assessment.

    Parameters
    ----------
    assessment_id : str
        Its name; not derived from the patient.
    assessment : Assessment
        As `cdss.assess.assess` made it.
    asking : Asking
        Who asked, and how.
    models : mapping of str to Identity
        At least of those that were asked.
    key : Key
        The site's current key.
    keep : bool
        Whether record and answer are kept, sealed, so that they can be replayed without anybody
        bringing the record.
    body_hash : str, optional
        `body_hash` of what was sent, if it is known already: a batch has one for all.

    Returns
    -------
    Draft
        For `cdss.audit.store.Store.append`.
    """
    said = canonical(record_to_json(assessment.record))
    found = canonical(answer(assessment))
    status = {outcome.model: _status(outcome) for outcome in assessment.outcomes}
    entry = {
        "format": FORMAT,
        "assessment_id": assessment_id,
        "recorded": now(),
        "kind": asking.kind,
        "lang": asking.lang,
        "issuer": asking.issuer,
        "subject": asking.subject,
        "token_id": asking.token_id,
        "jurisdiction": assessment.jurisdiction.id if assessment.jurisdiction else None,
        "index_date": assessment.record.index_date.isoformat(),
        "outcome": "ok",
        "models": [
            {**models[id]._asdict(), "status": status.get(id, NOT_SHOWN)} for id in assessment.asked
        ],
        "key": key.id,
        "body_sha256": hash_of_body(asking.body, key) if body_hash is None else body_hash,
        "input_sha256": hash_of_record(said, assessment_id, key),
        "answer_sha256": hash_of_answer(found, assessment_id, key),
        "kept": keep,
        "code": code()._asdict(),
    }
    sealed = (
        key.seal(assessment_id, b'{"record":' + said + b',"answer":' + found + b"}")
        if keep
        else None
    )
    return Draft(assessment_id, canonical(entry).decode(), key.id, sealed)


def forgotten(assessment_id: str, who: str, key: Key) -> Draft:
    """
    Make the entry which says that what was kept of an assessment was deleted.

    Parameters
    ----------
    assessment_id : str
        Of the assessment, whose own entry stays.
    who : str
        Who deleted it.
    key : Key
        The site's current key.

    Returns
    -------
    Draft
        With an id of its own.
    """
    id = os.urandom(16).hex()
    entry = {
        "format": FORMAT,
        "assessment_id": id,
        "recorded": now(),
        "kind": "forget",
        "forgets": assessment_id,
        "issuer": None,
        "subject": who,
        "outcome": "ok",
        "key": key.id,
        "code": code()._asdict(),
    }
    return Draft(id, canonical(entry).decode(), key.id)


def hash_of_body(body: bytes, key: Key) -> str:
    """
    Hash what was sent.

    Parameters
    ----------
    body : bytes
        As it was sent.
    key : Key
        Key of the entry.

    Returns
    -------
    str
        The same for the same bytes.
    """
    return key.mac("body", "", body)


def hash_of_record(said: bytes, assessment_id: str, key: Key) -> str:
    """
    Hash a record.

    Parameters
    ----------
    said : bytes
        `canonical` of `record_to_json`.
    assessment_id : str
        Of the assessment.
    key : Key
        Key of the entry.

    Returns
    -------
    str
        Another one for each assessment of an equal record.
    """
    return key.mac("record", assessment_id, said)


def hash_of_answer(found: bytes, assessment_id: str, key: Key) -> str:
    """
    Hash an answer.

    Parameters
    ----------
    found : bytes
        `canonical` of `cdss.audit.exact.answer`.
    assessment_id : str
        Of the assessment.
    key : Key
        Key of the entry.

    Returns
    -------
    str
        Another one for each assessment of an equal record.
    """
    return key.mac("answer", assessment_id, found)


def now() -> str:
    """
    Look at the clock.

    Returns
    -------
    str
        RFC 3339, UTC, to the millisecond.
    """
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(outcome: Outcome) -> str:
    return _STATUS[type(outcome)]
