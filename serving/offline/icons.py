"""The icon of the edition, drawn: a line through a panel, as vector and as pixels."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

SIZES = (192, 512)

_BACK, _FRONT = (11, 94, 107), (255, 255, 255)
_LINE = ((0.16, 0.56), (0.36, 0.56), (0.46, 0.30), (0.58, 0.74), (0.66, 0.56), (0.84, 0.56))
_WIDTH = 0.07
_SIDE = 1000


def icon_svg() -> str:
    """
    Draw the icon as vectors.

    Returns
    -------
    str
        An SVG document.
    """
    points = " ".join(f"{x * _SIDE:g},{y * _SIDE:g}" for x, y in _LINE)
    stroke = f'stroke-width="{_WIDTH * _SIDE:g}" stroke-linecap="round" stroke-linejoin="round"'
    back, front = (f"rgb{colour}".replace(" ", "") for colour in (_BACK, _FRONT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}">'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="{back}"/>'
        f'<polyline points="{points}" fill="none" stroke="{front}" {stroke}/></svg>\n'
    )


def icon_png(size: int) -> bytes:
    """
    Draw the icon as pixels.

    Parameters
    ----------
    size : int
        Pixels a side.

    Returns
    -------
    bytes
        A PNG file.
    """
    rows = bytearray()
    for y in range(size):
        rows.append(0)  # no filter
        for x in range(size):
            far = _distance((x + 0.5) / size, (y + 0.5) / size)
            part = min(max((_WIDTH / 2 - far) * size + 0.5, 0), 1)  # soft at the edge
            rows += bytes(round(b + part * (f - b)) for b, f in zip(_BACK, _FRONT, strict=True))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _distance(x: float, y: float) -> float:
    """Distance of a point from the line."""
    found = []
    for (ax, ay), (bx, by) in pairwise(_LINE):
        dx, dy = bx - ax, by - ay
        along = min(max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0), 1)
        found.append(((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2) ** 0.5)
    return float(min(found))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
