"""History, diagnoses, treatment and laboratory rows."""

from __future__ import annotations

import pytest

from cdss.checkup.site import Site
from tests.checkup_files import FLAGS, lab
from tests.test_checkup_read import codes, read, values

ASKED = Site(zero_is_no=True)
HISTORY = {
    "hypertension", "diabetes", "diabetes_type", "prior_mi", "prior_stroke", "prior_cvd", "ckd",
    "drinks_alcohol", "family_history_diabetes", "bp_treated", "on_metformin", "on_statin",
}  # fmt: skip


def history(one: object) -> dict[str, object]:
    return {name: v for name, v in values(one).items() if name in HISTORY}  # type: ignore[arg-type]


def test_zero_is_unknown_unless_the_site_says_that_it_is_an_answer() -> None:
    one = read()

    assert {} == history(one)
    [problem] = one.reading.problems
    assert "perhaps_unasked" == problem.code
    assert set(FLAGS) == set(problem.params["tags"])


def test_zero_is_no_where_the_site_says_so() -> None:
    one = read(ASKED)

    no = ("hypertension", "diabetes", "prior_mi", "prior_stroke", "prior_cvd", "ckd")
    assert dict.fromkeys(no, False) == history(one)
    assert [] == list(one.reading.problems)


def test_a_missing_answer_is_unknown_even_there() -> None:
    blank = dict.fromkeys(FLAGS, "")

    assert {} == history(read(ASKED, XML1=blank))
    assert "prior_cvd" not in history(read(ASKED, XML1={"TSBT_PHAU_THUAT_TIM": ""}))


@pytest.mark.parametrize("part", ["XML1", "XML9"])
def test_one_is_yes_in_either_part(part: str) -> None:
    yes = {"TSBT_TANG_HUYET_AP": "1", "TSBT_DAI_THAO_DUONG": "1", "TSBT_TAI_BIEN": "1",
           "TSBT_RUOU_THUONG_XUYEN": "1"}  # fmt: skip
    blank = {} if part == "XML1" else {"XML1": dict.fromkeys(FLAGS, "")}
    one = read(**{**blank, part: yes})

    assert dict.fromkeys(("hypertension", "diabetes", "prior_stroke", "drinks_alcohol"), True) == (
        history(one)
    )
    assert one.reading.record is not None
    assert one.reading.record.values["prior_cvd"] is True


def test_a_disease_that_is_not_named_is_told_and_not_used() -> None:
    for site in (Site(), ASKED):
        one = read(site, XML1={"TSBT_BENH_TIM": "1", "TSBT_BENH_THAN": "1"})
        assert not {"prior_cvd", "prior_mi", "ckd"} & set(history(one))
        assert [("unspecific", "TSBT_BENH_TIM"), ("unspecific", "TSBT_BENH_THAN")] == codes(one)


@pytest.mark.parametrize("answer", ["2", "Có", "true", "x", "01"])
def test_another_answer_is_told(answer: str) -> None:
    one = read(ASKED, XML1={"TSBT_DAI_THAO_DUONG": answer})

    assert "diabetes" not in history(one)
    assert [("wrong_flag", "TSBT_DAI_THAO_DUONG")] == codes(one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I10", {"hypertension": True}),
        ("I10;E11.9", {"hypertension": True, "diabetes": True, "diabetes_type": "type_2"}),
        (" i10 ; e10 ", {"hypertension": True, "diabetes": True, "diabetes_type": "type_1"}),
        ("E119", {"diabetes": True, "diabetes_type": "type_2"}),
        ("E11.9†; I10*", {"diabetes": True, "diabetes_type": "type_2", "hypertension": True}),
        ("E13.9", {"diabetes": True, "diabetes_type": "other"}),
        ("E14", {"diabetes": True}),
        ("I21.0", {"prior_mi": True}),
        ("I25.2", {"prior_mi": True, "prior_cvd": True}),
        ("I25.1|Z95.5", {"prior_cvd": True}),
        ("I63.9,N18.3", {"prior_stroke": True, "ckd": True}),
        ("G45.9", {"prior_stroke": True}),
        ("G45.4", {}),
        ("I69.3", {"prior_stroke": True}),
        ("Z00.0", {}),
        ("N20.0; I83.9", {}),
        ("I10 - Tăng huyết áp", {"hypertension": True}),
        ("E11.9: Đái tháo đường típ 2", {"diabetes": True, "diabetes_type": "type_2"}),
    ],
)
@pytest.mark.parametrize("tag", ["TSBT_MA_BENH", "KET_LUAN_BENH"])
def test_a_listed_code_says_yes(tag: str, text: str, expected: dict[str, object]) -> None:
    part = {"TSBT_MA_BENH": "XML1", "KET_LUAN_BENH": "XML12"}[tag]
    one = read(**{part: {tag: text}})

    assert expected == history(one)
    assert [] == codes(one)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bình thường", "no_code"),
        ("Tăng huyết áp", "no_code"),
        ("I1", "no_code"),
        ("I100000", "no_code"),
        ("I10A", "no_code"),
        ("I10 - theo dõi tăng huyết áp", "doubtful_code"),
        ("E11 (nghi ngờ)", "doubtful_code"),
        ("E11?", "doubtful_code"),
        ("không I10", "no_code"),
        ("I10 không", "doubtful_code"),
        ("TD E11", "no_code"),
    ],
)
def test_words_and_suspicions_say_nothing(text: str, code: str) -> None:
    one = read(XML12={"KET_LUAN_BENH": text})

    assert {} == history(one)
    assert [(code, "KET_LUAN_BENH")] == codes(one)


