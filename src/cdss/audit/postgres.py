"""
The log in PostgreSQL, which several servers can share.

Who owns the tables can switch off what makes them append-only. So the owner makes them (``cdss
audit create``), and the servers' role gets no more than it needs::

    GRANT SELECT, INSERT ON cdss_audit TO cdss;
    GRANT SELECT, INSERT, DELETE ON cdss_vault TO cdss;
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from cdss.errors import AuditError

WAIT_SECONDS = 5
"""How long a connection, a statement or another writer may take."""

_LOCK = 0x63647373  # "cdss": one writer at a time, in all servers

_TABLES = """
CREATE TABLE cdss_audit (
    seq BIGINT PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE cdss_vault (id TEXT PRIMARY KEY, key TEXT NOT NULL, sealed BYTEA NOT NULL);
CREATE FUNCTION cdss_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$;
CREATE TRIGGER cdss_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cdss_audit
FOR EACH STATEMENT EXECUTE FUNCTION cdss_append_only();
CREATE TRIGGER cdss_vault_no_update BEFORE UPDATE ON cdss_vault
FOR EACH STATEMENT EXECUTE FUNCTION cdss_append_only();
"""

_TRIGGER = """
SELECT tgenabled::text FROM pg_trigger
WHERE tgrelid = to_regclass('cdss_audit') AND tgname = 'cdss_audit_append_only'
"""


class Postgres:
    """
    A PostgreSQL database.

    Parameters
    ----------
    url : str
        As ``postgresql://user@host/database``; a password better in ``PGPASSFILE``.
    write : bool
        Whether something will be appended.
    create : bool
        Whether the tables are made if they are not there yet.

    Raises
    ------
    AuditError
        If it cannot be reached, has no log, or would not keep what it acknowledged.
    """

    name = "PostgreSQL"

    def __init__(self, url: str, *, write: bool = True, create: bool = True) -> None:
        try:
            self._psycopg: Any = import_module("psycopg")
        except ImportError:
            raise AuditError(
                "PostgreSQL needs psycopg: pip install 'cdss[serve,postgres]'"
            ) from None
        self._url, self._write = url, write
        self._connection: Any = None
        if write and create:
            self._create_tables()
        self._check()

    def _create_tables(self) -> None:
        with self.transaction() as execute:
            if execute("SELECT to_regclass('cdss_audit')", ()) == [(None,)]:
                self._connection.execute(_TABLES)

    def _check(self) -> None:
        if self.read(_TRIGGER) not in ([("O",)], [("A",)]):
            raise AuditError(
                f"{self.name}: has no audit log (`cdss audit create` makes it), or it lost what "
                "makes it append-only"
            )
        if self._write and self.read("SHOW fsync") != [("on",)]:
            raise AuditError(f"{self.name}: fsync is off, so that what it wrote can be lost")

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
            self._begin()
            try:
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                yield self.read
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(self._psycopg.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        """Begin; on a new connection if the server ended the old one while nobody used it."""
        try:
            self._connected().execute("BEGIN")
        except self._psycopg.OperationalError:
            if self._connection is None or not self._connection.closed:
                raise
            self._connected().execute("BEGIN")

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """
        Run a statement.

        Parameters
        ----------
        statement : str
            SQL, parameters written ``?``.
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
            cursor = self._connected().execute(statement.replace("?", "%s"), parameters or None)
            found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return found

    def purge(self) -> None:
        """Give the space of what was deleted free; the owner's VACUUM does it in any case."""
        with suppress(self._psycopg.Error):
            self._connected().execute("VACUUM cdss_vault")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Any:
        """The connection; a new one if the last was lost."""
        if self._connection is None or self._connection.closed:
            settings = {
                "statement_timeout": f"{WAIT_SECONDS}s",
                "lock_timeout": f"{WAIT_SECONDS}s",
                "synchronous_commit": "on",  # when a commit returns it is on disk
                "default_transaction_read_only": "off" if self._write else "on",
            }
            self._connection = self._psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=WAIT_SECONDS,
                application_name="cdss audit",
                tcp_user_timeout=1000 * WAIT_SECONDS,
                options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            )
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what went wrong; the details of PostgreSQL's text can quote what was written."""
        try:
            yield
        except self._psycopg.Error as error:
            if error.sqlstate is not None:
                reason = f"{error.diag.message_primary} ({error.sqlstate})"
            elif isinstance(error, self._psycopg.ProgrammingError):
                reason = "the URL is not understood"
            else:  # what the network says can quote the URL; what the server says does not
                reason = str(error).partition("FATAL:  ")[2].partition("\n")[0]
            raise AuditError(f"{self.name}: {reason or 'cannot be reached'}") from None
