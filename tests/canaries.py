"""
Words and numbers planted in all that a client can write, to be looked for where they must not be.

To have another format tested, add it to `FORMATS` in ``tests/test_canaries.py``.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

VALUE = "c4naryvalue"
"""Stands for a value. Nothing may say it back but an answer to whoever sent it, with status 200."""

NAME = "c4naryname"
"""Stands for a name. An error may say back which name it does not know; a log may not."""

NUMBER, WRONG = 31.3371337, -31337.25
"""A value that is plausible for much, and one that is for nothing."""

ANY = re.compile(f"{VALUE}|{NAME}|31[.,]?337|31337", re.IGNORECASE)
VALUES = re.compile(f"{VALUE}|31[.,]?337|31337", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """
    Something that is sent to an address.

    Attributes
    ----------
    path : str
        Where to.
    bodies : list of bytes
        With canaries; `planted` and `planted_xml` make them of an example.
    content_type : str
        Of the bodies.
    headers : dict
        What gets it past `serving.security`, if it is always the same.
    """

    path: str
    bodies: list[bytes]
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def planted(example: Any) -> list[bytes]:
    """JSON bodies: the example with a canary in each place in turn."""
    texts = [json.dumps(document) for document in _planted(example)]
    whole = json.dumps(example)
    texts += [
        f'{{"{NAME}": "{VALUE}", "{NAME}": {NUMBER}}}',
        f"{{{VALUE}",
        f"[{NUMBER}, NaN, {VALUE}]",
        f'"{VALUE}"',
        whole[: len(whole) // 2] + VALUE,
    ]
    return [text.encode() for text in texts]


def _planted(example: Any) -> Iterator[Any]:
    for path in _places(example):
        for canary in (
            VALUE,
            NUMBER,
            WRONG,
            [VALUE],
            {NAME: VALUE},
            {"value": NUMBER, NAME: VALUE},
        ):
            yield _with(example, path, canary)
        if isinstance(_at(example, path), dict):
            yield _with(example, (*path, NAME), VALUE)
            yield _with(example, (*path, NAME), NUMBER)


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, itself included."""
    yield path
    members: Iterable[Any] = ()
    if isinstance(document, dict):
        members = document.items()
    elif isinstance(document, list):
        members = enumerate(document)
    for key, member in members:
        yield from _places(member, (*path, key))


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def _with(document: Any, path: tuple[Any, ...], canary: Any) -> Any:
    """The document with a canary in one place."""
    if not path:
        return canary
    changed = copy.deepcopy(document)
    _at(changed, path[:-1])[path[-1]] = canary
    return changed


def planted_xml(example: bytes) -> list[bytes]:
    """XML bodies: the example with a canary in each text, attribute and name in turn."""
    bodies = []
    for at, _ in enumerate(ElementTree.fromstring(example).iter()):
        for canary in (VALUE, str(NUMBER), str(WRONG)):
            root = ElementTree.fromstring(example)
            node = list(root.iter())[at]
            node.text = canary
            bodies.append(ElementTree.tostring(root))
            node.set(NAME, canary)
            node.tag = NAME
            bodies.append(ElementTree.tostring(root))
    return [*bodies, example[: len(example) // 2] + VALUE.encode()]


def told(text: str) -> list[str]:
    """Lines that say what was sent: none, in a log or in metrics."""
    return [line for line in text.splitlines() if ANY.search(line)]


def told_back(status: int, body: str) -> list[str]:
    """What an error says back of what was sent, but names that it does not know."""
    return VALUES.findall(body) if status >= 400 else []