def test_of_two_types_of_diabetes_neither_is_used() -> None:
    one = read(XML1={"TSBT_MA_BENH": "E10"}, XML12={"KET_LUAN_BENH": "E11"})

    assert {"diabetes": True} == history(one)
    assert [("contradictory", "diabetes_type")] * 2 == codes(one)


def test_a_code_counts_more_than_a_zero() -> None:
    one = read(ASKED, XML1={"TSBT_MA_BENH": "I10"})

    assert history(one)["hypertension"] is True
    assert [("overruled", "hypertension")] == codes(one)


def test_codes_of_the_family_are_not_the_persons() -> None:
    one = read(XML1={"TSGD_MAC_BENH": "1", "TSGD_MA_BENH": "E11;I21"})

    assert {"family_history_diabetes": True} == history(one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amlodipin 5mg x 1 viên/ngày", {"bp_treated": True}),
        ("metformin 850mg; ATORVASTATIN 20 mg", {"on_metformin": True, "on_statin": True}),
        ("Amlodipin + Valsartan (Exforge)", {"bp_treated": True}),
        ("Đang dùng Losartan 50mg", {"bp_treated": True}),
        ("Indapamid 1,5mg, amlodipin/atorvastatin 5/10", {"bp_treated": True, "on_statin": True}),
        ("Panadol", {}),
        ("Bisoprolol 2,5mg", {}),
        ("Amlodipinee", {}),
    ],
)
def test_generic_names_in_a_text(text: str, expected: dict[str, object]) -> None:
    one = read(XML1={"TSBT_TEN_THUOC_LIEU_LUONG": text})

    assert expected == history(one)
    assert ["unlisted_drugs"] * (not expected) == [code for code, _ in codes(one)]


@pytest.mark.parametrize(
    "text",
    ["Không dùng amlodipin", "amlodipin (đã ngưng)", "Dị ứng captopril", "dừng metformin 2 năm",
     "khong uong metformin", "dung metformin", "Trước đây dùng simvastatin", "amlodipin?",
     "metformin; bỏ thuốc"],
)  # fmt: skip
def test_a_drug_that_may_be_denied_is_told_and_not_used(text: str) -> None:
    one = read(XML1={"TSBT_TEN_THUOC_LIEU_LUONG": text})

    assert {} == history(one)
    assert [("doubtful_drugs", "TSBT_TEN_THUOC_LIEU_LUONG")] == codes(one)


def test_no_drug_is_not_untreated() -> None:
    one = read(ASKED, XML1={"TSBT_TEN_THUOC_LIEU_LUONG": "Không"})

    assert "bp_treated" not in history(one)
    assert [("unlisted_drugs", "TSBT_TEN_THUOC_LIEU_LUONG")] == codes(one)


