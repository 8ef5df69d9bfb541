"""How a language says what each input adds to the risk."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from cdss.estimate import RiskEstimate
from cdss.i18n.text import Words

_MOST = 8
"""Contributions told one by one."""

_SMALL = 0.05
"""Share of the largest contribution below which one is told with the others."""


class Row(NamedTuple):
    """
    What one input, or several together, add.

    Attributes
    ----------
    label : str
        Name of the input, or what those are that are told together.
    value : str
        The patient's value with its unit; empty for several together.
    risk_points : float
        Share of the difference from the baseline, 0-1 scale.
    """

    label: str
    value: str
    risk_points: float


def contribution_rows(estimate: RiskEstimate, derived: Set[str], text: Words) -> list[Row]:
    """
    Say what the inputs add, the largest first.

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
    list of Row
        Small ones are told together, and so are unknown values.
    """
    known = [
        Row(
            text.label(c.variable) + " *" * (c.variable in derived),
            text.quantity(c.variable, c.value),
            c.risk_points,
        )
        for c in estimate.contributions
        if c.value is not None
    ]
    # One by one they tell how values go missing together, which is nothing about the patient.
    unknown = [c for c in estimate.contributions if c.value is None]
    if len(unknown) == 1:
        label = text.label(unknown[0].variable)
        known.append(Row(label, text.quantity(unknown[0].variable, None), unknown[0].risk_points))
    elif unknown:
        total = sum(c.risk_points for c in unknown)
        known.append(Row(text("report.unknown_values", count=len(unknown)), "", total))
    rows = sorted(known, key=lambda row: -abs(row.risk_points))
    shown = [r for r in rows[:_MOST] if abs(r.risk_points) >= _SMALL * abs(rows[0].risk_points)]
    if len(shown) < len(rows) - 1:  # a single one needs no collective name
        others = rows[len(shown) :]
        total = sum(row.risk_points for row in others)
        return [*shown, Row(text("report.others", count=len(others)), "", total)]
    return rows


def percentage_points(rows: list[Row], text: Words) -> list[str]:
    """
    Write what rows add in percentage points, all to as many decimals.

    Parameters
    ----------
    rows : list of Row
        What is told.
    text : Words
        Words of a language.

    Returns
    -------
    list of str
        For example ``"+1.2"`` and ``"−0.4"``.
    """
    scale = max((abs(row.risk_points) for row in rows), default=0.0)
    decimals = 1 if 100 * scale >= 1 else 2
    said = []
    for row in rows:
        points = 100 * row.risk_points
        sign = "−" if round(points, decimals) < 0 else "+"
        said.append(sign + text.number(abs(points), decimals))
    return said
