"""
What a hospital system waits for: a CDS Hooks call and $assess, each as it would be in service.

The server verifies a signed token or a key, reads FHIR, asks every model a site asks, and records
the assessment on disk before it answers; beside it stands the same server's empty route, and what
`fhir.resources` takes only to validate the same bundle, if it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table

from cdss.fhir.read import read
from serving.apikeys import new_key
from serving.benchmarks.process import served

HOOK_MS, ASSESS_MS, FASTER = 10.0, 15.0, 10.0
ROUNDS = 400
_URL = "https://cdss.example.org"
_EMR = "https://emr.example.org"
_DAY = date(2026, 11, 20)
_LOINC = (
    ("8302-2", 155, "cm"), ("29463-7", 66, "kg"), ("14647-2", 5.9, "mmol/L"),
    ("14646-4", 1.1, "mmol/L"), ("14927-8", 2.1, "mmol/L"), ("14771-0", 6.1, "mmol/L"),
    ("4548-4", 5.9, "%"), ("14682-9", 68, "umol/L"), ("8867-4", 78, "/min"),
)  # fmt: skip


def main() -> None:
    """Measure, print, and end with 1 if a target is missed."""
    key = ECKey.generate_key("P-384", {"kid": "emr", "use": "sig"})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings, api_key = _site(folder, key)
        with served([sys.executable, "-m", "serving", "--port", "0"], settings) as server:
            connection = HTTPConnection("127.0.0.1", server.port)
            held = {"authorization": f"Bearer {api_key}"}
            hook, bundle = json.dumps(_call(50)).encode(), json.dumps(_bundle(118)).encode()
            found = {
                "empty route, API key": _measure(connection, "/empty", b"{}", lambda: held),
                "CDS Hooks, 50 entries, ES384, audit": _measure(
                    connection, "/cds-services/cdss-all", hook, lambda: _token(key)
                ),
                "$assess, 118 entries, API key, audit": _measure(
                    connection, "/fhir/$assess?indexDate=2026-11-24", bundle, lambda: held
                ),
            }
            inside = _inside(server.log)
    ours, theirs = _reading(_bundle(50))
    sys.exit(_show(found, inside, ours, theirs))


def _inside(log: Path) -> dict[str, float]:
    """Milliseconds of each route by the server's own clock, the median; in the last requests."""
    took: dict[str, list[float]] = {}
    for line in log.read_text().splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("event") == "request":
            took.setdefault(said["route"], []).append(said["duration_ms"])
    return {route: statistics.median(each[-ROUNDS:]) for route, each in took.items()}


def _site(folder: Path, key: ECKey) -> tuple[dict[str, str], str]:
    """An EMR with its key, and a program with an API key."""
    keys = {"keys": [key.as_dict(private=False)]}
    (folder / "emr.json").write_text(json.dumps(keys))
    api_key, table = new_key("bench", ["fhir", "read"], date(2099, 12, 31))
    file = folder / "clients.toml"
    file.write_text(f'[[cds_hooks]]\niss = "{_EMR}"\njwks = "emr.json"\n\n{table}')
    settings = {
        "CDSS_CLIENTS": str(file), "CDSS_URL": _URL, "CDSS_RATE": "off", "CDSS_BENCH": "1",
        "CDSS_AUDIT": str(folder / "audit.db"),
    }  # fmt: skip
    return settings, api_key


def _token(key: ECKey) -> dict[str, str]:
    now = int(time.time())
    claims = {
        "iss": _EMR, "aud": f"{_URL}/cds-services/cdss-all", "iat": now, "exp": now + 300,
        "jti": str(uuid4()),
    }  # fmt: skip
    header = {"alg": "ES384", "typ": "JWT", "kid": "emr"}
    return {"authorization": f"Bearer {jwt.encode(header, claims, key, algorithms=['ES384'])}"}


def _measure(
    connection: HTTPConnection, path: str, body: bytes, headers: Callable[[], dict[str, str]]
) -> list[float]:
    """Milliseconds of each request, one after the other on one connection."""
    took = []
    for turn in range(ROUNDS + 20):
        sent = headers() | {"content-type": "application/json"}
        start = time.perf_counter()
        connection.request("POST", path, body, sent)
        answer = connection.getresponse()
        told = answer.read()
        if turn >= 20:
            took.append(1000 * (time.perf_counter() - start))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {told[:300]!r}")
    return took


def _reading(bundle: dict[str, Any]) -> tuple[float, float | None]:
    """Milliseconds to read a bundle, and for the other library to validate it."""
    text = json.dumps(bundle)
    ours = _median(lambda: read(json.loads(text), date(2026, 11, 24)))
    if importlib.util.find_spec("fhir") is None:
        return ours, None
    from fhir.resources.R4B.bundle import Bundle

    return ours, _median(lambda: Bundle.model_validate_json(text))


def _median(do: Callable[[], Any], times: int = 30) -> float:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        do()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took[3:])


def _resources(count: int) -> list[dict[str, Any]]:
    """A patient and measurements, newest first, pressures among them."""
    made: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1972-03-04"}
    ]
    for at in range(count - 1):
        day = (_DAY - timedelta(days=7 * (at // 10))).isoformat()
        about = {
            "resourceType": "Observation", "id": f"o{at}", "status": "final",
            "subject": {"reference": "Patient/p"}, "effectiveDateTime": day,
        }  # fmt: skip
        if at % 10 == 9:
            parts = [("8480-6", 142), ("8462-4", 88)]
            made.append(about | {"code": _coded("85354-9"), "component": [
                {"code": _coded(code), "valueQuantity": _quantity(value, "mm[Hg]")}
                for code, value in parts
            ]})  # fmt: skip
        else:
            code, value, unit = _LOINC[at % 10]
            made.append(about | {"code": _coded(code), "valueQuantity": _quantity(value, unit)})
    return made


def _coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _bundle(count: int) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in _resources(count)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _call(count: int) -> dict[str, Any]:
    """A call whose prefetch holds so many resources."""
    patient, *rest = _resources(count)
    measured = {"resourceType": "Bundle", "type": "searchset",
                "entry": [{"resource": r} for r in rest]}  # fmt: skip
    return {
        "hook": "patient-view", "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": {"patient": patient, "measurements": measured},
    }  # fmt: skip


def _show(
    found: dict[str, list[float]], inside: dict[str, float], ours: float, theirs: float | None
) -> int:
    table = Table("one connection", "p50 ms", "p99 ms", "of the empty route")
    empty = statistics.median(found["empty route, API key"])
    for name, took in found.items():
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        table.add_row(name, f"{p50:.2f}", f"{p99:.2f}", f"{p50 / empty:.1f}x")
    console = Console()
    console.print(table)
    checks = [
        ("CDS Hooks, server's p50", inside["/cds-services/{id}"], HOOK_MS),
        ("$assess, server's p50", inside["/fhir/$assess"], ASSESS_MS),
    ]
    missed = [name for name, value, most in checks if value > most]
    for name, value, most in checks:
        said = "MISSED" if name in missed else "met"
        console.print(f"{name}: {value:.2f} ms, at most {most:g}: {said}")
    if theirs is None:
        console.print(f"reading 50 entries: {ours:.2f} ms; fhir.resources is not installed")
    else:
        said = "met" if theirs / ours >= FASTER else "MISSED"
        console.print(f"reading 50 entries: {ours:.2f} ms, fhir.resources R4B {theirs:.2f} ms: "
                      f"{theirs / ours:.0f}x, at least {FASTER:g}: {said}")  # fmt: skip
        missed += ["reading"] if said == "MISSED" else []
    return 1 if missed else 0


if __name__ == "__main__":
    main()
