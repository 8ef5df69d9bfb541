"""The service on the shipped models: equations, advice, ranges, points, jurisdictions."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdss import load_jurisdiction, published_models
from serving.app import create_app
from tests.shipped import shipped

PERSON = {
    "age": 58, "sex": "male", "systolic_bp": 152, "diastolic_bp": 94, "bmi": 26.4,
    "total_cholesterol": {"value": 232, "unit": "mg/dL"}, "prior_cvd": False, "diabetes": False,
    "current_smoker": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    models = [*shipped(), *published_models()]
    with TestClient(create_app(models, load_jurisdiction("vn"))) as client:
        yield client


def ask(client: TestClient, query: str = "", history: Any = None, **values: Any) -> dict[str, Any]:
    known = {k: v for k, v in (PERSON | values).items() if v is not None}
    payload = {"index_date": "2026-11-22", "values": known}
    if history is not None:
        payload["history"] = history
    response = client.post(f"/v1/assess{query}", json=payload)
    assert 200 == response.status_code, response.text
    return response.json()


def test_an_equation_answers_in_the_shape_of_a_trained_model(client: TestClient) -> None:
    found = {e["model"]: e for e in ask(client)["estimates"]}

    assert found["who-2019-lab-sea"].keys() == found["cvd-death"].keys()
    equation = found["who-2019-lab-sea"]
    assert 60 == equation["reference"]["age"]
    total = sum(c["risk_points"] for c in equation["contributions"])
    assert equation["probability"] - equation["baseline_probability"] == pytest.approx(total)


def test_advice_is_cited_and_says_how_soon(client: TestClient) -> None:
    found = ask(client)
    (recheck,) = (a for a in found["advice"] if a["rule"] == "BPS-05")

    assert "HEARTS-E" == recheck["guideline"]
    assert recheck["source"]["locator"].startswith("p 11")
    assert "another day" in recheck["within"]
    assert [] == recheck["open"]
    assert {"BPS-06", "BPT-01"} <= {u["rule"] for u in found["undecided"]}
    again = [q for q in found["to_ask"] if q["again"]]
    assert {"systolic_bp", "diastolic_bp"} == {q["variable"] for q in again}


def test_earlier_readings_decide(client: TestClient) -> None:
    visit = {"date": "2026-11-01", "values": {"systolic_bp": 148, "diastolic_bp": 86}}
    rules = {a["rule"] for a in ask(client, history=[visit])["advice"]}

    assert {"BPS-06", "BPT-01"} <= rules
    assert "BPS-05" not in rules


def test_an_unknown_smoking_habit_gives_a_range(client: TestClient) -> None:
    found = ask(client, current_smoker=None)
    (span,) = (r for r in found["ranges"] if r["model"] == "who-2019-lab-sea")
    both = [
        next(e for e in ask(client, current_smoker=s)["estimates"] if e["model"] == span["model"])
        for s in (False, True)
    ]

    assert ["current_smoker"] == span["narrowed_by"]
    assert [span["low"], span["high"]] == pytest.approx([e["probability"] for e in both])
    assert span["model"] not in [e["model"] for e in found["estimates"]]


def test_points_are_not_probabilities(client: TestClient) -> None:
    found = ask(client, waist=96)
    points = {p["model"]: p for p in found["points"]}

    assert {"findrisc", "modasian-findrisc"} == set(points)
    assert points["findrisc"]["low"] < points["findrisc"]["high"]
    assert "findrisc" not in [e["model"] for e in found["estimates"]]


def test_a_value_outside_an_equation_names_limit_and_source(client: TestClient) -> None:
    found = ask(client, "?models=who-2019-lab-sea,prevent-2023-cvd-10y", age=85)
    details = {n["model"]: n["reasons"][0] for n in found["not_estimated"]}

    assert "limit_between" == details["who-2019-lab-sea"]["code"]
    assert "40 to 80 years" in details["who-2019-lab-sea"]["detail"]
    assert "WHO CVD Risk Chart Working Group" in details["who-2019-lab-sea"]["detail"]
    assert "30 to 79 years" in next(
        r["detail"]
        for n in found["not_estimated"]
        for r in n["reasons"]
        if "30 to 79" in r["detail"]
    )


def test_other_models_answer_on_request(client: TestClient) -> None:
    values = {"hdl_cholesterol": 1.1, "egfr": 88, "bp_treated": False, "on_statin": False}
    found = ask(client, "?models=all", **values)
    models = {e["model"] for e in found["estimates"]}

    assert {"prevent-2023-cvd-10y", "framingham-cvd-2008-lipids", "who-2019-lab-vnm"} <= models
    assert not {m for m in models if m.startswith(("score2", "pce"))}
    asked = ask(client, "?models=score2-high", **values)["estimates"]
    assert ["score2-high"] == [e["model"] for e in asked]
    assert ["european_regions"] == [w["code"] for w in asked[0]["warnings"]]


@pytest.mark.parametrize("place", ["vn", "who", "us"])
def test_each_jurisdiction_has_its_own_rules(client: TestClient, place: str) -> None:
    found = ask(client, f"?jurisdiction={place}")

    assert place == found["jurisdiction"]
    guidelines = {a["guideline"] for a in found["advice"]}
    assert ("VN-3192" in guidelines) == (place == "vn")
    assert ("USPSTF-HT" in guidelines) == (place == "us")


def test_without_a_jurisdiction_there_is_no_advice(client: TestClient) -> None:
    found = ask(client, "?jurisdiction=none&models=cvd-death")

    assert found["jurisdiction"] is None
    assert [] == found["advice"] == found["undecided"] == found["answers"]


@pytest.mark.parametrize(
    ("query", "variable", "known"),
    [
        ("?jurisdiction=xx", "jurisdiction", "us, vn, who, none"),
        ("?models=qrisk", "models", "who-2019-lab-sea"),
        ("?lang=fr", "lang", "en, vi"),
    ],
)
def test_what_does_not_exist_lists_what_does(
    client: TestClient, query: str, variable: str, known: str
) -> None:
    payload = {"index_date": "2026-11-22", "values": {"age": 50}}
    response = client.post(f"/v1/assess{query}", json=payload)
    (problem,) = response.json()["problems"]

    assert 400 == response.status_code
    assert variable == problem["variable"]
    assert known in problem["detail"]


def test_advice_in_vietnamese(client: TestClient) -> None:
    english, vietnamese = (ask(client, f"?lang={lang}") for lang in ("en", "vi"))

    assert [a["rule"] for a in english["advice"]] == [a["rule"] for a in vietnamese["advice"]]
    texts = {a["rule"]: a["text"] for a in vietnamese["advice"]}
    assert "Raised once" not in texts["BPS-05"]
    assert "ngày khác" in texts["BPS-05"]


def test_problems_of_earlier_visits_are_told_with_their_place(client: TestClient) -> None:
    visits = [
        {"date": "2026-11-01", "values": {"systolic_bp": 999}},
        {"date": "2027-01-01", "values": {}},
    ]
    payload = {"index_date": "2026-11-22", "values": {"age": 50}, "history": visits}
    response = client.post("/v1/assess", json=payload)

    assert 422 == response.status_code
    assert {"history/0/systolic_bp", "history/1/date"} == {
        p["variable"] for p in response.json()["problems"]
    }


def test_what_is_in_force_can_be_read(client: TestClient) -> None:
    found = {j["jurisdiction"]: j for j in client.get("/v1/jurisdictions").json()["jurisdictions"]}

    assert {"vn", "who", "us"} == set(found)
    (red,) = (
        p
        for g in found["vn"]["guidelines"]
        if g["guideline"] == "HEARTS-R"
        for p in g["parameters"]
        if p["name"] == "red"
    )
    assert 0.2 == red["value"]
    assert red["open"]


def test_a_batch_has_advice_too(client: TestClient) -> None:
    record = {"index_date": "2026-11-22", "values": PERSON}
    response = client.post("/v1/assess/batch", json={"records": [record, record]})
    first, second = response.json()["assessments"]

    assert first["advice"] == second["advice"] == ask(client)["advice"]


def test_an_urgent_reading_is_told_first(client: TestClient) -> None:
    found = ask(client, systolic_bp=205, diastolic_bp=118)

    assert ("urgent", "BPF-03") == (found["advice"][0]["topic"], found["advice"][0]["rule"])
    assert "now" == found["advice"][0]["within"]
    assert found["advice"][0]["open"]
