"""Whatever JSON is sent, reading it does not raise; what is said about it can be said in words."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdss.fhir.read import read
from cdss.fhir.resources import KINDS
from cdss.i18n import words
from tests.fhir_documents import EXAMPLES, INDEX

HUGE = (10**400, -(10**400), 1e308, -1e308, float("nan"), float("inf"), 2**63, -1, 0)
TEXTS = ("", " ", "8480-6", "http://loinc.org", "2026", "2026-02-30", "9999-12-31T99:99:99Z",
         "Patient/p", "urn:uuid:", "http://", "#", "/", "\ud800", "\x00", "I10", "final", "active",
         "Bundle", "OperationOutcome", "Observation", "Patient", "a" * 5000)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(HUGE), st.sampled_from(TEXTS),
)  # fmt: skip
names = st.sampled_from(
    ("resourceType", "entry", "resource", "code", "coding", "system", "status", "valueQuantity",
     "value", "unit", "component", "subject", "reference", "effectiveDateTime", "id", "condition",
     "relationship", "meta", "contained", "link", "total", "fullUrl", "birthDate", "gender")
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)


def places(value, path=()):
    """Every place in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()  # fmt: skip
    for key, inner in items:
        yield from places(inner, (*path, key))


def mutate(document, path, how, replacement):
    """A copy of the document, changed at one place."""
    changed = copy.deepcopy(document)
    if not path:
        return replacement
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    if how == "delete":
        del holder[key]
    elif how == "nest":
        holder[key] = [holder[key]] if isinstance(holder[key], dict) else {"value": holder[key]}
    elif how == "double" and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = replacement
    return changed


def check(document, index_date: date = INDEX) -> None:
    """It is read, everything used has a place, and everything told can be told."""
    reading = read(document, index_date)
    if reading.record is None:
        assert reading.problems
        assert not reading.basis
    else:
        known = set(reading.record.values) - reading.record.derived
        assert {b.variable for b in reading.basis} == known
    for problem in reading.problems:
        assert isinstance(problem.params.get("at"), str) or problem.code == "empty_record"
        assert words("vi").problem(problem)


@given(anything)
@settings(max_examples=300, deadline=None)
def test_any_json_can_be_read(document):
    check(document)


kinds = st.sampled_from((*sorted(KINDS), "Bundle", "OperationOutcome"))


@given(st.lists(st.tuples(kinds, st.dictionaries(names, anything, max_size=6)), max_size=5))
@settings(max_examples=300, deadline=None)
def test_resources_of_anything_can_be_read(resources):
    check([{**body, "resourceType": kind} for kind, body in resources])


def run_mutations(document, data, index_date: date) -> None:
    paths = list(places(document))
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(paths))
        how = data.draw(st.sampled_from(("delete", "nest", "double", "replace", "replace")))
        try:
            document = mutate(document, path, how, data.draw(anything))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    check(document, index_date)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_mutated_examples_can_be_read(file):
    document = json.loads(file.read_text(encoding="utf-8"))

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def run(data):
        run_mutations(document, data, INDEX)

    run()


def test_mutated_bundles_of_third_parties_can_be_read(shared):
    documents = [json.loads(f.read_bytes()) for f in sorted(shared.glob("fhir_bundles/*.json"))]
    documents = [d for d in documents if len(d["entry"]) < 40]

    @given(st.sampled_from(range(len(documents))), st.data())
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    def run(which, data):
        run_mutations(documents[which], data, date(2022, 6, 1))

    run()


def test_every_single_deletion_and_replacement_in_an_example():
    document = json.loads(EXAMPLES[-1].read_text(encoding="utf-8"))
    for path in places(document):
        for replacement in (None, 7, "x", [], {}, [[7]], 10**400, True):
            check(mutate(document, path, "replace", replacement))


def test_numbers_too_long_to_be_written_and_nesting_too_deep_to_be_compared():
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, 10**5000):
        document = {
            "resourceType": "Bundle", "total": value, "entry": [
                {"resource": {"resourceType": "Patient", "id": "p", "birthDate": value}},
                {"resource": {"resourceType": "Observation", "id": value, "status": value}},
                {"resource": {
                    "resourceType": "Observation", "status": "final",
                    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
                    "effectiveDateTime": "2026-11-20",
                    "valueQuantity": {"value": value, "code": "kg"},
                }},
            ],
        }  # fmt: skip
        codes = [p.code for p in read(document, INDEX).problems]
        assert codes[-1] == "not_read"
        assert codes[-2] in ("empty_record", "wrong_date")
