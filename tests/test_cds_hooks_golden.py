"""
The contract with EMRs: whole requests and whole answers, in both languages.

Only published equations answer, so that a model trained anew changes nothing here. After a change
that is meant: ``CDSS_WRITE_GOLDEN=1 pytest tests/test_cds_hooks_golden.py``, read the difference,
and say it in the changelog under interop.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdss import published_models
from cdss.i18n import LANGUAGES
from tests.hooks_emr import (
    chart,
    client,
    condition,
    hook,
    measured,
    patient,
    prefetch,
    pressure,
    to_a_page,
)

FOLDER = Path(__file__).parent / "golden" / "cds_hooks"
WRITE = os.environ.get("CDSS_WRITE_GOLDEN") == "1"

URGENT = [*chart(), pressure(212, 124, "2026-11-23"), condition("E11.9"), condition("I63.9")]
RAISED = [*chart(), pressure(156, 96, "2026-11-05"), measured("1558-6", 141, "mg/dL"),
          measured("4548-4", 7.9, "%", "2024-01-01")]  # fmt: skip
CASES = {
    "check-up": ("cdss-all", hook(prefetch(RAISED))),
    "urgent": ("cdss-all", hook(prefetch(URGENT))),
    "diabetes": ("cdss-diabetes", hook(prefetch(chart()))),
    "nothing-known": ("cdss-all", hook(prefetch([patient()]))),
    "not-sent": ("cdss-all", hook({"patient": patient()})),
    "broken": ("cdss-all", {"hook": "order-sign", "context": {"userId": "Nobody"}}),
}


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with client(models=published_models(), link=to_a_page) as one:
        yield one


def same(expected: Any, found: Any) -> Any:
    """The same, numbers to the accuracy that every machine has."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and list(expected) == list(found) and all(
            same(expected[key], found[key]) for key in expected
        )  # fmt: skip
    if isinstance(expected, list):
        return isinstance(found, list) and len(expected) == len(found) and all(
            map(same, expected, found)
        )  # fmt: skip
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-6)
    return expected == found


def check(name: str, found: Any) -> None:
    """Compare with a file, or write it."""
    file = FOLDER / f"{name}.json"
    if WRITE:
        FOLDER.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert same(json.loads(file.read_text(encoding="utf-8")), found), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_discovery(service: TestClient, lang: str) -> None:
    answer = service.get("/cds-services", headers={"accept-language": lang})

    check(f"discovery.{lang}", answer.json())


@pytest.mark.parametrize("case", CASES)
def test_an_answer(service: TestClient, case: str) -> None:
    id, request = CASES[case]
    check(f"{case}.request", request)
    for lang in LANGUAGES:
        answer = service.post(
            f"/cds-services/{id}", json=request, headers={"accept-language": lang}
        )
        check(f"{case}.{lang}", {"status": answer.status_code, "body": answer.json()})
