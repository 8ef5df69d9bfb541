"""HTTP as an EMR speaks it, with the standard library alone."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cdss.sandbox.signing import Signer

HOOKS = "/cds-services"
JSON = "application/json"

_SECONDS = 35
"""The server itself gives up after 30."""


class Unreachable(Exception):
    """The server gave no answer in HTTP."""


class Answer(NamedTuple):
    """
    What came back.

    Attributes
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        Names in small letters.
    body : bytes
        As it came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """
        Content type, without parameters.

        Returns
        -------
        str
            Empty if there is none.
        """
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def json(self) -> Any:
        """
        Decode the body.

        Returns
        -------
        object
            None if it is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict[str, Any]:
        """
        Decode a body that should be an object.

        Returns
        -------
        dict
            Empty if it is anything else.
        """
        found = self.json()
        return found if isinstance(found, dict) else {}


class Client:
    """
    Calls one server, each time over a connection of its own.

    Parameters
    ----------
    url : str
        Where it is reached.
    public_url : str, optional
        Under which address it knows itself (``CDSS_URL``); by default the same.
    key : str, optional
        API key or access token, for all addresses but those of CDS Hooks.
    signer : Signer, optional
        Signs a token for each call of CDS Hooks.
    lang : str
        Language that is asked for.
    tls : ssl.SSLContext, optional
        Whom to trust, and as whom to appear; by default whom the machine trusts.

    Raises
    ------
    ValueError
        If `url` is no address of a web server.
    """

    def __init__(
        self,
        url: str,
        *,
        public_url: str | None = None,
        key: str | None = None,
        signer: Signer | None = None,
        lang: str = "en",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(url)
        self.url, self.host, self.port = url.rstrip("/"), parts.hostname, parts.port
        self.secure, self.prefix = parts.scheme == "https", parts.path.rstrip("/")
        self.public_url = (public_url or url).rstrip("/")
        self.key, self.signer, self.lang, self.tls = key, signer, lang, tls

    def get(self, path: str, **options: Any) -> Answer:
        """
        Ask for something.

        Parameters
        ----------
        path : str
            Address below that of the server.
        **options
            As of `send`.

        Returns
        -------
        Answer
            Whatever came back.
        """
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any, type: str = JSON, **options: Any) -> Answer:
        """
        Send something.

        Parameters
        ----------
        path : str
            Address below that of the server.
        body : object
            Bytes are sent as they are, anything else as JSON.
        type : str
            Content type.
        **options
            As of `send`.

        Returns
        -------
        Answer
            Whatever came back.
        """
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, sent, {"content-type": type}, **options)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        credential: str | None = None,
    ) -> Answer:
        """
        Send a request.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Address below that of the server.
        body : bytes, optional
            What to send.
        headers : mapping of str to str, optional
            More headers.
        credential : str, optional
            Shown instead of the client's own; empty: none is shown.

        Returns
        -------
        Answer
            Whatever came back.

        Raises
        ------
        Unreachable
            If nothing did, or it is not HTTP.
        """
        shown = self.credential(path) if credential is None else credential
        sent = {"accept-language": self.lang, **(headers or {})}
        if shown:
            sent["authorization"] = f"Bearer {shown}"
        connection = self._connection()
        try:
            connection.request(method, self.prefix + path, body, sent)
            got = connection.getresponse()
            told = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, told, got.read())
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def credential(self, path: str) -> str:
        """
        What the client shows at an address.

        Parameters
        ----------
        path : str
            Address below that of the server.

        Returns
        -------
        str
            A new token for CDS Hooks, the key for the rest; empty if there is none.
        """
        if not path.startswith(HOOKS):
            return self.key or ""
        address = self.public_url + path.partition("?")[0]
        return self.signer.token(address) if self.signer else ""

    def can_use(self, path: str) -> bool:
        """
        Say whether the client has something to show at an address.

        Parameters
        ----------
        path : str
            Address below that of the server.

        Returns
        -------
        bool
            Whether it has.
        """
        return bool(self.signer if path.startswith(HOOKS) else self.key)

    def _connection(self) -> HTTPConnection:
        if not self.secure:
            return HTTPConnection(self.host, self.port, timeout=_SECONDS)
        return HTTPSConnection(self.host, self.port, timeout=_SECONDS, context=self.tls)
