"""From an envelope to records: what is used, what is not, and that it is told."""

from __future__ import annotations

import json
from datetime import date

import pytest

from cdss.checkup.read import CheckUp, read_envelope
from cdss.checkup.site import Site
from cdss.errors import DefinitionError
from tests.checkup_files import FLAGS, dossier, envelope, file, lab, person
from tests.checkup_files import block as xml

DEFAULTS = {"CHIEU_CAO": "165", "CAN_NANG": "60", "CHI_SO_BMI": "22.0", "HUYET_AP": "120/80",
            "MACH": "80"}  # fmt: skip


def read(site: Site | None = None, index_date: date | None = None, **parts: object) -> CheckUp:
    [one] = read_envelope(envelope([person(**parts)]), index_date, site or Site()).people  # type: ignore[arg-type]
    return one


def values(one: CheckUp) -> dict[str, object]:
    """Recorded values, without derived ones."""
    record = one.reading.record
    assert record is not None
    return {name: v for name, v in record.values.items() if name not in record.derived}


def codes(one: CheckUp) -> list[tuple[str, str]]:
    """Problems but the usual one."""
    return [(p.code, p.variable) for p in one.reading.problems if p.code != "perhaps_unasked"]


@pytest.mark.parametrize("in_place", [False, True])
def test_an_envelope_becomes_a_record(in_place: bool) -> None:
    [one] = read_envelope(envelope([person()], in_place=in_place)).people

    assert ("KSK.2026.0001", "MA_LK", date(2026, 11, 20)) == (one.row, one.named_by, one.index_date)
    assert {
        "age": 54, "sex": "female", "height": 156, "weight": 61.5, "bmi": 25.3, "heart_rate": 76,
        "systolic_bp": 142, "diastolic_bp": 88, "fasting_glucose": 6.1, "total_cholesterol": 5.9,
        "hdl_cholesterol": 1.2, "creatinine": 71,
    } == values(one)  # fmt: skip
    assert [] == codes(one)


def test_every_value_says_where_and_when() -> None:
    one = read()

    basis = {b.variable: (b.at, b.day) for b in one.reading.basis}
    assert ("HOSO/1/XML10/HUYET_AP", date(2026, 11, 20)) == basis["systolic_bp"]
    assert ("HOSO/1/XML11/CHI_TIET_CLS/3", date(2026, 11, 20)) == basis["hdl_cholesterol"]
    assert ("HOSO/1/XML1/NGAY_SINH", None) == basis["age"]
    assert one.reading.record is not None
    assert set(basis) == set(one.reading.record.values) - one.reading.record.derived


def test_smoking_and_waist_are_unknown_and_never_no() -> None:
    for site in (Site(), Site(zero_is_no=True)):
        assert not {"smoking", "current_smoker", "waist"} & set(values(read(site)))


def test_age_is_that_of_the_index_date_and_old_measurements_are_stale() -> None:
    one = read(index_date=date(2028, 3, 20))

    assert 56 == values(one)["age"]
    assert "weight" not in values(one)
    assert ("stale", "weight") in codes(one)


def test_an_index_date_before_the_visit_knows_nothing_of_it() -> None:
    one = read(index_date=date(2026, 11, 19))

    assert {"age": 54, "sex": "female"} == values(one)
    assert {"future_date"} == {code for code, _ in codes(one)}


@pytest.mark.parametrize("day", [None, "", "2026-11-20", "20261332", "20/11/2026"])
def test_without_a_day_of_the_visit_there_is_no_record(day: str | None) -> None:
    one = read(XML2=None if day is None else {"NGAY_VAO": day})

    assert one.reading.record is None
    assert one.index_date is None
    assert [("wrong_moment", "NGAY_VAO")] == codes(one)


def test_with_an_index_date_but_no_visit_nothing_measured_is_used() -> None:
    one = read(index_date=date(2026, 11, 20), XML2=None)

    assert {"age", "sex", "height"} == set(values(one))
    assert ("undated", "systolic_bp") in codes(one)


