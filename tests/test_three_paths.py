"""Service, batch and Spark say the same of the same 10,000 people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from cdss.batch.plan import Options
from cdss.batch.run import run
from serving.app import create_app
from serving.routes import MOST_RECORDS
from tests.batch_people import DAY, people, rows_in, table

pytest.importorskip("pyspark", reason="Spark for Python is not here: extra spark")

from cdss.spark import assess, only

pytestmark = pytest.mark.slow

OPTIONS = Options(ungated=True, contributions=True)
PEOPLE = {f"P{at:05d}": values for at, values in enumerate(people(10_000))}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    pq.write_table(table([*PEOPLE.values()]), folder / "in.parquet", row_group_size=3000)
    run(folder / "in.parquet", folder / "out", OPTIONS, processes=1)
    return folder / "out"


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    place, models = OPTIONS.asked()
    with TestClient(create_app(models, place)) as client:

        def ask(names: list[str], **query: str) -> Any:
            records = [{"index_date": DAY.isoformat(), "values": PEOPLE[name]} for name in names]
            return client.post("/v1/assess/batch", json={"records": records}, params=query)

        yield ask


def lots(names: list[str], size: int) -> Iterator[list[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]


def test_service_and_batch(batch: Path, service: Any) -> None:
    advice = {row["person_id"]: row for row in rows_in(batch, "advice")}
    rows: dict[str, dict[str, Any]] = {}
    for row in rows_in(batch, "results"):
        rows.setdefault(row["person_id"], {})[row["model"]] = row
    kinds = set()
    for names in lots([*advice], MOST_RECORDS):
        answer = service(names, models="all")
        assert answer.status_code == 200
        for name, said in zip(names, answer.json()["assessments"], strict=True):
            chosen = {each["model"]: each["question"] for each in said["answers"] if each["model"]}
            found = dict(flat(said))
            assert found.keys() == rows[name].keys()
            for model, (kind, numbers, words) in found.items():
                row = rows[name][model]
                kinds.add(row["kind"])
                assert row["kind"] == kind
                assert row["answers"] == chosen.get(model)
                assert {n: row[n] for n in words} == words
                assert {n: row[n] for n in numbers} == pytest.approx(numbers, abs=1e-6)
            assert advice[name]["advice"] == [each["rule"] for each in said["advice"]]
            assert advice[name]["undecided"] == [each["rule"] for each in said["undecided"]]

    assert kinds == {"estimate", "range", "points", "refused"}
    assert len(advice) > 8000


def flat(said: Any) -> Iterator[tuple[str, tuple[str, dict[str, float | None], dict[str, Any]]]]:
    """Model → kind, numbers, and words, as a batch names them."""
    for each in said["estimates"]:
        ends = each["interval"] or {"low": None, "high": None}
        sizes = sorted((abs(c["log_odds"]) for c in each["contributions"]), reverse=True)
        numbers = {"probability": each["probability"], "low": ends["low"], "high": ends["high"]}
        told = {"missing": each["missing"], "released": each["released"], "reasons": []}
        assert len(sizes) > 2
        yield each["model"], ("estimate", numbers, told | common(each))
    for each in said["ranges"]:
        numbers = {"probability": None, "low": each["low"], "high": each["high"]}
        yield each["model"], ("range", numbers, {"reasons": []} | common(each))
    for each in said["points"]:
        numbers = {"points_low": each["low"], "points_high": each["high"]}
        yield each["model"], ("points", numbers, {"positive": each["positive"]} | common(each))
    for each in said["not_estimated"]:
        told = {"reasons": coded(each["reasons"]), "version": each["version"]}
        yield each["model"], ("refused", {"probability": None}, told)


def common(each: Any) -> dict[str, Any]:
    return {"version": each["version"], "warnings": coded(each["warnings"])}


def coded(problems: Any) -> list[str]:
    return [f"{problem['code']}:{problem['variable']}" for problem in problems]


def test_whom_both_reject(batch: Path, service: Any) -> None:
    rejected = {row["person_id"]: sorted(row["problems"]) for row in rows_in(batch, "rejected")}
    for names in lots([*rejected], 100):  # an answer lists so many problems
        answer = service(names)
        assert answer.status_code == 422
        found: dict[str, list[str]] = {name: [] for name in names}
        for problem in answer.json()["problems"]:
            _, at, variable = problem["variable"].split("/")
            found[names[int(at)]].append(f"{problem['code']}:{variable}")
        assert {name: sorted(said) for name, said in found.items()} == {
            name: rejected[name] for name in names
        }
    assert len(rejected) > 200


def test_batch_and_spark(spark: Any, batch: Path, tmp_path: Path) -> None:
    df = spark.read.parquet(str(batch.parent / "in.parquet")).repartition(3)
    assess(df, ungated=True, contributions=True).write.parquet(str(tmp_path / "said"))
    for kind in ("results", "advice", "rejected"):
        said = pq.read_table(tmp_path / "said", columns=[kind])[kind].combine_chunks()
        found = pa.Table.from_struct_array(said.filter(said.is_valid()))
        wanted = pq.read_table(batch / kind)
        key = [(name, "ascending") for name in ("person_id", "model") if name in found.column_names]
        found, wanted = (each.sort_by(key) for each in (found, wanted.cast(plain(wanted.schema))))
        assert len(found) == len(wanted) > 200
        for name in found.column_names:
            one, other = found[name], wanted[name]
            if pa.types.is_floating(one.type):
                assert one.is_null().equals(other.is_null())
                one, other = (each.fill_null(0).to_numpy() for each in (one, other))
                assert np.abs(one - other).max() <= (1e-5 if "log_odds" in name else 1e-6)
            elif name != "contributions":
                assert one.to_pylist() == other.to_pylist(), name

    assert only(spark.read.parquet(str(tmp_path / "said")), "advice").count() > 8000


def plain(schema: pa.Schema) -> pa.Schema:
    """Without dictionaries, by which words are ordered otherwise."""
    return pa.schema([(field.name, without(field.type)) for field in schema])


def without(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(without(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(each.name, without(each.type)) for each in kind])
    return kind
