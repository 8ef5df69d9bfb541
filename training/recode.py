"""
Columns of a table → values as models see them, and what could not be used.

Nothing is cleaned silently: a label nobody explained, text where a number should be, and a number
no living adult has become unknown, and are counted. Labels may say who somebody is: they are shown
only if many people share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cdss.units import UNITS
from cdss.variables import VARIABLES, Variable
from training.mapping import TIMES, columns_of

LABELS_SHOWN = 5
SHARED_BY = 10
"""A label is shown if at least so many rows have it: it then says nothing of one person."""


@dataclass(frozen=True)
class Rejected:
    """
    Values of one variable that were set to unknown.

    Attributes
    ----------
    variable, column : str
        What, and the column it comes from.
    reason : {"unknown label", "not a number", "implausible"}
        Why.
    count, of : int
        How many, of how many values there are.
    detail : str
        Labels that at least `SHARED_BY` rows share, or the plausible range; never one person's
        value.
    """

    variable: str
    column: str
    reason: str
    count: int
    of: int
    detail: str = ""

    def __str__(self) -> str:
        share = f"{self.count} of {self.of}"
        return f"{self.variable} ({self.column}): {share} {self.reason}{self.detail}"


def values_of(
    raw: pd.DataFrame, name: str, spec: Mapping[str, Any], decimal: str = "."
) -> tuple[pd.Series, list[Rejected]]:
    """
    One variable's column as models see it.

    Parameters
    ----------
    raw : pandas.DataFrame, shape (n, columns)
        The table.
    name : str
        A variable of the data dictionary.
    spec : mapping
        What the description says of it.
    decimal : str
        Decimal mark of numbers that are text.

    Returns
    -------
    values : pandas.Series of float64, shape (n,)
        In the canonical unit, 0/1, or the index of the choice; NaN if unknown. Not yet checked for
        plausibility: `implausible` does that for a whole table.
    rejected : list of Rejected
        Labels and texts that became unknown.
    """
    variable = VARIABLES[name]
    if variable.kind == "quantity":
        read = [_numbers(raw[c], name, c, spec, decimal) for c in columns_of(spec)]
        values = (
            read[0][0] if len(read) == 1 else pd.concat([v for v, _ in read], axis=1).mean(axis=1)
        )
        conversion = UNITS[name][spec["unit"]]
        return (
            values * conversion.factor + conversion.offset,
            [rejected for _, found in read for rejected in found],
        )
    if "cases" in spec:
        found = pd.Series(np.nan, index=raw.index)
        for case in reversed(spec["cases"]):
            hit = labels(raw[case["column"]]) == str(case["equals"])
            found = found.mask(hit, variable.encode(case["value"]))
        return found, []
    codes = {label: variable.encode(value) for label, value in spec["recode"].items()}
    return recoded(raw[spec["column"]], name, spec["column"], codes, spec.get("unknown", ()))


def extra_values(
    column: pd.Series, name: str, spec: Mapping[str, Any]
) -> tuple[pd.Series, list[Rejected]]:
    """
    A column that is not a variable: as it is, recoded, or as years.

    Parameters
    ----------
    column : pandas.Series, shape (n,)
        As in the table.
    name : str
        Its name from here on.
    spec : mapping
        With ``recode`` (label → value) or ``unit`` (of time), or neither.

    Returns
    -------
    values : pandas.Series, shape (n,)
        The column.
    rejected : list of Rejected
        What became unknown.
    """
    if "recode" in spec:
        codes = {
            label: float(value) if isinstance(value, bool) else value
            for label, value in spec["recode"].items()
        }
        return recoded(column, name, spec["column"], codes, ())
    if "unit" in spec:
        values, rejected = _numbers(column, name, spec["column"], {}, ".")
        return values * TIMES[spec["unit"]], rejected
    return column, []


def recoded(
    column: pd.Series,
    name: str,
    title: str,
    codes: Mapping[str, Any],
    unknown: tuple[Any, ...] | list[Any],
) -> tuple[pd.Series, list[Rejected]]:
    """
    Labels → codes; what is neither explained nor said to mean unknown is counted.

    Parameters
    ----------
    column : pandas.Series, shape (n,)
        Labels.
    name, title : str
        Variable, and the column's title.
    codes : mapping
        Label → code.
    unknown : list
        Labels that mean unknown.

    Returns
    -------
    values : pandas.Series, shape (n,)
        Codes; NaN if unknown.
    rejected : list of Rejected
        At most one.
    """
    said = labels(column)
    values = said.map(codes)
    if all(isinstance(code, float | int) for code in codes.values()):
        values = values.astype("float64")
    present = said.notna() & (said != "") & ~said.isin([str(label) for label in unknown])
    stray = said[present & ~said.isin(list(codes))]
    if stray.empty:
        return values, []
    return values, [
        Rejected(name, title, "unknown label", len(stray), int(present.sum()), _shown(stray))
    ]


def _shown(stray: pd.Series) -> str:
    counts = stray.value_counts()
    often = counts[counts >= SHARED_BY].head(LABELS_SHOWN)
    rest = len(counts) - len(often)
    shown = [f"{label!r} {count} times" for label, count in often.items()]
    if rest:
        shown.append(f"{rest} {'others' if shown else 'labels'} not shown")
    return f": {', '.join(shown)}"


def implausible(
    frame: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]]
) -> tuple[pd.DataFrame, list[Rejected], dict[str, int]]:
    """
    Check a table against the data dictionary (with pandera), and empty what it refuses.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, variables)
        Variables as `values_of` gives them.
    columns : mapping
        The description's ``[columns]``, for the columns' titles.

    Returns
    -------
    frame : pandas.DataFrame, shape (n, variables)
        Values outside a variable's plausible range are NaN.
    rejected : list of Rejected
        How many, for each variable that has some.
    counts : dict of str to int
        The same for every quantity, zero included.

    Raises
    ------
    pandera.errors.SchemaErrors
        If a column is not of numbers, or not of a variable's codes: our own fault.
    """
    import pandera.pandas as pa

    schema = pa.DataFrameSchema({name: _rule(VARIABLES[name]) for name in frame}, strict=True)
    counts = {name: 0 for name in frame if VARIABLES[name].kind == "quantity"}
    try:
        return schema.validate(frame, lazy=True), [], counts
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if not cases["column"].isin(list(counts)).all() or cases["index"].isna().any():
            raise
    there, frame = frame.notna().sum(), frame.copy()
    rejected = []
    for name, rows in cases.groupby("column", sort=False)["index"]:
        variable = VARIABLES[name]
        counts[name] = rows.nunique()
        frame.loc[rows.astype(frame.index.dtype).unique(), name] = np.nan
        detail = f" (outside {variable.low:g} to {variable.high:g} {variable.unit})"
        title = ", ".join(columns_of(columns[name]))
        rejected.append(
            Rejected(name, title, "implausible", counts[name], int(there[name]), detail)
        )
    return frame, rejected, counts


def _rule(variable: Variable) -> Any:
    """What pandera is to hold a variable's column to."""
    import pandera.pandas as pa

    if variable.kind == "quantity":
        check = pa.Check.in_range(variable.low, variable.high)
    else:
        check = pa.Check.isin([variable.encode(option) for option in variable.options])
    return pa.Column("float64", check, nullable=True)


