"""Reading data files that ship with the code: what is unknown, missing or double is refused."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from cdss.errors import DefinitionError
from cdss.source import Source


def read_toml(file: Traversable) -> dict[str, Any]:
    """
    Read a TOML file.

    Parameters
    ----------
    file : Traversable
        A file of the package.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    DefinitionError
        If it is not TOML, or gives a key twice.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file.name}: {error}") from None


def read_csv(file: Traversable, columns: Iterable[str]) -> list[dict[str, str]]:
    """
    Read a CSV file.

    Parameters
    ----------
    file : Traversable
        A file of the package.
    columns : iterable of str
        The header it must have.

    Returns
    -------
    list of dict
        Its rows; lines that start with ``#`` are comments.

    Raises
    ------
    DefinitionError
        If the header differs, or a row has too few or too many cells.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    reader = csv.DictReader(line for line in lines if line and not line.startswith("#"))
    if list(reader.fieldnames or ()) != list(columns):
        raise DefinitionError(f"{file.name}: the columns must be {', '.join(columns)}")
    rows = list(reader)
    if any(None in row or None in row.values() for row in rows):
        raise DefinitionError(f"{file.name}: a row has too few or too many cells")
    return rows


def only(table: Mapping[str, Any], where: str, required: str = "", optional: str = "") -> None:
    """
    Refuse a table with unknown keys, or without those it must have.

    Parameters
    ----------
    table : mapping
        What a file says.
    where : str
        Its name in the error.
    required, optional : str
        Keys separated by spaces.

    Raises
    ------
    DefinitionError
        Naming every key that is unknown or missing.
    """
    if not isinstance(table, Mapping):
        raise DefinitionError(f"{where}: must be a table")
    needed, allowed = set(required.split()), set((required + " " + optional).split())
    wrong = [f"unknown key {key}" for key in table if key not in allowed]
    wrong += [f"{key} is missing" for key in sorted(needed - set(table))]
    if wrong:
        raise DefinitionError(f"{where}: {', '.join(wrong)}")


def source(table: Mapping[str, Any], where: str) -> Source:
    """
    Read a source.

    Parameters
    ----------
    table : mapping
        ``citation`` and ``locator``; may have ``url``, ``erratum`` and ``checked_on``.
    where : str
        Its name in the error.

    Returns
    -------
    Source
        The source.

    Raises
    ------
    DefinitionError
        If a key is unknown, or citation or locator are missing or empty.
    """
    only(table, where, "citation locator", "url erratum checked_on")
    if not isinstance(table.get("checked_on", date.min), date):
        raise DefinitionError(f"{where}: checked_on must be a date")
    return Source(**table)
