"""Keys of issuers: which are taken, when they are fetched, what happens when they cannot be."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from serving import jwks as module
from serving.jwks import MOST_BYTES, RETRY_SECONDS, Fetched, fetch, read_jwks
from serving.problems import RequestError
from tests.security_clients import jwks, signer

HERE = "https://emr.example.org/jwks.json"


def test_keys_that_are_too_weak_or_for_something_else_are_left_out() -> None:
    weak = RSAKey.generate_key(1024, {"kid": "weak"}, auto_kid=False)
    others = [
        weak.as_dict(private=False),
        ECKey.generate_key("P-521", {"kid": "p521"}).as_dict(private=False),
        ECKey.generate_key("P-384", {"kid": "enc", "use": "enc"}).as_dict(private=False),
        ECKey.generate_key("P-384").as_dict(private=False),  # without kid
        OctKey.import_key("x" * 48, {"kid": "secret"}).as_dict(),
        {"kty": "EC", "crv": "P-384", "kid": "broken", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "half"}, {"kty": 7, "kid": "seven"}, "x", None, {},
    ]  # fmt: skip
    good = [signer("emr-1"), signer("p256", "P-256"), signer("emr-2", "RSA")]

    assert {"emr-1", "p256", "emr-2"} == read_jwks({"keys": others + jwks(*good)["keys"]}).keys()


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [{}]},
        {"keys": [signer("a").as_dict(private=True)]}, jwks(signer("a"), signer("a")),
    ],
)  # fmt: skip
def test_sets_of_which_nothing_can_be_used(document: object) -> None:
    with pytest.raises(ValueError, match=r"JSON Web Key Set|no key|private|twice"):
        read_jwks(document)


class Issuer:
    """An issuer whose keys, answers and clock the test sets."""

    def __init__(self, *keys: str) -> None:
        self.keys, self.cache_control, self.fails = list(keys), "", False
        self.now, self.fetches = 1000.0, 0
        self.find = Fetched(HERE, self.fetch, lambda: self.now)

    async def fetch(self, address: str) -> tuple[bytes, str]:
        assert HERE == address
        self.fetches += 1
        await asyncio.sleep(0)
        if self.fails:
            raise httpx.ConnectError("refused")
        return json.dumps(jwks(*map(signer, self.keys))).encode(), self.cache_control

    async def has(self, kid: str) -> bool:
        return await self.find(kid) is not None


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 300), ("max-age=900", 900), ("public, MAX-AGE=900, immutable", 900),
        ("max-age=0", 60), ("max-age=5", 60), ("no-store", 60), ("no-cache, max-age=900", 60),
        ("max-age=999999999", 3600), ("s-maxage=900", 300), ("max-age=x", 300),
    ],
)  # fmt: skip
def test_keys_are_kept_as_long_as_their_owner_allows(cache_control: str, seconds: int) -> None:
    async def run() -> list[int]:
        issuer = Issuer("a")
        issuer.cache_control = cache_control
        fetches = []
        for after in (0, seconds - 1, seconds):
            issuer.now = 1000 + after
            assert await issuer.has("a")
            fetches.append(issuer.fetches)
        return fetches

    assert [1, 1, 2] == asyncio.run(run())


def test_a_new_key_is_found_but_nobody_makes_us_ask_all_the_time() -> None:
    async def run() -> None:
        issuer = Issuer("a")
        assert await issuer.has("a")
        for _ in range(50):
            assert not await issuer.has("b")
        assert 1 == issuer.fetches
        issuer.keys = ["b"]
        issuer.now += RETRY_SECONDS
        assert await issuer.has("b")
        assert 2 == issuer.fetches
        assert not await issuer.has("a")  # withdrawn

    asyncio.run(run())


def test_many_at_once_fetch_once() -> None:
    async def run() -> int:
        issuer = Issuer("a")
        assert all(await asyncio.gather(*(issuer.has("a") for _ in range(20))))
        return issuer.fetches

    assert 1 == asyncio.run(run())


def test_keys_that_cannot_be_fetched_are_not_a_wrong_token() -> None:
    async def run() -> None:
        issuer = Issuer("a")
        issuer.fails = True
        for _ in range(3):
            with pytest.raises(RequestError) as refusal:
                await issuer.has("a")
        assert (503, "keys_unavailable", 1) == (
            refusal.value.status,
            refusal.value.problems[0].code,
            issuer.fetches,
        )
        assert refusal.value.headers == {"retry-after": "10"}
        issuer.fails, issuer.now = False, issuer.now + RETRY_SECONDS
        assert await issuer.has("a")
        issuer.fails, issuer.now = True, issuer.now + 299
        assert await issuer.has("a")  # still fresh
        assert not await issuer.has("b")
        issuer.now += 1
        with pytest.raises(RequestError):
            await issuer.has("a")  # and no longer

    asyncio.run(run())


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(jwks(signer("a"))).encode()
        if self.path == "/large":
            body = b" " * (MOST_BYTES + 1)
        self.send_response({"/moved": 302, "/none": 404}.get(self.path, 200))
        self.send_header("location", "/jwks.json")
        self.send_header("cache-control", "max-age=77")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_fetched(address: str) -> None:
    body, cache_control = asyncio.run(fetch(f"{address}/jwks.json"))

    assert ("max-age=77", {"a"}) == (cache_control, set(read_jwks(json.loads(body))))


@pytest.mark.parametrize("path", ["/moved", "/none", "/large"])
def test_what_is_not_the_document_is_no_document(address: str, path: str) -> None:
    with pytest.raises(ValueError, match=r"status|too large"):
        asyncio.run(fetch(address + path))


def test_an_issuer_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        server = await asyncio.start_server(lambda r, w: asyncio.sleep(30), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        find = Fetched(f"http://127.0.0.1:{port}/")
        with pytest.raises(RequestError, match="503"):
            await find("a")
        server.close()

    monkeypatch.setattr(module, "FETCH_SECONDS", 0.1)
    asyncio.run(run())
