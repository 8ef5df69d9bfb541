"""
The risk model: named inputs, a pure function, its limits, its sources and its known answers.

A published equation and a trained network are the same thing made in two ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.errors import Problem
from cdss.estimate import (
    Contribution,
    NoEstimate,
    Outcome,
    RiskEstimate,
    expit,
    risk_per_log_odds,
)
from cdss.record import PatientRecord
from cdss.source import Source
from cdss.variables import VARIABLES, Value

Array = NDArray[Any]

_DEMONSTRATION = Problem("demonstration", "model", "was made from teaching data: not for patients")


_Encode = Callable[[Value | None], float]
_CONTRIBUTION = partial(tuple.__new__, Contribution)  # `Contribution._make` at half its price


@dataclass(frozen=True)
class RiskModel:
    """
    A risk model.

    Parameters
    ----------
    id, version : str
        Which model; ``id@version`` names its numbers for ever.
    outcome : str
        What may happen (or be present), a key of the translations.
    horizon_years : float or None
        Within how long; None means now.
    inputs, optional : tuple of str
        Required and optional predictors; together, in this order, the columns of `function`.
    function : callable
        ``x [n, k] float32 (NaN = unknown) → (probability [n], contributions [n, k] log-odds)``.
    baseline : float
        Log-odds relative to which contributions are counted.
    limits : mapping of str to (low, high)
        Range of each quantity in the derivation data, canonical unit; outside it, no estimate.
    excluded : tuple of str
        Yes/no variables; "yes" means the model does not apply, unknown gives a warning.
    measured_by : tuple of str
        Variables that measure the outcome itself; not used, so that a known one gives a warning.
    population : str
        Whom the numbers come from, one English sentence.
    sources : tuple of Source
        Where the numbers come from.
    demonstration : bool
        Made from teaching data: not for patients, off by default.
    facts : mapping
        What else is known about it (manifest or card), for display.
    """

    id: str
    version: str
    outcome: str
    horizon_years: float | None
    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    function: Callable[[Array], tuple[Array, Array]]
    baseline: float
    limits: Mapping[str, tuple[float, float]]
    excluded: tuple[str, ...]
    population: str
    sources: tuple[Source, ...]
    demonstration: bool = False
    measured_by: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def predictors(self) -> tuple[str, ...]:
        """Required, then optional predictors: the columns of `function`."""
        return self.inputs + self.optional

    def estimate(self, record: PatientRecord) -> Outcome:
        """
        Estimate one patient's risk.

        Parameters
        ----------
        record : PatientRecord
            One patient on one day.

        Returns
        -------
        RiskEstimate or NoEstimate
            A refusal lists every reason.
        """
        return self.estimate_all((record,))[0]

    def estimate_all(self, records: Sequence[PatientRecord]) -> list[Outcome]:
        """
        Estimate many patients' risks; the function runs once, on those to whom it applies.

        Parameters
        ----------
        records : sequence of PatientRecord
            Patients, each on their day.

        Returns
        -------
        list of RiskEstimate or NoEstimate
            In the order of `records`.
        """
        reasons = [self.reasons_against(record) for record in records]
        able = [record for record, against in zip(records, reasons, strict=True) if not against]
        answers = iter(self._answers(able)) if able else iter(())
        return [
            NoEstimate(self.id, self.version, self.outcome, self.horizon_years, against)
            if against
            else next(answers)
            for against in reasons
        ]

    def reasons_against(self, record: PatientRecord) -> tuple[Problem, ...]:
        """
        Why the model does not apply.

        Parameters
        ----------
        record : PatientRecord
            One patient on one day.

        Returns
        -------
        tuple of Problem
            Missing required inputs, values outside the derivation range, exclusions; empty if none.
        """
        values = record.values
        found = [
            Problem("missing_input", name, "is required and unknown")
            for name in self.inputs
            if name not in values
        ]
        found += [
            Problem("excluded", name, "applies to the patient: the model was not made for it")
            for name in self.excluded
            if values.get(name) is True
        ]
        for name, (low, high) in self.limits.items():
            value = values.get(name)
            if value is not None and not low <= float(value) <= high:
                unit = VARIABLES[name].unit
                found.append(
                    Problem("outside_limits", name,
                            f"is outside {low:g} to {high:g} {unit}, the derivation range",
                            {"low": low, "high": high, "unit": unit})
                )  # fmt: skip
        return tuple(found)

    @cached_property
    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[_Encode | None, ...]]:
        """Name and unit of each predictor, and how it is encoded unless as it is."""
        variables = [VARIABLES[name] for name in self.predictors]
        return (
            self.predictors,
            tuple(v.unit for v in variables),
            tuple(v.encode if v.kind == "choice" else None for v in variables),
        )

    def _answers(self, records: Sequence[PatientRecord]) -> list[RiskEstimate]:
        names, units, encoders = self._columns
        known = [[*map(record.values.get, names)] for record in records]
        x = np.array(
            [
                [
                    math.nan if value is None else encode(value) if encode else value
                    for value, encode in zip(values, encoders, strict=True)
                ]
                for values in known
            ],
            dtype=np.float32,
        )
        probability, contributions = self.function(x)
        start = expit(self.baseline)
        answers = []
        for record, values, p, row in zip(
            records, known, probability.tolist(), contributions.tolist(), strict=True
        ):
            share = risk_per_log_odds(p, start, math.fsum(row))
            points = [phi * share for phi in row]
            answers.append(
                RiskEstimate(
                    self.id,
                    self.version,
                    self.outcome,
                    self.horizon_years,
                    p,
                    start,
                    tuple(map(_CONTRIBUTION, zip(names, values, units, row, points, strict=True))),
                    tuple(name for name in self.optional if name not in record.values),
                    self._warnings(record),
                    self.demonstration,
                )
            )
        return answers

    def _warnings(self, record: PatientRecord) -> tuple[Problem, ...]:
        found = [_DEMONSTRATION] if self.demonstration else []
        found += [
            Problem("assumed_absent", name, "is unknown; the estimate holds only if it is absent")
            for name in self.excluded
            if name not in record.values
            and not (name == "pregnant" and record.values.get("sex") == "male")
        ]
        found += [
            Problem("outcome_measured", name, "measures the outcome itself and was not used")
            for name in self.measured_by
            if name in record.values
        ]
        mine = self.predictors + self.excluded
        found += [problem for problem in record.set_aside if problem.variable in mine]
        return tuple(found)
