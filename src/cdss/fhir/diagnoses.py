"""What a diagnosis says: the codes of conditions.toml."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.errors import DefinitionError
from cdss.fhir.codes import codings, family, rows, table
from cdss.plausible import checked
from cdss.variables import VARIABLES, Value

_FILE = "conditions"

LASTING: Mapping[str, str] = table(_FILE, "lasting")
"""Variable → ``"state"``, ``"event"`` or ``"past"``: how a diagnosis that is over is understood."""

BELIEVED: Mapping[str, int] = table(_FILE, "believed")
"""Variable → days for which an active diagnosis is believed without being said again."""


class Says(NamedTuple):
    """
    What a code says.

    Attributes
    ----------
    values : mapping of str to value
        By variable.
    complication : bool
        It is a consequence of the disease, whose own onset was earlier.
    """

    values: Mapping[str, Value]
    complication: bool = False


def _table(system: str) -> dict[str, Says]:
    found: dict[str, Says] = {}
    for row in rows(_FILE, system, "codes says", "complication"):
        for name, value in row["says"].items():
            if name not in LASTING or checked(VARIABLES[name], value, None)[1] is not None:
                raise DefinitionError(f"{_FILE}.toml: {name} cannot be said by a diagnosis")
        says = Says(MappingProxyType(row["says"]), row.get("complication", False))
        found |= dict.fromkeys(row["codes"], says)
    return found


_ICD10, _SNOMED = _table("icd10"), _table("snomed")


class Diagnosis(NamedTuple):
    """
    What the codings of one concept say together.

    Attributes
    ----------
    values : dict of str to value
        By variable.
    conflicts : frozenset of str
        Variables on which the codings disagree.
    itself : bool
        The disease itself is coded and not a consequence, so that its onset is known by this.
    """

    values: dict[str, Value]
    conflicts: frozenset[str]
    itself: bool


def diagnosis(concept: Any) -> Diagnosis | None:
    """
    Look up a concept.

    Parameters
    ----------
    concept : object
        A CodeableConcept, or any JSON.

    Returns
    -------
    Diagnosis or None
        None if it says nothing that is a variable.
    """
    values: dict[str, Value] = {}
    conflicts, itself = set(), True
    for coding in codings(concept):
        says, exact = _says(coding.system, coding.code)
        itself = itself and exact
        for name, value in says.values.items():
            if values.setdefault(name, value) != value:
                conflicts.add(name)
    return Diagnosis(values, frozenset(conflicts), itself) if values else None


_NOTHING = Says({})


def _says(system: str, code: str) -> tuple[Says, bool]:
    """What one code says, and whether it is of the disease itself."""
    if system == "snomed" and (says := _SNOMED.get(code)) is not None:
        return says, not says.complication
    if system == "icd10" and (found := family(_ICD10, code)) is not None:
        return found[0], found[1]
    return _NOTHING, True
