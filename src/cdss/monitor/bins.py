"""The bins in which values and probabilities are counted: fixed, and public."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from cdss.variables import VARIABLES, Value

MISSING = "missing"
"""Named in place of a bin if the value is unknown."""


def _read() -> tuple[tuple[float, ...], dict[str, tuple[float, ...]]]:
    table = read_toml(resources.files("cdss.monitor") / "bins.toml")
    only(table, "bins.toml", "probability quantity")
    found = {}
    for name, row in table["quantity"].items():
        only(row, f"bins.toml: {name}", "edges source")
        if name not in VARIABLES or VARIABLES[name].kind != "quantity":
            raise DefinitionError(f"bins.toml: {name} is not a quantity")
        found[name] = _rising(row["edges"], name)
    return _rising(table["probability"], "probability"), found


def _rising(edges: Any, where: str) -> tuple[float, ...]:
    if len(edges) < 1 or any(low >= high for low, high in pairwise(edges)):
        raise DefinitionError(f"bins.toml: {where}: edges must rise")
    return tuple(map(float, edges))


_PROBABILITY, _QUANTITIES = _read()

PROBABILITY: tuple[float, ...] = _PROBABILITY
"""Edges between the bins of probabilities."""

EDGES: Mapping[str, tuple[float, ...]] = MappingProxyType(_QUANTITIES)
"""Edges between the bins of each quantity that is counted, canonical unit."""


def counted(name: str) -> bool:
    """
    Say whether values of a variable are counted.

    Parameters
    ----------
    name : str
        Name of a variable.

    Returns
    -------
    bool
        False for a quantity without edges.
    """
    return VARIABLES[name].kind != "quantity" or name in EDGES


def labels(name: str) -> tuple[str, ...]:
    """
    Name the bins of a variable.

    Parameters
    ----------
    name : str
        A variable that is counted.

    Returns
    -------
    tuple of str
        ``<30``, ``30-40``, ``>=80``; ``no`` and ``yes``; or its choices.

    Examples
    --------
    >>> labels("age")
    ('<30', '30-40', '40-50', '50-60', '60-70', '70-80', '>=80')
    >>> labels("diabetes"), labels("sex")
    (('no', 'yes'), ('male', 'female'))
    """
    variable = VARIABLES[name]
    if variable.kind == "yes_no":
        return ("no", "yes")
    return variable.choices if variable.kind == "choice" else between(EDGES[name])


def between(edges: tuple[float, ...]) -> tuple[str, ...]:
    """
    Name the bins between some edges.

    Parameters
    ----------
    edges : tuple of float
        Rising.

    Returns
    -------
    tuple of str
        One more than there are edges.
    """
    inner = (f"{low:g}-{high:g}" for low, high in pairwise(edges))
    return (f"<{edges[0]:g}", *inner, f">={edges[-1]:g}")


def finder(name: str) -> Callable[[Any], int]:
    """
    Make what finds the bin of a value.

    Parameters
    ----------
    name : str
        A variable that is counted.

    Returns
    -------
    callable
        Known value in canonical form → position in `labels`.
    """
    variable = VARIABLES[name]
    if variable.kind == "yes_no":
        return int
    if variable.kind == "choice":
        places: dict[Value, int] = {choice: at for at, choice in enumerate(variable.choices)}
        return places.__getitem__
    return partial(bisect_right, EDGES[name])
