import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from cdss.assess import Assessment, assess
from cdss.bundle import load_bundle, write_bundle
from cdss.card import card_report, models_report
from cdss.errors import Problem
from cdss.estimate import Contribution, RiskEstimate
from cdss.i18n import LANGUAGES, words
from cdss.limits import Limit
from cdss.report import assessment_report, problem_list
from cdss.variables import VARIABLES
from tests.toy import MANIFEST, SURE, record, toy_cases, toy_graph, toy_model

PATIENT = {"age": 54, "sex": "female", "height": 158, "weight": 71.5, "pregnant": False}
OLD = {"value": 55, "date": "2020-01-01"}
MODELS = (
    toy_model(),
    toy_model(id="toy-old", outcome="cardiovascular_death", limits={"age": Limit(60, 90)}),
    toy_model(id="toy-now", outcome="undiagnosed_diabetes", horizon_years=None, demonstration=True),
)

QUANTITIES = [name for name, variable in VARIABLES.items() if variable.kind == "quantity"]

each_language = pytest.mark.parametrize("lang", LANGUAGES)


def lines(renderable: RenderableType, *, color: bool = False, width: int = 80) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, color_system="truecolor" if color else None,
        force_terminal=color, highlight=False,
    )  # fmt: skip
    console.print(renderable)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def with_contributions(*points: float) -> RiskEstimate:
    """An estimate of the first variables, one contribution each."""
    return RiskEstimate(
        "toy", "1", "incident_diabetes", 10.0, 0.2, 0.1,
        tuple(
            Contribution(name, 1.0, "", 10 * risk, risk)
            for name, risk in zip(QUANTITIES, points, strict=False)
        ),
        (), (),
    )  # fmt: skip


def bars(*points: float) -> list[str]:
    """The rows of the bars, without heading."""
    patient = record(age=54)
    shown = lines(assessment_report(Assessment(patient, (with_contributions(*points),)), "en"))
    return [line for line in shown if "│" in line and "higher" not in line]


def test_a_whole_report() -> None:
    patient = record(**PATIENT, alt=OLD)

    assert [
        "Risk assessment for 2026-11-22",
        "",
        "New diabetes, within 10 years",
        "  16.3%   16 in 100 people",
        "  average person of the study: 12 in 100 people (11.9%)",
        "",
        "  Compared with the average person of the study, in percentage points of risk:",
        "                                   lower│higher",
        "  Body mass index * 28.6 kg/m²          │█████████ +4.4",
        "  Age                 54 years          │█████     +2.4",
        "  Sex                   female     ░░░░░│          −2.4",
        "  ALT                  unknown          │          +0.0",
        "  * computed from other values",
        "  Unknown: ALT. Knowing them could make the estimate more exact.",
        "    · Diagnosed diabetes: is unknown; the estimate holds only if it does not",
        "      apply",
        "  model toy, version 1.0.0",
        "",
        "Not estimated",
        "  Death from cardiovascular disease, within 10 years",
        "    · Age: is outside 60 to 90 years, the range the model was made for",
        "",
        "Sent but not used",
        "    · ALT: is older than 365 days and was not used",
        "",
        "Contributions compare the patient with the person named above them: the average",
        "of the study, or a reference patient. They are not causes.",
        "Advice for clinicians; it does not replace clinical judgement. Not a medical",
        "device. Not validated in Viet Nam.",
    ] == lines(assessment_report(assess(patient, MODELS[:2]), "en"))


def test_a_report_in_vietnamese() -> None:
    shown = lines(assessment_report(assess(record(**PATIENT), MODELS[:1]), "vi"))

    assert [
        "Đánh giá nguy cơ ngày 22/11/2026",
        "",
        "Mắc mới đái tháo đường, trong vòng 10 năm",
        "  16,3%   16 trong 100 người",
        "  người trung bình trong nghiên cứu: 12 trong 100 người (11,9%)",
    ] == shown[:5]
    assert "  Chỉ số khối cơ thể (BMI) * 28,6 kg/m²          │█████████ +4,4" in shown


