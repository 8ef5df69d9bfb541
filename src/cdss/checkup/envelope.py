"""An envelope opened: who is in it, and the parts of each."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

from cdss.checkup.mapping import MEANINGS
from cdss.checkup.xml import Node, tree
from cdss.errors import Problem
from cdss.reading import placed

MOST_PART_MEGABYTES = 4
"""Of one part as it is written; that of a check-up has some thousand bytes."""

_ROOT = "KHAMSUCKHOE"
_PEOPLE = ("THONGTINHOSO", "DANHSACHHOSO")
_ROW = "CHI_TIET_CLS"


@dataclass(frozen=True, slots=True)
class Part:
    """
    One file of a person (FILEHOSO), opened.

    Parameters
    ----------
    at : str
        Where it stood, e.g. ``HOSO/3/XML10``.
    fields : mapping of str to str
        Tag → text; what is empty is absent.
    rows : tuple of (str, dict of str to str)
        Laboratory rows (CHI_TIET_CLS): where each stood, and its fields.
    """

    at: str
    fields: dict[str, str] = field(default_factory=dict)
    rows: tuple[tuple[str, dict[str, str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """
    One person's check-up (HOSO).

    Parameters
    ----------
    at : str
        Position in the envelope, from 1: ``HOSO/3``.
    parts : mapping of str to Part
        Kind (LOAIHOSO) → part, of those that are read and could be.
    problems : tuple of Problem
        What is wrong with the others.
    """

    at: str
    parts: dict[str, Part]
    problems: tuple[Problem, ...]

    def said(self, tag: str, *kinds: str) -> tuple[str, str] | None:
        """
        Find a tag in the parts where it may stand.

        Parameters
        ----------
        tag : str
            The tag.
        *kinds : str
            The parts, the likeliest first.

        Returns
        -------
        tuple of (str, str) or None
            Text and where it stood; None if nothing is said.
        """
        for kind in kinds:
            part = self.parts.get(kind)
            if part is not None and tag in part.fields:
                return part.fields[tag], f"{part.at}/{tag}"
        return None


def unpack(data: bytes) -> tuple[tuple[Dossier, ...], tuple[Problem, ...]]:
    """
    Open an envelope.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    tuple of (tuple of Dossier, tuple of Problem)
        Everybody whose dossier is whole, and what is wrong with the envelope itself.
    """
    root, problem = tree(data, "envelope")
    problems = [problem] if problem else []
    if root is not None and root.tag != _ROOT:
        detail = f"is not a check-up envelope: its root is not {_ROOT}"
        return (), (*problems, Problem("not_an_envelope", "envelope", detail))
    people = root.child(*_PEOPLE) if root else None
    whole = [n for n in people.children if n.tag == "HOSO" and n.closed] if people else []
    if not whole and not problems:
        problems.append(Problem("nobody", "envelope", "holds nobody (HOSO)"))
    announced = root.child("THONGTINHOSO", "SOLUONGHOSO") if root else None
    if whole and announced is not None and announced.text not in ("", str(len(whole))):
        detail = "announces another number of people (SOLUONGHOSO) than it holds"
        problems.append(Problem("count_differs", "envelope", detail))
    return tuple(_dossier(n, f"HOSO/{i}") for i, n in enumerate(whole, 1)), tuple(problems)


def _dossier(person: Node, at: str) -> Dossier:
    """Parts of one person; one that is bad or there twice is left out and told."""
    problems: list[Problem] = []
    parts: dict[str, Part] = {}
    twice: set[str] = set()
    for file in (node for node in person.children if node.tag == "FILEHOSO"):
        kind_node, content = file.child("LOAIHOSO"), file.child("NOIDUNGFILE")
        kind = kind_node.text.upper() if kind_node else ""
        if kind in MEANINGS.ignored:
            continue
        if kind not in MEANINGS.read:
            detail = "is a part of no kind we know (LOAIHOSO): not used"
            problems.append(placed(Problem("unknown_part", "FILEHOSO", detail), at))
            continue
        block, problem = _block(content, kind)
        if problem is not None or block is None:
            problems += [placed(problem, at)] if problem else []
            continue
        part = _part(block, f"{at}/{kind}", problems)
        if kind in parts and parts[kind] != part:
            twice.add(kind)
        parts[kind] = part
    for kind in sorted(twice):
        del parts[kind]
        detail = "is there several times with different content: none of them is used"
        problems.append(placed(Problem("repeated_part", kind, detail), at))
    return Dossier(at, parts, tuple(problems))


def _block(content: Node | None, kind: str) -> tuple[Node | None, Problem | None]:
    """Element whose children are the fields: written in place, or XML in base64."""
    if content is not None and content.children:
        root = content
    else:
        text = "".join(content.text.split()) if content else ""
        if not text or len(text) > MOST_PART_MEGABYTES * 1_000_000:
            detail = f"is empty, or larger than {MOST_PART_MEGABYTES} MB"
            return None, Problem("wrong_part", kind, detail, {"megabytes": MOST_PART_MEGABYTES})
        if text.startswith("<") and content:
            raw = content.text.encode()
        else:
            try:
                raw = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                return None, Problem("not_base64", kind, "is neither XML nor XML in base64")
        parsed, problem = tree(raw, kind)
        if problem is not None or parsed is None:
            return None, problem
        root = parsed
    only = root.children[0] if len(root.children) == 1 else None
    return (only if only and only.children else root), None


def _part(block: Node, at: str, problems: list[Problem]) -> Part:
    rows = enumerate(_rows(block), 1)
    return Part(
        at,
        _fields(block, at, problems),
        tuple((f"{at}/{_ROW}/{i}", _fields(n, f"{at}/{_ROW}/{i}", problems)) for i, n in rows),
    )


def _rows(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.tag == _ROW:
            yield child
        else:
            yield from _rows(child)


def _fields(node: Node, at: str, problems: list[Problem]) -> dict[str, str]:
    """Texts of the children; of a tag that says two things, neither."""
    fields: dict[str, str] = {}
    twice: set[str] = set()
    for child in node.children:
        if child.children or not (text := child.text):
            continue
        if fields.setdefault(child.tag, text) != text:
            twice.add(child.tag)
    for tag in sorted(twice):
        del fields[tag]
        if tag in MEANINGS.tags:
            detail = "is there several times with different content: none of them is used"
            problems.append(placed(Problem("repeated_field", tag, detail), at))
    return fields
