"""What the codings of a diagnosis say together."""

from __future__ import annotations

from typing import Any, NamedTuple

from cdss.codes.diagnoses import ICD10, SNOMED, Says
from cdss.codes.table import longest
from cdss.fhir.codes import codings
from cdss.variables import Value


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
    if system == "snomed" and (says := SNOMED.get(code)) is not None:
        return says, not says.complication
    if system == "icd10" and (found := longest(ICD10, code)) is not None:
        return found[0], found[1]
    return _NOTHING, True
