"""Everybody of a data frame, in one pass: results, advice and those who were rejected."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from cdss.batch.assessor import ADVICE, REJECTED, RESULTS, Assessor
from cdss.batch.block import PART_ROWS
from cdss.batch.encode import encode, names_and_days
from cdss.batch.identity import marks
from cdss.batch.layout import Layout
from cdss.batch.plan import Options
from cdss.bundle import SHIPPED
from cdss.jurisdiction import DEFAULT
from cdss.spark.asked import MARKS, Asked, marked, occurring_twice

_TABLES = (RESULTS, ADVICE, REJECTED)
_NOWHERE = ("file", "row")  # rows of a data frame have no place


def assess(
    df: DataFrame,
    models: Sequence[str] = (),
    *,
    layout: Layout | None = None,
    jurisdiction: str = DEFAULT,
    ungated: bool = False,
    bundles: str | os.PathLike[str] = SHIPPED,
    contributions: bool = False,
) -> DataFrame:
    """
    Assess everybody in a data frame.

    Each model is asked once about each person. A first job, over the columns that tell who it is,
    runs at once and finds who occurs twice; the frame must give the same rows each time it is
    evaluated.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        A person on a day a row; columns are variables.
    models : sequence of str
        Ask only these; by default those of the jurisdiction.
    layout : Layout, optional
        What the columns say; by default they are named as the data dictionary names them.
    jurisdiction : str
        Whose rules and models.
    ungated : bool
        Whether models without a release record are asked too.
    bundles : path
        Where bundles are on the driver; they are sent to the executors.
    contributions : bool
        Whether every contribution is told, not only three.

    Returns
    -------
    pyspark.sql.DataFrame
        Three columns, ``results``, ``advice`` and ``rejected``, one of which is known in each row;
        `only` takes a table out. Each person has a row of results a model and one of advice, or is
        rejected.

    Raises
    ------
    CdssError
        If the columns do not fit, or a model cannot be used.
    """
    layout = layout or Layout()
    options = Options(
        layout, jurisdiction, tuple(models), ungated,
        bundles=Path(bundles), contributions=contributions,
    )  # fmt: skip
    layout.columns(df.columns)
    schema = _schema(df, options)

    def _mark(batches: Iterable[Any]) -> Iterator[Any]:
        for table in _gathered(batches):
            yield from marked(marks(*names_and_days(table, layout)))

    twice = occurring_twice(df.select(*layout.naming).mapInArrow(_mark, MARKS))
    asked = Asked.of(df.sparkSession, options, twice)

    def _assess(batches: Iterable[Any]) -> Iterator[Any]:
        assessor = asked.assessor()
        for table in _gathered(batches):
            for kind, said in _said(assessor, table):
                yield _row(kind, said, schema)

    return df.mapInArrow(_assess, from_arrow_schema(schema))


def only(said: DataFrame, table: str) -> DataFrame:
    """
    Take one table out of what `assess` said.

    Parameters
    ----------
    said : pyspark.sql.DataFrame
        As `assess` gives it, or as it was written and read again.
    table : {"results", "advice", "rejected"}
        Which.

    Returns
    -------
    pyspark.sql.DataFrame
        With the columns that ``cdss batch`` writes; of those who were rejected without file and row
        number.
    """
    return said.where(F.col(table).isNotNull()).select(f"{table}.*")


def _gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """As many people at once as a part of a batch has, however Spark cuts them."""
    waiting: list[Any] = []
    for batch in batches:
        waiting.append(batch)
        while sum(each.num_rows for each in waiting) >= PART_ROWS:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, PART_ROWS)
            waiting = table.slice(PART_ROWS).to_batches()
    if any(each.num_rows for each in waiting):
        yield pa.Table.from_batches(waiting)


def _said(assessor: Assessor, table: Any) -> Iterator[tuple[str, Any]]:
    numbers = np.arange(1, table.num_rows + 1)
    people, rejected = encode(
        table, assessor.layout, file="", numbers=numbers, double=assessor.double
    )
    yield from assessor.tables(people, rejected)


def _schema(df: DataFrame, options: Options) -> Any:
    """What nobody is told, in the types Spark has: no dictionaries."""
    place, models = options.asked()
    nobody = to_arrow_schema(df.schema).empty_table()
    assessor = Assessor(
        place, models, options.layout, lambda ids, days: np.zeros(len(ids), dtype=bool),
        contributions=options.contributions,
    )  # fmt: skip
    people, _ = encode(nobody, options.layout, file="", numbers=np.arange(0))
    columns = assessor.empty(people)
    return pa.schema([
        (kind, pa.struct([
            pa.field(each.name, _plain(each.type)) for each in columns[kind]
            if each.name not in _NOWHERE or kind != REJECTED
        ]))
        for kind in _TABLES
    ])  # fmt: skip


def _plain(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(each.name, _plain(each.type)) for each in kind])
    return kind


def _row(kind: str, said: Any, schema: Any) -> Any:
    """Rows in which one of the three columns is known."""
    fields = [*schema.field(kind).type]
    plain = said.select([each.name for each in fields]).cast(pa.schema(fields)).combine_chunks()
    columns = [column.chunk(0) if column.num_chunks else pa.array([], column.type)
               for column in plain.columns]  # fmt: skip
    mine = pa.StructArray.from_arrays(columns, fields=fields)
    return pa.RecordBatch.from_arrays(
        [mine if each.name == kind else pa.nulls(said.num_rows, each.type) for each in schema],
        schema=schema,
    )
