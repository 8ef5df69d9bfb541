import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdss import VARIABLES, assess
from cdss.estimate import expit
from cdss.i18n import words
from cdss.wire import to_dict
from serving.app import create_app
from tests.serving_process import problems, sent
from tests.toy import BASELINE, record, toy_log_odds, toy_model


@pytest.fixture
def client(toy_models: tuple) -> Iterator[TestClient]:
    with TestClient(create_app(toy_models)) as client:
        yield client


def answer(client: TestClient, query: str = "", **values: Any) -> dict[str, Any]:
    response = client.post(f"/v1/assess{query}", json=sent(**values))
    assert 200 == response.status_code, response.text
    return response.json()


def test_the_whole_answer(client: TestClient) -> None:
    response = client.post("/v1/assess", json=sent(age=55, alt=40))
    found = response.json()
    phi = toy_log_odds(age=55, sex=1, bmi=30, alt=40)
    p, p0 = expit(BASELINE + math.fsum(phi.values())), expit(BASELINE)
    share = (p - p0) / math.fsum(phi.values())
    rows = [("age", 55.0, "a"), ("sex", "female", ""), ("bmi", 30.0, "kg/m2"), ("alt", 40.0, "U/L")]
    estimate = {
        "model": "toy",
        "version": "1.0.0",
        "outcome": "incident_diabetes",
        "horizon_years": 10.0,
        "probability": pytest.approx(p, abs=1e-6),
        "baseline_probability": p0,
        "contributions": [
            {
                "variable": name,
                "value": value,
                "unit": unit,
                "log_odds": pytest.approx(phi[name], abs=1e-6),
                "risk_points": pytest.approx(phi[name] * share, abs=1e-6),
            }
            for name, value, unit in rows
        ],
        "missing": [],
        "warnings": [],
        "demonstration": False,
        "reference": None,
        "interval": None,
        "outside": [],
        "released": True,
    }
    teaching = {
        "code": "demonstration",
        "variable": "model",
        "detail": words("en").texts["problem.demonstration"],
    }
    outside = {
        "code": "outside_limits",
        "variable": "age",
        "detail": "is outside 60 to 90 years, the range the model was made for",
    }

    assert {
        "assessment_id": found["assessment_id"],
        "index_date": "2026-11-22",
        "jurisdiction": None,
        **{name: [] for name in ("answers", "ranges", "points", "disagreements")},
        **{name: [] for name in ("advice", "undecided", "to_ask")},
        "estimates": [
            estimate,
            estimate
            | {
                "model": "toy-teaching",
                "outcome": "undiagnosed_diabetes",
                "horizon_years": None,
                "warnings": [teaching],
                "demonstration": True,
            },
        ],
        "not_estimated": [
            {
                "model": "toy-old",
                "version": "1.0.0",
                "outcome": "cardiovascular_death",
                "horizon_years": 10.0,
                "reasons": [outside],
            }
        ],
        "set_aside": [],
        "notice": words("en")("notice.advisory"),
    } == found
    assert ("application/json", "no-store") == (
        response.headers["content-type"],
        response.headers["cache-control"],
    )


def test_the_answer_is_that_of_the_library(client: TestClient, toy_models: tuple) -> None:
    found = answer(client, alt=40)
    known = sent(alt=40)["values"]
    assessment = assess(record(**known), toy_models)

    assert to_dict(assessment, assessment_id=found["assessment_id"]) == found


def test_every_assessment_has_a_name_of_its_own(client: TestClient) -> None:
    names = {answer(client)["assessment_id"] for _ in range(20)}

    assert 20 == len(names)
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"alt": 400},
        {"age": 20, "bmi": 12.5, "sex": "male"},
        {"age": 80, "bmi": 45, "alt": 90},
        {"bmi": None, "weight": 70, "height": 170},
        {"age": 50, "sex": "male", "bmi": 21.01, "alt": 20},  # nearly at the baseline
    ],
)
def test_contributions_add_up(client: TestClient, values: dict[str, Any]) -> None:
    for estimate in answer(client, **values)["estimates"]:
        p, p0 = estimate["probability"], estimate["baseline_probability"]
        contributions = estimate["contributions"]
        log_odds = math.fsum(c["log_odds"] for c in contributions)
        points = math.fsum(c["risk_points"] for c in contributions)
        opposed = [c for c in contributions if c["log_odds"] * c["risk_points"] < 0]

        assert math.log(p / (1 - p)) - math.log(p0 / (1 - p0)) == pytest.approx(log_odds, abs=1e-5)
        assert p - p0 == pytest.approx(points, abs=1e-6)
        assert [] == opposed


def test_units_are_brought_to_the_canonical_one(client: TestClient) -> None:
    canonical = answer(client, bmi=None, height=165.1, weight=81.6466266, alt=30)
    given = answer(
        client,
        bmi=None,
        height={"value": 65, "unit": "in"},
        weight={"value": 180, "unit": "lbs", "date": "2026-10-01"},
        alt={"value": 0.5, "unit": "µkat/L"},
    )
    one, other = (a["estimates"][0]["contributions"] for a in (canonical, given))

    assert [(c["variable"], c["unit"]) for c in one] == [(c["variable"], c["unit"]) for c in other]
    assert [c["value"] for c in one] == pytest.approx([c["value"] for c in other])
    assert [c["log_odds"] for c in one] == pytest.approx([c["log_odds"] for c in other], abs=1e-6)
    assert pytest.approx(81.6466266 / 1.651**2) == one[2]["value"]


