"""Why a launch failed: a code for programs, for which every language has a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from cdss.errors import Problem
from serving.problems import RequestError

STATUS: Mapping[str, int] = {
    "not_listed": 403,
    "no_launch": 400,
    "emr_unreachable": 502,
    "emr_not_smart": 502,
    "unknown_launch": 400,
    "other_browser": 400,
    "other_server": 400,
    "access_denied": 403,
    "login_failed": 502,
    "code_refused": 502,
    "app_refused": 502,
    "no_token": 502,
    "no_user": 502,
    "not_for_patients": 403,
    "no_patient": 422,
    "no_data": 502,
}
"""Code → HTTP status. ``smart.error`` of each language has the words."""


def failed(code: str) -> RequestError:
    """
    Make the refusal of a launch.

    Parameters
    ----------
    code : str
        Of `STATUS`.

    Returns
    -------
    RequestError
        Without anything that the EMR or the browser sent.
    """
    return RequestError(STATUS[code], [Problem(code, "launch", "failed")])
