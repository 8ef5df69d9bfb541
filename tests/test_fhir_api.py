import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from cdss import Assessment, load_jurisdiction
from cdss.errors import Problem
from cdss.fhir.capability import IN_QUERY, PARAMETERS
from cdss.i18n import LANGUAGES
from serving.fhir_api import MOST_BYTES, FhirApi
from serving.problems import HANDLERS, RequestError
from tests.fhir_answers import STRING, all_models, resources, walk
from tests.fhir_golden import request as example

FHIR_JSON = "application/fhir+json"
VIET_NAM = timezone(timedelta(hours=7))
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=VIET_NAM)  # in UTC it is still yesterday


class Recording:
    """A journal that remembers what it was given, or cannot write."""

    def __init__(self, error: Exception | None = None) -> None:
        self.kept: list[tuple[str, Assessment, bytes, str, str]] = []
        self.error = error

    async def keep(
        self,
        request: Request,
        entries: Sequence[tuple[str, Assessment]],
        body: bytes,
        *,
        lang: str,
        kind: str,
    ) -> None:
        if self.error:
            raise self.error
        self.kept += [(name, assessment, body, lang, kind) for name, assessment in entries]


def client(journal: Recording | None = None, **options: Any) -> TestClient:
    api = FhirApi(
        all_models(), load_jurisdiction("vn"), journal=journal, clock=lambda: NOW,
        base_url="https://cdss.hospital.example/", **options,
    )  # fmt: skip
    app = Starlette(routes=list(api.routes()), exception_handlers=dict(HANDLERS))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def fhir() -> Iterator[TestClient]:
    with client() as found:
        yield found


def post(
    found: TestClient, document: Any, query: str = "?indexDate=2026-11-22", **headers: str
) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    headers = {"content-type": FHIR_JSON} | {k.replace("_", "-"): v for k, v in headers.items()}
    return found.post(f"/fhir/$assess{query}", content=body, headers=headers)


def parameters(*given: tuple[str, str, Any]) -> dict[str, Any]:
    listed = [{"name": name, member: value} for name, member, value in given]
    return {"resourceType": "Parameters", "parameter": listed}


def refused(answer: Any, status: int) -> list[str]:
    """Codes of the problems of an OperationOutcome that is fit to be read."""
    assert status == answer.status_code, answer.text
    assert FHIR_JSON == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    outcome = answer.json()
    assert "OperationOutcome" == outcome["resourceType"]
    for path, value in walk(outcome):
        assert value not in (None, "", [], {}), path
        assert not isinstance(value, str) or STRING.fullmatch(value), path
    assert {"error"} == {each["severity"] for each in outcome["issue"]}
    return [each["details"]["coding"][0]["code"] for each in outcome["issue"]]


def test_a_bundle_is_answered_with_a_bundle(fhir: TestClient) -> None:
    answer = post(fhir, example())

    assert 200 == answer.status_code
    assert FHIR_JSON == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    bundle = answer.json()
    assert ("Bundle", "collection") == (bundle["resourceType"], bundle["type"])
    assert resources(bundle, "RiskAssessment")
    assert {"Patient/example"} == {
        r["subject"]["reference"] for r in resources(bundle, "RiskAssessment")
    }


def test_every_assessment_has_a_name_of_its_own(fhir: TestClient) -> None:
    names = {post(fhir, example()).json()["identifier"]["value"] for _ in range(3)}

    assert 3 == len(names)
    assert {32} == {len(name) for name in names}


def test_parameters_say_the_same_as_body_and_query(fhir: TestClient) -> None:
    plain = post(fhir, example(), "?indexDate=2026-11-22&lang=vi&models=findrisc")
    wrapped = post(
        fhir,
        parameters(
            ("resource", "resource", example()), ("indexDate", "valueDate", "2026-11-22"),
            ("lang", "valueCode", "vi"), ("models", "valueString", "findrisc"),
        ),
        "",
    )  # fmt: skip

    one, other = (resources(a.json(), "Observation")[0] for a in (plain, wrapped))
    for each in (one, other):
        del each["id"], each["identifier"]
    assert one == other


def test_resources_may_be_sent_one_by_one(fhir: TestClient) -> None:
    each = [("resource", "resource", entry["resource"]) for entry in example()["entry"]]

    answer = post(fhir, parameters(*each), "?indexDate=2026-11-22&models=findrisc")
    assert ["Observation/weight"] == [
        basis["reference"]
        for basis in resources(answer.json(), "Observation")[0]["derivedFrom"]
        if "weight" in basis["reference"]
    ]