def test_what_is_unknown_says_so(client: TestClient) -> None:
    left_out, null, empty = (
        answer(client, **values)["estimates"][0]
        for values in ({}, {"alt": None}, {"alt": {"value": None, "unit": "U/L"}})
    )

    assert left_out == null == empty
    assert ["alt"] == left_out["missing"]
    assert ("alt", None, "U/L") == tuple(left_out["contributions"][3].values())[:3]


def test_a_value_too_old_is_set_aside_and_told(client: TestClient) -> None:
    found = answer(client, alt={"value": 40, "date": "2020-01-01"})

    assert [("stale", "alt")] == [(p["code"], p["variable"]) for p in found["set_aside"]]
    assert found["set_aside"] == found["estimates"][0]["warnings"]
    assert ["alt"] == found["estimates"][0]["missing"]


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"bmi": None}, [("missing_input", "bmi")]),
        ({"bmi": None, "sex": None}, [("missing_input", "sex"), ("missing_input", "bmi")]),
        ({"alt": 1001}, [("outside_limits", "alt")]),
        ({"pregnant": True}, [("excluded", "pregnant")]),
        (
            {"bmi": 61, "diabetes": True},
            [("excluded", "diabetes"), ("outside_limits", "bmi")],
        ),
    ],
)
def test_a_model_that_does_not_apply_says_why_and_others_answer(
    values: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    easy = toy_model(id="easy", inputs=("age",), optional=("sex", "bmi", "alt"), excluded=(),
                     limits={})  # fmt: skip
    with TestClient(create_app([toy_model(), easy])) as client:
        found = answer(client, **values)
    (refusal,) = found["not_estimated"]

    assert ["easy"] == [estimate["model"] for estimate in found["estimates"]]
    assert "toy" == refusal["model"]
    assert reasons == [(reason["code"], reason["variable"]) for reason in refusal["reasons"]]
    assert all(reason["detail"] for reason in refusal["reasons"])


def test_no_model_may_apply(client: TestClient) -> None:
    found = answer(client, age=19)

    assert [] == found["estimates"]
    assert ["toy", "toy-old", "toy-teaching"] == [n["model"] for n in found["not_estimated"]]


def test_words_come_in_the_language_asked_for(client: TestClient) -> None:
    english, vietnamese = (answer(client, f"?lang={lang}", age=55) for lang in ("en", "vi"))
    reason = vietnamese["not_estimated"][0]["reasons"][0]

    assert words("vi")("notice.advisory") == vietnamese["notice"]
    assert "nằm ngoài khoảng 60 đến 90 tuổi mà mô hình được xây dựng" == reason["detail"]
    assert numbers(english) == numbers(vietnamese)
    assert answer(client, age=55)["notice"] == english["notice"]


def numbers(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (e["model"], e["probability"], *(tuple(c.values()) for c in e["contributions"]))
        for e in found["estimates"]
    ]


def test_problems_come_in_the_language_asked_for(client: TestClient) -> None:
    refused = client.post("/v1/assess?lang=vi", json=sent(age=17))

    assert [("implausible", "age")] == problems(refused, 422)
    assert "phải nằm trong khoảng 18 đến 110 tuổi" == refused.json()["problems"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?models=toy", ["toy"]),
        ("?models=toy-teaching,toy&lang=vi", ["toy-teaching", "toy"]),
        ("?models=toy,toy", ["toy"]),
        ("?models=toy%2Ctoy-teaching", ["toy", "toy-teaching"]),
        ("?", ["toy", "toy-old", "toy-teaching"]),
        ("", ["toy", "toy-old", "toy-teaching"]),
    ],
)
def test_only_the_models_asked_for_answer(
    client: TestClient, query: str, expected: list[str]
) -> None:
    first, again = (answer(client, query, age=65) for _ in range(2))

    assert expected == [estimate["model"] for estimate in first["estimates"]]
    assert first["estimates"] == again["estimates"]


def test_what_can_be_asked_is_told(client: TestClient, toy_models: tuple) -> None:
    found = client.get("/v1/models").json()
    variables = {variable["name"]: variable for variable in found["variables"]}

    assert ["toy", "toy-old", "toy-teaching"] == [model["model"] for model in found["models"]]
    assert [m.facts["digest"] for m in toy_models] == [m["digest"] for m in found["models"]]
    assert [*VARIABLES] == list(variables)
    assert {
        "name": "alt",
        "kind": "quantity",
        "group": "liver",
        "unit": "U/L",
        "units": ["U/L", "ukat/L", "nkat/L"],
        "plausible": [0.5, 5000],
        "choices": [],
        "fresh_for_days": 365,
        "loinc": [],
    } == variables["alt"]
    assert ["never", "former", "current"] == variables["smoking"]["choices"]


def test_health_and_readiness(client: TestClient) -> None:
    assert {"status": "ok"} == client.get("/health").json()
    ready = {"status": "ready", "models": ["toy", "toy-old", "toy-teaching"]}
    assert ready == client.get("/ready").json()
    assert 200 == client.head("/health").status_code


def test_the_index_lists_what_there_is(client: TestClient) -> None:
    links = client.get("/").json()["links"]
    posts = {"/v1/assess", "/v1/assess/batch"}

    assert all(client.get(path).status_code == 200 for path in {*links.values()} - posts)
    assert posts < {*links.values()}


def test_the_empty_route_is_only_there_to_be_measured(toy_models: tuple) -> None:
    with TestClient(create_app(toy_models)) as client:
        assert [("unknown_path", "path")] == problems(client.post("/empty", json=sent()), 404)
    with TestClient(create_app(toy_models, empty_route=True)) as client:
        assert {} == client.post("/empty", json=sent()).json()
