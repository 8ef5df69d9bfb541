"""
API keys: ``cdss_<id>_<secret>``.

The secret has 256 random bits, so a plain SHA-256 of the key cannot be turned back; the slow hashes
that passwords need would only make every request slow. The id is there to find the row.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from serving.clients import ApiKey, Client
from serving.problems import unauthorized

PREFIX = "cdss_"
_FORM = re.compile(r"cdss_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_NOBODY = ApiKey("", "", "0" * 64, frozenset(), date.max)


def new_key(client: str, scopes: Iterable[str], expires: date) -> tuple[str, str]:
    """
    Make a key.

    Parameters
    ----------
    client : str
        Name of whom it is for.
    scopes : iterable of str
        What it allows.
    expires : datetime.date
        Last day on which it can be used, UTC.

    Returns
    -------
    tuple of str
        The key, and the table for the file that ``CDSS_CLIENTS`` names.
    """
    id = secrets.token_hex(8)
    key = f"{PREFIX}{id}_{secrets.token_urlsafe(32)}"
    listed = ", ".join(f'"{scope}"' for scope in scopes)
    table = f"""\
[[key]]
client = "{client}"
id = "{id}"
sha256 = "{_digest(key)}"
scopes = [{listed}]
expires = {expires.isoformat()}
"""
    return key, table


def client_of(key: str, keys: Mapping[str, ApiKey]) -> Client:
    """
    Find out whose key it is.

    Parameters
    ----------
    key : str
        What was sent.
    keys : mapping of str to ApiKey
        Keys by id.

    Returns
    -------
    Client
        Whose it is.

    Raises
    ------
    RequestError
        401 if it is nobody's, or has expired.
    """
    form = _FORM.fullmatch(key)
    row = keys.get(form[1], _NOBODY) if form else _NOBODY
    if not hmac.compare_digest(_digest(key), row.sha256):
        raise unauthorized("unknown_api_key", "is not an API key that is registered here")
    if datetime.now(UTC).date() > row.expires:
        raise unauthorized("api_key_expired", "is an API key that has expired")
    return Client("cdss", row.client, row.scopes, row.client, row.id)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
