"""Our app beside the EMR of `tests.smart_server`, and what its pages say."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from cdss import load_jurisdiction, published_models
from cdss.i18n import words
from serving.app import create_app
from serving.clients import read_clients
from serving.settings import Settings
from serving.smart.failed import STATUS
from serving.smart.servers import SmartServer
from tests.page_client import words_of
from tests.security_clients import BASE
from tests.shipped import shipped
from tests.smart_server import CLIENT, SECRET
from tests.toy import toy_model

HERE = "http://127.0.0.1:3000"
MODELS = (*shipped(), *published_models())
PLACE = load_jurisdiction("vn")
EN = {"accept-language": "en"}


def cdss(
    emr: str, folder: Path | None = None, *, server: dict[str, Any] | None = None, **options: Any
) -> TestClient:
    """Our app; for known clients only if a folder says who they are."""
    base = BASE if folder else HERE
    found = SmartServer(f"{emr}/r4", CLIENT, **({"secret": SECRET} if server is None else server))
    clients = read_clients(folder / "clients.toml") if folder else None
    settings = Settings(clients, base, smart=(found,))
    app = create_app(options.pop("models", [toy_model()]), PLACE, settings=settings, **options)
    return TestClient(app, base_url=base, headers=EN, raise_server_exceptions=False)


def says(answer: httpx.Response, code: str) -> None:
    """The answer is a page that says in words that it failed, and why."""
    status = {"no_session": 401, "forged": 403, "gone": 410}.get(code) or STATUS[code]
    assert status == answer.status_code, answer.text[-2000:]
    assert answer.headers["content-type"].startswith("text/html")
    assert words("en")(f"smart.error.{code}") in unescape(words_of(answer.text))
    assert "no-store" == answer.headers["cache-control"]


def form_of(page: httpx.Response) -> dict[str, str]:
    """What a browser would post of a page of results."""
    inputs = re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', page.text)
    return {name: value for name, value in inputs if not name.startswith("if.")}
