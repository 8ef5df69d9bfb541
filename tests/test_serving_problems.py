import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.app import create_app
from serving.body import decode
from serving.problems import RequestError
from serving.routes import MOST_BYTES
from tests.serving_process import JSON, problems, sent
from tests.test_record import ALMOST_RECORDS
from tests.test_record import JSON as ANY_JSON
from tests.toy import toy_function, toy_model

PATH = "/v1/assess"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app([toy_model()])) as client:
        yield client


def post(client: TestClient, body: bytes | str, status: int, **headers: str) -> list:
    return problems(client.post(PATH, content=body, headers=JSON | headers), status)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"shoe_size": 43}, [("unknown_variable", "shoe_size")]),
        ({"Age": 54}, [("unknown_variable", "Age")]),
        ({"": 1}, [("unknown_variable", "")]),
        ({"age": "60"}, [("not_a_number", "age")]),
        ({"age": True}, [("not_a_number", "age")]),
        ({"age": [60]}, [("not_a_number", "age")]),
        ({"age": 17.9}, [("implausible", "age")]),
        ({"age": 110.1}, [("implausible", "age")]),
        ({"age": -60}, [("implausible", "age")]),
        ({"age": 10**30}, [("implausible", "age")]),
        ({"sex": "f"}, [("not_a_choice", "sex")]),
        ({"sex": 1}, [("not_a_choice", "sex")]),
        ({"sex": True}, [("not_a_choice", "sex")]),
        ({"sex": ["female"]}, [("not_a_choice", "sex")]),
        ({"diabetes": 0}, [("not_yes_no", "diabetes")]),
        ({"diabetes": "no"}, [("not_yes_no", "diabetes")]),
        ({"alt": {"value": 20, "unit": "mg/dL"}}, [("unknown_unit", "alt")]),
        ({"alt": {"value": 20, "unit": 7}}, [("unknown_unit", "alt")]),
        ({"alt": {"value": 20, "unit": ""}}, [("unknown_unit", "alt")]),
        ({"alt": {"unit": "U/L"}}, [("wrong_members", "alt")]),
        ({"alt": {"value": 20, "by": "me"}}, [("wrong_members", "alt")]),
        ({"alt": {"value": {"value": 20}}}, [("not_a_number", "alt")]),
        ({"alt": {"value": 20, "date": "2026-11-23"}}, [("future_date", "alt")]),
        ({"alt": {"value": 20, "date": "22/11/2026"}}, [("wrong_date", "alt.date")]),
        ({"systolic_bp": 80, "diastolic_bp": 90}, [("contradictory", "diastolic_bp")]),
        ({"sex": "male", "pregnant": True}, [("contradictory", "pregnant")]),
        ({"bmi": None, "weight": 25, "height": 230}, [("implausible_together", "weight")]),
        (
            {"age": 5, "sex": "x", "alt": "y", "shoe_size": 43, "diabetes": 1},
            [
                ("implausible", "age"),
                ("not_a_choice", "sex"),
                ("not_yes_no", "diabetes"),
                ("not_a_number", "alt"),
                ("unknown_variable", "shoe_size"),
            ],
        ),
    ],
)
def test_wrong_values_are_all_told(
    client: TestClient, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert expected == problems(client.post(PATH, json=sent(**values)), 422)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([], [("not_an_object", "record")]),
        ("age", [("not_an_object", "record")]),
        (None, [("not_an_object", "record")]),
        ({}, [("wrong_date", "index_date"), ("not_an_object", "values")]),
        ({"index_date": "2026-11-22", "values": {}}, [("empty_record", "values")]),
        ({"index_date": "2026-11-22", "values": {"age": None}}, [("empty_record", "values")]),
        ({"index_date": "2026-11-22", "values": [60]}, [("not_an_object", "values")]),
        (sent() | {"index_date": "2026-02-30"}, [("wrong_date", "index_date")]),
        (sent() | {"index_date": "20261122"}, [("wrong_date", "index_date")]),
        (sent() | {"index_date": 20261122}, [("wrong_date", "index_date")]),
        (sent() | {"index_date": None}, [("wrong_date", "index_date")]),
        (sent() | {"name": "A"}, [("unknown_member", "name")]),
    ],
)
def test_the_shape_of_a_record(
    client: TestClient, payload: Any, expected: list[tuple[str, str]]
) -> None:
    assert expected == post(client, json.dumps(payload), 422)


