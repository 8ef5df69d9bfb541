"""Why an estimate is as it is: what can be changed, what cannot, and what is unknown."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from markupsafe import Markup

from cdss.estimate import Contribution, RiskEstimate
from cdss.i18n import Words
from cdss.i18n.contributions import Row, percentage_points
from cdss.variables import VARIABLES
from serving.page.drawing import bar

_SMALL = 0.05  # of the largest contribution: told with the others


class Reason(NamedTuple):
    """
    What one input, or several together, add.

    Attributes
    ----------
    label, value : str
        What it is, and the patient's value with its unit.
    said : str
        What it adds, in words.
    picture : Markup
        The same as a bar.
    points : float
        The same as a number, in risk.
    """

    label: str
    value: str
    said: str
    picture: Markup
    points: float


class Group(NamedTuple):
    """Reasons of one kind, the largest first."""

    id: str
    title: str
    reasons: tuple[Reason, ...]


def reasons(estimate: RiskEstimate, derived: Set[str], text: Words) -> tuple[Group, ...]:
    """
    Say why an estimate is as it is.

    Parameters
    ----------
    estimate : RiskEstimate
        With its contributions.
    derived : set of str
        Variables that were computed from others; their labels have an asterisk.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Group
        What can be changed, what cannot, and what is unknown; none that is empty. All that they
        say adds up to the difference from the baseline.
    """
    known = [c for c in estimate.contributions if c.value is not None]
    unknown = [c for c in estimate.contributions if c.value is None]
    largest = max((abs(c.risk_points) for c in estimate.contributions), default=0.0)
    rows = {
        "modifiable": _rows(
            [c for c in known if VARIABLES[c.variable].modifiable], largest, derived, text
        ),
        "fixed": _rows(
            [c for c in known if not VARIABLES[c.variable].modifiable], largest, derived, text
        ),
        "unknown": _together(unknown, text) if unknown else [],
    }
    every = [row for group in rows.values() for row in group]
    said = dict(zip(map(id, every), percentage_points(every, text), strict=True))
    scale = max((abs(row.risk_points) for row in every), default=0.0) or 1.0
    return tuple(
        Group(
            key,
            text(f"page.reasons.{key}"),
            tuple(
                Reason(row.label, row.value, _sentence(said[id(row)], text),
                       bar(row.risk_points / scale), row.risk_points)
                for row in group
            ),
        )
        for key, group in rows.items()
        if group
    )  # fmt: skip


def _rows(known: list[Contribution], largest: float, derived: Set[str], text: Words) -> list[Row]:
    ordered = sorted(known, key=lambda c: -abs(c.risk_points))
    told = [c for c in ordered if abs(c.risk_points) >= _SMALL * largest]
    if len(told) == len(ordered) - 1:
        told = ordered  # a single one needs no collective name
    rows = [
        Row(
            text.label(c.variable) + " *" * (c.variable in derived),
            text.quantity(c.variable, c.value),
            c.risk_points,
        )
        for c in told
    ]
    if rest := ordered[len(told) :]:
        total = sum(c.risk_points for c in rest)
        rows.append(Row(text("report.others", count=len(rest)), "", total))
    return rows


def _together(unknown: list[Contribution], text: Words) -> list[Row]:
    """Unknown values: one by one they tell how values go missing together."""
    if len(unknown) == 1:
        label = text.label(unknown[0].variable)
    else:
        label = text("report.unknown_values", count=len(unknown))
    return [Row(label, "", sum(c.risk_points for c in unknown))]


def _sentence(points: str, text: Words) -> str:
    """``+1.2`` as "1.2 points higher"."""
    sign, amount = points[0], points[1:]
    if not amount.strip("0.,"):
        return text("page.reasons.same")
    return text("page.reasons.lower" if sign == "−" else "page.reasons.higher", points=amount)
