"""
Who may call: the file that ``CDSS_CLIENTS`` names.

::

    [[cds_hooks]]                 # signs a token for each call of /cds-services
    iss = "https://emr.example.org"
    jwks = "emr.jwks.json"        # its public keys, beside this file; or jku = "https://..."

    [[oauth]]                     # issues access tokens for the other addresses
    iss = "https://login.example.org"
    jku = "https://login.example.org/jwks.json"
    scopes = ["assess", "fhir"]   # the most that its tokens may give

    [[key]]                       # an API key: `python -m serving keys new` writes this table
    client = "ward-3"
    id = "0f8c2b6d41a7e953"
    sha256 = "..."                # of the whole key, which is kept nowhere
    scopes = ["batch"]
    expires = 2027-06-30          # usable to the end of this day, UTC
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from serving.jwks import Fetched, Find, read_jwks, web_address

SCOPES = frozenset({"assess", "batch", "fhir", "read", "records", "metrics"})
"""What keys and access tokens may allow; `serving.addresses` says where each is needed."""

CDS_HOOKS = frozenset({"cds-hooks"})
"""What a CDS Hooks client's token allows, and nothing else does."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_ISSUER = 256


@dataclass(frozen=True, slots=True)
class Client:
    """
    Who sent a request, as ``request.state.client``.

    Attributes
    ----------
    issuer : str
        Who vouches: ``iss`` of the token; ``"cdss"`` for an API key, which is ours.
    subject : str
        For whom: ``tenant`` of a CDS Hooks token if it has one, else its issuer; ``sub`` of an
        access token; the client's name for an API key.
    scopes : frozenset of str
        What it may do.
    name : str
        Under which name the file lists it: nobody's secret, so it may be logged.
    token_id : str
        ``jti`` of the token, id of the API key; empty if there is none.
    """

    issuer: str
    subject: str
    scopes: frozenset[str]
    name: str
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """
    Who signs tokens.

    Attributes
    ----------
    iss : str
        Its name in tokens.
    find : callable
        Its public key with some ``kid``.
    jku : str
        Where its keys are fetched; empty if they are in a file.
    scopes : frozenset of str
        The most that its tokens may give.
    """

    iss: str
    find: Find
    jku: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """
    A key that was given to a client.

    Attributes
    ----------
    client : str
        Name of whom it was given to.
    id : str
        The part of the key that is no secret.
    sha256 : str
        Of the whole key, in hexadecimal digits.
    scopes : frozenset of str
        What it allows.
    expires : datetime.date
        Last day on which it can be used, UTC.
    """

    client: str
    id: str
    sha256: str
    scopes: frozenset[str]
    expires: date


@dataclass(frozen=True, slots=True)
class Clients:
    """
    Everybody who may call.

    Attributes
    ----------
    cds_hooks, oauth : mapping of str to Issuer
        By ``iss``.
    keys : mapping of str to ApiKey
        By id.
    """

    cds_hooks: Mapping[str, Issuer]
    oauth: Mapping[str, Issuer]
    keys: Mapping[str, ApiKey]


def read_clients(file: Path) -> Clients:
    """
    Read who may call.

    Parameters
    ----------
    file : pathlib.Path
        TOML, as this module says.

    Returns
    -------
    Clients
        At least one.

    Raises
    ------
    DefinitionError
        If it cannot be read or anything in it is not understood; names the key.
    """
    try:
        table = read_toml(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise DefinitionError(f"{file.name}: {reason}") from None
    only(table, file.name, "", "cds_hooks oauth key")
    found = {
        kind: [
            read(row, f"{file.name}: {kind}[{at}]", file.parent)
            for at, row in enumerate(_rows(table, kind, file.name))
        ]
        for kind, read in (("cds_hooks", _hooks_client), ("oauth", _oauth_issuer), ("key", _key))
    }
    if not any(found.values()):
        raise DefinitionError(f"{file.name}: names nobody who may call")
    return Clients(
        _by(found["cds_hooks"], "iss", f"{file.name}: cds_hooks"),
        _by(found["oauth"], "iss", f"{file.name}: oauth"),
        _by(found["key"], "id", f"{file.name}: key"),
    )


def _rows(table: Mapping[str, Any], kind: str, where: str) -> list[Any]:
    rows = table.get(kind, [])
    if not isinstance(rows, list):
        raise DefinitionError(f"{where}: {kind} must be written [[{kind}]]")
    return rows


def _by(entries: list[Any], key: str, where: str) -> Mapping[str, Any]:
    """Look entries up by what must differ among them."""
    found = {getattr(entry, key): entry for entry in entries}
    if len(found) < len(entries):
        raise DefinitionError(f"{where}: the same {key} is given twice")
    return MappingProxyType(found)


def _hooks_client(row: Any, where: str, folder: Path) -> Issuer:
    only(row, where, "iss", "jwks jku")
    return _issuer(row, where, folder, CDS_HOOKS)


def _oauth_issuer(row: Any, where: str, folder: Path) -> Issuer:
    only(row, where, "iss scopes", "jwks jku")
    return _issuer(row, where, folder, _scopes(row, where))


def _issuer(row: Mapping[str, Any], where: str, folder: Path, scopes: frozenset[str]) -> Issuer:
    iss = row["iss"]
    if not isinstance(iss, str) or not iss.isprintable() or not 1 <= len(iss) <= _MOST_ISSUER:
        raise DefinitionError(f"{where}.iss: must be a text of at most {_MOST_ISSUER} characters")
    if ("jwks" in row) == ("jku" in row):
        raise DefinitionError(f"{where}: must have either jwks or jku")
    if "jku" in row:
        jku = web_address(row["jku"], f"{where}.jku")
        return Issuer(iss, Fetched(jku), jku, scopes)
    keys = _keys_in(row["jwks"], f"{where}.jwks", folder)

    async def find(kid: str) -> Any:
        return keys.get(kid)

    return Issuer(iss, find, "", scopes)


def _keys_in(name: Any, where: str, folder: Path) -> Mapping[str, Any]:
    """Read the keys of a JWKS file."""
    try:
        return read_jwks(json.loads((folder / name).read_text(encoding="utf-8")))
    except (OSError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "must be the name of a file"
        raise DefinitionError(f"{where}: {reason}") from None
    except json.JSONDecodeError:
        raise DefinitionError(f"{where}: is not JSON") from None
    except ValueError as error:
        raise DefinitionError(f"{where}: {error}") from None


def _key(row: Any, where: str, folder: Path) -> ApiKey:
    only(row, where, "client id sha256 scopes expires")
    for key, form in (("client", NAME), ("id", r"[0-9a-f]{16}"), ("sha256", r"[0-9a-f]{64}")):
        if not isinstance(row[key], str) or not re.fullmatch(form, row[key]):
            raise DefinitionError(
                f"{where}.{key}: is not as `python -m serving keys new` writes it"
            )
    expires = row["expires"]
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise DefinitionError(f"{where}.expires: must be a date, as 2027-06-30")
    return ApiKey(row["client"], row["id"], row["sha256"], _scopes(row, where), expires)


def _scopes(row: Mapping[str, Any], where: str) -> frozenset[str]:
    given = row["scopes"]
    if not isinstance(given, list) or not given or not {str(each) for each in given} <= SCOPES:
        raise DefinitionError(f"{where}.scopes: must be some of {', '.join(sorted(SCOPES))}")
    return frozenset(given)
