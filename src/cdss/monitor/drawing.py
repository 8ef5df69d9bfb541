"""Small pictures as SVG; a table beside them says the same."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 180, 44
_BASE = HEIGHT - 2
_LEAST = 1.5  # height of a bar that is not empty


def histogram(title: str, now: Sequence[float], before: Sequence[float]) -> str:
    """
    Draw shares of people in bins, and as a line what they were.

    Parameters
    ----------
    title : str
        What it shows.
    now, before : sequence of float
        Shares of each bin, 0-1; none if there is nothing to compare with.

    Returns
    -------
    str
        An ``svg`` element.
    """
    top = max([*now, *before, 1e-9])
    step = WIDTH / len(now)
    bars = "".join(
        f'<rect class="bar" x="{at * step + 1:.1f}" y="{_BASE - high:.1f}" '
        f'width="{step - 2:.1f}" height="{high:.1f}"/>'
        for at, share in enumerate(now)
        if (high := max(_height(share, top), _LEAST if share else 0.0))
    )
    points = " ".join(
        f"{x:.1f},{_BASE - _height(share, top):.1f}"
        for at, share in enumerate(before)
        for x in (at * step, (at + 1) * step)
    )
    line = f'<polyline class="before" points="{points}"/>' if before else ""
    return _svg(title, bars + line)


def columns(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """
    Draw one column a month.

    Parameters
    ----------
    title : str
        What it shows.
    counts : sequence of (str, int)
        Months and numbers; what may not be shown is 0.

    Returns
    -------
    str
        An ``svg`` element.
    """
    top = max([n for _, n in counts] + [1])
    step = min(WIDTH / len(counts), 24)
    return _svg(
        title,
        "".join(
            f'<rect class="bar" x="{at * step + 1:.1f}" y="{_BASE - _height(n, top):.1f}" '
            f'width="{step - 2:.1f}" height="{_height(n, top):.1f}"><title>{month}</title></rect>'
            for at, (month, n) in enumerate(counts)
        ),
    )


def _height(share: float, top: float) -> float:
    return (HEIGHT - 6) * share / top


def _svg(title: str, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
        f'<title>{escape(title)}</title><path class="axis" d="M0 {_BASE}H{WIDTH}"/>{inner}</svg>'
    )
