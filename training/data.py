"""
Tables of people in the data dictionary's names, units and codes, from any described data set.

``datasets/<name>.toml``, or a site's own mapping file, says where each variable comes from. What
cannot be used becomes unknown, and how much and why is part of the result: nothing is cleaned
silently.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.mapping import (
    DATASETS,
    GROUPS,
    ROOT,
    DescriptionError,
    columns_of,
    dataset_facts,
    description_path,
    extra_spec,
    read_description,
)
from training.recode import Rejected, extra_values, implausible, labels, values_of

__all__ = [
    "DATASETS", "DEFAULT_FOLDER", "ROOT", "DescriptionError", "Report", "Table", "dataset_facts",
    "load_table",
]  # fmt: skip
DEFAULT_FOLDER = ROOT.parent / "shared" / "data"
ENOUGH = 20
"""If so many values of a column are there and none can be used, the mapping is wrong."""


@dataclass(frozen=True)
class Report:
    """
    What of a table could not be used, and why.

    Attributes
    ----------
    read, kept : int
        Rows of the file, and rows that are left.
    dropped : dict of str to int
        Why rows were dropped, and how many.
    rejected : tuple of Rejected
        Values that became unknown, by variable and reason.
    """

    read: int
    kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()

    def lines(self) -> Iterator[str]:
        """Say it to a person, line by line."""
        yield f"{self.kept} of {self.read} rows kept"
        for why, count in self.dropped.items():
            if count:
                yield f"{count} rows dropped: {why}"
        for rejected in self.rejected:
            yield f"set to unknown: {rejected}"


@dataclass(frozen=True)
class Table:
    """
    People in rows, variables in columns.

    Attributes
    ----------
    name : str
        The data set's name.
    frame : pandas.DataFrame, shape (n, columns)
        Variables as models see them (canonical unit; 0/1; index of the choice; NaN if unknown) as
        float64, the data set's extra columns, and ``person``.
    implausible : dict of str to int
        How many values were set to missing as outside the plausible range.
    digest : str
        SHA-256 of the file read.
    facts : dict
        The data set's description.
    report : Report
        What could not be used, and why.
    """

    name: str
    frame: pd.DataFrame
    implausible: dict[str, int]
    digest: str
    facts: dict[str, Any]
    report: Report


def load_table(name: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Table:
    """
    Load a data set's table.

    Parameters
    ----------
    name : str or path
        Data set, described in ``datasets/<name>.toml``; or the path of a mapping file (``.toml``).
    path : path, optional
        A Parquet, CSV or TSV file with the data set's columns. By default the data set's own file,
        in the folder ``CDSS_DATA`` names, or inside the Python package that carries it; of a
        mapping, the file it names, beside it.

    Returns
    -------
    Table
        Recoded, converted, checked, and with a report of what could not be used.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    LookupError
        If there is no such data set.
    DescriptionError
        If the description is wrong, the file cannot be read or lacks columns, or nothing in a
        column can be used; a ValueError that lists everything that is wrong, without anybody's
        values.
    """
    facts, problems = read_description(name)
    file = Path(path) if path is not None else _default_file(facts, Path(name))
    where = f"{description_path(name).name}, {file.name}"
    if not file.is_file():
        if problems:
            raise DescriptionError(where, problems)
        raise FileNotFoundError(
            f"no file for data set {facts['name']}: {file.name} not found; give --table or set "
            "CDSS_DATA"
        )
    raw = _read(file, facts)
    columns, extras, named = _present(facts, raw)
    if missing := sorted(named - set(raw.columns)):
        problems.append(
            f"lacks columns of data set {facts['name']}: {', '.join(missing)}; it has "
            f"{', '.join(map(str, raw.columns))}"
        )
    read = len(raw)
    raw, dropped = _usable_rows(raw, facts["person"], sorted(named & set(raw.columns)))
    variables, rejected, counts = _variables(raw, columns, facts.get("decimal", "."))
    others = {}
    for extra, spec in extras.items():
        others[extra], found = extra_values(raw[spec["column"]], extra, spec)
        rejected += found
    problems += _useless(rejected)
    if problems:
        raise DescriptionError(where, problems)
    frame = pd.concat([variables, pd.DataFrame(others, index=raw.index)], axis=1)
    return Table(
        name=facts["name"],
        frame=frame.assign(person=raw[facts["person"]] if facts["person"] else np.arange(len(raw))),
        implausible=counts,
        digest=hashlib.sha256(file.read_bytes()).hexdigest(),
        facts=facts,
        report=Report(read, len(raw), dropped, tuple(rejected)),
    )


def _present(
    facts: dict[str, Any], raw: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """The variables and other columns that the table has, and every column it ought to have."""
    named = {column for spec in facts["columns"].values() for column in columns_of(spec)}
    columns = {n: spec for n, spec in facts["columns"].items() if set(columns_of(spec)) <= set(raw)}
    extras = {}
    for group in GROUPS:
        specs = {extra: extra_spec(spec) for extra, spec in facts.get(group, {}).items()}
        if group == "extra":  # the other groups may be absent
            named |= {spec["column"] for spec in specs.values()}
        extras |= {extra: spec for extra, spec in specs.items() if spec["column"] in raw}
    return columns, extras, named | ({facts["person"]} - {""})


def _variables(
    raw: pd.DataFrame, columns: dict[str, Any], decimal: str
) -> tuple[pd.DataFrame, list[Rejected], dict[str, int]]:
    """Variables as models see them, what became unknown, and how much of it as implausible."""
    values, rejected = {}, []
    for name, spec in columns.items():
        values[name], found = values_of(raw, name, spec, decimal)
        rejected += found
    frame, found, counts = implausible(pd.DataFrame(values, index=raw.index), columns)
    return frame, rejected + found, counts


def _default_file(facts: dict[str, Any], mapping: Path) -> Path:
    if package := facts.get("package"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(f"the Python package {package} is not installed")
        return Path(spec.origin).parent / facts["file"]
    if "file" not in facts:
        raise FileNotFoundError(f"no file for data set {facts['name']}: give --table")
    if mapping.suffix == ".toml":
        return mapping.parent / facts["file"]
    return Path(os.environ.get("CDSS_DATA", DEFAULT_FOLDER)) / facts["file"]


def _read(file: Path, facts: dict[str, Any]) -> pd.DataFrame:
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(
            file,
            sep=facts.get("separator", "\t" if file.suffix == ".tsv" else ","),
            decimal=facts.get("decimal", "."),
            encoding=facts.get("encoding", "utf-8-sig"),
            low_memory=False,
        )
    except (OSError, ValueError, LookupError) as error:
        # Only its kind: a reader's words may quote the line it stumbled over.
        kind = type(error).__name__
        raise DescriptionError(
            file.name, [f"cannot be read as Parquet, CSV or TSV ({kind})"]
        ) from None


def _usable_rows(
    raw: pd.DataFrame, person: str, named: list[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows that say something of somebody, and how many do not."""
    blank = raw[named].isna().all(axis=1)
    nobody = pd.Series(False, index=raw.index)
    if person in raw:
        who = labels(raw[person])
        nobody = ~blank & (who.isna() | (who == ""))
    dropped = {
        "nothing in any column that the description names": int(blank.sum()),
        f"no {person}, so nobody knows whose": int(nobody.sum()),
    }
    kept = raw[~(blank | nobody)]
    return kept.reset_index(drop=True), {why: count for why, count in dropped.items() if count}


def _useless(rejected: list[Rejected]) -> Iterator[str]:
    """Columns of which nothing can be used: they are mapped wrongly."""
    by_column: dict[tuple[str, str], list[Rejected]] = {}
    for one in rejected:
        by_column.setdefault((one.variable, one.column), []).append(one)
    for found in by_column.values():
        # What is a number is only then looked at for plausibility: the first counts all values.
        if ENOUGH <= found[0].of <= sum(one.count for one in found):
            yield f"nothing can be used of {'; '.join(map(str, found))}"
