"""Whether the page says what a card said: of that the audit log has a hash, and no more."""

from __future__ import annotations

import asyncio
import json

from cdss import Assessment
from cdss.audit.entry import hash_of_answer
from cdss.audit.exact import answer, canonical
from cdss.errors import AuditError
from serving.journal import Journal, Keeps
from serving.page.opened import Compare


def comparing(journal: Keeps | None) -> Compare | None:
    """
    Make what compares.

    Parameters
    ----------
    journal : Keeps or None
        Where assessments are recorded.

    Returns
    -------
    callable or None
        None if nothing is recorded that could be compared with.
    """
    if not isinstance(journal, Journal):
        return None

    async def compare(card: str, assessment: Assessment) -> bool | None:
        return await asyncio.to_thread(_same, journal, card, assessment)

    return compare


def _same(journal: Journal, card: str, assessment: Assessment) -> bool | None:
    try:
        entry = json.loads(journal.store.find(card).entry)
        key = journal.keys.of(entry["key"])
        said = entry["answer_sha256"]
    except (AuditError, KeyError):
        return None
    return bool(hash_of_answer(canonical(answer(assessment)), card, key) == said)
