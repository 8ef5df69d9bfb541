import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdss import VARIABLES, __version__
from cdss.bundle import load_bundle
from serving.app import create_app
from serving.openapi import EXAMPLE, openapi
from tests.serving_process import problems, sent
from tests.toy import SURE, toy_model

TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "number": (int, float), "integer": int,
}  # fmt: skip

LAWS: dict[str, tuple[Any, Callable[[Any, Any], bool]]] = {
    "enum": (object, lambda law, value: value in law),
    "minimum": ((int, float), lambda law, value: value >= law),
    "maximum": ((int, float), lambda law, value: value <= law),
    "pattern": (str, lambda law, value: bool(re.search(law, value))),
    "minItems": (list, lambda law, value: len(value) >= law),
    "maxItems": (list, lambda law, value: len(value) <= law),
    "minProperties": (dict, lambda law, value: len(value) >= law),
    "required": (dict, lambda law, value: value.keys() >= {*law}),
}
"""Keyword of JSON Schema → the kind of value it is about, and its law."""

OTHERS = {
    "type", "anyOf", "properties", "items", "additionalProperties",
    "description", "format", "default", "example", "examples",
}  # fmt: skip


@pytest.fixture
def client(toy_models: tuple) -> Iterator[TestClient]:
    with TestClient(create_app(toy_models)) as client:
        yield client


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document, except inside examples."""
    if isinstance(node, dict):
        yield node
        for name, child in node.items():
            if name not in {"example", "examples"}:
                yield from parts(child)
    elif isinstance(node, list):
        for child in node:
            yield from parts(child)


def resolve(document: dict[str, Any], ref: str) -> Any:
    found = document
    for name in ref.removeprefix("#/").split("/"):
        found = found[name]
    return found


def wrong(document: dict[str, Any], schema: dict[str, Any], value: Any, at: str = "") -> list[str]:
    """Where a value is not as its schema says."""
    if "$ref" in schema:
        return wrong(document, resolve(document, schema["$ref"]), value, at)
    assert schema.keys() <= LAWS.keys() | OTHERS
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(of_type(kind, value) for kind in kinds):
        return [f"{at}: type"]
    found = [
        f"{at}: {word}"
        for word, (kind, fulfils) in LAWS.items()
        if word in schema and isinstance(value, kind) and not fulfils(schema[word], value)
    ]
    if "anyOf" in schema and all(wrong(document, one, value) for one in schema["anyOf"]):
        found.append(f"{at}: anyOf")
    if isinstance(value, dict):
        members = schema.get("properties", {})
        if schema.get("additionalProperties") is False and value.keys() - members.keys():
            found.append(f"{at}: additionalProperties")
        for name in value.keys() & members.keys():
            found += wrong(document, members[name], value[name], f"{at}/{name}")
    if isinstance(value, list) and "items" in schema:
        for k, item in enumerate(value):
            found += wrong(document, schema["items"], item, f"{at}/{k}")
    return found


def of_type(kind: str, value: Any) -> bool:
    number_for_bool = isinstance(value, bool) and kind in {"number", "integer"}
    return isinstance(value, TYPES[kind]) and not number_for_bool


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["requestBody"]["content"]["application/json"]


def answer_of(operation: dict[str, Any]) -> dict[str, Any]:
    return operation["responses"]["200"]["content"]["application/json"]


def test_the_structure_is_that_of_openapi_3_1(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]

    assert {"openapi", "info", "security", "paths", "components"} == document.keys()
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert __version__ == document["info"]["version"]
    assert len(names) == len({*names})
    assert all(operation["responses"] and operation["summary"] for operation in found.values())
    assert all(
        "$ref" in answer or answer["description"]
        for operation in found.values()
        for answer in operation["responses"].values()
    )
    assert {"schemas", "parameters", "responses", "securitySchemes"} == (
        document["components"].keys()
    )


def test_every_reference_resolves_and_everything_named_is_used(document: dict[str, Any]) -> None:
    used = {part["$ref"] for part in parts(document) if "$ref" in part}
    used |= {
        f"#/components/securitySchemes/{name}" for each in document["security"] for name in each
    }
    named = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        for name in components
    }

    assert named == used


def test_every_route_is_documented_and_nothing_else(
    client: TestClient, document: dict[str, Any]
) -> None:
    routes = {
        f"{method.lower()} {route.path}"
        for route in client.app.app.routes  # type: ignore[attr-defined]
        for method in route.methods - {"HEAD"}
        if not route.path.startswith(("/page", "/models"))  # for people, and not for programs
    }

    assert routes == operations(document).keys()


@pytest.mark.parametrize("path", ["/v1/assess", "/v1/assess/batch"])
def test_the_example_is_answered_as_documented(
    client: TestClient, document: dict[str, Any], path: str
) -> None:
    operation = operations(document)[f"post {path}"]
    request, documented = body_of(operation), answer_of(operation)
    response = client.post(path, json=request["example"])
    found = response.json()

    assert 200 == response.status_code
    assert [] == wrong(document, request["schema"], request["example"])
    assert [] == wrong(document, documented["schema"], found)
    assert [] == wrong(document, documented["schema"], documented["example"])
    assert nameless(documented["example"]) == nameless(found)


def nameless(answer: Any) -> str:
    return re.sub('"assessment_id": "[0-9a-f]{32}"', "", json.dumps(answer))


def test_an_answer_has_exactly_the_documented_members(
    client: TestClient, document: dict[str, Any]
) -> None:
    schema = answer_of(operations(document)["post /v1/assess"])["schema"]
    found = client.post("/v1/assess", json=sent(alt={"value": 40, "date": "2020-01-01"})).json()
    less = {name: member for name, member in found.items() if name != "notice"}

    assert [] == wrong(document, schema, found)
    assert [": required"] == wrong(document, schema, less)
    assert [": additionalProperties"] == wrong(document, schema, found | {"more": 1})


def test_an_interval_and_what_is_outside_are_as_documented(write_toy: Callable[..., Any]) -> None:
    model = load_bundle(write_toy(gate=False, **SURE))
    with TestClient(create_app([model])) as client:
        document = client.get("/openapi.json").json()
        schema = answer_of(operations(document)["post /v1/assess"])["schema"]
        found = client.post("/v1/assess", json=sent(age=20.1, bmi=37.9, alt=200)).json()
    (estimate,) = found["estimates"]

    assert ["age", "alt", "combination"] == estimate["outside"]
    assert estimate["interval"]
    assert [] == wrong(document, schema, found)
    estimate["outside"], estimate["interval"]["people"] = ["shoe_size"], 0
    assert {"/estimates/0/outside/0: enum", "/estimates/0/interval: anyOf"} == {
        *wrong(document, schema, found)
    }


def test_a_problem_is_as_documented(client: TestClient, document: dict[str, Any]) -> None:
    response = client.post("/v1/assess", json=sent(age=5))
    reference = operations(document)["post /v1/assess"]["responses"]["422"]["$ref"]
    content = resolve(document, reference)["content"]["application/problem+json"]

    assert [("implausible", "age")] == problems(response, 422)
    assert [] == wrong(document, content["schema"], response.json())


@pytest.mark.parametrize("path", ["/", "/v1/models", "/health", "/ready"])
def test_other_answers_are_as_documented(
    client: TestClient, document: dict[str, Any], path: str
) -> None:
    schema = answer_of(operations(document)[f"get {path}"])["schema"]

    assert [] == wrong(document, schema, client.get(path).json())


def test_values_are_the_dictionary(document: dict[str, Any]) -> None:
    values = document["components"]["schemas"]["Record"]["properties"]["values"]

    assert [*VARIABLES] == [*values["properties"]]
    assert values["additionalProperties"] is False


@pytest.mark.parametrize(
    ("values", "fine"),
    [
        ({"age": 54}, True),
        ({"age": None}, True),
        ({"alt": {"value": 20, "unit": "ukat/L", "date": "2026-10-01"}}, True),
        ({"alt": {"value": None}}, True),
        ({"smoking": "former"}, True),
        ({"diabetes": {"value": True}}, True),
        ({"age": 17}, False),
        ({"age": "54"}, False),
        ({"age": True}, False),
        ({"smoking": "sometimes"}, False),
        ({"diabetes": 0}, False),
        ({"alt": {"unit": "U/L"}}, False),
        ({"shoe_size": 43}, False),
    ],
)
def test_what_the_schema_of_a_record_allows_is_what_is_accepted(
    client: TestClient, document: dict[str, Any], values: dict[str, Any], fine: bool
) -> None:
    payload = sent(**values)
    schema = document["components"]["schemas"]["Record"]

    assert fine is (not wrong(document, schema, payload))
    assert fine is (200 == client.post("/v1/assess", json=payload).status_code)


def test_the_example_gives_a_value_in_each_way(document: dict[str, Any]) -> None:
    given = EXAMPLE["values"].values()
    members = {member for value in given if isinstance(value, dict) for member in value}

    assert {"value", "unit", "date"} == members
    assert {int, float, str, bool, dict, type(None)} == {type(value) for value in given}


def test_models_of_the_document_are_those_loaded() -> None:
    document = openapi([toy_model(), toy_model(id="other")])
    models = document["components"]["parameters"]["models"]["schema"]["items"]["enum"]

    assert ["all", "toy", "other"] == models
