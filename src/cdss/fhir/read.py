"""
From FHIR R4 to one record: lenient, resource by resource.

What cannot be used is reported with its place and costs nothing else. Only a document without
anything about one patient gives no record. Resources are read as they are, without validating the
document: public data that no validator accepts still holds readings that can be relied on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from cdss.errors import Problem
from cdss.fhir.conditions import conditions
from cdss.fhir.medications import medications
from cdss.fhir.notes import Notes
from cdss.fhir.observations import observations
from cdss.fhir.person import Person, describe, find_person
from cdss.fhir.relatives import relatives
from cdss.fhir.resources import Resource, Resources, gather
from cdss.reading import Reading, compose


def read(document: Any, index_date: date, *, patient: str | None = None) -> Reading:
    """
    Read what a document says about one patient.

    Parameters
    ----------
    document : object
        Decoded JSON: a Bundle of any type, a single resource, or a list of either, as the values of
        a CDS Hooks prefetch are (null is a query without an answer).
    index_date : datetime.date
        The day for which everything is computed; what is later is not used.
    patient : str, optional
        Id of, or reference to, the patient; needed if the document holds several.

    Returns
    -------
    Reading
        The record, what it was made of, and what was not used and why. ``params["at"]`` of a
        problem is ``Observation/42``, or ``entry/17`` for what has no id. Without a record if
        nothing can be used, if it is not clear who is meant, or if the patient is a child or dead.

    Notes
    -----
    Nothing that JSON can hold makes it raise. The day of a dateTime is the one written, whatever
    its zone.

    Examples
    --------
    >>> systolic = {"resourceType": "Observation", "id": "1", "status": "final",
    ...     "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    ...     "subject": {"reference": "Patient/7"}, "effectiveDateTime": "2026-11-20",
    ...     "valueQuantity": {"value": 18, "unit": "kPa"}}
    >>> person = {"resourceType": "Patient", "id": "7", "gender": "female", "birthDate": "1970-03"}
    >>> reading = read([person, systolic], date(2026, 11, 24))
    >>> {name: round(value) for name, value in reading.record.values.items() if name != "sex"}
    {'age': 56, 'systolic_bp': 135}
    >>> reading.basis[-1].at
    'Observation/1'
    """
    resources = gather(document)
    notes = Notes(problems=resources.problems)
    person = find_person(resources, patient)
    if isinstance(person, Problem):
        return Reading(None, (), (*notes.problems, person))
    if not describe(person, index_date, notes):
        return Reading(None, (), tuple(notes.problems))
    own = partial(_own, resources, person, notes)
    observations(own("Observation"), index_date, notes)
    diagnosed = conditions(own("Condition"), index_date, person.birth, notes)
    named = {name: one for one in resources.every("Medication", "Condition") for name in one.names}
    taken = own("MedicationStatement", "MedicationRequest")
    medications(taken, named, diagnosed, index_date, notes)
    relatives(own("FamilyMemberHistory"), index_date, notes)
    reading = compose(index_date, notes.found, notes.problems)
    return replace(reading, problems=(*reading.problems, *notes.told(reading.basis)))


def _own(resources: Resources, person: Person, notes: Notes, *kinds: str) -> list[Resource]:
    """Resources about the person; of others' it is said that they are not used."""
    own: list[Resource] = []
    others: list[str] = []
    for one in resources.every(*kinds):
        if person.owns(one):
            own.append(one)
        else:
            others.append(one.at)
    if others:
        detail = f"{len(others)} are about somebody or something other than the patient: not used"
        params = {"count": len(others), "at": others[0], "places": tuple(others)}
        notes.problems.append(Problem("other_patient", "document", detail, params))
    return own
