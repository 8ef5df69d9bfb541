"""The tables of codes: every row has a source, no code means two things, nothing lies idle."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from cdss.fhir.codes import SYSTEMS, coded, rows
from cdss.fhir.observation_codes import ANSWERS, KIND_OF_UNIT, MEANINGS
from cdss.plausible import checked
from cdss.units import UNITS, canonical_unit
from cdss.variables import VARIABLES

FILES = ("observations", "family")


def content(name):
    file = resources.files("cdss.fhir") / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_every_source_has_a_locator_and_is_used(name):
    tables = content(name)
    used = {row["source"] for rows in tables.values() if isinstance(rows, list) for row in rows}
    used |= {t["source"] for t in tables.values() if isinstance(t, dict) and "source" in t}
    assert used == set(tables["sources"])
    for source in tables["sources"].values():
        assert source["citation"]
        assert source["locator"]


@pytest.mark.parametrize("name", FILES)
def test_no_code_is_listed_twice_for_one_thing(name):
    for table_name, listed in content(name).items():
        if not isinstance(listed, list):
            continue
        codes = [code for row in listed for code in coded(row)]
        codes += [(table_name, code) for row in listed for code in row.get("codes", ())]
        assert len(codes) == len(set(codes))


def test_every_code_of_the_dictionary_is_read_or_left_out_on_purpose():
    left_out = {code for row in rows("observations", "not_read", "variable") for code in coded(row)}
    for variable in VARIABLES.values():
        for code in variable.loinc:
            assert (("loinc", code) in MEANINGS) != (("loinc", code) in left_out)


def test_a_code_of_an_analyte_with_two_kinds_of_unit_implies_one():
    free = {("loinc", "35217-9")}  # "mass or moles" by its own name
    for code, meaning in MEANINGS.items():
        if meaning.reads != "quantity":
            continue
        kinds = {KIND_OF_UNIT.get(unit) for unit in UNITS[meaning.variable]}
        if len(kinds) > 1 and code not in free:
            assert meaning.unit in UNITS[meaning.variable]
        assert not meaning.unit or canonical_unit(meaning.unit) == meaning.unit


def test_answers_are_choices():
    for name, answers in ANSWERS.items():
        for answer in answers.values():
            assert checked(VARIABLES[name], answer.value, None)[1] is None


def test_systems_have_the_names_that_the_tables_use():
    names = set(content("systems")["system"].values())
    assert set(SYSTEMS) <= names
    assert all(url == url.lower() for url in content("systems")["system"])
