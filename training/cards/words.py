"""Numbers, tables and gaps as every card writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NOT_PROVIDED = "not provided"
NO_EVIDENCE = "No evidence report yet."
TIERS = {
    "required_only": "required only",
    "no_laboratory": "no laboratory",
    "some_laboratory": "some laboratory",
    "all": "all, as observed",
}


def tier_name(tier: str) -> str:
    """Tier of missing data, in words; an unknown one keeps its name."""
    return TIERS.get(tier, tier.replace("_", " "))


def number(value: Any, digits: int = 2) -> str:
    """
    Write a figure.

    Parameters
    ----------
    value : float, int, bool, str or None
        What was found.
    digits : int
        Decimals of a float; an integer is grouped by thousands.

    Returns
    -------
    str
        `NOT_PROVIDED` for None: a gap is never shown as 0.

    Examples
    --------
    >>> number(0.8444), number(22061), number(None)
    ('0.84', '22,061', 'not provided')
    """
    if value is None:
        return NOT_PROVIDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def percent(share: float | None, digits: int = 1) -> str:
    """A share 0-1 in percent."""
    return NOT_PROVIDED if share is None else f"{100 * share:.{digits}f} %"


def threshold(value: float) -> str:
    """A threshold of risk in percent, without trailing zeros."""
    return f"{100 * value:g} %"


def interval(pair: Sequence[float] | None, digits: int = 2, scale: float = 1.0) -> str:
    """Both ends of an interval, or an empty string."""
    if not pair or None in pair:
        return ""
    return f"{scale * pair[0]:.{digits}f} to {scale * pair[1]:.{digits}f}"


def with_ci(
    figures: Mapping[str, Any], name: str, digits: int = 2, scale: float = 1.0
) -> str:  # fmt: skip
    """
    Write a figure with its 95 % confidence interval.

    Parameters
    ----------
    figures : mapping
        Has `name`, and ``<name>_95ci`` if there is an interval.
    name : str
        Which figure.
    digits : int
        Decimals.
    scale : float
        What to multiply with, 1000 for "per 1,000 people".

    Returns
    -------
    str
        "0.84 (0.82 to 0.86)"; "-" where it was not, or could not be, computed.
    """
    value = figures.get(name)
    if value is None:
        return "-"
    span = interval(figures.get(f"{name}_95ci"), digits, scale)
    return f"{scale * value:.{digits}f}" + (f" ({span})" if span else "")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """
    Write a Markdown table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences
        As many cells each as there are columns.

    Returns
    -------
    str
        Bars and line breaks inside a cell are escaped, so that the table renders.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell(c) for c in line)} |" for line in lines)


def cell(text: Any) -> str:
    """One cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def enumerate_words(names: Sequence[str]) -> str:
    """Names with commas and an 'and'."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def flat(found: Any, path: str = "") -> list[tuple[str, str]]:
    """
    Everything in a nested mapping, one line each: for what has no table of its own.

    Parameters
    ----------
    found : mapping, list or scalar
        JSON.
    path : str
        Where it is.

    Returns
    -------
    list of (str, str)
        Path in words, and value; an estimate with its ``95ci`` stays in one line.
    """
    if isinstance(found, Mapping):
        for name in ("difference", "estimate", "coverage"):
            if isinstance(found.get(name), int | float) and found.get("95ci"):
                more = {k: v for k, v in found.items() if k not in (name, "95ci")}
                line = f"{number(float(found[name]), 3)} ({interval(found['95ci'], 3)})"
                return [(path, line), *flat(more, path)]
        lines = []
        for key, value in found.items():
            if key.endswith("_95ci") and key.removesuffix("_95ci") in found:
                continue
            if isinstance(span := found.get(f"{key}_95ci"), list) and isinstance(value, float):
                value = f"{number(value, 3)} ({interval(span, 3)})"
            lines += flat(value, f"{path}, {key}" if path else str(key))
        return [(name.replace("_", " "), value) for name, value in lines]
    if isinstance(found, list):
        return [(path, ", ".join(number(v, 3) for v in found))]
    return [(path, number(found, 3))]