def test_the_patient_of_several_is_named_in_the_body_only(fhir: TestClient) -> None:
    two = example()
    two["entry"].append({"resource": {"resourceType": "Patient", "id": "other"}})

    assert ["several_patients"] == refused(post(fhir, two), 422)
    for member, value in (
        ("valueString", "Patient/example"),
        ("valueReference", {"reference": "Patient/example"}),
    ):
        asked = parameters(("resource", "resource", two), ("patient", member, value))
        answer = post(fhir, asked)
        assert 200 == answer.status_code
        assert "Patient/example" == resources(answer.json(), "CarePlan")[0]["subject"]["reference"]
    assert ["unknown_parameter"] == refused(post(fhir, two, "?patient=example"), 400)


def test_without_an_index_date_the_day_at_the_site_counts_and_that_is_said(
    fhir: TestClient,
) -> None:
    bundle = post(fhir, example(), "").json()
    issues = resources(bundle, "OperationOutcome")[0]["issue"]

    assert "2026-11-22" == resources(bundle, "RiskAssessment")[0]["occurrenceDateTime"]
    assert "date_assumed" == issues[0]["details"]["coding"][0]["code"]
    assert "2026-11-21T18:30:00.000Z" == bundle["timestamp"]
    assert "date_assumed" not in post(fhir, example()).text


def test_today_is_the_date_of_the_clock_of_the_site() -> None:
    found = FhirApi(all_models()[:1]).clock()

    assert found.tzinfo is not None
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("day", ["2026-11", "20261122", "yesterday", "2026-02-30", ""])
def test_a_date_that_is_not_whole_is_refused(fhir: TestClient, day: str) -> None:
    expected = "wrong_date" if day else "wrong_parameter"

    assert expected in refused(post(fhir, example(), f"?indexDate={day}"), 400)


@pytest.mark.parametrize(
    ("headers", "query", "lang"),
    [
        ({}, "", "vi"),  # of the site
        ({"accept_language": "en-GB,en;q=0.9"}, "", "en"),
        ({"accept_language": "fr, VI;q=0.5"}, "", "vi"),
        ({"accept_language": "fr"}, "", "vi"),
        ({"accept_language": "vi"}, "&lang=en", "en"),
    ],
)
def test_the_language_is_that_of_parameter_header_or_site(
    fhir: TestClient, headers: dict[str, str], query: str, lang: str
) -> None:
    bundle = post(fhir, example(), f"?indexDate=2026-11-22{query}", **headers).json()

    assert {lang} == {bundle["language"], resources(bundle, "CarePlan")[0]["language"]}


def test_where_no_jurisdiction_is_in_force_english_is_spoken() -> None:
    assert "en" == FhirApi(all_models()[:1]).site_language


def test_jurisdiction_and_models_can_be_asked_for(fhir: TestClient) -> None:
    bundle = post(fhir, example(), "?jurisdiction=none&models=all&indexDate=2026-11-22").json()

    assert [] == resources(bundle, "CarePlan")
    assert len(resources(bundle, "RiskAssessment")) > 5


def test_all_that_is_wrong_with_what_is_asked_is_told_at_once(fhir: TestClient) -> None:
    query = "?indexDate=soon&lang=fr&jurisdiction=xx&models=crystal&shoe=1&lang=vi"
    answer = post(fhir, parameters(("colour", "valueCode", "red"), ("lang", "valueCode", 5)), query)

    assert sorted(
        ["wrong_date", "unknown_language", "unknown_jurisdiction", "unknown_model",
         "unknown_parameter", "duplicate_name", "unknown_parameter", "duplicate_name",
         "no_resource"]
    ) == sorted(refused(answer, 400))  # fmt: skip


@pytest.mark.parametrize(
    "member", [["a"], {"name": 5}, {"name": []}, {"name": "resource"}, None, "x"]
)
def test_odd_parameters_are_refused_or_read_as_nothing(fhir: TestClient, member: Any) -> None:
    for listed in ([member], member):
        answer = post(fhir, {"resourceType": "Parameters", "parameter": listed})
        assert answer.status_code in (400, 422)
        refused(answer, answer.status_code)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "not_a_resource"),
        ([], "no_patient"),
        ("Patient", "not_a_resource"),
        ({"resourceType": "Bundle", "type": "searchset"}, "no_patient"),
        ({"resourceType": "OperationOutcome", "issue": []}, "no_patient"),
        ({"resourceType": "Patient", "id": "1"}, "empty_record"),
    ],
)
def test_where_nothing_can_be_used_all_reasons_are_told(
    fhir: TestClient, document: Any, code: str
) -> None:
    assert code in refused(post(fhir, document), 422)


