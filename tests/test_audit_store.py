import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from cdss.audit import sqlite
from cdss.audit.chain import START, bound, verify
from cdss.audit.entry import Draft, forgotten
from cdss.audit.store import Store, open_store
from cdss.errors import AuditError
from tests.audit_logs import KEY, entry, named, needs_postgres, postgres
from tests.conftest import ROOT

TAMPERING = (
    "UPDATE cdss_audit SET entry = '{}'",
    "UPDATE cdss_audit SET hash = '' WHERE seq = 2",
    "DELETE FROM cdss_audit",
    "DELETE FROM cdss_audit WHERE seq = 3",
    "UPDATE cdss_vault SET key = ''",
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a log can be: a file, or a database of its own."""
    if request.param == "sqlite":
        return str(tmp_path / "logs" / "audit.sqlite")
    psycopg = pytest.importorskip("psycopg")
    server = request.getfixturevalue("server")
    with psycopg.connect(server, autocommit=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM pg_database").fetchone()
        connection.execute(f"CREATE DATABASE log{count}")
    return server.rpartition("/")[0] + f"/log{count}"


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with closing(open_store(where)) as store:
        yield store


@pytest.fixture
def tamper(where: str) -> Callable[[str], None]:
    """Do something to the database without the store, as who owns it."""

    def run(statement: str) -> None:
        if where.startswith("postgresql"):
            psycopg = pytest.importorskip("psycopg")
            with psycopg.connect(where) as connection:
                connection.execute(statement)
        else:
            with closing(sqlite3.connect(where)) as connection, connection:
                connection.execute(statement)

    return run


def test_what_is_appended_is_there_in_order_and_bound_together(store: Store, where: str) -> None:
    drafts = named(450)
    store.append(drafts[:1])
    store.append(drafts[1:])

    with closing(open_store(where, write=False)) as reader:
        lines = list(reader.lines())
        assert [draft.id for draft in drafts] == [line.id for line in lines]
        assert [draft.entry for draft in drafts] == [line.entry for line in lines]
        assert list(range(1, 451)) == [line.seq for line in lines]
        assert bound(START.hash, drafts[0].entry) == lines[0].hash
        assert verify(lines) == reader.head() == (450, lines[-1].hash)
        assert lines[449:] == list(reader.lines(449))
        assert lines[7] == reader.find(drafts[7].id)


def test_an_empty_log_ends_at_the_start(store: Store) -> None:
    assert START == store.head()
    assert [] == list(store.lines())
    assert START == verify(store.lines())


def test_it_goes_on_where_it_ended(store: Store, where: str) -> None:
    store.append(named(3))
    store.close()
    with closing(open_store(where)) as again:
        again.append([entry("f" * 32)])
        assert 4 == verify(again.lines()).entries


def test_two_who_write_make_one_chain(store: Store, where: str) -> None:
    def write(start: int) -> None:
        with closing(open_store(where)) as mine:
            for at in range(start, start + 40):
                mine.append([entry(f"{at:032x}")])

    threads = [Thread(target=write, args=(100 * n,)) for n in range(1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 120 == verify(store.lines()).entries


@pytest.mark.parametrize("statement", TAMPERING)
def test_the_database_itself_refuses_to_change_or_delete(
    store: Store, tamper: Callable[[str], None], statement: str
) -> None:
    store.append(named(4, keep=True))

    with pytest.raises(Exception, match=r"the log is append-only|kept is never changed"):
        tamper(statement)
    assert 4 == verify(store.lines()).entries


def test_tampering_by_who_switched_that_off_is_seen(
    store: Store, where: str, tamper: Callable[[str], None]
) -> None:
    store.append(named(4))
    if where.startswith("postgresql"):
        tamper("ALTER TABLE cdss_audit DISABLE TRIGGER USER")
    else:
        tamper("DROP TRIGGER cdss_audit_no_update")
        tamper("DROP TRIGGER cdss_audit_no_delete")
    tamper("DELETE FROM cdss_audit WHERE seq = 2")
    tamper("UPDATE cdss_audit SET entry = replace(entry, 'emr-client', 'another') WHERE seq = 4")

    with pytest.raises(AuditError, match="entries 2 to 2 are missing; entry 4 was changed"):
        verify(store.lines())
    with pytest.raises(AuditError, match="lost what makes it append-only"):
        open_store(where)


def test_all_or_none_is_appended(store: Store) -> None:
    store.append([entry("a" * 32)])

    with pytest.raises(AuditError, match=r"refused|duplicate"):
        store.append([entry("b" * 32), entry("a" * 32, keep=True)])
    assert ["a" * 32] == [line.id for line in store.lines()]
    store.append([entry("c" * 32)])
    assert 2 == verify(store.lines()).entries


def test_what_is_kept_can_be_forgotten_once_and_that_is_logged(store: Store) -> None:
    one, other = named(2, keep=True)
    store.append([one, other, entry("f" * 32)])
    assert (KEY.id, one.sealed) == store.kept(one.id)
    assert store.kept("f" * 32) is None

    noted = forgotten(one.id, "an-operator", KEY)
    store.forget(one.id, noted)

    assert store.kept(one.id) is None
    assert (KEY.id, other.sealed) == store.kept(other.id)
    assert noted.entry == store.find(noted.id).entry
    assert 4 == verify(store.lines()).entries
    for id in (one.id, "f" * 32):
        with pytest.raises(AuditError, match="nothing is kept of that assessment"):
            store.forget(id, forgotten(id, "an-operator", KEY))
    assert 4 == store.head().entries


def test_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(AuditError, match="has no assessment of that id"):
        store.find("a" * 32)


def test_any_text_goes_in_and_comes_out(store: Store) -> None:
    odd = Draft(
        "a" * 32, '{"assessment_id":"' + "a" * 32 + '","subject":"\\u0000 % \\ud800 ?"}', "k"
    )
    store.append([odd])

    assert odd.entry == store.find(odd.id).entry
    assert 1 == verify(store.lines()).entries


def test_a_log_that_is_not_there_is_not_made_when_it_is_only_read(tmp_path: Path) -> None:
    for options in ({"write": False}, {"create": False}):
        with pytest.raises(AuditError, match=r"audit\.sqlite: No such file"):
            open_store(str(tmp_path / "audit.sqlite"), **options)
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize(
    "wrong", ["mysql://user:s3cret@host/db", "https://x", "", "folder/", "sqlite:///a"]
)
def test_an_address_that_is_no_log(wrong: str) -> None:
    with pytest.raises(AuditError) as error:
        open_store(wrong)
    assert "the audit log must be the path of a file, or a postgresql:// URL" == str(error.value)


# SQLite only


def file(tmp_path: Path, count: int = 0) -> Path:
    path = tmp_path / "audit.sqlite"
    with closing(open_store(str(path))) as store:
        if count:
            store.append(named(count))
    return path


def test_a_file_is_for_its_owner_only_and_on_disk_at_every_commit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.sqlite"
    database = sqlite.Sqlite(path)
    database.transaction()
    asked = ("journal_mode", "synchronous", "secure_delete")

    assert [[("wal",)], [(2,)], [(1,)]] == [database.read(f"PRAGMA {name}") for name in asked]
    assert 0o600 == path.stat().st_mode & 0o777
    assert 0o700 == path.parent.stat().st_mode & 0o777
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO cdss_audit SELECT 2, id, '{}', hash FROM cdss_audit WHERE seq = 2",
        "INSERT OR REPLACE INTO cdss_audit SELECT 5, id, '{}', hash FROM cdss_audit WHERE seq = 2",
        "INSERT OR REPLACE INTO cdss_audit VALUES (2, 'x', '{}', '')",
        "INSERT INTO cdss_audit VALUES (7, 'x', '{}', '')",
    ],
)
def test_nothing_is_replaced_or_left_out(tmp_path: Path, statement: str) -> None:
    path = file(tmp_path, 4)

    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)


def test_what_was_forgotten_is_nowhere_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    with closing(open_store(str(path))) as store:
        drafts = named(50, keep=True)
        store.append(drafts)
        sealed = drafts[20].sealed
        assert any(sealed in each.read_bytes() for each in tmp_path.iterdir())
        store.forget(drafts[20].id, forgotten(drafts[20].id, "an-operator", KEY))

        assert not any(sealed[:24] in each.read_bytes() for each in tmp_path.iterdir())


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    store = open_store(str(file(tmp_path)))
    (pages,) = store._database.read("PRAGMA page_count")[0]
    store._database.read(f"PRAGMA max_page_count = {pages + 3}")

    with pytest.raises(AuditError, match=r"^audit\.sqlite: the disk is full$"):
        store.append(named(50, keep=True))
    assert 0 == store.head().entries
    store._database.read("PRAGMA max_page_count = 100000")
    store.append(named(50))
    assert 50 == verify(store.lines()).entries
    store.close()


def test_a_file_that_may_not_grow_any_more(tmp_path: Path) -> None:
    script = f"""
import resource, signal
from cdss import AuditError
from cdss.audit.store import open_store
from tests.audit_logs import entry, named
store = open_store({str(tmp_path / "audit.sqlite")!r})
store.append(named(1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
written = 1
try:
    for at in range(1000):
        store.append([entry(f"{{at + 100:032x}}", keep=True)])
        written += 1
except AuditError as error:
    print(written, error)
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    written, _, message = found.strip().partition(" ")

    assert message in {"audit.sqlite: the disk failed", "audit.sqlite: the disk is full"}
    with closing(open_store(str(tmp_path / "audit.sqlite"))) as store:
        assert int(written) == verify(store.lines()).entries > 1


def test_a_file_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.05)
    path = file(tmp_path)
    with (
        closing(open_store(str(path))) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditError, match=r"^audit\.sqlite: another process has held it"):
            store.append([entry()])
        other.execute("ROLLBACK")
        store.append([entry()])


@pytest.mark.parametrize("gone", ["deleted", "moved and another put in its place"])
def test_a_file_that_is_gone_while_it_is_open(tmp_path: Path, gone: str) -> None:
    path = file(tmp_path)
    with closing(open_store(str(path))) as store:
        path.rename(tmp_path / "moved")
        if gone != "deleted":
            file(tmp_path)
        with pytest.raises(AuditError, match=r"was moved or deleted while it was open"):
            store.append([entry()])


def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = file(tmp_path, 2)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    script = f"""
import os
from cdss import AuditError
from cdss.audit import sqlite
from cdss.audit.store import open_store
if os.getuid() == 0:
    os.setuid(65534)
for options in ({{}}, {{"create": False}}):
    try:
        open_store({str(path)!r}, **options)
    except AuditError as error:
        print(error)
"""
    if os.getuid() == 0:
        for parent in (tmp_path, *tmp_path.parents):
            if parent != Path("/tmp") and str(parent).startswith("/tmp/"):
                parent.chmod(0o755)
        tmp_path.chmod(0o555)
        path.chmod(0o444)
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    tmp_path.chmod(0o700)

    assert [
        "audit.sqlite: Permission denied", "audit.sqlite: may not be written",
    ] == found.splitlines()  # fmt: skip


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.sqlite"
    text.write_text("no database, but longer than nothing\n" * 100)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE patients (name TEXT)")

    with pytest.raises(AuditError, match=r"^text: is no SQLite database$"):
        open_store(str(text))
    with pytest.raises(AuditError, match=r"^other\.sqlite: is no audit log"):
        open_store(str(other))
    with closing(sqlite3.connect(other)) as connection:
        assert [("patients",)] == connection.execute("SELECT name FROM sqlite_master").fetchall()
    with pytest.raises(AuditError, match="Is a directory"):
        open_store(str(tmp_path))


# PostgreSQL only


@needs_postgres
def test_a_role_that_owns_nothing_can_append_and_no_more(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute("CREATE DATABASE roles")
        owner.execute("CREATE ROLE cdss LOGIN")
    url = server.rpartition("/")[0] + "/roles"
    mine = url.replace("owner@", "cdss@")
    with pytest.raises(AuditError, match="permission denied for schema public"):
        open_store(mine)
    open_store(url).close()
    with psycopg.connect(url) as owner:
        owner.execute("GRANT SELECT, INSERT ON cdss_audit TO cdss")
        owner.execute("GRANT SELECT, INSERT, DELETE ON cdss_vault TO cdss")

    with closing(open_store(mine)) as store:
        one, other = named(2, keep=True)
        store.append([one, other])
        store.forget(one.id, forgotten(one.id, "an-operator", KEY))
        assert 3 == verify(store.lines()).entries
    for statement in (
        *TAMPERING, "TRUNCATE cdss_audit", "ALTER TABLE cdss_audit DISABLE TRIGGER USER",
        "DROP TABLE cdss_audit",
    ):  # fmt: skip
        with (
            psycopg.connect(mine) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


@needs_postgres
def test_its_owner_cannot_empty_it_without_switching_that_off(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with closing(open_store(server)) as store:
        store.append([entry()])
        with psycopg.connect(server) as owner, pytest.raises(psycopg.Error, match="append-only"):
            owner.execute("TRUNCATE cdss_audit")
        assert 1 == store.head().entries


@needs_postgres
def test_a_connection_that_the_server_ended_is_made_anew() -> None:
    psycopg = pytest.importorskip("psycopg")
    with postgres() as url, closing(open_store(url)) as store:
        store.append([entry("a" * 32)])
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'cdss audit'"
            )
        store.append([entry("b" * 32)])
        assert 2 == verify(store.lines()).entries


@needs_postgres
def test_a_server_that_is_gone_is_an_error_and_one_that_cannot_keep_is_refused() -> None:
    with postgres() as url:
        store = open_store(url)
    with pytest.raises(AuditError, match=r"^PostgreSQL: cannot be reached$"):
        store.append([entry()])
    with pytest.raises(AuditError, match=r"^PostgreSQL: cannot be reached$"):
        open_store(url.replace("owner@", "owner:s3cret@"))
    with pytest.raises(AuditError, match=r"^PostgreSQL: the URL is not understood$"):
        open_store("postgresql://127.0.0.1/x?s3cret=1")
    with postgres("fsync=off") as unsafe, pytest.raises(AuditError, match="fsync is off"):
        open_store(unsafe)


@needs_postgres
def test_a_database_without_a_log_or_that_does_not_exist(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute("CREATE DATABASE nothing")
    base = server.rpartition("/")[0]
    with pytest.raises(AuditError, match="has no audit log"):
        open_store(f"{base}/nothing", create=False)
    with pytest.raises(AuditError, match=r"^PostgreSQL: database \"nowhere\" does not exist$"):
        open_store(f"{base}/nowhere")


def test_without_psycopg_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(AuditError, match="PostgreSQL needs psycopg: pip install"):
        open_store("postgresql://127.0.0.1/x")
