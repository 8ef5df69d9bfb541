"""Tables of codes: rows with a source and a status, and how to look in them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from cdss.variables import VARIABLES

_STATES = ("read", "third-party", "unverified")


def rows(file: Traversable, table: str, required: str, optional: str = "") -> list[dict[str, Any]]:
    """
    Rows of a data file, each with a source and a status.

    Parameters
    ----------
    file : Traversable
        A file of the package.
    table : str
        Which of its tables.
    required, optional : str
        Keys of a row, besides source and status.

    Returns
    -------
    list of dict
        The rows.

    Raises
    ------
    DefinitionError
        If a row has an unknown key, or lacks a source that the file explains, or a status.
    """
    content = read_toml(file)
    found: list[dict[str, Any]] = content[table]
    for at, row in enumerate(found):
        where = f"{file.name}, {table} {at}"
        only(row, where, f"source status {required}", optional)
        if row["source"] not in content["sources"] or row["status"] not in _STATES:
            raise DefinitionError(f"{where}: unknown source or status")
        if row.get("variable", "age") not in VARIABLES:
            raise DefinitionError(f"{where}: unknown variable")
    return found


def longest(table: Mapping[str, Any], code: str) -> tuple[Any, bool] | None:
    """
    Look up a code of a classification, in which the longest beginning counts.

    Parameters
    ----------
    table : mapping
        By code, without dots.
    code : str
        As written, e.g. ``"E11.9"``, ``"E11.2†"``.

    Returns
    -------
    tuple of (object, bool) or None
        What stands there, and whether for this very code.

    Examples
    --------
    >>> longest({"I25": "heart", "I252": "attack"}, "I25.2")
    ('attack', True)
    >>> longest({"I25": "heart", "I252": "attack"}, "I25.9")
    ('heart', False)
    """
    plain = "".join(c for c in code[:12] if c.isalnum()).upper()
    for length in range(len(plain), 2, -1):
        if plain[:length] in table:
            return table[plain[:length]], length == len(plain)
    return None
