"""Which files a cycle of NHANES has, what they are called, and where they are."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MORTALITY = "mortality"


@dataclass(frozen=True)
class PublicFile:
    """
    One file to fetch.

    Attributes
    ----------
    name : str
        Name under which it is kept, e.g. ``DEMO_H.XPT``.
    cycle : str
        Survey cycle, e.g. ``2013-2014``.
    parts : tuple of str
        What is read from it, as in ``cycles.toml``; one file may hold two parts.
    addresses : tuple of str
        Where it may be; the first that exists counts.
    """

    name: str
    cycle: str
    parts: tuple[str, ...]
    addresses: tuple[str, ...]


@cache
def catalogue() -> dict[str, Any]:
    """
    Read ``cycles.toml``.

    Returns
    -------
    dict
        Its content; not to be changed.
    """
    return tomllib.loads((Path(__file__).parent / "cycles.toml").read_text(encoding="utf-8"))


def cycles_within(spans: str) -> tuple[str, ...]:
    """
    Cycles that some spans of years name.

    Parameters
    ----------
    spans : str
        Spans of whole cycles, separated by commas: ``1999-2018``, ``2005-2006,2013-2014``.

    Returns
    -------
    tuple of str
        The cycles, oldest first.

    Raises
    ------
    ValueError
        If a span does not begin and end with a cycle; lists the cycles there are.

    Examples
    --------
    >>> cycles_within("2011-2014")
    ('2011-2012', '2013-2014')
    """
    known = list(catalogue()["cycles"])
    found = set()
    for span in spans.split(","):
        first, _, last = span.strip().partition("-")
        starts = [cycle for cycle in known if cycle.startswith(f"{first}-") and len(first) == 4]
        ends = [cycle for cycle in known if cycle.endswith(f"-{last}") and len(last) == 4]
        if not (starts and ends and starts[0] <= ends[0]):
            raise ValueError(
                f"no NHANES cycles {span.strip() or '(none named)'}; there are: {', '.join(known)}"
            )
        found |= {cycle for cycle in known if starts[0] <= cycle <= ends[0]}
    return tuple(sorted(found))


def file_of(part: str, cycle: str) -> str:
    """
    Name of the file that holds a part of a cycle.

    Parameters
    ----------
    part : str
        A table of ``[files]``, or ``mortality``.
    cycle : str
        The cycle.

    Returns
    -------
    str
        The name under which it is kept.

    Examples
    --------
    >>> file_of("biochemistry", "2001-2002"), file_of("biochemistry", "2013-2014")
    ('L40_B.XPT', 'BIOPRO_H.XPT')
    """
    facts = catalogue()
    if part == MORTALITY:
        first, _, last = cycle.partition("-")
        return facts["mortality"]["name"].format(first=first, last=last) + ".dat"
    spec = facts["files"][part]
    letter = facts["cycles"][cycle]["letter"]
    usual = f"{spec['stem']}_{letter}" if letter else spec["stem"]
    return spec.get("names", {}).get(cycle, usual) + ".XPT"


def public_files(cycles: tuple[str, ...], base_url: str | None = None) -> tuple[PublicFile, ...]:
    """
    Every file of some cycles, and where it is.

    Parameters
    ----------
    cycles : tuple of str
        Cycles, as `cycles_within` gives them.
    base_url : str, optional
        A mirror: CDC's paths below it, or one flat folder. With ``{file}`` (``DEMO_H.XPT``) in it,
        and perhaps ``{year}`` and ``{cycle}``, it is the whole address. By default CDC.

    Returns
    -------
    tuple of PublicFile
        In the order in which they are fetched; a file that holds two parts comes once.

    Raises
    ------
    ValueError
        If `base_url` is not an http or https address.
    """
    if base_url is not None and urlsplit(base_url).scheme not in ("http", "https"):
        raise ValueError("--base-url must begin with http:// or https://")
    found = []
    for cycle in cycles:
        parts: dict[str, list[str]] = {}
        for part in (*catalogue()["files"], MORTALITY):
            parts.setdefault(file_of(part, cycle), []).append(part)
        found += [
            PublicFile(name, cycle, tuple(held), _addresses(name, cycle, base_url))
            for name, held in parts.items()
        ]
    return tuple(found)


def _addresses(name: str, cycle: str, base_url: str | None) -> tuple[str, ...]:
    kind = MORTALITY if name.endswith(".dat") else "xpt"
    addresses = catalogue()["addresses"]
    where = {"year": cycle[:4], "cycle": cycle}
    if base_url is not None and "{file}" in base_url:
        return (base_url.format(file=name, **where),)
    forms = (
        [addresses[kind]]
        if base_url is None
        else [f"{base_url.rstrip('/')}/{path}" for path in addresses[f"mirror_{kind}"]]
    )
    return tuple(form.format(file=name.rsplit(".", 1)[0], **where) for form in forms)
