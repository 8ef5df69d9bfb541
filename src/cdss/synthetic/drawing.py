"""Pictures of a comparison, as SVG; a table beside each says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

_W, _H, _LEFT, _RIGHT, _BASE = 340, 170, 44, 60, 140
_CELL, _LABEL = 26, 200
_SCALE = 0.6
"""Correlation at which a cell has its full colour."""


def lines(
    title: str, bands: Sequence[str], values: Mapping[str, Sequence[float | None]],
    names: Mapping[str, str], number: str,
) -> str:  # fmt: skip
    """
    Draw a measure by age, a line a sex.

    Parameters
    ----------
    title : str
        What it shows.
    bands : sequence of str
        Ages.
    values : mapping of str to sequence
        Sex → one value a band; None if there is nobody.
    names : mapping of str to str
        What each sex is called.
    number : str
        Format of the numbers on the axis.

    Returns
    -------
    str
        An ``svg`` element.
    """
    known = [value for each in values.values() for value in each if value is not None]
    low, high = min(known), max(known)
    low, high = (0.0, high * 1.1) if low < high / 2 else (low * 0.97, high * 1.03)
    step = (_W - _LEFT - _RIGHT) / max(len(bands) - 1, 1)

    def _y(value: float) -> float:
        return _BASE - (value - low) / (high - low) * (_BASE - 24)

    parts = [
        f'<path class="axis" d="M{_LEFT} 20V{_BASE}H{_W - _RIGHT}"/>',
        *(f'<text class="tick end" x="{_LEFT - 5}" y="{_y(value) + 4:.1f}">'
          f"{format(value, number)}</text>" for value in (low, (low + high) / 2, high)),
        *(f'<text class="tick mid" x="{_LEFT + at * step:.1f}" y="{_BASE + 16}">{escape(band)}'
          "</text>" for at, band in enumerate(bands)),
    ]  # fmt: skip
    ends = {}
    for sex, each in values.items():
        points = [
            (_LEFT + at * step, _y(value)) for at, value in enumerate(each) if value is not None
        ]
        parts.append(
            f'<polyline class="line {sex}" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            + '"/>'
        )
        parts += [f'<circle class="dot {sex}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
        ends[sex] = points[-1]
    lowest = 0.0
    for sex, (x, y) in sorted(ends.items(), key=lambda each: each[1][1]):
        lowest = max(y + 4, lowest + 13)  # names below one another, however near the lines end
        name = escape(names[sex])
        parts.append(f'<text class="name {sex}" x="{x + 8:.1f}" y="{lowest:.1f}">{name}</text>')
    return _svg(title, _W, _H, parts)


def matrix(title: str, names: Sequence[str], below: Array, above: Array) -> str:
    """
    Draw two matrices of correlations as one.

    Parameters
    ----------
    title : str
        What it shows.
    names : sequence of str
        Of the rows.
    below, above : ndarray, shape (k, k)
        What is shown below and above the diagonal.

    Returns
    -------
    str
        An ``svg`` element.
    """
    size = _LABEL + _CELL * len(names)
    parts = []
    for row, name in enumerate(names):
        y = row * _CELL + _CELL * 0.65
        parts.append(f'<text class="tick end" x="{_LABEL - 6}" y="{y:.1f}">{escape(name)}</text>')
        for column in range(len(names)):
            if row == column:
                continue
            value = float((below if row > column else above)[row, column])
            x, top = _LABEL + column * _CELL, row * _CELL
            sign = "plus" if value >= 0 else "minus"
            parts.append(
                f'<rect class="{sign}" x="{x}" y="{top}" width="{_CELL - 1}" height="{_CELL - 1}" '
                f'fill-opacity="{min(abs(value) / _SCALE, 1):.2f}">'
                f"<title>{escape(name)} – {escape(names[column])}: {value:.2f}</title></rect>"
                f'<text class="cell mid" x="{x + _CELL / 2:.1f}" y="{top + _CELL * 0.62:.1f}">'
                f"{round(100 * value)}</text>"
            )
    return _svg(title, size, _CELL * len(names), parts)


def dots(title: str, values: Mapping[str, float]) -> str:
    """
    Draw shares, the highest first.

    Parameters
    ----------
    title : str
        What it shows.
    values : mapping of str to float
        Name → share, 0-1.

    Returns
    -------
    str
        An ``svg`` element.
    """
    order = sorted(values, key=lambda name: -values[name])
    high, step, wide = max(values.values()), 17, 520
    parts = []
    for at, name in enumerate(order):
        y = at * step + 12
        x = 130 + values[name] / high * (wide - 190)
        parts += [
            f'<text class="tick end" x="122" y="{y + 4}">{escape(name)}</text>',
            f'<path class="axis" d="M130 {y}H{x:.1f}"/>',
            f'<circle class="dot male" cx="{x:.1f}" cy="{y}" r="4"/>',
            f'<text class="tick" x="{x + 9:.1f}" y="{y + 4}">{100 * values[name]:.0f} %</text>',
        ]
    return _svg(title, wide, len(order) * step + 8, parts)


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
