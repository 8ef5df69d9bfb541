"""
Where the log is: ``audit.sqlite`` or ``postgresql://…``; append, look up, forget.

Two tables. ``cdss_audit`` is the log; the database itself refuses to change or delete in it.
``cdss_vault`` has what is kept of assessments, sealed; there, deleting is possible and is logged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from cdss.audit.chain import START, Head, Line, bound
from cdss.audit.entry import Draft
from cdss.errors import AuditError

Rows = list[tuple[Any, ...]]
Execute = Callable[[str, Sequence[Any]], Rows]
"""Run a statement, whose parameters are written ``?``."""

_HEAD = "SELECT seq, hash FROM cdss_audit ORDER BY seq DESC LIMIT 1"
_APPEND = "INSERT INTO cdss_audit (seq, id, entry, hash) VALUES "
_KEEP = "INSERT INTO cdss_vault (id, key, sealed) VALUES "
_PAGE = "SELECT seq, id, entry, hash FROM cdss_audit WHERE seq > ? ORDER BY seq LIMIT 500"
_FIND = "SELECT seq, id, entry, hash FROM cdss_audit WHERE id = ?"
_KEPT = "SELECT key, sealed FROM cdss_vault WHERE id = ?"
_FORGET = "DELETE FROM cdss_vault WHERE id = ?"
_AT_ONCE = 200  # rows


class Database(Protocol):
    """What `cdss.audit.sqlite` and `cdss.audit.postgres` have in common."""

    name: str

    def transaction(self) -> AbstractContextManager[Execute]:
        """Append, all or nothing, on disk when it ends; nobody else does meanwhile."""

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """
        Ask.

        Parameters
        ----------
        statement : str
            SQL.
        parameters : sequence
            Of it.

        Returns
        -------
        list of tuple
            What was found.
        """

    def purge(self) -> None:
        """Leave no copy of what was deleted."""

    def close(self) -> None:
        """Let go."""


class Store:
    """
    The log, in a database.

    Parameters
    ----------
    database : Database
        Which. Used by one thread at a time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.name = database.name

    def append(self, drafts: Sequence[Draft]) -> None:
        """
        Add entries, all or none; they are on disk when this returns.

        Parameters
        ----------
        drafts : sequence of Draft
            In the order in which they are to stand.

        Raises
        ------
        AuditError
            If they cannot be written.
        """
        with self._database.transaction() as execute:
            _append(execute, drafts)

    def head(self) -> Head:
        """
        Say where the log ends.

        Returns
        -------
        Head
            How many entries there are, and the hash of the last.

        Raises
        ------
        AuditError
            If it cannot be read.
        """
        return _head(self._database.read)

    def lines(self, after: int = 0) -> Iterator[Line]:
        """
        Read the log.

        Parameters
        ----------
        after : int
            Place of the entry after which to start.

        Yields
        ------
        Line
            In the order in which they were written.

        Raises
        ------
        AuditError
            If it cannot be read.
        """
        while page := self._database.read(_PAGE, (after,)):
            yield from map(Line._make, page)
            after = page[-1][0]

    def find(self, id: str) -> Line:
        """
        Look up an entry.

        Parameters
        ----------
        id : str
            Of the assessment.

        Returns
        -------
        Line
            Its entry.

        Raises
        ------
        AuditError
            If there is none, or the log cannot be read.
        """
        for row in self._database.read(_FIND, (id,)):
            return Line._make(row)
        raise AuditError(f"{self.name}: has no assessment of that id")

    def kept(self, id: str) -> tuple[str, bytes] | None:
        """
        Look up what is kept of an assessment.

        Parameters
        ----------
        id : str
            Of the assessment.

        Returns
        -------
        tuple of str and bytes, or None
            Id of the key, and what it sealed; None if nothing is kept.

        Raises
        ------
        AuditError
            If it cannot be read.
        """
        for key, sealed in self._database.read(_KEPT, (id,)):
            return key, bytes(sealed)
        return None

    def forget(self, id: str, entry: Draft) -> None:
        """
        Delete what is kept of an assessment, and log that.

        Parameters
        ----------
        id : str
            Of the assessment; its own entry stays.
        entry : Draft
            As `cdss.audit.entry.forgotten` makes it.

        Raises
        ------
        AuditError
            If nothing is kept of it, or it cannot be written.
        """
        with self._database.transaction() as execute:
            if not execute(_KEPT, (id,)):
                raise AuditError(f"{self.name}: nothing is kept of that assessment")
            execute(_FORGET, (id,))
            _append(execute, [entry])
        self._database.purge()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_store(where: str, *, write: bool = True, create: bool = True) -> Store:
    """
    Open a log.

    Parameters
    ----------
    where : str
        Path of a file, or a postgresql:// URL.
    write : bool
        Whether something will be appended; if not, nothing at all is changed.
    create : bool
        Whether it is made if it is not there yet.

    Returns
    -------
    Store
        The log.

    Raises
    ------
    AuditError
        If it cannot be opened, is something else, or would not keep what it acknowledged.
    """
    scheme = scheme_of(where)
    if scheme == "postgresql":
        from cdss.audit.postgres import Postgres

        return Store(Postgres(where, write=write, create=create))
    from cdss.audit.sqlite import Sqlite

    return Store(Sqlite(Path(where), write=write, create=create))


def scheme_of(where: str) -> str:
    """
    Say in what kind of database a log is.

    Parameters
    ----------
    where : str
        Path of a file, or a postgresql:// URL.

    Returns
    -------
    str
        ``sqlite`` or ``postgresql``.

    Raises
    ------
    AuditError
        If it is another kind of URL; the text has no part of it, since it may hold a password.
    """
    if "://" not in where:
        if not where or where.endswith(os.sep):
            raise AuditError("the audit log must be the path of a file, or a postgresql:// URL")
        return "sqlite"
    if urlsplit(where).scheme not in ("postgresql", "postgres"):
        raise AuditError("the audit log must be the path of a file, or a postgresql:// URL")
    return "postgresql"


def _head(execute: Callable[[str], Rows]) -> Head:
    for entries, last in execute(_HEAD):
        return Head(entries, last)
    return START


def _append(execute: Execute, drafts: Sequence[Draft]) -> None:
    seq, before = _head(lambda statement: execute(statement, ()))
    lines = []
    for draft in drafts:
        seq, before = seq + 1, bound(before, draft.entry)
        lines.append((seq, draft.id, draft.entry, before))
    _insert(execute, _APPEND, lines)
    _insert(execute, _KEEP, [(d.id, d.key, d.sealed) for d in drafts if d.sealed is not None])


def _insert(execute: Execute, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Some hundred rows in one statement: each is a way to the server and back."""
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values = f"({', '.join('?' * len(some[0]))})"
        execute(statement + ", ".join([values] * len(some)), [cell for row in some for cell in row])
