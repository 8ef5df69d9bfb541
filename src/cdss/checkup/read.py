"""An envelope's people as records."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date

from cdss.checkup.envelope import Dossier, unpack
from cdss.checkup.fields import measurements, person
from cdss.checkup.history import history
from cdss.checkup.laboratory import laboratory
from cdss.checkup.notes import Notes
from cdss.checkup.numbers import moment
from cdss.checkup.site import Site
from cdss.checkup.words import folded
from cdss.errors import Problem
from cdss.reading import Reading, compose, placed

_OPAQUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CITIZEN = re.compile(r"[0-9]{9}|[0-9]{12}")  # old and new number of the identity card


@dataclass(frozen=True, slots=True)
class CheckUp:
    """
    One person's check-up.

    Parameters
    ----------
    row : str
        Opaque name of it: the code of the visit (MA_LK), or its position if that is missing,
        occurs twice, or could be a citizen's number. Never a name or citizen's number.
    named_by : {"MA_LK", "position"}
        Which of both.
    index_date : datetime.date or None
        The day for which it is read; None if the envelope tells no day of the visit.
    reading : Reading
        The record, what it was made of, and what was not used.
    """

    row: str
    named_by: str
    index_date: date | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    What was made of an envelope.

    Parameters
    ----------
    people : tuple of CheckUp
        Everybody in it, in its order.
    problems : tuple of Problem
        What is wrong with the envelope itself.
    """

    people: tuple[CheckUp, ...]
    problems: tuple[Problem, ...]


_NO_SITE = Site()


def read_envelope(data: bytes, index_date: date | None = None, site: Site = _NO_SITE) -> Envelope:
    """
    Read a health-check envelope.

    Parameters
    ----------
    data : bytes
        The file, signed or not: a signature is not checked.
    index_date : datetime.date, optional
        The day for which to read; by default that of each visit (NGAY_VAO).
    site : Site, optional
        What the site knows of its programs.

    Returns
    -------
    Envelope
        Never an error: what cannot be used is told in problems, of the envelope or of a person.
    """
    dossiers, problems = unpack(data)
    codes = [_visit_code(dossier) for dossier in dossiers]
    times = Counter(codes)
    people = []
    for dossier, code in zip(dossiers, codes, strict=True):
        named = code is not None and times[code] == 1
        on, reading = _read(dossier, index_date, site)
        row = code if named and code else dossier.at
        people.append(CheckUp(row, "MA_LK" if named else "position", on, reading))
    return Envelope(tuple(people), problems)


def _visit_code(dossier: Dossier) -> str | None:
    """MA_LK, if it can be told to anybody."""
    said = dossier.said("MA_LK", "XML2", "XML1")
    if said is None or not _OPAQUE.fullmatch(said[0]) or _CITIZEN.fullmatch(said[0]):
        return None
    citizen, name = (dossier.said(tag, "XML1") for tag in ("SO_CCCD", "HO_TEN"))
    tells = citizen is not None and citizen[0] in said[0]
    tells |= name is not None and _letters(name[0]) in _letters(said[0])
    return None if tells else said[0]


def _letters(text: str) -> str:
    return folded(text).replace(" ", "").replace("_", "")


def _read(dossier: Dossier, index_date: date | None, site: Site) -> tuple[date | None, Reading]:
    problems = list(dossier.problems)
    visits = {part.fields["MA_LK"] for part in dossier.parts.values() if "MA_LK" in part.fields}
    if len(visits) > 1:
        detail = "differs between the parts: they may be of different people, so none is used"
        problems.append(placed(Problem("mixed_visits", "MA_LK", detail), dossier.at))
        return index_date, Reading(None, (), tuple(problems))
    came = dossier.said("NGAY_VAO", "XML2")
    visit = moment(came[0]) if came else None
    if visit is None:
        detail = "must be there, written yyyymmdd or yyyymmddHHMM"
        at = came[1] if came else dossier.at
        problems.append(placed(Problem("wrong_moment", "NGAY_VAO", detail), at))
    on = index_date or (visit.day if visit else None)
    if on is None:
        return None, Reading(None, (), tuple(problems))
    notes = Notes(visit, problems=problems)
    if not person(dossier, on, notes):
        return on, Reading(None, (), tuple(notes.problems))
    measurements(dossier, notes)
    history(dossier, notes, zero_is_no=site.zero_is_no)
    laboratory(dossier, notes, site)
    return on, compose(on, notes.found, notes.problems)
