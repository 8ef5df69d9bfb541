"""Whose document it is, and what the Patient resource says: age, sex, whether alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cdss.errors import Problem
from cdss.fhir.notes import Notes
from cdss.fhir.resources import Resource, Resources
from cdss.fhir.values import Moment, approximate, entries, moment, objects, text, years
from cdss.variables import VARIABLES

_SUBJECT = {
    "Observation": "subject", "Condition": "subject", "MedicationStatement": "subject",
    "MedicationRequest": "subject", "FamilyMemberHistory": "patient",
}  # fmt: skip

ADULT = round(VARIABLES["age"].low)
"""Age, years, from which on the models are made."""


@dataclass(frozen=True, slots=True)
class Person:
    """
    The one person a document is read for.

    Parameters
    ----------
    resource : Resource or None
        The Patient resource; None if only data of the person were sent.
    names : frozenset of str
        What a reference to the person may say.
    identifiers : frozenset of tuple of (str, str)
        System and value of the person's identifiers.
    alone : bool
        Nobody else is in the document, so that what names nobody is about this person.
    """

    resource: Resource | None
    names: frozenset[str]
    identifiers: frozenset[tuple[str, str]]
    alone: bool

    @property
    def birth(self) -> Moment | None:
        """
        Date of birth, as far as it is told.

        Returns
        -------
        Moment or None
            None if it is not, or cannot be read.
        """
        return moment(self.resource.body.get("birthDate")) if self.resource else None

    def owns(self, resource: Resource) -> bool:
        """
        Say whether a resource is about this person.

        Parameters
        ----------
        resource : Resource
            Any resource with a subject.

        Returns
        -------
        bool
            False if it is about somebody else or one cannot tell.
        """
        subject = entries(resource.body.get(_SUBJECT[resource.kind]))
        reference = _target(subject)
        if reference:
            return _meant(reference, self.names)
        identifier = _identifier(entries(subject.get("identifier")))
        if identifier is not None:
            return identifier in self.identifiers
        return self.alone


def find_person(resources: Resources, wanted: str | None) -> Person | Problem:
    """
    Find the person, and never mix two.

    Parameters
    ----------
    resources : Resources
        Of the document.
    wanted : str or None
        Id of, or reference to, the person; needed if there are several.

    Returns
    -------
    Person or Problem
        A problem if nobody or nobody in particular is meant.
    """
    patients = resources.of["Patient"]
    if wanted is not None:
        name = wanted if "/" in wanted or ":" in wanted else f"Patient/{wanted}"
        chosen = [p for p in patients if _meant(name, _names(p))]
        if not patients:
            id = name.rsplit("/", 1)[-1]
            names = frozenset({name, f"Patient/{id}", f"urn:uuid:{id}"})
            return Person(None, names, frozenset(), alone=False)
    else:
        chosen = patients
    if len(chosen) > 1:
        return _several()
    if chosen:
        body = chosen[0].body
        known = (_identifier(one) for one in objects(body.get("identifier")))
        identifiers = frozenset(i for i in known if i is not None)
        return Person(chosen[0], _names(chosen[0]), identifiers, alone=len(patients) == 1)
    return _nobody() if patients else _implied(resources)


def _implied(resources: Resources) -> Person | Problem:
    """The one person about whom everything is, without a Patient resource."""
    every = list(resources.every(*_SUBJECT))
    subjects = [entries(r.body.get(_SUBJECT[r.kind])) for r in every]
    names = {_target(s) for s in subjects} - {""}
    identifiers = {_identifier(entries(s.get("identifier"))) for s in subjects if not _target(s)}
    identifiers -= {None}
    if len(names) + len(identifiers) > 1:
        return _several()
    known = frozenset(i for i in identifiers if i is not None)
    return Person(None, frozenset(names), known, alone=True) if every else _nobody()


def describe(person: Person, index_date: date, notes: Notes) -> bool:
    """
    Note age and sex.

    Parameters
    ----------
    person : Person
        The person.
    index_date : datetime.date
        The day for which the age is computed.
    notes : Notes
        Where it is noted.

    Returns
    -------
    bool
        False if nothing is to be computed: the person is a child, or was dead at the index date.
    """
    if person.resource is None:
        return True
    body, at = person.resource.body, person.resource.at
    if _dead(body, index_date):
        detail = "has died: nothing is computed"
        notes.say(Problem("deceased", "patient", detail), at)
        return False
    if (birth := person.birth) is not None:
        age, more = years(birth, Moment(index_date, index_date))
        if 0 <= age < ADULT:
            detail = f"is under {ADULT}: nothing here is made for children"
            notes.say(Problem("child", "age", detail, {"age": ADULT}), at)
            return False
        notes.find("age", age, at)
        if more:
            notes.warn(approximate("age", at))
    elif body.get("birthDate") is not None:
        detail = "must be a calendar date written YYYY-MM-DD"
        notes.say(Problem("wrong_date", "age", detail), at)
    gender = body.get("gender")
    if gender in ("male", "female"):
        notes.find("sex", gender, at)
    elif gender is not None:
        detail = "is told as neither male nor female, which the equations need: not used"
        notes.say(Problem("sex_not_told", "sex", detail), at)
    return True


def _dead(body: Mapping[str, Any], index_date: date) -> bool:
    """Whether the person had died by the index date."""
    when = moment(body.get("deceasedDateTime"))
    if when is not None:
        return when.first <= index_date
    return body.get("deceasedBoolean") is True or isinstance(body.get("deceasedDateTime"), str)


def _names(patient: Resource) -> frozenset[str]:
    tail = _tail(patient.url)
    return frozenset(patient.names) | ({tail} if tail else frozenset())


def _meant(reference: str, names: frozenset[str]) -> bool:
    """Whether a reference is to somebody of these names."""
    if reference in names:
        return True
    # An absolute reference may be to another server, where the same id is somebody else.
    absolute = any(name.startswith("http") for name in names)
    return not absolute and (tail := _tail(reference)) != "" and tail in names


def _target(reference: Mapping[str, Any]) -> str:
    """What a reference refers to, without a version."""
    return text(reference.get("reference")).split("/_history/", 1)[0]


def _tail(url: str) -> str:
    """``Patient/1`` of an address that ends so."""
    head, _, id = url.rpartition("/")
    return f"Patient/{id}" if id and head.endswith("/Patient") else ""


def _identifier(identifier: Mapping[str, Any]) -> tuple[str, str] | None:
    value = text(identifier.get("value"))
    return (text(identifier.get("system")), value) if value else None


def _several() -> Problem:
    detail = "holds several patients: say which one is meant"
    return Problem("several_patients", "patient", detail, {"at": "document"})


def _nobody() -> Problem:
    detail = "is not in the document, nor is anything about the patient"
    return Problem("no_patient", "patient", detail, {"at": "document"})
