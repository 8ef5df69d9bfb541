"""Which services there are: one for all diseases, and one for each that a model answers about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, NamedTuple

from cdss.cds_hooks.prefetch import KEYS
from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from cdss.i18n import Words
from cdss.jurisdiction import Model

FACTS: Mapping[str, Any] = read_toml(resources.files("cdss.cds_hooks") / "hooks.toml")

HOOK = "patient-view"
"""
The one hook. Everything is computed from the whole record of a patient, whose opening this hook
announces; with ``encounter-start`` besides, the same cards would be shown twice.
"""

ALL = "cdss-all"


class Disease(NamedTuple):
    """
    What a card is about.

    Attributes
    ----------
    id : str
        Key of the translations.
    outcomes : frozenset of str
        Outcomes of models that belong to it.
    rules : tuple of str
        How ids of its rules begin.
    also : tuple of str
        How ids of rules begin that are told too where it stands alone.
    """

    id: str
    outcomes: frozenset[str]
    rules: tuple[str, ...]
    also: tuple[str, ...]


class Service(NamedTuple):
    """
    A CDS service.

    Attributes
    ----------
    id : str
        Part of its address.
    models : tuple of RiskModel or PointsScore
        Those of its diseases.
    disease : Disease or None
        None means all.
    """

    id: str
    models: tuple[Model, ...]
    disease: Disease | None


def _diseases() -> tuple[Disease, ...]:
    found = []
    for row in FACTS["disease"]:
        only(row, "hooks.toml", "id outcomes rules also")
        found.append(
            Disease(row["id"], frozenset(row["outcomes"]), tuple(row["rules"]), tuple(row["also"]))
        )
    return tuple(found)


DISEASES: tuple[Disease, ...] = _diseases()
"""In the order in which they are told."""


def services(models: Iterable[Model]) -> dict[str, Service]:
    """
    Make the services over some models.

    Parameters
    ----------
    models : iterable of RiskModel or PointsScore
        Those that answer by default.

    Returns
    -------
    dict of str to Service
        By id; none if there is no model.

    Raises
    ------
    DefinitionError
        If a model's outcome belongs to no disease: nobody would see its answer.
    """
    models = tuple(models)
    known = frozenset[str]().union(*(disease.outcomes for disease in DISEASES))
    if lost := {model.outcome for model in models} - known:
        raise DefinitionError(f"hooks.toml: no disease has {', '.join(sorted(lost))}")
    found = [Service(ALL, models, None)] if models else []
    for disease in DISEASES:
        if own := tuple(m for m in models if m.outcome in disease.outcomes):
            found.append(Service(f"cdss-{disease.id}", own, disease))
    return {service.id: service for service in found}


def discovery(found: Iterable[Service], text: Words) -> dict[str, Any]:
    """
    Answer discovery.

    Parameters
    ----------
    found : iterable of Service
        Services there are.
    text : Words
        Words of a language.

    Returns
    -------
    dict
        Body of the answer; an empty array if there is no service.
    """
    prefetch = {key.name: key.query for key in KEYS}
    return {"services": [_described(service, text) | {"prefetch": prefetch} for service in found]}


def _described(service: Service, text: Words) -> dict[str, Any]:
    if service.disease is None:
        title, about = text("hooks.title_all"), text("hooks.description_all")
    else:
        disease = text(f"disease.{service.disease.id}")
        title = text("hooks.title", disease=disease)
        outcomes = dict.fromkeys(text.outcome(model.outcome) for model in service.models)
        about = text("hooks.description", outcomes="; ".join(outcomes))
    return {
        "hook": HOOK,
        "id": service.id,
        "title": title,
        "description": f"{about} {text('notice.advisory')}",
        "usageRequirements": text("hooks.usage"),
    }
