"""A batch on a cluster is the batch on one machine, whatever dies on the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cdss.audit.identity import Code
from cdss.batch.engine import ATTEMPTS, Job, Watcher, assessor_of
from cdss.batch.part import Writer
from cdss.batch.plan import Options, metadata_of, plan_of
from cdss.batch.run import run
from cdss.batch.source import Source
from cdss.cli import app
from cdss.errors import BatchError
from tests.batch_people import people, rows_in, table, write_csv, write_ndjson
from tests.checkup_files import envelope, person

pytest.importorskip("pyspark", reason="Spark for Python is not here: extra spark")

from cdss.spark.attempts import place, write_stretch
from cdss.spark.cluster import Cluster as Engine
from cdss.spark.stretches import Stretch

pytestmark = pytest.mark.slow

OPTIONS = Options(part_rows=60, contributions=True)
PEOPLE = people(1500)
COMMAND = "from cdss.cli import main; main()"


class Once(Watcher):
    """Does something when the first part is in its place."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act, self._total, self._stage = act, 0, ""
        self.left = 0

    def begin(self, stage: str, total: int) -> None:
        """Hear what begins."""
        self._stage, self._total = stage, total

    def advance(self, size: int, people: int) -> None:
        """Hear what was done."""
        if self._stage != "assessing":
            return
        self._total -= size
        if not self.left:
            self.left = self._total
            self._act()


def same(one: Path, other: Path) -> None:
    """Every file there is, byte for byte."""
    names = [
        sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
        for out in (one, other)
    ]
    assert names[0] == names[1]
    for name in names[0]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local")
    pq.write_table(table(PEOPLE), folder / "in.parquet", row_group_size=100)
    run(folder / "in.parquet", folder / "out", OPTIONS, processes=1)
    return folder / "out"


@pytest.fixture
def both(spark: Any, tmp_path: Path) -> Callable[[Path], dict[str, Any]]:
    """Run on one machine and on the cluster, and see that they are the same."""

    def _both(source: Path) -> dict[str, Any]:
        run(source, tmp_path / "one", OPTIONS, processes=1)
        found = run(source, tmp_path / "other", OPTIONS, engine=nullcontext(Engine(spark)))
        same(tmp_path / "one", tmp_path / "other")
        return found

    return _both


def test_what_anybody_types(cluster: Any, local: Path, tmp_path: Path) -> None:
    said = "\n".join(f"{name} {value}" for name, value in cluster.settings.items())
    (tmp_path / "spark-defaults.conf").write_text(said)
    typed = ["batch", str(local.parent / "in.parquet"), str(tmp_path / "out")]
    typed += ["--engine", "spark", "--master", cluster.address]
    here = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *typed],
        env=os.environ | here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    counts = json.loads((tmp_path / "out/manifest.json").read_text())["counts"]
    assert counts == json.loads((local / "manifest.json").read_text())["counts"]
    one, other = (
        {(r["person_id"], r["model"]): r for r in rows_in(out, "results")}
        for out in (local, tmp_path / "out")
    )
    assert one.keys() == other.keys()
    for key, row in other.items():
        assert row["probability"] == pytest.approx(one[key]["probability"], abs=1e-6)
        assert row["reasons"] == one[key]["reasons"]


@pytest.mark.parametrize("victim", ["executor", "worker"])
def test_killed_in_the_middle(
    cluster: Any, spark: Any, local: Path, tmp_path: Path, victim: str
) -> None:
    watcher = Once(
        (lambda: cluster.kill_executors(0))
        if victim == "executor"
        else (lambda: cluster.kill_worker(0))
    )
    working = nullcontext(Engine(spark))
    run(local.parent / "in.parquet", tmp_path / "out", OPTIONS, engine=working, watcher=watcher)
    if victim == "worker":
        cluster.add_worker()

    assert watcher.left > 0
    same(local, tmp_path / "out")


def test_on_from_where_one_machine_stopped(spark: Any, local: Path, tmp_path: Path) -> None:
    source, out, working = local.parent / "in.parquet", tmp_path / "out", nullcontext(Engine(spark))
    run(source, out, OPTIONS, processes=1)
    (out / "manifest.json").unlink()
    (out / "checkpoints/000000-000003.json").unlink()
    (out / "results/part-000000-000007.parquet").unlink()
    again: list[int] = []

    class Told(Watcher):
        def advance(self, size: int, people: int) -> None:
            again.append(people)

    run(source, out, OPTIONS, engine=working, watcher=Told())

    assert len(again) == 25
    assert again[-2:] == [60, 60]
    same(local, out)


