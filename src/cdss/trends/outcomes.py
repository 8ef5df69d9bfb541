"""What happened to people, as a site tells it: read, checked, and named by keyed hashes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from cdss.errors import DefinitionError
from cdss.trends.noise import Secret

COLUMNS = ("person_id", "index_date", "outcome", "event")
"""Of the file: who, at which visit, the question it is about, and whether it happened."""


def read_outcomes(path: Path, secret: Secret, questions: Collection[str]) -> pl.DataFrame:
    """
    Read what happened.

    Parameters
    ----------
    path : Path
        Parquet, a file or a folder, or CSV, with `COLUMNS`.
    secret : Secret
        Names people.
    questions : collection of str
        Those of the jurisdiction; an outcome is named by its question.

    Returns
    -------
    polars.DataFrame
        ``who``, ``day``, ``question``, ``event``; without those of whom it is not known.

    Raises
    ------
    DefinitionError
        If it cannot be read, a column is missing or of the wrong kind, an outcome is none of the
        questions, or one of somebody is told twice.
    """
    try:
        if path.suffix.lower() == ".csv":
            table = pl.read_csv(
                path, try_parse_dates=True, schema_overrides={"person_id": pl.String}
            )
        else:
            table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        raise DefinitionError(f"{path.name}: is no Parquet or CSV that can be read") from None
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise DefinitionError(f"{path.name}: missing columns: {', '.join(missing)}")
    wrong = [
        name
        for name, kinds in (("index_date", (pl.Date,)), ("event", (pl.Boolean,)))
        if table[name].dtype not in kinds
    ]
    if wrong:
        raise DefinitionError(
            f"{path.name}: index_date must be dates and event true or false: {', '.join(wrong)}"
        )
    table = table.select(COLUMNS).drop_nulls()
    if unknown := set(table["outcome"].unique()) - {*questions}:
        told = f"outcomes that are no question here: {', '.join(sorted(unknown))}"
        raise DefinitionError(f"{path.name}: {told}; known: {', '.join(questions)}")
    if table.select(COLUMNS[:3]).is_duplicated().any():
        raise DefinitionError(f"{path.name}: an outcome of the same visit is told twice")
    who = secret.people(table["person_id"].cast(pl.String).to_list())
    return table.select(
        pl.Series("who", who), pl.col("index_date").alias("day"),
        pl.col("outcome").alias("question"), "event",
    )  # fmt: skip
