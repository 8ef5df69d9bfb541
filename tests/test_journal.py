import asyncio
import json
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from cdss import load_jurisdiction, published_models
from cdss.audit.chain import verify
from cdss.audit.entry import Draft
from cdss.audit.keys import Keys, read_keys
from cdss.audit.replay import kept_of, record_in, replay
from cdss.audit.store import open_store
from cdss.errors import AuditError
from serving.benchmarks.process import served
from serving.clients import Client
from serving.fhir_api import FhirApi
from serving.hooks_api import HooksApi
from serving.journal import Journal, NoJournal, open_journal
from serving.problems import HANDLERS, RequestError
from serving.routes import Api
from tests.audit_logs import KEY, MODEL, assessment, needs_postgres, postgres
from tests.fhir_documents import EXAMPLES
from tests.hooks_emr import NOW, hook
from tests.serving_process import COMMAND, problems, run, sent, write_toys
from tests.shipped import shipped

KEYS = Keys(KEY, {KEY.id: KEY})
EMR = Client("https://emr.hospital.example", "emr-client", frozenset({"assess"}), "emr", "jti-1")
FREE = (*COMMAND, "--port", "0")


class Slow:
    """A store that takes its time, and cannot write while `full` is set."""

    name = "slow"

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds, self.groups, self.full = seconds, list[Sequence[Draft]](), False

    def append(self, drafts: Sequence[Draft]) -> None:
        sleep(self.seconds)
        if self.full:
            raise AuditError("slow: the disk is full")
        self.groups.append(drafts)

    def close(self) -> None:
        pass


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite"


@pytest.fixture
def journal(log: Path) -> Iterator[Journal]:
    journal = Journal(open_store(str(log)), KEYS, [MODEL])
    yield journal
    journal.close()


def client_of(journal: Journal | NoJournal, who: Client | None = None) -> TestClient:
    """A client of the routes, behind a layer that says who it is."""
    app = Starlette(
        routes=Api([MODEL], load_jurisdiction("vn"), journal=journal).routes(),
        exception_handlers=HANDLERS,
    )

    async def known(scope: Any, receive: Any, send: Any) -> None:
        if who:
            scope.setdefault("state", {})["client"] = who
        await app(scope, receive, send)

    return TestClient(known, raise_server_exceptions=False)


def entries(log: Path) -> list[dict[str, Any]]:
    with closing(open_store(str(log), write=False)) as store:
        lines = list(store.lines())
    assert verify(lines).entries == len(lines)
    return [json.loads(line.entry) for line in lines]


def test_what_was_answered_is_in_the_log(journal: Journal, log: Path) -> None:
    answer = client_of(journal, EMR).post("/v1/assess?lang=vi", json=sent())
    (said,) = entries(log)

    assert 200 == answer.status_code
    assert answer.json()["assessment_id"] == said["assessment_id"]
    assert ("json", "vi", "vn") == (said["kind"], said["lang"], said["jurisdiction"])
    assert (EMR.issuer, EMR.subject, EMR.token_id) == (
        said["issuer"], said["subject"], said["token_id"],
    )  # fmt: skip
    assert [("toy", "estimated")] == [(m["model"], m["status"]) for m in said["models"]]


def test_each_record_of_a_batch_is_in_the_log(journal: Journal, log: Path) -> None:
    batch = {"records": [sent(age=age) for age in range(30, 90)]}
    answer = client_of(journal).post("/v1/assess/batch", json=batch)
    said = entries(log)

    assert [a["assessment_id"] for a in answer.json()["assessments"]] == [
        entry["assessment_id"] for entry in said
    ]
    assert {("batch", None, None)} == {(e["kind"], e["issuer"], e["subject"]) for e in said}
    assert 1 == len({entry["body_sha256"] for entry in said})
    assert 60 == len({entry["input_sha256"] for entry in said})
    assert {"estimated", "refused"} == {m["status"] for e in said for m in e["models"]}