@pytest.mark.parametrize("form", ["csv", "ndjson", "xml"])
def test_other_files(both: Callable[[Path], dict[str, Any]], tmp_path: Path, form: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    if form == "csv":
        write_csv(folder / "a.csv", table(PEOPLE[:200]))
        text = (folder / "a.csv").read_text().splitlines()
        text[7] += ",1"
        (folder / "b.csv").write_text("\n".join(text[:90]))
        (folder / "c.csv").write_text('person_id,"')
    elif form == "ndjson":
        write_ndjson(folder / "a.ndjson", PEOPLE[:200])
        (folder / "b.ndjson").write_text('{\n{"person_id": "P00007", "index_date": "2026-11-22"}')
    else:
        (folder / "a.xml").write_bytes(envelope([person(XML2={"MA_LK": "V1"}), person()]))
        (folder / "b.xml").write_bytes(b"<no")
    counts = both(folder)["counts"]

    assert counts["people"] or form == "csv"  # everybody is there twice
    assert counts["rejected"] or form == "xml"
    assert counts["files_unread"] == (form != "ndjson")


def test_files_that_cannot_be_read(both: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = table(PEOPLE)
    pq.write_table(good, folder / "a.parquet", row_group_size=70, write_page_checksum=True)
    whole = (folder / "a.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "c.parquet").write_bytes(b"")
    later = [date(2027, 1, 1)] * len(PEOPLE)
    good = good.set_column(1, "index_date", pa.array(later, pa.date32()))
    pq.write_table(good.slice(0, 3).drop_columns("age"), folder / "d.parquet")
    pq.write_table(good.slice(3, 90), folder / "e.parquet")
    data = bytearray(whole)
    group = pq.read_metadata(folder / "a.parquet").row_group(4).column(5)
    data[group.data_page_offset + group.total_compressed_size // 2] ^= 0xFF
    (folder / "a.parquet").write_bytes(data)
    manifest = both(folder)

    reasons = {each["file"]: (each["reason"], each["rows"]) for each in manifest["unread"]}
    damaged = "cannot be read: damaged, cut short, or not of this kind"
    assert reasons == {
        "a.parquet": (damaged, len(PEOPLE) - 280),
        "b.parquet": (damaged, None),
        "c.parquet": (damaged, None),
        "d.parquet": ("differs from the first file: columns that are not there: age", 3),
    }
    assert manifest["counts"]["rows"] == 280 + 90


def test_people_who_occur_twice_anywhere(
    both: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    one = {"age": 54.0, "sex": "female", "pregnant": False}
    pq.write_table(table([one] * 150), folder / "a.parquet", row_group_size=50)
    pq.write_table(table([one] * 10, 148), folder / "b.parquet")
    manifest = both(folder)

    assert manifest["problems"] == {"duplicate_id": 4}
    assert manifest["counts"]["people"] == 156


def test_other_code_on_the_executors(
    spark: Any, local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out, working = local.parent / "in.parquet", tmp_path / "out", Engine(spark)
    with monkeypatch.context() as patch:
        patch.setattr("cdss.spark.asked.code", lambda: Code("0", "other"))
        with pytest.raises(BatchError, match="other code than the driver: install the same wheel"):
            run(source, out, OPTIONS, engine=nullcontext(working))
    assert not (out / "manifest.json").exists()
    assert [*(out / "results").iterdir()] == []

    run(source, out, OPTIONS, engine=nullcontext(working))
    same(local, out)


def test_what_cannot_begin(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(table(PEOPLE[:3]), source)
    for options, said in (
        (["--engine", "dask"], "no engine dask; there are: local, spark"),
        (["--master", "spark://x:1"], "--master does not belong"),
        (["--engine", "spark", "--processes", "2"], "--processes does not belong"),
    ):
        found = CliRunner().invoke(app, ["batch", str(source), str(tmp_path / "out"), *options])
        assert found.exit_code == 2
        assert said in " ".join(found.output.split())
    assert not (tmp_path / "out").exists()

    typed = ["batch", str(source), str(tmp_path / "out"), "--engine", "spark"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *typed, "--master", "nonsense://"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Spark did not begin: " in done.stderr
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_part_that_was_written_twice(local: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(local, out)
    for key in ("000000-000003", "000000-000004"):
        (out / f"checkpoints/{key}.json").unlink()
    source = Source.of(local.parent / "in.parquet", OPTIONS.layout, OPTIONS.part_rows)
    metadata = metadata_of(plan_of(source, OPTIONS), source)
    (out / ATTEMPTS).mkdir()
    (out / ATTEMPTS / ".unfinished").mkdir()
    writer = Writer(assessor_of(out, OPTIONS), metadata)
    for _ in range(2):
        told = write_stretch(source, Stretch(0, 0, 8), writer, out)
        assert told == {"keys": ["000000-000003", "000000-000004"], "unread": []}
    done: dict[str, Any] = {}
    place(Job(source, out, OPTIONS, metadata, Watcher()), done)

    assert {*done} == {"000000-000003", "000000-000004"}
    assert [path.name for path in (out / ATTEMPTS).iterdir()] == [".unfinished"]
    shutil.rmtree(out / ATTEMPTS)
    same(local, out)
