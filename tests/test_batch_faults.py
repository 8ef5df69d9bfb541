"""Whatever goes wrong is told precisely, and the rest is not harmed."""

import json
import os
import resource
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cdss.batch.layout import Layout
from cdss.batch.plan import Options
from cdss.batch.run import run
from cdss.cli import app
from cdss.errors import BatchError, DefinitionError
from tests.batch_people import digests, people, rows_in, table
from tests.checkup_files import envelope, person

ONE = {"age": 54.0, "sex": "female", "pregnant": False, "systolic_bp": 151.0, "diastolic_bp": 96.0}
OPTIONS = Options(part_rows=40)
SECRET = 987.65


def good(count: int, first: int = 0) -> pa.Table:
    return table([ONE] * count, first)


def problems(out: Path) -> list[tuple[str | None, list[str]]]:
    return [(row["person_id"], row["problems"]) for row in rows_in(out, "rejected")]


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["person_id,index_date,age,sex,pregnant,hba1c,waist", *lines, ""]))
    return path


def test_one_row_of_every_kind_of_rubbish_in_text(tmp_path: Path) -> None:
    rows = {
        "A,2026-11-22,54,female,false,5.9,80": [],
        ",2026-11-22,54,female,false,5.9,80": ["wrong_id:person_id"],
        "x" * 201 + ",2026-11-22,54,female,false,5.9,80": ["wrong_id:person_id"],
        "B,22/11/2026,54,female,false,5.9,80": ["wrong_date:index_date"],
        "C,2026-02-30,54,female,false,5.9,80": ["wrong_date:index_date"],
        "D,,54,female,false,5.9,80": ["wrong_date:index_date"],
        "E,2026-11-22,fifty,female,false,5.9,80": ["not_a_number:age"],
        'F,2026-11-22,54,female,false,"5,9",80': ["not_a_number:hba1c"],
        "G,2026-11-22,54,female,false,nan,80": ["not_a_number:hba1c"],
        "H,2026-11-22,54,female,false,inf,80": ["not_a_number:hba1c"],
        "I,2026-11-22,54,female,false,1e999,80": ["not_finite:hba1c"],
        f"J,2026-11-22,54,female,false,5.9,{SECRET}": ["implausible:waist"],
        "K,2026-11-22,54,Female,false,5.9,80": ["not_a_choice:sex"],
        "L,2026-11-22,54,female,0,5.9,80": ["not_yes_no:pregnant"],
        "M,2026-11-22,54,male,true,5.9,80": ["contradictory:pregnant"],
        "N,2026-11-22,,,,,": ["empty_record:values"],
        "O,2026-11-22,x,x,x,x,x": [
            "not_a_number:age", "not_a_choice:sex", "not_yes_no:pregnant", "not_a_number:hba1c",
            "not_a_number:waist",
        ],
        "P,2026-11-22,54,female": ["wrong_cells:row"],
        "Q,2026-11-22,54,female,false,5.9,80,99": ["wrong_cells:row"],
        "R,2026-11-22, 54 ,female,TRUE,5.9,80": ["not_yes_no:pregnant"],
        "S,2026-11-22,54,female,true,,80": [],
    }  # fmt: skip
    source = csv(tmp_path / "in.csv", *rows)
    source.write_bytes(source.read_bytes() + b"T\xff,2026-11-22,54,\xff,false,5.9,80\n")
    manifest = run(source, tmp_path / "out", OPTIONS, processes=1)

    told = {row["row"]: row for row in rows_in(tmp_path / "out", "rejected")}
    wanted = [*rows.values(), ["wrong_id:person_id", "not_a_choice:sex"]]
    assert {at: told[at]["problems"] for at in told} == {
        at: expected for at, expected in enumerate(wanted, 1) if expected
    }
    everything = b"".join(p.read_bytes() for p in (tmp_path / "out/checkpoints").iterdir())
    assert str(SECRET) not in str(told) + everything.decode()
    assert manifest["counts"]["people"] == 2
    assert manifest["counts"]["rows"] == len(rows) + 1