DEEP = '{"a":' * 1010 + '"a:b"' + "}" * 1010


@pytest.mark.parametrize(
    "body",
    [
        "", " ", "{", '{"values": {"age": 54,}}', "{'values': {}}", "values=1", "\ufeff{}",
        '{"values": {"age": NaN}}', '{"values": {"age": Infinity}}',
        '{"values": {"age": -Infinity}}', '{"values": {"age": 1e999}}',
        '{"values": {"age": 054}}', '{"values": {"age": 5_4}}', '{"values": {}} {}',
        '{"\\ud800": 1}', b'{"values": {"age": "\xff"}}', "null" * 2, "[" * 3000 + "]" * 3000,
        DEEP, "9" * 5000, '{"a": ' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(client: TestClient, body: bytes | str) -> None:
    assert [("malformed_json", "body")] == post(client, body, 400)


@pytest.mark.parametrize(
    "body",
    [
        '{"values": {"age": 54, "age": 55}, "index_date": "2026-11-22"}',
        '{"values": {"age": 54}, "values": {"age": 54}, "index_date": "2026-11-22"}',
        '{"values": {"alt": {"value": 20, "value": 20}}, "index_date": "2026-11-22"}',
        r'{"values": {"age": 54, "\u0061ge": 55}, "index_date": "2026-11-22"}',
        '{"values": {"age": 54, "age": {"value": 54}}, "index_date": "2026-11-22"}',
        '{"records": [{"values": {"age": 54}}, {"values": {"age": 1, "age": 2}}]}',
        '[{"a": 1, "a": 2}]',
    ],
)
def test_a_name_given_twice_is_refused(client: TestClient, body: str) -> None:
    assert [("duplicate_name", "body")] == post(client, body, 400)


NAMES = st.sampled_from(["values", "age", "value", "records", "a:b", ":", '"', "\\:", "Ω"])
TEXTS = NAMES.map(json.dumps)


def pairs_of(entries: Iterable[tuple[str, str]], space: str) -> str:
    return "{" + ",".join(f"{name}{space}:{value}" for name, value in entries) + "}"


PLACES = st.recursive(
    TEXTS | st.integers(-9, 9).map(str) | st.just("null"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.builds(
            pairs_of, st.lists(st.tuples(TEXTS, inner), max_size=3), st.sampled_from(["", " "])
        )
    ),
    max_leaves=15,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(PLACES)
def test_no_name_given_twice_is_missed(text: str) -> None:
    twice = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    expected = json.loads(text, object_pairs_hook=look)

    assert ("duplicate_name" if any(twice) else expected) == decoded(text)


def decoded(text: str) -> Any:
    try:
        return decode(text.encode())
    except RequestError as error:
        return error.problems[0].code


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl", "json"],
)
def test_only_json_is_read(client: TestClient, content_type: str) -> None:
    body = json.dumps(sent())

    assert [("wrong_content_type", "content-type")] == post(
        client, body, 415, **{"content-type": content_type}
    )


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
def test_json_may_be_called_so_in_these_ways(client: TestClient, content_type: str) -> None:
    headers = {"content-type": content_type}

    assert 200 == client.post(PATH, content=json.dumps(sent()), headers=headers).status_code


def padded(size: int) -> bytes:
    body = json.dumps(sent()).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


def chunks(body: bytes) -> Iterator[bytes]:
    yield from (body[at : at + 65536] for at in range(0, len(body), 65536))


def test_a_body_may_be_as_large_as_allowed(client: TestClient) -> None:
    for content in (padded(MOST_BYTES), chunks(padded(MOST_BYTES))):
        assert 200 == client.post(PATH, content=content, headers=JSON).status_code


@pytest.mark.parametrize("chunked", [False, True])
def test_a_larger_body_is_refused(client: TestClient, chunked: bool) -> None:
    body = padded(MOST_BYTES + 1)
    response = client.post(PATH, content=chunks(body) if chunked else body, headers=JSON)

    assert ("content-length" in response.request.headers) is not chunked
    assert [("body_too_large", "body")] == problems(response, 413)
    assert "close" == response.headers["connection"]


def test_an_announced_size_is_believed_before_anything_is_read() -> None:
    headers = JSON | {"content-length": "99999999999"}
    status, read = asyncio.run(asked(headers, [b"{}"]))

    assert (413, 0) == (status, read)


def test_an_announced_size_does_not_allow_more() -> None:
    status, read = asyncio.run(
        asked(JSON | {"content-length": "2"}, [b" " * (MOST_BYTES * 2 // 5)] * 100)
    )

    assert (413, 3) == (status, read)


def test_a_client_that_goes_away_is_no_failure() -> None:
    status, _ = asyncio.run(asked(JSON, [b'{"values": ', None]))

    assert 400 == status


async def asked(headers: dict[str, str], parts: list[bytes | None]) -> tuple[int, int]:
    """Status, and how many parts of the body were read; None is a client that went away."""
    left = iter(parts)
    read = 0
    statuses = []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        part = next(left)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "method": "POST", "path": PATH, "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await create_app([toy_model()])(scope, receive, send)
    return statuses[0], read


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/v2/assess", 404, ("unknown_path", "path")),
        ("POST", "/v1/assess/", 404, ("unknown_path", "path")),
        ("GET", "/v1", 404, ("unknown_path", "path")),
        ("GET", "/v1/assess", 405, ("wrong_method", "method")),
        ("PUT", "/v1/assess/batch", 405, ("wrong_method", "method")),
        ("POST", "/v1/models", 405, ("wrong_method", "method")),
    ],
)
def test_wrong_paths_and_methods(
    client: TestClient, method: str, path: str, status: int, expected: tuple[str, str]
) -> None:
    response = client.request(method, path, follow_redirects=False)

    assert [expected] == problems(response, status)
    assert ("allow" in response.headers) is (405 == status)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lang=fr", [("unknown_language", "lang")]),
        ("lang=", [("unknown_language", "lang")]),
        ("models=", [("unknown_model", "models")]),
        ("models=toy,nobody", [("unknown_model", "models")]),
        ("lang=en&lang=vi", [("duplicate_name", "query")]),
        ("format=xml", [("unknown_parameter", "format")]),
        (
            "lang=fr&models=x&a=1",
            [("unknown_parameter", "a"), ("unknown_language", "lang"), ("unknown_model", "models")],
        ),
    ],
)
def test_a_query_that_is_not_understood(
    client: TestClient, query: str, expected: list[tuple[str, str]]
) -> None:
    for path in (PATH, f"{PATH}/batch"):
        assert expected == problems(client.post(f"{path}?{query}", json=sent()), 400)


def test_an_answer_lists_all_problems_up_to_a_thousand(client: TestClient) -> None:
    for count, listed in ((1000, 1000), (1001, 1000)):
        payload = {"index_date": "2026-11-22", "values": {f"v{k}": 1 for k in range(count)}}
        response = client.post(PATH, json=payload)

        assert listed == len(problems(response, 422))
        assert response.json()["detail"].startswith(f"{count} problems")


def test_what_nobody_foresaw_is_answered_without_a_traceback_or_a_value() -> None:
    broken = False

    def function(x: Any) -> Any:
        if broken:
            raise ZeroDivisionError(f"31337 {x}")
        return toy_function(x)

    with TestClient(create_app([toy_model(function=function)])) as client:
        broken = True
        response = client.post(f"{PATH}?lang=vi", json=sent())
    told = [word for word in ("31337", "Zero", "Trace", ".py", "60") if word in response.text]

    assert [("internal_error", "server")] == problems(response, 500)
    assert [] == told


@settings(derandomize=True, max_examples=150, deadline=None)
@given(ANY_JSON | ALMOST_RECORDS)
def test_whatever_is_sent_the_service_does_not_fail(client: TestClient, payload: Any) -> None:
    response = client.post(PATH, content=json.dumps(payload).encode(), headers=JSON)

    assert response.status_code in {200, 400, 422}
    if response.status_code != 200:
        assert problems(response, response.status_code)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_nor_with_bytes_that_are_no_json(client: TestClient, body: bytes) -> None:
    response = client.post(PATH, content=body, headers=JSON)

    assert problems(response, response.status_code)
    assert response.status_code in {400, 422}
