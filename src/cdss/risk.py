"""
The risk model: named inputs, a pure function, its limits, its sources and its known answers.

A published equation and a trained network are the same thing made in two ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product, repeat
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.errors import Problem
from cdss.estimate import (
    Contribution,
    NoEstimate,
    Outcome,
    RiskEstimate,
    RiskRange,
    expit,
    risk_per_log_odds,
)
from cdss.limits import Finding, Limit, found_in, is_known, is_no, is_unknown, is_yes
from cdss.population import COMBINATION, by_pattern
from cdss.record import PatientRecord
from cdss.source import Source
from cdss.validity import Validity
from cdss.variables import VARIABLES, Value

Array = NDArray[Any]

_DEMONSTRATION = Problem("demonstration", "model", "was made from teaching data: not for patients")


class Columns(NamedTuple):
    """
    What a model says of many people.

    Attributes
    ----------
    low, high : ndarray, shape (n,)
        Least and greatest probability, 0-1, equal unless a yes/no or choice is unknown; NaN where
        the model does not apply.
    probability : ndarray, shape (n,)
        NaN unless it is one number.
    contributions : ndarray, shape (n, k)
        Log-odds by predictor; NaN unless there is a probability.
    interval_low, interval_high : ndarray, shape (n,)
        How sure the probability is (`cdss.estimate.Bounds`); NaN where there is no interval.
    outside : ndarray of bool, shape (n, j)
        What about the person is rare among the people the model was made from
        (`RiskModel.rarities`).
    """

    low: Array
    high: Array
    probability: Array
    contributions: Array
    interval_low: Array
    interval_high: Array
    outside: Array


def column_matrix(table: Mapping[str, Array], names: Sequence[str]) -> Array:
    """
    Put columns side by side.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (n,)
        Columns by name.
    names : sequence of str
        Which, in which order.

    Returns
    -------
    ndarray, shape (n, k)
        NaN for a column that is not there.
    """
    n = len(next(iter(table.values())))
    unknown = np.full(n, math.nan)
    return np.column_stack([np.asarray(table.get(name, unknown), np.float64) for name in names])


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
        ``x [n, k] float64 (NaN = unknown) → (probability [n], contributions [n, k] log-odds)``.
    baseline : float
        Log-odds relative to which contributions are counted.
    limits : mapping of str to Limit
        Range in which the model may be used, canonical unit; outside it, no estimate.
    compared : mapping of str to Limit
        Range within which an equation was compared with other people's programs; beyond it the
        estimate carries a warning.
    reference : mapping of str to value
        Whom contributions compare with; empty for the average person of the study.
    excluded : tuple of str
        Yes/no variables; "yes" means the model does not apply, unknown gives a warning.
    measured_by : tuple of str
        Variables that measure the outcome itself; not used, so that a known one gives a warning.
    population : str
        Whom the numbers come from, one English sentence.
    sources : tuple of Source
        Where the numbers come from.
    only_with : tuple of str
        Yes/no variables; unless "yes" the model does not apply.
    spanned : tuple of str
        Required yes/no and choice inputs which, when unknown, give a range over all their values.
    cautions : tuple of Problem
        What every reader of an estimate must know.
    off : bool
        Answers only when asked for by id.
    demonstration : bool
        Made from teaching data: not for patients, off by default.
    facts : mapping
        What else is known about it (manifest or card), for display.
    validity : Validity or None
        How sure its estimates are and whom it was made from, as far as it was measured.
    released : bool
        Has a release record; True for a published equation, which has known answers instead.
    alone : callable, optional
        ``x → probability`` without contributions, where that is cheaper and they are not asked for.
    """

    id: str
    version: str
    outcome: str
    horizon_years: float | None
    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    function: Callable[[Array], tuple[Array, Array]]
    baseline: float
    limits: Mapping[str, Limit]
    excluded: tuple[str, ...]
    population: str
    sources: tuple[Source, ...]
    demonstration: bool = False
    measured_by: tuple[str, ...] = ()
    only_with: tuple[str, ...] = ()
    spanned: tuple[str, ...] = ()
    cautions: tuple[Problem, ...] = ()
    compared: Mapping[str, Limit] = field(default_factory=dict)
    reference: Mapping[str, Value] = field(default_factory=dict)
    off: bool = False
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    validity: Validity | None = None
    released: bool = True
    alone: Callable[[Array], Array] | None = None

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is said beside every estimate."""
        return (_DEMONSTRATION, *self.cautions) if self.demonstration else self.cautions

    @cached_property
    def rarities(self) -> tuple[Problem, ...]:
        """What may be rare about a person; empty if nobody measured it."""
        validity = self.validity
        names = (*validity.quantities, COMBINATION) if validity else ()
        return tuple(map(validity.problem, names)) if validity else ()

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
        RiskEstimate, RiskRange or NoEstimate
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
        list of RiskEstimate, RiskRange or NoEstimate
            In the order of `records`.
        """
        found: list[Outcome | None] = []
        able = []
        for record in records:
            against = self.reasons_against(record)
            if against:
                found.append(self._refusal(against))
            elif open_ := [name for name in self.spanned if name not in record.values]:
                found.append(self._span(record, open_))
            else:
                found.append(None)
                able.append(record)
        answers = iter(self._answers(able)) if able else iter(())
        return [next(answers) if outcome is None else outcome for outcome in found]

    def _refusal(self, reasons: tuple[Problem, ...]) -> NoEstimate:
        return NoEstimate(self.id, self.version, self.outcome, self.horizon_years, reasons)

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
        return tuple(finding.problem for finding in self.objections if finding.holds(values))

    @cached_property
    def objections(self) -> tuple[Finding, ...]:
        """What may speak against an estimate."""
        missing = "is required and unknown"
        found = [
            Finding(Problem("missing_input", name, missing), is_unknown)
            for name in self.inputs
            if name not in self.spanned
        ]
        detail = "applies to the patient: the model was not made for it"
        found += [Finding(Problem("excluded", name, detail), is_yes) for name in self.excluded]
        detail = "does not apply to the patient: the model is for it"
        for name in self.only_with:
            found += [
                Finding(Problem("missing_input", name, missing), is_unknown),
                Finding(Problem("only_with", name, detail), is_no),
            ]
        found += [Finding(limit.problem(name), limit.passed) for name, limit in self.limits.items()]
        return tuple(found)

    @cached_property
    def remarks(self) -> tuple[Finding, ...]:
        """What may have to be said beside an estimate."""
        detail = "is unknown; the estimate holds only if it is absent"
        found = [
            Finding(Problem("assumed_absent", name, detail), is_unknown) for name in self.excluded
        ]
        detail = "measures the outcome itself and was not used"
        found += [
            Finding(Problem("outcome_measured", name, detail), is_known)
            for name in self.measured_by
        ]
        for name, limit in self.compared.items():
            low, high = (float(f"{end:.4g}") for end in (limit.low, limit.high))
            unit = VARIABLES[name].unit
            detail = (
                f"is outside {low:.4g} to {high:.4g} {unit}, "
                "where the equation was compared with other programs"
            )
            params = {"low": low, "high": high, "unit": unit}
            found.append(Finding(Problem("extrapolated", name, detail, params), limit.passed))
        return tuple(found)

    def columns(self, table: Mapping[str, Array]) -> Columns:
        """
        Estimate the risk of many people at once, in columns.

        Parameters
        ----------
        table : mapping of str to ndarray, shape (n,)
            Variable → values as `Variable.encode` gives them (canonical units, yes/no as 1 and 0,
            choices by position), NaN where unknown; a variable that is not there is unknown.

        Returns
        -------
        Columns
            NaN for those to whom the model does not apply; the same numbers as `estimate`.
        """
        x = column_matrix(table, self.predictors)
        n = len(x)
        low, high, probability, below, above = (np.full(n, math.nan) for _ in range(5))
        contributions = np.full(x.shape, math.nan)
        outside = np.zeros((n, len(self.rarities)), dtype=bool)
        able = ~found_in(self.objections, table, n).any(axis=1)
        spanned = [self.predictors.index(name) for name in self.spanned]
        open_ = np.isnan(x[:, spanned])
        known = np.flatnonzero(able & ~open_.any(axis=1))
        if len(known):
            probability[known], added = self.function(x[known])
            contributions = np.full(x.shape, math.nan, added.dtype)
            contributions[known] = added
            low[known] = high[known] = probability[known]
            if self.validity:
                found = self.validity.judge(x[known], probability[known])
                below[known], above[known] = found.low, found.high
                outside[known] = np.column_stack([found.rare, found.combination])
        spans = np.flatnonzero(able & open_.any(axis=1))
        for pattern, at in by_pattern(open_[spans]) if len(spans) else ():
            rows = spans[at]
            names = [n for n, unknown in zip(self.spanned, pattern, strict=True) if unknown]
            grid = self._grid(x[rows], names).reshape(len(rows), -1)
            low[rows], high[rows] = grid.min(axis=1), grid.max(axis=1)
        return Columns(low, high, probability, contributions, below, above, outside)

    def _grid(self, x: Array, names: Sequence[str]) -> Array:
        """Risk over every value of what is unknown: shape (n, values of the first, …)."""
        cases = [range(len(VARIABLES[name].options)) for name in names]
        columns = [self.predictors.index(name) for name in names]
        combinations = [*product(*cases)]
        filled = np.repeat(x, len(combinations), axis=0)
        filled[:, columns] = np.tile(combinations, (len(x), 1))
        risks = self.alone(filled) if self.alone else self.function(filled)[0]
        return risks.reshape(len(x), *map(len, cases))

    def _span(self, record: PatientRecord, names: list[str]) -> RiskRange:
        """Lowest and highest risk over every value of what is unknown."""
        grid = self._grid(self._matrix([self._known(record)]), names)[0]
        # How much of the range is left, at worst, when one of them becomes known.
        axes = range(grid.ndim)
        left = [
            float(np.ptp(grid, axis=tuple(a for a in axes if a != axis)).max()) for axis in axes
        ]
        order = sorted(zip(left, names, strict=True), key=lambda pair: pair[0])
        return RiskRange(
            self.id, self.version, self.outcome, self.horizon_years,
            float(grid.min()), float(grid.max()), tuple(name for _, name in order),
            self._warnings(record),
        )  # fmt: skip

    @cached_property
    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[_Encode | None, ...]]:
        """Name and unit of each predictor, and how it is encoded unless as it is."""
        variables = [VARIABLES[name] for name in self.predictors]
        return (
            self.predictors,
            tuple(v.unit for v in variables),
            tuple(v.encode if v.kind == "choice" else None for v in variables),
        )

    def _known(self, record: PatientRecord) -> list[Value | None]:
        return [*map(record.values.get, self._columns[0])]

    def _matrix(self, known: Sequence[Sequence[Value | None]]) -> Array:
        encoders = self._columns[2]
        return np.array(
            [
                [
                    math.nan if value is None else encode(value) if encode else value
                    for value, encode in zip(values, encoders, strict=True)
                ]
                for values in known
            ],
            dtype=np.float64,
        )

    def _answers(self, records: Sequence[PatientRecord]) -> list[RiskEstimate]:
        names, units, _ = self._columns
        known = [self._known(record) for record in records]
        x = self._matrix(known)
        probability, contributions = self.function(x)
        start = expit(self.baseline)
        risks = probability.tolist()
        sure = self.validity.each(x, risks) if self.validity else repeat((None, ()))
        answers = []
        for record, values, p, row, (interval, outside) in zip(
            records, known, risks, contributions.tolist(), sure, strict=False
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
                    self._warnings(record, outside),
                    self.demonstration,
                    self.reference,
                    interval,
                    outside,
                    self.released,
                )
            )
        return answers

    def _warnings(
        self, record: PatientRecord, outside: tuple[str, ...] = ()
    ) -> tuple[Problem, ...]:
        found = [*self.notes]
        found += [finding.problem for finding in self.remarks if finding.holds(record.values)]
        if self.validity:
            found += map(self.validity.problem, outside)
        mine = self.predictors + self.excluded
        found += [problem for problem in record.set_aside if problem.variable in mine]
        return tuple(found)
