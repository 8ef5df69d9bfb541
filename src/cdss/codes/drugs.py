"""What a drug says: the codes and names of drugs.toml."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

from cdss.codes.table import longest, rows
from cdss.datafile import read_toml, source
from cdss.errors import DefinitionError
from cdss.source import Source

_FILE = resources.files("cdss.codes") / "drugs.toml"
_CONTENT = read_toml(_FILE)
_SYSTEMS = ("atc", "rxnorm")

SOURCE: Source = source(_CONTENT["sources"]["atc"], "drugs.toml: atc")
"""Of the groups of ATC."""


class Drug(NamedTuple):
    """
    What a drug says.

    Attributes
    ----------
    variables : frozenset of str
        Which are true of who takes it.
    mainly : bool
        If it lowers the blood pressure: whether it is mainly given for that.
    """

    variables: frozenset[str]
    mainly: bool


def _drugs() -> Mapping[str, Mapping[str, Drug]]:
    found: dict[str, dict[str, Drug]] = {system: {} for system in _SYSTEMS}
    for row in rows(_FILE, "drug", "", f"variable also purpose {' '.join(_SYSTEMS)}"):
        variables = frozenset(row[key] for key in ("variable", "also") if key in row)
        drug = Drug(variables, row.get("purpose") == "pressure")
        for system in _SYSTEMS:
            found[system] |= dict.fromkeys(row.get(system, ()), drug)
    return MappingProxyType(found)


DRUGS: Mapping[str, Mapping[str, Drug]] = _drugs()
"""``"atc"`` or ``"rxnorm"`` → code → what the drug says; of ATC also those below it."""


def _names() -> Mapping[str, Drug]:
    found: dict[str, Drug] = {}
    for code, names in _CONTENT["names"].items():
        if code == "status":
            continue
        looked_up = longest(DRUGS["atc"], code)
        drug: Drug | None = looked_up[0] if looked_up else None
        if drug is None or ("bp_treated" in drug.variables and not drug.mainly):
            raise DefinitionError(f"{_FILE.name}: {code}: a name alone does not say what it is for")
        if twice := [name for name in names if name in found]:
            raise DefinitionError(f"{_FILE.name}: named twice: {', '.join(twice)}")
        found |= dict.fromkeys(names, drug)
    return MappingProxyType(found)


NAMES: Mapping[str, Drug] = _names()
"""Folded generic name → what the drug says, in a text that does not tell what it is for."""
