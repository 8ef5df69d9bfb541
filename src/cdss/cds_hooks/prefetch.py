"""What a service asks the EMR for, and what of it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any, NamedTuple

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError, Problem
from cdss.fhir.observation_codes import MEANINGS
from cdss.fhir.read import read
from cdss.jurisdiction import Model
from cdss.points import PointsScore
from cdss.reading import Reading
from cdss.record import PatientRecord
from cdss.variables import VARIABLES

_LOINC = "http://loinc.org|"


class Key(NamedTuple):
    """
    One query.

    Attributes
    ----------
    name : str
        Its key in ``prefetch``.
    query : str
        FHIR query with tokens such as ``{{context.patientId}}``.
    variables : frozenset of str
        What cannot be known if nobody answers it.
    newest : bool
        Only the newest are asked for, so that there being more is no loss.
    """

    name: str
    query: str
    variables: frozenset[str]
    newest: bool

    def resolved(self, patient_id: str) -> str:
        """
        Put a patient into the query.

        Parameters
        ----------
        patient_id : str
            Id of a Patient, already validated.

        Returns
        -------
        str
            Relative to the base of a FHIR server.
        """
        return self.query.replace(_PATIENT, patient_id)


_PATIENT = "{{context.patientId}}"


def _keys() -> tuple[Key, ...]:
    found = []
    for row in read_toml(resources.files("cdss.cds_hooks") / "prefetch.toml")["key"]:
        only(row, "prefetch.toml", "name variables", "query count")
        if unknown := set(row["variables"]) - set(VARIABLES):
            raise DefinitionError(f"prefetch.toml: no variable {', '.join(sorted(unknown))}")
        query = row.get("query") or _observations(row["variables"], row["count"])
        found.append(Key(row["name"], query, frozenset(row["variables"]), "query" not in row))
    return tuple(found)


def _observations(variables: Iterable[str], count: int) -> str:
    """Ask for the newest Observations under every LOINC code that is read for some variables."""
    codes = [
        code
        for variable in variables
        for (system, code), meaning in MEANINGS.items()
        if system == "loinc" and meaning.variable == variable and meaning.reads != "not_comparable"
    ]
    listed = ",".join(f"{_LOINC}{code}" for code in dict.fromkeys(codes))
    return f"Observation?patient={_PATIENT}&code={listed}&_sort=-date&_count={count}"


KEYS: tuple[Key, ...] = _keys()
"""All queries, the patient first; every service asks them: advice rests on all of them."""


def unanswered(prefetch: Mapping[str, Any]) -> tuple[Key, ...]:
    """
    Tell which queries nobody answered.

    Parameters
    ----------
    prefetch : mapping
        As the EMR sent it, or with what was fetched in addition.

    Returns
    -------
    tuple of Key
        Those that are missing or failed; null and a search without results are answers.
    """
    return tuple(key for key in KEYS if key.name not in prefetch or not _answer(prefetch[key.name]))


def _answer(value: Any) -> bool:
    """Whether a value answers a query: data, or that there is none; no error."""
    if value is None or isinstance(value, list):
        return True
    if not isinstance(value, Mapping) or not isinstance(value.get("resourceType"), str):
        return False
    if value["resourceType"] == "Bundle" and (found := _resources(value)):
        return any(r.get("resourceType") != "OperationOutcome" or not _failed(r) for r in found)
    return bool(value["resourceType"] != "OperationOutcome")


def _resources(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = bundle.get("entry")
    listed = [e.get("resource") for e in _mappings(entries)]
    return [resource for resource in listed if isinstance(resource, Mapping)]


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _failed(outcome: Mapping[str, Any]) -> bool:
    """Whether an OperationOutcome says more than a hint."""
    severities = {issue.get("severity") for issue in _mappings(outcome.get("issue"))}
    return not severities or bool(severities - {"information", "warning"})


def reading(
    prefetch: Mapping[str, Any],
    index_date: date,
    patient_id: str,
    missing: Sequence[Key] | None = None,
) -> Reading:
    """
    Make a record of what was answered.

    Parameters
    ----------
    prefetch : mapping
        Query → answer. What comes under a key that was not asked for is read too.
    index_date : datetime.date
        The day for which everything is computed.
    patient_id : str
        Id of the patient.
    missing : sequence of Key, optional
        What `unanswered` says of `prefetch`, if it was asked before.

    Returns
    -------
    Reading
        Its problems say as well which queries nobody answered.
    """
    if missing is None:
        missing = unanswered(prefetch)
    newest = {key.name for key in KEYS if key.newest}
    skipped = {key.name for key in missing}
    document = [
        _without_pages(value) if name in newest else value
        for name, value in prefetch.items()
        if name not in skipped and value is not None
    ]
    found = read(document, index_date, patient=f"Patient/{patient_id}")
    return replace(found, problems=(*found.problems, *map(not_sent, missing)))


def _without_pages(value: Any) -> Any:
    """A search for the newest has further pages with what is older; nothing is missing."""
    if isinstance(value, Mapping) and value.get("resourceType") == "Bundle":
        return {k: v for k, v in value.items() if k not in ("link", "total")}
    return value


def not_sent(key: Key) -> Problem:
    """
    Say that nobody answered a query.

    Parameters
    ----------
    key : Key
        The query.

    Returns
    -------
    Problem
        About the key; says what therefore is unknown.
    """
    detail = "was not sent, or is an error, and could not be fetched"
    unknown = tuple(name for name in VARIABLES if name in key.variables)
    return Problem("not_sent", f"prefetch.{key.name}", detail, {"others": unknown})


def unreachable(missing: Sequence[Key], record: PatientRecord | None) -> frozenset[str]:
    """
    Tell what is unknown because nobody answered.

    Parameters
    ----------
    missing : sequence of Key
        Queries that nobody answered.
    record : PatientRecord or None
        What is known.

    Returns
    -------
    frozenset of str
        Variables that no answered query could have told.
    """
    told = _variables(key for key in KEYS if key not in missing)
    known = record.values if record else ()
    return _variables(missing) - told - frozenset(known)


def lacking(
    models: Iterable[Model], missing: Sequence[Key], record: PatientRecord | None
) -> list[Key]:
    """
    Tell which unanswered queries leave a service without what it must have.

    Parameters
    ----------
    models : iterable of RiskModel or PointsScore
        Models of a service.
    missing : sequence of Key
        Queries that nobody answered.
    record : PatientRecord or None
        What is known.

    Returns
    -------
    list of Key
        Empty if at least one model could answer from what was answered, and that is more than who
        the patient is; else what stands in the way of the model that lacks the fewest.
    """
    out_of_reach = unreachable(missing, record)
    recorded = set(record.values) - record.derived if record else set()
    person = KEYS[0]
    if recorded <= person.variables and {*KEYS} - {person} <= {*missing}:
        return list(missing)
    best: list[Key] | None = None
    for model in models:
        needed = _needed(model) & out_of_reach
        keys = [key for key in missing if key.variables & needed]
        best = keys if best is None or len(keys) < len(best) else best
    return best or []


def _variables(keys: Iterable[Key]) -> frozenset[str]:
    return frozenset[str]().union(*(key.variables for key in keys))


def _needed(model: Model) -> set[str]:
    """Inputs without which a model says nothing; a points score, nothing of use."""
    if isinstance(model, PointsScore):
        return {name for name in model.inputs if VARIABLES[name].kind == "quantity"} | {"sex"}
    return set(model.inputs) - set(model.spanned)
