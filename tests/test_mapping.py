"""A site's own table, read by its own mapping file."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cdss.variables import VARIABLES
from training.__main__ import app
from training.data import ROOT, DescriptionError, dataset_facts, load_table
from training.dataset_cards import PAGE, page

EXAMPLE = ROOT / "docs" / "example_site"
N = 40
COLUMNS = """
[columns]
age = { column = "Age", unit = "years" }
sex = { column = "Sex", recode = { F = "female", M = "male" } }
total_cholesterol = { column = "Chol", unit = "mg/dl", unknown = ["-9"] }
bp_treated = { column = "Drugs", recode = { 1 = true, 0 = false } }
smoking = { cases = [
  { column = "Ever", equals = "no", value = "never" },
  { column = "Now", equals = "yes", value = "current" },
  { column = "Ever", equals = "yes", value = "former" },
] }
systolic_bp = { mean_of = ["S1", "S2"], unit = "kPa" }
"""


def people(**changed: object) -> pd.DataFrame:
    """Forty people that the mapping above reads without loss."""
    return pd.DataFrame(
        {
            "Id": [f"p{i}" for i in range(N)], "Age": np.arange(30, 30 + N), "Sex": ["F", "M"] * 20,
            "Chol": [200] * (N - 1) + [-9], "Drugs": [1.0, 0.0, np.nan, 1.0] * 10,
            "Ever": ["no", "yes", "yes", None] * 10, "Now": [None, "yes", "no", None] * 10,
            "S1": [16.0] * N, "S2": [18.0, np.nan] * 20, "Days": [731] * N,
            "New": ["y", "n"] * 20,
        }
        | changed
    )  # fmt: skip


def mapping(folder: Path, text: str = COLUMNS, before: str = "") -> Path:
    path = folder / "site.toml"
    path.write_text(before + text, encoding="utf-8")
    return path


def load(folder: Path, table: pd.DataFrame, text: str = COLUMNS, before: str = ""):
    table.to_csv(folder / "table.csv", index=False)
    return load_table(mapping(folder, text, before), folder / "table.csv")


def test_a_table_is_read_in_the_sites_own_words_and_units(tmp_path: Path) -> None:
    extra = """
