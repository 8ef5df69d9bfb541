import math
from collections import Counter

import pytest

from cdss.errors import DefinitionError
from cdss.source import Source
from cdss.variables import VARIABLES, Variable

SOURCE = Source("Somebody", "Table 3")


def test_every_row_is_kept_under_its_name() -> None:
    assert all(name == variable.name for name, variable in VARIABLES.items())
    assert {"quantity", "yes_no", "choice"} == {v.kind for v in VARIABLES.values()}


def test_the_dictionary_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        VARIABLES["age"] = VARIABLES["sex"]  # type: ignore[index]


def test_absence_is_never_no() -> None:
    assert {"unknown"} == {v.absent_means for v in VARIABLES.values()}


def test_only_quantities_have_units() -> None:
    with_units = {v.name for v in VARIABLES.values() if v.unit}

    assert {v.name for v in VARIABLES.values() if v.kind == "quantity"} == with_units


def test_a_loinc_code_belongs_to_one_variable() -> None:
    uses = Counter(code for v in VARIABLES.values() for code in v.loinc)

    assert [] == [code for code, count in uses.items() if count > 1]


@pytest.mark.parametrize("code", [code for v in VARIABLES.values() for code in v.loinc])
def test_loinc_check_digit(code: str) -> None:
    """Mod 10, LOINC Users' Guide appendix: a mistyped code almost always fails it."""
    number, check = code.split("-")
    odd = str(2 * int(number[::-1][::2][::-1]))
    total = sum(map(int, odd + number[::-1][1::2]))

    assert (-total) % 10 == int(check)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("age", 54, 54.0),
        ("diabetes", True, 1.0),
        ("diabetes", False, 0.0),
        ("sex", "male", 0.0),
        ("sex", "female", 1.0),
        ("smoking", "never", 0.0),
        ("smoking", "former", 1.0),
        ("smoking", "current", 2.0),
    ],
)
def test_encoding(name: str, value: float | bool | str, expected: float) -> None:
    assert expected == VARIABLES[name].encode(value)


@pytest.mark.parametrize("name", VARIABLES)
def test_unknown_is_nan_and_never_zero(name: str) -> None:
    assert math.isnan(VARIABLES[name].encode(None))


@pytest.mark.parametrize(
    "facts",
    [
        {"unit": "", "low": 0, "high": 1, "source": SOURCE},
        {"unit": "kg", "low": 1, "high": 1, "source": SOURCE},
        {"unit": "kg", "source": SOURCE},
        {"unit": "kg", "low": 0, "high": 1},
    ],
)
def test_a_quantity_without_unit_range_or_source_is_refused(facts: dict) -> None:
    with pytest.raises(DefinitionError, match="unit, low < high and a source"):
        Variable("x", "quantity", "g", **facts)


def test_a_choice_without_choices_is_refused() -> None:
    with pytest.raises(DefinitionError, match="at least two choices"):
        Variable("x", "choice", "g", choices=("only",))
