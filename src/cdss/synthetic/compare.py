"""Holding a population against the published figures and the cohorts its structure came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cdss.synthetic.columns import DECIMALS, SCHEMA
from cdss.synthetic.complete import complete_people
from cdss.synthetic.figures import Figure, read_figures
from cdss.synthetic.margins import SEXES
from cdss.synthetic.model import Model, load_model
from cdss.synthetic.places import make_places, province_names
from cdss.synthetic.plan import BLOCK, LABEL, Plan, drift_of
from cdss.synthetic.states import state
from cdss.synthetic.structure import AGES, correlations, learned_correlations

Array = NDArray[Any]

MOST = 400_000
"""People that are measured: the first of the population, with nothing left out."""

BY_AGE = ("hypertension_state", "diabetes_state", "systolic_bp", "bmi")
RESIDUAL = ("waist", "hba1c")
"""Drawn given other quantities: their correlations in the cohorts are of residuals."""


@dataclass(frozen=True)
class Found:
    """
    A figure, and what the population has.

    Attributes
    ----------
    figure : Figure
        As published.
    aim : float or None
        What the scenario aims at; None if it does not.
    value : float
        In the population.
    error : float
        Standard error of it, of chance alone.
    """

    figure: Figure
    aim: float | None
    value: float
    error: float

    @property
    def met(self) -> bool | None:
        """
        Tell whether the population is as near its aim as it should be.

        Returns
        -------
        bool or None
            None without an aim. A small population is given two standard errors more.
        """
        if self.aim is None:
            return None
        return abs(self.value - self.aim) <= self.figure.tolerance + 2 * self.error

    @property
    def inside(self) -> bool:
        """
        Tell whether the population has what was published, or lies in the interval.

        Returns
        -------
        bool
            Of figures that are not aimed at too.
        """
        figure = self.figure
        low = figure.value - figure.tolerance if figure.low is None else figure.low
        high = figure.value + figure.tolerance if figure.high is None else figure.high
        return min(low, figure.value) <= self.value <= max(high, figure.value)


@dataclass(frozen=True)
class Comparison:
    """
    All there is to say of a population.

    Attributes
    ----------
    plan : Plan
        Which population.
    title : str
        Of its scenario.
    people : int
        How many were measured.
    found : tuple of Found
        Figures.
    by_age : dict
        Measure → sex → values, one an age band.
    names : tuple of str
        Quantities whose correlations were compared.
    correlations, learned : ndarray, shape (k, k)
        Of the population and of the cohorts, mean over sex and age groups.
    provinces : dict of str to float
        Name → share with hypertension.
    missing : dict
        Year → level of care → variable → share not measured; of the files as they are.
    """

    plan: Plan
    title: str
    people: int
    found: tuple[Found, ...]
    by_age: dict[str, dict[str, list[float | None]]]
    names: tuple[str, ...]
    correlations: Array
    learned: Array
    provinces: dict[str, float]
    missing: dict[str, dict[str, dict[str, float]]]

    @property
    def met(self) -> bool:
        """
        Tell whether every aim is met.

        Returns
        -------
        bool
            As `Found.met` of all.
        """
        return all(each.met is not False for each in self.found)

    def as_json(self) -> dict[str, Any]:
        """
        Say it to programs.

        Returns
        -------
        dict
            Of JSON types.
        """
        apart = np.abs(self.correlations - self.learned)
        return {
            "synthetic": True,
            "label": LABEL,
            "plan": asdict(self.plan) | {"years": list(self.plan.years)},
            "people_measured": self.people,
            "met": self.met,
            "figures": [
                {
                    **{key: value for key, value in asdict(each.figure).items() if key != "source"},
                    "source": each.figure.source.citation,
                    "locator": each.figure.source.locator,
                    "aim": each.aim,
                    "population": round(each.value, 5),
                    "standard_error": round(each.error, 5),
                    "met": each.met,
                    "in_interval": each.inside,
                }
                for each in self.found
            ],
            "by_age": {"bands": [list(band) for band in AGES], **self.by_age},
            "correlations": {
                "names": list(self.names),
                "population": self.correlations.round(3).tolist(),
                "cohorts": self.learned.round(3).tolist(),
                "largest_difference": round(float(apart.max()), 3),
                "mean_difference": round(float(apart[np.triu_indices(len(apart), 1)].mean()), 4),
            },
            "hypertension_by_province": self.provinces,
            "missing": self.missing,
        }


def compare(plan: Plan, out: Path | None = None) -> Comparison:
    """
    Measure a population.

    Parameters
    ----------
    plan : Plan
        Which.
    out : Path, optional
        Where its files are; without, nothing is said of what is missing in them.

    Returns
    -------
    Comparison
        Of its first year, before any trend.
    """
    model = load_model(plan.country, plan.scenario)
    figures = read_figures(plan.country)
    places = make_places(plan.country, model.decisions["spread"], plan.seed)
    year = plan.years[0]
    many = min(plan.people, MOST)
    people = complete_people(
        model, places, seed=plan.seed, people=many, block=BLOCK, first=year, year=year,
        drift=drift_of(model, plan, year),
    )  # fmt: skip
    weights = figures.weights(people)
    aims = figures.scenarios[plan.scenario]
    found = tuple(
        Found(figure, aims.get(figure.id), figure.measure(people, weights),
              figure.error(people, weights))
        for figure in figures.figures
    )  # fmt: skip
    names = tuple(n for n in model.names if n in DECIMALS or n == "bmi" if n not in RESIDUAL)
    province = list(province_names(plan.country).values())
    raised = state(people, "hypertension_state")
    shares = {
        name: float(raised[people["province"] == at].mean())
        for at, name in enumerate(province)
        if (people["province"] == at).any()
    }
    return Comparison(
        plan, figures.titles[plan.scenario], many, found, _by_age(people), names,
        correlations(people, names), learned_correlations(names), shares,
        missing_in(out, plan.years, model) if out else {},
    )  # fmt: skip


def _by_age(people: dict[str, Array]) -> dict[str, dict[str, list[float | None]]]:
    return {
        what: {
            word: [
                round(float(np.mean(state(people, what)[inside])), 4) if inside.any() else None
                for inside in (
                    (people["sex"] == sex) & (people["age"] >= low) & (people["age"] <= high)
                    for low, high in AGES
                )
            ]
            for sex, word in enumerate(SEXES)
        }
        for what in BY_AGE
    }


def missing_in(
    out: Path, years: tuple[int, ...], model: Model
) -> dict[str, dict[str, dict[str, float]]]:
    """
    Count what is not measured, in the first part of each year.

    Parameters
    ----------
    out : Path
        Where the files are.
    years : tuple of int
        Which.
    model : Model
        With the levels of care.

    Returns
    -------
    dict
        Year → level → variable → share.
    """
    asked = [name for name in SCHEMA.names if name in DECIMALS or name == "smoking"]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for year in years:
        path = out / str(year) / "part-00000.parquet"
        table = pq.read_table(path, columns=[*asked, "care_level"])
        found[str(year)] = {}
        for level in model.decisions["care"]["levels"]:
            rows = table.filter(pc.equal(table["care_level"], level))
            found[str(year)][level] = {
                name: round(rows[name].null_count / max(rows.num_rows, 1), 4) for name in asked
            }
    return found
