"""From CDC's files to the analysis table: CDC's own files of one cycle, invented ones of all."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cdss.derived import egfr_ckd_epi_2021
from tests.nhanes_mirror import Mirror, mortality, serving, xpt
from training.__main__ import app
from training.data import dataset_facts, load_table
from training.nhanes.derive import derive_cycle, read_file
from training.nhanes.files import catalogue, cycles_within, file_of
from training.nhanes.rules import RULES
from training.nhanes.table import make_table

NAN = float("nan")
CYCLES = cycles_within("1999-2018")


@pytest.fixture(scope="module")
def distributed(shared: Path) -> pd.DataFrame:
    """The table as distributed, made by others from CDC's files."""
    return pd.read_parquet(shared / "data" / "nhanes_1999_2014_adults.parquet")


def differences(ours: pd.Series, theirs: pd.Series) -> int:
    """How many people differ; unknown equals unknown."""
    if ours.dtype == "category":
        ours, theirs = ours.astype("object"), theirs.astype("object")
    both_unknown = ours.isna() & theirs.isna()
    return int((~both_unknown & (ours != theirs)).sum())


# What CDC's eleven files of 2013-2014 give.
REPRODUCED = [
    "cycle", "age", "sex", "race_eth", "education", "pir", "pregnant", "wt_int2yr",
    "wt_mec2yr", "wt_saf2yr", "psu", "strata", "height_cm", "weight_kg", "bmi", "waist_cm",
    "sbp1", "dbp1", "sbp2", "dbp2", "sbp3", "dbp3", "sbp4", "dbp4", "sbp", "dbp",
    "pulse_bpm", "htn_told", "bp_med_self", "lipid_med_self", "smoking", "cigs_per_day",
    "tchol", "hdl", "ldl", "trig_fasting", "hba1c", "glucose_serum", "creatinine_std",
    "egfr_2021", "uacr", "uric_acid", "alt", "ggt", "htn_140_90", "htn_130_80",
    "wt_mec_source",
]  # fmt: skip


def test_the_real_cycle_is_reproduced(
    shared: Path, distributed: pd.DataFrame, tmp_path: Path
) -> None:
    raw = {p.name: p.read_bytes() for p in (shared / "data/nhanes_raw_2013_2014").glob("*.XPT")}
    with serving(Mirror(raw)) as mirror:
        with pytest.raises(ValueError, match=r"DIQ_H.XPT of 2013-2014 \(diabetes\), MCQ_H.*MORT"):
            make_table("2013-2014", tmp_path, base_url=mirror.address)
        made = make_table("2013-2014", tmp_path, base_url=mirror.address, allow_missing=True)
        assert [len(mirror.served(name)) for name in raw] == [1] * len(raw)

    ours = pd.read_parquet(made.path).set_index("seqn")
    theirs = distributed[distributed["cycle"] == "2013-2014"].set_index("seqn")
    assert set(theirs.index) <= set(ours.index)
    both = [column for column in theirs if column in ours]
    assert sorted(both) == sorted(REPRODUCED)
    found = {c: differences(ours.loc[theirs.index, c], theirs[c]) for c in both}
    # As float32, every one of 4858 people, in every column, unknowns included.
    assert found == dict.fromkeys(both, 0)
    assert len(theirs) * len(both) == 4858 * 47

    absent = set(theirs) - set(ours) - {"seqn"}
    assert absent == set(made.absent) & set(theirs) | set(catalogue()["left_out"])
    assert made.problems == made.revised == ()
    assert {text.split()[0] for text in made.missing_files} == {
        "DIQ_H.XPT", "MCQ_H.XPT", "GLU_H.XPT", "INS_H.XPT", "FASTQX_H.XPT",
        "NHANES_2013_2014_MORT_2019_PUBLIC.dat",
    }  # fmt: skip
    assert json.loads((tmp_path / "report.json").read_text())["people"] == {"2013-2014": 6113}


FOLLOWS = [
    rule for rule in RULES if set(rule.needs) <= {r.column for r in RULES} | {"hba1c", "fpg"}
]


@pytest.mark.parametrize("rule", FOLLOWS, ids=[rule.column for rule in FOLLOWS])
def test_what_follows_from_other_columns_does_so_in_every_cycle(
    rule, distributed: pd.DataFrame
) -> None:
    # The table holds float32: 5.7 % is 5.69999981 in it.
    columns = distributed[list(rule.needs)].astype("float64").round(4)
    ours = rule.function(*(columns[need] for need in rule.needs)).astype("float32")

    assert differences(ours, distributed[rule.column]) == 0


def test_kidney_function_and_deaths_follow_in_every_cycle(distributed: pd.DataFrame) -> None:
    rules = {rule.column: rule for rule in RULES}
    some = distributed.iloc[::7].reset_index(drop=True)
    sex = some["sex"].astype("object")
    creatinine = some["creatinine_std"].astype("float64")
    ours = rules["egfr_2021"].function(creatinine, some["age"].astype("float64"), sex)
    np.testing.assert_allclose(ours, some["egfr_2021"], rtol=2e-6)

    died = rules["cvd_death"].function(distributed["mort_died"], distributed["ucod_leading"])
    assert differences(died.astype("float32"), distributed["cvd_death"]) == 0