def test_what_was_not_assessed_is_not_in_the_log(journal: Journal, log: Path) -> None:
    client = client_of(journal)
    batch = {"records": [sent(), sent(age=-1)]}

    assert 422 == client.post("/v1/assess", json=sent(age=-1)).status_code
    assert 422 == client.post("/v1/assess/batch", json=batch).status_code
    assert 400 == client.post("/v1/assess?lang=fr", json=sent()).status_code
    assert [] == entries(log)


def test_nothing_of_the_patient_is_in_the_files(journal: Journal, log: Path) -> None:
    answer = client_of(journal).post("/v1/assess", json=sent(alt=31.3371337))
    stored = b"".join(file.read_bytes() for file in log.parent.iterdir())

    assert answer.json()["assessment_id"].encode() in stored
    for told in (
        b"31.33",
        b"female",
        str(answer.json()["estimates"][0]["probability"])[:6].encode(),
    ):
        assert told not in stored


def test_with_a_vault_record_and_answer_can_be_replayed(log: Path) -> None:
    journal = Journal(open_store(str(log)), KEYS, [MODEL], vault=True)
    answer = client_of(journal).post("/v1/assess", json=sent(alt=31.3371337)).json()
    journal.close()
    with closing(open_store(str(log), write=False)) as store:
        entry = json.loads(store.find(answer["assessment_id"]).entry)
        kept = kept_of(store, KEYS, answer["assessment_id"])
        assert kept
        found = replay(entry, kept[0], [MODEL], KEY, kept[1])

    assert "identical" == found.verdict
    assert answer["estimates"][0]["probability"] == found.assessment.estimates[0].probability
    assert not any(b"31.33" in file.read_bytes() for file in log.parent.iterdir())


def test_what_cannot_be_recorded_is_not_answered(journal: Journal, log: Path) -> None:
    client = client_of(journal)
    (pages,) = journal.store._database.read("PRAGMA page_count")[0]
    journal.store._database.read(f"PRAGMA max_page_count = {pages + 2}")
    with capture_logs() as logged:
        answer = client.post("/v1/assess/batch", json={"records": [sent()] * 50})

    assert [("not_recorded", "assessment")] == problems(answer, 503)
    assert "5" == answer.headers["retry-after"]
    assert [] == entries(log)
    assert "audit.sqlite: the disk is full" in [line.get("error") for line in logged]

    journal.store._database.read("PRAGMA max_page_count = 100000")
    assert 200 == client.post("/v1/assess/batch", json={"records": [sent()] * 50}).status_code
    assert 50 == len(entries(log))


