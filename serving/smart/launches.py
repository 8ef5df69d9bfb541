"""Launches on their way: the browser is at the EMR's login, and is to come back once, soon."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import NamedTuple

from serving.expiring import Expiring
from serving.smart.failed import failed
from serving.smart.servers import SmartServer

SECONDS = 600
"""Within which a user has to log in."""

MOST = 2000


class Launch(NamedTuple):
    """
    A launch on its way.

    Attributes
    ----------
    server : SmartServer
        The EMR.
    browser : str
        The browser that began it: what its cookie says.
    verifier, nonce : str
        Secrets of this one launch, for PKCE and for the id token.
    """

    server: SmartServer
    browser: str
    verifier: str
    nonce: str


class Launches:
    """Launches on their way, each under its ``state``."""

    def __init__(self) -> None:
        self._pending: Expiring[Launch] = Expiring(SECONDS, MOST)

    def begin(self, server: SmartServer, browser: str) -> tuple[str, Launch]:
        """
        Begin a launch.

        Parameters
        ----------
        server : SmartServer
            The EMR.
        browser : str
            What the browser's cookie says.

        Returns
        -------
        tuple of str and Launch
            Its state, and the launch.
        """
        launch = Launch(server, browser, secrets.token_urlsafe(48), secrets.token_urlsafe(24))
        return self._pending.keep(launch), launch

    def end(self, state: str, browser: str) -> Launch:
        """
        Find the launch that a browser came back with; it cannot come back again.

        Parameters
        ----------
        state : str
            As the browser brings it.
        browser : str
            What its cookie says.

        Returns
        -------
        Launch
            Begun by this browser.

        Raises
        ------
        RequestError
            400 if there is none, or another browser began it.
        """
        launch = self._pending.take(state)
        if launch is None:
            raise failed("unknown_launch")
        if not compare_digest(launch.browser.encode(), browser.encode("utf-8", "replace")):
            raise failed("other_browser")
        return launch
