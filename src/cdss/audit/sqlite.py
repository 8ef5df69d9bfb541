"""The log in a file. On a local disk: a network's does not lock as SQLite needs it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdss.errors import AuditError

WAIT_SECONDS = 5.0
"""How long to wait for another process that is writing."""

_TABLES = """
CREATE TABLE cdss_audit (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE cdss_vault (id TEXT NOT NULL PRIMARY KEY, key TEXT NOT NULL, sealed BLOB NOT NULL);
CREATE TRIGGER cdss_audit_no_update BEFORE UPDATE ON cdss_audit
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER cdss_audit_no_delete BEFORE DELETE ON cdss_audit
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER cdss_audit_next BEFORE INSERT ON cdss_audit
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM cdss_audit)
    OR EXISTS (SELECT 1 FROM cdss_audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER cdss_vault_no_update BEFORE UPDATE ON cdss_vault
BEGIN SELECT RAISE(ABORT, 'what is kept is never changed'); END;
"""

_REASONS = {
    "SQLITE_BUSY": f"another process has held it for more than {WAIT_SECONDS:.0f} s",
    "SQLITE_LOCKED": "another process holds it",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "may not be written",
    "SQLITE_CANTOPEN": "cannot be opened",
    "SQLITE_NOTADB": "is no SQLite database",
    "SQLITE_CORRUPT": "is damaged",
    "SQLITE_IOERR": "the disk failed",
    "SQLITE_CONSTRAINT": "refused to change what is in it",
}


class Sqlite:
    """
    A file.

    Parameters
    ----------
    path : pathlib.Path
        Which.
    write : bool
        Whether something will be appended.
    create : bool
        Whether it is made if it is not there yet.

    Raises
    ------
    AuditError
        If it cannot be opened, or is another database.
    """

    def __init__(self, path: Path, *, write: bool = True, create: bool = True) -> None:
        self.path, self.name = path, path.name
        if write and create:
            self._make()
        try:
            self._file = os.stat(path).st_ino
        except OSError as error:
            raise AuditError(f"{self.name}: {error.strerror}") from None
        if write and not os.access(path, os.W_OK):  # SQLite would open it, for reading
            raise AuditError(f"{self.name}: may not be written")
        with self._told():
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}",
                uri=True,
                timeout=WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # `Store` is used by one thread at a time
            )
            if write:
                self._database.execute("PRAGMA journal_mode = WAL")
                # FULL: when a commit returns it is on disk, not only with the operating system.
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute("PRAGMA secure_delete = ON")
                if create:
                    self._create_tables()
            self._check()

    def _make(self) -> None:
        """Make the file for its owner only, and the folder it is in."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise AuditError(f"{self.name}: {error.strerror}") from None

    def _create_tables(self) -> None:
        with self.transaction() as execute:
            if not execute("SELECT 1 FROM sqlite_master LIMIT 1", ()):
                for statement in _statements(_TABLES):
                    execute(statement, ())

    def _check(self) -> None:
        names = {row[0] for row in self._database.execute("SELECT name FROM sqlite_master")}
        if not {"cdss_audit", "cdss_audit_no_update", "cdss_audit_no_delete"} <= names:
            raise AuditError(f"{self.name}: is no audit log, or lost what makes it append-only")

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """
        Append, all or nothing; it is on disk when this ends.

        Yields
        ------
        callable
            Runs a statement.

        Raises
        ------
        AuditError
            If it cannot be written.
        """
        with self._told():
            self._same_file()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self.read
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _same_file(self) -> None:
        """A file that was moved or deleted can still be written: to nowhere."""
        try:
            same = os.stat(self.path).st_ino == self._file
        except OSError:
            same = False
        if not same:
            raise AuditError(f"{self.name}: was moved or deleted while it was open")

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """
        Run a statement.

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

        Raises
        ------
        AuditError
            If it cannot be read.
        """
        with self._told():
            return self._database.execute(statement, parameters).fetchall()

    def purge(self) -> None:
        """Overwrite what was deleted: `secure_delete` did in the file, this does beside it."""
        with self._told():
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what went wrong; SQLite's own text can quote what was being written."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "")
            short = "_".join(code.split("_")[:2])
            reason = _REASONS.get(short, f"failed ({code or type(error).__name__})")
            raise AuditError(f"{self.name}: {reason}") from None


def _statements(script: str) -> Iterator[str]:
    """A script's statements; `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
