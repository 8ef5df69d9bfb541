"""Records from stations: each once, whole, whatever happens to the connection."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from serving.problems import HANDLERS
from serving.sync import MEMBERS, RecordStore, SyncApi

DEVICE = "0123456789abcdef0123456789abcdef"
RECORD = {"index_date": "2026-11-22", "values": {"age": 54, "sex": "female"}}


def sent(sequence=1, patient="A-1", record=RECORD, **others):
    content = json.dumps(
        {"entered": "2026-11-22T08:00:00Z", "patient": patient, "record": record},
        ensure_ascii=False,
    )
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"device": DEVICE, "sequence": sequence, "hash": digest, "content": content} | others


@pytest.fixture
def store():
    return RecordStore()


@pytest.fixture
def client(store):
    app = Starlette(routes=SyncApi(store).routes(), exception_handlers=HANDLERS)
    return TestClient(app)


def test_a_record_is_stored_once_and_known_afterwards(client, store):
    first, second = (client.post("/v1/records", json=sent()) for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (201, "stored")
    assert (second.status_code, second.json()["state"]) == (200, "known")
    assert first.headers["cache-control"] == "no-store"
    (kept,) = store.records()
    assert (kept["device"], kept["sequence"], kept["patient"]) == (DEVICE, 1, "A-1")
    assert kept["record"] == RECORD


def test_another_text_under_a_known_number_is_refused_and_the_first_stays(client, store):
    client.post("/v1/records", json=sent(patient="A-1"))
    answer = client.post("/v1/records", json=sent(patient="A-2"))
    assert answer.status_code == 409
    assert answer.json()["problems"][0]["code"] == "different_record"
    assert "A-2" not in answer.text
    assert [kept["patient"] for kept in store.records()] == ["A-1"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ([], "not_an_object"),
        (sent(device="me"), "wrong_device"),
        (sent(sequence=0), "wrong_sequence"),
        (sent(sequence=True), "wrong_sequence"),
        (sent(hash="0" * 64), "hash_differs"),
        (sent(content="{}x"), "hash_differs"),
        (sent(content=5), "wrong_content"),
        (sent(more=1), "unknown_member"),
    ],
)
def test_what_is_not_whole_is_refused(client, store, payload, code):
    answer = client.post("/v1/records", json=payload)
    assert answer.status_code == 422
    assert code in [problem["code"] for problem in answer.json()["problems"]]
    assert not list(store.records())


def test_a_text_that_is_no_object_of_known_members_is_refused(client, store):
    for text in ("[]", '{"name": "x"}'):
        digest = hashlib.sha256(text.encode()).hexdigest()
        answer = client.post("/v1/records", json=sent(content=text, hash=digest))
        assert answer.json()["problems"][0]["code"] == "wrong_content"
    assert not list(store.records())


def test_a_record_that_this_version_cannot_use_is_kept_and_its_problems_told(client, store):
    answer = client.post("/v1/records", json=sent(record={"index_date": "2026-11-22"}))
    assert answer.status_code == 201
    assert [p["code"] for p in answer.json()["problems"]] == ["not_an_object", "empty_record"][:1]
    assert len(list(store.records())) == 1


def test_a_site_keeps_only_what_it_wants():
    store = RecordStore(members=set(MEMBERS) - {"patient"})
    client = TestClient(Starlette(routes=SyncApi(store).routes(), exception_handlers=HANDLERS))
    client.post("/v1/records", json=sent())
    (kept,) = store.records()
    assert "patient" not in kept
    assert client.post("/v1/records", json=sent()).json()["state"] == "known"


def test_what_was_answered_is_there_after_a_restart(tmp_path):
    path = tmp_path / "records.db"
    for expected in ("stored", "known"):
        store = RecordStore(path)
        client = TestClient(Starlette(routes=SyncApi(store).routes(), exception_handlers=HANDLERS))
        assert client.post("/v1/records", json=sent()).json()["state"] == expected
        store.close()


def test_many_senders_of_the_same_record_store_it_once(tmp_path):
    from serving.sync import read_sent

    store = RecordStore(tmp_path / "records.db")
    start = threading.Barrier(8)

    def send(_):
        start.wait()
        return [store.keep(read_sent(sent(sequence=number))) for number in range(1, 21)]

    with ThreadPoolExecutor(8) as pool:
        states = [state for found in pool.map(send, range(8)) for state in found]
    assert states.count("stored") == 20
    assert states.count("known") == 7 * 20
    assert len(list(store.records())) == 20
