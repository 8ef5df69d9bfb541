"""How the people of a month compare with those a model was made from, bin by bin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.drift import MAJOR, compare, psi
from cdss.jurisdiction import Model
from cdss.monitor.bins import EDGES
from cdss.population import LEVELS
from cdss.risk import RiskModel
from cdss.units import UNITS
from cdss.variables import VARIABLES

Array = NDArray[Any]
_MIXED = (0.1, 0.25, 0.5, 0.75, 1.0)  # shares of values in another unit that are tried
_BETTER = 0.5  # a guess must leave at most so much of the difference
_LEAST = 0.01  # share of values in another unit that must be plausible, for it to be noticed so


class Derivation(NamedTuple):
    """
    Values of one quantity among the people a model was made from.

    Attributes
    ----------
    model : str
        Id and version.
    people : int
        How many values.
    quantiles : ndarray, shape (21,)
        At `cdss.population.LEVELS`.
    missing : float or None
        Share of people without a value.
    """

    model: str
    people: int
    quantiles: Array
    missing: float | None


class UnitGuess(NamedTuple):
    """
    What would explain a difference.

    Attributes
    ----------
    meant, read_as : str
        Unit in which values seem to be, and that in which they were taken.
    share : float
        Of the values, about.
    """

    meant: str
    read_as: str
    share: float


def derivations(models: Sequence[Model]) -> dict[str, list[Derivation]]:
    """
    Take from bundles whom their models were made from.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        Published equations say nothing of this, and are passed over.

    Returns
    -------
    dict of str to list of Derivation
        By quantity.
    """
    found: dict[str, list[Derivation]] = {}
    for model in models:
        validity = model.validity if isinstance(model, RiskModel) else None
        if validity is None or validity.population is None:
            continue
        population = validity.population
        training: Mapping[str, Any] = model.facts.get("training", {})
        for name, quantiles in zip(population.names, population.quantiles, strict=True):
            missing = training.get("missing", {}).get(name)
            people = round(training["n"] * (1 - (missing or 0)))
            named = f"{model.id}@{model.version}"
            found.setdefault(name, []).append(Derivation(named, people, quantiles, missing))
    return found


def expected(name: str, derivation: Derivation) -> Array:
    """
    Counts of the people a model was made from, in the bins of a quantity.

    Parameters
    ----------
    name : str
        A quantity that is counted.
    derivation : Derivation
        Those people.

    Returns
    -------
    ndarray, shape (k,)
        Not whole numbers: straight lines between quantiles, and from the outermost to the ends of
        what is plausible.
    """
    return derivation.people * np.diff(_below(name, derivation, EDGES[name]))


def unit_guess(name: str, derivation: Derivation, counts: Array) -> UnitGuess | None:
    """
    Say whether counts look like values in another unit.

    Parameters
    ----------
    name : str
        A quantity that is counted.
    derivation : Derivation
        Whom they should resemble.
    counts : ndarray of int, shape (k,)
        Values in its bins.

    Returns
    -------
    UnitGuess or None
        The best explanation of a major shift, if it leaves at most half of it; no proof.
    """
    usual = expected(name, derivation)
    now = compare(usual, counts)
    if now.low < MAJOR:
        return None
    found, best = None, now.psi * _BETTER
    for meant, read_as, edges in _mistaken(name):
        other = derivation.people * np.diff(_below(name, derivation, edges))
        if other.sum() < _LEAST * derivation.people:
            continue
        other *= derivation.people / other.sum()
        for share in _MIXED:
            left = psi((1 - share) * usual + share * other, counts)
            if left < best:
                found, best = UnitGuess(meant, read_as, share), left
    return found


def _mistaken(name: str) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Pairs of units, and where bins' edges lie in truth if one was taken for the other."""
    variable = VARIABLES[name]
    ends = (variable.low, *EDGES[name], variable.high)
    for meant, true in UNITS[name].items():
        for read_as, taken in UNITS[name].items():
            if math.isclose(true.factor, taken.factor) and true.offset == taken.offset:
                continue
            numbers = [(edge - taken.offset) / taken.factor for edge in ends]
            yield meant, read_as, tuple(n * true.factor + true.offset for n in numbers)


def _below(name: str, derivation: Derivation, edges: Sequence[float]) -> Array:
    """Shares of people below the ends of bins; edges alone reach to what is plausible."""
    variable = VARIABLES[name]
    ends = edges if len(edges) > len(EDGES[name]) else (variable.low, *edges, variable.high)
    # Of equal quantiles the last counts: what is below it, tied values included.
    values = np.concatenate([[variable.low], derivation.quantiles, [variable.high]])
    levels = np.concatenate([[0.0], LEVELS, [1.0]])
    return np.asarray(np.interp(ends, values, levels))
