import json

import pytest

import cdss
from cdss.fhir.audit_event import audit_event
from tests.fhir_answers import walk
from tests.fhir_golden import AUDIT_ENTRY, ID


def test_an_audit_event_says_who_asked_when_of_which_assessment() -> None:
    said = audit_event(AUDIT_ENTRY)

    client, server = said["agent"]
    assert {"system": "https://emr.hospital.example", "value": "emr-client"} == (
        client["who"]["identifier"]
    )
    assert (True, False) == (client["requestor"], server["requestor"])
    assert ("110153", "110152") == tuple(
        agent["type"]["coding"][0]["code"] for agent in said["agent"]
    )
    assert f"cdss@{cdss.__version__}" == server["who"]["identifier"]["value"]
    assert ("rest", "E", "0") == (said["type"]["code"], said["action"], said["outcome"])
    assert "operation" == said["subtype"][0]["code"]
    assert AUDIT_ENTRY["recorded"] == said["recorded"]
    assert ID == said["entity"][0]["what"]["identifier"]["value"]


def test_an_audit_event_names_input_hash_format_language_and_models_with_their_hashes() -> None:
    answer, query, toy, findrisc = audit_event(AUDIT_ENTRY)["entity"]

    assert {"format": "fhir", "language": "vi"} == {
        each["type"]: each["valueString"] for each in answer["detail"]
    }
    assert AUDIT_ENTRY["input_sha256"] == query["what"]["identifier"]["value"]
    assert "toy@1.0.0" == toy["what"]["identifier"]["value"]
    assert "ab" * 32 == toy["detail"][0]["valueString"]
    assert "findrisc@2003" == findrisc["what"]["identifier"]["value"]
    assert "detail" not in findrisc


def test_what_failed_is_no_success() -> None:
    assert "8" == audit_event(AUDIT_ENTRY | {"outcome": "failed"})["outcome"]
    with pytest.raises(KeyError):
        audit_event(AUDIT_ENTRY | {"outcome": "perhaps"})


def test_nobody_is_made_up_where_nobody_was_asked_who_they_are() -> None:
    client, _ = audit_event(AUDIT_ENTRY | {"issuer": None, "subject": None})["agent"]

    assert {"display": "not authenticated"} == client["who"]


def test_what_else_is_in_the_log_stays_there() -> None:
    said = json.dumps(audit_event(AUDIT_ENTRY | {"token": "eyJhbGciOi", "body": "Nguyen"}))

    assert "eyJ" not in said
    assert "Nguyen" not in said


def test_the_same_line_gives_the_same_event_without_anything_empty() -> None:
    for entry in (AUDIT_ENTRY, AUDIT_ENTRY | {"models": [], "lang": None, "kind": None}):
        assert audit_event(entry) == audit_event(entry)
        for path, value in walk(audit_event(entry)):
            assert value not in (None, "", [], {}), path
