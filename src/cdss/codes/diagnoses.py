"""What a diagnosis says: the codes of diagnoses.toml."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

from cdss.codes.table import rows
from cdss.datafile import read_toml, source
from cdss.errors import DefinitionError
from cdss.plausible import checked
from cdss.source import Source
from cdss.variables import VARIABLES, Value

_FILE = resources.files("cdss.codes") / "diagnoses.toml"
_CONTENT = read_toml(_FILE)

LASTING: Mapping[str, str] = MappingProxyType(_CONTENT["lasting"])
"""Variable → ``"state"``, ``"event"`` or ``"past"``: how a diagnosis that is over is understood."""

BELIEVED: Mapping[str, int] = MappingProxyType(_CONTENT["believed"])
"""Variable → days for which an active diagnosis is believed without being said again."""

OF_RELATIVES: Mapping[str, str] = MappingProxyType(_CONTENT["relatives"])
"""Variable → what it says of a person if it is true of a relative."""

SOURCE: Source = source(_CONTENT["sources"]["icd10"], "diagnoses.toml: icd10")
"""Of the titles of ICD-10."""


class Says(NamedTuple):
    """
    What a code says.

    Attributes
    ----------
    values : mapping of str to value
        By variable.
    complication : bool
        It is a consequence of the disease, whose own onset was earlier.
    dated : bool
        It says so only where it is told when, and whether it is over.
    """

    values: Mapping[str, Value]
    complication: bool = False
    dated: bool = False


def _table(system: str) -> Mapping[str, Says]:
    found: dict[str, Says] = {}
    for row in rows(_FILE, system, "codes says", "complication dated"):
        for name, value in row["says"].items():
            if name not in LASTING or checked(VARIABLES[name], value, None)[1] is not None:
                raise DefinitionError(f"{_FILE.name}: {name} cannot be said by a diagnosis")
        says = Says(
            MappingProxyType(row["says"]), row.get("complication", False), row.get("dated", False)
        )
        found |= dict.fromkeys(row["codes"], says)
    return MappingProxyType(found)


ICD10: Mapping[str, Says] = _table("icd10")
"""ICD-10 code without a dot → what it and every code below it say, unless that stands here too."""

SNOMED: Mapping[str, Says] = _table("snomed")
"""SNOMED CT code → what it says; those below it are not known here."""