def test_reasons_are_in_the_language_asked_for(fhir: TestClient) -> None:
    text = post(fhir, {"resourceType": "Patient", "id": "1"}, "?lang=vi").json()

    assert "vi" == text["language"]
    assert "không" in json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b"[" * 2000, "malformed_json"),
        (b'{"a": 1, "a": 2}', "duplicate_name"),
        (b"\xff\xfe", "malformed_json"),
    ],
)
def test_what_is_not_json_is_refused(fhir: TestClient, body: bytes, code: str) -> None:
    assert [code] == refused(post(fhir, body), 400)


def test_too_large_a_body_is_refused_and_the_connection_closed(fhir: TestClient) -> None:
    answer = post(fhir, b" " * (MOST_BYTES + 1))

    assert ["body_too_large"] == refused(answer, 413)
    assert "close" == answer.headers["connection"]


@pytest.mark.parametrize(
    "content_type",
    ["application/fhir+json", "application/json", "application/fhir+json; charset=utf-8",
     "application/fhir+json; fhirVersion=4.0", 'Application/FHIR+JSON; fhirVersion="4.0"'],
)  # fmt: skip
def test_content_types_that_are_read(fhir: TestClient, content_type: str) -> None:
    assert 200 == post(fhir, example(), content_type=content_type).status_code


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/fhir+xml", "wrong_content_type"),
        ("text/plain", "wrong_content_type"),
        ("", "wrong_content_type"),
        ("application/fhir+json; fhirVersion=5.0", "wrong_fhir_version"),
    ],
)
def test_content_types_that_are_not(fhir: TestClient, content_type: str, code: str) -> None:
    assert [code] == refused(post(fhir, example(), content_type=content_type), 415)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", FHIR_JSON),
        ("application/fhir+json", FHIR_JSON),
        ("application/json", "application/json"),
        ("application/fhir+xml, application/fhir+json;q=0.1", FHIR_JSON),
        ("text/html, */*;q=0.1", FHIR_JSON),
        ("application/fhir+json; fhirVersion=4.0", FHIR_JSON),
    ],
)
def test_accept(fhir: TestClient, accept: str, expected: str) -> None:
    assert expected == post(fhir, example(), accept=accept).headers["content-type"]


@pytest.mark.parametrize(
    "accept", ["application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=3.0"]
)
def test_what_cannot_be_answered_is_not_acceptable(fhir: TestClient, accept: str) -> None:
    assert ["not_acceptable"] == refused(post(fhir, example(), accept=accept), 406)


def test_format_counts_before_accept(fhir: TestClient) -> None:
    for name in ("json", "application/fhir+json", "application%2Ffhir%2Bjson"):
        answer = fhir.get(f"/fhir/metadata?_format={name}", headers={"accept": "text/html"})
        assert 200 == answer.status_code
    assert ["not_acceptable"] == refused(fhir.get("/fhir/metadata?_format=xml"), 406)


def test_metadata_says_what_the_server_does(fhir: TestClient) -> None:
    said = fhir.get("/fhir/metadata").json()

    assert ("CapabilityStatement", "4.0.1") == (said["resourceType"], said["fhirVersion"])
    assert "https://cdss.hospital.example/fhir" == said["implementation"]["url"]
    (operation,) = said["rest"][0]["operation"]
    path = operation["definition"].removeprefix("https://cdss.hospital.example")
    definition = fhir.get(path).json()
    assert operation["definition"] == definition["url"]
    assert (operation["name"], True) == (definition["code"], definition["system"])


def test_the_definition_lists_what_is_accepted_and_nothing_else(fhir: TestClient) -> None:
    listed = fhir.get("/fhir/OperationDefinition/assess").json()["parameter"]

    assert [p.name for p in PARAMETERS] == [p["name"] for p in listed if p["use"] == "in"]
    assert "patient" not in {p.name for p in IN_QUERY}
    lang = next(p for p in listed if p["name"] == "lang")
    assert all(each in lang["documentation"] for each in LANGUAGES)


