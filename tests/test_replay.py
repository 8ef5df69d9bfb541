import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdss import PatientRecord, RiskModel, assess, load_jurisdiction, published_models
from cdss.audit.entry import Asking, draft
from cdss.audit.exact import answer, canonical, record_to_json
from cdss.audit.identity import identities
from cdss.audit.keys import Key, Keys
from cdss.audit.replay import Replayed, kept_of, lacking, record_in, replay
from cdss.audit.store import Store, open_store
from cdss.bundle import load_bundle
from cdss.errors import AuditError
from cdss.fhir.read import read
from cdss.jurisdiction import Model, select
from tests.audit_logs import KEY, MODEL, patient
from tests.fhir_documents import EXAMPLES, INDEX
from tests.shipped import shipped

KEYS = Keys(KEY, {KEY.id: KEY})
ID = "a" * 32
FULL: dict[str, Any] = {
    "age": 54, "sex": "female", "height": 152, "weight": 61.25, "waist": 84, "systolic_bp": 151,
    "diastolic_bp": 93, "current_smoker": False, "diabetes": False, "total_cholesterol": 5.9,
    "hdl_cholesterol": 1.1, "family_history_diabetes": True, "pregnant": False,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "audit.sqlite"))


def assessed(
    store: Store,
    record: PatientRecord,
    models: tuple[Model, ...],
    place: str | None = "vn",
    *,
    chosen: bool = True,
    keep: bool = True,
    kind: str = "json",
) -> dict[str, Any]:
    """Assess, log, and give the entry."""
    where = load_jurisdiction(place) if place else None
    asked = tuple(map(where.adapted, models)) if where else models
    found = assess(record, asked, where, chosen=chosen)
    made = draft(ID, found, Asking(kind, "vi"), identities(models), KEY, keep=keep)
    store.append([made])
    return json.loads(made.entry)


def replayed(store: Store, entry: dict[str, Any], models: tuple[Model, ...]) -> Replayed:
    kept = kept_of(store, KEYS, ID)
    assert kept
    return replay(entry, kept[0], models, KEY, kept[1])


@pytest.mark.parametrize("place", ["vn", "who", "us", None])
@pytest.mark.parametrize("known", [FULL, {"age": 54, "sex": "male"}, {"age": 30, "bmi": 22}])
def test_the_same_models_give_the_same_answer_whatever_was_known(
    store: Store, place: str | None, known: dict[str, Any]
) -> None:
    record = PatientRecord.parse({"index_date": "2026-11-22", "values": known})
    loaded = (*shipped(), *published_models())
    asked = select(loaded, load_jurisdiction(place) if place else None)
    entry = assessed(store, record, asked, place)

    found = replayed(store, entry, loaded)

    assert ("identical", 0.0, ()) == (found.verdict, found.largest, found.where)
    expected = assess(record, asked, load_jurisdiction(place) if place else None, chosen=True)
    assert expected == found.assessment


def test_models_asked_for_by_name_are_replayed_as_asked(store: Store) -> None:
    asked = tuple(m for m in published_models() if m.id in ("findrisc", "score2", "idrs"))
    entry = assessed(store, patient(), asked[::-1], chosen=False)

    found = replayed(store, entry, published_models())

    assert "identical" == found.verdict
    assert [m.id for m in asked[::-1]] == [o.model for o in found.assessment.outcomes]


