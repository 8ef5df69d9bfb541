"""A request's bytes into JSON, strictly: nothing is repaired, cut off or chosen for the sender."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

import orjson
from starlette.requests import Request

from cdss.errors import Problem
from serving.problems import RequestError

MOST_DEPTH = 64
"""Objects and arrays in one another: many more than any format has."""

MOST_TEXT = 100_000
"""Characters of one text."""


async def read_json(request: Request, limit: int) -> Any:
    """
    Read and decode a request's body.

    Parameters
    ----------
    request : starlette.requests.Request
        A request with a JSON body.
    limit : int
        Most bytes accepted, whether announced or sent in chunks.

    Returns
    -------
    object
        Decoded JSON.

    Raises
    ------
    RequestError
        415 if it is not said to be JSON, 413 if it is too large, 400 if it is not JSON (NaN and
        Infinity are not), is nested too deeply, or gives a name twice in one object.
    """
    return decode(await read_body(request, limit))


async def read_body(
    request: Request, limit: int, types: Sequence[str] = ("application/json",)
) -> bytes:
    """
    Read a request's body as it was sent.

    Parameters
    ----------
    request : starlette.requests.Request
        A request with a body.
    limit : int
        Most bytes accepted, whether announced or sent in chunks.
    types : sequence of str
        Content types accepted, without parameters.

    Returns
    -------
    bytes
        Not yet decoded.

    Raises
    ------
    RequestError
        415 if it is said to be of another type, 413 if it is too large.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() not in types:
        _refuse(415, "wrong_content_type", "content-type", f"must be {' or '.join(types)}")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            _too_large(limit)
    return bytes(body)


def decode(body: bytes) -> Any:
    """
    Decode JSON in which every name is given once.

    Parameters
    ----------
    body : bytes
        UTF-8.

    Returns
    -------
    object
        Decoded JSON.

    Raises
    ------
    RequestError
        400, as in `read_json`.
    """
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _refuse(400, "malformed_json", "body", f"is not JSON in UTF-8: {error.msg}")
    # orjson silently keeps the last of two equal names; two ages are no age. Every name in the body
    # has a colon: if they are no more than the names kept, none was dropped. Otherwise the standard
    # library looks; what it would let pass (NaN, lone surrogates) is gone by now.
    try:
        if body.count(b":") != _names(decoded):
            _UNIQUE.decode(body.decode())
    except _Twice:
        _refuse(400, "duplicate_name", "body", "gives a name twice in one object")
    except RecursionError:
        _refuse(400, "malformed_json", "body", "is nested too deeply")
    if len(body) > MOST_TEXT or body.count(b"{") + body.count(b"[") > MOST_DEPTH:
        _check_size(decoded)
    return decoded


def _check_size(decoded: Any) -> None:
    """Refuse what is nested too deeply for those who read it, or has too long a text."""
    level = [[decoded]]
    for _ in range(MOST_DEPTH + 1):
        inner: list[Any] = []
        for node in level:
            for member in node.values() if type(node) is dict else node:
                kind = type(member)
                if kind is dict or kind is list:
                    inner.append(member)
                elif kind is str and len(member) > MOST_TEXT:
                    _refuse(400, "text_too_long", "body", f"has one above {MOST_TEXT} characters")
        if not inner:
            return
        level = inner
    _refuse(400, "malformed_json", "body", "is nested too deeply")


def _names(decoded: Any) -> int:
    """Count the names in what is asked of us; of JSON nested in another way, too few."""
    if not isinstance(decoded, dict):
        return 0
    count = len(decoded)
    for member in decoded.values():
        if isinstance(member, dict):
            count += len(member)
            count += sum([len(entry) for entry in member.values() if isinstance(entry, dict)])
        elif isinstance(member, list):
            count += sum(map(_names, member))
    return count


class _Twice(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Twice


_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)


def _too_large(limit: int) -> NoReturn:
    # Whoever sends too much is cut off, or the rest would still be read.
    _refuse(413, "body_too_large", "body", f"must be at most {limit} bytes", close=True)


def _refuse(status: int, code: str, where: str, detail: str, *, close: bool = False) -> NoReturn:
    headers = {"connection": "close"} if close else None
    raise RequestError(status, [Problem(code, where, detail)], headers)
