"""
A map of tiles as SVG: one tile a place, about where it lies; and how pictures are put together.

No script, nothing from elsewhere. Colours are classes of the page's style sheet, so that they
follow dark and light; each picture has a title, and the page a table beside it.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from markupsafe import Markup, escape

from cdss.datafile import read_toml

SHADES = 5
"""Steps of the map's colour."""

_TILE, _GAP = 66, 4


class Tile(NamedTuple):
    """
    A place on the map.

    Attributes
    ----------
    name : str
        As the report names it.
    short : str
        As it fits the tile.
    row, column : int
        Where it is.
    value : float or None
        What is shown; None if nothing may be.
    """

    name: str
    short: str
    row: int
    column: int
    value: float | None


@lru_cache
def known_places() -> Mapping[str, tuple[str, str, int, int]]:
    """
    Say which places have a tile of their own.

    Returns
    -------
    mapping of str to (str, str, int, int)
        Code or name → name, short name, row, column.
    """
    found = {}
    for country in read_toml(resources.files("cdss.trends") / "tiles.toml").values():
        for code, (name, short, row, column) in country.items():
            found[code] = found[name] = (name, short, row, column)
    return found


def tiles(values: Mapping[str, float | None]) -> list[Tile]:
    """
    Lay places out.

    Parameters
    ----------
    values : mapping of str to float or None
        Place as the batch names it → value.

    Returns
    -------
    list of Tile
        Where they lie if all are known, but for a few; else by name.
    """
    known = known_places()
    strange = [place for place in sorted(values) if place not in known]
    if len(strange) > len(values) // 4:
        side = max(3, math.ceil(math.sqrt(len(values))))
        return [
            Tile(place_name(place), place_name(place), at // side, at % side, values[place])
            for at, place in enumerate(sorted(values))
        ]
    found = [Tile(known[p][0], *known[p][1:], values[p]) for p in values if p in known]
    last = 1 + max((tile.row for tile in found), default=-1)
    return found + [Tile(p, p, last, at, values[p]) for at, p in enumerate(strange)]


def place_name(place: str) -> str:
    """
    Name a place.

    Parameters
    ----------
    place : str
        As the batch names it, with those above it.

    Returns
    -------
    str
        Of a known code, its name.
    """
    first, between, rest = place.partition(" / ")
    return known_places().get(first, (first,))[0] + between + rest


def place_order(place: str) -> tuple[str, str]:
    """
    Say where a place comes in a list.

    Parameters
    ----------
    place : str
        As the batch names it.

    Returns
    -------
    tuple of (str, str)
        Sorts by the name's letters, whatever marks they carry.
    """
    name = place_name(place)
    plain = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c)).lower(), name


def shades(values: Sequence[float]) -> list[tuple[float, float]]:
    """
    Cut values into steps of colour.

    Parameters
    ----------
    values : sequence of float
        All that are shown.

    Returns
    -------
    list of (float, float)
        The least and the greatest of each step: as many places in each, about.
    """
    order = sorted(set(values))
    many = min(SHADES, len(order))
    parts = [order[len(order) * at // many : len(order) * (at + 1) // many] for at in range(many)]
    return [(part[0], part[-1]) for part in parts]


def tile_map(
    places: Sequence[Tile], say: Callable[[float], str], title: str, hidden: str
) -> Markup:
    """
    Draw a map of tiles.

    Parameters
    ----------
    places : sequence of Tile
        What is shown.
    say : callable
        Writes a value.
    title, hidden : str
        What it shows; what is written where nothing may be shown.

    Returns
    -------
    Markup
        The picture.
    """
    shown = [tile.value for tile in places if tile.value is not None]
    steps = shades(shown)
    step = _TILE + _GAP
    parts = []
    for tile in places:
        x, y = tile.column * step, tile.row * step
        kind = "hidden"
        if (value := tile.value) is not None:
            kind = f"shade{next(at for at, (_, high) in enumerate(steps) if value <= high)}"
        told = hidden if tile.value is None else say(tile.value)
        short = tile.short if len(tile.short) <= 10 else tile.short[:9] + "…"
        parts.append(
            f'<g class="{kind}"><title>{escape(tile.name)}: {escape(told)}</title>'
            f'<rect x="{x}" y="{y}" width="{_TILE}" height="{_TILE}" rx="6"/>'
            f'<text x="{x + _TILE / 2}" y="{y + 28}">{escape(short)}</text>'
            f'<text class="number" x="{x + _TILE / 2}" y="{y + 48}">'
            f"{'–' if tile.value is None else escape(told)}</text></g>"
        )
    wide = max((tile.column for tile in places), default=0) * step + _TILE
    tall = max((tile.row for tile in places), default=0) * step + _TILE
    return svg("map", wide, tall, title, parts)


def svg(kind: str, wide: float, tall: float, title: str, parts: Sequence[str]) -> Markup:
    """
    Put a picture together.

    Parameters
    ----------
    kind : str
        Its class.
    wide, tall : float
        Of the view box.
    title : str
        What it shows.
    parts : sequence of str
        What is in it, escaped.

    Returns
    -------
    Markup
        The picture.
    """
    inside = "".join(parts)
    return Markup(  # noqa: S704  # every text in it is escaped above
        f'<svg class="{kind}" viewBox="0 0 {wide} {tall}" role="img" aria-label="{escape(title)}">'
        f"{inside}</svg>"
    )
