import json
import re
from pathlib import Path

import pytest

import cdss
from cdss import assess, load_jurisdiction, published_models
from cdss.audit.entry import Asking, draft, forgotten
from cdss.audit.identity import code, folder_digest, identities
from cdss.audit.keys import Key
from cdss.bundle import load_bundle
from cdss.fhir.audit_event import audit_event
from tests.audit_logs import CLIENT, KEY, MODEL, assessment, entry, patient


def test_an_entry_says_who_asked_when_what_was_used_and_what_came_of_it() -> None:
    said = json.loads(entry().entry)

    assert ("a" * 32, "json", "vi", "vn", "2026-11-22", "ok") == tuple(
        said[name]
        for name in ("assessment_id", "kind", "lang", "jurisdiction", "index_date", "outcome")
    )
    assert ("https://emr.hospital.example", "emr-client", "jti-1") == (
        said["issuer"], said["subject"], said["token_id"],
    )  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["recorded"])
    assert [("toy", "1.0.0", "estimated")] == [
        (m["model"], m["version"], m["status"]) for m in said["models"]
    ]
    assert code()._asdict() == said["code"]
    assert cdss.__version__ == said["code"]["version"]
    assert KEY.id == said["key"]
    assert said["kept"] is False


def test_nobody_is_made_up_where_nobody_was_asked_who_they_are() -> None:
    drafted = draft("b" * 32, assessment(), Asking("json", "en"), identities([MODEL]), KEY)

    assert [None, None, None] == [
        json.loads(drafted.entry)[name] for name in ("issuer", "subject", "token_id")
    ]


def test_every_model_that_was_asked_is_named_with_what_it_said() -> None:
    models = published_models()
    place = load_jurisdiction("vn")
    found = assess(patient(systolic_bp=140, diabetes=False), models, place, chosen=True)
    said = json.loads(draft("c" * 32, found, CLIENT, identities(models), KEY).entry)
    status = {m["model"]: m["status"] for m in said["models"]}

    assert [model.id for model in models] == list(status)
    assert {o.model for o in found.outcomes} == {i for i, s in status.items() if s != "not_shown"}
    assert {o.model for o in found.estimates} == {i for i, s in status.items() if s == "estimated"}
    assert {o.model for o in found.points} == {i for i, s in status.items() if s == "points"}
    assert {o.model for o in found.ranges} == {i for i, s in status.items() if s == "range"}
    assert "not_shown" in status.values()


def test_nothing_of_the_patient_is_in_it() -> None:
    values = {"bmi": 31.3371337, "alt": 41.4141, "systolic_bp": 151.515}
    drafted = entry(**values, keep=True)
    (estimate,) = assessment(**values).estimates

    for number in (*values.values(), estimate.probability, "female"):
        assert str(number)[:7] not in drafted.entry
        assert str(number)[:7].encode() not in drafted.sealed


def test_hashes_are_keyed_and_bound_to_the_assessment() -> None:
    hashes = ("input_sha256", "answer_sha256")
    first, other, keyed, changed = (
        [json.loads(each.entry)[name] for name in hashes]
        for each in (entry(), entry("b" * 32), entry(key=Key(b"k" * 32)), entry(bmi=25))
    )

    assert first == [json.loads(entry().entry)[name] for name in hashes]
    assert 8 == len({*first, *other, *keyed, *changed})


def test_an_entry_is_what_the_fhir_export_needs() -> None:
    event = audit_event(json.loads(entry().entry))

    assert "a" * 32 == event["entity"][0]["what"]["identifier"]["value"]
    assert {"format": "json", "language": "vi"} == {
        each["type"]: each["valueString"] for each in event["entity"][0]["detail"]
    }
    assert "0" == event["outcome"]


def test_the_entry_of_forgetting_names_the_assessment_and_who() -> None:
    drafted = forgotten("a" * 32, "an-operator", KEY)
    said = json.loads(drafted.entry)

    assert ("forget", "a" * 32, "an-operator") == (said["kind"], said["forgets"], said["subject"])
    assert drafted.id == said["assessment_id"] != "a" * 32
    assert drafted.sealed is None


def test_a_bundle_is_named_by_the_digest_of_its_manifest(toy_bundle: Path) -> None:
    found = identities([load_bundle(toy_bundle)])["toy"]

    assert found.digest == (toy_bundle / "manifest.sha256").read_text().split()[0]
    assert found.released


def test_an_equation_is_named_by_the_digest_of_its_folder() -> None:
    found = identities(published_models())

    assert all(re.fullmatch("[0-9a-f]{64}", each.digest or "") for each in found.values())
    assert found["who-2019-lab-sea"].digest == found["who-2019-nonlab-sea"].digest
    assert found["who-2019-lab-sea"].digest != found["findrisc"].digest


def test_a_digest_is_of_names_and_bytes_and_nothing_else(tmp_path: Path) -> None:
    def digest(name: str, **files: str) -> str:
        for file, content in files.items():
            path = tmp_path / name / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (tmp_path / name / "__pycache__").mkdir()
        (tmp_path / name / "__pycache__" / "x.pyc").write_text(name)
        return folder_digest(tmp_path / name)

    first = digest("first", a="1", b__c="2")

    assert first == digest("same", b__c="2", a="1")
    assert 3 == len({first, digest("moved", a="1", b="2"), digest("changed", a="1", b__c="3")})


def test_a_model_that_is_not_known_is_an_error() -> None:
    with pytest.raises(KeyError):
        draft("a" * 32, assessment(), CLIENT, {}, KEY)
