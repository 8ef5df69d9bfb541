"""Fetching: from servers that the site listed and from no other, within time and size."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from serving.fhir_client import MOST_BYTES, MOST_PAGES, FhirClient

BASE = "https://emr.example/r4"


def found(
    answer: Callable[[httpx.Request], Any], queries: dict[str, str], *, server: str = BASE,
    token: str | None = "top-secret", seconds: float = 3.0,
) -> dict[str, Any]:  # fmt: skip
    async def ask() -> dict[str, Any]:
        client = FhirClient([BASE], transport=httpx.MockTransport(answer), seconds=seconds)
        try:
            return await client.fetch(server, token, queries)
        finally:
            await client.close()

    return asyncio.run(ask())


def page(at: int = 0, *, after: str | None = None) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "entry": [{"resource": {"id": str(at)}}]}
    return bundle | ({"link": [{"relation": "next", "url": after}]} if after else {})


def test_a_listed_server_is_asked_with_the_token() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"resourceType": "Patient", "id": "1"})

    assert {"patient": {"resourceType": "Patient", "id": "1"}} == found(
        answer, {"patient": "Patient/1"}
    )
    (request,) = asked
    assert "https://emr.example/r4/Patient/1" == str(request.url)
    assert "GET" == request.method
    assert "Bearer top-secret" == request.headers["authorization"]
    assert "application/fhir+json" == request.headers["accept"]


def test_without_a_token_none_is_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return httpx.Response(200, json=page())

    assert {"a"} == set(found(answer, {"a": "Observation?patient=1"}, token=None))


@pytest.mark.parametrize(
    "server",
    [
        "https://evil.example/r4",
        "https://emr.example.evil.example/r4",
        "https://emr.example@evil.example/r4",
        "https://user:pass@emr.example/r4",
        "https://emr.example:8443/r4",
        "http://emr.example/r4",
        "https://emr.example/r4evil",
        "https://emr.example/",
        "https://emr.example/r4/../admin",
        "https://emr.example/r4/%2e%2e/admin",
        "https://emr.example/r4/..%2fadmin",
        "https://emr.example/r4/.//x",
        "https://emr.example/r4#x",
        "https://emr.example\\@evil.example/r4",
        "https://emr.example/r4 ",
        "https://emr.exаmple/r4",
        "ftp://emr.example/r4",
        "file:///etc/passwd",
        "//emr.example/r4",
        "http://127.0.0.1/r4",
        "http://169.254.169.254/latest",
        "https://emr.example:99999/r4",
        "",
    ],
)
def test_a_server_that_is_not_listed_is_never_called(server: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError("called")

    assert {} == found(answer, {"patient": "Patient/1"}, server=server)


def test_a_listed_server_is_known_in_other_spellings_and_below_its_path() -> None:
    client = FhirClient([BASE, "http://127.0.0.1:8080/fhir"])

    assert client.allows("https://EMR.example:443/r4/")
    assert client.allows("https://emr.example/r4/tenant-7")
    assert client.allows("http://127.0.0.1:8080/fhir")
    assert not client.allows("http://127.0.0.1:8081/fhir")
    assert not client.allows("http://127.0.0.1:8080/other")


@pytest.mark.parametrize(
    "listed",
    ["http://emr.example/r4", "emr.example", "https://u@emr.example", "https://emr.example/#x", ""],
)
def test_a_list_with_an_address_that_is_none_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match="https"):
        FhirClient([listed])


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404, json={"resourceType": "OperationOutcome"}),
        httpx.Response(302, headers={"location": "https://evil.example/"}),
        httpx.Response(500),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, json={"a": 1}),
        httpx.Response(200, content=b'"' + b"x" * MOST_BYTES + b'"'),
    ],
)
def test_an_error_a_redirect_and_too_much_are_no_answers(response: httpx.Response) -> None:
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url)
        return response if "Patient" in str(request.url) else httpx.Response(200, json=page())

    assert {"other"} == set(found(answer, {"patient": "Patient/1", "other": "Condition?x=1"}))
    assert {"emr.example"} == {url.host for url in calls}


def test_a_server_that_cannot_be_reached_gives_nothing() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert {} == found(answer, {"patient": "Patient/1"})


def test_what_does_not_come_in_time_is_not_waited_for() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        if "Condition" in str(request.url):
            await asyncio.sleep(30)
        return httpx.Response(200, json=page())

    assert {"quick"} == set(
        found(answer, {"slow": "Condition?x=1", "quick": "Observation?x=1"}, seconds=0.2)
    )


def test_a_few_pages_are_followed_and_then_it_says_that_there_is_more() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params.get("page", 1))
        return httpx.Response(200, json=page(at, after=f"{BASE}/Condition?page={at + 1}"))

    bundle = found(answer, {"conditions": "Condition?x=1"})["conditions"]

    assert ["1", "2", "3"] == [entry["resource"]["id"] for entry in bundle["entry"]]
    assert MOST_PAGES == 3
    assert "next" == bundle["link"][0]["relation"]


@pytest.mark.parametrize("after", ["https://evil.example/r4?page=2", "https://emr.example/admin"])
def test_a_page_elsewhere_is_not_followed(after: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path.startswith("/r4/")
        return httpx.Response(200, json=page(1, after=after))

    bundle = found(answer, {"conditions": "Condition?x=1"})["conditions"]

    assert 1 == len(bundle["entry"])
    assert "link" in bundle


def test_a_last_page_leaves_nothing_open() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        last = "page" in request.url.params
        return httpx.Response(200, json=page(after=None if last else "Condition?page=2"))

    bundle = found(answer, {"conditions": "Condition?x=1"})["conditions"]

    assert 2 == len(bundle["entry"])
    assert [] == bundle["link"]


def test_no_address_and_no_token_is_logged_by_this_service(caplog: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500)

    with caplog.at_level(logging.WARNING):
        found(answer, {"patient": "Patient/nguyen-172"})

    assert "nguyen-172" not in caplog.text
    assert "top-secret" not in caplog.text
