"""The page as a browser gets it: the same numbers as everywhere, and everything said."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cdss import PatientRecord, assess
from cdss.cds_hooks.services import ALL, FACTS
from cdss.cli import app
from cdss.errors import Problem
from cdss.estimate import NoEstimate, PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.parts import name
from cdss.fhir.read import read
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import select
from serving.page import missing
from serving.page.drawing import Line, bar, number_line, people
from serving.page.facts import FACTS as PAGE_FACTS
from serving.page.reasons import reasons
from serving.page.typed import check, fill
from tests.checkup_files import envelope, person
from tests.conftest import ROOT
from tests.fhir_documents import example
from tests.page_client import MODELS, PLACE, Looked, Recording, client, words_of
from tests.serving_process import JSON

PATIENTS = {
    file.stem: tomllib.loads(file.read_text(encoding="utf-8"))["record"]
    for file in sorted((ROOT / "docs" / "patients").glob("*.toml"))
}
each_patient = pytest.mark.parametrize("payload", PATIENTS.values(), ids=PATIENTS)
each_language = pytest.mark.parametrize("lang", LANGUAGES)
NUMBERS = {
    "estimates": ("probability", "baseline_probability"),
    "ranges": ("low", "high"),
    "points": ("low", "high", "cut_off"),
}
SMOKER = {
    "index_date": "2026-11-22", "age": "62", "sex": "male", "height": "165", "weight": "74",
    "systolic_bp": "156", "diastolic_bp": "94", "smoking": "current", "bp_treated": "no",
    "diabetes": "no", "prior_cvd": "no", "total_cholesterol": "6,2", "hba1c": "6,1",
}  # fmt: skip


def typed(payload: dict[str, Any], lang: str = "en", **more: str) -> dict[str, str]:
    return {**fill(PatientRecord.parse(payload), words(lang)), "lang": lang, **more}


def shown(found: TestClient, sent: dict[str, str], to: str = "/page/assess") -> str:
    answer = found.post(to, data=sent)
    assert 200 == answer.status_code, answer.text[:2000]
    return answer.text


@each_language
@each_patient
def test_page_api_and_command_line_say_the_same_numbers(
    payload: dict[str, Any], lang: str, tmp_path: Any
) -> None:
    journal = Recording()
    found = client(journal=journal)
    page = shown(found, typed(payload, lang))
    api = found.post(f"/v1/assess?lang={lang}", json=payload).json()
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(payload), encoding="utf-8")
    asking = ["assess", str(file), "--format", "json", "--ungated"]
    command = json.loads(CliRunner().invoke(app, asking).stdout)

    ((kind, assessment_id, assessment, body, _),) = journal.kept
    assert ("page", assessment_id) == (kind, Looked(page).value("assessment_id"))
    body_sent = found.post("/v1/assess", content=body, headers=JSON).json()
    for said in (api, command, body_sent):
        for kind, members in NUMBERS.items():
            own = {o.model: [getattr(o, m) for m in members] for o in getattr(assessment, kind)}
            assert own == {o["model"]: [o[m] for m in members] for o in said[kind]}
        assert [a.rule.id for a in assessment.advice] == [a["rule"] for a in said["advice"]]
    numbers = {o.model: o.probability for o in assessment.estimates}
    text = words_of(page)
    for probability in numbers.values():
        assert words(lang).percent(probability) in text


@each_language
@each_patient
def test_everything_the_assessment_says_stands_on_the_page(
    payload: dict[str, Any], lang: str
) -> None:
    journal = Recording()
    page = unescape(words_of(shown(client(journal=journal), typed(payload, lang))))
    assessment, text = journal.kept[0][2], words(lang)

    for advice in assessment.advice:
        assert advice.rule.id in page
        assert advice.rule.source.locator in page
    for undecided in assessment.undecided:
        assert undecided.rule.id in page
    for outcome in assessment.outcomes:
        assert outcome.model in page
        if isinstance(outcome, NoEstimate):
            assert all(text.problem(reason) in page for reason in outcome.reasons)
        elif isinstance(outcome, RiskRange):
            assert text.percent(outcome.low) in page
        elif isinstance(outcome, RiskEstimate) and not outcome.released:
            assert text("hooks.not_released") in page
    assert text("notice.advisory") in page
    assert text("page.not_validated") in page or not assessment.estimates


def test_urgent_advice_stands_before_everything_else() -> None:
    page = words_of(shown(client(), typed(PATIENTS["4-very-high-blood-pressure"])))
    order = [page.index(words("en")(key)) for key in ("topic.urgent", "page.glance", "page.first")]

    assert sorted(order) == order


def test_raised_once_is_told_first_and_a_refused_patient_is_not_told_that_all_is_well() -> None:
    once = shown(client(), SMOKER | {"lang": "en"})
    refused = words_of(shown(client(), typed(PATIENTS["5-outside-limits"])))

    first = once[once.index('id="first"') : once.index('class="panel')]
    assert words("en")("rule.BPS-05") in first
    assert words("en")("page.nothing_first") not in refused
    assert "No estimate for this patient: Heart attack or stroke" in refused


def test_bands_are_told_only_where_a_document_in_force_prints_them() -> None:
    page = shown(client(), SMOKER | {"lang": "vi"})
    text = words("vi")

    assert 1 == page.count(f"<caption>{text('page.bands')}</caption>")
    assert text("band.orange") in page
    assert "Table 3, p 19" in page
    assert "who-2019-lab-vnm: 20,7% (đỏ, từ 20 đến dưới 30%)" in page


def test_reasons_add_up_and_are_split() -> None:
    record = check(SMOKER).record
    assert record is not None
    models = select(MODELS, PLACE)
    for estimate in assess(record, models, PLACE, chosen=True).estimates:
        groups = reasons(estimate, record.derived, words("en"))
        told = [each.said for group in groups for each in group.reasons]
        points = [
            float(said.split()[0]) * (-1 if "lower" in said else 1)
            for said in told
            if said[0].isdigit()
        ]
        whole = 100 * (estimate.probability - estimate.baseline_probability)

        assert ["modifiable", "fixed"] == [g.id for g in groups][:2]
        assert whole == pytest.approx(sum(points), abs=0.06 * len(told))


def test_knowing_more_is_told_with_the_numbers_of_the_same_model() -> None:
    values = {"age": 54, "sex": "female", "height": 155, "weight": 66, "systolic_bp": 128}
    payload = {"index_date": "2026-11-22", "values": values}
    page = words_of(shown(client(), typed(payload)))
    (model,) = (m for m in MODELS if m.id == "cvd-death")

    for smoking in ("never", "former", "current"):
        known = {**values, "smoking": smoking}
        estimate = model.estimate(PatientRecord.parse({**payload, "values": known}))
        assert isinstance(estimate, RiskEstimate)
        assert f"if {smoking}, then {words('en').percent(estimate.probability)}" in page


def test_nobody_is_asked_what_if_something_contradicted_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(missing, "MOST", 99)
    record = PatientRecord.parse(PATIENTS["1-no-laboratory"])
    (model,) = (m for m in MODELS if m.id == "cvd-death")
    cases = {
        u.name: u.cases for u in missing.unknown(model, record, model.estimate(record), words("en"))
    }

    assert record.values["current_smoker"] is False
    assert ["never", "former"] == [value for value, _ in cases["smoking"]]


def test_a_simulation_is_what_the_same_models_say_and_is_recorded_as_one() -> None:
    journal = Recording()
    found = client(journal=journal)
    page = shown(found, SMOKER | {"lang": "vi", "if.systolic_bp": "130", "if.smoking": "former"})
    api = found.post(
        "/v1/assess",
        json={"index_date": "2026-11-22", "values": {
            "age": 62, "sex": "male", "height": 165, "weight": 74, "systolic_bp": 130,
            "diastolic_bp": 94, "smoking": "former", "bp_treated": False, "diabetes": False,
            "prior_cvd": False, "total_cholesterol": 6.2, "hba1c": 6.1}},
    ).json()  # fmt: skip

    assert ["page", "what-if"] == [kind for kind, *_ in journal.kept]
    after = journal.kept[1][2]
    assert {e["model"]: e["probability"] for e in api["estimates"]} == {
        e.model: e.probability for e in after.estimates
    }
    table = words_of(page[page.index('class="changes"') :])
    for estimate in api["estimates"][:1]:
        assert words("vi").percent(estimate["probability"]) in table
    part = shown(found, SMOKER | {"if.systolic_bp": "130"}, "/page/what-if")
    assert "<html" not in part
    assert 'class="changes"' in part


@pytest.mark.parametrize(
    ("more", "tried"),
    [
        ({"if.systolic_bp": "400"}, True),  # set to the nearest end
        ({"if.systolic_bp": "156"}, False),  # as today
        ({"if.smoking": "never"}, False),  # impossible
        ({"if.age": "20"}, False),  # nobody becomes younger
        ({"if.systolic_bp": "abc"}, False),
        ({"if.sex": "female"}, False),
    ],
)
def test_only_what_can_be_changed_is_simulated_within_limits(
    more: dict[str, str], tried: bool
) -> None:
    journal = Recording()
    shown(client(journal=journal), SMOKER | more)

    assert tried == (["page", "what-if"] == [kind for kind, *_ in journal.kept])
    if tried:
        assert 156 < journal.kept[1][2].record.values["systolic_bp"] < 300


def test_a_simulation_that_cannot_be_is_told() -> None:
    page = shown(client(), SMOKER | {"lang": "en", "if.systolic_bp": "90"})

    assert (
        words("en").problem(Problem("contradictory", "", "", {"others": ("systolic_bp",)})) in page
    )
    assert 'class="changes"' not in page


def test_body_weight_moves_the_computed_body_mass_index() -> None:
    journal = Recording()
    shown(client(journal=journal), SMOKER | {"if.weight": "64"})

    assert 64 / 1.65**2 == pytest.approx(journal.kept[1][2].record.values["bmi"])


def test_a_form_that_is_wrong_comes_back_as_it_was_typed() -> None:
    sent = SMOKER | {"age": "640", "hba1c": "1.234", "lang": "vi", "sex": "female"}
    answer = client().post("/page/assess", data=sent)
    page = Looked(answer.text)

    assert 422 == answer.status_code
    assert ("640", "1.234", "6,2") == tuple(
        page.value(n) for n in ("age", "hba1c", "total_cholesterol")
    )
    checked = [a["value"] for a in page.every("input") if a.get("name") == "sex" and "checked" in a]
    assert ["female"] == checked
    assert {"#f-age", "#f-hba1c"} <= {a.get("href") for a in page.every("a")}
    invalid = {a["name"] for a in page.every("input") if a.get("aria-invalid")}
    assert {"age", "hba1c"} == invalid
    assert "phải nằm trong khoảng 18 đến 110 tuổi" in answer.text


def test_the_language_changes_with_a_button_and_loses_nothing() -> None:
    found = client()
    page = shown(found, SMOKER | {"lang": "vi", "switch": "en"})
    empty = shown(found, SMOKER | {"lang": "en", "switch": "vi"}, "/page")

    assert '<html lang="en">' in page
    assert "18 in 100 people" in page
    assert '<html lang="vi">' in empty
    assert "6,2" == Looked(empty).value("total_cholesterol")


def test_the_language_of_the_site_or_the_browser_is_taken_where_none_is_asked_for() -> None:
    found = client()

    assert '<html lang="vi">' in found.get("/page").text
    assert '<html lang="en">' in found.get("/page", headers={"accept-language": "en"}).text
    assert '<html lang="en">' in found.get("/page?lang=en", headers={"accept-language": "vi"}).text
    assert '<html lang="vi">' in found.get("/page?lang=xx").text


PAGES = {
    "form": ("GET", "/page"),
    "results": ("POST", "/page/assess"),
    "sheet": ("POST", "/page/hand-out"),
    "advice": ("GET", "/page/advice"),
}


@pytest.mark.parametrize(("method", "path"), PAGES.values(), ids=PAGES)
def test_a_page_keeps_nothing_and_runs_nothing_that_is_not_ours(method: str, path: str) -> None:
    answer = client(base_url="https://example.org").request(
        method, path, data=SMOKER if method == "POST" else None
    )
    page = Looked(answer.text)
    policy = answer.headers["content-security-policy"]

    assert "no-store" == answer.headers["cache-control"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert [] == [a for _, a in page.found if "style" in a or any(n.startswith("on") for n in a)]
    assert [] == page.every("style", "iframe", "object")
    assert all(a.get("src", "").startswith("/page/static/") for a in page.every("script"))
    assert all("post" == a["method"] for a in page.every("form"))


@pytest.mark.parametrize(("method", "path"), PAGES.values(), ids=PAGES)
def test_inputs_are_labelled_and_pictures_are_told(method: str, path: str) -> None:
    answer = client(base_url="https://example.org").request(
        method, path, data=SMOKER if method == "POST" else None
    )
    page = Looked(answer.text)
    labels = {a.get("for") for a in page.every("label")}
    ids = [a["id"] for _, a in page.found if "id" in a]

    assert len(ids) == len(set(ids))
    for a in page.every("input", "select", "textarea"):
        if a.get("type") not in ("hidden", "radio", "checkbox") and "aria-label" not in a:
            assert a.get("id") in labels or a["name"].endswith(".date"), a
    for a in page.every("svg"):
        assert a.get("aria-label") or "true" == a.get("aria-hidden") or "code" == a.get("class"), a
    for a in page.every("input", "select"):
        for described in a.get("aria-describedby", "").split():
            assert described in ids


def test_nothing_about_a_patient_is_in_an_address() -> None:
    page = Looked(shown(client(base_url="https://example.org"), SMOKER))

    for a in page.every("a", "form", "button"):
        address = a.get("href") or a.get("action") or a.get("formaction") or ""
        assert set(parse_qs(urlsplit(address).query)) <= {"lang"} or address.startswith("http")


def test_what_is_sent_by_another_site_or_is_no_form_is_refused_in_words() -> None:
    found = client()
    other = found.post("/page/assess", data=SMOKER, headers={"sec-fetch-site": "cross-site"})
    plain = found.post("/page/assess", content=b"{}", headers={"content-type": "application/json"})
    broken = found.post(
        "/page/assess", content=b"a=%ff",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    large = found.post("/page/assess", data={"note": "x" * 500_000})

    assert [403, 415, 400, 413] == [a.status_code for a in (other, plain, broken, large)]
    assert all("text/html" in a.headers["content-type"] for a in (other, plain, broken, large))
    assert words("vi")("page.error.body_too_large") in large.text


def test_what_cannot_be_recorded_is_not_shown() -> None:
    answer = client(journal=Recording(fails=True)).post("/page/assess", data=SMOKER)

    assert 503 == answer.status_code
    assert words("vi")("page.error.not_recorded") in answer.text
    assert "18 trong 100" not in answer.text


def test_what_is_typed_is_never_markup() -> None:
    evil = '"><script>alert(1)</script>'
    answer = client().post("/page/assess", data=SMOKER | {"age": evil, "note": evil, "who": evil})
    sheet = shown(client(), SMOKER | {"note": evil}, "/page/hand-out")

    assert "<script>alert" not in answer.text + sheet
    assert "&lt;script&gt;" in sheet


def dropped(found: TestClient, data: bytes, **more: str) -> Any:
    return found.post("/page/read", data={"lang": "en", **more}, files={"file": ("x", data)})


def test_a_bundle_fills_the_form_and_says_what_was_not_used() -> None:
    found, document = client(), example("us-transaction")
    answer = dropped(found, json.dumps(document).encode())
    reading = read(document, date(2026, 11, 22))
    assert reading.record is not None
    page = Looked(answer.text)

    assert 200 == answer.status_code
    filled = {
        a["name"]: a.get("value", "") for a in page.every("input") if a.get("type") != "radio"
    }
    filled |= {a["name"]: a["value"] for a in page.every("input")
               if a.get("type") == "radio" and "checked" in a}  # fmt: skip
    selects = fill(reading.record, words("en"))
    again = check({**selects, **{k: v for k, v in filled.items() if v}})
    assert again.record is not None
    assert dict(reading.record.values) == dict(again.record.values)
    said = unescape(words_of(answer.text))
    for basis in reading.basis:
        assert basis.at in said
    for problem in reading.problems:
        assert words("en").problem(problem) in said


def test_a_check_up_fills_the_form_for_its_own_day() -> None:
    answer = dropped(client(), envelope([person()]))
    page = Looked(answer.text)

    assert 200 == answer.status_code
    assert ("2026-11-20", "142", "6.1") == tuple(
        page.value(n) for n in ("index_date", "systolic_bp", "fasting_glucose")
    )
    assert "Nguyễn Thị Mẫu" not in answer.text
    assert "001172009999" not in answer.text


def test_of_several_people_one_is_asked_for() -> None:
    found, data = client(), envelope([person(1), person(2, XML10={"HUYET_AP": "151/91"})])
    unclear = dropped(found, data)
    second = dropped(found, data, who="2")

    assert 422 == unclear.status_code
    assert "holds several patients" in unclear.text
    assert "151" == Looked(second.text).value("systolic_bp")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"<a", b"[]", b'{"resourceType": 1}'])
def test_a_file_that_is_none_is_told_and_costs_nothing_that_was_typed(data: bytes) -> None:
    answer = dropped(client(), data, age="54")

    assert 422 == answer.status_code
    assert "54" == Looked(answer.text).value("age")


def test_opinions_are_kept_under_the_names_of_the_cards() -> None:
    kept: list[Any] = []
    found = client(keep=lambda service, said: kept.append((service, said)))
    shown_id = Looked(shown(found, SMOKER)).value("assessment_id")
    said_of = {"cardiovascular": "accepted", "diabetes": "patient_declines", "kidney": "nonsense"}
    sent = SMOKER | {"lang": "en", "assessment_id": shown_id}
    sent |= {f"feedback.{disease}": said for disease, said in said_of.items()}
    page = shown(found, sent, "/page/feedback")
    part = shown(found, sent | {"fragment": "1"}, "/page/feedback")

    service, said = kept[0]
    assert ALL == service
    assert [
        (name(shown_id, "card", "cardiovascular"), "accepted", ""),
        (name(shown_id, "card", "diabetes"), "overridden", "patient_declines"),
    ] == [(each.card, each.outcome, each.reason) for each in said]
    assert "Kept: Heart and vessels, Diabetes" in words_of(page)
    assert "<html" not in part
    assert all(words("en")(f"override.{code}") in page for code in FACTS["override"]["codes"])


def test_nobody_is_asked_for_an_opinion_that_is_not_kept() -> None:
    kept: list[Any] = []
    forged = SMOKER | {"assessment_id": "x", "feedback.diabetes": "accepted"}

    assert "feedback." not in shown(client(), SMOKER)
    shown(client(keep=lambda *said: kept.append(said)), forged, "/page/feedback")
    assert [] == kept


def test_the_sheet_tells_no_risk_of_a_model_that_is_not_released_and_none_of_death() -> None:
    journal = Recording()
    sheet = words_of(
        shown(client(journal=journal, base_url="https://example.org"),
              SMOKER | {"lang": "en", "note": "Walk every day."}, "/page/hand-out")
    )  # fmt: skip
    risks = {e.model: e for e in journal.kept[0][2].estimates}

    assert "Of people like you, 18 in 100 people have a heart attack or a stroke" in sheet
    assert "death" not in sheet.lower()
    told = words("en").frequency(risks["diabetes-incident"].probability)
    assert risks["diabetes-incident"].released == (f"{told} get diabetes" in sheet)
    assert "https://example.org/page/advice?lang=en" in sheet
    assert "Walk every day." in sheet
    assert words("en")("page.sheet_notice") in sheet


def test_without_a_public_address_the_sheet_has_no_code() -> None:
    sheet = shown(client(), SMOKER, "/page/hand-out")

    assert 'class="code"' not in sheet


def test_an_urgent_patient_is_sent_to_hospital_by_the_sheet() -> None:
    sheet = shown(client(), typed(PATIENTS["4-very-high-blood-pressure"]), "/page/hand-out")

    assert words("en")("page.sheet_urgent") in sheet


@each_language
def test_general_advice_is_for_anybody(lang: str) -> None:
    answer = client().get(f"/page/advice?lang={lang}")

    assert 200 == answer.status_code
    assert 5 == answer.text.count("<li>")
    assert not re.search(r"[{}]", words_of(answer.text))


def test_values_over_time_are_drawn_with_their_table() -> None:
    sent = SMOKER | {"earlier.0.date": "2026-05-01", "earlier.0.systolic_bp": "165", "lang": "vi"}
    page = shown(client(), sent)

    assert 1 == page.count('class="trend"')
    assert "165 mmHg" in page[page.index("<figure>") :]
    assert "01/05/2026" in page


def test_static_files_are_kept_by_the_browser_until_they_change() -> None:
    found = client()
    page = Looked(found.get("/page").text)
    addresses = [a["href"] for a in page.every("link")] + [a["src"] for a in page.every("script")]

    for address in addresses:
        answer = found.get(address)
        assert 200 == answer.status_code
        assert "immutable" in answer.headers["cache-control"]
    assert 404 == found.get("/page/static/..%2frender.py").status_code
    assert 404 == found.get("/page/static/page.toml").status_code


def test_a_number_line_keeps_everything_within_the_picture() -> None:
    drawn = str(
        number_line(Line("99,9%", 0.999, 0.999, (0.9, 1.0), 0.0, (0.5,)), (), 'a "<b>', str)
    )

    places = [float(x) for x in re.findall(r'\bx="([\d.-]+)"', drawn)]
    assert 0 <= min(places) <= max(places) <= 360
    assert "<b>" not in drawn
    assert 100 == str(people(7, "")).count("<path")
    assert 7 == str(people(7, "")).count('class="ill"')
    assert 'class="lower"' in bar(-0.5)


def test_points_are_drawn_with_their_cut_off() -> None:
    journal = Recording()
    page = shown(client(journal=journal), SMOKER | {"lang": "en"})
    total = next(o for o in journal.kept[0][2].outcomes if isinstance(o, PointsTotal))

    assert f"{total.low} to {total.high} points" in page or f"{total.low} points" in page
    assert words("en")("page.above") in page


@each_language
def test_ten_seconds_are_enough(lang: str) -> None:
    text, page = words(lang), shown(client(), SMOKER | {"lang": lang})
    glance = page[page.index('class="glance"') : page.index('class="first"')]
    told = [unescape(words_of(each)) for each in glance.split("<li")[1:]]

    heart, death = told[0], told[1]
    assert text("band.orange") in heart  # how high
    assert f"{text('page.against')}: {text('page.reference')}" in heart
    assert f"{text('page.why')}: {text.label('systolic_bp')}" in heart
    assert f"{text('page.other_models')}: " in heart  # how sure
    assert text("band.red") in heart
    assert text("page.interval").lower() in death.lower()
    assert text("page.lacking", count=6) in death
    assert text.label("uacr") in death
    assert page.index('class="glance"') < page.index('class="first"') < page.index('class="panel')


def test_the_name_of_a_grade_is_nothing_to_do() -> None:
    healthy = {"age": "54", "sex": "female", "systolic_bp": "118", "diastolic_bp": "76"}
    page = shown(client(), {"index_date": "2026-11-22", "lang": "en", **healthy})
    first = page[page.index('id="first"') : page.index('class="panel')]

    assert "BPS-08" in page
    assert 'data-rule="BPS-08"' not in first
    assert words("en")("page.nothing_first") in first
    rules = {rule.id for guideline in PLACE.guidelines for rule in guideline.rules}
    assert set(PAGE_FACTS["first_within"]["names"]) <= rules
