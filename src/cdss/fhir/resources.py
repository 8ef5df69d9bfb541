"""From a document to its resources: which there are, where they stood, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cdss.errors import Problem
from cdss.fhir.values import entries, objects, text

KINDS = frozenset({
    "Patient", "Observation", "Condition", "MedicationStatement", "MedicationRequest", "Medication",
    "FamilyMemberHistory",
})  # fmt: skip
"""Resources that are read."""

_DEEPEST = 5  # Bundles within Bundles
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Resource(NamedTuple):
    """
    One resource.

    Attributes
    ----------
    kind : str
        Its type.
    body : mapping
        Its content.
    at : str
        How to find it: ``Observation/42``, or ``entry/17`` if it has no id.
    url : str
        ``fullUrl`` of its entry; may be empty.
    """

    kind: str
    body: Mapping[str, Any]
    at: str
    url: str

    @property
    def names(self) -> tuple[str, ...]:
        """
        What a reference to it may say.

        Returns
        -------
        tuple of str
            Empty if it has neither id nor address.
        """
        id = text(self.body.get("id"))
        own = (f"{self.kind}/{id}", f"urn:uuid:{id}") if id else ()
        return (*own, self.url) if self.url else own


@dataclass(slots=True)
class Resources:
    """
    The resources of a document.

    Parameters
    ----------
    of : dict of str to list of Resource
        By type.
    problems : list of Problem
        What is not a resource, and what the sender could not send.
    """

    of: dict[str, list[Resource]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)

    def every(self, *kinds: str) -> Iterator[Resource]:
        """
        Resources of some types.

        Parameters
        ----------
        *kinds : str
            Types.

        Yields
        ------
        Resource
            In the order of the document.
        """
        for kind in kinds:
            yield from self.of[kind]


def gather(document: Any) -> Resources:
    """
    Take a document apart.

    Parameters
    ----------
    document : object
        Decoded JSON: a Bundle of any type, one resource, or a list of either; null in a list is
        a query without an answer.

    Returns
    -------
    Resources
        Each resource once: of two with one type and id, the one updated last.
    """
    found = Resources()
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    waiting: list[tuple[Any, str, str, int]] = [(document, "", "", 0)]
    while waiting:
        value, path, url, depth = waiting.pop()
        if value is None and path:
            continue
        if isinstance(value, list) and depth <= _DEEPEST:
            items = [(v, f"{path}entry/{i}/", "", depth + 1) for i, v in enumerate(value)]
            waiting += reversed(items)
            continue
        kind = text(entries(value).get("resourceType"))
        if kind == "Bundle" and depth <= _DEEPEST:
            waiting += reversed(list(_opened(value, path, depth, found.problems)))
        elif kind == "OperationOutcome":
            found.problems += _refusal(value, path)
        elif kind in KINDS:
            _keep(Resource(kind, value, _place(kind, value, path), url), seen, found)
        elif not kind or kind == "Bundle":
            detail = "is not a FHIR resource: not used"
            found.problems.append(Problem("not_a_resource", "document", detail, _at(path)))
    return found


def _opened(
    bundle: Mapping[str, Any], path: str, depth: int, said: list[Problem]
) -> Iterator[tuple[Any, str, str, int]]:
    """Resources of a Bundle; whether that is all of them is said."""
    listed = bundle.get("entry")
    listed = listed if isinstance(listed, list) else [] if listed is None else [listed]
    total = bundle.get("total")
    more = any(link.get("relation") == "next" for link in objects(bundle.get("link")))
    if more or (type(total) is int and total > len(listed) and bundle.get("type") == "searchset"):
        detail = "has further pages that were not sent: data may be missing"
        said.append(Problem("paged", "document", detail, _at(path)))
    for i, entry in enumerate(listed):
        place = f"{path}entry/{i}/"
        if not isinstance(entry, dict):
            yield entry if entry is not None else "", place, "", depth + 1
            continue
        url = text(entry.get("fullUrl"))
        if "request" in entry and entries(entry["request"]).get("method") == "DELETE":
            continue
        if "resource" in entry:
            yield entry["resource"], place, url, depth + 1
        if "response" in entry and (outcome := entries(entry["response"]).get("outcome")):
            yield outcome, place, "", depth + 1


def _keep(one: Resource, seen: dict[tuple[str, str], tuple[str, int]], found: Resources) -> None:
    """Keep a resource, unless a newer version of it is kept; in place of an older one."""
    id = text(one.body.get("id"))
    kept = found.of[one.kind]
    updated = text(entries(one.body.get("meta")).get("lastUpdated"))
    key = (one.kind, id)
    if id and key in seen:
        before, at = seen[key]
        # Public data has different Observations under one id: only versions say which is meant.
        versions = (before and updated) or one.kind == "Patient"
        if versions and not _elsewhere(kept[at].url, one.url):
            if updated > before:
                kept[at] = one
                seen[key] = (updated, at)
            return
    seen[key] = (updated, len(kept))
    kept.append(one)


def _elsewhere(one: str, other: str) -> bool:
    """Whether two addresses are of different servers' resources that happen to have one id."""
    return one.startswith("http") and other.startswith("http") and one != other


def _refusal(outcome: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What the sender could not do; pure information is none."""
    severities = [issue.get("severity") for issue in objects(outcome.get("issue"))]
    if not severities or any(severity != "information" for severity in severities):
        detail = "comes with an error or a warning of the sender: data may be missing"
        yield Problem("sender_error", "document", detail, _at(path))


def _place(kind: str, body: Mapping[str, Any], path: str) -> str:
    """Type and id; where it stood if it has no id that FHIR allows."""
    id = body.get("id")
    if isinstance(id, str) and _ID.fullmatch(id):
        return f"{kind}/{id}"
    return path.rstrip("/") or kind


def _at(path: str) -> dict[str, str]:
    return {"at": path.rstrip("/") or "document"}
