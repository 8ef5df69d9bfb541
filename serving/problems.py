"""Every error as RFC 9457 ``application/problem+json``, listing all problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cdss.errors import Problem, RecordError
from cdss.i18n import words
from cdss.wire import problems_to_list

MOST_LISTED = 1000
"""Problems listed in one answer: a hostile body must not buy a far larger answer."""

Headers = Mapping[str, str]


class RequestError(Exception):
    """
    A request that cannot be answered.

    Parameters
    ----------
    status : int
        HTTP status of the answer.
    problems : iterable of Problem
        Everything wrong with it.
    headers : mapping of str to str, optional
        More headers of the answer.
    """

    def __init__(
        self, status: int, problems: Iterable[Problem], headers: Headers | None = None
    ) -> None:
        self.status, self.problems, self.headers = status, tuple(problems), headers
        super().__init__(f"{status}: {', '.join(p.code for p in self.problems)}")


def problem_response(
    status: int, problems: Sequence[Mapping[str, str]], headers: Headers | None = None
) -> Response:
    """
    Make an RFC 9457 answer.

    Parameters
    ----------
    status : int
        HTTP status; its phrase is the title, its meaning the type (``about:blank``).
    problems : sequence of mapping
        ``code``, ``variable`` and ``detail`` of each.
    headers : mapping of str to str, optional
        More headers.

    Returns
    -------
    starlette.responses.Response
        With all problems, or the first `MOST_LISTED` and how many there are.
    """
    count, listed = len(problems), problems[:MOST_LISTED]
    detail = f"{count} problem{'' if count == 1 else 's'}"
    if len(listed) < count:
        detail += f", the first {len(listed)} are listed"
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "problems": listed,
    }
    return Response(
        orjson.dumps(document),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/problem+json",
    )


def request_problem(error: RequestError) -> Response:
    """
    Answer a request that cannot be answered.

    Parameters
    ----------
    error : RequestError
        Why.

    Returns
    -------
    starlette.responses.Response
        In English: these are words from program to program.
    """
    listed = [{"code": p.code, "variable": p.variable, "detail": p.detail} for p in error.problems]
    return problem_response(error.status, listed, error.headers)


INTERNAL = RequestError(
    500, [Problem("internal_error", "server", "failed; its log says where, without any value")]
)
_OF_STATUS = {
    404: Problem("unknown_path", "path", "does not exist; GET / lists what does"),
    405: Problem("wrong_method", "method", "is not allowed here; see the Allow header"),
}


async def _record(request: Request, error: Any) -> Response:
    text = words(request.state.lang)
    return problem_response(422, problems_to_list(error.problems, text))


async def _request(request: Request, error: Any) -> Response:
    return request_problem(error)


async def _http(request: Request, error: Any) -> Response:
    problem = _OF_STATUS.get(error.status_code, Problem("refused", "request", "was refused"))
    return request_problem(RequestError(error.status_code, [problem], error.headers))


async def _disconnect(request: Request, error: Any) -> Response:
    problem = Problem("incomplete_body", "body", "ended before it was complete")
    return request_problem(RequestError(400, [problem]))


async def _unforeseen(request: Request, error: Any) -> Response:
    return request_problem(INTERNAL)


HANDLERS: Mapping[Any, Any] = {
    RecordError: _record,
    RequestError: _request,
    HTTPException: _http,
    ClientDisconnect: _disconnect,
    Exception: _unforeseen,
}
"""Exception → answer, for `starlette.applications.Starlette`."""
