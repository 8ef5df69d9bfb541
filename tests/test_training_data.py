"""Data sets, and the people each model is made from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdss.variables import VARIABLES
from training.data import DATASETS, dataset_facts, load_table
from training.definition import Definition, definitions
from training.tiers import with_hidden_panels

NAMES = sorted(path.stem for path in DATASETS.glob("*.toml"))
MODELS = definitions()


@pytest.fixture(scope="module")
def small():
    """The real survey cycle that comes from PyPI."""
    return load_table("pypi")


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_says_where_it_comes_from_and_what_is_wrong_with_it(name: str) -> None:
    facts = dataset_facts(name)

    assert all(facts[key] for key in ("title", "origin", "url", "licence", "terms", "population"))
    assert facts["known_defects"]
    assert facts["columns"].keys() <= VARIABLES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_no_data_set_brings_race_or_the_outcome_visit(name: str) -> None:
    text = (DATASETS / f"{name}.toml").read_text()
    columns = text.partition("[columns]")[2]

    for forbidden in ("race", "ridreth", "ethnic", "fpg_final"):
        assert forbidden not in columns.lower()


def test_unknown_data_set_lists_those_there_are() -> None:
    with pytest.raises(LookupError, match="framingham, nhanes"):
        dataset_facts("nowhere")


def test_values_are_canonical_and_plausible(small) -> None:
    frame = small.frame

    assert {0.0, 1.0} == set(frame["sex"].dropna())
    for name in frame.columns.intersection(list(VARIABLES)):
        variable, values = VARIABLES[name], frame[name].dropna()
        if variable.kind == "quantity":
            assert values.between(variable.low, variable.high).all(), name
    assert frame["total_cholesterol"].median() == pytest.approx(4.6, abs=0.4)  # mmol/L


def test_a_table_is_read_from_csv_in_the_data_sets_own_codes(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"RANDID": [1], "AGE": [50], "SEX": [2], "BMI": [25.0], "SYSBP": [120], "DIABP": [80],
         "HEARTRTE": [70], "BPMEDS": [np.nan], "CURSMOKE": [1], "DIABETES": [0],
         "TOTCHOL": [200], "HDLC": [5], "TIME": [0], "PREVHYP": [0], "PREVCHD": [0],
         "PREVSTRK": [0], "HYPERTEN": [1], "TIMEHYP": [1000], "CVD": [0], "TIMECVD": [8766],
         "DEATH": [0], "TIMEDTH": [8766]}
    )  # fmt: skip
    file = tmp_path / "table.csv"
    table.to_csv(file, index=False)

    loaded = load_table("framingham", file)
    row = loaded.frame.iloc[0]

    assert row["sex"] == VARIABLES["sex"].encode("female")
    assert row["total_cholesterol"] == pytest.approx(5.17, abs=0.01)
    assert np.isnan(row["bp_treated"])
    assert np.isnan(row["hdl_cholesterol"])  # 5 mg/dL is not plausible
    assert loaded.implausible["hdl_cholesterol"] == 1


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    pd.DataFrame({"AGE": [50]}).to_parquet(file)

    with pytest.raises(ValueError, match=r"BMI, .*SYSBP.*TOTCHOL"):
        load_table("framingham", file)


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="CDSS_DATA"):
        load_table("nhanes", tmp_path / "gone.parquet")


@pytest.mark.parametrize("definition", MODELS.values(), ids=MODELS)
def test_a_definition_is_coherent(definition: Definition) -> None:
    predictors = definition.predictors

    assert len(set(predictors)) == len(predictors)
    assert set(predictors) <= VARIABLES.keys()
    assert definition.monotone.keys() <= set(predictors)
    assert set(definition.monotone.values()) <= {1, -1}
    assert all(VARIABLES[name].kind == "yes_no" for name in definition.excluded)
    assert not set(definition.excluded) & set(predictors)
    assert all(definition.inputs.values())
    assert all(definition.optional.values())
    assert list(definition.tiers)[-1] == "all"


@pytest.mark.parametrize(
    ("model", "forbidden"),
    [
        ("hypertension-undiagnosed", {"systolic_bp", "diastolic_bp"}),
        ("diabetes-undiagnosed", {"hba1c", "fasting_glucose"}),
    ],
)
def test_the_outcome_is_not_a_predictor(model: str, forbidden: set[str]) -> None:
    assert not forbidden & set(MODELS[model].predictors)


def test_teaching_data_make_demonstrations_only() -> None:
    demonstrations = {name for name, d in MODELS.items() if d.demonstration}

    assert demonstrations == {n for n, d in MODELS.items() if d.dataset == "framingham"}


def test_tiers_hide_what_is_not_measured(small) -> None:
    definition = MODELS["diabetes-undiagnosed"]
    cohort = definition.cohort(small)

    bare = definition.hide(cohort.x, definition.tiers["required_only"])
    assert bare[list(definition.optional)].isna().all().all()
    assert bare[list(definition.inputs)].notna().all().all()
    tests = definition.hide(cohort.x, definition.tiers["no_laboratory"])
    assert tests["hdl_cholesterol"].isna().all()
    assert tests["bmi"].notna().any()


def test_everybody_is_seen_with_less_and_less_known(small) -> None:
    definition = MODELS["diabetes-undiagnosed"]
    cohort = definition.cohort(small)
    sample = with_hidden_panels(cohort, definition, 0.0)
    copies = np.split(sample.x.isna().to_numpy().mean(axis=1), 4)

    assert len(sample.y) == 4 * len(cohort)
    assert sample.weight.sum() == pytest.approx(len(cohort))
    assert copies[0].mean() < copies[2].mean() < copies[3].mean()
    assert sample.x["age"].notna().all()


# Counted once in the tables as distributed; a change of eligibility must be meant.
PEOPLE = {
    "cvd-death": (22061, 495),
    "cvd-incident": (8138, 857),
    "diabetes-incident": (160504, 3303),
    "diabetes-undiagnosed": (13058, 783),
    "hypertension-incident": (4410, 538),
    "hypertension-undiagnosed": (19625, 2425),
}


@pytest.mark.parametrize("model", PEOPLE)
def test_who_a_model_is_made_from(model: str, shared: Path) -> None:
    definition = MODELS[model]
    cohort = definition.cohort(load_table(definition.dataset))

    assert (len(cohort), int(cohort.y.sum())) == PEOPLE[model]
    assert [n for _, n in cohort.flow] == sorted((n for _, n in cohort.flow), reverse=True)
    assert cohort.weight.mean() == pytest.approx(1, abs=0.02)
    assert cohort.x[list(definition.inputs)].notna().all().all()
    assert not np.isinf(cohort.x.to_numpy()).any()