def sure_report(tmp_path: Path, lang: str, **values: object) -> list[str]:
    """Report of a toy that has intervals and was not released."""
    write_bundle(tmp_path, MANIFEST | SURE, toy_graph(), toy_cases())
    assessment = assess(record(**PATIENT | values), [load_bundle(tmp_path)])
    return lines(assessment_report(assessment, lang))


def test_an_interval_stands_behind_the_probability_and_is_explained_once(tmp_path: Path) -> None:
    shown = sure_report(tmp_path, "en")

    assert "  16.3% (9.2–25.0)   16 in 100 people" in shown
    assert "  16,3% (9,2–25,0)   16 trong 100 người" in sure_report(tmp_path, "vi")
    explained = " ".join(shown).partition("In brackets")[2]
    assert explained.startswith(", in percent: of groups of 500 people with about this estimate,")
    assert "95 in 100 had an observed share within this range." in explained
    assert "In brackets" not in explained
    text = words("en")
    without = lines(assessment_report(assess(record(**PATIENT), MODELS[:1]), "en"))
    assert text("notice.interval", people=500, level=95)[:11] not in " ".join(without)


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("en", ["Model: has no release record", "Body mass index: is outside 18.1 to 37.9 kg/m²",
                "Values together: are a combination seldom seen"]),
        ("vi", ["Mô hình: chưa có hồ sơ phát hành", "Chỉ số khối cơ thể (BMI): nằm ngoài khoảng "
                "18,1 đến 37,9 kg/m²", "Các giá trị kết hợp: là một tổ hợp hiếm gặp"]),
    ],
)  # fmt: skip
def test_what_is_outside_and_not_released_is_said(
    tmp_path: Path, lang: str, expected: list[str]
) -> None:
    said = " ".join(" ".join(sure_report(tmp_path, lang, age=20.5, weight=100, alt=7)).split())

    assert [] == [part for part in expected if part not in said]


def test_a_card_says_who_released_it(write_toy: Callable[..., Path]) -> None:
    released, not_released = (
        " ".join(lines(card_report(load_bundle(write_toy(gate=gate)), "vi")))
        for gate in (True, False)
    )

    assert "24/11/2026, người ký: A Tester" in released
    assert words("vi")("card.not_released") in not_released
    assert words("vi")("card.not_released") not in released


def test_a_demonstration_is_named_under_its_heading() -> None:
    shown = lines(assessment_report(assess(record(**PATIENT), MODELS[2:]), "en"))
    heading = shown.index("Diabetes not yet diagnosed, at present")

    assert f"  {words('en')('notice.demonstration')}" == shown[heading + 1]


@each_language
@pytest.mark.parametrize("width", [80, 60])
def test_no_line_is_wider_than_the_terminal(lang: str, width: int) -> None:
    patient = record(**PATIENT, alt=OLD)
    many = with_contributions(*(0.01 * k for k in range(1, len(VARIABLES))))
    outcomes = (*assess(patient, MODELS).outcomes, many)
    shown = lines(assessment_report(Assessment(patient, outcomes), lang), width=width)
    shown += lines(models_report(MODELS, lang), width=width)

    assert [] == [line for line in shown if len(line) > width or "…" in line]


@each_language
def test_the_widest_rows_fit_80_columns(lang: str) -> None:
    values = {"egfr": 88.8, "uacr": 99999.0, "family_history_diabetes": True, "bp_treated": True}
    contributions = tuple(
        Contribution(name, value, VARIABLES[name].unit, -1.0, -0.12)
        for name, value in values.items()
    )
    estimate = RiskEstimate("toy", "1", "incident_diabetes", 1, 0.2, 0.7, contributions, (), ())
    shown = lines(assessment_report(Assessment(record(age=54), (estimate,)), lang))
    text = words(lang)
    rows = [line.partition(" ░")[0].split() for line in shown if "░│" in line]

    assert [f"{text.label(n)} {text.quantity(n, v)}".split() for n, v in values.items()] == rows


