"""
Pictures as SVG, drawn on the server: no script, no inline style, readable in black and white.

Each says in its title what it shows; the page puts the same as a table beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from serving.page.bands import Band

WIDTH = 360
"""Of the view box; the page scales it."""

_LEFT, _RIGHT = 8, WIDTH - 8
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0)  # ends of axes without bands
_LETTER = 6.3  # mean width of a letter of a flag, in units of the view box


class Scale(NamedTuple):
    """Piecewise linear: knots of what is shown, and where each lies."""

    values: tuple[float, ...]
    places: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """Place of a value, kept on the axis."""
        for (v0, x0), (v1, x1) in pairwise(zip(self.values, self.places, strict=True)):
            if value <= v1:
                return x0 + (x1 - x0) * max(0.0, value - v0) / (v1 - v0)
        return self.places[-1]


class Line(NamedTuple):
    """
    What a number line shows.

    Attributes
    ----------
    flag : str
        What is written at the patient's value.
    low, high : float
        Ends of the patient's value; equal if it is one number.
    interval : tuple of (float, float) or None
        How sure it is.
    baseline : float or None
        Of whom the patient is compared with.
    others : tuple of float
        What other models say.
    after : float or None
        What a simulation says.
    """

    flag: str
    low: float
    high: float
    interval: tuple[float, float] | None = None
    baseline: float | None = None
    others: tuple[float, ...] = ()
    after: float | None = None


def number_line(
    line: Line,
    bands: Sequence[Band],
    title: str,
    say: Callable[[float], str],
    top: float | None = None,
) -> Markup:
    """
    Draw a number on a line.

    Parameters
    ----------
    line : Line
        What it shows.
    bands : sequence of Band
        Drawn equally wide, with their limits below; without any the line is even.
    title : str
        What the picture shows, in words.
    say : callable
        Writes a number of the axis.
    top : float, optional
        End of the axis; by default such that everything lies on it.

    Returns
    -------
    Markup
        An SVG image.
    """
    most = max(line.high, *(line.interval or ()), line.baseline or 0, *line.others,
               line.after or 0)  # fmt: skip
    if bands:
        ends = [*(b.low for b in bands), top or max(1.5 * bands[-1].low, most)]
    else:
        top = top or next((t for t in _TICKS if most <= 0.9 * t), 1.0)
        ends = [0.0, top / 2, top]
    step = (_RIGHT - _LEFT) / (len(ends) - 1)
    scale = Scale(tuple(ends), tuple(_LEFT + step * at for at in range(len(ends))))
    parts = list(_axis(scale, bands, say))
    if line.interval:
        low, high = scale(line.interval[0]), scale(line.interval[1])
        parts.append(_rect(low, 44, max(high - low, 2), 4, "interval"))
    if line.high > line.low:
        low, high = scale(line.low), scale(line.high)
        parts.append(_rect(low, 22, max(high - low, 3), 20, "span"))
    if line.baseline is not None:
        parts.append(f'<circle class="baseline" cx="{scale(line.baseline):.1f}" cy="46" r="4"/>')
    parts += [f'<path class="other" d="M{scale(o):.1f} 20v24"/>' for o in line.others]
    if line.after is not None:
        parts.append(f'<path class="after" d="M{scale(line.after):.1f} 18v28m-4-8l4 8 4-8"/>')
    parts.append(_flag((scale(line.low) + scale(line.high)) / 2, line.flag))
    return _svg(parts, 68, title, "line")


def _axis(scale: Scale, bands: Sequence[Band], say: Callable[[float], str]) -> Iterable[str]:
    if not bands:
        yield _rect(_LEFT, 22, _RIGHT - _LEFT, 20, "axis")
    for at, band in enumerate(bands):
        x, width = scale.places[at], scale.places[at + 1] - scale.places[at]
        yield _rect(x, 22, width, 20, f"band band-{band.id}")
        yield _text(x + width / 2, 36, band.short, f"name name-{band.id}", "middle")
    last = len(scale.values) - 1
    for at, (value, x) in enumerate(zip(scale.values, scale.places, strict=True)):
        if bands and at == last:
            continue  # the last band has no end
        anchor = "start" if at == 0 else "end" if at == last else "middle"
        yield _text(x, 64, say(value), "tick", anchor)


def _flag(x: float, said: str) -> str:
    """A marker with what it says, kept within the picture."""
    half = len(said) * _LETTER / 2
    at = min(max(x, _LEFT + half), _RIGHT - half)
    marker = f'<path class="marker" d="M{x - 6:.1f} 14h12l-6 9z"/>'
    stem = f'<path class="stem" d="M{x:.1f} 22v20"/>'
    return _text(at, 11, said, "flag", "middle") + marker + stem


def bar(share: float) -> Markup:
    """
    Draw what one input adds.

    Parameters
    ----------
    share : float
        From -1 to 1, of the longest bar.

    Returns
    -------
    Markup
        An SVG image that says nothing a table does not say.
    """
    length = max(abs(share) * 58, 1.5) if share else 0
    x = 60 - length if share < 0 else 60
    kind = "lower" if share < 0 else "higher"
    return Markup(  # noqa: S704 - made of numbers
        '<svg class="bar" viewBox="0 0 120 16" aria-hidden="true" focusable="false">'
        f'{_rect(x, 3, length, 10, kind)}<path class="zero" d="M60 0v16"/></svg>'
    )


def people(count: int, title: str) -> Markup:
    """
    Draw a hundred people, some of them filled.

    Parameters
    ----------
    count : int
        How many are filled.
    title : str
        What the picture shows, in words.

    Returns
    -------
    Markup
        An SVG image.
    """
    parts = []
    for at in range(100):
        x, y = 8 + at % 20 * 17.4, 8 + at // 20 * 26
        kind = "ill" if at < count else "well"
        parts.append(
            f'<path class="{kind}" d="M{x + 5:.1f} {y}a3.4 3.4 0 1 0 .1 0z'
            f'm-5 8h10v7h-2.4v7h-5.2v-7H{x:.1f}z"/>'
        )
    return _svg(parts, 138, title, "people")


def trend(points: Sequence[tuple[int, float]], ends: tuple[str, str], title: str) -> Markup:
    """
    Draw one quantity over time.

    Parameters
    ----------
    points : sequence of (int, float)
        Day and value, oldest first; at least two.
    ends : tuple of (str, str)
        First and last value in words.
    title : str
        What the picture shows, in words.

    Returns
    -------
    Markup
        An SVG image.
    """
    days, values = [p[0] for p in points], [p[1] for p in points]
    span, height = max(days) - min(days) or 1, max(values) - min(values) or 1.0
    spots = [
        (14 + 172 * (day - min(days)) / span, 56 - 34 * (value - min(values)) / height)
        for day, value in points
    ]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    parts = [f'<path class="course" d="M{path}"/>']
    parts += [f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in spots]
    parts.append(_text(spots[0][0] - 8, spots[0][1] - 8, ends[0], "tick", "start"))
    parts.append(_text(spots[-1][0] + 8, spots[-1][1] - 8, ends[1], "tick", "end"))
    return _svg(parts, 64, title, "trend", width=200)


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def _text(x: float, y: float, said: str, kind: str, anchor: str) -> str:
    written = Markup.escape(said)
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{written}</text>'


def _svg(parts: Iterable[str], height: int, title: str, kind: str, width: int = WIDTH) -> Markup:
    # An accessible name without an id: the same drawing may stand twice on a page.
    name = Markup.escape(title)
    return Markup(  # noqa: S704 - all text in it is escaped
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
        f"{''.join(parts)}</svg>"
    )


def change(before: float, after: float) -> Markup:
    """
    Draw one number before and after.

    Parameters
    ----------
    before, after : float
        Not negative.

    Returns
    -------
    Markup
        An SVG image that says nothing a table does not say.
    """
    most = max(before, after) or 1.0
    return Markup(  # noqa: S704 - made of numbers
        '<svg class="bar" viewBox="0 0 120 22" aria-hidden="true" focusable="false">'
        f"{_rect(0, 2, max(118 * before / most, 1.5), 8, 'before')}"
        f"{_rect(0, 12, max(118 * after / most, 1.5), 8, 'after')}</svg>"
    )
