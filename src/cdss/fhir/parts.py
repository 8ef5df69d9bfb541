"""What all resources are made of: codes, names, references, times."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any
from uuid import UUID, uuid5

from cdss.datafile import read_toml

Resource = dict[str, Any]

CODES: Mapping[str, Any] = read_toml(resources.files("cdss.fhir") / "output.toml")
"""Codes with their sources."""

SYSTEM: Mapping[str, str] = CODES["system"]
"""Code systems of cdss."""

LABEL: Mapping[str, str] = CODES["label"]
"""Says that an artificial intelligence, in the widest sense, asserts this."""

_NAMES = UUID("8f6d3a52-5c0e-4a8b-9d0c-2f4f5f1f7c11")  # drawn once, at random
_REFERENCE = re.compile(r"(https?://\S+/)?[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}|urn:(uuid|oid):\S+")


def name(*parts: str) -> str:
    """
    Make the id of a resource: the same of the same parts, on every machine.

    Parameters
    ----------
    *parts : str
        What it is of.

    Returns
    -------
    str
        A UUID.
    """
    return str(uuid5(_NAMES, "\n".join(parts)))


def filled(**members: Any) -> Resource:
    """
    Leave out what is empty: FHIR knows no null, no empty string, list or object.

    Parameters
    ----------
    **members : object
        Members of a resource or element.

    Returns
    -------
    dict
        Those that say something; 0 and false do.
    """
    return {key: member for key, member in members.items() if member or member == 0}


def coding(system: str, code: str, display: str = "", version: str = "") -> Resource:
    """
    Make a Coding.

    Parameters
    ----------
    system, code : str
        Which code of which system.
    display, version : str, optional
        What it is called there, and of which version of the system.

    Returns
    -------
    dict
        Coding.
    """
    return filled(system=system, version=version, code=code, display=display)


def concept(text: str, *codings: Resource) -> Resource:
    """
    Make a CodeableConcept.

    Parameters
    ----------
    text : str
        In words.
    *codings : dict
        In codes.

    Returns
    -------
    dict
        CodeableConcept.
    """
    return filled(coding=list(codings), text=text)


def plain(text: str) -> str:
    """
    Make a text from outside fit for a FHIR string.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    str
        On one line, without control characters, never empty.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "?"


def reference(at: str) -> Resource:
    """
    Refer to what somebody sent.

    Parameters
    ----------
    at : str
        Where it stood, e.g. ``Observation/42``.

    Returns
    -------
    dict
        Reference; of what has no address, only a display.
    """
    return {"reference": at} if _REFERENCE.fullmatch(at) else {"display": plain(at)}


def references(places: Iterable[str]) -> list[Resource]:
    """
    Refer to places, to each once.

    Parameters
    ----------
    places : iterable of str
        Where something stood.

    Returns
    -------
    list of dict
        References in the order of the places.
    """
    return [reference(at) for at in dict.fromkeys(places)]


def own(identity: str) -> Resource:
    """
    Refer to a resource of the same Bundle.

    Parameters
    ----------
    identity : str
        Its id, a UUID.

    Returns
    -------
    dict
        Reference.
    """
    return {"reference": f"urn:uuid:{identity}"}


def instant(moment: datetime) -> str:
    """
    Write a moment.

    Parameters
    ----------
    moment : datetime.datetime
        With a time zone.

    Returns
    -------
    str
        A FHIR instant in UTC, to the millisecond.

    Examples
    --------
    >>> instant(datetime(2026, 11, 22, 8, 30, tzinfo=UTC))
    '2026-11-22T08:30:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def period(day: date, years: float | None) -> Resource:
    """
    Say when what is predicted may happen.

    Parameters
    ----------
    day : datetime.date
        The index date.
    years : float or None
        Horizon, to the nearest month; None means now: the index date itself, because a prediction
        without a time would mean the rest of the patient's life.

    Returns
    -------
    dict
        Period.

    Examples
    --------
    >>> period(date(2024, 2, 29), 10)["end"], period(date(2026, 11, 22), None)["end"]
    ('2034-02-28', '2026-11-22')
    """
    months = day.month - 1 + round(12 * (years or 0))
    year, month = day.year + months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return {"start": day.isoformat(), "end": date(year, month, min(day.day, last)).isoformat()}


def percent(probability: float) -> float:
    """
    Say a probability as R4 does: of 100 (its probabilityDecimal says 12 for 12 %, not 0.12).

    Parameters
    ----------
    probability : float
        0-1.

    Returns
    -------
    float
        0-100, to four decimals: nobody's threshold is crossed by rounding that can be seen.
    """
    return round(100 * probability, 4)
