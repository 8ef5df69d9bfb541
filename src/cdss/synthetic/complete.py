"""People with nothing left out: what a population is measured by, and fitted with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.synthetic.columns import rounded
from cdss.synthetic.draw import draw_persons, draw_visits
from cdss.synthetic.model import Model
from cdss.synthetic.places import Places

Array = NDArray[Any]


def complete_people(
    model: Model, places: Places, *, seed: int, people: int, block: int, first: int, year: int,
    drift: Array,
) -> dict[str, Array]:  # fmt: skip
    """
    Draw the people of a population as they are, before tests are left out and some stay away.

    Parameters
    ----------
    model : Model
        Of the country.
    places : Places
        Where they live.
    seed : int
        Of the population.
    people : int
        How many, the first of them.
    block : int
        People of a block.
    first, year : int
        Year in which the population has its ages, and that of the visits.
    drift : ndarray
        As `cdss.synthetic.draw.draw_visits` takes it.

    Returns
    -------
    dict of str to ndarray, shape (people,)
        Every quantity as written down, states as 0 and 1, and where they live.
    """
    parts = []
    for number in range(-(-people // block)):
        many = min(block, people - number * block)
        persons = draw_persons(model, places, seed, number, number * block + 1, many, first)
        found = draw_visits(model, places, persons, seed, number, year, drift)
        own = {
            "province": places.province.take(persons.commune),
            "minority": persons.minority,
            "care": persons.care,
        }
        parts.append(rounded(found) | own)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
