from dataclasses import replace
from typing import Any

import pytest

import cdss.jurisdiction
from cdss import PatientRecord, assess, load_jurisdiction, published_models
from cdss.errors import DefinitionError, UnknownJurisdiction, UnknownModel
from cdss.guideline import READ
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import JURISDICTIONS, select
from tests.shipped import shipped

MODELS = (*shipped(demonstrations=True), *published_models())
IDS = {model.id for model in MODELS}

each = pytest.mark.parametrize("name", JURISDICTIONS)

PERSON = {
    "age": 54, "sex": "female", "systolic_bp": 132, "diastolic_bp": 80, "bmi": 27,
    "current_smoker": False, "diabetes": False, "prior_cvd": False, "pregnant": False,
    "bp_treated": False,
}  # fmt: skip


def answered(name: str = "vn", **values: Any) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    """Question → model that answered, and those beside it."""
    place = load_jurisdiction(name)
    known = {k: v for k, v in (PERSON | values).items() if v is not None}
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": known})
    found = assess(record, select(MODELS, place), place, chosen=True)
    return {c.question.id: (c.model, c.beside) for c in found.choices}


def test_the_laboratory_equation_answers_where_cholesterol_is_known() -> None:
    assert answered()["cardiovascular"] == ("who-2019-nonlab-sea", ("who-2019-nonlab-vnm",))
    with_laboratory = answered(total_cholesterol=5.2)
    assert with_laboratory["cardiovascular"] == ("who-2019-lab-sea", ("who-2019-lab-vnm",))


def test_nobody_answers_for_whom_no_model_is_made() -> None:
    assert answered(age=30)["cardiovascular"] == (None, ())
    assert answered(prior_cvd=True)["cardiovascular"] == (None, ())


def test_what_is_measured_is_not_guessed() -> None:
    place = load_jurisdiction("vn")
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": PERSON})
    found = assess(record, select(MODELS, place), place, chosen=True)
    (choice,) = (c for c in found.choices if c.question.id == "undiagnosed_hypertension")

    assert (None, ("systolic_bp", "diastolic_bp")) == (choice.model, choice.measured)
    assert "hypertension-undiagnosed" not in [o.model for o in found.outcomes]
    at_home = answered(systolic_bp=None, diastolic_bp=None)
    assert at_home["undiagnosed_hypertension"][0] == "hypertension-undiagnosed"


def test_every_model_that_is_not_off_answers_on_request() -> None:
    place = load_jurisdiction("vn")

    assert {m.id for m in MODELS if not m.off and not m.demonstration} == {
        m.id for m in select(MODELS, place, ["all"])
    }
    (asked,) = select(MODELS, place, ["score2-asia-pacific-high"])
    assert asked.off
    with pytest.raises(UnknownModel, match="who-2019-lab-sea"):
        select(MODELS, place, ["qrisk"])


def test_what_needs_a_region_or_is_for_comparison_is_off() -> None:
    off = {m.id for m in MODELS if m.off}

    assert {i for i in IDS if i.startswith(("score2", "pce"))} == off


def test_a_site_model_that_no_question_names_answers_too() -> None:
    own = replace(MODELS[0], id="our-own", demonstration=False)
    place = load_jurisdiction("vn")
    asked = select([own, *published_models()], place)
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": PERSON})
    found = assess(record, asked, place, chosen=True)

    assert "our-own" in [o.model for o in found.outcomes]


def test_models_that_disagree_are_shown() -> None:
    place = load_jurisdiction("vn")
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": PERSON})
    found = assess(record, select(MODELS, place), place, chosen=True)
    (two,) = (d for d in found.disagreements if d.outcome == "myocardial_infarction_or_stroke")
    estimates = {e.model: e.probability for e in found.estimates}

    assert {"who-2019-nonlab-sea", "who-2019-nonlab-vnm"} == set(two.models)
    assert (two.low, two.high) == tuple(estimates[m] for m in two.models)


def test_a_cut_off_of_the_country_is_used() -> None:
    (usual,) = (m for m in MODELS if m.id == "modasian-findrisc")
    (here,) = select(MODELS, load_jurisdiction("vn"), ["modasian-findrisc"])

    assert (15, 10) == (usual.cut_off.points, here.cut_off.points)
    assert "Kon Tum" in here.cut_off.source


@each
def test_questions_and_rules_exist(name: str) -> None:
    place = load_jurisdiction(name)

    assert place.named <= IDS
    assert all(rule.status in READ for g in place.guidelines for rule in g.rules)
    assert set(LANGUAGES) == set(place.name)
    for lang in LANGUAGES:
        for question in place.questions:
            assert words(lang)(f"question.{question.id}")
            assert words(lang)(f"why.{question.why}")
    for names in place.levels.values():
        assert set(LANGUAGES) == set(names)


