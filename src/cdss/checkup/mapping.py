"""What the tags and names of an envelope mean: the files beside this module, and `cdss.codes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.checkup.words import folded
from cdss.codes import diagnoses, drugs
from cdss.codes.diagnoses import ICD10, OF_RELATIVES
from cdss.codes.drugs import NAMES
from cdss.codes.table import longest
from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from cdss.source import Source
from cdss.units import UNITS
from cdss.variables import VARIABLES, Value

_OTHER_TAGS = (
    "GIOI_TINH", "NGAY_SINH", "SO_CCCD", "MA_LK", "NGAY_VAO", "HUYET_AP",
    "MA_CHI_SO", "TEN_CHI_SO", "GIA_TRI", "DON_VI_DO", "MO_TA", "NGAY_KQ",
)  # fmt: skip

_FILES = resources.files("cdss.checkup")
_WHOSE = ("person", "family")


class Quantity(NamedTuple):
    """
    A tag that holds a number.

    Attributes
    ----------
    tag, variable, unit : str
        The tag, what it is of, and the unit of the form.
    default : float
        What some programs write where nobody entered anything.
    """

    tag: str
    variable: str
    unit: str
    default: float


class Flag(NamedTuple):
    """
    A tag that holds 0 or 1.

    Attributes
    ----------
    tag : str
        The tag.
    yes, no : mapping of str to value
        What follows from 1 and from 0.
    """

    tag: str
    yes: Mapping[str, Value]
    no: Mapping[str, Value]


class CodeList(NamedTuple):
    """
    A tag that lists ICD-10 codes.

    Attributes
    ----------
    tag : str
        The tag.
    parts : tuple of str
        Where it may stand.
    relatives : bool
        Whether they are of relatives and not of the person.
    """

    tag: str
    parts: tuple[str, ...]
    relatives: bool

    def says(self, code: str) -> Mapping[str, Value]:
        """
        Look up a code.

        Parameters
        ----------
        code : str
            Of ICD-10, without a dot.

        Returns
        -------
        mapping of str to value
            What it says of the person; nothing if only a date would tell whether it does.
        """
        found = longest(ICD10, code)
        if found is None or found[0].dated:
            return {}
        values: Mapping[str, Value] = found[0].values
        if not self.relatives:
            return values
        return {OF_RELATIVES[name]: value for name, value in values.items() if name in OF_RELATIVES}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """
    Names of laboratory tests.

    Parameters
    ----------
    names : mapping of str to str
        Folded name → variable.
    blood_glucose : frozenset of str
        Folded names of a glucose that do not say whether it was a fasting one.
    before, behind : tuple of str
        What is left off before and behind a name.
    """

    names: Mapping[str, str]
    blood_glucose: frozenset[str]
    before: tuple[str, ...]
    behind: tuple[str, ...]

    def spellings(self, name: str) -> tuple[str, ...]:
        """
        Give a name as it is and without what is left off.

        Parameters
        ----------
        name : str
            As a laboratory writes it.

        Returns
        -------
        tuple of str
            Folded.
        """
        whole = short = folded(name)
        for affix in self.before:
            short = short.removeprefix(f"{affix} ")
        for affix in self.behind:
            short = short.removesuffix(f" {affix}")
        return (whole, short)


@dataclass(frozen=True, slots=True)
class Meanings:
    """
    The tags that are read.

    Parameters
    ----------
    version, decision : str
        Of this mapping, and what it is of.
    tags : frozenset of str
        Those whose content is looked at.
    read, ignored : frozenset of str
        Kinds of parts.
    sex : mapping of str to str
        GIOI_TINH → sex.
    quantities : tuple of Quantity
        Of XML10.
    pressure : tuple of (float, float)
        Default of HUYET_AP.
    least : int
        From so many defaults together on they are not used.
    bmi_tolerance : float
        Allowed difference of a recorded body mass index, kg/m2.
    flags : tuple of Flag
        Answers 0 or 1.
    none_of : tuple of (tuple of str, str)
        Tags that must all be 0, and the variable that is then "no".
    codes : tuple of CodeList
        Lists of ICD-10 codes.
    drug_tag : str
        The tag of drugs.
    drugs : mapping of str to frozenset of str
        Folded generic name → variables that are true of who takes it.
    code_doubt, drug_doubt : tuple of str
        Words that make a code or a drug doubtful.
    sources : tuple of Source
        Of codes and drugs.
    """

    version: str
    decision: str
    tags: frozenset[str]
    read: frozenset[str]
    ignored: frozenset[str]
    sex: Mapping[str, str]
    quantities: tuple[Quantity, ...]
    pressure: tuple[float, float]
    least: int
    bmi_tolerance: float
    flags: tuple[Flag, ...]
    none_of: tuple[tuple[tuple[str, ...], str], ...]
    codes: tuple[CodeList, ...]
    drug_tag: str
    drugs: Mapping[str, frozenset[str]]
    code_doubt: tuple[str, ...]
    drug_doubt: tuple[str, ...]
    sources: tuple[Source, ...]


def _meanings(table: Mapping[str, Any]) -> Meanings:
    """Everything but the laboratory."""
    names = "version decision checked_on status parts sex quantity pressure suspect flag none_of"
    only(table, "mapping", f"{names} codes drugs doubt not_read")
    for name in ("quantity", "flag", "none_of", "codes"):
        for row in table[name]:
            _stated(row, table["status"], f"mapping: {name} {row.get('tag', '')}")
    for name in ("sex", "pressure", "drugs", "doubt"):
        _stated(table[name], table["status"], f"mapping: {name}")
    return Meanings(
        version=table["version"],
        decision=table["decision"],
        tags=frozenset(_OTHER_TAGS)
        | {row["tag"] for name in ("quantity", "flag", "codes") for row in table[name]}
        | {table["drugs"]["tag"]},
        read=frozenset(table["parts"]["read"]),
        ignored=frozenset(table["parts"]["ignored"]),
        sex={table["sex"][name]: name for name in ("male", "female")},
        quantities=tuple(_quantity(row) for row in table["quantity"]),
        pressure=_two(table["pressure"]["default"]),
        least=table["suspect"]["least"],
        bmi_tolerance=table["suspect"]["bmi_tolerance"],
        flags=tuple(_flag(row) for row in table["flag"]),
        none_of=tuple((tuple(row["tags"]), row["variable"]) for row in table["none_of"]),
        codes=tuple(_code_list(row) for row in table["codes"]),
        drug_tag=table["drugs"]["tag"],
        drugs={name: drug.variables for name, drug in NAMES.items()},
        code_doubt=tuple(table["doubt"]["code"]),
        drug_doubt=tuple(table["doubt"]["drug"]),
        sources=(diagnoses.SOURCE, drugs.SOURCE),
    )


def _stated(row: Mapping[str, Any], states: Mapping[str, str], where: str) -> None:
    """Every row says how well it is known."""
    if row.get("status") not in states:
        raise DefinitionError(f"{where}: status must be one of {', '.join(states)}")


def _quantity(row: Mapping[str, Any]) -> Quantity:
    only(row, f"mapping: {row.get('tag')}", "tag variable unit default status")
    if row["unit"] not in UNITS[row["variable"]]:
        raise DefinitionError(f"mapping: {row['tag']}: no unit {row['unit']}")
    return Quantity(row["tag"], row["variable"], row["unit"], float(row["default"]))


def _two(text: str) -> tuple[float, float]:
    systolic, diastolic = text.split("/")
    return float(systolic), float(diastolic)


def _flag(row: Mapping[str, Any]) -> Flag:
    only(row, f"mapping: {row.get('tag')}", "tag status", "yes no")
    return Flag(row["tag"], _known(row.get("yes", {})), _known(row.get("no", {})))


def _code_list(row: Mapping[str, Any]) -> CodeList:
    only(row, f"mapping: {row.get('tag')}", "tag parts whose status")
    if row["whose"] not in _WHOSE:
        raise DefinitionError(f"mapping: {row['tag']}: whose must be one of {', '.join(_WHOSE)}")
    return CodeList(row["tag"], tuple(row["parts"]), row["whose"] == "family")


def _known(says: Mapping[str, Value]) -> Mapping[str, Value]:
    """Variables there are, with values they can have."""
    for name, value in says.items():
        if value not in VARIABLES[name].options:
            raise DefinitionError(f"mapping: {name} cannot be {value}")
    return MappingProxyType(dict(says))


def _laboratory(table: Mapping[str, Any]) -> Laboratory:
    only(table, "laboratory", "status before behind names blood_glucose")
    pairs = [(name, variable) for variable, names in table["names"].items() for name in names]
    every = [name for name, _ in pairs] + table["blood_glucose"]["names"]
    wrong = {name for name in every if folded(name) != name or every.count(name) > 1}
    wrong |= {variable for variable in table["names"] if variable not in UNITS}
    if wrong:
        raise DefinitionError(f"laboratory: not folded, double or unknown: {', '.join(wrong)}")
    return Laboratory(
        dict(pairs),
        frozenset(table["blood_glucose"]["names"]),
        tuple(table["before"]),
        tuple(table["behind"]),
    )


MEANINGS = _meanings(read_toml(_FILES / "mapping.toml"))
"""The tags that are read."""

LABORATORY = _laboratory(read_toml(_FILES / "laboratory.toml"))
"""The names of laboratory tests."""
