"""Feedback: checked as a whole, kept once, counted; comments only if the site says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdss.cds_hooks.feedback import read_feedback
from serving.feedback import FeedbackStore
from tests.hooks_emr import client
from tests.test_cds_hooks import outcome

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
AT = "/cds-services/cdss-diabetes/feedback"

ACCEPTED = {
    "card": CARD,
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": SUGGESTION}],
    "outcomeTimestamp": "2026-11-24T10:05:31Z",
}
OVERRIDDEN = {
    "card": CARD,
    "outcome": "overridden",
    "overrideReason": {
        "reason": {"code": "known", "system": "urn:cdss:override-reason", "display": "x"},
        "userComment": "Mr Nguyen, 172 cm, knows",
    },
    "outcomeTimestamp": "2026-11-24T10:06:31.5+07:00",
}


@pytest.fixture
def service() -> Iterator[TestClient]:
    with client() as one:
        yield one


def sent(*entries: Any) -> dict[str, Any]:
    return {"feedback": list(entries)}


def test_feedback_is_an_object_with_an_array_and_is_answered_200(service: TestClient) -> None:
    answer = service.post(AT, json=sent(ACCEPTED, OVERRIDDEN))

    assert (200, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([], [("not_an_object", "body")]),
        ({}, [("wrong_list", "feedback")]),
        ({"feedback": {}}, [("wrong_list", "feedback")]),
        ({"feedback": []}, [("wrong_list", "feedback")]),
        ({"feedback": [ACCEPTED] * 1001}, [("wrong_list", "feedback")]),
        ({"feedback": [1]}, [("not_an_object", "feedback[0]")]),
    ],
)
def test_feedback_of_another_form_is_refused(
    service: TestClient, payload: Any, expected: Any
) -> None:
    assert expected == outcome(service.post(AT, json=payload), 400)


@pytest.mark.parametrize("member", ["card", "outcome", "outcomeTimestamp", "acceptedSuggestions"])
def test_feedback_must_have_card_outcome_timestamp_and_what_was_accepted(
    service: TestClient, member: str
) -> None:
    entry = {key: value for key, value in ACCEPTED.items() if key != member}
    answer = service.post(AT, json=sent(OVERRIDDEN, entry))

    assert [("required_member", f"feedback[1].{member}")] == outcome(answer, 400)


@pytest.mark.parametrize(
    ("member", "value", "path"),
    [
        ("card", "7", "card"),
        ("outcome", "ignored", "outcome"),
        ("outcomeTimestamp", "2026-11-24", "outcomeTimestamp"),
        ("outcomeTimestamp", "2026-11-24T10:05:31", "outcomeTimestamp"),
        ("outcomeTimestamp", "2026-13-24T10:05:31Z", "outcomeTimestamp"),
        ("outcomeTimestamp", "0001-01-01T00:00:00+10:00", "outcomeTimestamp"),
        ("outcomeTimestamp", 7, "outcomeTimestamp"),
        ("acceptedSuggestions", [{"id": "7"}], "acceptedSuggestions[0].id"),
        ("acceptedSuggestions", ["x"], "acceptedSuggestions[0].id"),
    ],
)
def test_every_member_of_feedback_has_a_form(
    service: TestClient, member: str, value: Any, path: str
) -> None:
    answer = service.post(AT, json=sent(ACCEPTED | {member: value}))

    assert [("wrong_form", f"feedback[0].{path}")] == outcome(answer, 400)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ({}, ("required_member", "feedback[0].overrideReason.reason")),
        ("x", ("not_an_object", "feedback[0].overrideReason")),
        ({"reason": "x"}, ("not_an_object", "feedback[0].overrideReason.reason")),
        ({"userComment": 1}, ("wrong_form", "feedback[0].overrideReason.userComment")),
    ],
)
def test_an_override_reason_must_have_a_reason_or_a_comment(
    service: TestClient, reason: Any, expected: Any
) -> None:
    answer = service.post(AT, json=sent(OVERRIDDEN | {"overrideReason": reason}))

    assert [expected] == outcome(answer, 400)


def test_of_a_report_with_anything_wrong_nothing_counts(service: TestClient) -> None:
    service.post(AT, json=sent(ACCEPTED, ACCEPTED | {"card": "7"}))

    assert {"service": "cdss-diabetes", "accepted": 0, "overridden": 0} == service.get(AT).json()


def test_feedback_counts_once_however_often_and_however_it_is_sent(service: TestClient) -> None:
    same = ACCEPTED | {"card": CARD.upper(), "outcomeTimestamp": "2026-11-24T17:05:31+07:00"}
    for entries in ([ACCEPTED], [ACCEPTED, same], [same, OVERRIDDEN]):
        assert 200 == service.post(AT, json=sent(*entries)).status_code

    assert {
        "service": "cdss-diabetes",
        "accepted": 1,
        "overridden": 1,
        "acceptance": 0.5,
        "reasons": {"known": 1},
    } == service.get(AT).json()


def test_feedback_on_a_card_that_is_not_known_and_on_several_calls_is_taken(
    service: TestClient,
) -> None:
    entries = [ACCEPTED | {"card": f"{CARD[:-2]}{i:02}"} for i in range(20)]

    assert 200 == service.post(AT, json=sent(*entries)).status_code
    assert 20 == service.get(AT).json()["accepted"]


def test_feedback_is_counted_by_service(service: TestClient) -> None:
    service.post(AT, json=sent(ACCEPTED))
    other = service.get("/cds-services/cdss-all/feedback").json()

    assert {"service": "cdss-all", "accepted": 0, "overridden": 0} == other


def test_a_reason_that_is_not_ours_is_counted_and_not_kept(service: TestClient) -> None:
    foreign = {"reason": {"code": "Nguyen 172", "system": "https://emr.example"}}
    without = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-24T11:00:00Z"}
    service.post(AT, json=sent(OVERRIDDEN | {"overrideReason": foreign}, without))
    answer = service.get(AT)

    assert {"none": 1, "other": 1} == answer.json()["reasons"]
    assert "172" not in answer.text


@pytest.mark.parametrize("comments", [False, True])
def test_comments_are_kept_only_if_the_site_says_so_and_never_answered(
    tmp_path: Path, comments: bool
) -> None:
    file = tmp_path / "feedback.sqlite"
    store = FeedbackStore(file, comments=comments)
    with client(feedback=store) as service:
        service.post(AT, json=sent(OVERRIDDEN))
        assert "172" not in service.get(AT).text
    store.close()
    with sqlite3.connect(file) as database:
        (comment,) = database.execute("SELECT comment FROM feedback").fetchone()
    database.close()

    assert ("Mr Nguyen, 172 cm, knows" if comments else "") == comment


def test_what_is_kept_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "feedback.sqlite"
    first = FeedbackStore(file)
    assert 1 == first.keep("cdss-all", read_feedback(sent(ACCEPTED)))
    first.close()
    second = FeedbackStore(file)
    assert 0 == second.keep("cdss-all", read_feedback(sent(ACCEPTED)))
    assert 1 == second.report("cdss-all")["accepted"]
    second.close()


def test_an_error_of_feedback_does_not_repeat_what_was_sent(service: TestClient) -> None:
    secret = OVERRIDDEN | {"card": "Nguyen 172", "outcomeTimestamp": "Nguyen 172"}

    assert "172" not in service.post(AT, json=sent(secret)).text
