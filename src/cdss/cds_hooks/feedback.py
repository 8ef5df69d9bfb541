"""What users did with cards: a report of the EMR, checked as a whole before any of it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cdss.cds_hooks.request import AN_UUID, UUID
from cdss.cds_hooks.services import FACTS
from cdss.errors import Problem, RecordError

MOST = 1000
"""Entries in one report."""

OTHER = "other"
"""Stands for a reason whose code is not one of ours: it may be anything."""

_CODES = frozenset(FACTS["override"]["codes"])
_SYSTEM = FACTS["system"]["override"]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_A_MOMENT = "2026-11-24T08:30:00Z"


class Feedback(NamedTuple):
    """
    What a user did with a card.

    Attributes
    ----------
    card : str
        Its uuid, lower case.
    outcome : str
        ``"accepted"`` or ``"overridden"``.
    at : str
        When, in UTC.
    suggestions : tuple of str
        Accepted ones.
    reason : str
        One of our codes for why it was overridden, or `OTHER`; empty if none was told.
    comment : str
        Free text of the user, in which anything may stand; empty if there is none.
    """

    card: str
    outcome: str
    at: str
    suggestions: tuple[str, ...]
    reason: str
    comment: str


def read_feedback(payload: Any) -> list[Feedback]:
    """
    Check a report.

    Parameters
    ----------
    payload : object
        Decoded JSON.

    Returns
    -------
    list of Feedback
        All of it.

    Raises
    ------
    RecordError
        With all problems at once; then nothing of the report counts, and it can be sent again.
    """
    if not isinstance(payload, Mapping):
        raise RecordError([Problem("not_an_object", "body", "must be a JSON object")])
    listed = payload.get("feedback")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST:
        detail = f"must be an array of 1 to {MOST} entries"
        raise RecordError([Problem("wrong_list", "feedback", detail, {"most": MOST})])
    said: list[Problem] = []
    found = [_entry(entry, f"feedback[{at}]", said) for at, entry in enumerate(listed)]
    if said:
        raise RecordError(said)
    return found


def _entry(entry: Any, path: str, said: list[Problem]) -> Feedback:
    """One entry; of no use if it adds a problem."""
    if not isinstance(entry, Mapping):
        said.append(Problem("not_an_object", path, "must be a JSON object"))
        return Feedback("", "", "", (), "", "")
    card = _matching(entry.get("card"), UUID, f"{path}.card", AN_UUID, said).lower()
    one_of = re.compile("accepted|overridden")
    outcome = _matching(
        entry.get("outcome"), one_of, f"{path}.outcome", "accepted, overridden", said
    )
    at = _moment(entry.get("outcomeTimestamp"), f"{path}.outcomeTimestamp", said)
    suggestions: tuple[str, ...] = ()
    if outcome == "accepted":
        suggestions = _suggestions(
            entry.get("acceptedSuggestions"), f"{path}.acceptedSuggestions", said
        )
    reason, comment = "", ""
    if outcome == "overridden" and entry.get("overrideReason") is not None:
        reason, comment = _reason(entry["overrideReason"], f"{path}.overrideReason", said)
    return Feedback(card, outcome, at, suggestions, reason, comment)


def _matching(
    value: Any, form: re.Pattern[str], path: str, example: str, said: list[Problem]
) -> str:
    if isinstance(value, str) and form.fullmatch(value):
        return value
    if value is None:
        said.append(Problem("required_member", path, "is required"))
    else:
        detail = f"must be like {example}"
        said.append(Problem("wrong_form", path, detail, {"example": example}))
    return ""


def _moment(value: Any, path: str, said: list[Problem]) -> str:
    """A moment in UTC, written in one way, so that the same moment is the same text."""
    text = _matching(value, _MOMENT, path, _A_MOMENT, said)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).isoformat() if text else ""
    except (ValueError, OverflowError):
        detail = f"must be like {_A_MOMENT}"
        said.append(Problem("wrong_form", path, detail, {"example": _A_MOMENT}))
        return ""


def _suggestions(value: Any, path: str, said: list[Problem]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        said.append(Problem("required_member", path, "is required"))
        return ()
    ids = [each.get("id") if isinstance(each, Mapping) else "" for each in value]
    found = [_matching(i, UUID, f"{path}[{at}].id", AN_UUID, said) for at, i in enumerate(ids)]
    return tuple(each.lower() for each in found)


def _reason(value: Any, path: str, said: list[Problem]) -> tuple[str, str]:
    """Code and comment; at least one of them must be there."""
    if not isinstance(value, Mapping):
        said.append(Problem("not_an_object", path, "must be a JSON object"))
        return "", ""
    reason, comment = value.get("reason"), value.get("userComment")
    if reason is None and comment is None:
        said.append(Problem("required_member", f"{path}.reason", "is required"))
        return "", ""
    code = ""
    if isinstance(reason, Mapping):
        ours = reason.get("code") in _CODES and reason.get("system", _SYSTEM) == _SYSTEM
        code = str(reason["code"]) if ours else OTHER
    elif reason is not None:
        said.append(Problem("not_an_object", f"{path}.reason", "must be a JSON object"))
    if comment is not None and not isinstance(comment, str):
        said.append(Problem("wrong_form", f"{path}.userComment", "must be like text",
                            {"example": "\"…\""}))  # fmt: skip
        comment = None
    return code, comment or ""
