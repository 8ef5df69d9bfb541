"""
Everything we emit as FHIR, before two independent validators.

``npm ci --prefix tests/conformance`` installs them; ``CDSS_CONFORMANCE`` may name another folder
that has their ``node_modules``.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cdss import assess, load_jurisdiction
from cdss.errors import Problem
from cdss.estimate import NoEstimate
from cdss.fhir.audit_event import audit_event
from cdss.fhir.operation_outcome import issue, operation_outcome
from cdss.fhir.read import read
from cdss.fhir.write import standalone, write
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import select
from tests.fhir_answers import ID, MOMENT, all_models, answer, answers, of_model, resources
from tests.fhir_golden import AUDIT_ENTRY, REQUEST, documents

HERE = Path(__file__).parent / "conformance"
Validate = Callable[[list[Mapping[str, Any]]], list[dict[str, list[str]]]]


@pytest.fixture(scope="session")
def validate(tmp_path_factory: pytest.TempPathFactory) -> Validate:
    """What each validator rejects of each resource."""
    home = Path(os.environ.get("CDSS_CONFORMANCE") or HERE)
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    if not (home / "node_modules").is_dir():
        pytest.skip("the validators are not installed: npm ci --prefix tests/conformance")
    return partial(_validate, home, tmp_path_factory.mktemp("fhir") / "resources.ndjson")


def _validate(home: Path, file: Path, every: list[Mapping[str, Any]]) -> list[dict[str, list[str]]]:
    file.write_text("".join(json.dumps(each) + "\n" for each in every), encoding="utf-8")
    done = subprocess.run(
        ["node", str(HERE / "validate.mjs"), str(file)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "CDSS_CONFORMANCE": str(home)},
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(every) == len(found)
    return found


def emitted() -> Iterator[Mapping[str, Any]]:
    """Everything this library writes as FHIR."""
    for found in answers():
        yield found.bundle
    for lang in LANGUAGES:
        for patient in ("everything", "ranges"):
            found = answer(patient, lang=lang, every=True)
            for outcome in found.assessment.outcomes:
                if not isinstance(outcome, NoEstimate):
                    yield standalone(
                        found.assessment, found.models, assessment_id=ID, lang=lang,
                        basis=found.reading.basis,
                    )(outcome)  # fmt: skip
    yield from (document for name, document in documents() if name != REQUEST.name)
    yield from (audit_event({**AUDIT_ENTRY, **changes}) for changes in AUDITED)
    problems = [
        Problem("malformed_json", "body", "is not JSON"),
        Problem("implausible", "alt", "", {"low": 1, "high": 2, "unit": "U/L", "at": "entry/3"}),
        Problem("unknown_variable", "\0\u00a0", "is not one", {"at": "Bundle.entry[3].resource"}),
        Problem("never_heard_of", "x", "is new"),
    ]
    for lang in LANGUAGES:
        yield operation_outcome((issue(p, "error", words(lang)) for p in problems), lang)


AUDITED: tuple[dict[str, Any], ...] = (
    {},
    {"issuer": None, "subject": None},
    {"issuer": None},
    {"outcome": "failed", "models": []},
    {"kind": "batch", "lang": None, "input_sha256": None},
)


def test_nothing_we_emit_is_rejected(validate: Validate) -> None:
    every = list(emitted())
    rejected = [
        (each["resourceType"], who, said)
        for each, found in zip(every, validate(every), strict=True)
        for who, said in found.items()
        if said
    ]

    assert [] == rejected
    assert len(every) > 100


def test_the_validators_would_notice(validate: Validate) -> None:
    good = of_model(answer("everything").bundle, "cvd-death")
    wrong = {
        "percent": ("probabilityDecimal", 120, "medplum"),
        "status": ("status", "finished", "lantana"),
        "unknown": ("shoeSize", 43, "both"),
        "null": ("note", None, "both"),
    }
    changed = []
    for name, value, _ in wrong.values():
        bad = deepcopy(good)
        (bad["prediction"][0] if name.startswith("probability") else bad)[name] = value
        changed.append(bad)
    no_subject = {key: member for key, member in good.items() if key != "subject"}
    found = validate([good, *changed, no_subject])

    assert {"medplum": [], "lantana": []} == found[0]
    for (name, (_, _, who)), said in zip(wrong.items(), found[1:-1], strict=True):
        heard = {validator for validator, errors in said.items() if errors}
        assert heard == ({"medplum", "lantana"} if who == "both" else {who}), name
    assert any("ras-2" in error for error in found[1]["medplum"])
    assert all(found[-1].values())


def test_the_validators_look_into_a_bundle(validate: Validate) -> None:
    bundle = deepcopy(answer("everything").bundle)
    resources(bundle, "RiskAssessment")[0]["prediction"][0]["probabilityDecimal"] = 120
    resources(bundle, "CarePlan")[0]["intent"] = "wish"

    (found,) = validate([bundle])
    assert any("ras-2" in error for error in found["medplum"])
    assert any("wish" in error for error in found["lantana"])


def test_answers_to_other_peoples_bundles_are_accepted(shared: Path, validate: Validate) -> None:
    place = load_jurisdiction("vn")
    models = select(all_models(), place)
    every: list[Mapping[str, Any]] = []
    for file in sorted((shared / "fhir_bundles").glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        for day in (date(2019, 6, 1), date(2026, 1, 1)):
            reading = read(document, day)
            if reading.record is None:
                text = words("vi")
                issues = [issue(problem, "error", text) for problem in reading.problems]
                every.append(operation_outcome(issues, "vi"))
                continue
            found = assess(reading.record, models, place, chosen=True)
            answered = write(
                found, models, assessment_id=ID, recorded=MOMENT, basis=reading.basis,
                problems=reading.problems, subject="Patient/1", lang="vi",
            )  # fmt: skip
            every.append(answered)
    assert len(every) > 40
    assert [] == [said for said in validate(every) if said["medplum"] or said["lantana"]]
