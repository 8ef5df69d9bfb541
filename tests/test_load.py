"""More callers than are served at a time: refused at once; nothing that was answered is lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from cdss.audit.site import open_log, read_site
from serving.benchmarks.process import served
from tests.serving_process import COMMAND, sent, write_toys

CALLERS, RECORDS = 120, 30

pytestmark = pytest.mark.slow

Answer = tuple[int, bytes, dict[str, str]]


async def caller(port: int, body: bytes, everybody_waits: asyncio.Barrier) -> list[Answer]:
    """Send half a body, wait until all have, send the rest; then another, at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        b"POST /v1/assess/batch HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    half = len(body) // 2
    writer.write(head + body[:half])
    await writer.drain()
    await everybody_waits.wait()
    await asyncio.sleep(1)  # for the server to have seen them
    writer.write(body[half:])
    got = [await answer_of(reader)]
    if got[0][0] == 200:
        writer.write(head + body)
        got.append(await answer_of(reader))
    writer.close()
    return got


async def answer_of(reader: asyncio.StreamReader) -> Answer:
    """Status, body and headers of an answer."""
    status = int((await reader.readline()).split()[1])
    headers = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return status, await reader.readexactly(int(headers["content-length"])), headers


async def everybody(port: int, body: bytes) -> list[Answer]:
    barrier = asyncio.Barrier(CALLERS)
    calls = await asyncio.gather(*(caller(port, body, barrier) for _ in range(CALLERS)))
    return [answer for some in calls for answer in some]


def test_at_the_limit_some_are_refused_and_every_answer_is_in_the_log(tmp_path: Path) -> None:
    environment = {
        "CDSS_BUNDLES": str(write_toys(tmp_path / "bundles")),
        "CDSS_AUDIT": str(tmp_path / "audit.db"),
    }
    body = json.dumps({"records": [sent()] * RECORDS}).encode()
    with served([*COMMAND, "--port", "0"], environment) as server:
        answers = asyncio.run(everybody(server.port, body))
    statuses = Counter(status for status, _, _ in answers)
    told = [
        assessment["assessment_id"]
        for status, text, _ in answers
        if status == 200
        for assessment in json.loads(text)["assessments"]
    ]

    assert {200, 429} == statuses.keys(), statuses
    assert all("retry-after" in headers for status, _, headers in answers if status == 429)
    site = read_site(environment)
    assert site is not None
    store, _ = open_log(site)
    kept = {line.id for line in store.lines()}
    store.close()
    assert len(told) == RECORDS * statuses[200] == len(set(told))
    assert set(told) == kept
