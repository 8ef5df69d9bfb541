"""
Asking the EMR's FHIR server for what it did not send along.

The address comes with a request, so it is only called if the site listed it: anything else would
let a caller make this server call whatever it likes, with a token.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
import orjson

SECONDS = 3.0
"""For all queries of one request together: a hook is to be answered in about half a second."""

MOST_BYTES = 2_000_000
MOST_PAGES = 3

_AT_ONCE = 6  # queries


class FhirClient:
    """
    Reads from FHIR servers that the site listed, and from no other.

    Parameters
    ----------
    allowed : iterable of str
        Bases of FHIR servers, e.g. ``https://fhir.hospital.example/r4``; a server is allowed if it
        has the same scheme, host and port and its path is the listed one or below it.
    seconds : float
        Time for all queries of a request together.
    transport : httpx.AsyncBaseTransport, optional
        For tests.

    Raises
    ------
    ValueError
        If a listed address cannot be one: no https although not on this machine, or a query, a
        fragment, a user or a path with dots in it.
    """

    def __init__(
        self,
        allowed: Iterable[str],
        *,
        seconds: float = SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._allowed = []
        for address in allowed:
            if (listed := _split(address)) is None:
                raise ValueError("a FHIR server must be an https address without query or user")
            self._allowed.append(listed)
        self.seconds = seconds
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"accept": "application/fhir+json"},
        )

    def allows(self, address: str) -> bool:
        """
        Tell whether an address may be called.

        Parameters
        ----------
        address : str
            Of a FHIR server, or of a page of its answer.

        Returns
        -------
        bool
            False also of what is not an address at all.
        """
        asked = _split(address)
        return asked is not None and any(_within(asked, listed) for listed in self._allowed)

    async def fetch(
        self, server: str, token: str | None, queries: Mapping[str, str]
    ) -> dict[str, Any]:
        """
        Answer queries.

        Parameters
        ----------
        server : str
            Base of a FHIR server.
        token : str or None
            What authorizes us there.
        queries : mapping of str to str
            Key → query, relative to the base.

        Returns
        -------
        dict
            Key → resource. What is not allowed, fails, redirects, is too large or takes too long is
            absent.
        """
        if not queries or not self.allows(server):
            return {}
        headers = {"authorization": f"Bearer {token}"} if token else {}
        found: dict[str, Any] = {}
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(key: str, query: str) -> None:
            async with turns:
                address = f"{server.rstrip('/')}/{query}"
                try:
                    if (answer := await self._pages(address, headers)) is not None:
                        found[key] = answer
                except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError):
                    pass  # it stays unanswered, and the caller says so

        try:
            async with asyncio.timeout(self.seconds):
                await asyncio.gather(*(ask(*query) for query in queries.items()))
        except TimeoutError:
            pass  # what came in time is used
        return found

    async def _pages(self, address: str, headers: Mapping[str, str]) -> Any:
        """A resource; of a search, the first few pages in one."""
        first = await self._get(address, headers)
        page, pages = first, 1
        while (following := _next(page)) and pages < MOST_PAGES:
            following = urljoin(address, following)
            page = await self._get(following, headers) if self.allows(following) else None
            if not isinstance(page, Mapping) or not isinstance(page.get("entry"), list):
                return first  # it still says that there is more
            first["entry"] = [*first["entry"], *page["entry"]]
            first["link"] = page.get("link", [])
            pages += 1
        return first

    async def _get(self, address: str, headers: Mapping[str, str]) -> Any:
        async with self._client.stream("GET", address, headers=headers) as response:
            if response.status_code != 200:
                return None
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    return None
        answer = orjson.loads(bytes(body))
        return answer if isinstance(answer, dict) and answer.get("resourceType") else None

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def can_be_asked(address: str) -> bool:
    """
    Tell whether an address can be that of a FHIR server.

    Parameters
    ----------
    address : str
        What was given.

    Returns
    -------
    bool
        False if it is not https although not on this machine, or has a query, a fragment, a user
        or a path with dots in it.
    """
    parts = _split(address)
    return parts is not None and not parts.query


def _next(page: Any) -> str | None:
    """Address of the page after a page of a search."""
    links: Sequence[Any] = page.get("link", ()) if isinstance(page, dict) else ()
    if not isinstance(links, list) or not isinstance(page.get("entry"), list):
        return None
    for link in links:
        if isinstance(link, dict) and link.get("relation") == "next":
            return link["url"] if isinstance(link.get("url"), str) else None
    return None


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None if it is none that may be called."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    sound = host and "@" not in parts.netloc and address.isascii() and address.isprintable()
    path = parts.path.lower()
    climbs = any(bad in path for bad in ("/.", "\\", "%2e", "%2f", "%5c", "//"))
    secure = parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))
    if not sound or not secure or climbs or parts.fragment or " " in address:
        return None
    port = port or {"https": 443, "http": 80}[parts.scheme]
    return SplitResult(parts.scheme, f"{host}:{port}", parts.path.rstrip("/"), parts.query, "")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _within(asked: SplitResult, listed: SplitResult) -> bool:
    same = (asked.scheme, asked.netloc) == (listed.scheme, listed.netloc)
    return same and f"{asked.path}/".startswith(f"{listed.path}/")
