"""What cards say: short by construction, warned by cited rules, nothing lost."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from cdss import PatientRecord, assess
from cdss.cds_hooks.cards import cards
from cdss.cds_hooks.detail import escaped
from cdss.cds_hooks.findings import Finding, Section, sections, urgent
from cdss.cds_hooks.services import DISEASES, FACTS, Disease, services
from cdss.cds_hooks.summary import MOST, advice_summary, section_summary
from cdss.errors import Problem
from cdss.estimate import Bounds, NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice
from cdss.guidelines import guidelines
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import JURISDICTIONS, load_jurisdiction, select
from cdss.variables import VARIABLES
from tests.hooks_emr import ASSESSMENT, MODELS, PLACE
from tests.toy import record

each_language = pytest.mark.parametrize("lang", LANGUAGES)

RULES = {rule.id: rule for guideline in guidelines().values() for rule in guideline.rules}
ASKED = select(MODELS, PLACE, demonstrations=True)
SERVICES = services(ASKED)

LONGEST = (Problem("not_released", "model", "x"), Problem("demonstration", "model", "x"))


def widest(outcome: str) -> Iterator[Any]:
    """Answers that take the most room."""
    head = ("who-2019-nonlab-sea", "2019", outcome)
    for years in (None, 10.0, 2.75):
        for warnings in ((), LONGEST[:1], LONGEST):
            bounds = Bounds(0.0911, 0.9999, 0.95, 500)
            yield RiskEstimate(
                *head, years, 0.9991, 0.1, (), (), warnings, interval=bounds, released=False
            )
            yield RiskRange(*head, years, 0.0001, 0.9999, ("age",), warnings)
            for positive in (True, False, None):
                yield PointsTotal(*head, years, 10, 26, 26, (), (), 15, positive, warnings)


def section(disease: Disease, *answers: Any, advice: tuple[Advice, ...] = ()) -> Section:
    found = tuple(Finding("cardiovascular", answer) for answer in answers)
    return Section(disease, found, advice, (), (), ("cardiovascular", "band.deep_red"), "warning")


@each_language
@pytest.mark.parametrize("disease", DISEASES, ids=lambda disease: disease.id)
def test_a_summary_is_short_whatever_the_answers_and_never_drops_the_first_number(
    lang: str, disease: Disease
) -> None:
    text = words(lang)
    warned = (Advice(RULES["BPT-11"], {}),)
    for outcome in sorted(disease.outcomes):
        for answer in widest(outcome):
            others = list(widest(sorted(disease.outcomes)[-1]))[::7]
            for advice, incomplete in (((), False), (warned, True)):
                said = section_summary(
                    section(disease, answer, *others, advice=advice), text, incomplete=incomplete
                )
                alone = section_summary(section(disease, answer), text)
                assert len(said) <= MOST
                assert len(alone) <= MOST
                assert said.startswith(alone), (said, alone)
                assert text(f"hooks.outcome.{outcome}") in alone


@each_language
def test_a_summary_of_no_answer_is_short_whatever_is_missing(lang: str) -> None:
    text = words(lang)
    for disease in DISEASES:
        for code in ("missing_input", "excluded"):
            for names in combinations(list(VARIABLES)[:12], 5):
                reasons = tuple(Problem(code, name, "x") for name in names)
                refusal = NoEstimate("m", "1", "heart_failure", 10, reasons)
                found = Section(
                    disease, (Finding("q", None, refusals=(refusal,)),), (), (), (), None, "info"
                )
                for incomplete in (False, True):
                    said = section_summary(found, text, incomplete=incomplete)
                    assert len(said) <= MOST
                    assert text.label(names[0]) in said  # names are never cut
                    assert incomplete == said.endswith(text("hooks.incomplete"))


@each_language
def test_a_summary_of_advice_is_short_for_every_rule(lang: str) -> None:
    text = words(lang)
    for guideline in guidelines().values():
        numbers = {p.name: p.value for p in guideline.parameters.values()}
        of_patient = dict.fromkeys(
            ("band", "category", "checks", "grade", "metformin", "refer", "stage", "statin"),
            "bp_grade.grade_3",
        )
        for rule in guideline.rules:
            advice = Advice(rule, of_patient | numbers)
            for disease in DISEASES:
                head = text(f"disease.{disease.id}")
                for count, tail in ((1, ""), (99, text("hooks.incomplete"))):
                    said = advice_summary(head, [advice] * count, text, tail)
                    assert len(head) < len(said) <= MOST
                    assert tail in said


def test_every_outcome_and_every_rule_belongs_to_a_disease() -> None:
    outcomes = {key[8:] for key in words("en").texts if key.startswith("outcome.")}
    prefixes = tuple(prefix for disease in DISEASES for prefix in disease.rules)

    assert outcomes == set().union(*(disease.outcomes for disease in DISEASES))
    assert outcomes == {k[14:] for k in words("en").texts if k.startswith("hooks.outcome.")}
    assert [] == [rule for rule in RULES if not rule.startswith(prefixes)]


def test_rules_that_warn_exist_and_none_of_them_is_urgent() -> None:
    named = [rule for row in FACTS["warning"] for rule in row["rules"]]

    assert len(named) == len(set(named))
    assert all(RULES[rule].topic != "urgent" for rule in named)
    assert all(row["why"] for row in FACTS["warning"])


def said(values: dict[str, Any], service: str = "cdss-all", lang: str = "en") -> list[Any]:
    assessment = assess(record(**values), ASKED, PLACE, chosen=True)
    return cards(assessment, ASKED, SERVICES[service], assessment_id=ASSESSMENT, text=words(lang))


CALM = {"age": 50, "sex": "female", "bmi": 24, "systolic_bp": 118, "diastolic_bp": 76,
        "total_cholesterol": 4.5, "current_smoker": False, "diabetes": False, "prior_cvd": False,
        "bp_treated": False, "hypertension": False}  # fmt: skip


def test_what_nobody_prints_a_threshold_for_is_info() -> None:
    assert {"info"} == {card["indicator"] for card in said(CALM)}


def test_the_red_band_warns_and_the_card_says_so_at_a_glance() -> None:
    high = CALM | {"age": 75, "systolic_bp": 138, "total_cholesterol": 8.4, "current_smoker": True}
    card = said(high)[0]

    assert "warning" == card["indicator"]
    assert "red]; " in card["summary"]
    assert card["summary"].endswith("advice below")
    assert "CVR-06" in card["detail"]


def test_urgent_advice_leads_whatever_the_service() -> None:
    for service in SERVICES:
        first = said(CALM | {"systolic_bp": 212, "diastolic_bp": 124}, service)[0]
        assert "critical" == first["indicator"]
        assert first["summary"].startswith("Urgent: Refer urgently")
        assert "BPF-03" in first["detail"]
        assert "HEARTS" in first["source"]["label"]


def test_points_at_the_printed_cut_off_warn() -> None:
    points = {"waist": 110, "physically_active": False, "daily_vegetables": False,
              "ever_high_glucose": True, "relatives_with_diabetes": "first_degree"}  # fmt: skip
    diabetes = next(c for c in said(CALM | points) if c["source"]["topic"]["code"] == "diabetes")

    assert "warning" == diabetes["indicator"]
    assert "(positive)" in diabetes["summary"]


@each_language
def test_no_advice_question_or_answer_is_lost_in_the_service_of_all_diseases(lang: str) -> None:
    sick = CALM | {"age": 68, "systolic_bp": 166, "diastolic_bp": 104, "diabetes": True,
                   "hba1c": 9.1, "creatinine": 190, "uacr": 320, "bmi": 31}  # fmt: skip
    for place in map(load_jurisdiction, JURISDICTIONS):
        asked = select(MODELS, place, demonstrations=True)
        assessment = assess(record(**sick), asked, place, chosen=True)
        made = cards(
            assessment, asked, services(asked)["cdss-all"], assessment_id="x", text=words(lang)
        )
        whole = "\n".join(card["detail"] for card in made)
        assert len(assessment.advice) > 3
        for advice in assessment.advice:
            assert 1 == sum(f"  {advice.rule.id} · " in c["detail"] for c in made), advice.rule.id
        for undecided in assessment.undecided:
            assert undecided.rule.id in whole
        for outcome in assessment.outcomes:
            assert outcome.model in whole


def test_numbers_of_a_card_are_those_of_the_assessment() -> None:
    assessment = assess(record(**CALM), ASKED, PLACE, chosen=True)
    text, whole = words("vi"), "\n".join(card["detail"] for card in said(CALM, lang="vi"))
    answered = {choice.model for choice in assessment.choices}
    for estimate in assessment.estimates:
        assert text.percent(estimate.probability) in whole
        if estimate.model in answered:  # those beside them are not explained
            assert text.percent(estimate.baseline_probability) in whole
    assert text("notice.advisory") in whole


def test_without_a_jurisdiction_every_model_answers_and_there_is_no_advice() -> None:
    asked = select(MODELS, None)
    assessment = assess(record(**CALM), asked)
    made = cards(
        assessment, asked, services(asked)["cdss-all"], assessment_id="x", text=words("en")
    )
    whole = "\n".join(card["detail"] for card in made)

    assert all(model.id in whole for model in asked)
    assert "####  Advice" not in whole
    assert () == urgent(assessment)


def test_a_card_of_a_refusal_says_what_to_measure() -> None:
    refused = {"age": 50, "sex": "male", "diabetes": False}
    only = {s.disease.id: s for s in sections(assess(record(**refused), ASKED, PLACE, chosen=True),
                                               ASKED, None)}  # fmt: skip
    hypertension = [f for f in only["hypertension"].findings if f.answer is None]

    assert hypertension
    card = next(c for c in said(refused, "cdss-hypertension"))
    assert "Systolic blood pressure: is required and unknown" in card["detail"]


def test_what_models_do_not_apply_to_is_said_and_not_guessed() -> None:
    known = said(CALM | {"diabetes": True, "hypertension": True, "bp_treated": True})

    assert all(card["summary"] for card in known)
    assert any("Diagnosed diabetes: applies to the patient" in card["detail"] for card in known)


def test_markdown_of_others_stays_text() -> None:
    assert r"\*\*x\*\* \[a\](b) \<i\> \| \`c\` \_d\_ \\" == escaped("**x** [a](b) <i> | `c` _d_ \\")
    assert "one line" == escaped("one\nline")


def test_a_record_in_which_nothing_is_known_is_told_what_to_ask() -> None:
    assessment = assess(PatientRecord(date(2026, 11, 24), {}), ASKED, PLACE, chosen=True)
    made = cards(assessment, ASKED, SERVICES["cdss-all"], assessment_id="x", text=words("en"))

    assert {"info"} == {card["indicator"] for card in made}
    assert made[0]["summary"].startswith("Heart and vessels: no estimate, ask or measure: Sex, Age")
