"""The file of counts: by month and client, added to by any number of workers."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cdss.errors import MonitorError
from cdss.monitor.bins import EDGES, PROBABILITY
from cdss.monitor.tally import Counts, Key

_FORMAT = 1
_PATIENCE = 10.0  # seconds to wait for another worker
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counts (
  month TEXT, client TEXT, kind TEXT, name TEXT, part TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, client, kind, name, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bins (name TEXT PRIMARY KEY, edges TEXT NOT NULL) WITHOUT ROWID;
"""
_ADD = """
INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

Months = dict[str, dict[str, Counts]]
"""Month → client → counts."""


class CountFile:
    """
    A file of counts (SQLite).

    Parameters
    ----------
    path : pathlib.Path
        Where; made if it is not there, readable by its owner only.

    Raises
    ------
    MonitorError
        If it cannot be used, or its counts are of other bins.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _explained(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            with self._open() as connection:
                _prepare(connection, path)

    def add(self, month: str, counts: Mapping[str, Counts]) -> None:
        """
        Add counts; all of them, or none if it fails.

        Parameters
        ----------
        month : str
            ``YYYY-MM``.
        counts : mapping of str to Counter
            By client.

        Raises
        ------
        MonitorError
            If they cannot be written.
        """
        rows = [
            (month, client, key.kind, key.name, key.part, n)
            for client, of_client in counts.items()
            for key, n in of_client.items()
        ]
        with _explained(self.path), self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_ADD, rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection each time: some a minute, and nothing is held across a fork.
        connection = sqlite3.connect(self.path, timeout=_PATIENCE)
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def read_counts(path: Path) -> Months:
    """
    Read a file of counts; it may be in use.

    Parameters
    ----------
    path : pathlib.Path
        A file that a service keeps.

    Returns
    -------
    dict
        Month → client → counts, months in order.

    Raises
    ------
    MonitorError
        If it is not such a file, or its counts are of other bins.
    """
    found: Months = {}
    with _explained(path):
        # Never made by reading it; but what a killed worker left half done has to be undone first.
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
        try:
            _check(connection, path)
            for month, client, kind, name, part, n in connection.execute(
                "SELECT * FROM counts ORDER BY month, client, kind, name, part"
            ):
                counts = found.setdefault(month, {}).setdefault(client, Counter())
                counts[Key(kind, name, part)] = n
        finally:
            connection.close()
    return found


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
    _check(connection, path)
    connection.executemany("INSERT OR IGNORE INTO bins VALUES (?, ?)", _bins().items())


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not ours, and what was counted with other bins: never add the two up."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
        raise MonitorError(f"{path.name}: is not a file of counts, or of another version")
    ours = _bins()
    kept = connection.execute("SELECT name, edges FROM bins")
    if other := sorted(name for name, edges in kept if ours.get(name) != edges):
        raise MonitorError(
            f"{path.name}: counted with other bins of {', '.join(other)}: begin anew"
        )


def _bins() -> dict[str, str]:
    return {name: json.dumps(edges) for name, edges in [("", PROBABILITY), *EDGES.items()]}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MonitorError(f"{path.name}: {reason}") from None
