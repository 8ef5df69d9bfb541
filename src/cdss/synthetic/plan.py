"""What population is asked for, and what its files say of themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss import __version__
from cdss.synthetic.figures import read_figures
from cdss.synthetic.model import Model

Array = NDArray[Any]

BLOCK = 16_384
PART = 16 * BLOCK
"""People of a block, drawn at once, and of a part, a file a year."""

SOURCE = "margins: figures published of the country; joint structure: Chinese check-ups and NHANES"
LABEL = "SYNTHETIC: nobody in this data exists. Not evidence about any country."


@dataclass(frozen=True)
class Plan:
    """
    What population is asked for.

    Attributes
    ----------
    people : int
        How many.
    country, scenario : str
        Calibrated to which figures.
    years : tuple of int
        In which they may come.
    seed : int
        Another one, other people.
    trend : bool
        Whether the published change goes on from the first year.
    outcomes : bool
        Whether what happens to them later is told too.
    """

    people: int
    country: str = "vn"
    scenario: str = "central"
    years: tuple[int, ...] = (2025,)
    seed: int = 1
    trend: bool = False
    outcomes: bool = False

    def metadata(self) -> dict[str, str]:
        """
        Say what every file says of itself.

        Returns
        -------
        dict of str to str
            Names begin with ``cdss.``; ``cdss batch`` carries them on.
        """
        return {
            "cdss.synthetic": "true",
            "cdss.synthetic.label": LABEL,
            "cdss.synthetic.source": SOURCE,
            "cdss.synthetic.generator": f"cdss {__version__}",
            "cdss.synthetic.country": self.country,
            "cdss.synthetic.scenario": self.scenario,
            "cdss.synthetic.seed": str(self.seed),
            "cdss.synthetic.people": str(self.people),
            "cdss.synthetic.years": ",".join(map(str, self.years)),
            "cdss.synthetic.trend": "published" if self.trend else "none",
            "cdss.synthetic.figures": _digest(self.country),
        }


@lru_cache
def _digest(country: str) -> str:
    """Of the files the population is drawn from."""
    found = hashlib.sha256()
    for name in (f"{country}.toml", f"{country}_decisions.toml", f"{country}_places.toml",
                 f"{country}_fitted.json", "cohorts.json"):  # fmt: skip
        found.update((resources.files(__package__) / name).read_bytes())
    return f"sha256 {found.hexdigest()}"


def drift_of(model: Model, plan: Plan, year: int) -> Array:
    """
    Tell how far normal scores have moved.

    Parameters
    ----------
    model : Model
        Of the country.
    plan : Plan
        Whether they move.
    year : int
        Until when.

    Returns
    -------
    ndarray of float32, shape (k, 2)
        By name and sex; 0 without a trend, and in the first year.
    """
    drift = np.zeros((len(model.names), 2), np.float32)
    if plan.trend:
        said = read_figures(plan.country).trend
        for name, key in (("fasting_glucose", "diabetes"), ("diabetes", "diabetes"),
                          ("bmi", "bmi")):  # fmt: skip
            drift[model.names.index(name)] = [
                said[f"{key}_{sex}"] * (year - plan.years[0]) for sex in ("male", "female")
            ]
    return drift