def test_odd_rows_at_the_borders_of_parts(tmp_path: Path) -> None:
    line = "{},2026-11-22,54,female,false,5.9,80"
    lines = [line.format(f"P{at}") for at in range(1, 11)]
    for at in (0, 1, 4, 5, 9):
        lines[at] += ",1"
    csv(tmp_path / "in.csv", *lines)
    whole = {}
    for size in (1, 2, 3, 5, 100):
        out = tmp_path / f"out{size}"
        run(tmp_path / "in.csv", out, Options(part_rows=size), processes=1)
        whole[size] = (
            [row["row"] for row in rows_in(out, "rejected")],
            [row["person_id"] for row in rows_in(out, "advice")],
        )
    assert set(map(str, whole.values())) == {
        str(([1, 2, 5, 6, 10], ["P3", "P4", "P7", "P8", "P9"]))
    }


def test_the_number_of_a_row_behind_an_odd_one(tmp_path: Path) -> None:
    line = "P{0},2026-11-22,{1},female,false,5.9,80"
    lines = [line.format(at, "x" if at % 3 == 0 else 54) for at in range(1, 13)]
    for at in (2, 5, 6):
        lines[at - 1] += ",1"
    csv(tmp_path / "in.csv", *lines)
    for size in (2, 4, 100):
        run(tmp_path / "in.csv", tmp_path / f"o{size}", Options(part_rows=size), processes=1)
        found = [(r["row"], r["problems"]) for r in rows_in(tmp_path / f"o{size}", "rejected")]
        assert found == [
            (at, ["wrong_cells:row"] if at in (2, 5, 6) else ["not_a_number:age"])
            for at in (2, 3, 5, 6, 9, 12)
        ]


def test_rubbish_among_records(tmp_path: Path) -> None:
    start = '{"person_id": "A", "index_date": "2026-11-22", '
    lines = {
        "{": ["not_json:row"],
        "[1]": ["not_an_object:record"],
        start + '"values": {"age": 54}}': [],
        '{"index_date": "2026-11-22", "age": 54}': ["wrong_id:person_id"],
        start.replace("A", "B") + '"age": "x", "shoe": 1}': [
            "not_a_number:age", "unknown_variable:shoe",
        ],
        '{"person_id": "C", "age": 54}': ["wrong_date:index_date"],
        start.replace("A", "D") + '"age": NaN}': ["not_finite:age"],
    }  # fmt: skip
    (tmp_path / "in.ndjson").write_text("\n".join(lines))
    run(tmp_path / "in.ndjson", tmp_path / "out", OPTIONS, processes=1)

    told = {row["row"]: row["problems"] for row in rows_in(tmp_path / "out", "rejected")}
    assert told == {at: said for at, said in enumerate(lines.values(), 1) if said}


