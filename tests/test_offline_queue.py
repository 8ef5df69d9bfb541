"""Check-ups kept at a station reach the server once each, however the connection breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdss import PatientRecord
from serving.sync import RecordStore
from tests.offline_edition import browse, edition
from tests.offline_network import Connection, Site

pytestmark = pytest.mark.slow

MODES = ("before", "body", "after", "answer", "portal")


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "records.db")


@pytest.fixture
def site(store: RecordStore) -> Iterator[tuple[Site, Connection]]:
    made = edition()
    server = Site(made.folder, store, dict(made.models))
    with server.running() as port:
        connection = Connection(port)
        yield server, connection
        connection.close()


def kept(store: RecordStore) -> list[dict]:
    """What the server has, each whole: numbers without gaps, no record twice."""
    found = sorted(store.records(), key=lambda record: record["sequence"])
    assert [record["sequence"] for record in found] == list(range(1, len(found) + 1))
    assert len({record["device"] for record in found}) <= 1
    for record in found:
        PatientRecord.parse(record["record"])
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_break_loses_nothing_and_doubles_nothing(
    mode: str, site: tuple[Site, Connection], store: RecordStore
) -> None:
    _, connection = site
    browse("queue.mjs", connection.address, 3, f"pass,{mode},{mode},pass")
    assert [record["patient"] for record in kept(store)] == ["P-1", "P-2", "P-3"]
    assert mode in connection.seen


def test_many_breaks_of_all_kinds(site: tuple[Site, Connection], store: RecordStore) -> None:
    _, connection = site
    modes = [*MODES, "pass", *reversed(MODES), "pass", "after", "after", "answer", "pass", "body"]
    browse("queue.mjs", connection.address, 12, ",".join([*modes, *MODES, *MODES, "pass"]))
    found = kept(store)
    assert [record["patient"] for record in found] == [f"P-{number}" for number in range(1, 13)]
    assert Counter(connection.seen)["after"] >= 3


def test_kept_without_a_network_and_sent_when_it_returns(
    site: tuple[Site, Connection], store: RecordStore
) -> None:
    _, connection = site
    browse("returns.mjs", connection.address)
    (record,) = kept(store)
    assert record["record"]["values"]["total_cholesterol"]["value"] == 5.9
    assert record["answers"]["estimates"]
    assert set(record["edition"]["models"]) >= {"cvd-death", "diabetes-incident"}


def test_what_the_server_refuses_stays_and_is_told(
    site: tuple[Site, Connection], store: RecordStore
) -> None:
    server, connection = site
    server.refuse = 422
    browse("refused.mjs", connection.address, "refused")
    server.refuse = 401
    browse("refused.mjs", connection.address, "not_allowed")
    assert kept(store) == []


def test_newer_models_of_the_server_are_told(site: tuple[Site, Connection]) -> None:
    server, connection = site
    server.models = {**server.models, "cvd-death": "1.10.0", "stroke-new": "0.1.0"}
    browse("versions.mjs", connection.address)