def invented(cycle: str, people: int = 6, **answers: list[float]) -> dict[str, bytes]:
    """Every file of a cycle for some invented people; person 0 is 17 years old."""
    facts, usual = (
        catalogue(),
        {"age": [17.0, *([45.0] * (people - 1))], "sex_code": [2.0] * people},
    )
    ids = [float(1000 + i) for i in range(people)]
    files: dict[str, dict[str, list[float]]] = {}
    for part, spec in facts["files"].items():
        columns = files.setdefault(file_of(part, cycle), {"SEQN": ids})
        for column, variables in (spec.get("copy", {}) | spec.get("codes", {})).items():
            # The oldest cycle has the last of a variable's names.
            name = variables[-1] if cycle == "1999-2000" else variables[0]
            columns[name] = answers.get(column, usual.get(column, [NAN] * people))
    made = {name: xpt(columns) for name, columns in files.items()}
    deaths = [
        (1000, "2", ".", ".", ".", ".", ".", "."),
        (1001, "1", "0", ".", ".", ".", "120", "119"),
        (1002, "1", "1", "001", "0", "1", "60", "59"),
        (1003, "1", "1", "005", "1", "0", "7", "6"),
        (1004, "1", "1", "010", "0", "0", "80", "."),
        (1005, "3", ".", ".", ".", ".", ".", "."),
    ][:people]
    return made | {file_of("mortality", cycle): mortality(deaths)}


def derived(cycle: str, tmp_path: Path, **answers: list[float]) -> pd.DataFrame:
    frames = {}
    for name, body in invented(cycle, **answers).items():
        (tmp_path / name).write_bytes(body)
        frames[name] = read_file(tmp_path / name)
    table, problems = derive_cycle(cycle, frames)
    assert problems == ()
    return table


def test_zero_and_missing_are_read_as_such(tmp_path: Path) -> None:
    path = tmp_path / "BPX_H.XPT"
    path.write_bytes(xpt({"SEQN": [1, 2, 3, 4], "BPXDI1": [0.0, NAN, 78.0, -0.5]}))

    assert read_file(path)["BPXDI1"].tolist()[::2] == [0.0, 78.0]
    assert np.isnan(read_file(path)["BPXDI1"].iloc[1])
    assert read_file(path)["BPXDI1"].iloc[3] == -0.5


