"""What is told of an answer at a glance, beside the number itself."""

from __future__ import annotations

from typing import NamedTuple

from cdss.cds_hooks.findings import Answer
from cdss.estimate import RiskEstimate, RiskRange
from cdss.i18n import Words
from serving.page.missing import Unknown
from serving.page.reasons import Group, Reason

MOST = 2
"""Inputs named, of those that matter most, and of those that are unknown."""


class Brief(NamedTuple):
    """Which of four things is told, its name, and a few words."""

    id: str
    name: str
    said: str


def brief(
    answer: Answer,
    rows: tuple[tuple[str, str], ...],
    why: tuple[Group, ...],
    lacking: tuple[Unknown, ...],
    others: tuple[tuple[str, str], ...],
    text: Words,
) -> tuple[Brief, ...]:
    """
    Say in a few words what ten seconds are enough for.

    Parameters
    ----------
    answer : RiskEstimate, RiskRange or PointsTotal
        What a model said.
    rows : tuple of (str, str)
        What its picture shows; of an estimate the second is whom the patient is compared with.
    why : tuple of Group
        Reasons.
    lacking : tuple of Unknown
        What knowing more would do, what matters most first.
    others : tuple of (str, str)
        Other models, and what they say.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Brief
        Compared with whom, why, what other models say, what is missing; none that is empty.
    """
    told = []
    if isinstance(answer, RiskEstimate):
        whom, percent = rows[1]
        told.append(Brief("against", text("page.against"), f"{whom} {percent}"))
        if most := strongest(why):
            said = "; ".join(f"{r.label.removesuffix(' *')} {r.said}" for r in most)
            told.append(Brief("why", text("page.why"), said))
    if others:
        said = "; ".join(value for _, value in others)
        told.append(Brief("others", text("page.other_models"), said))
    names = answer.narrowed_by if isinstance(answer, RiskRange) else answer.missing
    if names:
        first = [each.label for each in lacking[:MOST]] or [text.label(n) for n in names[:MOST]]
        labels = ", ".join(first) + ("…" if len(names) > len(first) else "")
        told.append(Brief("lacking", text("page.lacking", count=len(names)), labels))
    return tuple(told)


def strongest(groups: tuple[Group, ...], most: int = MOST) -> tuple[Reason, ...]:
    """
    Choose the known inputs that matter most, to be told at a glance.

    Parameters
    ----------
    groups : tuple of Group
        Reasons.
    most : int
        How many.

    Returns
    -------
    tuple of Reason
        The largest first; none that stands for several inputs, or makes no difference to be told.
    """
    single = [r for group in groups for r in group.reasons if r.value and r.picture]
    return tuple(sorted(single, key=lambda r: -abs(r.points))[:most])
