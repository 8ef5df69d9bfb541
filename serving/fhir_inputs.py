"""What a FHIR request asks for: its headers, its query, and a Parameters resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from starlette.requests import Request

from cdss.errors import Problem
from cdss.fhir.capability import IN_QUERY, PARAMETERS
from cdss.i18n import LANGUAGES
from serving.problems import RequestError

TYPES = ("application/fhir+json", "application/json")
"""Content types read and written."""

_FORMATS = {*TYPES, "json", "text/json"}
_ANY = {"*/*", "application/*"}
_QUERY = {parameter.name for parameter in IN_QUERY}
_NAMES = {parameter.name for parameter in PARAMETERS}


class Inputs(NamedTuple):
    """What a request gives: resources, and simple inputs by name."""

    document: Any
    given: Mapping[str, str]


def answer_type(request: Request) -> str:
    """
    Make out which content type to answer with.

    Parameters
    ----------
    request : starlette.requests.Request
        Any; ``_format`` counts before ``Accept``.

    Returns
    -------
    str
        One of `TYPES`.

    Raises
    ------
    RequestError
        406 if it takes no JSON, or another version of FHIR only; 415 if it sends another version.
    """
    if not _is_r4(request.headers.get("content-type", "")):
        _refuse(415, "wrong_fhir_version", "content-type", "must be of FHIR version 4.0")
    asked = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    # In a query, a plus sign that was not encoded is read as a space.
    ranges = [part.replace("fhir json", "fhir+json").strip() for part in asked.split(",")]
    able = [r.partition(";")[0].strip().lower() for r in ranges if _is_r4(r)]
    if TYPES[1] in able and not {TYPES[0], *_ANY} & set(able):
        return TYPES[1]
    if not able or not (_FORMATS | _ANY) & set(able):
        _refuse(406, "not_acceptable", "accept", f"must allow {TYPES[0]}; fhirVersion=4.0")
    return TYPES[0]


def _is_r4(content_type: str) -> bool:
    """Tell whether a content type leaves the version of FHIR open, or names 4.0."""
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.strip().partition("=")
        if key.lower() == "fhirversion" and value.strip('"') not in ("4.0", "4.0.1"):
            return False
    return True


def language(request: Request, site: str) -> str:
    """
    Make out the language of texts where no parameter names one.

    Parameters
    ----------
    request : starlette.requests.Request
        Any.
    site : str
        Language of the site.

    Returns
    -------
    str
        The first of ``Accept-Language`` there are words in, else that of the site.
    """
    for part in request.headers.get("accept-language", "").split(","):
        lang = part.partition(";")[0].strip().partition("-")[0].lower()
        if lang in LANGUAGES:
            return lang
    return site


def inputs(request: Request, document: Any, problems: list[Problem]) -> Inputs:
    """
    Take the inputs of $assess out of the query and of the body.

    Parameters
    ----------
    request : starlette.requests.Request
        Its query may give what is simple.
    document : object
        Decoded body: a Parameters resource, or what would be its ``resource``.
    problems : list of Problem
        What is wrong is added.

    Returns
    -------
    Inputs
        What was given, each once.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in ("_format", "_pretty"):
            continue
        if name not in _QUERY:
            known = ", ".join(sorted(_QUERY))
            problems.append(Problem("unknown_parameter", name[:64], f"is not one of {known}"))
        else:
            _once(given, name, value, problems)
    if not isinstance(document, Mapping) or document.get("resourceType") != "Parameters":
        return Inputs(document, given)
    resources = []
    for name, parameter in _parameters(document, problems):
        if name == "resource":
            resources.append(parameter.get("resource"))
        else:
            _once(given, name, _value(parameter), problems)
    if not resources:
        detail = "must give a parameter named resource"
        problems.append(Problem("no_resource", "Parameters", detail))
    return Inputs(resources[0] if len(resources) == 1 else resources, given)


def index_date(text: str, problems: list[Problem]) -> date | None:
    """
    Read the index date.

    Parameters
    ----------
    text : str
        As given.
    problems : list of Problem
        What is wrong is added.

    Returns
    -------
    datetime.date or None
        None if it is not a whole date: a month or a year is none.
    """
    try:
        if (day := date.fromisoformat(text)).isoformat() == text:
            return day
    except ValueError:
        pass
    problems.append(Problem("wrong_date", "indexDate", "must be a date written YYYY-MM-DD"))
    return None


def _parameters(
    document: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Parameters with a name that is known."""
    listed = document.get("parameter")
    for at, parameter in enumerate(listed if isinstance(listed, list) else ()):
        name = parameter.get("name") if isinstance(parameter, Mapping) else None
        if isinstance(name, str) and name in _NAMES:
            yield name, parameter
        else:
            known = f"must have a name, one of {', '.join(sorted(_NAMES))}"
            place = f"Parameters.parameter[{at}]"
            problems.append(Problem("unknown_parameter", place, known, {"at": place}))


def _value(parameter: Mapping[str, Any]) -> Any:
    """A parameter's value, whatever its type is called; of a reference, its address."""
    value = next((v for key, v in parameter.items() if key.startswith("value")), None)
    return value.get("reference") if isinstance(value, Mapping) else value


def _once(given: dict[str, str], name: str, value: Any, problems: list[Problem]) -> None:
    if name in given:
        problems.append(Problem("duplicate_name", name, "is given twice"))
    elif not isinstance(value, str) or not value:
        problems.append(Problem("wrong_parameter", name, "must be text"))
    else:
        given[name] = value


def _refuse(status: int, code: str, where: str, detail: str) -> None:
    raise RequestError(status, [Problem(code, where, detail)])