def test_a_person_twice_or_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "BPX_H.XPT"
    path.write_bytes(xpt({"SEQN": [1, 1], "BPXDI1": [0.0, 1.0]}))
    with pytest.raises(ValueError, match=r"BPX_H\.XPT: the same person comes twice"):
        read_file(path)
    path.write_bytes(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!".ljust(800))
    with pytest.raises(ValueError, match=r"BPX_H\.XPT: not a readable"):
        read_file(path)


def test_adults_and_their_deaths(tmp_path: Path) -> None:
    table = derived("2005-2006", tmp_path)

    assert table["seqn"].tolist() == [1001, 1002, 1003, 1004, 1005]
    assert table["mort_eligible"].tolist() == [1, 1, 1, 1, 0]
    np.testing.assert_array_equal(table["mort_died"], [0, 1, 1, 1, NAN])
    np.testing.assert_array_equal(table["cvd_death"], [0, 1, 1, 0, NAN])
    np.testing.assert_array_equal(table["ucod_leading"], [NAN, 1, 5, 10, NAN])
    np.testing.assert_array_equal(table["fu_months_exam"], [119, 59, 6, NAN, NAN])
    np.testing.assert_array_equal(table["mcod_diabetes"], [NAN, 0, 1, 0, NAN])


def test_questionnaire_answers(tmp_path: Path) -> None:
    table = derived(
        "2009-2010", tmp_path,
        told_diabetes=[1, 1, 2, 3, 9, 2], diabetes_pills=[1, 1, NAN, 2, NAN, NAN],
        insulin=[1, 1, 2, 2, 7, 2], diabetes_age=[9, 40, NAN, 666, 999, NAN],
        told_chf=[2] * 6, told_chd=[2, 2, 2, 9, 2, 2], told_angina=[2, 1, 2, 2, 2, 2],
        told_mi=[2, 2, 2, 2, 1, 2], told_stroke=[2, 2, 2, 2, 9, 2],
        family_diabetes=[1, 1, 2, 9, 7, 2], smoked_100=[1, 2, 1, 1, 1, 9],
        smokes_now=[1, NAN, 3, 2, 1, NAN], cigarettes=[5, NAN, NAN, 3, 999, NAN],
        pregnancy_code=[1, 1, 2, 3, NAN, 2], education_code=[1, 5, 7, 9, 1, NAN],
        ethnicity_code=[1, 5, 4, 3, 2, 5], ethnicity_code_2011=[NAN, 6, 4, 3, 2, 7],
        hba1c=[5, 6.5, 5.7, 6.0, 5.0, NAN], fpg=[90, 90, 99, NAN, 130, 80],
    )  # fmt: skip
    expected = {
        "diabetes_told": [1, 0, 0, NAN, 0],
        "borderline_told": [0, 0, 1, NAN, 0],
        "oral_dm_med": [1, 0, 0, NAN, 0],
        "insulin_use": [1, 0, 0, NAN, 0],
        "diabetes_dx_age": [40, NAN, NAN, NAN, NAN],
        "diabetes_prev": [1, 0, 0, 1, 0],
        "diabetes_undiagnosed": [NAN, 0, 0, NAN, 0],
        "prediabetes": [NAN, 1, 1, NAN, 0],
        "cvd_hx": [1, 0, NAN, 1, 0],
        "ascvd_hx": [0, 0, NAN, 1, 0],
        "fam_hx_diabetes": [1, 0, NAN, NAN, 0],
        "cigs_per_day": [0, 0, 3, NAN, NAN],
        "pregnant": [1, 0, 0, 0, 0],
        "education": [5, NAN, NAN, 1, NAN],
    }
    for column, values in expected.items():
        np.testing.assert_array_equal(table[column], values, err_msg=column)
    assert table["smoking"].tolist()[:4] == ["never", "former", "current", "current"]
    assert pd.isna(table["smoking"].iloc[4])
    assert table["race_eth"].tolist() == [
        "nh_asian", "nh_black", "nh_white", "other_hispanic", "other",
    ]  # fmt: skip


def test_pressure_and_creatinine(tmp_path: Path) -> None:
    readings = {
        "systolic_1": [120, 120, NAN, NAN, 130, NAN], "systolic_2": [120, 124, NAN, NAN, 130, NAN],
        "systolic_3": [120, NAN, NAN, NAN, 130, NAN], "systolic_4": [1, 1, 150, NAN, 1, NAN],
        "diastolic_1": [0, 0, NAN, NAN, 0, NAN], "diastolic_2": [70, 70, NAN, NAN, 0, NAN],
        "diastolic_3": [80, NAN, NAN, NAN, 0, NAN], "diastolic_4": [9, 9, 60, NAN, 0, NAN],
    }  # fmt: skip
    raw = [1.0, 1.0, 0.8, NAN, 2.0, 0.5]
    lines = {"1999-2000": (1.013, 0.147), "2005-2006": (0.978, -0.016), "2011-2012": (1.0, 0.0)}
    for cycle, (slope, intercept) in lines.items():
        table = derived(cycle, tmp_path, creatinine=raw, **readings)
        np.testing.assert_allclose(table["sbp"], [122, 150, NAN, 130, NAN])
        np.testing.assert_allclose(table["dbp"], [70, 60, NAN, NAN, NAN])
        standard = slope * np.array(raw[1:]) + intercept
        np.testing.assert_allclose(table["creatinine_std"], standard)
        expected = egfr_ckd_epi_2021(88.4 * standard[0], 45, "female")
        assert table["egfr_2021"].iloc[0] == pytest.approx(expected, rel=1e-12)


def test_a_renamed_variable_is_said_by_name(tmp_path: Path) -> None:
    files = invented("2003-2004") | {"L10_C.XPT": xpt({"SEQN": [1001.0], "LBXGHX": [5.0]})}
    frames = {}
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
        frames[name] = read_file(tmp_path / name)
    table, problems = derive_cycle("2003-2004", frames)

    assert problems == ("L10_C.XPT of 2003-2004 has no LBXGH",)
    assert "hba1c" not in table
    assert "diabetes_prev" not in table
    with pytest.raises(ValueError, match=r"DEMO_C\.XPT of 2003-2004 is missing"):
        derive_cycle("2003-2004", {})


def test_all_ten_cycles_from_the_command_line(tmp_path: Path) -> None:
    files = {name: body for cycle in CYCLES for name, body in invented(cycle).items()}
    out = tmp_path / "out"
    with serving(Mirror(files)) as mirror:
        command = ["data", "nhanes", "--cycles", "1999-2018", "--out", str(out),
                   "--base-url", mirror.address]  # fmt: skip
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        assert sorted(name for name, _, status in mirror.asked if status == 200) == sorted(files)
        del files["MCQ_E.XPT"]
        (out / "raw" / "MCQ_E.XPT").unlink()
        refused = CliRunner().invoke(app, command)
        allowed = CliRunner().invoke(app, [*command, "--allow-missing"])

    assert refused.exit_code == 2
    assert "MCQ_E.XPT of 2007-2008 (conditions)" in " ".join(refused.output.split())
    assert allowed.exit_code == 0, allowed.output
    assert "MCQ_E.XPT of 2007-2008 (conditions)" in " ".join(allowed.output.split())
    path = out / "nhanes_1999_2018_adults.parquet"
    table = load_table("nhanes", path)
    assert len(table.frame) == 50
    assert set(table.frame["cycle"].astype(str)) == set(CYCLES)
    assert set(dataset_facts("nhanes")["columns"]) <= set(table.frame)


def test_unknown_cycles_are_refused_from_the_command_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["data", "nhanes", "--cycles", "1990", "--out", str(tmp_path)])

    assert result.exit_code == 2
    assert "no NHANES cycles 1990" in result.output
