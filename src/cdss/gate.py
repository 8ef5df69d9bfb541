"""
The release record of a bundle, ``gate.json``: who let which manifest pass, when, on what evidence.

`training` runs the checks and writes the record; serving only asks whether it is whole, is of this
manifest, and is a pass. Its last member is the SHA-256 of the others: a record that was altered by
accident is noticed. It is no signature: who can write the bundle can write a record too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from cdss.errors import BundleError

FILE = "gate.json"

FORMAT = 1
"""Version of the record's format; a reader refuses any other."""

_OF = {"manifest_sha256": "digest", "model": "id", "version": "version"}
_NOT_IN_THE_WAY = ("pass", "cannot tell")


def gate_text(record: Mapping[str, Any]) -> bytes:
    """
    Write a release record.

    Parameters
    ----------
    record : mapping
        Without ``sha256``, which is added; ``format`` too, unless it is there.

    Returns
    -------
    bytes
        JSON.
    """
    record = {"format": FORMAT, **record}
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    whole = {**record, "sha256": digest}
    return f"{json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def read_gate(data: bytes, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """
    Read a release record.

    Parameters
    ----------
    data : bytes
        The file as it is.
    manifest : mapping
        The bundle's manifest, and its ``digest``.

    Returns
    -------
    dict
        The record.

    Raises
    ------
    BundleError
        If a byte is not as written, the record is of another manifest, is no pass, has a failed
        check or none, lacks who signed it or the day.
    """
    try:
        gate = json.loads(data)
        written = gate_text({key: fact for key, fact in gate.items() if key != "sha256"})
    except (ValueError, AttributeError) as error:
        raise BundleError(f"{FILE} is not a JSON object") from error
    if written != data:
        raise BundleError(f"{FILE} does not match its SHA-256")
    if gate.get("format") != FORMAT:
        raise BundleError(f"{FILE}: format is not {FORMAT}")
    if wrong := [key for key, fact in _OF.items() if gate.get(key) != manifest.get(fact)]:
        raise BundleError(f"{FILE} is of another {', '.join(wrong)}")
    try:
        checks = [(str(check["name"]), check["verdict"]) for check in gate["checks"]]
        signed_by = str(gate["signed_by"]["name"]).strip()
        date.fromisoformat(gate["released_on"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{FILE} lacks checks, who signed it, or the day") from error
    if failed := [name for name, verdict in checks if verdict not in _NOT_IN_THE_WAY]:
        raise BundleError(f"{FILE} is no pass: {', '.join(failed)}")
    if gate.get("verdict") != "pass" or not checks or not signed_by:
        raise BundleError(f"{FILE} is no pass, or nobody signed it")
    return dict(gate)
