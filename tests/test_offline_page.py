"""The page as people use it, and what it keeps on the device."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cdss import PatientRecord
from tests.offline_edition import browse, edition, launched

pytestmark = pytest.mark.slow


def test_used_on_a_small_phone_in_both_languages_and_colour_schemes(tmp_path: Path) -> None:
    with launched(edition().folder) as address:
        browse("page.mjs", address, tmp_path)
    assert len(list(tmp_path.glob("offline-*.png"))) == 20


def test_storage_that_is_erased_looked_into_or_changed() -> None:
    with launched(edition().folder) as address:
        browse("store.mjs", address)


def test_storage_that_is_full(tmp_path: Path) -> None:
    with launched(edition().folder) as address:
        browse("full.mjs", address, tmp_path)


def test_check_ups_taken_out_as_files(tmp_path: Path) -> None:
    with launched(edition().folder) as address:
        browse("export.mjs", address, tmp_path)

    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    woman, man = (PatientRecord.parse(record) for record in document["records"])
    assert woman.values["weight"] == 66.5
    assert document["about"][1]["patient"] == "Trần <Văn> & B"

    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["patient"] == '\'=cmd|"calc"'  # no spreadsheet computes it
    assert float(rows[0]["bmi (kg/m2)"]) == woman.values["bmi"]
    assert (rows[0]["diabetes"], rows[1]["diabetes"]) == ("false", "")
    said = {e["model"]: e["probability"] for e in document["about"][0]["answers"]["estimates"]}
    assert all(float(rows[0][model]) == probability for model, probability in said.items())
    assert set(said) >= {"cvd-death", "diabetes-incident", "who-2019-lab-sea"}

    checkups = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [each.get("patient") for each in checkups] == ['=cmd|"calc"', "Trần <Văn> & B"]
    values = {v.get("variable"): v.text for v in checkups[1].iter("value")}
    assert float(values["systolic_bp"]) == man.values["systolic_bp"]
    assert values["sex"] == "male"
