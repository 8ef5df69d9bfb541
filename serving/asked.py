"""What a request asks for besides its patient: language, jurisdiction, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cdss import Jurisdiction, Model, UnknownModel
from cdss.errors import Problem
from cdss.i18n import LANGUAGES
from cdss.jurisdiction import JURISDICTIONS, load_jurisdiction, select

NO_JURISDICTION = "none"
"""Asked for instead of a jurisdiction: no advice, and no preference among models."""


class Asked(NamedTuple):
    """What a request asks for."""

    lang: str
    place: Jurisdiction | None
    models: tuple[Model, ...]
    chosen: bool


def choose(
    given: Mapping[str, str],
    loaded: Sequence[Model],
    place: Jurisdiction | None,
    lang: str,
    problems: list[Problem],
) -> Asked:
    """
    Make out what a request asks for.

    Parameters
    ----------
    given : mapping of str to str
        ``lang``, ``jurisdiction`` and ``models``, as far as they were given.
    loaded : sequence of RiskModel or PointsScore
        Models served.
    place : Jurisdiction or None
        Whose guidelines are in force unless the request names others.
    lang : str
        Language unless the request names another.
    problems : list of Problem
        What is wrong is added; what is asked then is of no use.

    Returns
    -------
    Asked
        What the request asks for.
    """
    lang = given.get("lang", lang)
    if lang not in LANGUAGES:
        problems.append(
            Problem("unknown_language", "lang", f"must be one of {', '.join(LANGUAGES)}")
        )
    named = given.get("jurisdiction")
    if named is not None:
        if named in JURISDICTIONS:
            place = load_jurisdiction(named)
        elif named == NO_JURISDICTION:
            place = None
        else:
            known = ", ".join((*JURISDICTIONS, NO_JURISDICTION))
            problems.append(
                Problem("unknown_jurisdiction", "jurisdiction", f"must be one of {known}")
            )
    ids = given["models"].split(",") if "models" in given else None
    models: tuple[Model, ...] = ()
    try:
        models = select(loaded, place, ids, demonstrations=True)
    except UnknownModel:
        known = ", ".join(("all", *(model.id for model in loaded)))
        problems.append(
            Problem("unknown_model", "models", f"must be some of {known}, comma-separated")
        )
    return Asked(lang, place, models, ids is None)
