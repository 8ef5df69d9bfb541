"""Data files that ship with code are refused, by name, if anything in them is wrong."""

import importlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cdss
from cdss.errors import DefinitionError

SOURCE = Path(cdss.__file__).parent

AGE = 'locator = "derivation population: 40 to 80 years"'

EQUATION = [
    ('version = "2019"', 'version = "2019"\ncolour = 1', "unknown key colour"),
    ('version = "2019"', "", "version is missing"),
    ('locator = "coefficients', 'locator = ""\nurl2 = "', "unknown key url2"),
    (f", {AGE}", "", "locator is missing"),
    (AGE, 'locator = ""', "an end and a locator"),
    ("age = { low = 40", "agee = { low = 40", "unknown variable"),
    ("{ low = 90, high = 200 }", '{ low = 90, unit = "kg" }', "unknown unit"),
    ('locator = "centring values of the equation"\n', "", "needs a locator"),
    ("bmi = 25\n", "", "reference patient has no 'bmi'"),
    ('["lab", "lab Viet Nam"]', '["lab", "lab Southeast Asia", "lab Viet Nam"]', "is in two sets"),
    ('coefficients = ["lab", "lab Viet Nam"]', 'coefficients = ["laboratory"]', "no coefficients"),
    ("[models.who-2019-lab-vnm]", "[models.who-2019-lab-sea]", "equation.toml"),
]  # fmt: skip
COEFFICIENTS = [
    (
        "lab,male,CHD cenages,0.0719227",
        "lab,male,CHD cenages,0.07\nlab,male,CHD cenages,0.07",
        "double",
    ),
    ("lab,male,CHD cenages,0.0719227", "lab,man,CHD cenages,0.07", "of no sex"),
    ("lab,male,CHD cenages,0.0719227", "lab,male,CHD cenages", "too few or too many"),
    ("set,sex,term,value", "set,sex,name,value", "columns must be"),
]
POINTS = [
    ("age,,45,,,2", "agee,,45,,,2", "unknown variables: agee"),
    ("daily_vegetables,,,,no,1", "daily_vegetables,,1,,no,1", "a value and a range"),
]
RULES = [
    (', locator = "Recommendation 1" }', " }", "locator is missing"),
    ('locator = "Recommendation 1" }', 'locator = " " }', "locator is empty"),
    ('unit = "mm[Hg]"', 'unit = "kg"', "kg is not a unit"),
    ("value = 140", 'value = "140"', "value must be a number"),
    ("value = 140", "value = 140, colour = 1", "unknown key colour"),
    ('topic = "treatment"', 'topic = "gossip"', "unknown topic"),
    ('status = "READ-P"', 'status = "HEARD"', "unknown topic or status"),
    ("[rules.BPT-02]", "[rules.BPT-99]", "in only one of code and rules.toml: BPT-02, BPT-99"),
    ('open = ["high_risk"]', 'open = ["low_risk"]', "open parameters that are none"),
    ("[rules.BPT-02]", "[rules.BPT-01]", "rules.toml"),
    ('key = "WHO-2021"\n', "", "key is missing"),
]  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Copy a folder of the package into one of its own, under another name."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(kind: str, name: str) -> Path:
        target = tmp_path / f"copy_of_{name}"
        shutil.copytree(SOURCE / kind / name, target)
        return target

    return make


def refused(folder: Path, file: str, old: str, new: str, message: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    sys.modules.pop(folder.name, None)
    importlib.invalidate_caches()
    with pytest.raises(DefinitionError, match=message):
        importlib.import_module(folder.name)


@pytest.mark.parametrize(("old", "new", "message"), EQUATION, ids=range(len(EQUATION)))
def test_equation_toml(copy: Callable, old: str, new: str, message: str) -> None:
    refused(copy("equations", "who_2019"), "equation.toml", old, new, message)


@pytest.mark.parametrize(("old", "new", "message"), COEFFICIENTS, ids=range(len(COEFFICIENTS)))
def test_coefficients_csv(copy: Callable, old: str, new: str, message: str) -> None:
    refused(copy("equations", "who_2019"), "coefficients.csv", old, new, message)


@pytest.mark.parametrize(("old", "new", "message"), POINTS, ids=range(len(POINTS)))
def test_points_csv(copy: Callable, old: str, new: str, message: str) -> None:
    refused(copy("equations", "findrisc"), "points.csv", old, new, message)


@pytest.mark.parametrize(("old", "new", "message"), RULES, ids=range(len(RULES)))
def test_rules_toml(copy: Callable, old: str, new: str, message: str) -> None:
    refused(copy("guidelines", "who_2021"), "rules.toml", old, new, message)
