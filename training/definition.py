"""What a trained model is before it is trained: whom it is for, what it predicts, from what."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdss.variables import VARIABLES
from training import models
from training.data import Table


@dataclass(frozen=True)
class Cohort:
    """
    The people a model is made from, and what happened to them.

    Attributes
    ----------
    x : pandas.DataFrame, shape (n, k)
        Predictors as float32, NaN = unknown.
    y : ndarray of int, shape (n,)
        1 if the outcome occurred within the horizon (or is present now).
    weight : ndarray, shape (n,)
        Inverse probability of being known at the horizon: 0 if censored before, 1 if nobody is.
    log_time : ndarray, shape (n,)
        log(follow-up / horizon) where status is known at a visit whose time varies; else 0.
    person, site : ndarray, shape (n,)
        Who (rows of one person stay together), and where (None if there is one place).
    flow : tuple of (str, int)
        How many people were left after each step of eligibility.
    people : pandas.DataFrame, shape (n, columns)
        Everything the table says of them, for comparisons and audits; never for fitting.
    """

    x: pd.DataFrame
    y: np.ndarray
    weight: np.ndarray
    log_time: np.ndarray
    person: np.ndarray
    site: np.ndarray | None
    flow: tuple[tuple[str, int], ...]
    people: pd.DataFrame

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: np.ndarray) -> Cohort:
        """The same for some of the rows (a boolean mask or indices)."""
        return Cohort(
            self.x.iloc[rows] if rows.dtype != bool else self.x[rows],
            self.y[rows],
            self.weight[rows],
            self.log_time[rows],
            self.person[rows],
            None if self.site is None else self.site[rows],
            self.flow,
            self.people.iloc[rows] if rows.dtype != bool else self.people[rows],
        )

    @property
    def part(self) -> np.ndarray | None:
        """Where people come from that a model may be left without: site, or survey cycle."""
        if self.site is not None:
            return self.site
        return self.people["cycle"].astype(str).to_numpy() if "cycle" in self.people else None


class Flow:
    """Participant flow: keep who fulfils a criterion, and note how many are left."""

    def __init__(self, frame: pd.DataFrame, everybody: str) -> None:
        self.frame = frame
        self.steps = [(everybody, len(frame))]

    def keep(self, criterion: str, rows: pd.Series) -> None:
        """Keep the rows where `rows` is true; missing counts as not fulfilled."""
        self.frame = self.frame[rows.fillna(False).to_numpy(dtype=bool)]
        self.steps.append((criterion, len(self.frame)))

    def cohort(
        self,
        predictors: tuple[str, ...],
        y: np.ndarray | pd.Series,
        *,
        weight: np.ndarray | None = None,
        log_time: np.ndarray | None = None,
        site: str | None = None,
    ) -> Cohort:
        """Make the cohort of who is left; without `weight` nobody is censored."""
        people, n = self.frame, len(self.frame)
        return Cohort(
            x=predictors_of(people, predictors),
            y=np.asarray(y, dtype=int),
            weight=np.ones(n) if weight is None else weight,
            log_time=np.zeros(n) if log_time is None else log_time,
            person=people["person"].to_numpy(),
            site=None if site is None else people[site].to_numpy(),
            flow=tuple(self.steps),
            people=people,
        )


@dataclass(frozen=True)
class Definition:
    """
    A trained model's definition.

    Parameters
    ----------
    id, outcome : str
        Public id, and the outcome's key in the translations.
    title : str
        One line for humans.
    horizon_years : float or None
        Within how long; None means now.
    dataset : str
        Data set it is developed on.
    inputs, optional : dict of str to str
        Required and optional predictors, each with the reason it is one.
    excluded : tuple of str
        Yes/no variables whose "yes" makes a patient ineligible.
    monotone : dict of str to int
        +1 or -1 where evidence for the direction of the effect is one-directional.
    tiers : dict of str to tuple of str
        What is known in each tier, as groups of variables; "all" means as observed.
    cohort : callable
        Table → Cohort: eligibility, outcome, censoring.
    population, outcome_definition, exclusions, time_handling : str
        For humans; they end up in manifest and card.
    measured_by : tuple of str
        Variables that measure the outcome itself, and are therefore not predictors.
    demonstration : bool
        From teaching data: never for patients.
    """

    id: str
    title: str
    outcome: str
    horizon_years: float | None
    dataset: str
    inputs: Mapping[str, str]
    optional: Mapping[str, str]
    excluded: tuple[str, ...]
    monotone: Mapping[str, int]
    cohort: Callable[[Table], Cohort]
    population: str
    outcome_definition: str
    exclusions: str
    time_handling: str
    measured_by: tuple[str, ...] = ()
    demonstration: bool = False
    some_laboratory: tuple[str, ...] = field(default=("lipids",))

    @property
    def predictors(self) -> tuple[str, ...]:
        """Required, then optional predictors."""
        return (*self.inputs, *self.optional)

    @property
    def panels(self) -> dict[str, tuple[str, ...]]:
        """Optional predictors by the group they are measured in (and go missing in)."""
        groups: dict[str, list[str]] = {}
        for name in self.optional:
            groups.setdefault(VARIABLES[name].group, []).append(name)
        return {group: tuple(names) for group, names in groups.items()}

    @property
    def laboratory_panels(self) -> tuple[str, ...]:
        """The panels that need a laboratory."""
        return tuple(g for g, names in self.panels.items() if VARIABLES[names[0]].laboratory)

    @property
    def tiers(self) -> dict[str, tuple[str, ...]]:
        """Tier → the panels that are hidden in it."""
        laboratory = self.laboratory_panels
        tiers = {"required_only": tuple(self.panels)}
        if laboratory:
            tiers["no_laboratory"] = laboratory
        if len(laboratory) > 1:
            tiers["some_laboratory"] = tuple(p for p in laboratory if p not in self.some_laboratory)
        return tiers | {"all": ()}

    def hide(self, x: pd.DataFrame, panels: tuple[str, ...]) -> pd.DataFrame:
        """`x` as it would be if some panels had not been asked or measured."""
        hidden = [name for panel in panels for name in self.panels[panel]]
        return x.assign(**{name: np.float32(np.nan) for name in hidden}) if hidden else x


def definitions() -> dict[str, Definition]:
    """Every model's definition by id; one file of ``training/models`` each."""
    found = sorted(_definitions(), key=lambda d: d.id)
    return {definition.id: definition for definition in found}


def _definitions() -> Iterator[Definition]:
    for module in pkgutil.iter_modules(models.__path__):
        yield importlib.import_module(f"{models.__name__}.{module.name}").DEFINITION


def predictors_of(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The predictors' columns as float32; a column the data set lacks is unknown for everybody."""
    return pd.DataFrame(
        {name: frame.get(name, np.nan) for name in names}, index=frame.index
    ).astype("float32")
