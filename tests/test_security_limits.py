"""How much, how often, how long: what is refused, and that the rest is not."""

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from serving import app as app_module
from serving import protocol, security
from serving.app import create_app
from serving.benchmarks.process import Server, served
from serving.body import MOST_DEPTH, MOST_TEXT, decode
from serving.clients import read_clients
from serving.problems import RequestError
from serving.protocol import MOST_HEAD, Protocol
from serving.settings import Settings
from serving.traffic import Timeout
from tests.security_clients import BASE, bearer, hooks_token, key_of, site
from tests.serving_process import COMMAND, JSON, log_with, problems, sent, write_toys
from tests.toy import toy_model

HOOKS = "/cds-services"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site(folder, ward="assess read", night="assess read")
    return folder


@contextmanager
def protected(folder: Path, rate: str | None) -> Iterator[TestClient]:
    settings = Settings(read_clients(folder / "clients.toml"), BASE, rate=rate)
    with TestClient(create_app([toy_model()], settings=settings)) as client:
        yield client


def test_each_client_may_send_so_many_requests(folder: Path) -> None:
    with protected(folder, "3/minute") as client:
        ward = [client.get("/v1/models", headers=key_of(folder, "ward")) for _ in range(5)]
        night = client.get("/v1/models", headers=key_of(folder, "night"))
        probes = {client.get("/health").status_code for _ in range(20)}
        hooks = [client.get(HOOKS, headers=bearer(hooks_token())) for _ in range(4)]
    refused = ward[3]

    assert [200, 200, 200, 429, 429] == [answer.status_code for answer in ward]
    assert [("rate_limited", "request")] == problems(refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert '"client";q=3;w=60' == refused.headers["ratelimit-policy"]
    assert ["2", "1", "0", "0", "0"] == [
        answer.headers["ratelimit"].split(";")[1].removeprefix("r=") for answer in ward
    ]
    assert 200 == night.status_code
    assert {200} == probes
    assert 429 == hooks[3].status_code
    assert "throttled" == hooks[3].json()["issue"][0]["code"]


def test_a_hooks_client_cannot_choose_another_name_to_count_under(folder: Path) -> None:
    with protected(folder, "2/minute") as client:
        answers = [
            client.get(HOOKS, headers=bearer(hooks_token(tenant=tenant))).status_code
            for tenant in "abc"
        ]

    assert 429 == answers[2]
    assert 429 not in answers[:2]


def test_an_open_service_counts_peers_if_told_to() -> None:
    app = create_app([toy_model()], settings=Settings(rate="2/minute"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert [200, 200, 429] == [client.get("/v1/models").status_code for _ in range(3)]


def test_whoever_guesses_is_soon_not_listened_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "REFUSALS", "3/minute")
    with protected(folder, None) as client:
        first = client.get("/v1/models", headers=key_of(folder, "ward"))
        guesses = [client.get("/v1/models", headers=bearer("cdss_x")) for _ in range(4)]
        then = client.get("/v1/models", headers=key_of(folder, "ward"))
        probe = client.get("/health")

    assert 200 == first.status_code
    assert [401, 401, 401, 429] == [answer.status_code for answer in guesses]
    assert [("rate_limited", "request")] == problems(then, 429)
    assert 200 == probe.status_code


@pytest.mark.parametrize("chunked", [False, True])
def test_no_body_is_larger_than_any_that_is_read(
    monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(app_module, "MOST_BYTES", 1000)
    body = b" " * 1001
    app = create_app([toy_model()], settings=Settings())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.post("/v1/assess", content=iter([body]) if chunked else body, headers=JSON)
        fits = client.post("/v1/assess", json=sent())

    assert [("body_too_large", "body")] == problems(answer, 413)
    assert 200 == fits.status_code


@pytest.mark.parametrize(("open", "close"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_how_deep_json_may_be(open: str, close: str) -> None:
    each = open.count("[") + open.count("{")
    for depth in (MOST_DEPTH // each, MOST_DEPTH // each + 1):
        text = open * depth + "1" + close * depth
        if depth * each <= MOST_DEPTH:
            assert json.loads(text) == decode(text.encode())
        else:
            with pytest.raises(RequestError, match="400: malformed_json"):
                decode(text.encode())


def test_many_shallow_things_are_not_deep() -> None:
    many = [[{"a": [1]}] for _ in range(500)]

    assert many == decode(json.dumps(many).encode())


def test_how_long_a_text_may_be() -> None:
    for where in ('{{"a": ["{}"]}}', '["{}"]', '"{}"'):
        decode(where.format("x" * MOST_TEXT).encode())
        with pytest.raises(RequestError, match="400: text_too_long"):
            decode(where.format("x" * (MOST_TEXT + 1)).encode())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """An app that says the length of what comes, behind our protocol."""

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await PlainTextResponse(str(size))(scope, receive, send)

    config = uvicorn.Config(app, http=Protocol, log_config=None, lifespan="off", port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    protocol.HEAD_SECONDS, normal = 0.5, protocol.HEAD_SECONDS
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
    protocol.HEAD_SECONDS = normal


def raw(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """Send bytes as they are, and read until the server closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass  # closed while we were still sending
    return answer


LINE = b"GET /%s HTTP/1.1\r\nhost: here\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [LINE % b"", b"x: " + b"a" * MOST_HEAD + b"\r\n\r\n"],
        [LINE % b"", b"x: ", *[b"a" * 10_000] * 5],  # a header that never ends
        [LINE % b"", b"x: a\r\n" * 6000, b"\r\n"],
        [LINE % (b"a" * MOST_HEAD), b"\r\n"],
        [b"GET /", *[b"a" * 10_000] * 5],
        [LINE % b"", b"x" * MOST_HEAD, b": a\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
         b"x: " + b"a" * MOST_HEAD + b"\r\n\r\n"],
    ],
)  # fmt: skip
def test_what_comes_before_a_body_may_not_be_long(port: int, parts: list[bytes]) -> None:
    answer = raw(port, *parts, pause=0.002)

    assert b"431 Request Header Fields Too Large" in answer.partition(b"\r\n")[0]
    assert b"200 OK" not in answer


def test_a_long_body_has_no_part_in_it(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        sizes = [client.post("/", content=b"x" * size).text for size in (0, 10**6, 5, 3 * 10**6)]

    assert ["0", "1000000", "5", "3000000"] == sizes


def test_requests_in_one_go(port: int) -> None:
    post = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 40000\r\n\r\n" + b"x" * 40_000
    answer = raw(port, post * 3 + LINE % b"" + b"connection: close\r\n\r\n")

    assert 4 == answer.count(b"200 OK")


@pytest.mark.parametrize("start", [b"", b"GET", LINE % b"", LINE % b"" + b"\r\n" + LINE % b""])
def test_who_does_not_finish_a_head_is_left(port: int, start: bytes) -> None:
    begin = time.monotonic()
    answer = raw(port, start)

    assert time.monotonic() - begin < 4
    assert start.count(b"\r\n\r\n") == answer.count(b"200 OK")


def test_a_slow_answer_is_no_slow_head(port: int) -> None:
    body = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"

    assert b"200 OK" in raw(port, body, b"x", b"x", pause=0.4)


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[Server]:
    environment = {
        "CDSS_BUNDLES": str(write_toys(tmp_path)),
        "CDSS_CLIENTS": str(folder / "clients.toml"),
        "CDSS_URL": BASE,
    }
    with served([*COMMAND, "--port", "0"], environment) as server:
        yield server


def test_a_server_with_clients(server: Server, folder: Path) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for path in ("/health", "/ready", "/livez", "/readyz", "/healthz"):
            assert 200 == client.get(path).status_code
        for path in ("/", "/schema.json", "/docs.json", "/metrics", "/v1/models", "/assets/x"):
            assert 401 == client.get(path).status_code
        assert 200 == client.get("/v1/models", headers=key_of(folder, "ward")).status_code
        assert 404 == client.get("/schema.json", headers=key_of(folder, "ward")).status_code
        assert 401 == client.get(HOOKS, headers=bearer(hooks_token("/other"))).status_code
        said = bearer(hooks_token())
        assert 401 != client.get(HOOKS, headers=said).status_code
        assert 401 == client.get(HOOKS, headers=said).status_code
    log = log_with(server, '"refused":"token_used_before"')

    assert '"event":"open"' not in log
    assert '"client":"ward"' in log


def test_what_is_begun_is_finished_and_nothing_new_begins(server: Server, folder: Path) -> None:
    body = json.dumps(sent()).encode()
    key = key_of(folder, "ward")["authorization"]
    head = (
        f"POST /v1/assess HTTP/1.1\r\nhost: here\r\nauthorization: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + body[:20])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        assert server.process.poll() is None
        connection.sendall(body[20:])
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    code = server.process.wait(10)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"estimates"' in answer
    assert -signal.SIGTERM == code


@pytest.mark.parametrize("path", ["/fhir/$assess", "/cds-services/x", "/v1/assess"])
def test_what_takes_too_long_is_told_in_the_format_of_its_address(path: str) -> None:
    async def sleeps(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(30)

    answer = TestClient(Timeout(sleeps, 0.01)).post(path)

    assert 504 == answer.status_code
    if path.startswith("/v1"):
        assert [("timeout", "request")] == problems(answer, 504)
    else:
        assert ["timeout"] == [issue["code"] for issue in answer.json()["issue"]]
