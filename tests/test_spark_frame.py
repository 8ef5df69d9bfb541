"""A data frame says what a batch says."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdss.batch.layout import Layout
from cdss.batch.plan import Options
from cdss.batch.run import run
from cdss.errors import DefinitionError, UnknownModel
from tests.batch_people import people, rows_in, table

pytest.importorskip("pyspark", reason="Spark for Python is not here: extra spark")

from cdss.spark import assess, only

pytestmark = pytest.mark.slow

PEOPLE = people(700)


def told(said: Any, kind: str) -> list[dict[str, Any]]:
    """Rows of a table, in an order of their own."""
    return ordered([row.asDict(recursive=True) for row in only(said, kind).collect()])


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (str(row["person_id"]), row.get("model") or ""))


def test_the_same_rows_and_columns(spark: Any, tmp_path: Path) -> None:
    twice = pa.concat_tables([table(PEOPLE), table(PEOPLE).slice(0, 2)])
    twice = twice.append_column("province", pa.array([f"p{at % 3}" for at in range(len(twice))]))
    pq.write_table(twice, tmp_path / "in.parquet", row_group_size=150)
    layout = Layout(keep=("province", "bmi"))
    options = Options(layout, ungated=True, contributions=True, part_rows=200)
    manifest = run(tmp_path / "in.parquet", tmp_path / "out", options, processes=1)

    df = spark.read.parquet(str(tmp_path / "in.parquet")).repartition(3)
    said = assess(df, layout=layout, ungated=True, contributions=True)
    said.write.parquet(str(tmp_path / "said"))  # written once, as docs/spark.md has it
    said = spark.read.parquet(str(tmp_path / "said"))

    for kind in ("results", "advice"):
        found, wanted = told(said, kind), ordered(rows_in(tmp_path / "out", kind))
        assert [row.keys() for row in found] == [row.keys() for row in wanted]
        for row, other in zip(found, wanted, strict=True):
            for name, value in row.items():
                if isinstance(value, float):
                    assert value == pytest.approx(other[name], abs=1e-6), name
                elif name == "contributions" and value:
                    mine, others = (
                        {c["variable"]: c["log_odds"] for c in r[name]} for r in (row, other)
                    )
                    assert mine == pytest.approx(others, abs=1e-5)
                else:
                    assert value == other[name], name
    found, wanted = (
        Counter((r["person_id"], *r["problems"], *r["details"]) for r in rows)
        for rows in (told(said, "rejected"), rows_in(tmp_path / "out", "rejected"))
    )
    assert found == wanted
    assert sum(any("duplicate_id" in said for said in key) * n for key, n in found.items()) == 4
    assert only(said, "advice").count() + only(said, "rejected").count() == len(twice)
    assert manifest["counts"]["rejected"] == only(said, "rejected").count()


def test_a_mapping_and_another_bundle(spark: Any, write_toy: Callable[..., Path]) -> None:
    bundle = write_toy()
    layout = Layout.read(None, identifier="code", index_date=date(2026, 11, 22))
    rows = [("A", 61.0, "female", 30.0, False), ("B", 61.0, "other", 30.0, False),
            (None, 61.0, "female", 30.0, False), ("C", None, None, None, None)]  # fmt: skip
    df = spark.createDataFrame(
        rows, "code string, age double, sex string, bmi double, diabetes boolean"
    )
    said = assess(df, ["toy"], layout=layout, bundles=bundle.parent)

    assert {row["model"] for row in told(said, "results")} == {"toy"}
    assert [row["person_id"] for row in told(said, "advice")] == ["A"]
    problems = {row["person_id"]: row["problems"] for row in told(said, "rejected")}
    assert problems == {
        "B": ["not_a_choice:sex"], None: ["wrong_id:person_id"], "C": ["empty_record:values"],
    }  # fmt: skip


def test_what_does_not_fit_is_told_at_once(spark: Any) -> None:
    df = spark.createDataFrame([("A", 1)], "person_id string, shoe int")
    with pytest.raises(DefinitionError, match=r"missing columns: index_date; .*shoe"):
        assess(df)
    dated = Layout(index_date=date(2026, 11, 22), ignore=frozenset({"shoe"}))
    with pytest.raises(UnknownModel):
        assess(df, ["no-such-model"], layout=dated)


def test_nobody(spark: Any) -> None:
    df = spark.createDataFrame([], "person_id string, index_date date, age double")

    assert assess(df).collect() == []


def test_without_spark_it_says_so() -> None:
    code = "import sys; sys.modules['pyspark'] = None; import cdss.spark"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "cdss.spark needs Spark for Python: pip install 'cdss[spark]'" in done.stderr