def test_head_is_answered_without_a_body(fhir: TestClient) -> None:
    answer = fhir.head("/fhir/metadata")

    assert (200, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/fhir/$assess", 405, {"POST"}),
        ("DELETE", "/fhir/metadata", 405, {"GET", "HEAD"}),
        ("GET", "/fhir/Patient/1", 404, set()),
        ("PUT", "/fhir/RiskAssessment", 404, set()),
        ("GET", "/fhir/OperationDefinition/other", 404, set()),
        ("GET", "/fhir/", 404, set()),
    ],
)
def test_what_is_not_there_is_said_in_fhir(
    fhir: TestClient, method: str, path: str, status: int, allow: set[str]
) -> None:
    answer = fhir.request(method, path)

    assert {404: ["unknown_path"], 405: ["wrong_method"]}[status] == refused(answer, status)
    assert allow == set(filter(None, answer.headers.get("allow", "").split(", ")))


def test_an_assessment_is_recorded_as_it_was_sent_before_it_is_answered() -> None:
    journal = Recording()
    with client(journal) as found:
        answer = post(found, example(), "?indexDate=2026-11-22&lang=en")

    ((name, assessment, body, lang, kind),) = journal.kept
    assert answer.json()["identifier"]["value"] == name
    assert ("2026-11-22", orjson.dumps(example()), "en", "fhir") == (
        assessment.record.index_date.isoformat(), body, lang, kind
    )  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [OSError("disk full"), RequestError(503, [Problem("not_recorded", "assessment", "is not")])],
)
def test_what_cannot_be_recorded_is_not_answered(error: Exception) -> None:
    with client(Recording(error)) as found:
        answer = post(found, example())

    assert ["not_recorded"] == refused(answer, 503)
    assert "RiskAssessment" not in answer.text
    assert "disk" not in answer.text


def test_nothing_is_recorded_of_what_is_refused() -> None:
    journal = Recording()
    with client(journal) as found:
        refused(post(found, {"resourceType": "Patient"}), 422)
        refused(post(found, example(), "?lang=fr"), 400)

    assert [] == journal.kept


def test_what_nobody_foresaw_is_answered_in_fhir_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("Nguyen Thi Canary")

    monkeypatch.setattr("serving.fhir_api.read", fail)
    with client() as found:
        answer = post(found, example())

    assert ["internal_error"] == refused(answer, 500)
    assert "Canary" not in answer.text


def test_a_canary_in_any_field_reaches_no_error(fhir: TestClient) -> None:
    canary = "Canary-0913"
    sick = json.loads(json.dumps(example()).replace('"mg/dL"', f'"{canary}"'))
    sick["entry"][0]["resource"]["name"] = [{"family": canary}]

    assert canary not in json.dumps(resources(post(fhir, sick).json(), "OperationOutcome"))
    for document in ({"resourceType": canary}, {"resourceType": "Patient", "gender": canary}):
        assert canary not in post(fhir, document).text


def test_an_endless_list_of_problems_is_cut_and_counted(fhir: TestClient) -> None:
    many = parameters(*(("shoe", "valueString", "x") for _ in range(1500)))
    issues = post(fhir, many).json()["issue"]

    assert 1001 == len(issues)
    assert "1501 problems, the first 1000 are listed" == issues[-1]["details"]["text"]


JUNK = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63), st.text(max_size=8), st.just([]), st.just({}), st.just([[{}]]),
    st.sampled_from(["2026-11", "Patient/", "\0", "\u00a0", "1e400", 1e308]),
)  # fmt: skip


@given(at=st.integers(0), junk=JUNK, drop=st.booleans())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_broken_document_is_answered_in_fhir_or_refused_in_fhir(
    fhir: TestClient, at: int, junk: Any, drop: bool
) -> None:
    document = parameters(("resource", "resource", example()), ("lang", "valueCode", "vi"))
    holders = [
        (holder, key)
        for _, holder in walk(document)
        if isinstance(holder, dict | list)
        for key in (holder if isinstance(holder, dict) else range(len(holder)))
    ]
    holder, key = holders[at % len(holders)]
    if drop:
        del holder[key]
    else:
        holder[key] = junk
    answer = post(fhir, document)

    assert answer.status_code in (200, 400, 422)
    if answer.status_code == 200:
        for path, value in walk(answer.json()):
            assert value not in (None, "", [], {}), path
            assert not isinstance(value, str) or STRING.fullmatch(value), path
    else:
        refused(answer, answer.status_code)
