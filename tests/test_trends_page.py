"""What `cdss trends` writes: tables, a page that needs nothing else, and FHIR."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cdss.cli import app
from cdss.i18n import LANGUAGES
from cdss.synthetic.places import province_names
from cdss.trends.measures import wanted_variables
from cdss.trends.tiles import known_places, place_order, shades, tiles
from tests.test_fhir_conformance import Validate, validate
from tests.trends_site import people, write

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CODES = sorted(code for code in known_places() if code.startswith("VN-"))
__all__ = ["validate"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("trends")
    for year in (2024, 2025):
        rows = people(1800, year, seed=20, provinces=8, communes=1)
        for row in rows:
            number = int(row["province"].split()[1])
            row["province"] = CODES[number]
            if number == 3 and row["systolic_bp"]:
                row["systolic_bp"] += 25
        write(base / str(year), rows, synthetic="made by a test")
    return base


@pytest.fixture(scope="module")
def report(site: Path) -> Path:
    out = site / "out"
    command = ["trends", str(site / "2024"), str(site / "2025"), str(out), "--area", "province"]
    wanted = ["expected.cardiovascular", "share.raised_bp", "refused.cardiovascular"]
    for measure in wanted:
        command += ["--measure", measure]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "SYNTHETIC" in done.output
    assert str(site / "trends.key") in done.output.replace("\n", "")
    assert (site / "trends.key").stat().st_mode & 0o077 == 0
    return out


def test_tables_are_tidy_and_say_what_they_are(report: Path) -> None:
    figures = pl.read_parquet(report / "figures.parquet")
    told = pl.read_parquet_metadata(report / "figures.parquet")

    keys = ["measure", "period", "level", "area", "sex", "band"]
    assert not figures.select(keys).is_duplicated().any()
    hidden = figures.filter(pl.col("suppressed").is_not_null())
    numbers = hidden.select(pl.col(pl.Float64))
    assert hidden.height
    assert numbers.null_count().sum_horizontal().item() == numbers.height * numbers.width
    assert set(figures["synthetic"]) == {"made by a test"}
    assert told["cdss.synthetic"] == "made by a test"
    assert "noise" in told["cdss.protection"] or "random" in told["cdss.protection"]
    warned = figures.filter("warning")
    assert set(warned["area"]) == {CODES[3]}
    assert pl.read_csv(report / "figures.csv").height == figures.height


def test_the_key_and_people_are_nowhere_in_the_report(site: Path, report: Path) -> None:
    key = (site / "trends.key").read_text(encoding="ascii").strip()
    for file in report.iterdir():
        content = file.read_bytes()
        assert key.encode() not in content
        assert bytes.fromhex(key) not in content
        assert b"P000001" not in content


def test_a_page_tells_no_exact_number_of_people(report: Path) -> None:
    figures = pl.read_parquet(report / "figures.parquet")
    seen = figures.filter((pl.col("measure") == "seen") & (pl.col("area") == "*"))
    whole = seen.filter((pl.col("sex") == "*") & (pl.col("band") == "*"))["count"]
    page = (report / "report.en.html").read_text(encoding="utf-8")
    assert f"check-ups of {whole.sum():,.0f} " in page
    assert whole.sum() != 3600
    assert "3,600" not in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_asks_for_nothing_from_elsewhere(report: Path, lang: str) -> None:
    page = (report / f"report.{lang}.html").read_text(encoding="utf-8")

    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert page.count('class="synthetic"') == 2


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_in_a_real_browser(report: Path, tmp_path: Path) -> None:
    modules = os.environ.get("CDSS_NODE_MODULES", str(HERE / "browser" / "node_modules"))
    if not shutil.which("node") or not (Path(modules) / "axe-core").is_dir():
        pytest.skip("needs node, and npm ci --prefix tests/browser")
    done = subprocess.run(
        ["node", "--test", str(HERE / "browser" / "trends.test.mjs")],
        env={**os.environ, "REPORTS": str(report), "SHOTS": str(tmp_path), "NODE_MODULES": modules,
             "CHROMIUM": str(CHROMIUM)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def test_fhir_is_valid_and_masks_what_is_hidden(report: Path, validate: Validate) -> None:
    bundles = [
        json.loads((report / f"measure-report.{lang}.json").read_text(encoding="utf-8"))
        for lang in LANGUAGES
    ]
    assert [] == [said for said in validate(bundles) if said["medplum"] or said["lantana"]]

    figures = pl.read_parquet(report / "figures.parquet")
    for entry in bundles[0]["entry"]:
        found = entry["resource"]
        assert found["meta"]["tag"][0]["code"] == "HTEST"
        assert "SYNTHETIC" in found["text"]["div"]
        measure = found["measure"].rpartition(":")[2]
        (group,) = found["group"]
        for stratifier in group["stratifier"]:
            if stratifier["code"][0]["coding"][0]["code"] != "place-1":
                continue
            for stratum in stratifier["stratum"]:
                row = figures.filter(
                    (pl.col("measure") == measure)
                    & (pl.col("period") == found["period"]["start"][:4])
                    & (pl.col("area") == stratum["value"]["coding"][0]["code"])
                    & (pl.col("sex") == "*") & (pl.col("band") == "*")
                ).row(0, named=True)  # fmt: skip
                masked = ["_count" in each for each in stratum["population"]]
                assert all(masked) if row["suppressed"] else not any(masked)
                assert ("measureScore" in stratum) == (row["estimate"] is not None)


def test_with_differential_privacy_the_report_says_so(site: Path) -> None:
    out = site / "private"
    command = ["trends", str(site / "2024"), str(site / "2025"), str(out), "--area", "province"]
    done = CliRunner().invoke(
        app, [*command, "--measure", "share.raised_bp", "--epsilon", "2", "--lang", "vi"]
    )
    assert done.exit_code == 0, done.output
    page = (out / "report.en.html").read_text(encoding="utf-8")
    # three numbers, in 4 + 4 cells, in 2 periods
    assert "at most 48 figures" in page
    assert "scale 24" in page


def test_what_cannot_be_done_is_said(site: Path) -> None:
    runner = CliRunner()
    year = str(site / "2024")
    assert runner.invoke(app, ["trends", year]).exit_code == 2
    again = runner.invoke(app, ["trends", year, str(site / "2025")])
    assert again.exit_code == 2
    assert "2025" in again.output
    wrong = runner.invoke(app, ["trends", year, str(site / "x"), "--area", "village"])
    assert wrong.exit_code == 2
    assert "village" in wrong.output
    assert runner.invoke(app, ["trends", year, str(site / "x"), "--epsilon", "0"]).exit_code == 2
    (site / "short.key").write_text("abc", encoding="ascii")
    short = runner.invoke(app, ["trends", year, str(site / "x"), "--key", str(site / "short.key")])
    assert "64" in short.output


def test_tiles_are_the_provinces_of_the_synthetic_population() -> None:
    names = province_names("vn")
    assert names == {code: known_places()[code][0] for code in CODES}
    spots = [known_places()[code][2:] for code in CODES]
    assert len(set(spots)) == len(spots) == 34


def test_places_nobody_knows_have_tiles_by_name() -> None:
    found = tiles({"Bravo": 1.0, "Alpha": None})
    assert [(tile.name, tile.row, tile.column) for tile in found] == [
        ("Alpha", 0, 0),
        ("Bravo", 0, 1),
    ]
    mixed = tiles(dict.fromkeys(CODES, 1.0) | {"Oz": 2.0})
    assert mixed[-1].row > max(tile.row for tile in mixed[:-1])
    assert sorted(["VN-66", "VN-04", "VN-01"], key=place_order) == ["VN-04", "VN-66", "VN-01"]
    assert shades([1.0, 2.0, 3.0, 4.0, 5.0, 100.0])[-1][1] == 100.0
    assert shades([]) == []


def test_the_page_on_trends_names_the_variables_to_keep() -> None:
    text = (HERE.parent / "docs" / "trends.md").read_text(encoding="utf-8")
    kept = {name for given in re.findall(r"--keep (\S+)", text) for name in given.split(",")}
    assert {*wanted_variables()} <= kept