[extra]
years = { column = "Days", unit = "d" }
new = { column = "New", recode = { y = 1, n = 0 } }
day = "Days"
"""
    table = load(tmp_path, people(), COLUMNS + extra, 'person = "Id"\n')
    frame = table.frame

    assert table.name == "site"
    assert frame["total_cholesterol"].iloc[0] == pytest.approx(5.17, abs=0.01)
    assert np.isnan(frame["total_cholesterol"].iloc[-1])
    assert frame["systolic_bp"].iloc[:2].tolist() == pytest.approx([127.5, 120.0], abs=0.1)
    assert frame["sex"].iloc[:2].tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(frame["bp_treated"].iloc[:4], [1, 0, np.nan, 1])
    never, current, former = (
        VARIABLES["smoking"].encode(v) for v in ("never", "current", "former")
    )
    np.testing.assert_array_equal(frame["smoking"].iloc[:4], [never, current, former, np.nan])
    assert frame["years"].iloc[0] == pytest.approx(2.001, abs=0.001)
    assert frame["new"].tolist() == [1.0, 0.0] * 20
    assert frame["day"].tolist() == [731] * N
    assert frame["person"].tolist()[:2] == ["p0", "p1"]
    assert list(table.report.lines()) == ["40 of 40 rows kept"]


@pytest.mark.parametrize("ending", ["parquet", "tsv", "csv"])
def test_three_formats_hold_the_same(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"table.{ending}"
    table = people()
    if ending == "parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False, sep="\t" if ending == "tsv" else ",")
    read = load_table(mapping(tmp_path), file)

    pd.testing.assert_frame_equal(read.frame, load(tmp_path, table).frame)


def test_what_cannot_be_used_is_unknown_and_accounted_for(tmp_path: Path) -> None:
    chol = ["200"] * 36 + ["<100", "hemolysed", "2000", "-9"]
    sex = ["F"] * 14 + ["M"] * 5 + ["Weiblich"] * 12 + ["Nguyen"] * 9
    table = people(Age=[200, 17, *range(30, 68)], Chol=chol, Sex=sex)
    table.loc[N] = None
    table.loc[N + 1] = [None, 50, "F", *[None] * 8]
    read = load(tmp_path, table, before='person = "Id"\n')
    lines = "\n".join(read.report.lines())

    assert (read.report.read, read.report.kept) == (42, 40)
    assert "40 of 42 rows kept" in lines
    assert "1 rows dropped: nothing in any column" in lines
    assert "1 rows dropped: no Id" in lines
    assert "age (Age): 2 of 40 implausible (outside 18 to 110 a)" in lines
    assert "total_cholesterol (Chol): 2 of 39 not a number" in lines
    assert "total_cholesterol (Chol): 1 of 37 implausible" in lines
    assert "sex (Sex): 21 of 40 unknown label: 'Weiblich' 12 times, 1 others not shown" in lines
    # Nine people's label may be a name; a rejected value is somebody's.
    assert not any(secret in lines for secret in ("Nguyen", "hemolysed", "<100", "2000", "p0"))
    assert read.implausible["age"] == 2
    assert read.implausible["total_cholesterol"] == 1
    assert read.frame["sex"].isna().sum() == 21
    assert {(r.variable, r.reason, r.count) for r in read.report.rejected} == {
        ("sex", "unknown label", 21), ("total_cholesterol", "not a number", 2),
        ("total_cholesterol", "implausible", 1), ("age", "implausible", 2),
    }  # fmt: skip


def test_at_most_five_labels_are_shown(tmp_path: Path) -> None:
    table = pd.concat([people()] * 3, ignore_index=True)
    table["Sex"] = [f"label{i // 15}" for i in range(105)] + ["F"] * 15
    lines = " ".join(load(tmp_path, table).report.lines())

    assert sum(f"'label{i}' 15 times" in lines for i in range(7)) == 5
    assert "2 others not shown" in lines


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = """
colour = "blue"
decimal = ";"
[columns]
age = { column = "Age", unit = "furlongs" }
bmi = { column = "Bmi", unit = "kg/m2" }
weight = { column = "Weight" }
cholesterol = { column = "Chol", unit = "mg/dL" }
sex = { column = "Sex", recode = { F = "woman" }, unit = "cm" }
bp_treated = { column = "Drugs", recode = { 1 = 1 } }
diabetes = { column = "Drugs" }
systolic_bp = { column = "S1", mean_of = ["S1", "S2"], unit = "kPa" }
diastolic_bp = "S2"
total_cholesterol = { column = "Chol", unit = "mmol/L" }
[extra]
bmi = "Bmi"
years = { column = "Days", unit = "weeks" }
outcome = "Gone"
"""
    with pytest.raises(DescriptionError) as caught:
        load(tmp_path, people(Chol=[200] * N), wrong)
    text, problems = str(caught.value), caught.value.problems

    assert "unknown key colour; there are: name, title" in text
    assert 'decimal must be "." or ","' in text
    assert "age: unknown unit furlongs; there are: a, mo" in text
    assert "weight: unit is missing; there are: kg, g, [lb_av]" in text
    assert "unknown variables cholesterol; there are: age, sex, " in text
    assert "sex: unknown value woman; there are: male, female" in text
    assert "sex: unknown key unit" in text
    assert "bp_treated: unknown value 1; there are: false, true" in text
    assert "diabetes: recode is missing" in text
    assert "systolic_bp: needs either column or mean_of" in text
    assert "diastolic_bp: must be a table" in text
    assert "extra.bmi: is in [columns] already" in text
    assert "extra.years: unknown unit weeks; there are: a, mo, d" in text
    assert "lacks columns of data set site: Bmi, Gone; it has Id, Age" in text
    # 200 mg/dL said to be mmol/L: nothing plausible is left.
    assert "nothing can be used of total_cholesterol (Chol): 40 of 40 implausible" in text
    assert len(problems) == 15


def test_a_wrong_mapping_is_refused_before_its_table_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"site\.toml.*\[columns\] is missing"):
        load_table(mapping(tmp_path, "title = 'x'\n"), tmp_path / "gone.csv")
    with pytest.raises(DescriptionError, match=r"site\.toml: .*line 1"):
        dataset_facts(mapping(tmp_path, "title = \n"))
    with pytest.raises(FileNotFoundError, match=r"no mapping file elsewhere\.toml"):
        dataset_facts(tmp_path / "elsewhere.toml")
    with pytest.raises(FileNotFoundError, match="give --table"):
        load_table(mapping(tmp_path))


def test_a_table_that_is_none_is_refused_without_its_text(tmp_path: Path) -> None:
    (tmp_path / "secret.parquet").write_bytes(b"Nguyen Van A, 1950")
    with pytest.raises(DescriptionError) as caught:
        load_table(mapping(tmp_path), tmp_path / "secret.parquet")
    assert "secret.parquet: cannot be read" in str(caught.value)
    assert "Nguyen" not in str(caught.value)


def test_decimal_commas_are_numbers_only_where_announced(tmp_path: Path) -> None:
    text = "Age;Chol\n" + "50;199,5\n" * 20 + "51;1.995\n"
    (tmp_path / "table.csv").write_text(text)
    columns = (
        '[columns]\nage = { column = "Age", unit = "a" }\n'
        'total_cholesterol = { column = "Chol", unit = "mg/dL" }\n'
    )
    path = mapping(tmp_path, columns, 'decimal = ","\nseparator = ";"\n')
    table = load_table(path, tmp_path / "table.csv")

    assert table.frame["total_cholesterol"].iloc[0] == pytest.approx(199.5 / 38.665)
    assert np.isnan(table.frame["total_cholesterol"].iloc[20])
    assert "1 of 21 not a number" in " ".join(table.report.lines())
    with pytest.raises(
        DescriptionError, match=r"nothing can be used of total_cholesterol \(Chol\)"
    ):
        load_table(mapping(tmp_path, columns, 'separator = ";"\n'), tmp_path / "table.csv")


@pytest.mark.parametrize("values", [[True, False] * 20, ["True", "False"] * 20, [1, 0] * 20])
def test_truth_values_are_labels_too(tmp_path: Path, values: list[object]) -> None:
    recode = "{ true = true, True = true, 1 = true, false = false, False = false, 0 = false }"
    text = f'[columns]\nbp_treated = {{ column = "Drugs", recode = {recode} }}\n'
    people(Drugs=values).to_parquet(tmp_path / "table.parquet")
    table = load_table(mapping(tmp_path, text), tmp_path / "table.parquet")

    assert table.frame["bp_treated"].tolist() == [1.0, 0.0] * 20


def test_an_empty_table_has_nobody(tmp_path: Path) -> None:
    assert len(load(tmp_path, people().iloc[:0]).frame) == 0


def test_the_page_of_data_sets_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m training.dataset_cards"


def test_the_example_is_invented_by_its_script() -> None:
    spec = importlib.util.spec_from_file_location("make", EXAMPLE / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)

    text = make.people().to_csv(sep=";", decimal=",", index=False)
    assert (EXAMPLE / "people.csv").read_text(encoding="utf-8") == text
    facts = dataset_facts(EXAMPLE / "mapping.toml")
    assert "invented" in facts["title"] + facts["population"]


def test_the_example_is_validated_from_the_command_line(tmp_path: Path) -> None:
    command = ["evaluate", "--model", "diabetes-incident", "--mapping",
               str(EXAMPLE / "mapping.toml"), "--json", str(tmp_path / "report.json")]  # fmt: skip
    beside = CliRunner().invoke(app, command)
    given = CliRunner().invoke(app, [*command, "--table", str(EXAMPLE / "people.csv")])

    assert beside.exit_code == given.exit_code == 0, beside.output + given.output
    assert beside.output == given.output
    for line in (
        "300 of 300 rows kept",
        "smoking (hut_thuoc): 12 of 300 unknown label: 'không rõ' 12 times",
        "total_cholesterol (cholesterol): 3 of 300 not a number",
        "height (chieu_cao_m): 2 of 300 implausible",
    ):
        assert line in beside.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["dataset"], report["n"], report["events"]) == ("example-site", 300, 22)


def test_a_table_without_what_a_model_needs_is_refused_by_name(tmp_path: Path) -> None:
    text = (EXAMPLE / "mapping.toml").read_text(encoding="utf-8")
    no_sex = mapping(tmp_path, text.replace("sex = {", "# sex = {"))
    no_years = tmp_path / "years.toml"
    no_years.write_text(text.replace("followup_years =", "# years ="), encoding="utf-8")
    command = ["evaluate", "--model", "diabetes-incident", "--table", str(EXAMPLE / "people.csv")]

    refused = CliRunner().invoke(app, [*command, "--mapping", str(no_sex)])
    assert "lacks sex, which diabetes-incident requires" in " ".join(refused.output.split())
    refused = CliRunner().invoke(app, [*command, "--mapping", str(no_years)])
    assert "lacks followup_years" in " ".join(refused.output.split())
    assert "[columns] or [extra]" in " ".join(refused.output.split())
    assert refused.exit_code == 2
    both = CliRunner().invoke(app, [*command, "--mapping", str(no_sex), "--dataset", "china"])
    assert both.exit_code == 2
