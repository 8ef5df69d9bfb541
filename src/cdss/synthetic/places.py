"""Where people live: real provinces, numbered communes, and true differences between them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.datafile import read_toml

Array = NDArray[Any]

_PLACES = 1 << 16
"""Tickets: a person draws one, and lives where it says."""


@dataclass(frozen=True)
class Places:
    """
    Communes, each in a province.

    Attributes
    ----------
    provinces, communes : tuple of str
        Codes.
    province : ndarray of int, shape (communes,)
        In which each is.
    urban : ndarray of bool, shape (communes,)
        Whether it is.
    minorities : ndarray, shape (communes,)
        Share of people who are not Kinh, 0-1.
    effects : dict of str to ndarray, shape (communes,)
        What each is above or below the country, in normal scores, by group of quantities.
    tickets : ndarray of int, shape (65536,)
        Communes, each as often as its share of people.
    """

    provinces: tuple[str, ...]
    communes: tuple[str, ...]
    province: Array
    urban: Array
    minorities: Array
    effects: dict[str, Array]
    tickets: Array


def province_names(country: str) -> dict[str, str]:
    """
    Name the provinces.

    Parameters
    ----------
    country : str
        Of which.

    Returns
    -------
    dict of str to str
        Code → name.
    """
    return {each["code"]: each["name"] for each in _file(country)["province"]}


def make_places(country: str, spread: dict[str, Any], seed: int) -> Places:
    """
    Lay out a country.

    Parameters
    ----------
    country : str
        Which.
    spread : dict
        Standard deviations of true differences, ``province`` and ``commune``, by group.
    seed : int
        Another one, other differences.

    Returns
    -------
    Places
        The same for the same arguments.
    """
    said = _file(country)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, 0x9E3779B9])))
    provinces = said["province"]
    many = np.array([each["communes"] for each in provinces])
    province = np.repeat(np.arange(len(provinces)), many)
    people = np.array([each["people"] for each in provinces], float)
    size = np.exp(rng.normal(0, said["decision"]["commune_size"], many.sum()))
    share = size / np.bincount(province, size)[province] * people[province]
    share /= share.sum()
    dense = np.log10(people / np.array([each["area"] for each in provinces]))
    urban = _urban(rng, share, dense[province] * said["decision"]["urban_by_density"],
                   said["national"]["urban"])  # fmt: skip
    minorities = np.array([each["minorities"] for each in provinces])[province]
    minorities = minorities * (said["national"]["minorities"] / (share @ minorities))
    effects = {
        group: _centred(
            rng.normal(0, wide, len(provinces))[province]
            + rng.normal(0, spread["commune"][group], len(province)),
            share,
        )
        for group, wide in spread["province"].items()
    }
    return Places(
        tuple(each["code"] for each in provinces),
        tuple(
            f"{each['code']}-{number:04d}"
            for each in provinces for number in range(1, each["communes"] + 1)
        ),
        province, urban, np.minimum(minorities, 0.98), effects,
        np.searchsorted(np.cumsum(share) * _PLACES, np.arange(_PLACES) + 0.5).astype(np.int32),
    )  # fmt: skip


def _file(country: str) -> dict[str, Any]:
    return read_toml(resources.files(__package__) / f"{country}_places.toml")


def _urban(rng: np.random.Generator, share: Array, leaning: Array, wanted: float) -> Array:
    """Which communes are urban: denser provinces have more of them, the country as published."""
    score = leaning + rng.logistic(0, 1, len(share))
    order = np.argsort(-score)
    urban = np.zeros(len(share), dtype=bool)
    urban[order[np.cumsum(share[order]) <= wanted]] = True
    return urban


def _centred(effect: Array, share: Array) -> Array:
    return np.asarray(effect - share @ effect, np.float32)