def test_columns_of_the_wrong_type(tmp_path: Path) -> None:
    day = pa.array([date(2026, 11, 22)] * 3)
    columns = {
        "person_id": pa.array([1, None, 3]), "index_date": day.cast(pa.timestamp("us")),
        "age": pa.array(["54", None, None]), "sex": pa.array(["male"] * 3).dictionary_encode(),
        "diabetes": pa.array([1, 0, None]),
        "waist": pa.array([80, None, float("nan")], pa.float32()),
        "hba1c": pa.array([float("inf"), 5, None]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS, processes=1)

    assert problems(tmp_path / "out") == [
        ("1", ["not_a_number:age", "not_yes_no:diabetes", "not_finite:hba1c"]),
        (None, ["wrong_id:person_id", "not_yes_no:diabetes"]),
    ]
    assert [row["person_id"] for row in rows_in(tmp_path / "out", "advice")] == ["3"]


def test_people_who_occur_twice_anywhere_are_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    later = good(3, 7).set_column(1, "index_date", pa.array([date(2027, 1, 1)] * 3, pa.date32()))
    pq.write_table(pa.concat_tables([good(100), good(1, 0)]), folder / "a.parquet")
    pq.write_table(pa.concat_tables([good(5, 98), later]), folder / "b.parquet")
    manifest = run(folder, tmp_path / "out", OPTIONS, processes=1)

    twice = ["P00000", "P00000", "P00098", "P00098", "P00099", "P00099"]
    found = problems(tmp_path / "out")
    assert sorted(str(name) for name, _ in found) == twice
    assert all(said == ["duplicate_id:person_id"] for _, said in found)
    counts = manifest["counts"]
    assert (counts["rows"], counts["people"], counts["rejected"]) == (109, 103, 6)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "year=2026").mkdir(parents=True)
    pq.write_table(good(50), folder / "a.parquet")
    whole = (folder / "a.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "c.parquet").write_bytes(b"")
    pq.write_table(good(3, 100).drop_columns("age"), folder / "d.parquet")
    pq.write_table(good(3, 200).append_column("shoe", pa.array([1] * 3)), folder / "e.parquet")
    words = pa.array(["54"] * 3)
    pq.write_table(good(3, 300).set_column(2, "age", words), folder / "f.parquet")
    pq.write_table(good(7, 400), folder / "year=2026/g.parquet")
    (folder / "_SUCCESS").touch()
    manifest = run(folder, tmp_path / "out", OPTIONS, processes=1)

    reasons = {each["file"]: (each["reason"], each["rows"]) for each in manifest["unread"]}
    damaged = ("cannot be read: damaged, cut short, or not of this kind", None)
    differs = "differs from the first file: columns"
    assert reasons == {
        "b.parquet": damaged,
        "c.parquet": damaged,
        "d.parquet": (f"{differs} that are not there: age", 3),
        "e.parquet": ("unknown columns (map them, keep them or ignore them): shoe", 3),
        "f.parquet": (f"{differs} of another type: age", 3),
    }
    assert manifest["counts"]["people"] == 57
    assert manifest["counts"]["files_unread"] == 5


def test_a_page_that_is_damaged(tmp_path: Path) -> None:
    pq.write_table(
        table(people(200)), tmp_path / "in.parquet", row_group_size=50, write_page_checksum=True
    )
    data = bytearray((tmp_path / "in.parquet").read_bytes())
    group = pq.read_metadata(tmp_path / "in.parquet").row_group(2).column(0)
    at = group.dictionary_page_offset + group.total_compressed_size // 2
    data[at] ^= 0xFF
    (tmp_path / "in.parquet").write_bytes(data)
    manifest = run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS, processes=1)

    assert manifest["counts"]["rows"] == 100
    assert manifest["unread"][0]["rows"] == 100
    for folder in ("again", "once more"):
        assert run(tmp_path / "in.parquet", tmp_path / folder, OPTIONS, processes=1) == manifest


def test_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'id = "code"\nindex_date = "day"\nkeep = ["province"]\nignore = ["name"]\n'
        '[columns]\nglu = { variable = "fasting_glucose", unit = "mg/dL" }\n'
        'gender = { variable = "sex", values = { "1" = "male", "2" = "female" } }\n'
        'htn = { variable = "hypertension", values = { "Y" = true, "N" = false } }\n'
    )
    days = pa.array([date(2026, 11, 22)] * 4)
    columns = {
        "code": pa.array(["A", "B", "C", "D"]), "day": days, "province": pa.array(["x"] * 4),
        "name": pa.array(["somebody"] * 4), "glu": pa.array([100.0, 99999, None, 130]),
        "gender": pa.array([1, 2, 3, None]), "htn": pa.array(["Y", "N", "N", "?"]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    layout = Layout.read(tmp_path / "m.toml")
    run(tmp_path / "in.parquet", tmp_path / "out", Options(layout), processes=1)

    assert problems(tmp_path / "out") == [
        ("B", ["implausible:fasting_glucose"]),
        ("C", ["not_a_choice:sex"]),
        ("D", ["not_yes_no:hypertension"]),
    ]
    (row,) = rows_in(tmp_path / "out", "advice")
    assert (row["person_id"], row["province"]) == ("A", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "mapping: Expected"),
        ("foo = 1", "unknown key"),
        ('[columns]\na = { variable = "shoe" }', "shoe is no variable"),
        ('[columns]\na = { variable = "waist", unit = "kg" }', "unit must be one of cm"),
        ('[columns]\na = { variable = "sex", values = { x = "y" } }', "y is no value of sex"),
    ],
)
def test_a_mapping_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(DefinitionError, match=said):
        Layout.read(tmp_path / "m.toml")


def test_columns_that_nobody_knows_are_told_before_anything_is_written(tmp_path: Path) -> None:
    pq.write_table(good(3).append_column("hba1", pa.array([1] * 3)), tmp_path / "in.parquet")

    answer = CliRunner().invoke(app, ["batch", str(tmp_path / "in.parquet"), str(tmp_path / "out")])

    assert answer.exit_code == 2
    assert "unknown columns (map them, keep them or ignore them): hba1" in answer.stderr
    assert not (tmp_path / "out").exists()


