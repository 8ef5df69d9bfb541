import ast
import re
import string
import tomllib
import unicodedata
from datetime import date
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import cdss
from cdss.bundle import load_bundle, write_bundle
from cdss.errors import DefinitionError, Problem, UnknownLanguage
from cdss.estimate import Bounds, NoEstimate
from cdss.i18n import LANGUAGES, words
from cdss.reading import Found, compose
from cdss.record import PatientRecord
from cdss.variables import VARIABLES
from tests.batch_problems import every_batch_problem
from tests.checkup_problems import every_checkup_problem
from tests.fhir_problems import every_fhir_problem
from tests.hooks_problems import every_hooks_problem
from tests.shipped import shipped
from tests.toy import MANIFEST, SURE, record, toy_cases, toy_graph, toy_model

SOURCE = Path(cdss.__file__).parent
MODELS = (*shipped(demonstrations=True), *cdss.published_models())
CAUTIONS = {p for model in cdss.published_models() for p in model.cautions}
REFERENCE = words("en").texts

each_language = pytest.mark.parametrize("lang", LANGUAGES)
each_other = pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang != "en"])


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def under(prefix: str) -> set[str]:
    return {key.removeprefix(prefix) for key in REFERENCE if key.startswith(prefix)}


def problem_codes() -> set[str]:
    """First argument of every Problem(...) in the library, and the cautions of data files."""
    return {p.code for p in CAUTIONS} | {
        node.args[0].value
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Problem"
        and isinstance(node.args[0], ast.Constant)
    }


def problems_of(payload: object) -> tuple[Problem, ...]:
    with pytest.raises(cdss.RecordError) as error:
        PatientRecord.parse(payload)
    return error.value.problems


def every_problem() -> list[Problem]:
    """One patient or payload for each code."""
    old = {"value": 20, "date": "2020-01-01"}
    day = {"index_date": "2026-11-22"}
    found = [*problems_of([]), *problems_of(day | {"values": {}}), *problems_of(day | {"x": 1})]
    values = {
        "shoe_size": 43, "age": "x", "bmi": float("nan"), "sex": "x", "diabetes": 1, "waist": 1e9,
        "alt": {}, "ast": {"value": 1, "unit": "x"}, "ggt": {"value": 20, "date": "2027-01-01"},
        "systolic_bp": 80, "diastolic_bp": 90, "weight": 25, "height": 230,
    }  # fmt: skip
    found += problems_of(day | {"values": {"age": 54}, "history": {}})
    visits = [{"date": "2027-01-01", "values": {"age": 54}}, {"day": 1}, {"date": "x", "values": 1}]
    found += problems_of(day | {"values": {"age": 54}, "history": visits})
    found += problems_of({"index_date": "soon", "values": {"age": 54}})
    found += problems_of(day | {"values": values})
    refusal = toy_model().estimate(record(age=90, diabetes=True))
    assert isinstance(refusal, NoEstimate)
    found += refusal.reasons
    model = toy_model(demonstration=True, measured_by=("hba1c",))
    answer = model.estimate(record(age=50, sex="female", bmi=25, alt=old, hba1c=7))
    assert isinstance(answer, cdss.RiskEstimate)
    return [
        *every_checkup_problem(), *every_batch_problem(),
        *found, *answer.warnings, *CAUTIONS, *_refused_by_equations(), *_told_by_a_bundle(),
        *_found_in_documents(), *every_fhir_problem(), *every_hooks_problem(),
    ]  # fmt: skip


def _found_in_documents() -> list[Problem]:
    """What only documents make one say: of values without a date, or given twice."""
    day = date(2026, 11, 22)
    found = [
        Found("weight", 70, "kg", None, "here"),
        *(Found("height", height, "cm", day, "there") for height in (170, 171)),
    ]
    return list(compose(day, found).problems)


def _told_by_a_bundle() -> tuple[Problem, ...]:
    """What only a bundle says: not released, anchored, values that are rare."""
    with TemporaryDirectory() as folder:
        write_bundle(folder, MANIFEST | SURE | {"anchored": True}, toy_graph(), toy_cases())
        model = load_bundle(folder)
    answer = model.estimate(record(age=20, sex="female", bmi=37.95, alt=200))
    assert isinstance(answer, cdss.RiskEstimate)
    return answer.warnings


