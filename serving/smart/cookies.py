"""
Cookies, as browsers keep them apart from those of anybody else.

A page that stands alone has a ``SameSite=Lax`` cookie: other sites' forms and frames send none. In
a frame of the EMR's page, which is another site, browsers send only what is ``SameSite=None``; so
it is ``Partitioned`` too: it exists in frames of that one EMR, and nobody can follow users with it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Scope


class Cookie:
    """
    A cookie of ours.

    Parameters
    ----------
    name : str
        What it is called.
    base_url : str
        Our public address; over https the name is one that other hosts cannot set.
    """

    def __init__(self, name: str, base_url: str) -> None:
        self.secure = base_url.startswith("https://")
        self.name = f"__Host-{name}" if self.secure else name

    def of(self, scope: Scope) -> str:
        """
        Read it.

        Parameters
        ----------
        scope : mapping
            ASGI scope of a request.

        Returns
        -------
        str
            Empty if the browser sent none.
        """
        return Request(scope).cookies.get(self.name, "")

    def set(self, value: str, *, framed: bool, seconds: int | None = None) -> str:
        """
        Write it.

        Parameters
        ----------
        value : str
            What the browser is to keep.
        framed : bool
            Whether the page may stand in a frame.
        seconds : int, optional
            How long; until the browser is closed without.

        Returns
        -------
        str
            For a ``Set-Cookie`` header.
        """
        parts = [f"{self.name}={value}", "Path=/", "HttpOnly"]
        parts += ["Secure"] if self.secure else []
        parts += ["SameSite=None", "Partitioned"] if framed and self.secure else ["SameSite=Lax"]
        parts += [f"Max-Age={seconds}"] if seconds is not None else []
        return "; ".join(parts)
