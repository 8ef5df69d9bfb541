"""The analysis table of NHANES, from CDC's files to Parquet."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from training.nhanes.derive import derive_cycle, read_file
from training.nhanes.download import Downloaded, DownloadError, Tell, download
from training.nhanes.files import PublicFile, catalogue, cycles_within, public_files
from training.nhanes.rules import RULES

WORDS = ("sex", "race_eth", "smoking", "cycle", "wt_mec_source")
WEIGHTS = ("wt_int2yr", "wt_mec2yr", "wt_saf2yr")


@dataclass(frozen=True)
class Made:
    """
    The analysis table, and what is to be known of it.

    Attributes
    ----------
    path : str
        The Parquet file.
    people : dict of str to int
        Rows of each cycle.
    checked : dict of str to str
        What each cycle's names were checked against.
    missing_files : tuple of str
        Files that were not there, with the columns that nobody has for want of them.
    absent : tuple of str
        Columns that no cycle has because their files were missing.
    problems : tuple of str
        Variables that a file should have and does not.
    revised : tuple of str
        Files that CDC changed since they were checked.
    """

    path: str
    people: dict[str, int]
    checked: dict[str, str]
    missing_files: tuple[str, ...]
    absent: tuple[str, ...]
    problems: tuple[str, ...]
    revised: tuple[str, ...]


def make_table(
    spans: str,
    out: Path,
    *,
    base_url: str | None = None,
    allow_missing: bool = False,
    tell: Tell = lambda name, done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Made:
    """
    Fetch the files of some cycles and derive the analysis table.

    Parameters
    ----------
    spans : str
        Cycles, as `training.nhanes.files.cycles_within` reads them.
    out : Path
        Folder: the files go to ``raw/`` in it, the table is
        ``nhanes_<first year>_<last year>_adults.parquet``, ``report.json`` is what this returns.
    base_url : str, optional
        A mirror, as `training.nhanes.files.public_files` reads it.
    allow_missing : bool
        Go on without files that are not there. Their columns are unknown in that cycle, and absent
        if no cycle has them. Demographics cannot be missing.
    tell, sleep : callable, optional
        As in `training.nhanes.download.download`.

    Returns
    -------
    Made
        What was made.

    Raises
    ------
    ValueError
        If there is no such cycle, a file cannot be fetched or read, or (unless `allow_missing`)
        files are missing: names all of them, after everything else was fetched.
    """
    cycles = cycles_within(spans)
    got = download(public_files(cycles, base_url), out / "raw", tell=tell, sleep=sleep)
    if got.missing and not allow_missing:
        raise DownloadError(
            f"not there: {', '.join(_names(got.missing))}; everything else was fetched. "
            "--allow-missing goes on without them"
        )
    tables, problems = [], []
    for cycle in cycles:
        table, found = derive_cycle(cycle, _frames(cycle, got, base_url))
        tables.append(table)
        problems += found
    table = _typed(pd.concat(tables, ignore_index=True))
    path = out / f"nhanes_{cycles[0][:4]}_{cycles[-1][-4:]}_adults.parquet"
    table.to_parquet(path, index=False)
    made = Made(
        path=str(path),
        people={c: int(n) for c, n in zip(cycles, map(len, tables), strict=True)},
        checked={cycle: catalogue()["cycles"][cycle]["checked"] for cycle in cycles},
        missing_files=_names(got.missing),
        absent=tuple(sorted(_expected() - set(table))),
        problems=tuple(problems),
        revised=got.revised,
    )
    (out / "report.json").write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
    return made


def _names(files: tuple[PublicFile, ...]) -> tuple[str, ...]:
    return tuple(f"{file.name} of {file.cycle} ({', '.join(file.parts)})" for file in files)


def _frames(cycle: str, got: Downloaded, base_url: str | None) -> dict[str, pd.DataFrame]:
    names = [file.name for file in public_files((cycle,), base_url)]
    return {name: read_file(got.files[name]) for name in names if name in got.files}


def _expected() -> set[str]:
    """Every column that a full download gives."""
    copied = {column for spec in catalogue()["files"].values() for column in spec.get("copy", {})}
    return copied | {rule.column for rule in RULES}


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Words as categories, weights as float64, everything else as float32."""
    for column in table:
        if column in WORDS:
            table[column] = table[column].astype("category")
        elif column == "seqn":
            table[column] = table[column].astype("int32")
        else:
            table[column] = table[column].astype("float64" if column in WEIGHTS else "float32")
    return table
