"""A file that was dropped on the page: FHIR in JSON, or a check-up envelope in XML."""

from __future__ import annotations

from datetime import date

from cdss.checkup.read import CheckUp, read_envelope
from cdss.errors import Problem
from cdss.fhir.read import read
from cdss.reading import Reading
from serving.body import decode
from serving.problems import RequestError


def read_document(data: bytes, index_date: date, who: str = "") -> Reading:
    """
    Read a file.

    Parameters
    ----------
    data : bytes
        As dropped; what it is, its first character tells.
    index_date : datetime.date
        The day for which FHIR is read; a check-up is read for its own day.
    who : str
        Of several people, whom: the patient's id in FHIR, the position in an envelope.

    Returns
    -------
    Reading
        Never an error: what cannot be used is told in its problems.
    """
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        return _check_up(data, who)
    try:
        document = decode(data.removeprefix(b"\xef\xbb\xbf"))
    except RequestError:
        return _nothing(Problem("unreadable_file", "document", "cannot be read"))
    return read(document, index_date, patient=who or None)


def _check_up(data: bytes, who: str) -> Reading:
    envelope = read_envelope(data)
    person = _person(envelope.people, who)
    if person is not None:
        reading = person.reading
        return Reading(reading.record, reading.basis, (*envelope.problems, *reading.problems))
    if len(envelope.people) > 1:
        several = Problem("several_patients", "document", "holds several patients: say which one")
        return _nothing(*envelope.problems, several)
    return _nothing(*envelope.problems)


def _person(people: tuple[CheckUp, ...], who: str) -> CheckUp | None:
    if len(people) == 1:
        return people[0]
    if who.isdecimal() and 1 <= int(who[:6]) <= len(people):
        return people[int(who[:6]) - 1]
    return next((each for each in people if who and each.row == who), None)


def _nothing(*problems: Problem) -> Reading:
    return Reading(None, (), problems)
