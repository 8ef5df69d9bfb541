"""What codes of diagnoses and drugs mean: one table each, for whoever reads them."""

from __future__ import annotations

import tomllib
import unicodedata
from datetime import date
from importlib import resources
from typing import Any

import pytest

from cdss.checkup.mapping import MEANINGS
from cdss.checkup.words import folded
from cdss.codes import diagnoses, drugs
from cdss.codes.diagnoses import BELIEVED, ICD10, LASTING, OF_RELATIVES, SNOMED
from cdss.codes.drugs import DRUGS, NAMES
from cdss.codes.table import longest, rows
from cdss.errors import DefinitionError
from cdss.fhir.diagnoses import diagnosis
from cdss.record import PatientRecord
from cdss.variables import VARIABLES

FILES = resources.files("cdss.codes")
NAMED = ("diagnoses", "drugs")
PERSON = next(codes for codes in MEANINGS.codes if not codes.relatives)
FAMILY = next(codes for codes in MEANINGS.codes if codes.relatives)


def content(name: str) -> dict[str, Any]:
    return tomllib.loads((FILES / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMED)
def test_every_source_has_a_locator_and_is_used(name: str) -> None:
    tables = content(name)
    used = {row["source"] for each in tables.values() if isinstance(each, list) for row in each}

    assert used == set(tables["sources"])
    assert all(source["citation"] and source["locator"] for source in tables["sources"].values())
    text = (FILES / f"{name}.toml").read_text(encoding="utf-8")
    assert unicodedata.normalize("NFC", text) == text


@pytest.mark.parametrize("name", NAMED)
def test_no_code_is_listed_twice(name: str) -> None:
    for of, listed in content(name).items():
        if isinstance(listed, list):
            codes = [
                (system, code)
                for row in listed
                for system in ("codes", "atc", "rxnorm")
                for code in row.get(system, ())
            ]
            assert len(codes) == len(set(codes)), of


def test_diagnoses_are_about_variables() -> None:
    said = {name for table in (ICD10, SNOMED) for says in table.values() for name in says.values}

    assert said == set(LASTING) <= set(VARIABLES)
    assert {"state", "event", "past"} == set(LASTING.values())
    assert set(BELIEVED) <= set(LASTING)
    assert set(OF_RELATIVES) <= set(LASTING)
    assert set(OF_RELATIVES.values()) <= set(VARIABLES)
    assert "E10-E14" in diagnoses.SOURCE.locator
    assert "C10" in drugs.SOURCE.locator


def test_what_is_over_one_day_is_not_read_from_a_list_without_days() -> None:
    for code, says in ICD10.items():
        lasting = {LASTING[name] for name in says.values}
        believed = set(BELIEVED) & set(says.values)
        assert says.dated == bool("past" in lasting or believed), code


def test_drugs_are_about_treatment() -> None:
    assert {"atc", "rxnorm"} == set(DRUGS)
    assert {v for table in DRUGS.values() for d in table.values() for v in d.variables} == {
        "bp_treated", "on_statin", "on_metformin",
    }  # fmt: skip


def test_names_are_folded_and_mean_what_their_code_means() -> None:
    assert [] == [name for name in NAMES if folded(name) != name]
    assert {"unverified"} == {content("drugs")["names"]["status"]}
    assert frozenset({"on_statin"}) == NAMES["atorvastatin"].variables
    assert frozenset({"bp_treated"}) == NAMES["amlodipin"].variables
    assert all(d.mainly for d in NAMES.values() if "bp_treated" in d.variables)
    assert not {"metoprolol", "furosemide", "spironolactone"} & set(NAMES)


@pytest.mark.parametrize(
    "code",
    ["I10", "I11.9", "E10.9", "E11", "E11.2", "E13.1", "E14", "I21.0", "I25.2", "I25.9", "I20",
     "I70.2", "I70.0", "Z95.5", "I63.9", "I62.0", "I69.3", "G45", "G45.4", "G45.9", "N18.3",
     "R73.0", "O24.1", "J45", "Z00.0"],
)  # fmt: skip
def test_a_check_up_and_a_bundle_say_the_same_of_a_code(code: str) -> None:
    concept = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]}
    found = diagnosis(concept)

    assert dict(PERSON.says(code.replace(".", ""))) == (found.values if found else {})


@pytest.mark.parametrize("code", ["O244", "Z33", "Z340", "Z359"])
def test_pregnancy_and_its_diabetes_need_a_date(code: str) -> None:
    concept = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]}

    assert diagnosis(concept)
    assert {} == PERSON.says(code) == FAMILY.says(code)


def test_of_relatives_only_diabetes_is_told() -> None:
    said = {code: dict(FAMILY.says(code)) for code in ICD10}

    assert {"family_history_diabetes": True} == said["E11"] == said["E14"]
    assert {} == said["I21"] == said["I10"]


def test_an_old_heart_attack_is_heart_disease_too() -> None:
    values = {"age": 60, **PERSON.says("I252")}

    assert PatientRecord.parse(
        {"index_date": date(2026, 11, 22).isoformat(), "values": values}
    ).values["prior_cvd"]


def test_the_longest_beginning_counts() -> None:
    table = {"C03": "several", "C03A": "pressure"}

    assert ("pressure", False) == longest(table, "C03AA03")
    assert ("several", False) == longest(table, "C03CA01")
    assert ("several", True) == longest(table, "c03")
    assert longest(table, "C0") is None


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ('source = "a"\nstatus = "sure"', "unknown source or status"),
        ('source = "b"\nstatus = "read"', "unknown source or status"),
        ('source = "a"\nstatus = "read"\nvariable = "shoe"', "unknown variable"),
        ('source = "a"\nstatus = "read"\ncolour = "red"', "unknown key colour"),
        ('source = "a"', "status is missing"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Any, row: str, error: str) -> None:
    file = tmp_path / "codes.toml"
    file.write_text(f'[sources.a]\ncitation = "x"\n[[of]]\ncodes = ["A00"]\n{row}\n')

    with pytest.raises(DefinitionError, match=error):
        rows(file, "of", "codes", "variable")
