"""A form as a browser sends it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from cdss.errors import Problem
from serving.body import read_body
from serving.problems import RequestError

MOST_FIELDS = 1000
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class Sent(NamedTuple):
    """
    What a form holds.

    Attributes
    ----------
    typed : dict of str to str
        Name of an input → what stood in it.
    file : bytes
        What was chosen or dropped; empty if nothing was.
    """

    typed: dict[str, str]
    file: bytes


async def read_form(request: Request, limit: int) -> Sent:
    """
    Read a form.

    Parameters
    ----------
    request : starlette.requests.Request
        A POST of a browser.
    limit : int
        Most bytes.

    Returns
    -------
    Sent
        Of inputs with one name the last counts.

    Raises
    ------
    RequestError
        403 if another site's page sent it, 415 if it is no form, 413 if it is too large, 400 if it
        cannot be read.
    """
    # Nothing but this page has a reason to post here; a browser says who does.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        detail = "was sent by the page of another site"
        raise RequestError(403, [Problem("refused", "request", detail)])
    body = await read_body(request, limit, (_URLENCODED, _MULTIPART))
    try:
        if request.headers["content-type"].lower().startswith(_MULTIPART):
            return await _multipart(request, body)
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except (ValueError, MultiPartException):
        detail = "is not a form in UTF-8"
        raise RequestError(400, [Problem("malformed_form", "body", detail)]) from None
    return Sent(dict(pairs), b"")


async def _multipart(request: Request, body: bytes) -> Sent:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_fields=MOST_FIELDS, max_part_size=len(body) + 1
    )
    form = await parser.parse()
    try:
        typed = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        return Sent(typed, await files[0].read() if files else b"")
    finally:
        await form.close()
