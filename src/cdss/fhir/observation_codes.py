"""What the codes of Observations mean: the data dictionary's LOINC codes and observations.toml."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cdss.fhir.codes import Answer, Code, coded, rows, table
from cdss.variables import VARIABLES

_FILE = "observations"


class Meaning(NamedTuple):
    """
    What a code of an Observation or component stands for.

    Attributes
    ----------
    reads : str
        ``"quantity"``, ``"answer"``, ``"more_than_none"``, ``"panel"`` or ``"not_comparable"``.
    variable : str
        What it is a value of.
    unit : str
        A unit of the kind that the code implies; empty if it implies none.
    caveat : str
        Problem to tell if it is used; may be empty.
    """

    reads: str
    variable: str
    unit: str = ""
    caveat: str = ""


def _meanings() -> dict[Code, Meaning]:
    found = {
        ("loinc", code): Meaning("quantity", variable.name)
        for variable in VARIABLES.values()
        if variable.kind == "quantity"
        for code in variable.loinc
    }
    for row in rows(_FILE, "quantity", "variable", "caveat"):
        for code in coded(row):
            found[code] = Meaning("quantity", row["variable"], caveat=row.get("caveat", ""))
    for reads in ("panel", "more_than_none", "not_comparable"):
        for row in rows(_FILE, reads, "variable"):
            found |= {code: Meaning(reads, row["variable"]) for code in coded(row)}
    for row in rows(_FILE, "answer", "variable choice"):
        found |= {code: Meaning("answer", row["variable"]) for code in coded(row)}
    for row in rows(_FILE, "caveat", "caveat"):
        found |= {code: found[code]._replace(caveat=row["caveat"]) for code in coded(row)}
    for row in rows(_FILE, "kind", "unit"):
        found |= {code: found[code]._replace(unit=row["unit"]) for code in coded(row)}
    for row in rows(_FILE, "not_read", "variable"):
        for code in coded(row):
            found.pop(code, None)
    return found


MEANINGS: Mapping[Code, Meaning] = _meanings()
"""By code; a plain dict, because it is looked up for every Observation."""

KIND_OF_UNIT: Mapping[str, str] = MappingProxyType(
    {unit: kind for kind, units in table(_FILE, "kinds").items() for unit in units}
)
"""Units of one kind differ by a power of ten only."""

ANSWERS: Mapping[str, Mapping[Code, Answer]] = MappingProxyType(
    {
        row["variable"]: {
            code: Answer(choice["is"], choice.get("unless_said", ""))
            for choice in row["choice"]
            for code in coded(choice)
        }
        for row in rows(_FILE, "answer", "variable choice")
    }
)
"""Variable → code of an answer → what it says."""
