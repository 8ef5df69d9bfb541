import csv
from pathlib import Path

import pytest

from cdss.derived import DERIVED, body_mass_index, derive, egfr_ckd_epi_2021
from cdss.variables import VARIABLES

# Serum creatinine mg/dL, age, sex, eGFR. Origin: preventr 0.12.0, an independent implementation in
# R, unrounded; both sexes, both sides of the knot (0.7 and 0.9 mg/dL).
PREVENTR = [
    (0.30, 18, "female", 157.591622009),
    (0.59, 69, "female", 97.497308321),
    (1.01, 32, "female", 75.8522754489),
    (6.97, 29, "female", 7.60988249898),
    (0.42, 78, "male", 110.044845363),
    (0.88, 19, "male", 127.033034093),
    (1.05, 94, "male", 65.7744890864),
    (4.99, 24, "male", 15.6615419752),
]


@pytest.mark.parametrize(("mg_dl", "age", "sex", "expected"), PREVENTR)
def test_egfr_known_answers(mg_dl: float, age: float, sex: str, expected: float) -> None:
    assert expected == pytest.approx(egfr_ckd_epi_2021(88.4 * mg_dl, age, sex), rel=1e-9)


def test_egfr_agrees_with_three_peers(shared: Path) -> None:
    with (shared / "vectors" / "ckd_epi_2021.csv").open() as file:
        rows = list(csv.DictReader(file))
    ours = [egfr_ckd_epi_2021(88.4 * float(r["scr_mgdl"]), float(r["age"]), r["sex"]) for r in rows]

    assert rows
    assert [float(r["preventr_unrounded"]) for r in rows] == pytest.approx(ours, rel=1e-9)
    assert [float(r["nobra_1dp"]) for r in rows] == pytest.approx(ours, abs=0.0501)
    assert [float(r["clincalc_rounded"]) for r in rows] == pytest.approx(ours, abs=0.501)


def test_bmi_is_weight_over_height_in_metres_squared() -> None:
    assert 20.0 == pytest.approx(body_mass_index(80, 200))


def test_everything_that_follows_is_derived() -> None:
    derived = derive(
        {
            "age": 50, "sex": "female", "creatinine": 88.4, "weight": 80, "height": 200,
            "smoking": "former", "total_cholesterol": 5.5, "hdl_cholesterol": 1.5,
        }
    )  # fmt: skip

    assert {"bmi", "current_smoker", "non_hdl_cholesterol", "egfr"} == set(derived)
    assert 20.0 == pytest.approx(derived["bmi"])
    assert 4.0 == pytest.approx(derived["non_hdl_cholesterol"])
    assert 69 == round(derived["egfr"])
    assert derived["current_smoker"] is False
    assert derive({"smoking": "current"})["current_smoker"] is True


def test_a_recorded_value_wins() -> None:
    assert {} == derive({"weight": 80, "height": 200, "bmi": 21.5})


@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.variable)
def test_nothing_is_derived_from_a_part(row) -> None:
    plausible = {"age": 70, "sex": "male", "smoking": "never"}
    values = {
        need: plausible.get(need, (VARIABLES[need].options or (VARIABLES[need].low,))[-1])
        for need in row.needs
    }
    if row.needs == ("family_history_diabetes",):
        values = {"family_history_diabetes": False}

    assert row.variable in derive(values)
    for need in row.needs:
        assert row.variable not in derive({n: v for n, v in values.items() if n != need})