@pytest.mark.parametrize(
    ("parts", "gone", "expected"),
    [
        ({"XML1": {"GIOI_TINH": "3"}}, "sex", ("not_a_choice", "sex")),
        ({"XML1": {"GIOI_TINH": "Nữ"}}, "sex", ("not_a_choice", "sex")),
        ({"XML1": {"NGAY_SINH": "15/03/1972"}}, "age", ("wrong_moment", "NGAY_SINH")),
        ({"XML1": {"NGAY_SINH": "20300101"}}, "age", ("implausible", "age")),
        ({"XML1": {"NGAY_SINH": "18720101"}}, "age", ("implausible", "age")),
        ({"XML10": {"CHIEU_CAO": "1,56"}}, "height", ("implausible", "height")),
        ({"XML10": {"CHIEU_CAO": "1.560"}}, "height", ("ambiguous_number", "height")),
        ({"XML10": {"CHIEU_CAO": "156 cm"}}, "height", ("not_a_number", "height")),
        ({"XML10": {"MACH": "0"}}, "heart_rate", ("implausible", "heart_rate")),
        ({"XML10": {"HUYET_AP": "14288"}}, "systolic_bp", ("wrong_pressure", "HUYET_AP")),
        ({"XML10": {"HUYET_AP": "88/142"}}, "systolic_bp", ("contradictory", "systolic_bp")),
        ({"XML10": {"HUYET_AP": "00/00"}}, "diastolic_bp", ("implausible", "diastolic_bp")),
        ({"XML10": {"CAN_NANG": "615"}}, "weight", ("implausible", "weight")),
    ],
)
def test_one_bad_field_costs_that_field_only(
    parts: dict[str, object], gone: str, expected: tuple[str, str]
) -> None:
    one = read(**parts)

    assert expected in codes(one)
    assert gone not in values(one)
    assert "total_cholesterol" in values(one)


@pytest.mark.parametrize(("born", "age"), [("1972", 54), ("19720000", 54), ("197212", 53)])
def test_a_year_of_birth_gives_an_age_that_is_told_to_be_rough(born: str, age: int) -> None:
    one = read(XML1={"NGAY_SINH": born})

    assert age == values(one)["age"]
    assert [("age_roughly", "age")] == codes(one)


def test_nothing_is_made_of_a_child() -> None:
    one = read(XML1={"NGAY_SINH": "20081121"})

    assert one.reading.record is None
    assert [("child", "age")] == codes(one)


def test_the_default_tuple_is_told_and_not_used() -> None:
    one = read(XML10=DEFAULTS)

    assert {"age", "sex"} | {v for v in values(one) if "chol" in v or v in (
        "fasting_glucose", "creatinine")} == set(values(one))  # fmt: skip
    assert {("suspect_default", tag) for tag in DEFAULTS} == set(codes(one))


@pytest.mark.parametrize(
    ("measured", "used"),
    [
        ({"HUYET_AP": "138/84"}, {"systolic_bp", "diastolic_bp"}),
        ({"CHIEU_CAO": "158", "CHI_SO_BMI": "24,0"}, {"height", "bmi"}),
        ({"CAN_NANG": "72,5", "CHI_SO_BMI": "26,6"}, {"weight", "bmi"}),
    ],
)
def test_of_three_defaults_or_more_none_is_used_but_what_was_measured_is(
    measured: dict[str, str], used: set[str]
) -> None:
    one = read(XML10=DEFAULTS | measured)

    anthropometry = {"height", "weight", "bmi", "heart_rate", "systolic_bp", "diastolic_bp"}
    assert used == set(values(one)) & anthropometry
    assert {"suspect_default"} == {code for code, _ in codes(one)}


def test_two_defaults_are_used_and_told() -> None:
    one = read(XML10={"HUYET_AP": "120/80", "MACH": "80"})

    assert (120, 80) == (values(one)["systolic_bp"], values(one)["heart_rate"])
    assert [("possible_default", "HUYET_AP"), ("possible_default", "MACH")] == codes(one)


def test_a_body_mass_index_that_follows_is_no_third_default() -> None:
    one = read(XML10={"CHIEU_CAO": "165", "CAN_NANG": "60", "CHI_SO_BMI": "22"})

    assert (165, 60, 22) == tuple(values(one)[name] for name in ("height", "weight", "bmi"))
    assert {"possible_default"} == {code for code, _ in codes(one)}


def test_one_plausible_default_is_a_value_like_others() -> None:
    assert [] == codes(read(XML10={"HUYET_AP": "120/80"}))


def test_a_filled_in_body_mass_index_contradicts_weight_and_height() -> None:
    one = read(XML10={"CHIEU_CAO": "150", "CAN_NANG": "80", "CHI_SO_BMI": "22.0"})

    assert not {"height", "weight", "bmi"} & set(values(one))
    assert {("contradictory", name) for name in ("height", "weight", "bmi")} == set(codes(one))


