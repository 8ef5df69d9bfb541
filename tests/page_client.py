"""The page, asked as a browser asks it; and its HTML, looked into."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from cdss import Assessment, Model, load_jurisdiction, published_models
from serving.page import PageApi
from serving.problems import HANDLERS
from serving.routes import Api
from tests.shipped import shipped

PLACE = load_jurisdiction("vn")
MODELS: tuple[Model, ...] = (*shipped(), *published_models())
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Recording:
    """A journal that remembers, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.kept: list[tuple[str, str, Assessment, bytes, str]] = []

    async def keep(
        self, request: Any, entries: Sequence[tuple[str, Assessment]], body: bytes, *,
        lang: str, kind: str,
    ) -> None:  # fmt: skip
        if self.fails:
            raise OSError("disk full")
        self.kept += [(kind, i, assessment, body, lang) for i, assessment in entries]


def client(**options: Any) -> TestClient:
    routes = [
        *PageApi(MODELS, PLACE, clock=lambda: NOW, **options).routes(),
        *Api(MODELS, PLACE).routes(),
    ]
    return TestClient(Starlette(routes=routes, exception_handlers=HANDLERS))


class Looked(HTMLParser):
    """Elements of a page with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def every(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in tags]

    def value(self, name: str) -> str:
        return next(a.get("value", "") for a in self.every("input") if a.get("name") == name)


def words_of(html: str) -> str:
    """What is read on a page, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