def test_nothing_to_read_or_of_several_kinds(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no files"):
        run(tmp_path, tmp_path / "out", OPTIONS)
    csv(tmp_path / "a.csv")
    (tmp_path / "b.jsonl").touch()
    with pytest.raises(DefinitionError, match="several kinds: csv, ndjson"):
        run(tmp_path, tmp_path / "out", OPTIONS)


def test_an_output_folder_of_something_else(tmp_path: Path) -> None:
    pq.write_table(good(3), tmp_path / "in.parquet")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(BatchError, match="is not empty"):
        run(tmp_path / "in.parquet", tmp_path / "other", OPTIONS)
    run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS, processes=1)
    with pytest.raises(BatchError, match="of a run with other contributions, part_rows"):
        run(tmp_path / "in.parquet", tmp_path / "out", Options(contributions=True))
    os.utime(tmp_path / "in.parquet", ns=(1, 1))
    with pytest.raises(BatchError, match="of a run with other inputs"):
        run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS)


def test_check_up_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(
        envelope([person(XML2={"MA_LK": code}) for code in ("V1", "V2")])
    )
    (folder / "b.xml").write_bytes(b"<no")
    (folder / "c.xml").write_bytes(envelope([person(XML2={"MA_LK": "V1"})]))
    manifest = run(folder, tmp_path / "out", OPTIONS, processes=1)

    assert [each["file"] for each in manifest["unread"]] == ["b.xml"]
    assert problems(tmp_path / "out") == [("V1", ["duplicate_id:person_id"])] * 2
    assert [row["person_id"] for row in rows_in(tmp_path / "out", "advice")] == ["V2"]


def test_the_disk_is_full_and_then_is_not(tmp_path: Path) -> None:
    pq.write_table(table(people(300)), tmp_path / "in.parquet")
    command = [
        sys.executable,
        "-m",
        "cdss.batch",
        str(tmp_path / "in.parquet"),
        str(tmp_path / "out"),
    ]

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    for processes in ("1", "2"):
        full = subprocess.run(
            [*command, "--processes", processes], preexec_fn=small, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert full.returncode == 2
        assert "cannot be written: File too large" in " ".join(full.stderr.split())
        assert not (tmp_path / "out/manifest.json").exists()
        assert [*(tmp_path / "out/results").iterdir()] == []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    run(tmp_path / "in.parquet", tmp_path / "never full", Options(), processes=1)
    assert digests(tmp_path / "out") == digests(tmp_path / "never full")


def test_a_part_that_was_lost_is_made_again(tmp_path: Path) -> None:
    pq.write_table(table(people(120)), tmp_path / "in.parquet")
    first = run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS, processes=1)
    (tmp_path / "out/results/part-000000-000001.parquet").write_bytes(b"short")
    (tmp_path / "out/advice/part-000000-000002.parquet").unlink()

    assert run(tmp_path / "in.parquet", tmp_path / "out", OPTIONS, processes=1) == first
    assert json.loads((tmp_path / "out/manifest.json").read_text()) == first
    pq.read_table(tmp_path / "out/results/part-000000-000001.parquet")


@pytest.mark.parametrize(("lang", "word"), [("en", "assessed"), ("vi", "được đánh giá")])
def test_the_command_tells_the_counts(tmp_path: Path, lang: str, word: str) -> None:
    rows = pa.concat_tables([good(9), good(1, 4)])
    pq.write_table(rows, tmp_path / "in.parquet")
    call = ["batch", str(tmp_path / "in.parquet"), str(tmp_path / "out"), "--lang", lang]
    answer = CliRunner().invoke(app, [*call, "--processes", "1", "--model", "findrisc"])

    assert answer.exit_code == 4, answer.stderr
    assert word in answer.stdout
    assert {"10", "8", "2"} <= {*answer.stdout.replace(".", " ").split()}
    (tmp_path / "in.parquet").unlink()
    pq.write_table(good(9), tmp_path / "in.parquet")
    call[2] = str(tmp_path / "new")
    assert CliRunner().invoke(app, [*call, "--processes", "1"]).exit_code == 0
