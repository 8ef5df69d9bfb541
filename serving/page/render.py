"""Templates and static files of the page, read once."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response

from cdss.i18n import LANGUAGES, words

_SERVING = Path(__file__).parents[1]
_STATIC = _SERVING / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Of every page: a browser keeps none of it, and runs nothing that is not ours."""

PACKED = (Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6),)
"""Around a route that answers pages. They hold no secret that compressing could give away: no
token, and nothing of a patient but what the same browser has just sent."""

TEMPLATES = Environment(
    loader=FileSystemLoader(_SERVING / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, lang: str, status: int = 200, **shown: Any) -> Response:
    """
    Render a page.

    Parameters
    ----------
    name : str
        Template, without its ending.
    lang : str
        Language of the page.
    status : int
        HTTP status.
    **shown : object
        What the template shows.

    Returns
    -------
    starlette.responses.Response
        HTML.
    """
    template = TEMPLATES.get_template(f"{name}.html.j2")
    languages = [(code, words(code)("language.name")) for code in LANGUAGES]
    html = template.render(
        text=words(lang), lang=lang, languages=languages, static=address, **shown
    )
    return HTMLResponse(html, status, {**HEADERS, "content-language": lang})


def address(name: str) -> str:
    """
    Say where a static file is, by name and content.

    Parameters
    ----------
    name : str
        File.

    Returns
    -------
    str
        An address that changes with the file.
    """
    return f"/page/static/{name}?{_file(name)[1]}"


def static(name: str, encodings: str) -> Response | None:
    """
    Answer a static file.

    Parameters
    ----------
    name : str
        File.
    encodings : str
        What the browser can unpack.

    Returns
    -------
    starlette.responses.Response or None
        None if there is no such file.
    """
    if name not in {file.name for file in _STATIC.iterdir()}:
        return None
    content, _, packed = _file(name)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding",
               "x-content-type-options": "nosniff"}  # fmt: skip
    if "gzip" in encodings:
        content, headers["content-encoding"] = packed, "gzip"
    return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])


@lru_cache
def _file(name: str) -> tuple[bytes, str, bytes]:
    content = (_STATIC / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12], gzip.compress(content, mtime=0)
