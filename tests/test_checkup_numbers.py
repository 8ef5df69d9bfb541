"""Numbers, pressures and dates as they are written in Viet Nam; nothing ambiguous is read."""

from datetime import date

import pytest

from cdss.checkup.numbers import AMBIGUOUS, NO_NUMBER, birth, moment, number, pressure


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("5.6", 5.6),
        ("5,6", 5.6),
        ("0,123", 0.123),
        ("0.123", 0.123),
        ("1234.567", 1234.567),
        ("1234,5", 1234.5),
        ("12,3456", 12.3456),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.234.567", 1234567.0),
        ("1,234,567.25", 1234567.25),
        ("-3,5", -3.5),
        ("007", 7.0),
    ],
)
def test_what_can_be_read_in_one_way_is_read(text: str, value: float) -> None:
    assert value == number(text)


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.345", "123,456", "-1.234", "5.600"])
def test_thousands_or_decimals_is_never_guessed(text: str) -> None:
    assert AMBIGUOUS == number(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "<0.1", ">5", "Âm tính", "5.6 H", "5.6 mmol/L", "5..6", ".5", "5,", "1 234", "1e3",
     "0x10", "nan", "inf", "1_000", "５", "٥", "1.23.456", "1.2345,6", "1,2.3,4", "--5", "9" * 25,
     "1/2", "½", "5-6"],
)  # fmt: skip
def test_anything_else_is_no_number(text: str) -> None:
    assert NO_NUMBER == number(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120/80", (120.0, 80.0)),
        ("120 / 80", (120.0, 80.0)),
        ("95/60 mmHg", (95.0, 60.0)),
        ("12080", None),
        ("120", None),
        ("120/", None),
        ("120-80", None),
        ("120/80/60", None),
        ("120,5/80", None),
        ("1200/80", None),
        ("không đo", None),
    ],
)
def test_pressures(text: str, expected: tuple[float, float] | None) -> None:
    assert expected == pressure(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261120", (date(2026, 11, 20), 0)),
        ("202611201330", (date(2026, 11, 20), 810)),
        ("20261120133059", (date(2026, 11, 20), 810)),
        ("202611202460", None),
        ("20261320", None),
        ("20260230", None),
        ("2026-11-20", None),
        ("20/11/2026", None),
        ("2026", None),
        ("00000000", None),
        ("", None),
    ],
)
def test_moments(text: str, expected: tuple[date, float] | None) -> None:
    assert expected == moment(text)


@pytest.mark.parametrize(
    ("text", "day", "exact"),
    [
        ("19720315", date(1972, 3, 15), True),
        ("197203150830", date(1972, 3, 15), True),
        ("1972", date(1972, 7, 1), False),
        ("19720000", date(1972, 7, 1), False),
        ("197203", date(1972, 3, 15), False),
        ("19720300", date(1972, 3, 15), False),
    ],
)
def test_births(text: str, day: date, exact: bool) -> None:
    assert (day, exact) == birth(text)


@pytest.mark.parametrize(
    "text", ["", "72", "19721315", "19720230", "19720015", "15/03/1972", "0000"]
)
def test_what_is_no_birth(text: str) -> None:
    assert birth(text) is None


def test_age_is_counted_in_completed_years() -> None:
    born = birth("19720315")
    assert born is not None
    assert [53, 54] == [born.age(date(2026, 3, 14)), born.age(date(2026, 3, 15))]
    leap = birth("20000229")
    assert leap is not None
    assert [17, 18] == [leap.age(date(2018, 2, 28)), leap.age(date(2018, 3, 1))]
