"""Pages of docs say what is so."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from cdss import PatientRecord
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGE = runpy.run_path(str(DOCS / "patients.py"))["page"]


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_five_patients_are_what_cdss_says(lang: str) -> None:
    written = (DOCS / f"patients.{lang}.md").read_text(encoding="utf-8")

    assert PAGE(lang).splitlines() == written.splitlines()


def test_the_two_pages_give_the_same_advice() -> None:
    rules = [
        re.findall(r"^ +(\w{3}-\d{2}) · ", (DOCS / f"patients.{lang}.md").read_text(), re.MULTILINE)
        for lang in ("en", "vi")
    ]

    assert len(rules[0]) > 50
    assert rules[0] == rules[1]


@pytest.mark.parametrize("file", sorted((DOCS / "patients").glob("*.toml")), ids=lambda f: f.stem)
def test_each_patient_is_a_record(file: Path) -> None:
    entry = tomllib.loads(file.read_text(encoding="utf-8"))

    assert {"en", "vi"} == set(entry["title"])
    assert PatientRecord.parse(entry["record"]).values
