"""Bundles of third parties, which are not part of the repository: what is read from them."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from cdss.fhir.read import read
from cdss.fhir.values import moment
from cdss.i18n import words
from cdss.reading import Reading


def last_day(document) -> date:
    """Day of the last Observation."""
    resources = [entry["resource"] for entry in document["entry"]]
    days = [
        when.first
        for r in resources
        if r["resourceType"] == "Observation"
        and (when := moment(r.get("effectiveDateTime") or r.get("issued")))
    ]
    return max(days, default=date(2026, 11, 24))


def read_shared(shared, name: str) -> Reading:
    (file,) = shared.glob(f"fhir_bundles/{name}*.json")
    document = json.loads(file.read_bytes())
    return read(document, last_day(document))


def test_every_bundle_gives_a_record_or_says_why_not(shared):
    files = sorted(shared.glob("fhir_bundles/*.json"))
    assert len(files) >= 27
    without = {}
    for file in files:
        document = json.loads(file.read_bytes())
        reading = read(document, last_day(document))
        if reading.record is None:
            without[file.stem] = [p.code for p in reading.problems]
        else:
            known = set(reading.record.values) - reading.record.derived
            assert {b.variable for b in reading.basis} == known
        for problem in reading.problems:
            assert "at" in problem.params
            for lang in ("en", "vi"):
                assert words(lang).problem(problem)
    # A girl of ten, and a man whose last Observation is of the day he died.
    assert without == {
        "synthea2019-3d272e595c": ["child"],
        "synthea2019-df1c6b5c8d": ["deceased"],
    }


def test_the_day_before_he_died_he_was_alive(shared):
    (file,) = shared.glob("fhir_bundles/synthea2019-df1c6b5c8d.json")
    document = json.loads(file.read_bytes())
    record = read(document, last_day(document) - timedelta(1)).record
    assert record is not None
    assert record.values["age"] == 65


# Looked up by eye in the bundles. The conversion is by hand: cholesterol / 38.665, creatinine
# x 88.4, pounds x 0.45359237.
@pytest.mark.parametrize(
    ("bundle", "variable", "expected"),
    [
        ("synthea2019-57d8e2b08a", "ldl_cholesterol", 96.47440864488709 / 38.665),
        ("synthea2019-6641d3a92a", "systolic_bp", 163.7221165093367),
        ("synthea2019-6641d3a92a", "diastolic_bp", 113.41785627734372),
        ("synthea2019-c431cf8e19", "hba1c", 7.0196643089439625),
        ("synthea2019-fc56221182", "creatinine", 1.052034384301465 * 88.4),
        ("synthea2019-e3af7c6e0b", "smoking", "former"),
        ("synthea2019-96b64e1645", "age_at_diabetes_diagnosis", 45),
        ("synthea2019-96b64e1645", "diabetes_type", "type_2"),
        ("au-smartforms-ddfdb164ad", "systolic_bp", 170),
        ("au-smartforms-ddfdb164ad", "height", 163),
        ("au-smartforms-6da2be5b99", "hdl_cholesterol", 1.5),
        ("ecqm2021-d60847d8e7", "systolic_bp", 120),
        ("ecqm2021-d60847d8e7", "weight", 169 * 0.45359237),
        ("ecqm2021-de080c7a41", "creatinine", 1.2 * 88.4),
        ("ecqm2021-2bdcaab967", "hba1c", 9.1),
        ("ecqm2021-2bdcaab967", "diabetes_type", "type_1"),
        ("ips-94b1798430", "hba1c", 7.5),
        ("ips-94b1798430", "age", 45),
    ],
)
def test_values_looked_up_by_eye(shared, bundle, variable, expected):
    record = read_shared(shared, bundle).record
    assert record is not None
    if isinstance(expected, str):
        assert record.values[variable] == expected
    else:
        assert record.values[variable] == pytest.approx(expected, rel=1e-4)
