import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdss.units import UNITS, canonical_unit, convert
from cdss.variables import VARIABLES

PAIRS = [(name, unit) for name, units in UNITS.items() for unit in units]


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("total_cholesterol", 240, "mg/dL", 6.21),  # 6.2 mmol/L, as NCEP ATP III prints it
        ("hdl_cholesterol", 40, "mg/dL", 1.03),
        ("triglycerides", 150, "mg/dL", 1.69),
        ("fasting_glucose", 126, "mg/dL", 6.99),  # 7.0 mmol/L, WHO 2006
        ("hba1c", 48, "mmol/mol", 6.54),  # 6.5 %, WHO 2011
        ("creatinine", 1, "mg/dL", 88.4),
        ("uric_acid", 7, "mg/dL", 416.39),
        ("uacr", 3, "mg/mmol", 26.52),  # KDIGO prints 3 mg/mmol for 30 mg/g, rounded
        ("systolic_bp", 16, "kPa", 120.01),
        ("height", 5.5, "ft", 167.64),
        ("waist", 35, "in", 88.9),
        ("weight", 150, "lb", 68.04),
        ("age", 300, "mo", 25.0),
        ("alt", 1, "ukat/L", 60.0),
    ],
)
def test_known_conversions(name: str, value: float, unit: str, expected: float) -> None:
    assert expected == pytest.approx(convert(name, value, unit), abs=0.005)


@pytest.mark.parametrize(("name", "unit"), PAIRS)
def test_an_accepted_unit_is_its_own_spelling(name: str, unit: str) -> None:
    assert unit == canonical_unit(unit)


@given(st.sampled_from(PAIRS), st.floats(0, 1))
def test_there_and_back(pair: tuple[str, str], share: float) -> None:
    name, unit = pair
    variable, conversion = VARIABLES[name], UNITS[name][unit]
    canonical = variable.low + share * (variable.high - variable.low)
    sent = (canonical - conversion.offset) / conversion.factor

    assert canonical == pytest.approx(convert(name, sent, unit), rel=1e-12)


@given(st.sampled_from(PAIRS), st.floats(0, 1e4), st.floats(0, 1e4))
def test_more_stays_more(pair: tuple[str, str], one: float, other: float) -> None:
    name, unit = pair
    low, high = sorted((one, other))

    assert convert(name, low, unit) <= convert(name, high, unit)


def test_the_canonical_unit_comes_first_and_changes_nothing() -> None:
    for name, units in UNITS.items():
        assert VARIABLES[name].unit == next(iter(units))
        assert 12.3 == convert(name, 12.3, VARIABLES[name].unit)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("mmHg", "mm[Hg]"),
        ("µmol/L", "umol/L"),  # micro sign
        ("μmol/l", "umol/L"),  # Greek mu
        ("mL/min/1.73m²", "mL/min/{1.73_m2}"),
        ("ml/min/1.73 m2", "mL/min/{1.73_m2}"),
        (" MG/DL ", "mg/dL"),
        ("kg/m²", "kg/m2"),
        ("IU/L", "U/L"),
        ("", None),
        ("furlong", None),
    ],
)
def test_spellings(spelling: str, expected: str | None) -> None:
    assert expected == canonical_unit(spelling)


@pytest.mark.parametrize(
    ("name", "unit"), [("hba1c", "mmol/L"), ("age", "kg"), ("alt", "mg/dL"), ("weight", "?")]
)
def test_a_unit_of_another_analyte_is_refused(name: str, unit: str) -> None:
    assert convert(name, 5.0, unit) is None


def test_the_same_unit_means_another_factor_for_another_analyte() -> None:
    cholesterol, glucose = (
        convert(n, 100, "mg/dL") for n in ("total_cholesterol", "fasting_glucose")
    )

    assert (2.586, 5.551) == (round(cholesterol or 0, 3), round(glucose or 0, 3))
