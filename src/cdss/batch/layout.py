"""Which column of a table says what: names and units of the dictionary, or those of a mapping."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cdss.datafile import only
from cdss.errors import DefinitionError
from cdss.units import UNITS, canonical_unit
from cdss.variables import VARIABLES, Value, Variable

_ADVICE = frozenset({"person_id", "index_date", "advice", "undecided"})


@dataclass(frozen=True, slots=True)
class Column:
    """
    What a column says.

    Attributes
    ----------
    name : str
        Of the column.
    variable : Variable
        What its values are of.
    unit : str
        Of a quantity.
    values : mapping of str to value
        What is written → what it means; empty if it is written as the dictionary has it.
    """

    name: str
    variable: Variable
    unit: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How to read a table.

    Attributes
    ----------
    id : str
        Column that names the person.
    index_date : str or datetime.date
        Column of the day for which everything is computed, or that day.
    keep : tuple of str
        Columns that are copied beside the advice; variables as they are understood, in their
        canonical units, and null where they are unknown or not in the table.
    ignore : frozenset of str
        Columns that are not looked at.
    named : mapping of str to Column
        Columns that are not named as the dictionary names them.
    unknown : tuple of str
        What stands for "unknown" in CSV, besides nothing.
    delimiter : str
        Of CSV.
    """

    id: str = "person_id"
    index_date: str | date = "index_date"
    keep: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()
    named: Mapping[str, Column] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    delimiter: str = ","

    @classmethod
    def read(
        cls,
        file: Path | None,
        *,
        identifier: str | None = None,
        index_date: date | None = None,
        keep: Collection[str] = (),
        ignore: Collection[str] = (),
    ) -> Layout:
        """
        Read a mapping, and what was said beside it.

        Parameters
        ----------
        file : Path or None
            TOML, see docs/batch.md.
        identifier : str, optional
            Column that names the person.
        index_date : datetime.date, optional
            Day for which everything is computed.
        keep, ignore : collection of str
            More columns to copy, or not to look at.

        Returns
        -------
        Layout
            How to read tables.

        Raises
        ------
        DefinitionError
            If the mapping is wrong.
        OSError
            If the file cannot be read.
        """
        said: dict[str, Any] = {}
        if file is not None:
            try:
                said = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise DefinitionError(f"mapping: {error}") from None
            only(said, "mapping", "", "id index_date keep ignore columns unknown delimiter")
        columns = {n: _column(n, table) for n, table in said.get("columns", {}).items()}
        return cls(
            identifier or said.get("id", "person_id"),
            index_date or said.get("index_date", "index_date"),
            tuple(dict.fromkeys((*said.get("keep", ()), *keep))),
            frozenset((*said.get("ignore", ()), *ignore)),
            columns,
            tuple(said.get("unknown", ())),
            said.get("delimiter", ","),
        )

    @property
    def naming(self) -> tuple[str, ...]:
        """
        Name the columns that tell who it is, and for which day.

        Returns
        -------
        tuple of str
            One or two.
        """
        return (self.id, *([self.index_date] if isinstance(self.index_date, str) else ()))

    def columns(self, names: Collection[str]) -> tuple[Column, ...]:
        """
        Say what the columns of a table say.

        Parameters
        ----------
        names : collection of str
            Names of its columns.

        Returns
        -------
        tuple of Column
            Those that say something about a person.

        Raises
        ------
        DefinitionError
            If a column is twice or unknown, one that is needed is missing, or two say the same
            variable; it lists them all.
        """
        dated = {self.index_date} if isinstance(self.index_date, str) else set()
        found = [
            self.named.get(name) or Column(name, VARIABLES[name], VARIABLES[name].unit)
            for name in names
            if name in self.named or (name in VARIABLES and name not in self.ignore)
        ]
        said = [column.variable.name for column in found]
        passed = {self.id, "index_date", *dated, *self.keep, *self.ignore, *self.named, *VARIABLES}
        have = [*names]
        kept = {name for name in self.keep if name not in VARIABLES}  # a variable may be derived
        wrong = {
            "missing columns": {self.id, *dated, *kept, *self.named} - {*have},
            "columns that occur twice": {name for name in have if have.count(name) > 1},
            "columns that have another meaning beside advice": _ADVICE & {*self.keep},
            "columns of the same variable": {name for name in said if said.count(name) > 1},
            "unknown columns (map them, keep them or ignore them)": {*have} - passed,
        }
        if told := [
            f"{what}: {', '.join(sorted(which))}" for what, which in wrong.items() if which
        ]:
            raise DefinitionError("; ".join(told))
        return tuple(found)


def _column(name: str, table: Mapping[str, Any]) -> Column:
    where = f"mapping: {name}"
    only(table, where, "variable", "unit values")
    variable = VARIABLES.get(table["variable"])
    if variable is None:
        raise DefinitionError(f"{where}: {table['variable']} is no variable")
    values, unit = table.get("values", {}), table.get("unit", variable.unit)
    if variable.kind == "quantity":
        if (code := canonical_unit(unit)) not in UNITS[variable.name]:
            accepted = ", ".join(UNITS[variable.name])
            raise DefinitionError(f"{where}: unit must be one of {accepted}")
        unit = code
    elif wrong := [str(v) for v in values.values() if v not in variable.options]:
        raise DefinitionError(f"{where}: {', '.join(wrong)} is no value of {variable.name}")
    return Column(name, variable, unit, values)
