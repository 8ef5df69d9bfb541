"""Somebody new adds an equation and a country: one folder and one name; one file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cdss

SOURCE = Path(cdss.__file__).parent

CODE = '''
"""A toy equation."""

from cdss.equation import linear, load_equations


def risk(c, sex, *, age, current_smoker):
    """Risk."""
    return 0.1 * linear(c, intercept=1.0, age=age / 100, smoker=current_smoker)


MODELS = load_equations(__name__, risk=risk)
'''
FACTS = """
version = "1"

[source]
citation = "A paper, 2027"
locator = "Table 1"

[limits]
age = { low = 40, high = 60, locator = "Table 2" }

[reference]
locator = "Table 3"
age = 50
current_smoker = false

[models.toy-equation]
function = "risk"
outcome = "heart_failure"
horizon_years = 5.0
coefficients = ["all"]
"""
COEFFICIENTS = "set,sex,term,value\n" + "".join(
    f"all,both,{term},{value}\n" for term, value in (("intercept", 1), ("age", 1), ("smoker", 2))
)
COUNTRY = """
name = { en = "Laos", vi = "Lào" }
language = "en"
still_valid_on = 2027-01-01

[guidelines]
in_force = ["HEARTS-R", "HEARTS-E"]

[parameters.HEARTS-R.red]
value = 0.15
unit = ""
locator = "Ministry of Health, circular 1, p 2"
valid_from = "2027-01-01"
still_valid_on = 2027-01-01

[[questions]]
id = "cardiovascular"
why = "regional_chart"
options = [{ model = "who-2019-nonlab-sea", laboratory = false }]

[risks]
cardiovascular = "cardiovascular"
"""
SCRIPT = """
from cdss import PatientRecord, assess, load_jurisdiction, published_models
from cdss.jurisdiction import select
from cdss.wire import to_dict

values = {"age": 60, "sex": "male", "systolic_bp": 150, "bmi": 25, "current_smoker": False}
record = PatientRecord.parse({"index_date": "2027-01-02", "values": values})
place = load_jurisdiction("la")
answer = to_dict(assess(record, select(published_models(), place), place), assessment_id="a")
print(answer["jurisdiction"], [e["model"] for e in answer["estimates"]])
(toy,) = (m for m in published_models() if m.id == "toy-equation")
print(round(toy.estimate(record).probability, 6), toy.estimate(record).reference["age"])
print(toy.estimate(PatientRecord.parse({"index_date": "2027-01-02", "values": {"age": 30,
      "sex": "male", "current_smoker": True}})).reasons[0].detail)
print(toy.estimate(PatientRecord.parse({"index_date": "2027-01-02", "values": {"age": 50,
      "sex": "male"}})).narrowed_by)
"""


def test_an_equation_is_a_folder_and_a_name_and_a_country_is_a_file(tmp_path: Path) -> None:
    package = tmp_path / "cdss"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__", "bundles"))
    folder = package / "equations" / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text(CODE)
    (folder / "equation.toml").write_text(FACTS)
    (folder / "coefficients.csv").write_text(COEFFICIENTS)
    names = package / "equations" / "__init__.py"
    names.write_text(names.read_text().replace('    "idrs",\n', '    "idrs",\n    "toy",\n'))
    (package / "jurisdictions" / "la.toml").write_text(COUNTRY, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )

    assert "" == done.stderr
    assert [
        "la ['who-2019-nonlab-sea']",
        "0.16 50",
        "is outside 40 to 60 a, the limits of A paper, Table 2",
        "('current_smoker',)",
    ] == done.stdout.splitlines()
