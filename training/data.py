"""
Tables of people in the data dictionary's names, units and codes, from any described data set.

``datasets/<name>.toml`` says where each variable comes from. Values outside a variable's plausible
range become missing, and how many is part of the result: nothing is cleaned silently.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdss.units import UNITS
from cdss.variables import VARIABLES, Variable

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ROOT / "datasets"
DEFAULT_FOLDER = ROOT.parent / "shared" / "data"


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
        float64, the data set's extra columns unchanged, and ``person``.
    implausible : dict of str to int
        How many values were set to missing as outside the plausible range.
    digest : str
        SHA-256 of the file read.
    facts : dict
        The data set's description.
    """

    name: str
    frame: pd.DataFrame
    implausible: dict[str, int]
    digest: str
    facts: dict[str, Any]


def dataset_facts(name: str) -> dict[str, Any]:
    """
    Read the description of a data set.

    Parameters
    ----------
    name : str
        Name of a file in ``datasets/``, without ``.toml``.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    LookupError
        If there is no such data set; lists those there are.
    """
    path = DATASETS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in DATASETS.glob("*.toml")))
        raise LookupError(f"no data set named {name}; there are: {known}")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def load_table(name: str, path: str | os.PathLike[str] | None = None) -> Table:
    """
    Load a data set's table.

    Parameters
    ----------
    name : str
        Data set, described in ``datasets/<name>.toml``.
    path : path, optional
        A Parquet, CSV or TSV file with the data set's columns. By default the data set's own file,
        in the folder ``CDSS_DATA`` names, or inside the Python package that carries it.

    Returns
    -------
    Table
        Recoded, converted and checked.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If the file lacks columns; lists all of them.
    """
    facts = dataset_facts(name)
    file = Path(path) if path is not None else _default_file(facts)
    if not file.is_file():
        raise FileNotFoundError(
            f"no file for data set {name}: {file.name} not found; give --table or set CDSS_DATA"
        )
    raw = _read(file)
    needed = {column for spec in facts["columns"].values() for column in _columns(spec)}
    needed |= set(facts["extra"].values()) | ({facts["person"]} - {""})
    if missing := sorted(needed - set(raw.columns)):
        raise ValueError(f"{file.name} lacks columns of data set {name}: {', '.join(missing)}")
    columns: dict[str, Any] = {}
    implausible: dict[str, int] = {}
    for variable_name, spec in facts["columns"].items():
        variable = VARIABLES[variable_name]
        values = _values(raw, variable, spec)
        if variable.kind == "quantity":
            wrong = (values < variable.low) | (values > variable.high)
            implausible[variable_name] = int(wrong.sum())
            values = values.mask(wrong)
        columns[variable_name] = values
    for extra, column in facts["extra"].items():
        columns[extra] = raw[column]
    for group in ("audit", "design"):
        for extra, column in facts.get(group, {}).items():
            if column in raw:
                columns[extra] = raw[column]
    columns["person"] = raw[facts["person"]] if facts["person"] else np.arange(len(raw))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Table(name, pd.DataFrame(columns), implausible, digest, facts)


def _default_file(facts: dict[str, Any]) -> Path:
    if package := facts.get("package"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(f"the Python package {package} is not installed")
        return Path(spec.origin).parent / facts["file"]
    return Path(os.environ.get("CDSS_DATA", DEFAULT_FOLDER)) / facts["file"]


def _read(file: Path) -> pd.DataFrame:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    return pd.read_csv(file, sep="\t" if file.suffix == ".tsv" else ",", low_memory=False)


def _columns(spec: dict[str, Any]) -> list[str]:
    if "column" in spec:
        return [spec["column"]]
    return spec.get("mean_of") or [case["column"] for case in spec["cases"]]


def _values(raw: pd.DataFrame, variable: Variable, spec: dict[str, Any]) -> pd.Series:
    """One variable's column as models see it."""
    if "mean_of" in spec:
        return _convert(raw[spec["mean_of"]].astype("float64").mean(axis=1), variable, spec)
    if "cases" in spec:
        found = pd.Series(np.nan, index=raw.index)
        for case in reversed(spec["cases"]):
            hit = _labels(raw[case["column"]]) == case["equals"]
            found = found.mask(hit, variable.encode(case["value"]))
        return found
    if variable.kind == "quantity":
        return _convert(raw[spec["column"]].astype("float64"), variable, spec)
    codes = {label: variable.encode(value) for label, value in spec["recode"].items()}
    return _labels(raw[spec["column"]]).map(codes).astype("float64")


def _convert(values: pd.Series, variable: Variable, spec: dict[str, Any]) -> pd.Series:
    conversion = UNITS[variable.name][spec["unit"]]
    return values * conversion.factor + conversion.offset


def _labels(values: pd.Series) -> pd.Series:
    """Codes as text, so that 1, 1.0 and "1" are the same label."""
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda v: None if pd.isna(v) else f"{v:g}")
    return values.astype("str")