def test_colour_only_repeats_what_the_text_says() -> None:
    report = assessment_report(assess(record(**PATIENT), MODELS), "en")
    coloured = lines(report, color=True)

    assert "\x1b[" in "".join(coloured)
    assert "\x1b[" not in "".join(lines(report))
    assert [] == [line for line in coloured if "31m" in line]  # nothing in red


def test_largest_first_and_each_on_its_side() -> None:
    assert ["−20.0", "+10.0", "−5.0"] == [row.split()[-1] for row in bars(0.1, -0.2, -0.05)]
    left, right, _ = bars(0.1, -0.2, -0.05)
    assert "░░░░░░░░░│" in left
    assert "█" not in left
    assert right.index("│") == left.index("│")
    assert right.count("█") in {4, 5}
    assert "░" not in right


def test_small_contributions_are_told_together() -> None:
    rows = bars(0.2, 0.004, -0.003, 0.1, 0.002)

    assert ["+20.0", "+10.0", "+0.3"] == [row.split()[-1] for row in rows]
    assert rows[-1].startswith("  3 smaller contributions")


def test_at_most_eight_are_told_one_by_one() -> None:
    rows = bars(*[0.01] * 12)

    assert 9 == len(rows)
    assert rows[-1].startswith("  4 smaller contributions")
    assert rows[-1].endswith("+4.0")


def test_one_small_contribution_keeps_its_name() -> None:
    assert bars(0.2, 0.001)[-1].startswith("  Height")


def test_unknown_values_are_told_together() -> None:
    """One by one they would tell how values go missing, not about the patient."""
    model = toy_model(inputs=("age",), optional=("sex", "bmi", "alt"))
    (line,) = (
        line
        for line in lines(assessment_report(assess(record(age=54), (model,)), "en"))
        if "unknown values" in line
    )
    estimate = model.estimate(record(age=54))
    total = sum(c.risk_points for c in estimate.contributions if c.value is None)

    assert line.startswith("  3 unknown values together")
    assert line.endswith(f"{100 * total:+.1f}")


def test_no_difference_has_no_minus() -> None:
    assert ["+10.0", "+0.0"] == [row.split()[-1] for row in bars(0.1, -0.0001)]


def test_points_of_a_small_risk_have_two_decimals() -> None:
    assert ["+0.20", "−0.04"] == [row.split()[-1] for row in bars(0.002, -0.0004)]


def test_nothing_that_differs_has_no_bars() -> None:
    rows = bars(0.0, 0.0)

    assert ["+0.00", "+0.00"] == [row.split()[-1] for row in rows]
    assert not {"█", "░"} & set("".join(rows))


def test_models_are_listed_with_what_they_need() -> None:
    assert [
        "New diabetes, within 10 years",
        "toy 1.0.0",
        "  Required   Age, Sex, Body mass index",
        "  Optional   ALT",
        "  Made from  Nobody: a model made by hand for tests.",
        "",
        words("en")("notice.advisory")[:76].rstrip(),
        "device. Not validated in Viet Nam.",
    ] == lines(models_report(MODELS[:1], "en"))


def test_a_demonstration_is_listed_as_one() -> None:
    notice = words("vi")("notice.demonstration")

    assert notice in lines(models_report(MODELS, "vi"))
    assert notice not in lines(models_report(MODELS[:2], "vi"))


def test_names_somebody_sent_are_not_markup() -> None:
    problem = Problem("unknown_variable", "[bold]x[/bold]", "")

    assert ["    · [bold]x[/bold]: is not a variable of the data dictionary"] == lines(
        problem_list([problem], words("en"))
    )
