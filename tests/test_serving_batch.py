import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.routes import MOST_RECORDS
from tests.serving_process import problems, sent
from tests.toy import toy_model

PATH = "/v1/assess/batch"


@pytest.fixture
def client(toy_models: tuple) -> Iterator[TestClient]:
    with TestClient(create_app(toy_models)) as client:
        yield client


def refused(client: TestClient, payload: Any) -> list[tuple[str, str]]:
    return problems(client.post(PATH, json=payload), 422)


def nameless(assessment: dict[str, Any]) -> dict[str, Any]:
    return assessment | {"assessment_id": ""}


def test_each_record_is_answered_as_if_alone(client: TestClient) -> None:
    records = [
        sent(),
        sent(age=30, alt=55) | {"index_date": "2025-01-31"},
        sent(bmi=None, weight={"value": 180, "unit": "lb"}, height=170),
        sent(pregnant=None, alt={"value": 40, "date": "2020-01-01"}),
        sent(bmi=None),
    ]
    found = client.post(PATH, json={"records": records}).json()["assessments"]
    alone = [client.post("/v1/assess", json=record).json() for record in records]

    assert [nameless(a) for a in alone] == [nameless(a) for a in found]
    assert len(records) == len({a["assessment_id"] for a in found})


def test_language_and_models_as_for_one(client: TestClient) -> None:
    query = "?lang=vi&models=toy-old,toy"
    (found,) = client.post(PATH + query, json={"records": [sent()]}).json()["assessments"]

    assert nameless(client.post(f"/v1/assess{query}", json=sent()).json()) == nameless(found)


def test_a_thousand_records_in_their_order(client: TestClient) -> None:
    records = [sent(age=20 + k / 20) for k in range(MOST_RECORDS)]
    response = client.post(f"{PATH}?models=toy", json={"records": records})
    ages = [
        assessment["estimates"][0]["contributions"][0]["value"]
        for assessment in response.json()["assessments"]
    ]

    assert 1000 == MOST_RECORDS
    assert 200 == response.status_code
    assert [20 + k / 20 for k in range(MOST_RECORDS)] == pytest.approx(ages)


@pytest.mark.parametrize("records", [[], [sent()] * 1001, {}, None, "records"])
def test_too_few_or_too_many_records_are_refused(client: TestClient, records: Any) -> None:
    assert [("wrong_batch", "records")] == refused(client, {"records": records})


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([sent()], [("not_an_object", "body")]),
        ({}, [("wrong_batch", "records")]),
        ({"patients": [sent()]}, [("unknown_member", "patients"), ("wrong_batch", "records")]),
        ({"records": [sent()], "lang": "vi"}, [("unknown_member", "lang")]),
    ],
)
def test_the_shape_of_a_batch(
    client: TestClient, payload: Any, expected: list[tuple[str, str]]
) -> None:
    assert expected == refused(client, payload)


def test_every_problem_of_every_record_says_where(client: TestClient) -> None:
    records = [sent() for _ in range(6)]
    records[1] = {"values": {"shoe_size": 43}}
    records[3] = sent(age=17, diabetes="no")
    records[4] = None
    records[5] = sent(alt={"value": 40, "date": "2026-02-30"})

    assert [
        ("wrong_date", "records/1/index_date"),
        ("unknown_variable", "records/1/shoe_size"),
        ("implausible", "records/3/age"),
        ("not_yes_no", "records/3/diabetes"),
        ("not_an_object", "records/4/record"),
        ("wrong_date", "records/5/alt.date"),
    ] == refused(client, {"records": records})


def test_one_wrong_record_leaves_none_assessed(client: TestClient) -> None:
    response = client.post(PATH, json={"records": [*[sent()] * 9, sent(age=5)]})

    assert [("implausible", "records/9/age")] == problems(response, 422)
    assert "within 18 to 110" in response.json()["problems"][0]["detail"]


def test_a_hostile_batch_does_not_buy_an_endless_answer(client: TestClient) -> None:
    response = client.post(PATH, json={"records": [sent(age=1, sex=2, bmi=3)] * 1000})

    assert 1000 == len(problems(response, 422))
    assert "3000 problems, the first 1000 are listed" == response.json()["detail"]


@pytest.mark.parametrize("record", [sent(), sent(age=5)])
def test_others_are_answered_while_a_batch_is_read_and_assessed(record: dict[str, Any]) -> None:
    app = create_app([toy_model()])
    done: list[str] = []

    async def ask(http: httpx.AsyncClient, path: str, payload: Any = None) -> None:
        method = "POST" if payload else "GET"
        await http.request(method, path, json=payload)
        done.append(path)

    async def both() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            batch = asyncio.ensure_future(ask(http, PATH, {"records": [record] * 500}))
            await asyncio.sleep(0)
            await ask(http, "/health")
            await batch

    asyncio.run(both())

    assert ["/health", PATH] == done
