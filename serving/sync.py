"""
Records from stations that were without a network: each kept once, however often it is sent.

A device numbers its records. It sends the number, the text and its SHA-256; the answer comes when
the record is on the disk. A device that saw no answer sends again, and is told that the record is
known. Another text under a known number is refused: nothing is overwritten.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cdss import PatientRecord, RecordError
from cdss.errors import Problem
from cdss.i18n import words
from cdss.wire import problems_to_list
from serving.body import decode, read_json
from serving.problems import RequestError

MOST_BYTES = 250_000
"""Of one record with what goes with it; one that lists 200 earlier visits fits."""

MEMBERS = ("entered", "patient", "record", "answers", "edition")
"""What a device sends of a check-up: when, whose (as the station calls them), and what was said."""

_TABLE = """
CREATE TABLE IF NOT EXISTS records (
    device TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    client TEXT NOT NULL,
    received_at TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (device, sequence)
) WITHOUT ROWID
"""
_DEVICE = re.compile(r"[0-9a-f]{32}")
_NUMBERS = range(1, 2**53)


class Sent(NamedTuple):
    """
    One record as a device sends it.

    Attributes
    ----------
    device : str
        Name of the device, 32 hexadecimal digits; random, says nothing of anybody.
    sequence : int
        Number of the record on that device.
    hash : str
        SHA-256 of the text as it was sent.
    content : mapping
        What the text says.
    """

    device: str
    sequence: int
    hash: str
    content: Mapping[str, Any]


class RecordStore:
    """
    Keeps records, each once.

    Parameters
    ----------
    path : str or Path
        File of the database; by default it is lost when the process ends.
    members : iterable of str
        What is kept of a record, some of `MEMBERS`; a site leaves out what it has no use for.
    """

    def __init__(self, path: str | Path = ":memory:", members: Iterable[str] = MEMBERS) -> None:
        self.members = frozenset(members)
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        if str(path) != ":memory:":
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")  # answered means on the disk
        self._database.execute(_TABLE)

    def keep(self, sent: Sent, client: str = "") -> Literal["stored", "known", "different"]:
        """
        Keep a record, unless it is known.

        Parameters
        ----------
        sent : Sent
            The record.
        client : str
            Who sent it.

        Returns
        -------
        {"stored", "known", "different"}
            ``"different"`` if another text is known under its number: that one stays.
        """
        kept = {name: value for name, value in sent.content.items() if name in self.members}
        row = (
            sent.device, sent.sequence, sent.hash, client, datetime.now(UTC).isoformat(),
            json.dumps(kept, ensure_ascii=False),
        )  # fmt: skip
        with self._lock:
            added = self._database.execute(
                "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?)", row
            ).rowcount
            if added:
                return "stored"
            known = self._database.execute(
                "SELECT hash FROM records WHERE device = ? AND sequence = ?", row[:2]
            ).fetchone()
        return "known" if known[0] == sent.hash else "different"

    def records(self, received_from: str = "") -> Iterator[dict[str, Any]]:
        """
        Give what was kept.

        Parameters
        ----------
        received_from : str
            Only what was received at or after this moment, ISO 8601 in UTC.

        Yields
        ------
        dict
            ``device``, ``sequence``, ``hash``, ``client``, ``received_at`` and the content, in the
            order of their arrival.
        """
        with self._lock, closing(self._database.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT device, sequence, hash, client, received_at, content FROM records"
                " WHERE received_at >= ? ORDER BY received_at, device, sequence",
                (received_from,),
            ).fetchall()
        names = ("device", "sequence", "hash", "client", "received_at")
        for *facts, content in rows:
            yield dict(zip(names, facts, strict=True)) | json.loads(content)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()


class SyncApi:
    """
    The address that stations send their records to.

    Parameters
    ----------
    store : RecordStore
        Where they are kept.
    """

    def __init__(self, store: RecordStore) -> None:
        self.store = store

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            ``POST /v1/records``.
        """
        return [Route("/v1/records", self.keep, methods=["POST"])]

    async def keep(self, request: Request) -> Response:
        """Keep one record; 201 if it is new, 200 if it is known, 409 if its number is taken."""
        sent = read_sent(await read_json(request, MOST_BYTES))
        client = getattr(getattr(request.state, "client", None), "subject", "")
        state = await asyncio.to_thread(self.store.keep, sent, client)
        if state == "different":
            detail = "is known with another text, which was kept"
            raise RequestError(409, [Problem("different_record", "sequence", detail)])
        answer = {
            "device": sent.device, "sequence": sent.sequence, "hash": sent.hash, "state": state,
            "problems": _problems(sent.content.get("record")),
        }  # fmt: skip
        headers = {"cache-control": "no-store"}
        status = 201 if state == "stored" else 200
        return Response(orjson.dumps(answer), status, headers, "application/json")


def read_sent(payload: Any) -> Sent:
    """
    Read what a device sent.

    Parameters
    ----------
    payload : object
        Decoded JSON: ``device``, ``sequence``, ``hash`` and ``content``, the text.

    Returns
    -------
    Sent
        Whole: the text has the hash that was sent with it.

    Raises
    ------
    RequestError
        422 with all problems.
    """
    if not isinstance(payload, Mapping):
        raise RequestError(422, [Problem("not_an_object", "body", "must be a JSON object")])
    problems = [
        Problem("unknown_member", str(name)[:64], "is not device, sequence, hash or content")
        for name in payload
        if name not in Sent._fields
    ]
    device, sequence, digest, text = (payload.get(name) for name in Sent._fields)
    if not (isinstance(device, str) and _DEVICE.fullmatch(device)):
        problems.append(Problem("wrong_device", "device", "must be 32 hexadecimal digits"))
    if isinstance(sequence, bool) or not isinstance(sequence, int) or sequence not in _NUMBERS:
        problems.append(Problem("wrong_sequence", "sequence", "must be a whole number from 1 on"))
    if not isinstance(text, str):
        problems.append(Problem("wrong_content", "content", "must be a text"))
    elif hashlib.sha256(text.encode()).hexdigest() != digest:
        problems.append(Problem("hash_differs", "hash", "is not the SHA-256 of content"))
    content = decode(text.encode()) if isinstance(text, str) and not problems else {}
    if not isinstance(content, Mapping) or set(content) - set(MEMBERS):
        detail = f"must be the text of a JSON object of {', '.join(MEMBERS)}"
        problems.append(Problem("wrong_content", "content", detail))
    if problems:
        raise RequestError(422, problems)
    return Sent(device, sequence, digest, content)  # type: ignore[arg-type]


def _problems(record: Any) -> list[dict[str, str]]:
    """What is wrong with a record; it is kept all the same, since the station has nobody to ask."""
    try:
        PatientRecord.parse(record)
    except RecordError as error:
        return problems_to_list(error.problems, words("en"))
    return []
