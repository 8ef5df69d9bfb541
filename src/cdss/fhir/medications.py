"""
MedicationStatements and MedicationRequests: what the person takes.

Only what is active counts, and it says yes: no list of drugs says that somebody takes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from cdss.codes.drugs import DRUGS, Drug
from cdss.codes.table import longest
from cdss.errors import Problem
from cdss.fhir.codes import codings
from cdss.fhir.diagnoses import diagnosis
from cdss.fhir.notes import Notes
from cdss.fhir.resources import Resource
from cdss.fhir.values import Moment, entries, moment, objects, text

_ORDERED = frozenset({
    "order", "original-order", "reflex-order", "filler-order", "instance-order",
})  # fmt: skip

# With one of these, a drug that is mainly given for hypertension may be given for it instead.
_OTHER_REASONS = frozenset({"prior_cvd", "prior_mi", "ckd"})


def medications(
    resources: Iterable[Resource],
    named: Mapping[str, Resource],
    diagnosed: frozenset[str],
    index_date: date,
    notes: Notes,
) -> None:
    """
    Note what the person takes.

    Parameters
    ----------
    resources : iterable of Resource
        The person's MedicationStatements and MedicationRequests.
    named : mapping of str to Resource
        Medications and Conditions of the document, by what a reference may say.
    diagnosed : frozenset of str
        Variables about which the person's diagnoses say something.
    index_date : datetime.date
        What ended before it is not taken any more.
    notes : Notes
        Where it is noted.
    """
    for one in resources:
        known = [d for concept in _concepts(one.body, named) for d in _looked_up(concept)]
        names = frozenset[str]().union(*(d.variables for d in known))
        if not names:
            notes.ignore(one)
            continue
        if not _taken(one, index_date):
            for name in sorted(names):
                detail = "comes from a drug that is not recorded as taken now: not used"
                notes.say(Problem("not_taken", name, detail), one.at)
            continue
        when = _when(one, index_date)
        for name in sorted(names):
            mainly = any(d.mainly for d in known if name in d.variables)
            if name != "bp_treated" or _for_pressure(one, mainly, diagnosed, named, notes):
                notes.find(name, True, one.at, when=when)


def _concepts(body: Mapping[str, Any], named: Mapping[str, Resource]) -> Iterator[Any]:
    """Every concept that names the drug: of the resource, the Medication, its ingredients."""
    yield body.get("medicationCodeableConcept")
    reference = text(entries(body.get("medicationReference")).get("reference"))
    if reference.startswith("#"):
        own = (m for m in objects(body.get("contained")) if m.get("id") == reference[1:])
        medication: Mapping[str, Any] = next(own, {})
    else:
        target = named.get(reference) or named.get("/".join(reference.rsplit("/", 2)[-2:]))
        medication = target.body if target else {}
    yield medication.get("code")
    for ingredient in objects(medication.get("ingredient")):
        yield ingredient.get("itemCodeableConcept")


def _looked_up(concept: Any) -> Iterator[Drug]:
    """What the codings of a concept say."""
    for coding in codings(concept):
        table = DRUGS.get(coding.system, {})
        if coding.system == "atc":
            if (found := longest(table, coding.code)) is not None:
                yield found[0]
        elif (drug := table.get(coding.code)) is not None:
            yield drug


def _taken(one: Resource, index_date: date) -> bool:
    """Whether it is taken at the index date."""
    body = one.body
    if body.get("status") != "active" or body.get("doNotPerform") is True:
        return False
    if one.kind == "MedicationRequest" and text(body.get("intent")) not in _ORDERED:
        return False
    end = moment(entries(body.get("effectivePeriod")).get("end"))
    return end is None or end.last >= index_date


def _when(one: Resource, index_date: date) -> Moment | None:
    """When it was last said that it is taken."""
    body = one.body
    if one.kind == "MedicationRequest":
        return moment(body.get("authoredOn"))
    told = (
        moment(body.get("dateAsserted")),
        moment(body.get("effectiveDateTime")),
        moment(entries(body.get("effectivePeriod")).get("start")),
    )
    days = [when for when in told if when is not None]
    past = [when for when in days if when.first <= index_date]
    return max(past, default=min(days, default=None))


def _for_pressure(
    one: Resource,
    mainly: bool,
    diagnosed: frozenset[str],
    named: Mapping[str, Resource],
    notes: Notes,
) -> bool:
    """Whether a drug that lowers the blood pressure is given for that."""
    reasons = [concept for concept in objects(one.body.get("reasonCode"))]
    for reference in objects(one.body.get("reasonReference")):
        if (target := named.get(text(reference.get("reference")))) is not None:
            reasons.append(entries(target.body.get("code")))
    found = [d for reason in reasons if (d := diagnosis(reason)) is not None]
    if "hypertension" in diagnosed or any("hypertension" in d.values for d in found):
        return True
    if mainly and not reasons and not diagnosed & _OTHER_REASONS:
        detail = "is inferred from a drug mainly given for it; no diagnosis or reason is told"
        notes.warn(Problem("purpose_assumed", "bp_treated", detail, {"at": one.at}))
        return True
    detail = "comes from a drug that lowers it, but nothing says that it is given for that"
    notes.say(Problem("purpose_unknown", "bp_treated", detail), one.at)
    return False
