"""Pages that say why there is no answer, and who may show pages within their own."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from cdss.i18n import words
from serving.page.render import page

_NOBODY = "frame-ancestors 'none'"


def told(codes: Sequence[str], lang: str, status: int) -> Response:
    """
    Say why there is no answer.

    Parameters
    ----------
    codes : sequence of str
        Each has words in ``smart.error``; of others it is said that there is no answer.
    lang : str
        Language of the page.
    status : int
        HTTP status.

    Returns
    -------
    starlette.responses.Response
        HTML.
    """
    text = words(lang)
    known = [text(f"smart.error.{code}") for code in codes if f"smart.error.{code}" in text.texts]
    return page("refused", lang, status, told=known or [text("page.error.other")])


def framed(headers: MutableHeaders, frame: Sequence[str]) -> None:
    """
    Let some pages show ours within themselves.

    Parameters
    ----------
    headers : starlette.datastructures.MutableHeaders
        Of a page.
    frame : sequence of str
        Their origins; without, nobody may.
    """
    policy = headers.get("content-security-policy", "")
    if frame and _NOBODY in policy:
        allowed = f"frame-ancestors {' '.join(frame)}"
        headers["content-security-policy"] = policy.replace(_NOBODY, allowed)
