"""Making audit logs, and a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cdss import Assessment, PatientRecord, assess, load_jurisdiction
from cdss.audit.entry import Asking, Draft, draft
from cdss.audit.identity import identities
from cdss.audit.keys import Key
from tests.toy import toy_model

KEY = Key(bytes(range(32)))
MODEL = toy_model()
CLIENT = Asking("json", "vi", "https://emr.hospital.example", "emr-client", "jti-1", b"{}")


def patient(**values: Any) -> PatientRecord:
    """A patient to whom the toy model applies."""
    known = {"age": 60, "sex": "female", "bmi": 31.3371337, "diabetes": False, "pregnant": False}
    return PatientRecord.parse({"index_date": "2026-11-22", "values": known | values})


def assessment(**values: Any) -> Assessment:
    """What the toy model says of a patient, under the rules of Viet Nam."""
    return assess(patient(**values), [MODEL], load_jurisdiction("vn"), chosen=True)


def entry(id: str = "a" * 32, *, keep: bool = False, key: Key = KEY, **values: Any) -> Draft:
    """The entry of an assessment by the toy model."""
    return draft(id, assessment(**values), CLIENT, identities([MODEL]), key, keep=keep)


def named(count: int, **options: Any) -> list[Draft]:
    """Several entries, whose ids are their numbers from 1."""
    return [entry(f"{at:032x}", **options) for at in range(1, count + 1)]


def no_postgres() -> str:
    """Why there is no PostgreSQL to test with; empty if there is."""
    if not _programs():
        return "no PostgreSQL server is installed"
    return "" if find_spec("psycopg") else "psycopg is not installed"


@contextmanager
def postgres(*settings: str) -> Iterator[str]:
    """A PostgreSQL server that nobody else uses; gives the URL of its superuser."""
    with TemporaryDirectory(prefix="cdss-pg-", dir="/tmp") as name, socket.socket() as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        if os.getuid() == 0:
            folder.chmod(0o755)
            (folder / "data").mkdir()
            shutil.chown(folder / "data", "postgres")
            shutil.chown(folder, "postgres")
        _run(["initdb", "-D", f"{name}/data", "-U", "owner", "--auth=trust", "--no-sync"])
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {name}"
        options += "".join(f" -c {setting}" for setting in settings)
        _run(["pg_ctl", "-D", f"{name}/data", "-l", f"{name}/log", "-w", "-o", options, "start"])
        try:
            yield f"postgresql://owner@127.0.0.1:{port}/postgres"
        finally:
            _run(["pg_ctl", "-D", f"{name}/data", "-m", "immediate", "-w", "stop"])


def _programs() -> Path | None:
    """Folder of PostgreSQL's programs: the newest of Debian's, or where ``initdb`` is found."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb")
    every = [*debian, *([Path(found)] if found else [])]
    return every[-1].parent if every else None


def _run(command: Sequence[str]) -> None:
    programs = _programs()
    assert programs
    as_user = {"user": "postgres"} if os.getuid() == 0 else {}  # it refuses to run as root
    subprocess.run(
        [str(programs / command[0]), *command[1:]],
        check=True, stdout=subprocess.DEVNULL, cwd="/tmp", **as_user,
    )  # fmt: skip


needs_postgres = pytest.mark.skipif(bool(no_postgres()), reason=no_postgres())
