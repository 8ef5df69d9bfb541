"""What was answered, what was not, and what is fetched: no error ever becomes "no data"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from cdss.cds_hooks.prefetch import KEYS, lacking, reading, unanswered
from cdss.fhir.observation_codes import MEANINGS
from cdss.jurisdiction import JURISDICTIONS, load_jurisdiction, select
from serving.problems import RequestError
from tests.hooks_emr import (
    ASSESSMENT,
    MODELS,
    NOW,
    PATIENT,
    chart,
    client,
    condition,
    hook,
    measured,
    patient,
    prefetch,
    pressure,
)
from tests.test_cds_hooks import HOOKED, outcome

FAILED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "secret 172"}],
}


def record_of(prefetched: Mapping[str, Any]) -> Mapping[str, Any]:
    found = reading(prefetched, NOW.date(), PATIENT).record
    assert found is not None
    return found.values


def test_every_input_of_a_model_that_fhir_can_tell_is_asked_for() -> None:
    asked = set().union(*(key.variables for key in KEYS))
    readable = {meaning.variable for meaning in MEANINGS.values()}
    needed = {
        name
        for place in map(load_jurisdiction, JURISDICTIONS)
        for model in select(MODELS, place, demonstrations=True)
        for name in (*model.predictors, *model.excluded)
    }

    assert needed & readable <= asked
    assert {"age", "sex", "diabetes", "prior_cvd", "bp_treated"} <= asked
    assert len(KEYS) == len({key.name for key in KEYS})


def test_every_code_that_is_read_of_what_is_asked_for_is_in_its_query() -> None:
    for key in KEYS:
        for (system, code), meaning in MEANINGS.items():
            wanted = meaning.variable in key.variables and key.query.startswith("Observation?")
            if wanted and system == "loinc" and meaning.reads != "not_comparable":
                assert f"|{code}" in key.query


def test_the_chart_is_read_as_it_stands() -> None:
    found = record_of(prefetch(chart()))

    assert (58, "male", 152, 94, 72, 165, 92) == tuple(
        found[n] for n in ("age", "sex", "systolic_bp", "diastolic_bp", "weight", "height", "waist")
    )
    assert "current" == found["smoking"]
    assert "diabetes" not in found  # no Condition is not a no


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"resourceType": "Bundle", "type": "searchset", "total": 0},
        {"resourceType": "Bundle", "type": "searchset", "entry": []},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome",
         "issue": [{"severity": "warning"}]}, "search": {"mode": "outcome"}}]},
        condition("I10"),
        [condition("I10")],
    ],
)  # fmt: skip
def test_null_an_empty_search_and_a_single_resource_are_answers(value: Any) -> None:
    told = prefetch(chart(), conditions=value)

    assert [] == [key.name for key in unanswered(told)]
    assert ("hypertension" in record_of(told)) == ("I10" in str(value))


@pytest.mark.parametrize(
    "value",
    [
        FAILED,
        {"resourceType": "Bundle", "entry": [{"resource": FAILED}]},
        {}, "x", 1, True, {"resourceType": 7}, {"resourceType": "OperationOutcome"},
    ],
)  # fmt: skip
def test_an_error_and_nonsense_are_no_answers(value: Any) -> None:
    told = prefetch(chart(), conditions=value)
    found = reading(told, NOW.date(), PATIENT)

    assert ["conditions"] == [key.name for key in unanswered(told)]
    assert ["prefetch.conditions"] == [p.variable for p in found.problems if p.code == "not_sent"]
    assert "172" not in str(found.problems)


def test_more_pages_of_what_is_sorted_are_no_loss_but_of_what_is_not_they_are() -> None:
    series = [measured("29463-7", 70 + i, "kg", f"2026-{i + 1:02}-01") for i in range(11)]
    series += [measured("29463-7", 69, "kg", "2025-12-01")]
    told = prefetch([*chart()[:3], *series])
    assert "link" in told["weight"]
    assert 80 == record_of(told)["weight"]
    assert [] == [p for p in reading(told, NOW.date(), PATIENT).problems if p.code == "paged"]

    cut = {"resourceType": "Bundle", "type": "searchset", "link": told["weight"]["link"],
           "entry": [{"resource": condition("I10")}]}  # fmt: skip
    found = reading(prefetch(chart(), conditions=cut), NOW.date(), PATIENT)
    assert ["paged"] == [p.code for p in found.problems if p.code == "paged"]


def test_what_comes_under_a_key_nobody_asked_for_is_read_too() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in chart()]}
    told = {"everything": bundle}
    found = reading(told, NOW.date(), PATIENT)

    assert found.record is not None
    assert 152 == found.record.values["systolic_bp"]
    assert [] == lacking(select(MODELS, None), unanswered(told), found.record)


def test_412_says_which_required_data_are_missing() -> None:
    with client() as service:
        nothing = service.post(HOOKED, json=hook({}))
        no_patient = prefetch(chart())
        del no_patient["patient"]
        nobody = service.post(HOOKED, json=hook(no_patient))
        only_patient = service.post(HOOKED, json=hook({"patient": patient()}))
        failed = service.post(HOOKED, json=hook(dict.fromkeys(prefetch([]), FAILED)))

    every = [("not_sent", f"prefetch.{key.name}") for key in KEYS]
    assert every == outcome(nothing, 412) == outcome(failed, 412)
    assert [("not_sent", "prefetch.patient")] == outcome(nobody, 412)
    assert every[1:] == outcome(only_patient, 412)
    assert "Tuổi, Giới tính" in nobody.json()["issue"][0]["details"]["text"]


def test_a_service_needs_only_what_its_own_models_need() -> None:
    partial = {k: v for k, v in prefetch(chart()).items() if k != "bloodPressure"}
    models = [m for m in MODELS if m.id in ("who-2019-lab-sea", "diabetes-incident")]
    with client(models=models) as service:
        about_vessels = service.post("/cds-services/cdss-cardiovascular", json=hook(partial))
        all_of_them = service.post(HOOKED, json=hook(partial))

    assert [("not_sent", "prefetch.bloodPressure")] == outcome(about_vessels, 412)
    assert 200 == all_of_them.status_code


def test_data_that_were_asked_for_and_are_not_there_give_a_card_and_not_an_error() -> None:
    with client() as service:
        answer = service.post(HOOKED, json=hook(prefetch([patient(), pressure(118, 76)])))
        empty = service.post(HOOKED, json=hook(prefetch([], patient=None)))

    assert 200 == answer.status_code
    assert 200 == empty.status_code
    assert empty.json()["cards"][0]["summary"].startswith("Tim mạch: chưa ước tính được")


def test_data_that_were_not_sent_are_named_at_a_glance_and_in_full() -> None:
    told = {k: v for k, v in prefetch(chart()).items() if k != "conditions"}
    with client() as service:
        cards = service.post(HOOKED, json=hook(told), headers={"accept-language": "en"}).json()[
            "cards"
        ]

    assert cards[0]["summary"].endswith("not all data sent")
    assert 1 == sum("prefetch.conditions: was not sent" in card["detail"] for card in cards)


def test_a_patient_who_has_died_gets_no_risk() -> None:
    told = prefetch(chart(), patient=patient(deceasedBoolean=True))
    with client() as service:
        (card,) = service.post(HOOKED, json=hook(told), headers={"accept-language": "en"}).json()[
            "cards"
        ]

    assert card["summary"].startswith("Nothing was computed")
    assert "%" not in card["summary"] + card["detail"]
    assert "suggestions" not in card


class Recorder:
    """A journal and a FHIR server that remember."""

    def __init__(self, answers: Mapping[str, Any] | None = None, error: Exception | None = None):
        self.answers, self.error = answers or {}, error
        self.kept: list[tuple[Any, ...]] = []
        self.asked: list[tuple[Any, ...]] = []

    async def keep(self, request: Any, entries: Any, body: bytes, *, lang: str, kind: str) -> None:
        if self.error:
            raise self.error
        self.kept.append((entries, body, lang, kind))

    async def fetch(self, server: str, token: str | None, queries: Any) -> dict[str, Any]:
        self.asked.append((server, token, dict(queries)))
        return {name: self.answers[name] for name in queries if name in self.answers}


AUTHORIZED = {
    "fhirServer": "https://emr.example/r4",
    "fhirAuthorization": {"access_token": "top-secret", "token_type": "Bearer", "expires_in": 300,
                          "scope": "user/Observation.rs", "subject": "cdss"},
}  # fmt: skip


def test_what_is_missing_is_fetched_and_only_that_with_the_token_given() -> None:
    every = prefetch(chart())
    recorder = Recorder(every)
    sent = {k: v for k, v in every.items() if k not in ("bloodPressure", "lipids")}
    with client(journal=recorder, fetch=recorder.fetch) as service:
        partly = service.post(HOOKED, json=hook(sent, **AUTHORIZED))
        whole = service.post(HOOKED, json=hook(every))

    assert partly.json() == whole.json()
    ((server, token, queries),) = recorder.asked
    assert ("https://emr.example/r4", "top-secret") == (server, token)
    assert {"bloodPressure", "lipids"} == set(queries)
    assert all(f"patient={PATIENT}&" in query for query in queries.values())


def test_a_token_is_never_kept_shown_or_stored_and_what_was_fetched_is() -> None:
    every = prefetch(chart())
    recorder = Recorder(every)
    sent = {k: v for k, v in every.items() if k != "bloodPressure"}
    with client(journal=recorder, fetch=recorder.fetch) as service:
        answer = service.post(HOOKED, json=hook(sent, **AUTHORIZED))

    ((entries, body, lang, kind),) = recorder.kept
    assert (ASSESSMENT, "vi", "cds-hooks") == (entries[0][0], lang, kind)
    assert "top-secret" not in body.decode() + answer.text
    kept = orjson.loads(body)
    assert "fhirAuthorization" not in kept
    assert every == kept["prefetch"]
    again = reading(kept["prefetch"], NOW.date(), PATIENT)
    assert again.record == entries[0][1].record


def test_a_request_without_token_is_kept_byte_by_byte() -> None:
    recorder = Recorder()
    body = orjson.dumps(hook())
    with client(journal=recorder) as service:
        service.post(HOOKED, content=body, headers={"content-type": "application/json"})

    assert body == recorder.kept[0][1]


@pytest.mark.parametrize(
    "error", [OSError("disk full"), RequestError(503, []), ValueError("secret 172")]
)
def test_what_cannot_be_recorded_is_not_answered(error: Exception) -> None:
    with client(journal=Recorder(error=error)) as service:
        answer = service.post(HOOKED, json=hook())

    assert 503 == answer.status_code
    assert "cards" not in answer.json()
    assert "172" not in answer.text