def test_risk_rules_wait_for_what_would_give_a_risk() -> None:
    place = load_jurisdiction("vn")
    values = {k: v for k, v in PERSON.items() if k != "systolic_bp"}
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": values})
    found = assess(record, select(MODELS, place), place)
    needs = {u.rule.id: {n.variable for n in u.needs} for u in found.undecided}

    assert {"systolic_bp"} == needs["CVR-06"]


def test_risk_rules_do_not_wait_where_no_model_applies() -> None:
    place = load_jurisdiction("vn")
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": PERSON | {"age": 30}})
    found = assess(record, select(MODELS, place), place)
    rules = {a.rule.id for a in found.advice} | {u.rule.id for u in found.undecided}

    assert not rules & {"CVR-02", "CVR-03", "CVR-04", "CVR-05", "CVR-06"}


def test_a_range_decides_a_band_only_if_it_lies_in_it() -> None:
    place = load_jurisdiction("vn")
    lab = PERSON | {"total_cholesterol": 5.2, "age": 61, "systolic_bp": 139}
    lab.pop("current_smoker")
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": lab})
    found = assess(record, select(MODELS, place), place, chosen=True)
    (span,) = (r for r in found.ranges if r.model == "who-2019-lab-sea")
    undecided = {u.rule.id: u.needs for u in found.undecided}

    assert span.low < 0.10 < span.high
    assert {"current_smoker"} == {n.variable for n in undecided["CVR-04"]}
    assert not {"CVR-04", "CVR-05"} & {a.rule.id for a in found.advice}


def test_an_unknown_jurisdiction_lists_those_there_are() -> None:
    with pytest.raises(UnknownJurisdiction, match="us, vn, who"):
        load_jurisdiction("atlantis")


WRONG = [
    ("language", "", "language is missing"),
    ("still_valid_on = ", "colour = 1\nstill_valid_on = ", "unknown key colour"),
    ('"WHO-2021",', '"WHO-2099",', "no guideline WHO-2099"),
    ('"BPT-05" =', '"BPT-99" =', "no such rule BPT-99"),
    ("points = 10, locator", "points = 10, page", "unknown key page"),
    ('cardiovascular = "cardiovascular"', 'cardiovascular = "heart"', "unknown heart"),
    ("[cut_offs]", "[parameters.HEARTS-R.red]\nvalue = 0.15\nunit = ''\n[cut_offs]",
     "locator is missing"),
    ("[cut_offs]", "[parameters.HEARTS-R.blue]\nvalue = 1\nunit = ''\nlocator = 'p 1'\n[cut_offs]",
     "no parameter blue"),
    ("[cut_offs]", "[parameters.HEARTS-E.young]\nvalue = 1\nunit = 'mo'\nlocator = 'p'\n[cut_offs]",
     "other unit"),
    ("modasian-findrisc = {", "nothing = {", "no points score nothing"),
    ("[risks]", "[risks]\n[risks]", "vn.toml"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG, ids=lambda text: str(text)[:20])
def test_a_wrong_file_is_refused(
    old: str, new: str, message: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (cdss.jurisdiction._FILES / "vn.toml").read_text(encoding="utf-8")
    text = text.replace('language = "vi"\n', "") if old == "language" else text.replace(old, new, 1)
    (tmp_path / "vn.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(cdss.jurisdiction, "_FILES", tmp_path)

    with pytest.raises(DefinitionError, match=message):
        load_jurisdiction.__wrapped__("vn")  # type: ignore[attr-defined]


def test_a_country_may_set_its_own_threshold(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEARTS-R p 19: any country may set own treatment thresholds."""
    text = (cdss.jurisdiction._FILES / "vn.toml").read_text(encoding="utf-8")
    law = "value = 0.15\nunit = ''\nlocator = 'Decision 1, p 2'\nvalid_from = '2027'\n"
    (tmp_path / "vn.toml").write_text(f"{text}\n[parameters.HEARTS-R.red]\n{law}", encoding="utf-8")
    monkeypatch.setattr(cdss.jurisdiction, "_FILES", tmp_path)
    stricter = load_jurisdiction.__wrapped__("vn")  # type: ignore[attr-defined]
    values = PERSON | {"age": 72, "systolic_bp": 150}
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": values})
    fired = []
    for place in (load_jurisdiction("vn"), stricter):
        found = assess(record, select(MODELS, place), place)
        fired.append({a.rule.id for a in found.advice if a.rule.id in ("CVR-05", "CVR-06")})
        (risk,) = (e.probability for e in found.estimates if e.model == "who-2019-nonlab-sea")

    assert 0.15 <= risk < 0.20
    assert [{"CVR-05"}, {"CVR-06"}] == fired
