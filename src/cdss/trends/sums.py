"""What was counted, before any noise: no figure of it leaves the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

PAIR = ("both", "first", "second", "product")
"""Numbers of people who were seen in two periods, for each share."""


@dataclass(frozen=True)
class Sums:
    """
    What is counted, exactly: not to be shown to anybody.

    Attributes
    ----------
    cells : polars.DataFrame
        A row a period, place, sex and band; a column a number.
    pairs : polars.DataFrame
        A row a period, place (the largest areas), sex and band; of people who were in the same cell
        in the period before, a column a share and each of `PAIR`.
    bins : polars.DataFrame
        How many are in which bin: ``period``, ``place``, ``variable``, ``bin``, ``count``.
    risks : polars.DataFrame
        Of people whose outcome is known: ``period``, ``place``, ``question``, ``bin``, ``count``,
        ``events``, ``expected`` (millionths).
    marks : mapping of str to int
        Period → what stands for its data.
    """

    cells: pl.DataFrame
    pairs: pl.DataFrame
    bins: pl.DataFrame
    risks: pl.DataFrame
    marks: Mapping[str, int]