@pytest.mark.parametrize(
    ("name", "value", "unit", "variable", "expected"),
    [
        ("Định lượng Cholesterol toàn phần [Máu]", "5,6", "mmol/L", "total_cholesterol", 5.6),
        ("CHOLESTEROL", "218", "mg/dL", "total_cholesterol", 5.638),
        ("Định lượng HDL-C (High density lipoprotein Cholesterol) [Máu]", "1.1", "mmol/l",
         "hdl_cholesterol", 1.1),
        ("LDL - C", "3,45", "mmol/L", "ldl_cholesterol", 3.45),
        ("Định lượng Triglycerid (máu)", "2.3", "mmol/L", "triglycerides", 2.3),
        ("HbA1c", "6,4", "%", "hba1c", 6.4),
        ("Đường huyết lúc đói", "6.3", "mmol/L", "fasting_glucose", 6.3),
        ("Glucose máu bất kỳ", "9", "mmol/L", "random_glucose", 9),
        ("Định lượng Creatinin (máu)", "0,9", "mg/dL", "creatinine", 79.56),
        ("Đo hoạt độ ALT (GPT) [Máu]", "32", "U/L", "alt", 32),
        ("Đo hoạt độ AST (GOT) [Máu]", "30", "UI/L", "ast", 30),
        ("Đo hoạt độ GGT (Gama Glutamyl Transferase) [Máu]", "45", "U/L", "ggt", 45),
        ("Định lượng Acid Uric [Máu]", "410", "µmol/L", "uric_acid", 410),
        ("Acid Uric", "6,9", "mg/dl", "uric_acid", 410.4),
    ],
)  # fmt: skip
def test_names_and_units_of_laboratories(
    name: str, value: str, unit: str, variable: str, expected: float
) -> None:
    one = read(XML11=[lab(name, value, unit)])

    assert [] == codes(one)
    assert expected == pytest.approx(values(one)[variable], rel=1e-3)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (lab("HDL-C", "<0.1", "mmol/L"), "not_a_number"),
        (lab("HDL-C", "Âm tính", "mmol/L"), "not_a_number"),
        (lab("HDL-C", "5.6 H", "mmol/L"), "not_a_number"),
        (lab("HDL-C", "1.234", "mmol/L"), "ambiguous_number"),
        (lab("HDL-C", "1.2", ""), "unknown_unit"),
        (lab("HDL-C", "1.2", "Lần"), "unknown_unit"),  # a vendor's default
        (lab("HDL-C", "1.2", "mmHg"), "unknown_unit"),
        (lab("HDL-C", "46", "mmol/L"), "implausible"),
        (lab("HDL-C", "1.2", "mmol/L", NGAY_KQ="hôm nay"), "wrong_moment"),
        (lab("HDL-C", "1.2", "mmol/L", NGAY_KQ="20261121"), "future_date"),
        (lab("Định lượng Glucose [Máu]", "6.1", "mmol/L"), "fasting_unknown"),
        (lab("Glucose", "6.1", "mmol/L"), "unknown_tests"),  # could be one in urine
        (lab("Creatinin niệu", "9", "mmol/L"), "unknown_tests"),
        (lab("Huyết sắc tố", "130", "g/L"), "unknown_tests"),
        (lab("", "5.1", "mmol/L"), "unknown_tests"),
        (lab("x" * 100_000, "5.1", "mmol/L"), "unknown_tests"),
    ],
)
def test_a_row_that_cannot_be_used_is_told(row: dict[str, str], code: str) -> None:
    one = read(XML11=[row, lab("LDL-C", "3,1", "mmol/L")])

    assert [code] == [c for c, _ in codes(one)]
    assert 3.1 == values(one)["ldl_cholesterol"]
    assert not {"hdl_cholesterol", "fasting_glucose", "random_glucose"} & set(values(one))


def test_the_description_may_say_that_glucose_was_fasting() -> None:
    row = lab("Định lượng Glucose [Máu]", "6,1", "mmol/L", MO_TA="Đường huyết lúc đói")

    assert 6.1 == values(read(XML11=[row]))["fasting_glucose"]


def test_a_site_may_say_what_its_glucose_and_its_codes_are() -> None:
    site = Site.parse({"glucose": "fasting_glucose", "codes": {"H-17": "hdl_cholesterol"}})
    one = read(
        site,
        XML11=[
            lab("Định lượng Glucose [Máu]", "6,1", "mmol/L"),
            {"MA_CHI_SO": "H-17", "GIA_TRI": "1,3", "DON_VI_DO": "mmol/L"},
        ],
    )

    assert (6.1, 1.3) == (values(one)["fasting_glucose"], values(one)["hdl_cholesterol"])


def test_a_code_that_contradicts_the_name_is_told() -> None:
    site = Site.parse({"codes": {"H-17": "hdl_cholesterol"}})
    one = read(site, XML11=[{**lab("LDL-C", "3,1", "mmol/L"), "MA_CHI_SO": "H-17"}])

    assert not {"hdl_cholesterol", "ldl_cholesterol"} & set(values(one))
    assert [("contradictory", "hdl_cholesterol")] == codes(one)


def test_a_result_keeps_its_own_day() -> None:
    one = read(XML11=[lab("HDL-C", "1,2", "mmol/L", NGAY_KQ="202611190800")])

    assert one.reading.record is not None
    assert "2026-11-19" == one.reading.record.measured["hdl_cholesterol"].isoformat()