def test_without_what_was_kept_the_record_can_be_brought(store: Store) -> None:
    sent = {"index_date": "2026-11-22", "values": FULL}
    other = {"index_date": "2026-11-22", "values": FULL | {"age": 55}}
    entry = assessed(store, PatientRecord.parse(sent), published_models(), keep=False)
    assert kept_of(store, KEYS, ID) is None

    for document in (sent, {"records": [other, sent]}):
        record = record_in(document, entry, KEY)
        assert "identical" == replay(entry, record, published_models(), KEY).verdict
    for wrong in (other, {"records": [other]}):
        with pytest.raises(AuditError, match="is not the record that was assessed"):
            record_in(wrong, entry, KEY)
    with pytest.raises(AuditError, match="is not the record that was assessed"):
        replay(entry, PatientRecord.parse(other), published_models(), KEY)
    with pytest.raises(AuditError, match="is not the record that was assessed"):
        replay(entry, PatientRecord.parse(sent), published_models(), Key(b"o" * 32))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_what_a_fhir_bundle_became_is_replayed_from_either(store: Store, file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    record = read(document, INDEX).record
    assert record
    entry = assessed(store, record, published_models(), kind="fhir")

    assert "identical" == replayed(store, entry, published_models()).verdict
    assert record == record_in(document, entry, KEY)


def test_another_bundle_is_refused_by_name_version_and_digest(
    store: Store, write_toy: Callable[..., Path]
) -> None:
    old = load_bundle(write_toy())
    entry = assessed(store, patient(), (old,))
    new = load_bundle(write_toy(version="1.1.0"))
    ungated = load_bundle(write_toy(gate=False))
    then, now = old.facts["digest"], new.facts["digest"]

    assert [] == lacking(entry, identities([old]))
    with pytest.raises(AuditError) as error:
        replayed(store, entry, (new,))
    assert str(error.value) == (
        f"needs toy 1.0.0 (SHA-256 {then}); here is toy 1.1.0 (SHA-256 {now})"
    )
    with pytest.raises(AuditError, match=r"here is toy 1\.0\.0 .* without a release record"):
        replayed(store, entry, (ungated,))
    with pytest.raises(AuditError, match="here is none"):
        replayed(store, entry, published_models())


def changed(model: RiskModel, by: float) -> RiskModel:
    """The same model on a machine that rounds otherwise."""

    def function(x: Any) -> Any:
        probability, contributions = model.function(x)
        return probability + by, contributions

    return replace(model, function=function)


def test_numbers_that_differ_by_rounding_are_equal_and_no_more(store: Store) -> None:
    entry = assessed(store, patient(), (MODEL,))

    equal = replayed(store, entry, (changed(MODEL, 4e-7),))
    different = replayed(store, entry, (changed(MODEL, 2e-6),))

    assert ("equal", ()) == (equal.verdict, equal.where)
    assert equal.largest == pytest.approx(4e-7, rel=1e-3)
    assert "different" == different.verdict
    assert "outcomes/toy/probability" in different.where
    assert all(path.startswith("outcomes/toy/") for path in different.where)
    assert different.largest == pytest.approx(2e-6, rel=1e-3)


def test_a_difference_without_what_was_kept_is_only_said_to_be_one(store: Store) -> None:
    entry = assessed(store, patient(), (MODEL,), keep=False)

    found = replay(entry, patient(), (changed(MODEL, 4e-7),), KEY)

    assert ("different", None, ()) == (found.verdict, found.largest, found.where)


def test_whatever_is_no_number_must_be_the_same(store: Store) -> None:
    entry = assessed(store, patient(), (MODEL,))
    kept = kept_of(store, KEYS, ID)
    assert kept
    old = json.loads(canonical(kept[1]))
    old["advice"]["X-1"] = {}
    old["outcomes"]["toy"]["warnings"].append(["demonstration", "model", {}])
    old["outcomes"]["toy"]["horizon_years"] = None
    entry["answer_sha256"] = "0" * 64

    found = replay(entry, kept[0], (MODEL,), KEY, old)

    assert ("different", 0.0) == (found.verdict, found.largest)
    assert ("advice/X-1", "outcomes/toy/horizon_years", "outcomes/toy/warnings") == found.where


def test_what_is_kept_is_all_there_is_to_compare(store: Store) -> None:
    record = patient(alt=30)
    assessed(store, record, (MODEL,))
    kept = kept_of(store, KEYS, ID)
    assert kept
    expected = assess(record, (MODEL,), load_jurisdiction("vn"), chosen=True)

    assert record == kept[0]
    assert canonical(record_to_json(record)) == canonical(record_to_json(kept[0]))
    assert canonical(answer(expected)) == canonical(kept[1])


def test_once_its_key_is_gone_nothing_that_is_kept_can_be_read(store: Store) -> None:
    assessed(store, patient(), (MODEL,))
    other = Key(b"o" * 32)

    with pytest.raises(AuditError, match=f"the key {KEY.id} is not in the file of keys any more"):
        kept_of(store, Keys(other, {other.id: other}), ID)
