"""
From NHANES' files of one cycle to the columns of the analysis table.

A column is made where everything it follows from is there; otherwise the cycle does not have it.
Rules are those of ``../shared/data/README.md``. Checked against
``nhanes_1999_2014_adults.parquet``: from CDC's own files for 2013-2014; and in all its cycles for
what follows from other columns of the table. The answers on diabetes, medical conditions and
mortality could only be checked on invented files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from training.nhanes.files import MORTALITY, catalogue, file_of
from training.nhanes.rules import ADULT, ASIAN, RULES

Series = pd.Series
Frame = pd.DataFrame


def read_file(path: Path) -> Frame:
    """
    Read one of CDC's files.

    Parameters
    ----------
    path : Path
        SAS transport file (``.XPT``) or linked mortality file (``.dat``).

    Returns
    -------
    pandas.DataFrame
        Indexed by SEQN; zero where the file says zero.

    Raises
    ------
    ValueError
        If it cannot be read, or a person comes twice.
    """
    if path.suffix == ".dat":
        positions = catalogue()[MORTALITY]["positions"]
        frame = pd.read_fwf(
            path,
            colspecs=[(first - 1, last) for first, last in positions.values()],
            names=list(positions),
            header=None,
            na_values=["."],
        )
    else:
        try:
            frame = pd.read_sas(path, format="xport", encoding="ISO-8859-1")
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"{path.name}: not a readable SAS transport file") from error
        frame.columns = frame.columns.str.upper()
        # SAS' zero comes out of pandas as 5.4e-79: a diastolic pressure of 0 would pass for one.
        numbers = frame.select_dtypes("number")
        frame[numbers.columns] = numbers.mask(numbers.abs() < 1e-70, 0.0)
    if frame["SEQN"].duplicated().any():
        raise ValueError(f"{path.name}: the same person comes twice")
    return frame.set_index(frame.pop("SEQN").astype("int64"))


def derive_cycle(cycle: str, frames: Mapping[str, Frame]) -> tuple[Frame, tuple[str, ...]]:
    """
    Make one cycle's rows of the analysis table.

    Parameters
    ----------
    cycle : str
        The cycle.
    frames : mapping of str to pandas.DataFrame
        What `read_file` gives, by file name; files may be missing, demographics may not.

    Returns
    -------
    table : pandas.DataFrame, shape (people aged 18 and over, columns)
        Columns whose sources are there. NaN where an answer is unknown.
    problems : tuple of str
        Variables that a file should have and does not, by name.

    Raises
    ------
    ValueError
        If the demographic file is missing.
    """
    demographics = file_of("demographics", cycle)
    if demographics not in frames:
        raise ValueError(f"{demographics} of {cycle} is missing: nobody can be placed without it")
    people = frames[demographics].index
    known: dict[str, Series] = {}
    copied: list[str] = []
    problems: list[str] = []
    for part, spec in catalogue()["files"].items():
        name = file_of(part, cycle)
        if name not in frames:
            continue
        for column, variables in (spec.get("copy", {}) | spec.get("codes", {})).items():
            found = [v for v in variables if v in frames[name]]
            if found:
                known[column] = frames[name][found[0]].reindex(people).astype("float64")
                copied += [column] if column in spec.get("copy", {}) else []
            elif column not in spec.get("may_lack", ()):
                problems.append(f"{name} of {cycle} has no {' or '.join(variables)}")
    if (deaths := file_of(MORTALITY, cycle)) in frames:
        known |= {
            column: frames[deaths][column].reindex(people).astype("float64")
            for column in catalogue()[MORTALITY]["positions"]
            if column != "SEQN"
        }
    columns = {
        "seqn": Series(people, index=people),
        "cycle": Series(cycle, index=people),
        "wt_mec_source": Series("DEMO", index=people),
    }
    columns |= {column: known[column] for column in copied}
    known["recalibration"] = Series(cycle, index=people)
    for rule in RULES:
        if all(need in known for need in rule.needs):
            value = rule.function(*(known[need] for need in rule.needs))
            known[rule.column] = columns[rule.column] = value
    if "ethnicity_code_2011" in known and "race_eth" in columns:
        asian = known["ethnicity_code_2011"] == ASIAN
        columns["race_eth"] = columns["race_eth"].mask(asian, "nh_asian")
    table = pd.DataFrame(columns)
    return table[known["age"] >= ADULT].reset_index(drop=True), tuple(problems)