def _numbers(
    column: pd.Series, name: str, title: str, spec: Mapping[str, Any], decimal: str
) -> tuple[pd.Series, list[Rejected]]:
    """A column as numbers; text that is none becomes unknown and is counted."""
    if pd.api.types.is_numeric_dtype(column):
        said = labels(column) if spec.get("unknown") else column
        values, present = column.astype("float64"), column.notna()
    else:
        said = labels(column)
        if decimal == ",":  # then a point parts thousands, or is a mistake: not a number
            text = said.str.replace(".", "?", regex=False).str.replace(",", ".", regex=False)
        else:
            text = said
        values = pd.to_numeric(text, errors="coerce").astype("float64")
        present = said.notna() & (said != "")
    meant = said.isin([str(label) for label in spec.get("unknown", ())])
    values, present = values.mask(meant), present & ~meant
    wrong = int((present & values.isna()).sum())
    if not wrong:
        return values, []
    return values, [Rejected(name, title, "not a number", wrong, int(present.sum()))]


def labels(values: pd.Series) -> pd.Series:
    """
    Codes as text, so that 1, 1.0 and "1" are the same label.

    Parameters
    ----------
    values : pandas.Series, shape (n,)
        Numbers, texts or truth values.

    Returns
    -------
    pandas.Series, shape (n,)
        Texts without surrounding blanks; truth values as ``true`` and ``false``; None if unknown.
    """
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "true", False: "false"}).astype("object")
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda v: None if pd.isna(v) else f"{v:.15g}").astype("object")
    return values.astype("object").map(_label).astype("object")


def _label(value: Any) -> str | None:
    if pd.isna(value):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