def test_a_log_that_is_locked_is_waited_for(journal: Journal, log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = Thread(target=lambda: (sleep(0.3), other.execute("ROLLBACK")))
        ended.start()
        answer = client_of(journal).post("/v1/assess", json=sent())
        ended.join()

    assert 200 == answer.status_code
    assert 1 == len(entries(log))


def test_without_a_journal_nothing_is_recorded() -> None:
    assert 200 == client_of(NoJournal()).post("/v1/assess", json=sent()).status_code
    NoJournal().close()


def test_what_was_sent_in_any_format_is_replayed_from_the_vault_or_from_what_was_sent(
    log: Path,
) -> None:
    models = (*shipped(), *published_models())
    place = load_jurisdiction("vn")
    journal = Journal(open_store(str(log)), KEYS, models, vault=True)
    document, call = json.loads(EXAMPLES[-1].read_text(encoding="utf-8")), hook()
    app = Starlette(
        routes=[
            *FhirApi(models, place, journal=journal).routes(),
            *HooksApi(models, place, journal=journal, clock=lambda: NOW).routes(),
        ],
        exception_handlers=HANDLERS,
    )
    client = TestClient(app)
    bundle = client.post("/fhir/$assess?indexDate=2026-11-24", json=document)
    service = client.get("/cds-services").json()["services"][-1]["id"]
    cards = client.post(f"/cds-services/{service}", json=call)
    journal.close()

    assert (200, 200) == (bundle.status_code, cards.status_code)
    said = entries(log)
    assert ["fhir", "cds-hooks"] == [entry["kind"] for entry in said]
    assert len(cards.json()["cards"]) > 0
    with closing(open_store(str(log), write=False)) as store:
        for entry, sent_document in zip(said, (document, call), strict=True):
            found = kept_of(store, KEYS, entry["assessment_id"])
            assert found
            assert "identical" == replay(entry, found[0], models, KEY, found[1]).verdict
            assert found[0] == record_in(sent_document, entry, KEY)


def kept(journal: Journal, count: int, first: int = 0) -> list[Any]:
    """Coroutines that keep an assessment each."""
    request = Request({"type": "http", "state": {}})
    found = assessment()
    return [
        journal.keep(request, [(f"{first + at:032x}", found)], b"", lang="en", kind="json")
        for at in range(count)
    ]


def test_requests_that_come_together_are_written_together_and_the_loop_goes_on() -> None:
    store = Slow()
    journal = Journal(store, KEYS, [MODEL])
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def main() -> None:
        ticking = asyncio.create_task(tick())
        await asyncio.gather(*kept(journal, 32))
        ticking.cancel()

    asyncio.run(main())
    journal.close()

    assert 32 == sum(map(len, store.groups))
    assert len(store.groups) <= 3
    assert ticks > 5


def test_all_that_were_in_a_group_that_failed_are_told_and_the_next_is_written() -> None:
    store = Slow()
    journal = Journal(store, KEYS, [MODEL])

    async def main() -> tuple[list[Any], list[Any]]:
        store.full = True
        refused = await asyncio.gather(*kept(journal, 8), return_exceptions=True)
        store.full = False
        return refused, await asyncio.gather(*kept(journal, 8, 100))

    refused, written = asyncio.run(main())
    journal.close()

    assert all(isinstance(error, RequestError) and 503 == error.status for error in refused)
    assert [None] * 8 == written
    assert 8 == sum(map(len, store.groups))


def test_an_unforeseen_error_of_a_store_is_told_too_and_the_writer_lives_on() -> None:
    class Broken(Slow):
        def append(self, drafts: Sequence[Draft]) -> None:
            if self.full:
                raise ValueError("54 years")
            super().append(drafts)

    store = Broken(0)
    store.full = True
    journal = Journal(store, KEYS, [MODEL])

    async def main() -> None:
        with capture_logs() as logged, pytest.raises(RequestError):
            await kept(journal, 1)[0]
        assert "54 years" not in str(logged)
        store.full = False
        await kept(journal, 1)[0]

    asyncio.run(main())
    journal.close()
    assert 1 == len(store.groups)


def test_who_gave_up_waiting_harms_nobody() -> None:
    store = Slow(0.05)
    journal = Journal(store, KEYS, [MODEL])

    async def main() -> None:
        tasks = [asyncio.create_task(each) for each in kept(journal, 4)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [True, False, True, False] == [task.cancelled() for task in tasks]
        assert [None, None] == [tasks[1].result(), tasks[3].result()]

    asyncio.run(main())
    journal.close()
    assert 4 == sum(map(len, store.groups))


def test_closing_writes_what_waits_and_afterwards_nothing_is_kept() -> None:
    store = Slow(0.05)
    journal = Journal(store, KEYS, [MODEL])

    async def main() -> None:
        waiting = asyncio.gather(*kept(journal, 3))
        await asyncio.sleep(0.01)
        await asyncio.to_thread(journal.close)
        await waiting
        with pytest.raises(RequestError) as error:
            await kept(journal, 1)[0]
        assert 503 == error.value.status

    asyncio.run(main())
    assert 3 == sum(map(len, store.groups))


def test_that_nothing_is_recorded_must_be_asked_for_and_is_said() -> None:
    with capture_logs() as logged:
        journal = open_journal({"CDSS_AUDIT": "none"}, [MODEL])

    assert isinstance(journal, NoJournal)
    assert [("no_audit", "warning")] == [(line["event"], line["log_level"]) for line in logged]


def test_where_the_log_ends_is_said_at_the_start(log: Path) -> None:
    environment = {"CDSS_AUDIT": str(log)}
    first = open_journal(environment, [MODEL])
    assert 200 == client_of(first).post("/v1/assess", json=sent()).status_code
    first.close()
    with capture_logs() as logged:
        second = open_journal(environment, [MODEL])
    second.close()

    (line,) = [line for line in logged if line["event"] == "audit"]
    with closing(open_store(str(log), write=False)) as store:
        assert (line["records"], line["at"]) == store.head()
        assert 1 == line["records"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toys(tmp_path_factory.mktemp("bundles"))


def acknowledged(port: int, at: int, ids: set[str], stop: Event) -> None:
    """Send until the server is gone, and note each id that was answered."""
    base = f"http://127.0.0.1:{port}"
    with suppress(httpx.HTTPError), httpx.Client(base_url=base, timeout=10) as client:
        while not stop.is_set():
            if at % 4:
                answer = client.post("/v1/assess", json=sent())
                found = [answer.json()]
            else:
                answer = client.post("/v1/assess/batch", json={"records": [sent()] * 20})
                found = answer.json()["assessments"]
            assert 200 == answer.status_code
            ids.update(each["assessment_id"] for each in found)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "audit.sqlite")
    else:
        with postgres() as url:
            yield url


def test_what_was_acknowledged_survives_kill_9_under_load(
    where: str, tmp_path: Path, bundles: Path
) -> None:
    settings = {
        "CDSS_BUNDLES": str(bundles), "CDSS_AUDIT": where,
        "CDSS_AUDIT_KEYS": str(tmp_path / "keys"), "CDSS_VAULT": "1",
    }  # fmt: skip
    ids: set[str] = set()
    for _ in range(2):
        before = len(ids)
        with served(FREE, settings) as server:
            stop = Event()
            threads = [
                Thread(target=acknowledged, args=(server.port, at, ids, stop)) for at in range(16)
            ]
            for thread in threads:
                thread.start()
            end = monotonic() + 10
            while len(ids) < before + 200 and monotonic() < end:
                sleep(0.01)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(10)
            stop.set()
            for thread in threads:
                thread.join()
        assert len(ids) >= before + 200

    with closing(open_store(where, write=False)) as store:
        lines = list(store.lines())
        keys = read_keys(tmp_path / "keys")
        assert verify(lines).entries == len(lines)
        assert set() == ids - {line.id for line in lines}
        assert all(kept_of(store, keys, id) for id in list(ids)[:50])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"CDSS_AUDIT": "mysql://root:s3cret@x/y"}, "must be the path of a file, or a postgresql"),
        ({"CDSS_AUDIT": "/proc/audit.sqlite"}, "audit.sqlite: "),
        ({"CDSS_AUDIT": "postgresql://127.0.0.1:1/x"}, "CDSS_AUDIT_KEYS: must name the file"),
        ({"CDSS_VAULT": "2"}, "CDSS_VAULT must be 0 or 1"),
    ],
)
def test_a_log_that_cannot_be_opened_and_it_does_not_start(
    bundles: Path, settings: dict[str, str], message: str
) -> None:
    process = run("-m", "serving", "--port", "0", CDSS_BUNDLES=str(bundles), **settings)

    assert 1 == process.returncode
    assert process.stderr.startswith("cdss: not started: ")
    assert message in process.stderr
    assert "s3cret" not in process.stderr + process.stdout
    assert 1 == process.stderr.count("\n")
