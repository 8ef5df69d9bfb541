"""The small EMR: its invented patients, and how it answers what a service asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from uuid import uuid4

Resource = dict[str, Any]

NAMES = ("check-up", "smoker", "no-laboratory")
"""The patients; ``sandbox.patient.<name>`` of the translations says who they are."""

HOOK = "patient-view"

_FILES = resources.files("cdss.sandbox") / "patients"
_WRITTEN = date(2026, 11, 20)
_DAY = re.compile(r'"(\d{4}-\d\d-\d\d)"')
_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_USABLE = frozenset({"context.patientId", "context.userId", "context.encounterId"})
_SEARCHED = frozenset({"patient", "subject", "code", "category", "date", "_sort", "_count"})


class Patient(NamedTuple):
    """
    An invented patient on the day the EMR is played.

    Attributes
    ----------
    name : str
        One of `NAMES`; also the id of the Patient.
    record : dict
        As ``/v1/assess`` takes it.
    bundle : dict
        The same as a FHIR Bundle.
    envelope : bytes or None
        The same as a check-up envelope, if there is one.
    """

    name: str
    record: Resource
    bundle: Resource
    envelope: bytes | None

    @property
    def resources(self) -> list[Resource]:
        """
        List the resources of the chart.

        Returns
        -------
        list of dict
            The Patient first.
        """
        return [entry["resource"] for entry in self.bundle["entry"]]


def patients(today: date) -> tuple[Patient, ...]:
    """
    Read the patients, as if their check-up had been some days ago.

    Parameters
    ----------
    today : datetime.date
        When the EMR is played. All days in a chart, that of birth included, move with it: values
        that age would be refused one day, and patients would become older.

    Returns
    -------
    tuple of Patient
        One for each of `NAMES`.
    """
    later = today - _WRITTEN - timedelta(days=4)
    return tuple(
        Patient(
            name, _read(f"{name}.json", later), _read(f"{name}.fhir.json", later), _envelope(name)
        )
        for name in NAMES
    )


def _read(file: str, later: timedelta) -> Resource:
    """Read a chart whose days are all later."""

    def moved(found: re.Match[str]) -> str:
        return f'"{(date.fromisoformat(found[1]) + later).isoformat()}"'

    chart: Resource = json.loads(_DAY.sub(moved, (_FILES / file).read_text(encoding="utf-8")))
    return chart


def _envelope(name: str) -> bytes | None:
    """Read an envelope; it is read for the day that it names itself."""
    file = _FILES / f"{name}.xml"
    return file.read_bytes() if file.is_file() else None


def hook(patient: Patient, queries: Mapping[str, str], **changes: Any) -> Resource:
    """
    Make what the EMR sends when a chart is opened.

    Parameters
    ----------
    patient : Patient
        Whose.
    queries : mapping of str to str
        The prefetch templates of the service.
    **changes
        Members instead of these; None leaves one out.

    Returns
    -------
    dict
        Body of the request.
    """
    said = {
        "hook": HOOK,
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/sandbox", "patientId": patient.name},
        "prefetch": {key: answer(query, patient) for key, query in queries.items()},
    }
    return {key: value for key, value in (said | changes).items() if value is not None}


def unusable(query: str) -> list[str]:
    """
    Say what in a prefetch template a plain EMR could not answer.

    Parameters
    ----------
    query : str
        The template.

    Returns
    -------
    list of str
        Tokens and parameters outside of the subset that CDS Hooks recommends.
    """
    conditions = parse_qsl(query.partition("?")[2])
    found = [f"token {token}" for token in _TOKEN.findall(query) if token not in _USABLE]
    names = {name.partition(":")[0] for name, _ in conditions}
    return found + [f"parameter {name}" for name in sorted(names - _SEARCHED)]


def answer(query: str, patient: Patient) -> Resource | None:
    """
    Answer a prefetch template as a FHIR server would.

    Parameters
    ----------
    query : str
        The template.
    patient : Patient
        Whose chart is open.

    Returns
    -------
    dict or None
        The resource, or a Bundle of those found; None if there is no such resource.
    """
    query = query.replace("{{context.patientId}}", patient.name)
    kind, _, conditions = query.partition("?")
    if "/" in kind:
        named = (r for r in patient.resources if f"{r['resourceType']}/{r['id']}" == kind)
        return next(named, None)
    wanted = dict(parse_qsl(conditions))
    found = [r for r in patient.resources if r["resourceType"] == kind and _coded(r, wanted)]
    found.sort(key=lambda r: str(r.get("effectiveDateTime", "")), reverse=True)
    shown = found[: int(wanted.get("_count", len(found)))]
    entries = [{"resource": r, "search": {"mode": "match"}} for r in shown]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return bundle | ({"entry": entries} if entries else {})


def _coded(resource: Resource, wanted: Mapping[str, str]) -> bool:
    """Whether a resource has one of the codes that are asked for, if any are."""
    codes = wanted.get("code")
    return not codes or bool({*codes.split(",")} & _tokens(resource))


def _tokens(resource: Resource) -> set[str]:
    """The codes of a resource as search writes them, with and without system."""
    codings = resource.get("code", {}).get("coding", [])
    return {f"{c['system']}|{c['code']}" for c in codings} | {str(c["code"]) for c in codings}
