"""
Each entry bound to the one before it: what was changed or taken out afterwards is seen.

What the chain alone cannot show is that its end was cut off, or that all of it was written anew:
for that, its head (how many entries, and the last hash) has to be noted elsewhere from time to time
and given to `verify` later. The server logs it when it starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from cdss.errors import AuditError

_MOST_TOLD = 10


class Head(NamedTuple):
    """
    The end of a chain.

    Attributes
    ----------
    entries : int
        How many there are.
    hash : str
        Hash of the last one, which depends on all of them.
    """

    entries: int
    hash: str


START = Head(0, "0" * 64)
"""Of a log without entries."""


class Line(NamedTuple):
    """
    An entry of the log.

    Attributes
    ----------
    seq : int
        Its place, from 1.
    id : str
        Of the assessment, or of what else happened.
    entry : str
        What it says, JSON.
    hash : str
        SHA-256 that binds it to the one before.
    """

    seq: int
    id: str
    entry: str
    hash: str


def bound(before: str, entry: str) -> str:
    """
    Bind an entry to the one before.

    Parameters
    ----------
    before : str
        Hash of the one before.
    entry : str
        What the entry says.

    Returns
    -------
    str
        SHA-256 of both, a line each; hexadecimal digits.
    """
    return hashlib.sha256(f"{before}\n{entry}\n".encode()).hexdigest()


def verify(lines: Iterable[Line], known: Head | None = None) -> Head:
    """
    Check that entries are as they were written.

    Parameters
    ----------
    lines : iterable of Line
        The log from its first entry.
    known : Head, optional
        A head noted earlier, which must be in the log.

    Returns
    -------
    Head
        Where the log ends.

    Raises
    ------
    AuditError
        Naming the entries that were changed, and after which ones some are missing.
    """
    at, before, found = 0, START.hash, []
    seen = known is None or known == START
    for line in lines:
        if line.seq != at + 1:
            found.append(f"entries {at + 1} to {line.seq - 1} are missing")
        elif line.hash != bound(before, line.entry) or line.id != _id(line.entry):
            found.append(f"entry {line.seq} was changed, or one was put before it")
        if known is not None and line.seq == known.entries:
            seen = line.hash == known.hash
        at, before = line.seq, line.hash
    if not seen and known is not None:
        found.append(
            f"entry {known.entries} is not the one whose hash was noted"
            if at >= known.entries
            else f"it ends at {at}, but had {known.entries} entries"
        )
    if found:
        more = f"; {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        raise AuditError(f"the log is not as written: {'; '.join(found[:_MOST_TOLD])}{more}")
    return Head(at, before)


def _id(entry: str) -> str | None:
    try:
        said = json.loads(entry)
        return str(said["assessment_id"])
    except (ValueError, KeyError, TypeError):
        return None
