"""Whatever is done to a request: never a 500, never empty cards, never a value in an error."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hooks_emr import PATIENT, chart, client, condition, hook, prefetch, pressure
from tests.test_cds_hooks import EMPTY, HOOKED, everything, outcome

SERVICE = client()
WHOLE = hook(prefetch([*chart(), pressure(148, 90, "2026-05-20"), condition("E11.9")]))

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(allow_nan=False),
    st.text(max_size=9), st.just([]), st.just({}), st.just([[[{}]]]), st.just({"resourceType": 1}),
    st.sampled_from(["entered-in-error", "mg/dL", "2026-13-45", "Patient/9", "http://loinc.org"]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every member of a document is."""
    inside = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [p for key, each in inside for p in ((*path, key), *places(each, (*path, key)))]


def mutated(document: Any, changes: list[tuple[tuple[Any, ...], str, Any]]) -> Any:
    """A copy with members deleted, replaced, or nested deeper; what is gone is left alone."""
    document = deepcopy(document)
    for path, how, junk in changes:
        at = document
        try:
            for key in path[:-1]:
                at = at[key]
            if how == "delete":
                del at[path[-1]]
            else:
                at[path[-1]] = [at[path[-1]]] if how == "nest" else junk
        except (KeyError, IndexError, TypeError):
            continue
    return document


CHANGES = st.lists(
    st.tuples(st.sampled_from(places(WHOLE)), st.sampled_from(["delete", "replace", "nest"]), JUNK),
    min_size=1,
    max_size=6,
)


def checked(request: Any) -> None:
    """An answer with cards that hold what they must, or an error that says why."""
    try:
        body = json.dumps(request).encode()
    except (TypeError, ValueError):
        return
    answer = SERVICE.post(HOOKED, content=body, headers={"content-type": "application/json"})
    if answer.status_code != 200:
        assert answer.status_code in (400, 412), answer.text
        assert outcome(answer, answer.status_code)
        return
    cards = answer.json()["cards"]
    assert cards
    for card in cards:
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning", "critical")
    assert [] == [
        path for path, value in everything(cards) if value in EMPTY and value is not False
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES)
def test_a_mutated_request(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    checked(mutated(WHOLE, changes))


@settings(max_examples=60, deadline=None)
@given(st.recursive(JUNK, lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=4)))
def test_a_prefetch_of_anything(value: Any) -> None:
    checked(hook(prefetch(chart(), lipids=value, patient=value, conditions=value)))


def test_third_party_patients(shared: Path) -> None:
    """Of each bundle the patient's resources answer the queries as a server would."""
    seen = 0
    for file in sorted((shared / "fhir_bundles").glob("*.json")):
        bundle = json.loads(file.read_text())
        resources = [e["resource"] for e in bundle.get("entry", []) if "resource" in e]
        person = next((r for r in resources if r.get("resourceType") == "Patient"), None)
        if person is None:
            continue
        id = person.get("id", PATIENT)
        told = {"bundle": bundle, **dict.fromkeys(WHOLE["prefetch"])} | {"patient": person}
        answer = SERVICE.post(
            HOOKED,
            json=hook(told, context={"userId": "Practitioner/1", "patientId": id}),
        )
        assert 200 == answer.status_code, (file.name, answer.text[:500])
        assert answer.json()["cards"], file.name
        seen += 1
    assert seen >= 20


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context", "prefetch"])
@pytest.mark.parametrize("junk", [10**400, -1, 1.5, True, [], {}, "", "\ud800", None])
def test_each_member_of_a_request_replaced(member: str, junk: Any) -> None:
    checked(hook(**{member: junk}))


CANARY = "CANARY-172-nguyen"
PLACES = [
    {"hook": CANARY},
    {"hookInstance": CANARY},
    {"context": CANARY},
    {"context": {"userId": CANARY, "patientId": f"{CANARY} x", "encounterId": f"{CANARY} x"}},
    {"context": {"userId": f"Practitioner/{CANARY}", "patientId": CANARY}},
    {"prefetch": CANARY},
    {"prefetch": {CANARY: CANARY}},
    {"prefetch": {"patient": {"resourceType": "Patient", "id": CANARY}}},
    {"fhirServer": CANARY},
    {"fhirServer": f"https://emr.example/{CANARY}", "fhirAuthorization": {"access_token": CANARY}},
    {"fhirAuthorization": {"patient": CANARY, "access_token": f"{CANARY} ", "token_type": CANARY}},
]


@pytest.mark.parametrize("changes", PLACES)
def test_no_error_repeats_what_was_sent(changes: dict[str, Any]) -> None:
    answer = SERVICE.post(HOOKED, json=hook(**changes))

    assert answer.status_code in (400, 412)
    assert CANARY not in answer.text
