"""
Points scores: each item counts some points, the total is compared with a cut-off.

A score is a folder like an equation's, with ``points.csv`` in place of coefficients. Points are not
a probability, and an item that is unknown makes the total a range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from cdss.datafile import only, read_csv, read_toml, source
from cdss.errors import DefinitionError, Problem
from cdss.estimate import Item, NoEstimate, PointsTotal
from cdss.limits import Finding, Limit, found_in, is_unknown, is_yes
from cdss.record import PatientRecord
from cdss.risk import Array
from cdss.source import Source
from cdss.variables import VARIABLES, Value

_COLUMNS = ("variable", "sex", "at_least", "above", "value", "points")


class Row(NamedTuple):
    """One line of ``points.csv``: who gets the points."""

    variable: str
    sex: str
    at_least: float
    above: float
    value: str
    points: int

    def holds(self, value: Value) -> bool:
        """
        Tell whether a known value gets the points.

        Parameters
        ----------
        value : float, bool or str
            In the canonical unit.

        Returns
        -------
        bool
            Of a quantity the highest row that holds counts; of others there is one.
        """
        if self.value:
            said = ("no", "yes")[value] if isinstance(value, bool) else value
            return self.value == said
        return float(value) >= self.at_least and float(value) > self.above

    def holds_in(self, values: Array) -> Array:
        """
        Tell which known values get the points.

        Parameters
        ----------
        values : ndarray, shape (n,)
            As `Variable.encode` gives them.

        Returns
        -------
        ndarray of bool, shape (n,)
            False where unknown.
        """
        if self.value:
            options = VARIABLES[self.variable].options
            names = ("no", "yes") if options == (False, True) else options
            return np.asarray(values == names.index(self.value))
        return np.asarray((values >= self.at_least) & (values > self.above))


class CutOff(NamedTuple):
    """From how many points on a score is positive, and who says so."""

    points: int
    source: str


@dataclass(frozen=True)
class PointsScore:
    """
    A points score; answers where a `cdss.RiskModel` does.

    Parameters
    ----------
    id, version, outcome : str
        As of a risk model.
    horizon_years : float or None
        Within how long; None means now.
    inputs : tuple of str
        The items, sex included where points depend on it.
    rows : tuple of Row
        Who gets which points; nobody else gets any.
    cut_off : CutOff
        From how many points on it is positive; a jurisdiction may set another.
    excluded : tuple of str
        Yes/no variables; "yes" means the score does not apply.
    limits : mapping of str to Limit
        Range in which the score may be used.
    sources : tuple of Source
        Where the points come from.
    cautions : tuple of Problem
        What every reader must know.
    facts : mapping
        What else is known about it.
    """

    id: str
    version: str
    outcome: str
    horizon_years: float | None
    inputs: tuple[str, ...]
    rows: tuple[Row, ...]
    cut_off: CutOff
    excluded: tuple[str, ...]
    sources: tuple[Source, ...]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    cautions: tuple[Problem, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    optional: tuple[str, ...] = ()
    population: str = ""
    off: bool = False
    demonstration: bool = False

    @property
    def predictors(self) -> tuple[str, ...]:
        """The items."""
        return self.inputs

    @property
    def most(self) -> int:
        """Points nobody can exceed."""
        return max(
            sum(max(self._points(i, sex)) for i in self.items) for sex in VARIABLES["sex"].choices
        )

    @property
    def items(self) -> tuple[str, ...]:
        """Variables that count points."""
        return tuple(dict.fromkeys(row.variable for row in self.rows))

    def with_cut_off(self, cut_off: CutOff) -> PointsScore:
        """
        Say from how many points on the score is positive.

        Parameters
        ----------
        cut_off : CutOff
            Points and source.

        Returns
        -------
        PointsScore
            The same score with another cut-off.
        """
        return replace(self, cut_off=cut_off)

    def estimate(self, record: PatientRecord) -> PointsTotal | NoEstimate:
        """
        Count one patient's points.

        Parameters
        ----------
        record : PatientRecord
            One patient on one day.

        Returns
        -------
        PointsTotal or NoEstimate
            A refusal lists every reason; unknown items make the total a range.
        """
        against = tuple(f.problem for f in self.objections if f.holds(record.values))
        if against:
            return NoEstimate(self.id, self.version, self.outcome, self.horizon_years, against)
        sex = str(record.values.get("sex", ""))
        items = tuple(self._item(name, sex, record) for name in self.items)
        low, high = sum(i.low for i in items), sum(i.high for i in items)
        unknown = sorted((i for i in items if i.value is None), key=lambda i: i.low - i.high)
        positive = None if low < self.cut_off.points <= high else low >= self.cut_off.points
        said = tuple(f.problem for f in self.remarks if f.holds(record.values))
        return PointsTotal(
            self.id, self.version, self.outcome, self.horizon_years, low, high, self.most, items,
            tuple(i.variable for i in unknown), self.cut_off.points, positive, self.cautions + said,
        )  # fmt: skip

    def estimate_all(self, records: Sequence[PatientRecord]) -> list[PointsTotal | NoEstimate]:
        """
        Count many patients' points.

        Parameters
        ----------
        records : sequence of PatientRecord
            Patients, each on their day.

        Returns
        -------
        list of PointsTotal or NoEstimate
            In the order of `records`.
        """
        return [self.estimate(record) for record in records]

    def columns(self, table: Mapping[str, Array]) -> tuple[Array, Array]:
        """
        Count the points of many people at once, in columns.

        Parameters
        ----------
        table : mapping of str to ndarray, shape (n,)
            As `RiskModel.columns` takes it.

        Returns
        -------
        low, high : ndarray, shape (n,)
            Fewest and most points; NaN for those to whom the score does not apply.
        """
        n = len(next(iter(table.values())))
        unknown = np.full(n, math.nan)
        sexes = table.get("sex", unknown)
        low, high = np.zeros(n), np.zeros(n)
        for name in self.items:
            value = table.get(name, unknown)
            missing = np.isnan(value)
            for code, sex in self._sexes(name):
                mine = sexes == code if sex else slice(None)
                rows = [r for r in self.rows if r.variable == name and r.sex in (sex, "")]
                counted = np.zeros(n)
                for row in rows:
                    counted[row.holds_in(value)] = row.points
                possible = self._points(name, sex) if rows else {0}
                low[mine] += np.where(missing, min(possible), counted)[mine]
                high[mine] += np.where(missing, max(possible), counted)[mine]
        refused = found_in(self.objections, table, n).any(axis=1)
        low[refused] = high[refused] = math.nan
        return low, high

    @cached_property
    def objections(self) -> tuple[Finding, ...]:
        """What may speak against counting."""
        found = [
            Finding(Problem("missing_input", name, "is required and unknown"), is_unknown)
            for name in ("age", "sex")
            if name in self.inputs
        ]
        detail = "applies to the patient: the score was not made for it"
        found += [Finding(Problem("excluded", name, detail), is_yes) for name in self.excluded]
        found += [Finding(limit.problem(name), limit.passed) for name, limit in self.limits.items()]
        return tuple(found)

    @cached_property
    def remarks(self) -> tuple[Finding, ...]:
        """What may have to be said beside a total."""
        detail = "is unknown; the points hold only if it is absent"
        return tuple(
            Finding(Problem("assumed_absent", name, detail), is_unknown) for name in self.excluded
        )

    def _item(self, name: str, sex: str, record: PatientRecord) -> Item:
        rows = [r for r in self.rows if r.variable == name and r.sex in (sex, "")]
        value = record.values.get(name)
        if value is not None or not rows:
            # The highest band that holds is the last one given.
            points = ([0] + [r.points for r in rows if value is not None and r.holds(value)])[-1]
            return Item(name, value, points, points)
        possible = self._points(name, sex)
        return Item(name, None, min(possible), max(possible))

    def _sexes(self, name: str) -> Iterable[tuple[int, str]]:
        """Number and name of the sexes of which an item counts differently; one without if none."""
        differs = name == "sex" or any(r.sex for r in self.rows if r.variable == name)
        return enumerate(VARIABLES["sex"].choices) if differs else [(-1, "")]

    def _points(self, name: str, sex: str) -> set[int]:
        """Points an item can count for somebody of a sex."""
        if name == "sex":
            return {sum(r.points for r in self.rows if r.variable == name and r.value == sex)}
        rows = [r for r in self.rows if r.variable == name and r.sex in (sex, "")]
        counted = {r.points for r in rows}
        values = {r.value for r in rows if r.value}
        options = VARIABLES[name].options
        return counted if values and len(values) == len(options) else {0, *counted}


def load_points(package: str) -> tuple[PointsScore, ...]:
    """
    Make the points score of a folder.

    Parameters
    ----------
    package : str
        The folder's package, ``__name__`` of its ``__init__.py``.

    Returns
    -------
    tuple of PointsScore
        One.

    Raises
    ------
    DefinitionError
        If a file has an unknown key or variable, a number without locator, or lacks something.
    """
    folder = resources.files(package)
    name = package.rpartition(".")[2]
    facts = read_toml(folder / "equation.toml")
    only(
        facts, name, "version id outcome source cut_off", "horizon_years excluded cautions sources"
    )
    only(facts["cut_off"], f"{name}: cut_off", "points locator")
    rows = tuple(_row(row, name) for row in read_csv(folder / "points.csv", _COLUMNS))
    by_sex = {"sex"} if any(row.sex for row in rows) else set()
    items = dict.fromkeys(row.variable for row in rows)
    excluded = tuple(facts.get("excluded", ()))
    if unknown := {*items, *excluded} - set(VARIABLES):
        raise DefinitionError(f"{name}: unknown variables: {', '.join(sorted(unknown))}")
    cited = source(facts["source"], name)
    author = cited.citation.partition(",")[0]
    return (
        PointsScore(
            id=facts["id"],
            version=facts["version"],
            outcome=facts["outcome"],
            horizon_years=facts.get("horizon_years"),
            inputs=(*by_sex, *(item for item in items if item not in by_sex)),
            rows=rows,
            cut_off=CutOff(facts["cut_off"]["points"], f"{author}, {facts['cut_off']['locator']}"),
            excluded=excluded,
            sources=(cited, *(source(s, name) for s in facts.get("sources", ()))),
            cautions=tuple(
                Problem(code, "model", code.replace("_", " ")) for code in facts.get("cautions", ())
            ),
            facts=MappingProxyType({"equation": name}),
        ),
    )


def _row(row: Mapping[str, str], name: str) -> Row:
    at_least, above = (float(row[end] or -math.inf) for end in ("at_least", "above"))
    if row["value"] and math.isfinite(max(at_least, above)):
        raise DefinitionError(f"{name}: a row has a value and a range")
    return Row(row["variable"], row["sex"], at_least, above, row["value"], int(row["points"]))
