"""Problems as an OperationOutcome. None of it holds a patient's value."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cdss.errors import Problem
from cdss.fhir.parts import CODES, SYSTEM, Resource, coding, filled, plain
from cdss.fhir.rationale import about
from cdss.i18n import Words

_ISSUE = {code: issue for issue, codes in CODES["issue"].items() for code in codes}
_FHIRPATH = re.compile(r"[A-Z]\w*(\.\w+(\[\d+\])?)+")


def operation_outcome(issues: Iterable[Resource], lang: str) -> Resource:
    """
    Put issues into an OperationOutcome.

    Parameters
    ----------
    issues : iterable of dict
        At least one.
    lang : str
        Language of their texts.

    Returns
    -------
    dict
        OperationOutcome.
    """
    return {"resourceType": "OperationOutcome", "language": lang, "issue": list(issues)}


def issue(
    problem: Problem, severity: str, text: Words, *, of: str = "", model: str = ""
) -> Resource:
    """
    Say a problem as an issue.

    Parameters
    ----------
    problem : Problem
        What is wrong, or worth knowing; ``params["at"]`` says where it stood.
    severity : {"fatal", "error", "warning", "information"}
        Error if it is why there is no answer, warning if something was not used; of what merely
        is not read here, information.
    text : Words
        Words of the language of ``details``; ``diagnostics`` is for programmers.
    of : str, optional
        What the problem is a reason against, in words.
    model : str, optional
        Which model it is a reason against.

    Returns
    -------
    dict
        An issue of an OperationOutcome.
    """
    said = plain(about(problem, text))
    places = problem.params.get("places") or filter(None, [problem.params.get("at")])
    placed: dict[str, list[str]] = {}
    for at in places:
        kind = "expression" if _FHIRPATH.fullmatch(at) else "location"
        placed.setdefault(kind, []).append(plain(at))
    return filled(
        severity="information" if problem.code in CODES["information"] else severity,
        code=_ISSUE.get(problem.code, "processing"),
        details={
            "coding": [coding(SYSTEM["problem"], problem.code)],
            "text": f"{of}: {said}" if of else said,
        },
        diagnostics=f"{model and f'{model}: '}{plain(problem.variable)}",
        **placed,
    )


def remark(code: str, said: str, diagnostics: str = "") -> Resource:
    """
    Say what is worth knowing and wrong with nothing.

    Parameters
    ----------
    code : str
        Stable name for programs.
    said : str
        In words.
    diagnostics : str, optional
        For programmers.

    Returns
    -------
    dict
        An issue of an OperationOutcome.
    """
    return filled(
        severity="information",
        code="informational",
        details={"coding": [coding(SYSTEM["problem"], code)], "text": said},
        diagnostics=diagnostics,
    )
