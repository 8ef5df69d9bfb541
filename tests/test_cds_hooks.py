"""What CDS Hooks 2.0.1 demands of a service; each test is named after the demand."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from cdss.cds_hooks.prefetch import KEYS
from tests.hooks_emr import (
    ASSESSMENT,
    MODELS,
    PATIENT,
    chart,
    client,
    hook,
    patient,
    prefetch,
    pressure,
    to_a_page,
)

HOOKED = "/cds-services/cdss-all"
EMPTY = (None, "", [], {})


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with client(link=to_a_page) as one:
        yield one


@pytest.fixture(scope="module")
def cards(service: TestClient) -> list[dict[str, Any]]:
    urgent = [*chart(), *hot()]
    answer = service.post(HOOKED, json=hook(prefetch(urgent)), headers={"accept-language": "en"})
    assert 200 == answer.status_code, answer.text
    return answer.json()["cards"]


def hot() -> list[dict[str, Any]]:
    """A reading that HEARTS-E prints as a reason to refer urgently."""
    return [pressure(212, 124, "2026-11-23")]


def described(service: TestClient) -> list[dict[str, Any]]:
    answer = service.get("/cds-services", headers={"accept-language": "en"})
    assert 200 == answer.status_code
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()["services"]


def outcome(answer: Any, status: int) -> list[tuple[str, str]]:
    """Code and subject of each issue of an error, which must be an OperationOutcome."""
    assert status == answer.status_code, answer.text
    document = answer.json()
    assert "OperationOutcome" == document["resourceType"]
    assert document["issue"]
    assert "cards" not in document
    assert all(i["severity"] == "error" for i in document["issue"])
    assert "no-store" == answer.headers["cache-control"]
    return [(i["details"]["coding"][0]["code"], i["diagnostics"]) for i in document["issue"]]


def everything(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from everything(member, f"{path}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from everything(member, f"{path}[]")


# Discovery.


def test_discovery_is_at_cds_services_and_answers_200_with_services(service: TestClient) -> None:
    assert ["cdss-all", "cdss-cardiovascular", "cdss-hypertension", "cdss-diabetes"] == [
        each["id"] for each in described(service)
    ]


def test_discovery_without_a_service_answers_200_with_an_empty_array() -> None:
    with client(models=(), place=None) as none:
        answer = none.get("/cds-services")

    assert (200, {"services": []}) == (answer.status_code, answer.json())


def test_every_service_has_hook_id_and_description_and_a_title(service: TestClient) -> None:
    for each in described(service):
        assert "patient-view" == each["hook"]
        assert re.fullmatch(r"[a-z-]+", each["id"])
        assert each["description"]
        assert each["title"]
        assert {
            "hook", "id", "description", "title", "prefetch", "usageRequirements",
        } == set(each)  # fmt: skip


def test_a_service_is_called_at_its_id(service: TestClient) -> None:
    for each in described(service):
        answer = service.post(f"/cds-services/{each['id']}", json=hook())
        assert 200 == answer.status_code
        assert answer.json()["cards"]


def test_services_follow_from_the_models_served() -> None:
    only = [model for model in MODELS if model.outcome == "incident_hypertension"]
    with client(models=only) as served:
        assert ["cdss-all", "cdss-hypertension"] == [s["id"] for s in described(served)]


def test_discovery_is_in_the_language_of_the_request_or_the_site(service: TestClient) -> None:
    titles = [
        service.get("/cds-services", headers=headers).json()["services"][3]["title"]
        for headers in ({"accept-language": "en-US,en;q=0.9"}, {"accept-language": "fr"}, {})
    ]

    assert [
        "Diabetes: risk and advice",
        "Đái tháo đường: nguy cơ và khuyến cáo",
        "Đái tháo đường: nguy cơ và khuyến cáo",
    ] == titles


# Prefetch templates.

TEMPLATE = re.compile(
    r"Patient/\{\{context\.patientId\}\}"
    r"|[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}"
    r"(&code=http://loinc\.org\|[0-9-]+(,http://loinc\.org\|[0-9-]+)*)?"
    r"(&_sort=-[a-z]+)?&_count=\d+"
)


def test_prefetch_templates_stay_in_the_recommended_subset_of_search() -> None:
    for key in KEYS:
        assert TEMPLATE.fullmatch(key.query), key.query


def test_prefetch_tokens_are_first_level_fields_of_the_context() -> None:
    tokens = {t for key in KEYS for t in re.findall(r"\{\{(.*?)\}\}", key.query)}

    assert {"context.patientId"} == tokens


def test_prefetch_sorts_as_r4_does_and_urls_stay_short() -> None:
    for key in KEYS:
        assert "sort:" not in key.query
        assert len(key.resolved("x" * 64)) < 600
        assert "{{" not in key.resolved("x")


# Requests.


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_a_request_without_hook_hook_instance_or_context_is_refused(
    service: TestClient, member: str
) -> None:
    answer = service.post(HOOKED, json=hook(**{member: ...}))

    assert [("required_member", member)] == outcome(answer, 400)


@pytest.mark.parametrize("instance", ["7", 7, "d1577c69-dfbe-44ad-ba6d-3e05e953b2e", ["x"], True])
def test_a_hook_instance_must_be_a_uuid(service: TestClient, instance: Any) -> None:
    answer = service.post(HOOKED, json=hook(hookInstance=instance))

    assert [("wrong_form", "hookInstance")] == outcome(answer, 400)


@pytest.mark.parametrize("name", ["order-sign", "patient-view ", "PATIENT-VIEW", 1])
def test_a_hook_that_the_service_does_not_advertise_is_refused(
    service: TestClient, name: Any
) -> None:
    assert [("wrong_form", "hook")] == outcome(service.post(HOOKED, json=hook(hook=name)), 400)


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_patient_view_takes_every_kind_of_user(service: TestClient, kind: str) -> None:
    context = {"userId": f"{kind}/a.B-9", "patientId": PATIENT, "encounterId": "e1"}

    assert 200 == service.post(HOOKED, json=hook(context=context)).status_code


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, [("required_member", "context.userId"), ("required_member", "context.patientId")]),
        (
            {"userId": "Device/1", "patientId": "Patient/1"},
            [("wrong_form", "context.userId"), ("wrong_form", "context.patientId")],
        ),
        (
            {"userId": "Practitioner/1", "patientId": "a/../b", "encounterId": "a b"},
            [("wrong_form", "context.patientId"), ("wrong_form", "context.encounterId")],
        ),
    ],
)
def test_patient_view_must_have_user_and_patient(
    service: TestClient, context: Any, expected: Any
) -> None:
    assert expected == outcome(service.post(HOOKED, json=hook(context=context)), 400)


@pytest.mark.parametrize("context", [[], "x", 1, True])
def test_a_context_must_be_an_object(service: TestClient, context: Any) -> None:
    assert [("not_an_object", "context")] == outcome(
        service.post(HOOKED, json=hook(context=context)), 400
    )


def test_a_fhir_server_must_come_with_an_authorization(service: TestClient) -> None:
    authorization = {"access_token": "secret", "token_type": "Bearer", "expires_in": 300}
    answer = service.post(HOOKED, json=hook(fhirAuthorization=authorization))

    assert [("required_member", "fhirServer")] == outcome(answer, 400)


def test_an_authorization_must_have_a_bearer_token(service: TestClient) -> None:
    server = "https://emr.example/r4"
    answer = service.post(HOOKED, json=hook(fhirServer=server, fhirAuthorization={"scope": "x"}))

    assert [
        ("required_member", "fhirAuthorization.token_type"),
        ("required_member", "fhirAuthorization.access_token"),
    ] == outcome(answer, 400)


def test_unknown_members_are_tolerated(service: TestClient) -> None:
    context = {"userId": "Practitioner/1", "patientId": PATIENT, "x": [{}]}
    answer = service.post(
        HOOKED, json=hook(context=context, extension={"com.example.x": 1}, later=None)
    )

    assert 200 == answer.status_code


def test_data_of_another_patient_are_refused(service: TestClient) -> None:
    other = hook(prefetch(chart(), patient=patient(id="other")))
    answer = service.post(HOOKED, json=other)

    assert [("another_patient", "prefetch.patient")] == outcome(answer, 400)


def test_a_patient_in_a_bundle_who_is_another_is_refused(service: TestClient) -> None:
    for others in ([patient(id="other")], [patient(id="other"), patient(id="another")]):
        bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in others]}
        answer = service.post(HOOKED, json=hook(prefetch(chart(), patient=bundle)))
        assert ("no_patient", "patient") in outcome(answer, 400)


def test_an_unknown_service_is_not_found(service: TestClient) -> None:
    for path in ("/cds-services/nothing", "/cds-services/nothing/feedback"):
        assert [("unknown_path", "path")] == outcome(service.post(path, json=hook()), 404)


def test_a_wrong_method_is_refused(service: TestClient) -> None:
    assert [("wrong_method", "method")] == outcome(service.get(HOOKED), 405)
    assert [("wrong_method", "method")] == outcome(service.post("/cds-services", json={}), 405)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b"[]", 400), (b'"x"', 400), (b"null", 400), (b"{}", 400),
     (b"[" * 100_000, 400), (b'{"hook":"a","hook":"b"}', 400), (b"\xff", 400),
     (b"x" * 2_000_001, 413)],
)  # fmt: skip
def test_a_broken_request_never_gets_empty_cards(
    service: TestClient, body: bytes, status: int
) -> None:
    answer = service.post(HOOKED, content=body, headers={"content-type": "application/json"})

    assert outcome(answer, status)


def test_an_unforeseen_error_is_500_and_never_empty_cards() -> None:
    def broken() -> str:
        raise KeyError("secret 172")

    with client(new_id=broken) as failing:
        answer = failing.post(HOOKED, json=hook())

    assert [("internal_error", "server")] == outcome(answer, 500)
    assert "172" not in answer.text


# Answers.


def test_an_answer_has_cards_and_no_other_member(service: TestClient) -> None:
    assert {"cards"} == set(service.post(HOOKED, json=hook()).json())


def test_no_null_and_nothing_empty_anywhere(service: TestClient, cards: Any) -> None:
    found = [*everything(cards), *everything(described(service))]

    assert [] == [path for path, value in found if value in EMPTY and value is not False]


def test_a_card_has_only_members_of_the_specification(cards: list[dict[str, Any]]) -> None:
    allowed = {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
        "overrideReasons", "links", "extension",
    }  # fmt: skip

    assert all(set(card) <= allowed for card in cards)


def test_card_summary_is_shorter_than_140_characters(cards: list[dict[str, Any]]) -> None:
    assert all(0 < len(card["summary"]) < 140 for card in cards)
    assert all("\n" not in card["summary"] for card in cards)


def test_card_indicator_is_info_warning_or_critical(cards: list[dict[str, Any]]) -> None:
    assert {"critical", "warning", "info"} >= {card["indicator"] for card in cards}
    assert "critical" == cards[0]["indicator"]
    order = [("critical", "warning", "info").index(card["indicator"]) for card in cards]
    assert sorted(order) == order


def test_card_source_has_a_label_and_an_absolute_url(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        assert set(card["source"]) <= {"label", "url", "topic"}
        assert card["source"]["label"]
        assert {"system", "code", "display"} == set(card["source"]["topic"])
        assert card["source"].get("url", "https://x").startswith("https://")


def test_card_uuid_is_a_uuid_and_differs(cards: list[dict[str, Any]]) -> None:
    names = [card["uuid"] for card in cards]
    names += [s["uuid"] for card in cards for s in card.get("suggestions", ())]

    assert len(names) == len(set(names)) == len({UUID(name) for name in names})


def test_card_detail_is_markdown_without_html(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        assert "Not a medical device. Not validated in Viet Nam." in card["detail"]
        assert not re.search(r"(?<!\\)<", card["detail"])


def test_a_card_with_suggestions_has_a_selection_behavior(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") in ("any", "at-most-one")
    assert any("suggestions" in card for card in cards)


def test_a_suggestion_has_a_label_and_recommends_nothing(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        for suggestion in card.get("suggestions", ()):
            assert {"label", "uuid", "actions"} == set(suggestion)
            assert suggestion["label"]


def test_an_action_has_type_description_and_for_create_a_resource(cards: Any) -> None:
    actions = [a for card in cards for s in card.get("suggestions", ()) for a in s["actions"]]

    assert actions
    for action in actions:
        assert {"type", "description", "resource"} == set(action)
        assert "create" == action["type"]
        assert action["resource"]["resourceType"] in ("RiskAssessment", "Observation")
        assert "id" not in action["resource"]  # the server that creates it names it
        assert {"reference": f"Patient/{PATIENT}"} == action["resource"]["subject"]


def test_override_reasons_are_codings_with_display(cards: list[dict[str, Any]]) -> None:
    for card in cards:
        assert card["overrideReasons"]
        for reason in card["overrideReasons"]:
            assert {"code", "system", "display"} == set(reason)


def test_a_link_has_label_url_and_type_and_nothing_of_the_patient(
    cards: list[dict[str, Any]],
) -> None:
    for card in cards:
        (link,) = card["links"]
        assert {"label", "url", "type"} == set(link)
        assert "absolute" == link["type"]
        assert f"https://cdss.example/pages/{ASSESSMENT}" == link["url"]


def test_without_a_page_there_are_no_links() -> None:
    with client() as plain:
        assert all("links" not in card for card in plain.post(HOOKED, json=hook()).json()["cards"])