def _refused_by_equations() -> list[Problem]:
    """What only published equations say."""
    people = [
        record(age=30, sex="male", diabetes=False, systolic_bp=150),
        record(age=60, sex="male", systolic_bp=130, bmi=60, current_smoker=False),
    ]
    answers = [model.estimate(person) for model in cdss.published_models() for person in people]
    refusals = [a for a in answers if isinstance(a, NoEstimate)]
    estimates = [a for a in answers if not isinstance(a, NoEstimate)]
    return [p for a in refusals for p in a.reasons] + [p for a in estimates for p in a.warnings]


@each_other
def test_a_language_says_everything_english_says_and_nothing_else(lang: str) -> None:
    assert set(REFERENCE) == set(words(lang).texts)


@each_other
def test_placeholders_are_the_same(lang: str) -> None:
    assert {key: placeholders(text) for key, text in REFERENCE.items()} == {
        key: placeholders(text) for key, text in words(lang).texts.items()
    }


@each_language
def test_texts_are_composed_and_trimmed(lang: str) -> None:
    texts = words(lang).texts

    assert [] == [key for key, text in texts.items() if unicodedata.normalize("NFC", text) != text]
    assert [] == [key for key, text in texts.items() if text.strip() != text or not text]
    assert [] == [key for key, text in texts.items() if "  " in text]


@each_language
def test_a_file_is_composed_down_to_its_comments(lang: str) -> None:
    text = (resources.files("cdss.i18n") / f"{lang}.toml").read_text(encoding="utf-8")

    assert unicodedata.normalize("NFC", text) == text
    assert tomllib.loads(text)


def test_sentences_are_translated_and_not_copied() -> None:
    vietnamese = words("vi").texts
    sentences = [key for key, text in REFERENCE.items() if len(text.split()) > 2]

    assert len(sentences) > 50
    assert [] == [key for key in sentences if REFERENCE[key] == vietnamese[key]]


def test_every_variable_unit_choice_and_group_has_words() -> None:
    choices = {f"{v.name}.{c}" for v in VARIABLES.values() for c in v.choices}

    assert set(VARIABLES) == under("variable.")
    assert {v.unit for v in VARIABLES.values() if v.unit} == under("unit.")
    assert choices | {"yes", "no", "unknown"} == under("value.")
    assert {v.group for v in VARIABLES.values()} == under("group.")


def test_every_outcome_has_words() -> None:
    assert {model.outcome for model in MODELS} == under("outcome.")


def test_every_problem_in_the_source_has_a_sentence_and_every_sentence_is_used() -> None:
    assert problem_codes() == under("problem.")


@each_language
def test_every_problem_can_be_said(lang: str) -> None:
    said = {p.code: words(lang).problem(p) for p in every_problem()}

    assert problem_codes() == set(said)
    assert {} == {code: text for code, text in said.items() if re.search(r"[{}\[]", text)}
    for problem in every_problem():
        assert words(lang).label(problem.variable)


def test_a_problem_names_limits_units_and_variables_in_the_language() -> None:
    said = {p.code: (words("en").problem(p), words("vi").problem(p)) for p in every_problem()}

    assert (
        "is outside 20 to 80 years, the range the model was made for",
        "nằm ngoài khoảng 20 đến 80 tuổi mà mô hình được xây dựng",
    ) == said["outside_limits"]
    assert (
        "contradicts: Systolic blood pressure",
        "mâu thuẫn với: Huyết áp tâm thu",
    ) == said["contradictory"]
    assert (
        "together with Height gives Body mass index outside 10 to 135 kg/m²",
        "cùng với Chiều cao cho kết quả Chỉ số khối cơ thể (BMI) nằm ngoài khoảng 10 đến 135 kg/m²",
    ) == said["implausible_together"]
    assert "unit must be one of U/L, ukat/L, nkat/L" == said["unknown_unit"][0]
    assert "is older than 365 days and was not used" == said["stale"][0]


@each_language
def test_labels_fit_a_terminal_and_differ(lang: str) -> None:
    labels = [words(lang).label(name) for name in VARIABLES]

    assert [] == [label for label in labels if len(label) > 32]
    assert sorted(set(labels)) == sorted(labels)


def test_labels_of_what_is_not_a_variable() -> None:
    text = words("en")

    assert "Index date" == text.label("index_date")
    assert "HbA1c (date)" == text.label("hba1c.date")
    assert "shoe_size" == text.label("shoe_size")


