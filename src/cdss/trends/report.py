"""A report: tidy tables of what may be published, and all there is to say of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdss.trends.cells import ALL, Cells
from cdss.trends.compare import Rates, Strata, change, standardise
from cdss.trends.estimates import Z, estimate
from cdss.trends.inputs import Inputs
from cdss.trends.measures import Measure
from cdss.trends.noise import Protection
from cdss.trends.suppress import SHOWN, SMALL, suppress
from cdss.trends.warn import change_z, funnel, holm
from cdss.trends.watch import Calibration, Drift

if TYPE_CHECKING:
    from cdss.trends.run import Options

Array = NDArray[Any]

_OF_WHOLE = ("standardised", "standardised_low", "standardised_high", "expected", "z", "between")
"""Columns that only cells of both sexes and all ages have."""

WORDS_OF = {SHOWN: None, SMALL: "small", 2: "with_it"}


@dataclass(frozen=True)
class Report:
    """
    What may be published.

    Attributes
    ----------
    inputs : Inputs
        Batches it is made of.
    options : Options
        What was asked.
    protection : Protection
        How figures are protected.
    measures : tuple of Measure
        What is told.
    absent : tuple of (str, tuple of str)
        What cannot be measured, and what it lacks.
    figures : polars.DataFrame
        A row a measure and cell.
    changes : polars.DataFrame
        A row a measure, large place and period after the first.
    drift : tuple of Drift
        How inputs moved.
    calibration : tuple of Calibration
        Predictions against what happened.
    periods : tuple of str
        The oldest first.
    """

    inputs: Inputs
    options: Options
    protection: Protection
    measures: tuple[Measure, ...]
    absent: tuple[tuple[str, tuple[str, ...]], ...]
    figures: pl.DataFrame
    changes: pl.DataFrame
    drift: tuple[Drift, ...]
    calibration: tuple[Calibration, ...]
    periods: tuple[str, ...]


def tables(
    measures: Sequence[Measure],
    cells: Cells,
    strata: Strata,
    pairs: Mapping[str, Array],
    protection: Protection,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Compute everything that is told of places and groups.

    Parameters
    ----------
    measures : sequence of Measure
        What is told.
    cells : Cells
        Figures with noise.
    strata : Strata
        Where they are, by place, period, and sex with age.
    pairs : mapping of str to ndarray
        Of people who were seen in two periods.
    protection : Protection
        What noise they carry, and how few are too few.

    Returns
    -------
    figures, changes : polars.DataFrame
        Tidy.
    """
    hidden = suppress(cells, measures, protection.least)
    figures, changes = [], []
    whole = _whole(cells, strata)
    for measure in measures:
        found = estimate(measure, cells, protection)
        gone = hidden[measure.id]
        mine: dict[str, Array] = {
            "count": found.counted, "among": found.among, "estimate": found.value,
            "low": found.low, "high": found.high,
            **{name: np.full(len(gone), math.nan) for name in _OF_WHOLE},
        }  # fmt: skip
        if measure.unit == "share" and not measure.kind.endswith("_bounds"):
            rates, share, spread, among = standardise(measure, cells, strata, protection)
            at = np.array([[whole[a, t] for t in strata.periods] for a in strata.places])
            _put(mine, at, rates)
            moved = change(strata, share, spread, among, pairs.get(measure.id), protection.least)
            table = _changes(measure, strata, moved, gone[at])
            if measure.worse:
                _against(measure, cells, strata, (share, among), at, mine, protection)
            changes.append(table)
        mine = {name: np.where(gone == SHOWN, values, math.nan) for name, values in mine.items()}
        figures.append(
            cells.keys.with_columns(
                pl.lit(measure.id).alias("measure"), pl.lit(measure.unit).alias("unit"),
                *(pl.Series(name, values) for name, values in mine.items()),
                pl.Series("suppressed", [WORDS_OF[int(each)] for each in gone], pl.String),
            )
        )  # fmt: skip
    told = pl.concat(figures).with_columns(pl.col(pl.Float64).fill_nan(None))
    return _warned(told, pl.concat(changes) if changes else _no_changes())


def _whole(cells: Cells, strata: Strata) -> dict[tuple[str, str], int]:
    where = cells.position()
    return {
        (area, period): where[period, int(at > 0), area, ALL, ALL]
        for at, area in enumerate(strata.places)
        for period in strata.periods
    }


def _put(mine: dict[str, Array], at: Array, rates: Rates) -> None:
    half = Z * np.sqrt(rates.variance)
    mine["standardised"][at] = rates.value
    mine["standardised_low"][at] = np.clip(rates.value - half, 0, 1)
    mine["standardised_high"][at] = np.clip(rates.value + half, 0, 1)


def _against(
    measure: Measure,
    cells: Cells,
    strata: Strata,
    parts: tuple[Array, Array],
    at: Array,
    mine: dict[str, Array],
    protection: Protection,
) -> None:
    """Each place in each period against what the country's shares would give there."""
    share, among = parts
    for t in range(len(strata.periods)):
        expected = (np.nan_to_num(share[0, t]) * among[1:, t]).sum(axis=-1)
        n = among[1:, t].sum(axis=-1)
        count = cells.values[measure.numerator.name][at[1:, t]]
        found = funnel(count, n, expected, protection, measure.worse)
        mine["expected"][at[1:, t]] = found.expected
        mine["z"][at[1:, t]] = found.z
        mine["between"][at[1:, t]] = found.between


def _changes(measure: Measure, strata: Strata, moved: Any, gone: Array) -> pl.DataFrame:
    half = Z * np.sqrt(moved.variance)
    z = np.full(moved.value.shape, math.nan)
    if measure.worse:
        for t in range(1, len(strata.periods)):
            country, noise = moved.value[0, t], moved.variance[0, t]
            z[1:, t] = change_z(
                moved.value[1:, t], moved.variance[1:, t], country, noise, measure.worse
            )
    shown = (gone[:, 1:] == SHOWN) & (gone[:, :-1] == SHOWN)
    rows = [
        (measure.id, area, strata.periods[t - 1], strata.periods[t], *(
            float(values[a, t]) for values in
            (moved.value, moved.value - half, moved.value + half, z)
        ))
        for a, area in enumerate(strata.places)
        for t in range(1, len(strata.periods))
        if shown[a, t - 1] and not math.isnan(moved.value[a, t])
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=_CHANGES, orient="row").with_columns(
        pl.col("z").fill_nan(None)
    )


_CHANGES = {
    "measure": pl.String, "area": pl.String, "since": pl.String, "period": pl.String,
    "change": pl.Float64, "low": pl.Float64, "high": pl.Float64, "z": pl.Float64,
}  # fmt: skip


def _no_changes() -> pl.DataFrame:
    return pl.DataFrame(schema=_CHANGES)


def _warned(figures: pl.DataFrame, changes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Warn of the latest period, at one false-alarm rate for all that is asked."""
    latest = figures["period"].max()
    level = [z if p == latest else None for z, p in figures.select("z", "period").iter_rows()]
    moved = [z if p == latest else None for z, p in changes.select("z", "period").iter_rows()]
    every = [math.nan if z is None else z for z in (*level, *moved)]
    warned = holm(every)
    return (
        figures.with_columns(pl.Series("warning", warned[: len(level)], pl.Boolean)),
        changes.with_columns(pl.Series("warning", warned[len(level) :], pl.Boolean)),
    )
