"""
Cells: places by sex and age, with the noise on; nothing exact leaves this module.

Whatever is published, intervals and suppression included, is computed from what `protect` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdss.trends.measures import MICRO, PEOPLE, Number
from cdss.trends.noise import Protection
from cdss.trends.sums import Sums

Array = NDArray[Any]

ALL = "*"
"""Everybody, whatever their sex or age; the whole, of places."""

OTHER = "…"
"""Places too small to be named, together."""

KEYS = ("period", "level", "area", "parent", "sex", "band")
_CROSSED = 1
"""Levels of places down to which sexes and ages are told; smaller places only as a whole."""


@dataclass(frozen=True)
class Cells:
    """
    Figures that may be computed with.

    Attributes
    ----------
    keys : polars.DataFrame
        A row a cell: `KEYS`. A place is named with those above it, ``"Hà Nội / Ba Vì"``.
    values : dict of str to ndarray, shape (n,)
        Number → people, or expected cases; noise included.
    """

    keys: pl.DataFrame
    values: dict[str, Array]

    def where(self, **wanted: Any) -> Array:
        """
        Find cells.

        Parameters
        ----------
        **wanted : str or int
            Key → value.

        Returns
        -------
        ndarray of int
            Their positions.
        """
        mine = pl.all_horizontal([pl.col(key) == value for key, value in wanted.items()])
        return np.asarray(self.keys.select(mine.arg_true()).to_series().to_numpy())

    def position(self) -> dict[tuple[Any, ...], int]:
        """
        Say where each cell is.

        Returns
        -------
        dict of tuple to int
            Period, level, area, sex and band → row.
        """
        told = self.keys.select("period", "level", "area", "sex", "band").iter_rows()
        return {key: at for at, key in enumerate(told)}


def protect(
    sums: Sums, numbers: Iterable[Number], areas: Sequence[str], protection: Protection, data: str
) -> Cells:
    """
    Make cells of what was counted, and put the noise on.

    Parameters
    ----------
    sums : Sums
        What was counted.
    numbers : iterable of Number
        What they count.
    areas : sequence of str
        Columns that say where, from the large to the small.
    protection : Protection
        How.
    data : str
        Code and models behind the data.

    Returns
    -------
    Cells
        Every place that is not too small, by sex and age, in every period.
    """
    numbers = list(numbers)
    names = [number.name for number in numbers]
    labels = {period: f"{data}|{period}|{mark}" for period, mark in sums.marks.items()}
    base = sums.cells
    if areas and not protection.epsilon:
        base = _small_together(base, areas, protection, labels)
    exact = _all_cells(base, areas, names)
    # every cell of a place that is named is there: one without anybody must not stand out
    keys = exact.select(KEYS)
    values = {}
    where = [f"{labels[row[0]]}|{'|'.join(map(str, row[1:]))}" for row in keys.iter_rows()]
    for number in numbers:
        values[number.name] = noisy(exact[number.name].to_numpy(), number, where, protection)
    return Cells(keys, values)


def noisy(exact: Array, number: Number, where: Sequence[str], protection: Protection) -> Array:
    """
    Put the noise on.

    Parameters
    ----------
    exact : ndarray of int, shape (n,)
        What was counted; of a sum, millionths.
    number : Number
        What it is.
    where : sequence of str
        Data and cell of each.
    protection : Protection
        How.

    Returns
    -------
    ndarray, shape (n,)
        People, or cases to three decimals; never below 0.
    """
    values = np.round(exact / MICRO, 3) if number.total else exact.astype(np.float64)
    noise = protection.noise([f"{label}|{number.definition}" for label in where], number.total)
    return np.maximum(values + noise, 0.0)


def _small_together(
    base: pl.DataFrame, areas: Sequence[str], protection: Protection, labels: Mapping[str, str]
) -> pl.DataFrame:
    """Places where too few were ever seen have no name, from the large to the small."""
    everybody = Number(PEOPLE, PEOPLE, pl.lit(True))
    data = "|".join(labels[period] for period in sorted(labels))
    for level in range(1, len(areas) + 1):
        here = [*areas[:level]]
        total = base.group_by(here).agg(pl.col(PEOPLE).sum()).sort(here)
        where = [f"{data}|named|{' / '.join(row)}" for row in total.select(here).iter_rows()]
        seen = noisy(total[PEOPLE].to_numpy(), everybody, where, protection)
        small = total.filter(pl.Series(seen < protection.least)).select(here)
        mark = small.with_columns(pl.lit(True).alias("small"))
        base = base.join(mark, on=here, how="left").with_columns(
            pl.when(pl.col("small")).then(pl.lit(OTHER)).otherwise(pl.col(areas[level - 1]))
            .alias(areas[level - 1])
        ).drop("small")  # fmt: skip
    keys = ["period", *areas, "sex", "band"]
    return base.group_by(keys).agg(pl.exclude(keys).sum())


def _all_cells(base: pl.DataFrame, areas: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    found = []
    for level in range(len(areas) + 1):
        here = [*areas[:level]]
        named = base.with_columns(
            pl.lit(level).alias("level"),
            _named(here).alias("area"),
            _named(here[:-1]).alias("parent"),
        )
        for sex, band in _splits(level):
            cut = named.with_columns(
                (pl.col("sex") if sex else pl.lit(ALL)).alias("sex"),
                (pl.col("band") if band else pl.lit(ALL)).alias("band"),
            )
            counted = cut.group_by(KEYS).agg(pl.col(name).sum() for name in names)
            found.append(_complete(counted, named, sex, band))
    return pl.concat(found).sort(KEYS)


def _splits(level: int) -> list[tuple[bool, bool]]:
    split = [(True, False), (False, True), (True, True)] if level <= _CROSSED else []
    return [(False, False), *split]


def splits(levels: int) -> int:
    """
    Say how many cells of a period everybody is in.

    Parameters
    ----------
    levels : int
        How many columns say where.

    Returns
    -------
    int
        At every level all, and of large places those of their sex, of their age, and of both.
    """
    return sum(len(_splits(level)) for level in range(levels + 1))


def _named(here: Sequence[str]) -> pl.Expr:
    return pl.concat_str([pl.col(name) for name in here], separator=" / ") if here else pl.lit(ALL)


def _complete(counted: pl.DataFrame, base: pl.DataFrame, sex: bool, band: bool) -> pl.DataFrame:
    grid = base.select("level", "area", "parent").unique()
    for key, used in (("period", True), ("sex", sex), ("band", band)):
        of = base.select(key).unique() if used else pl.DataFrame({key: [ALL]})
        grid = grid.join(of, how="cross")
    whole = grid.join(counted, on=KEYS, how="left")
    return whole.select(*KEYS, pl.exclude(KEYS).fill_null(0).cast(pl.Int64))
