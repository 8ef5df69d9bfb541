"""XML to a small tree: no document types, so no entities; nothing is ever fetched."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass, field
from xml.parsers import expat

from cdss.errors import Problem

MOST_MEGABYTES = 32
"""In one document."""

MOST_LEVELS = 24
MOST_ELEMENTS = 400_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    ("<\0".encode("ascii"), "utf-16le"),
    ("\0<".encode("ascii"), "utf-16be"),
)


@dataclass(slots=True)
class Node:
    """
    One element.

    Parameters
    ----------
    tag : str
        Upper case, without a namespace.
    pieces : list of str
        Its own text, as it came.
    children : list of Node
        Elements in it.
    closed : bool
        Its end was seen.
    """

    tag: str
    pieces: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    closed: bool = False

    @property
    def text(self) -> str:
        """
        Own text.

        Returns
        -------
        str
            Composed (NFC) and trimmed.
        """
        return unicodedata.normalize("NFC", "".join(self.pieces)).strip()

    def child(self, *path: str) -> Node | None:
        """
        First element down a path.

        Parameters
        ----------
        *path : str
            Tags.

        Returns
        -------
        Node or None
            None if there is none.
        """
        node: Node | None = self
        for tag in path:
            node = next((c for c in node.children if c.tag == tag), None) if node else None
        return node


class _Refused(Exception):
    """Stops the parser; carries what is wrong."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


def tree(data: bytes, name: str) -> tuple[Node | None, Problem | None]:
    """
    Parse a document.

    Parameters
    ----------
    data : bytes
        In UTF-8 or UTF-16; what the declaration says is not believed, as programs write
        ``encoding="utf-16"`` above UTF-8.
    name : str
        What a problem is about.

    Returns
    -------
    tuple of (Node or None, Problem or None)
        The root, as far as it could be read, and why no further.
    """
    if len(data) > MOST_MEGABYTES * 1_000_000:
        return None, too_large(name)
    encoding = next((e for mark, e in _MARKS if data.startswith(mark)), "utf-8")
    builder = _Builder(name)
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(
            data, True
        )  # at once: in pieces, a long token would be scanned again and again
    except _Refused as refused:
        return builder.root, refused.problem
    except expat.ExpatError as error:
        line, column = error.lineno, error.offset
        detail = f"is not well-formed XML in UTF-8 (line {line}, column {column})"
        return builder.root, Problem("not_xml", name, detail, {"line": line, "column": column})
    return builder.root, None


def too_large(name: str) -> Problem:
    """
    Say that a document is larger than is read.

    Parameters
    ----------
    name : str
        What the problem is about.

    Returns
    -------
    Problem
        With the limit.
    """
    detail = f"is larger than {MOST_MEGABYTES} MB"
    return Problem("too_large", name, detail, {"megabytes": MOST_MEGABYTES})


class _Builder:
    """What the parser tells, as a tree."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Node | None = None
        self.elements = 0
        self._open: list[Node] = []

    def doctype(self, *_: object) -> None:
        """Refuse: where no type is declared, no entity can be, neither huge nor from elsewhere."""
        detail = "declares a document type (DOCTYPE): refused for safety"
        self.root = None
        raise _Refused(Problem("document_type", self.name, detail))

    def start(self, tag: str, _: dict[str, str]) -> None:
        self.elements += 1
        if len(self._open) >= MOST_LEVELS or self.elements > MOST_ELEMENTS:
            detail = f"has more than {MOST_ELEMENTS} elements, or more than {MOST_LEVELS} levels"
            params = {"elements": MOST_ELEMENTS, "levels": MOST_LEVELS}
            raise _Refused(Problem("too_complex", self.name, detail, params))
        node = Node(tag[tag.rfind(":") + 1 :].upper())
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _: str) -> None:
        self._open.pop().closed = True

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)
