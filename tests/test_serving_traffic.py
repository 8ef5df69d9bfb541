import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from serving.app import create_app
from serving.traffic import ALWAYS, MaxConcurrency, Timeout
from tests.serving_process import JSON, sent
from tests.toy import toy_model

BODY = json.dumps(sent()).encode()


async def ask(app: ASGIApp, path: str = "/v1/assess") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request, straight through ASGI; 0 if nothing is sent."""
    status, headers, body = 0, {}, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers, body
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {k.decode(): v.decode() for k, v in message["headers"]}
        body += message.get("body", b"")

    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in JSON.items()],
    }  # fmt: skip
    await app(scope, receive, send)
    return status, headers, body


def codes(body: bytes) -> list[str]:
    return [problem["code"] for problem in json.loads(body)["problems"]]


def timers(layer: Callable[..., ASGIApp], requests: int) -> tuple[int, int]:
    """How many timers still hold on to a request that was answered; and are in the loop at all."""

    async def run() -> tuple[int, int]:
        app = layer(create_app([toy_model()]), timeout=30)
        for _ in range(requests):
            assert 200 == (await ask(app))[0]
            await asyncio.sleep(0)  # when the loop clears away what was cancelled
        scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        return sum(not timer.cancelled() for timer in scheduled), len(scheduled)

    return asyncio.run(run())


def test_our_timers_end_with_their_requests() -> None:
    waiting, scheduled = timers(Timeout, 1000)

    assert 0 == waiting
    assert scheduled <= 101  # asyncio clears cancelled timers when there are more than 100


def test_those_of_bentoml_do_not() -> None:
    """When this fails the defect is mended, and `serving.traffic.Timeout` has no reason left."""
    assert (50, 50) == timers(TimeoutMiddleware, 50)


def sleeps(seconds: float, *, started: bool = False) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(seconds)
        await PlainTextResponse("late")(scope, receive, send)

    return app


def test_a_request_that_takes_too_long_is_answered() -> None:
    status, headers, body = asyncio.run(ask(Timeout(sleeps(30), 0.01)))

    assert (504, ["timeout"]) == (status, codes(body))
    assert "close" == headers["connection"]
    assert "application/problem+json" == headers["content-type"]


def test_an_answer_that_was_begun_is_not_answered_twice() -> None:
    assert (200, {}, b"") == asyncio.run(ask(Timeout(sleeps(30, started=True), 0.01)))


def test_the_log_of_a_request_that_took_too_long_has_its_status() -> None:
    app = create_app([toy_model()])
    app.app = sleeps(30)  # type: ignore[attr-defined]
    with capture_logs() as lines:
        asyncio.run(ask(Timeout(app, 0.01)))

    assert [504] == [line["status"] for line in lines]


def test_a_body_that_does_not_come_takes_too_long() -> None:
    async def never() -> Message:
        await asyncio.sleep(30)
        raise AssertionError

    async def slow_client(scope: Scope, receive: Receive, send: Send) -> None:
        await create_app([toy_model()])(scope, never, send)

    status, _, body = asyncio.run(ask(Timeout(slow_client, 0.05)))

    assert (504, ["timeout"]) == (status, codes(body))


def limited(most: int, ask_all: Callable[[ASGIApp, asyncio.Event], Awaitable[Any]]) -> Any:
    """Run requests against an app that answers when it is told to."""

    async def run() -> Any:
        go = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            await PlainTextResponse("done")(scope, receive, send)

        return await ask_all(MaxConcurrency(app, max_concurrency=most, skip_paths=["/mine"]), go)

    return asyncio.run(run())


def test_more_requests_than_allowed_are_refused_at_once_and_later_served() -> None:
    async def ask_all(app: ASGIApp, go: asyncio.Event) -> list[Any]:
        waiting = [asyncio.ensure_future(ask(app)) for _ in range(3)]
        await asyncio.sleep(0)
        refused = await ask(app)
        go.set()
        return [refused, *await asyncio.gather(*waiting), await ask(app)]

    refused, *served = limited(3, ask_all)

    assert (429, ["too_many_requests"]) == (refused[0], codes(refused[2]))
    assert "1" == refused[1]["retry-after"]
    assert [200] * 4 == [status for status, _, _ in served]


def test_a_failure_frees_its_place() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async def run() -> int:
        app = MaxConcurrency(fails, max_concurrency=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await ask(app)
        return app.free

    assert 1 == asyncio.run(run())


@pytest.mark.parametrize("path", [*ALWAYS, "/mine"])
def test_probes_are_answered_however_busy_it_is(path: str) -> None:
    async def ask_all(app: ASGIApp, go: asyncio.Event) -> int:
        busy = asyncio.ensure_future(ask(app))
        await asyncio.sleep(0)
        probe = asyncio.ensure_future(ask(app, path))
        go.set()
        await busy
        return (await probe)[0]

    assert 200 == limited(1, ask_all)


def test_what_is_not_http_passes() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def run() -> None:
        for layer in (Timeout(app, 1), MaxConcurrency(app, 0)):
            await layer({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    asyncio.run(run())

    assert ["lifespan", "lifespan"] == seen
