"""The data behind the reading: complete, of known status, and refused if wrong."""

from __future__ import annotations

import tomllib
import unicodedata
from importlib import resources
from pathlib import Path

import pytest

from cdss.checkup import mapping
from cdss.checkup.mapping import LABORATORY, MEANINGS
from cdss.codes.diagnoses import ICD10
from cdss.errors import DefinitionError
from cdss.units import UNITS
from cdss.variables import VARIABLES

FILES = resources.files("cdss.checkup")
GUIDE = (Path(__file__).parent.parent / "docs" / "check-up-xml.md").read_text(encoding="utf-8")


def data(name: str) -> dict:
    return tomllib.loads((FILES / name).read_text(encoding="utf-8"))


def test_everything_names_variables_that_there_are() -> None:
    quantities = {q.variable for q in MEANINGS.quantities} | set(LABORATORY.names.values())
    answers = {name for flag in MEANINGS.flags for says in (flag.yes, flag.no) for name in says}
    answers |= {name for codes in MEANINGS.codes for code in ICD10 for name in codes.says(code)}
    answers |= {name for names in MEANINGS.drugs.values() for name in names}
    answers |= {variable for _, variable in MEANINGS.none_of}

    assert quantities <= set(UNITS)
    assert {"yes_no", "choice"} >= {VARIABLES[name].kind for name in answers}
    assert not {"smoking", "current_smoker", "waist", "family_history_cvd"} & (quantities | answers)


def test_a_no_follows_only_from_an_answer_0() -> None:
    said = [codes.says(code) for codes in MEANINGS.codes for code in ICD10]
    said += [flag.yes for flag in MEANINGS.flags]

    assert False not in {value for says in said for value in says.values()}


def test_every_row_has_a_status_and_the_mapping_its_decision() -> None:
    table = data("mapping.toml")
    rows = [row for name in ("quantity", "flag", "none_of", "codes") for row in table[name]]
    rows += [table[name] for name in ("sex", "pressure", "drugs", "doubt")]

    assert {row["status"] for row in rows} <= set(table["status"])
    assert "unverified" == data("laboratory.toml")["status"]
    assert "1551/QĐ-BYT" in MEANINGS.decision
    assert "2062/QĐ-BYT" in MEANINGS.decision
    assert all(source.locator for source in MEANINGS.sources)


@pytest.mark.parametrize("name", ["mapping", "laboratory"])
def test_files_are_composed(name: str) -> None:
    text = (FILES / f"{name}.toml").read_text(encoding="utf-8")

    assert unicodedata.normalize("NFC", text) == text


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('variable = "height"\nunit = "cm"', 'variable = "height"\nunit = "kg"', "no unit kg"),
        ('status = "code_only"', 'status = "sure"', "status must be one of"),
        ("yes = { diabetes = true }", "yes = { diabetes = 'maybe' }", "cannot be maybe"),
        ('version = "1"', 'version = "1"\ncolour = "red"', "unknown key colour"),
        ('whose = "family"', 'whose = "nobody"', "whose must be one of person, family"),
        ("no = { ckd = false }", "nein = { ckd = false }", "unknown key nein"),
    ],
)
def test_a_wrong_mapping_is_refused(old: str, new: str, error: str) -> None:
    text = (FILES / "mapping.toml").read_text(encoding="utf-8")
    assert old in text

    with pytest.raises(DefinitionError, match=error):
        mapping._meanings(tomllib.loads(text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"), [('"hdl"', '"HDL"'), ('"hdl"', '"ldl"'), ("hba1c = ", "sugar = ")]
)
def test_wrong_names_of_tests_are_refused(old: str, new: str) -> None:
    text = (FILES / "laboratory.toml").read_text(encoding="utf-8")

    with pytest.raises(DefinitionError, match="laboratory"):
        mapping._laboratory(tomllib.loads(text.replace(old, new, 1)))


def test_the_guide_names_every_tag_that_is_read_and_its_status() -> None:
    table = data("mapping.toml")

    assert [] == [tag for tag in sorted(MEANINGS.tags) if f"`{tag}`" not in GUIDE]
    for name in ("quantity", "flag", "codes"):
        for row in table[name]:
            [line] = [line for line in GUIDE.splitlines() if line.startswith(f"| `{row['tag']}`")]
            assert f"| {row['status']} |" in line
    assert [] == [tag for tag in table["not_read"] if f"`{tag}`" not in GUIDE]
    assert unicodedata.normalize("NFC", GUIDE) == GUIDE
