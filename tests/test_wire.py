import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from cdss.assess import Assessment, assess
from cdss.bundle import load_bundle
from cdss.equations import published_models
from cdss.errors import UnknownLanguage
from cdss.estimate import expit
from cdss.i18n import LANGUAGES, words
from cdss.limits import Limit
from cdss.record import PatientRecord
from cdss.wire import model_to_dict, problems_to_list, to_dict
from tests.toy import BASELINE, SURE, record, toy_log_odds, toy_model

OLD = {"value": 55, "date": "2020-01-01"}
MODELS = (toy_model(), toy_model(id="toy-old", limits={"age": Limit(61.5, 90)}))


def assessment() -> Assessment:
    return assess(record(age=60, sex="female", bmi=30, diabetes=False, alt=OLD), MODELS)


def strip_words(answer: object) -> object:
    """The answer without what depends on the language."""
    if isinstance(answer, dict):
        return {k: strip_words(v) for k, v in answer.items() if k not in {"detail", "notice"}}
    return [strip_words(part) for part in answer] if isinstance(answer, list) else answer


def test_an_assessment_in_json() -> None:
    phi = toy_log_odds(age=60, sex=1, bmi=30)
    p, p0 = expit(BASELINE + math.fsum(phi.values())), expit(BASELINE)
    share = (p - p0) / math.fsum(phi.values())
    rows = [("age", 60.0, "a"), ("sex", "female", ""), ("bmi", 30.0, "kg/m2"), ("alt", None, "U/L")]
    stale = {
        "code": "stale",
        "variable": "alt",
        "detail": "is older than 365 days and was not used",
    }
    outside = {
        "code": "outside_limits",
        "variable": "age",
        "detail": "is outside 61.5 to 90 years, the range the model was made for",
    }
    unstated = {
        "code": "assumed_absent",
        "variable": "pregnant",
        "detail": "is unknown; the estimate holds only if it does not apply",
    }
    named = {"version": "1.0.0", "outcome": "incident_diabetes", "horizon_years": 10.0}
    answer = to_dict(assessment(), assessment_id="a-1")
    estimate = answer["estimates"][0]
    contributions = estimate.pop("contributions")

    assert {
        "assessment_id": "a-1",
        "index_date": "2026-11-22",
        "jurisdiction": None,
        **{name: [] for name in ("answers", "ranges", "points", "disagreements")},
        **{name: [] for name in ("advice", "undecided", "to_ask")},
        "estimates": [
            {
                "model": "toy",
                **named,
                "probability": pytest.approx(p),
                "baseline_probability": p0,
                "missing": ["alt"],
                "warnings": [unstated, stale],
                "demonstration": False,
                "reference": None,
                "interval": None,
                "outside": [],
                "released": True,
            }
        ],
        "not_estimated": [{"model": "toy-old", **named, "reasons": [outside]}],
        "set_aside": [stale],
        "notice": words("en")("notice.advisory"),
    } == answer
    assert [
        {
            "variable": name,
            "value": value,
            "unit": unit,
            "log_odds": pytest.approx(phi[name]),
            "risk_points": pytest.approx(phi[name] * share),
        }
        for name, value, unit in rows
    ] == contributions


def test_only_sentences_depend_on_the_language() -> None:
    english, vietnamese = (to_dict(assessment(), assessment_id="a", lang=x) for x in ("en", "vi"))

    assert strip_words(english) == strip_words(vietnamese)
    assert "đã quá 365 ngày nên không được sử dụng" == vietnamese["set_aside"][0]["detail"]
    reason = vietnamese["not_estimated"][0]["reasons"][0]["detail"]
    assert "nằm ngoài khoảng 61,5 đến 90 tuổi mà mô hình được xây dựng" == reason
    assert words("vi")("notice.advisory") == vietnamese["notice"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_answer_is_json_and_survives_it(lang: str) -> None:
    answer = to_dict(assessment(), assessment_id="a", lang=lang)

    assert answer == json.loads(json.dumps(answer, allow_nan=False))


def test_a_demonstration_says_so_twice() -> None:
    demonstration = toy_model(demonstration=True)
    patient = record(age=60, sex="male", bmi=30, diabetes=False)
    estimate = to_dict(assess(patient, [demonstration]), assessment_id="a")["estimates"][0]

    assert estimate["demonstration"] is True
    assert ["demonstration"] == [warning["code"] for warning in estimate["warnings"]]


def test_an_interval_and_what_is_outside_in_json(write_toy: Callable[..., Path]) -> None:
    model = load_bundle(write_toy(gate=False, **SURE))
    patient = record(age=79.9, sex="male", bmi=30, diabetes=False, pregnant=False)
    answer = to_dict(assess(patient, [model]), assessment_id="a", lang="vi")
    (estimate,) = json.loads(json.dumps(answer))["estimates"]

    assert ["low", "high", "level", "people"] == [*estimate["interval"]]
    assert (0.95, 500) == (estimate["interval"]["level"], estimate["interval"]["people"])
    assert 0 < estimate["interval"]["low"] < estimate["probability"] < estimate["interval"]["high"]
    assert "age" in estimate["outside"]
    assert estimate["released"] is False
    said = {w["code"]: w["detail"] for w in estimate["warnings"]}
    assert words("vi")("problem.not_released") == said["not_released"]
    assert "nằm ngoài khoảng 20,3 đến 79,7 tuổi" in said["rare_value"]


def test_an_equation_needs_no_release_record() -> None:
    (equation,) = (m for m in published_models() if m.id == "framingham-cvd-2008-bmi")
    told = model_to_dict(equation)

    assert (True, None, False, None) == tuple(
        told[key] for key in ("released", "released_on", "anchored", "parent")
    )


def test_a_released_model_says_since_when(write_toy: Callable[..., Path]) -> None:
    told = model_to_dict(load_bundle(write_toy(parent={"id": "toy"})))

    assert (True, "2026-11-24", {"id": "toy"}) == tuple(
        told[key] for key in ("released", "released_on", "parent")
    )


def test_lists_are_there_even_if_empty() -> None:
    answer = to_dict(assess(record(age=60), []), assessment_id="a")

    assert [[], [], []] == [answer[k] for k in ("estimates", "not_estimated", "set_aside")]


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(UnknownLanguage):
        to_dict(assessment(), assessment_id="a", lang="fr")


def test_problems_of_a_record_in_json() -> None:
    with pytest.raises(ValueError, match="age") as error:
        PatientRecord.parse({"index_date": "2026-11-22", "values": {"age": 5}})

    assert [
        {
            "code": "implausible",
            "variable": "age",
            "detail": "phải nằm trong khoảng 18 đến 110 tuổi",
        }
    ] == problems_to_list(error.value.problems, words("vi"))


def test_a_model_in_json() -> None:
    expected = {
        "model": "toy",
        "version": "1.0.0",
        "kind": "trained",
        "outcome": "incident_diabetes",
        "horizon_years": 10.0,
        "inputs": ["age", "sex", "bmi"],
        "optional": ["alt"],
        "limits": {"age": [20, 80], "bmi": [12.5, 60], "alt": [1, 1000]},
        "excluded": ["diabetes", "pregnant"],
        "only_with": [],
        "population": "Nobody: a model made by hand for tests.",
        "vietnam": words("en")("vietnam.other"),
        "licence": words("en")("licence.trained"),
        "sources": ["tests/toy.py, WEIGHTS"],
        "off": False,
        "demonstration": False,
        "released": True,
        "released_on": None,
        "anchored": False,
        "parent": None,
    }

    assert expected == json.loads(json.dumps(model_to_dict(toy_model())))
