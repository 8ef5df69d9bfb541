"""What codes mean: the tables of the TOML files beside this module, and how to look in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.codes import table as codes
from cdss.datafile import read_toml
from cdss.fhir.values import text
from cdss.variables import Value

Code = tuple[str, str]
"""Short name of the code system, and the code."""

SYSTEMS = ("loinc", "snomed", "icd10", "atc", "rxnorm", "role")
_FILES = resources.files("cdss.fhir")
_SYSTEMS: Mapping[str, str] = read_toml(_FILES / "systems.toml")["system"]


class Coding(NamedTuple):
    """
    One coding of a concept.

    Attributes
    ----------
    system : str
        Short name of the code system; empty if it is another or none is told.
    code : str
        As written.
    display : str
        What it says in words.
    """

    system: str
    code: str
    display: str

    @property
    def key(self) -> Code:
        """
        What tables are looked up by.

        Returns
        -------
        tuple of (str, str)
            System and code.
        """
        return (self.system, self.code)


def codings(concept: Any) -> list[Coding]:
    """
    Every coding of a CodeableConcept, not only the first.

    Parameters
    ----------
    concept : object
        Any JSON.

    Returns
    -------
    list of Coding
        Each one with a code of a system that is known here.
    """
    listed = concept.get("coding") if isinstance(concept, dict) else None
    found = []
    for coding in listed if isinstance(listed, list) else (listed,):
        if not isinstance(coding, dict):
            continue
        system, code = coding.get("system"), coding.get("code")
        if isinstance(code, str) and isinstance(system, str) and (short := _short(system)):
            found.append(Coding(short, code.strip(), text(coding.get("display"))))
    return found


def _short(system: str) -> str:
    """Short name of a code system, however it is written."""
    if (short := _SYSTEMS.get(system)) is not None:
        return short
    plain = system.strip().lower().rstrip("/").replace("https://", "http://", 1)
    if plain.startswith("http://snomed.info/sct/"):
        return "snomed"
    return _SYSTEMS.get(plain, "")


def rows(name: str, table: str, required: str, optional: str = "") -> list[dict[str, Any]]:
    """
    Rows of a data file, each with a source and a status.

    Parameters
    ----------
    name : str
        File beside this module, without ``.toml``.
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
    return codes.rows(_FILES / f"{name}.toml", table, required, f"{optional} {' '.join(SYSTEMS)}")


def coded(row: Mapping[str, Any]) -> Iterator[Code]:
    """
    Every code of a row.

    Parameters
    ----------
    row : mapping
        Has lists of codes under the short names of their systems.

    Yields
    ------
    Code
        One after the other.
    """
    yield from ((system, code) for system in SYSTEMS for code in row.get(system, ()))


def table(name: str, of: str) -> Mapping[str, Any]:
    """
    A plain table of a data file.

    Parameters
    ----------
    name : str
        File beside this module, without ``.toml``.
    of : str
        Which of its tables.

    Returns
    -------
    mapping
        The table.
    """
    return MappingProxyType(read_toml(_FILES / f"{name}.toml")[of])


class Answer(NamedTuple):
    """
    What a coded answer says.

    Attributes
    ----------
    value : value
        Of the variable.
    unless_said : str
        It does not say so if this is in the display.
    """

    value: Value
    unless_said: str = ""
