"""Places against what is expected of them, and places over time, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from cdss.trends.tiles import svg

_WIDE, _HIGH, _MARGIN = 480, 300, 46


class Dot(NamedTuple):
    """
    A place in a funnel.

    Attributes
    ----------
    name : str
        As the report names it.
    n : float
        People.
    away : float
        How far its share is from what is expected.
    warned : bool
        Whether it is warned of.
    """

    name: str
    n: float
    away: float
    warned: bool


class Point(NamedTuple):
    """
    A value in time.

    Attributes
    ----------
    at : int
        Number of the period.
    value, low, high : float
        With its interval.
    """

    at: int
    value: float
    low: float
    high: float


def funnel_plot(
    dots: Sequence[Dot],
    limit: Callable[[float], float],
    say: Callable[[float], str],
    title: str,
    axes: tuple[str, str],
) -> Markup:
    """
    Draw a funnel.

    Parameters
    ----------
    dots : sequence of Dot
        Places.
    limit : callable
        Of people: how far chance, noise and the usual differences go.
    say : callable
        Writes a difference.
    title : str
        What it shows.
    axes : tuple of (str, str)
        What lies on the horizontal and the vertical axis.

    Returns
    -------
    Markup
        The picture.
    """
    first = math.log(min(dot.n for dot in dots) * 0.8)
    last = math.log(max(dot.n for dot in dots) * 1.25)
    steps = [math.exp(first + (last - first) * at / 40) for at in range(41)]
    top = 1.1 * max([abs(dot.away) for dot in dots] + [limit(steps[len(steps) // 2]), 1e-6])

    def _x(n: float) -> float:
        return _MARGIN + (_WIDE - _MARGIN - 10) * (math.log(n) - first) / (last - first)

    def _y(away: float) -> float:
        return _HIGH / 2 - 6 - (_HIGH - 60) / 2 * max(-1.0, min(1.0, away / top))

    parts = [f'<line class="axis" x1="{_MARGIN}" x2="{_WIDE}" y1="{_y(0):.1f}" y2="{_y(0):.1f}"/>']
    for sign in (1, -1):
        line = " ".join(f"{_x(n):.1f},{_y(sign * limit(n)):.1f}" for n in steps)
        parts.append(f'<polyline class="limit" points="{line}"/>')
    for mark in (-top / 1.1, 0.0, top / 1.1):
        parts.append(
            f'<text class="tick" x="{_MARGIN - 4}" y="{_y(mark) + 4:.1f}">'
            f"{escape(say(mark))}</text>"
        )
    for n in _decades(steps[0], steps[-1]):
        told = f"{n:,.0f}".replace(",", " ")
        parts.append(f'<text class="along" x="{_x(n):.1f}" y="{_HIGH - 16}">{told}</text>')
    for dot in dots:
        shape = f'<circle cx="{_x(dot.n):.1f}" cy="{_y(dot.away):.1f}" r="4.5"/>'
        if dot.warned:
            at, up = _x(dot.n), _y(dot.away)
            shape = f'<path d="M{at:.1f} {up - 7:.1f}l7 12h-14z"/>'
        kind = "dot warned" if dot.warned else "dot"
        parts.append(
            f'<g class="{kind}"><title>{escape(dot.name)}: {escape(say(dot.away))}</title>'
            f"{shape}</g>"
        )
    parts.append(
        f'<text class="along" x="{(_WIDE + _MARGIN) / 2}" y="{_HIGH - 2}">{escape(axes[0])}</text>'
    )
    parts.append(f'<text class="start" x="{_MARGIN + 6}" y="11">{escape(axes[1])}</text>')
    return svg("funnel", _WIDE, _HIGH, title, parts)


def _decades(first: float, last: float) -> list[float]:
    """Round numbers within, a few for each power of ten."""
    steps = (m * 10.0**at for at in range(math.floor(math.log10(first)), 10) for m in (1, 2, 5))
    found = [step for step in steps if first <= step <= last]
    return found if len(found) < 7 else [step for step in found if str(step)[0] == "1"]


def small_multiple(
    name: str,
    mine: Sequence[Point],
    whole: Sequence[Point],
    span: tuple[float, float],
    periods: Sequence[str],
    say: Callable[[float], str],
    hidden: str,
) -> Markup:
    """
    Draw one place over time.

    Parameters
    ----------
    name : str
        Of the place.
    mine, whole : sequence of Point
        Its values, and those of all together.
    span : tuple of (float, float)
        Ends of the vertical axis, the same in all pictures.
    periods : sequence of str
        Along the horizontal axis.
    say : callable
        Writes a value.
    hidden : str
        Is written if there is none.

    Returns
    -------
    Markup
        The picture.
    """
    wide, tall = 150, 92
    low, high = span

    def _x(at: int) -> float:
        return 14 + (wide - 28) * (at / max(1, len(periods) - 1))

    def _y(value: float) -> float:
        return 66 - 42 * (value - low) / (high - low if high > low else 1.0)

    told = "; ".join(f"{periods[p.at]}: {say(p.value)}" for p in mine) or hidden
    parts = [f'<text class="name" x="4" y="13">{escape(name[:22])}</text>']
    line = " ".join(f"{_x(p.at):.1f},{_y(p.value):.1f}" for p in whole)
    parts.append(f'<polyline class="all" points="{line}"/>')
    for p in mine:
        parts.append(
            f'<line class="range" x1="{_x(p.at):.1f}" x2="{_x(p.at):.1f}" y1="{_y(p.low):.1f}" '
            f'y2="{_y(p.high):.1f}"/><circle cx="{_x(p.at):.1f}" cy="{_y(p.value):.1f}" r="2.6"/>'
        )
    line = " ".join(f"{_x(p.at):.1f},{_y(p.value):.1f}" for p in mine)
    parts.append(f'<polyline class="mine" points="{line}"/>')
    latest = mine and mine[-1].at == len(periods) - 1
    last = say(mine[-1].value) if latest else hidden
    parts.append(f'<text class="last" x="{wide - 4}" y="13">{escape(last)}</text>')
    ends = ((_x(0), periods[0], "start"), (_x(len(periods) - 1), periods[-1], "end"))
    for at, period, _ in ends[: 1 if len(periods) == 1 else 2]:
        parts.append(f'<text class="along" x="{at:.1f}" y="{tall - 6}">{escape(period)}</text>')
    return svg("small", wide, tall, f"{name}: {told}", parts)
