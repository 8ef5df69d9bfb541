"""Bands of a risk that a guideline in force prints, and what belongs to each."""

from __future__ import annotations

from typing import NamedTuple

from cdss.bands import band
from cdss.estimate import PointsTotal
from cdss.guideline import Guideline
from cdss.i18n import Words
from cdss.i18n.guidance import cited, rule_text
from cdss.jurisdiction import Jurisdiction
from serving.page.facts import FACTS


class Band(NamedTuple):
    """
    One band.

    Attributes
    ----------
    id : str
        Its name, a key of the translations.
    low, high : float
        Where it starts and ends, 0-1; the last ends at 1.
    label, short : str
        In words, with and without its limits.
    action : str
        What belongs to it.
    source : str
        Who says so, with the page.
    """

    id: str
    low: float
    high: float
    label: str
    short: str
    action: str
    source: str


def bands_of(question: str | None, place: Jurisdiction | None, text: Words) -> tuple[Band, ...]:
    """
    List the bands in which the answer to a question lies.

    Parameters
    ----------
    question : str or None
        Its id.
    place : Jurisdiction or None
        Whose guidelines are in force.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Band
        Ascending; none unless a document in force prints them for this risk.
    """
    if place is None or question is None:
        return ()
    documents = {guideline.key: guideline for guideline in place.guidelines}
    for table in FACTS["bands"]:
        guideline = documents.get(table["guideline"])
        if guideline and place.risks.get(table["risk"]) == question:
            return _bands(table["names"], table["rules"], guideline, text)
    return ()


def _bands(names: list[str], ids: list[str], guideline: Guideline, text: Words) -> tuple[Band, ...]:
    rules = {rule.id: rule for rule in guideline.rules}
    if not rules.keys() >= set(ids):
        return ()  # a jurisdiction that does not use the actions does not use the bands
    ends = [0.0, *(guideline.parameters[name].canonical for name in names[1:]), 1.0]
    return tuple(
        Band(
            name, low, high, text(f"band.{name}"), text(f"hooks.band.{name}"),
            rule_text(rules[rule], guideline, text), cited(rules[rule].source),
        )
        for name, rule, low, high in zip(names, ids, ends, ends[1:], strict=False)
    )  # fmt: skip


def band_of(probability: float, bands: tuple[Band, ...]) -> Band | None:
    """
    Pick the band of a probability.

    Parameters
    ----------
    probability : float
        0-1.
    bands : tuple of Band
        Ascending.

    Returns
    -------
    Band or None
        None if there are no bands.
    """
    return bands[band(probability, [b.low for b in bands[1:]])] if bands else None


def cut(answer: PointsTotal, text: Words) -> tuple[Band, ...]:
    """
    Make the two bands of a points score.

    Parameters
    ----------
    answer : PointsTotal
        With its cut-off.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Band
        Below the cut-off, and from it on.
    """
    at, most = float(answer.cut_off), float(answer.most)
    return (
        Band("below", 0.0, at, "", text("page.below"), "", ""),
        Band("above", at, most, "", text("page.above"), "", ""),
    )
