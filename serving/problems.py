"""
Every error, with all its problems.

As RFC 9457 ``application/problem+json``; as a FHIR OperationOutcome at the addresses of FHIR and
CDS Hooks (`serving.addresses.OUTCOMES`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from cdss.errors import Problem, RecordError
from cdss.fhir.operation_outcome import issue, operation_outcome, remark
from cdss.i18n import words
from cdss.wire import problems_to_list
from serving.addresses import outcome_type
from serving.monitor import count_rejected

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


def unauthorized(code: str, detail: str, error: str = "invalid_token") -> RequestError:
    """
    Make the refusal of a client that has not shown who it is (RFC 6750).

    Parameters
    ----------
    code : str
        Stable name for programs.
    detail : str
        What is wrong with the Authorization header; none of its content.
    error : str
        Name of the error in RFC 6750; empty if nothing was sent.

    Returns
    -------
    RequestError
        401 with WWW-Authenticate.
    """
    challenge = 'Bearer realm="cdss"'
    if error:
        challenge += f', error="{error}", error_description="{detail}"'
    problem = Problem(code, "authorization", detail)
    return RequestError(401, [problem], {"www-authenticate": challenge})


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


def outcome_response(
    status: int,
    problems: Sequence[Problem],
    lang: str,
    media_type: str,
    headers: Headers | None = None,
) -> Response:
    """
    Make an answer that is an OperationOutcome.

    Parameters
    ----------
    status : int
        HTTP status.
    problems : sequence of Problem
        Why there is no other answer.
    lang : str
        Language of the texts.
    media_type : str
        Content type.
    headers : mapping of str to str, optional
        More headers.

    Returns
    -------
    starlette.responses.Response
        With all problems, or the first `MOST_LISTED` and how many there are.
    """
    text = words(lang)
    issues = [issue(problem, "error", text) for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        told = f"{len(problems)} problems, the first {MOST_LISTED} are listed"
        issues.append(remark("more", told))
    return Response(
        orjson.dumps(operation_outcome(issues, lang)),
        status,
        {"cache-control": "no-store", **(headers or {})},
        media_type,
    )


def refusal(scope: Scope, error: RequestError) -> Response:
    """
    Answer a request that cannot be answered, as its address has it.

    Parameters
    ----------
    scope : mapping
        ASGI scope of the request.
    error : RequestError
        Why.

    Returns
    -------
    starlette.responses.Response
        problem+json in English, since these are words from program to program; OperationOutcome in
        the language of the request, if that is known by now.
    """
    if media_type := outcome_type(scope["path"]):
        lang = scope.get("state", {}).get("lang", "en")
        return outcome_response(error.status, error.problems, lang, media_type, error.headers)
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
    count_rejected(request, error.problems)
    if outcome_type(request.scope["path"]):
        return refusal(request.scope, RequestError(422, error.problems))
    text = words(request.state.lang)
    return problem_response(422, problems_to_list(error.problems, text))


async def _request(request: Request, error: Any) -> Response:
    return refusal(request.scope, error)


async def _http(request: Request, error: Any) -> Response:
    problem = _OF_STATUS.get(error.status_code, Problem("refused", "request", "was refused"))
    return refusal(request.scope, RequestError(error.status_code, [problem], error.headers))


async def _disconnect(request: Request, error: Any) -> Response:
    problem = Problem("incomplete_body", "body", "ended before it was complete")
    return refusal(request.scope, RequestError(400, [problem]))


async def _unforeseen(request: Request, error: Any) -> Response:
    return refusal(request.scope, INTERNAL)


HANDLERS: Mapping[Any, Any] = {
    RecordError: _record,
    RequestError: _request,
    HTTPException: _http,
    ClientDisconnect: _disconnect,
    Exception: _unforeseen,
}
"""Exception → answer, for `starlette.applications.Starlette`."""
