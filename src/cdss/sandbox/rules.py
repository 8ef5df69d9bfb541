"""What cards must be like, whoever made them (CDS Hooks 2.0)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

Rules = Mapping[str, tuple[bool, Callable[[Any], bool]]]

MOST = 139
"""Characters of a summary: fewer than 140."""

_URL = re.compile(r"https?://\S+")


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _url(value: Any) -> bool:
    return isinstance(value, str) and bool(_URL.fullmatch(value))


def _uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _summary(value: Any) -> bool:
    return _text(value) and len(value) <= MOST and "\n" not in value


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: value in allowed


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _list(value: Any) -> bool:
    return isinstance(value, list)


CARD: Rules = {
    "uuid": (False, _uuid),
    "summary": (True, _summary),
    "detail": (False, _text),
    "indicator": (True, _one_of("info", "warning", "critical")),
    "source": (True, _object),
    "suggestions": (False, _list),
    "selectionBehavior": (False, _one_of("at-most-one", "any")),
    "overrideReasons": (False, _list),
    "links": (False, _list),
    "extension": (False, _object),
}
"""Member → whether it must be there, and whether a value will do. There are no other members."""

_SOURCE: Rules = {
    "label": (True, _text), "url": (False, _url), "icon": (False, _url), "topic": (False, _object),
    "extension": (False, _object),
}  # fmt: skip
_SUGGESTION: Rules = {
    "label": (True, _text), "uuid": (True, _uuid), "isRecommended": (False, lambda v: v is True),
    "actions": (False, _list), "extension": (False, _object),
}  # fmt: skip
_ACTION: Rules = {
    "type": (True, _one_of("create", "update", "delete")), "description": (True, _text),
    "resource": (False, _object), "resourceId": (False, _text), "extension": (False, _object),
}  # fmt: skip
_LINK: Rules = {
    "label": (True, _text), "url": (True, _url), "type": (True, _one_of("absolute", "smart")),
    "appContext": (False, _text), "autolaunchable": (False, lambda v: isinstance(v, bool)),
    "extension": (False, _object),
}  # fmt: skip
_REASON: Rules = {"code": (True, _text), "system": (True, _text), "display": (True, _text)}
SERVICE: Rules = {
    "hook": (True, _text), "id": (True, _text), "description": (True, _text),
    "title": (False, _text), "prefetch": (False, _object), "usageRequirements": (False, _text),
    "version": (False, _text), "hookVersion": (False, _text), "extension": (False, _object),
}  # fmt: skip
"""The same of a service that discovery lists."""

_INSIDE = {"suggestions": _SUGGESTION, "overrideReasons": _REASON, "links": _LINK}


def broken(value: Any, rules: Rules, at: str) -> Iterator[str]:
    """
    Compare an object with what its members must be like.

    Parameters
    ----------
    value : object
        What should be the object.
    rules : Rules
        Its members.
    at : str
        Where it stands.

    Yields
    ------
    str
        Each difference, without any text of the object.
    """
    if not isinstance(value, dict):
        yield f"{at}: no object"
        return
    for name, (must, will_do) in rules.items():
        if name in value and not will_do(value[name]):
            length = f" of {len(value[name])} characters" if isinstance(value[name], str) else ""
            yield f"{at}.{name}: not allowed{length}"
        elif must and name not in value:
            yield f"{at}.{name}: missing"
    yield from (f"{at}: unknown member" for name in value if name not in rules)


def card_faults(card: Any, at: str) -> Iterator[str]:
    """
    Compare a card with the rules.

    Parameters
    ----------
    card : object
        Decoded JSON.
    at : str
        Where it stands.

    Yields
    ------
    str
        Each difference.
    """
    yield from broken(card, CARD, at)
    if not isinstance(card, dict):
        return
    yield from (f"{at}.{path}: empty" for path in _empty(card))
    if isinstance(card.get("source"), dict):
        yield from broken(card["source"], _SOURCE, f"{at}.source")
    if "suggestions" in card and "selectionBehavior" not in card:
        yield f"{at}.selectionBehavior: missing beside suggestions"
    for member, rules in _INSIDE.items():
        listed = card.get(member)
        for n, each in enumerate(listed if isinstance(listed, list) else ()):
            yield from broken(each, rules, f"{at}.{member}[{n}]")
            if member == "suggestions" and isinstance(each, dict):
                yield from _action_faults(each.get("actions", []), f"{at}.{member}[{n}].actions")


def _action_faults(actions: Any, at: str) -> Iterator[str]:
    for n, action in enumerate(actions if isinstance(actions, list) else ()):
        yield from broken(action, _ACTION, f"{at}[{n}]")
        if isinstance(action, dict):
            needed = "resourceId" if action.get("type") == "delete" else "resource"
            if needed not in action:
                yield f"{at}[{n}].{needed}: missing"


def _empty(value: Any, at: str = "") -> Iterator[str]:
    """Where an empty value stands: the specification has such members left out."""
    if value is None or value in ("", [], {}):
        yield at.strip(".")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _empty(inner, f"{at}[{n}]")