def test_rounding_of_a_body_mass_index_is_no_contradiction() -> None:
    assert [] == codes(read(XML10={"CHI_SO_BMI": "25"}))


def test_parts_of_two_visits_are_never_put_together() -> None:
    one = read(XML10={"MA_LK": "KSK.2026.0002"})

    assert one.reading.record is None
    assert [("mixed_visits", "MA_LK")] == codes(one)


def test_a_part_there_twice_is_used_if_it_is_the_same_and_else_not() -> None:
    same, other = (file("XML10", xml("XML10", {"HUYET_AP": bp})) for bp in ("142/88", "120/70"))
    twice, both = (
        dossier(person(XML10=None)).replace("</HOSO>", f"{first}{second}</HOSO>")
        for first, second in ((same, same), (same, other))
    )
    used, left = read_envelope(envelope([twice, both])).people

    assert 142 == values(used)["systolic_bp"]
    assert "systolic_bp" not in values(left)
    assert [("repeated_part", "XML10")] == codes(left)


def test_a_field_there_twice_with_two_values_is_not_used() -> None:
    text = "<KHAM_THE_LUC><MACH>70</MACH><MACH>90</MACH><HUYET_AP>142/88</HUYET_AP></KHAM_THE_LUC>"
    whole = dossier(person(XML10=None)).replace("</HOSO>", file("XML10", text) + "</HOSO>")
    [one] = read_envelope(envelope([whole])).people

    assert "heart_rate" not in values(one)
    assert 142 == values(one)["systolic_bp"]
    assert [("repeated_field", "MACH")] == codes(one)


def test_kinds_of_parts_that_say_nothing_are_passed_over_and_unknown_ones_told() -> None:
    more = file("XML7", "!") + file("XML99", "!") + file("", "")
    whole = dossier(person()).replace("</HOSO>", f"{more}</HOSO>")
    [one] = read_envelope(envelope([whole])).people

    assert 142 == values(one)["systolic_bp"]
    assert [("unknown_part", "FILEHOSO")] * 2 == codes(one)


@pytest.mark.parametrize(
    ("code", "row", "named_by"),
    [
        ("KSK.2026.0001", "KSK.2026.0001", "MA_LK"),
        ("001172009999", "HOSO/1", "position"),  # the citizen's number
        ("VISIT-001172009999", "HOSO/1", "position"),
        ("001172000000", "HOSO/1", "position"),  # could be one
        ("123456789", "HOSO/1", "position"),
        ("nguyen.thi-MAU_7", "HOSO/1", "position"),  # the name
        ("Nguyễn Thị Mẫu", "HOSO/1", "position"),
        ("=1+1", "HOSO/1", "position"),
        ("", "HOSO/1", "position"),
        ("x" * 101, "HOSO/1", "position"),
    ],
)
def test_a_row_never_tells_who_it_is(code: str, row: str, named_by: str) -> None:
    one = read(XML2={"MA_LK": code})

    assert (row, named_by) == (one.row, one.named_by)


def test_a_code_of_two_people_names_neither() -> None:
    people = read_envelope(envelope([person(7), person(7), person(8)])).people

    assert ["HOSO/1", "HOSO/2", "KSK.2026.0008"] == [one.row for one in people]


def test_no_problem_tells_a_value() -> None:
    canary = "71CANARY93"
    part = {tag: canary for tag in ("HO_TEN", "SO_CCCD", "GIOI_TINH", "NGAY_SINH", *FLAGS,
            "TSBT_MA_BENH", "TSGD_MA_BENH", "TSBT_TEN_THUOC_LIEU_LUONG")}  # fmt: skip
    one = read(
        XML1=part,
        XML10=dict.fromkeys(DEFAULTS, canary),
        XML11=[lab("HDL-C", canary, "mmol/L"), lab("HDL-C", "1,2", canary), lab(canary, "1", "g")],
        XML12={"KET_LUAN_BENH": canary},
    )
    told = json.dumps([(p.code, p.variable, p.detail, p.params) for p in one.reading.problems])

    assert len(one.reading.problems) > 15
    assert canary not in told + one.row


@pytest.mark.parametrize(
    "table",
    [
        {"zero": True},
        {"zero_is_no": 1},
        {"glucose": "fasting"},
        {"codes": ["A"]},
        {"codes": {"A": "smoking"}},
    ],
)
def test_a_site_file_is_checked(table: dict[str, object]) -> None:
    with pytest.raises(DefinitionError, match="site"):
        Site.parse(table)