@pytest.mark.parametrize(
    ("name", "value", "english", "vietnamese"),
    [
        ("systolic_bp", 142.4, "142 mmHg", "142 mmHg"),
        ("total_cholesterol", 5.9000001, "5.9 mmol/L", "5,9 mmol/L"),
        ("hdl_cholesterol", 1.034, "1.03 mmol/L", "1,03 mmol/L"),
        ("bmi", 25.39, "25.4 kg/m²", "25,4 kg/m²"),
        ("egfr", 69.2, "69.2 mL/min/1.73 m²", "69,2 mL/phút/1,73 m²"),
        ("uacr", 1253.4, "1253 mg/g", "1253 mg/g"),
        ("heart_rate", 72.0, "72 /min", "72 lần/phút"),
        ("age", 54.0, "54 years", "54 tuổi"),
        ("age", None, "unknown", "chưa biết"),
        ("diabetes", False, "no", "không"),
        ("diabetes", True, "yes", "có"),
        ("smoking", "former", "former", "đã bỏ"),
    ],
)
def test_quantities(name: str, value: object, english: str, vietnamese: str) -> None:
    assert (english, vietnamese) == (
        words("en").quantity(name, value), words("vi").quantity(name, value)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("p", "percent", "frequency"),
    [
        (0.0, "less than 0.1%", "fewer than 1 in 1,000 people"),
        (0.0004, "less than 0.1%", "fewer than 1 in 1,000 people"),
        (0.0006, "less than 0.1%", "1 in 1,000 people"),
        (0.0042, "0.4%", "4 in 1,000 people"),
        (0.01, "1.0%", "1 in 100 people"),
        (0.123, "12.3%", "12 in 100 people"),
        (0.994, "99.4%", "99 in 100 people"),
        (0.996, "99.6%", "more than 99 in 100 people"),
        (1.0, "more than 99.9%", "more than 99 in 100 people"),
    ],
)
def test_probabilities(p: float, percent: str, frequency: str) -> None:
    assert (percent, frequency) == (words("en").percent(p), words("en").frequency(p))


def test_probabilities_in_vietnamese() -> None:
    assert ("12,3%", "12 trong 100 người") == (
        words("vi").percent(0.123), words("vi").frequency(0.123)
    )  # fmt: skip


def test_an_interval_stands_behind_the_probability() -> None:
    bounds = Bounds(0.0289, 0.0563, 0.95, 500)

    assert ("(2.9–5.6)", "(2,9–5,6)") == tuple(words(x).interval(bounds) for x in ("en", "vi"))


@each_language
def test_the_interval_is_about_groups_and_never_about_one_person(lang: str) -> None:
    said = words(lang)("notice.interval", people=200, level=95)

    assert {"200", "95"} <= set(re.findall(r"\d+", said))
    assert {"en": "does not say", "vi": "không cho biết"}[lang] in said
    assert {"en": "groups of 200 people", "vi": "mỗi nhóm 200 người"}[lang] in said


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (None, "at present"),
        (1, "within 1 year"),
        (10.0, "within 10 years"),
        (2.5, "within 2.5 years"),
    ],
)
def test_horizons(years: float | None, expected: str) -> None:
    assert expected == words("en").horizon(years)


def test_a_missing_text_is_an_error_and_never_a_fallback() -> None:
    with pytest.raises(DefinitionError, match=r"no text outcome\.gout in vi\.toml"):
        words("vi").outcome("gout")
    with pytest.raises(DefinitionError, match=r"text horizon\.years in vi\.toml needs 'years'"):
        words("vi")("horizon.years", months=3)


def test_an_unknown_language_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownLanguage) as error:
        words("fr")

    assert ("en", "vi") == LANGUAGES == error.value.known


@each_language
def test_the_notice_says_what_this_is_not(lang: str) -> None:
    expected = {
        "en": ["not replace", "Not a medical device", "Not validated in Viet Nam"],
        "vi": [
            "không thay thế",
            "Không phải là thiết bị y tế",
            "Chưa được kiểm chứng tại Việt Nam",
        ],
    }

    notice = words(lang)("notice.advisory")
    assert [] == [phrase for phrase in expected[lang] if phrase not in notice]
    assert not re.search(r"\b(because|bởi vì|do đó)\b", " ".join(words(lang).texts.values()))
