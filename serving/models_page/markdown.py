"""Model cards and checklists as HTML. What is written in them as HTML stays text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CELLS = {"th_open": "th_close"}

Resolve = Callable[[str], str | None]
"""Where a link or picture of a document is served; None if nowhere."""


class Document(NamedTuple):
    """
    A document to be read.

    Attributes
    ----------
    html : Markup
        Its headings begin at the second level: the first is that of the page.
    contents : tuple of (str, str)
        Anchor and text of its chapters.
    """

    html: Markup
    contents: tuple[tuple[str, str], ...]


def render(source: str, resolve: Resolve, table: str) -> Document:
    """
    Turn Markdown into HTML.

    Parameters
    ----------
    source : str
        Markdown with tables; facts for machines before it (YAML) are left out.
    resolve : callable
        Says where what it links to is served.
    table : str
        What a reader is told of a table, which can be scrolled.

    Returns
    -------
    Document
        Safe to show: no HTML of the source, no styles, no scripts, no addresses but those resolved.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    tokens = parser.parse(_FRONT.sub("", source))
    contents: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    for at, token in enumerate(tokens):
        token.attrs.pop("style", None)  # alignment: the page allows no styles
        if token.type in ("heading_open", "heading_close"):
            _heading(token, tokens, at, seen, contents)
        elif token.type in _CELLS and not tokens[at + 1].content:
            token.tag = tokens[at + 2].tag = "td"  # an empty cell is no heading of a column
        for child in token.children or ():
            _address(child, resolve)
    html = parser.renderer.render(tokens, parser.options, {"table": table})
    return Document(Markup(html), tuple(contents))  # noqa: S704 - made of escaped text only


def _heading(
    token: Token,
    tokens: Sequence[Token],
    at: int,
    seen: dict[str, int],
    contents: list[tuple[str, str]],
) -> None:
    """Move a heading one level down, and give it the name that links to it use."""
    level = min(int(token.tag[1]) + 1, 6)
    token.tag = f"h{level}"
    if token.type == "heading_close":
        return
    text = "".join(c.content for c in tokens[at + 1].children or ())
    name = _slug(text)
    seen[name] = seen.get(name, -1) + 1
    name = f"{name}-{seen[name]}" if seen[name] else name
    token.attrSet("id", name)
    if level == 3:
        contents.append((name, text))


def _slug(text: str) -> str:
    """As GitHub names a heading."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _address(token: Token, resolve: Resolve) -> None:
    """Point a link or a picture to where it is served, or to nowhere."""
    kind = {"link_open": "href", "image": "src"}.get(token.type)
    if kind is None:
        return
    address = str(token.attrGet(kind))
    if kind == "href" and address.startswith(("https://", "http://")):
        token.attrSet("rel", "noreferrer")
        return
    found = address if address.startswith("#") else resolve(address)
    token.attrs.pop(kind)
    if found:
        token.attrSet(kind, found)
    if kind == "src":
        token.attrSet("loading", "lazy")


def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Mapping[str, str]
) -> str:
    """A table that is wider than the screen scrolls by itself, with the keyboard too."""
    label = Markup.escape(env["table"])
    return f'<div class="scroll" role="group" tabindex="0" aria-label="{label}"><table>\n'


def _table_close(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Mapping[str, str]
) -> str:
    return "</table></div>\n"
