"""Origins of pages, as browsers write them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from cdss.errors import DefinitionError
from serving.jwks import web_address


def origin(text: Any, where: str) -> str:
    """
    Check an origin: scheme and host in small letters, perhaps a port.

    Parameters
    ----------
    text : object
        What was given.
    where : str
        Its name in the error.

    Returns
    -------
    str
        The origin.

    Raises
    ------
    DefinitionError
        If it is not as browsers write it.
    """
    given = web_address(text, where)
    if not re.fullmatch(r"https?://[^/*;,']+", given) or given != given.lower():
        raise DefinitionError(f"{where}: must be origins as https://emr.example.org, no *")
    parts = urlsplit(given)
    if parts.port == (443 if parts.scheme == "https" else 80):
        raise DefinitionError(f"{where}: must not have the port that browsers leave out")
    return given


def origin_of(address: str) -> str:
    """
    Say to which origin an address belongs.

    Parameters
    ----------
    address : str
        Of the web.

    Returns
    -------
    str
        As browsers write it.
    """
    parts = urlsplit(address)
    usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"
