"""
From which EMRs the page may be opened: the file that ``CDSS_SMART`` names.

::

    [[server]]
    iss = "https://fhir.hospital.example/r4"  # its FHIR server, as it says in the launch
    client_id = "cdss"                        # as which this app is registered there
    secret = "emr.secret"                     # file beside this one that holds its secret; or
    key = "cdss.private.json"                 # its private key (JWK) for signed assertions; or none
    frame = ["https://emr.hospital.example"]  # whose pages may show it within themselves
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from serving.fhir_client import can_be_asked
from serving.jwks import LEAST_RSA_BITS, Key, web_address
from serving.origins import origin

ALGORITHMS: Mapping[str, str] = {"EC": "ES384", "RSA": "RS384"}
"""Kind of key → signature: the two that SMART asks every server to accept."""

_MOST_ID = 256


@dataclass(frozen=True, slots=True)
class SmartServer:
    """
    An EMR from which the page may be opened.

    Attributes
    ----------
    iss : str
        Base of its FHIR server, without a slash at the end.
    client_id : str
        As which this app is registered there.
    secret : str or None
        What shows that it is us; never shown or logged.
    key : ECKey or RSAKey or None
        Private key that shows that it is us; with neither, PKCE alone does.
    frame : tuple of str
        Origins whose pages may show ours within themselves.
    """

    iss: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    key: Key | None = field(default=None, repr=False)
    frame: tuple[str, ...] = ()


def find_server(servers: Iterable[SmartServer], iss: str) -> SmartServer | None:
    """
    Look up an EMR.

    Parameters
    ----------
    servers : iterable of SmartServer
        Those of the site.
    iss : str
        Base of a FHIR server as somebody says it, with a slash at the end or without.

    Returns
    -------
    SmartServer or None
        None if the site did not list it: then nobody calls it.
    """
    return next((server for server in servers if server.iss == iss.removesuffix("/")), None)


def read_servers(file: Path, base_url: str) -> tuple[SmartServer, ...]:
    """
    Read from which EMRs the page may be opened.

    Parameters
    ----------
    file : pathlib.Path
        TOML, as this module says.
    base_url : str
        Our public address.

    Returns
    -------
    tuple of SmartServer
        At least one.

    Raises
    ------
    DefinitionError
        If it cannot be read or anything in it is not understood; names the key, no secret.
    """
    try:
        table = read_toml(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{file.name}: {_why(error)}") from None
    only(table, file.name, "server")
    rows = table["server"]
    if not isinstance(rows, list) or not rows:
        raise DefinitionError(f"{file.name}: server must be written [[server]]")
    found = [_server(row, f"{file.name}: server[{at}]", file.parent) for at, row in enumerate(rows)]
    if len({server.iss for server in found}) < len(found):
        raise DefinitionError(f"{file.name}: the same iss is given twice")
    if any(server.frame for server in found) and not base_url.startswith("https://"):
        # Browsers send a cookie into a frame of another site only if it is Secure.
        raise DefinitionError(f"{file.name}: frame needs CDSS_URL to be an https:// address")
    return tuple(found)


def _server(row: Any, where: str, folder: Path) -> SmartServer:
    only(row, where, "iss client_id", "secret key frame")
    iss, client_id, frame = row["iss"], row["client_id"], row.get("frame", [])
    if not can_be_asked(web_address(iss, f"{where}.iss")):
        raise DefinitionError(
            f"{where}.iss: must be the base of a FHIR server, no dots in its path"
        )
    if not isinstance(client_id, str) or not client_id.isprintable() or not client_id:
        raise DefinitionError(f"{where}.client_id: must be a text")
    if len(client_id) > _MOST_ID:
        raise DefinitionError(f"{where}.client_id: must have at most {_MOST_ID} characters")
    if "secret" in row and "key" in row:
        raise DefinitionError(f"{where}: must have secret or key, not both")
    if not isinstance(frame, list):
        raise DefinitionError(f"{where}.frame: must be a list of origins")
    return SmartServer(
        iss.rstrip("/"),
        client_id,
        _secret(row["secret"], f"{where}.secret", folder) if "secret" in row else None,
        _key(row["key"], f"{where}.key", folder) if "key" in row else None,
        tuple(origin(each, f"{where}.frame") for each in frame),
    )


def _secret(name: Any, where: str, folder: Path) -> str:
    secret = _text(name, where, folder).strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise DefinitionError(f"{where}: holds no secret: one line of ASCII")
    return secret


def _key(name: Any, where: str, folder: Path) -> Key:
    wrong = f"must be a private JWK with kid: EC P-384, or RSA from {LEAST_RSA_BITS} bits"
    try:
        entry = json.loads(_text(name, where, folder))
        kinds: Mapping[str, type[Key]] = {"EC": ECKey, "RSA": RSAKey}
        key = kinds[entry["kty"]].import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        raise DefinitionError(f"{where}: {wrong}") from None
    strong = (
        entry.get("crv") == "P-384"
        if entry["kty"] == "EC"
        else key.public_key.key_size >= LEAST_RSA_BITS
    )
    if not key.is_private or not key.kid or not strong:
        raise DefinitionError(f"{where}: {wrong}")
    return key


def _text(name: Any, where: str, folder: Path) -> str:
    """Read a file beside the configuration."""
    if not isinstance(name, str):
        raise DefinitionError(f"{where}: must be the name of a file")
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{where}: {_why(error)}") from None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "is not UTF-8"
