"""
Visits to people: one row a person and period, however many visits, and what became of them.

Visits are written to buckets by who it is, so that all visits of somebody are in one bucket and a
bucket fits in memory however many people there are. A bucket knows people by keyed hashes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cdss.trends.measures import Measure, Number, definitions
from cdss.trends.sums import PAIR, Sums

BUCKET = 500_000
"""Visits in a bucket, about."""

Times = Callable[[NDArray[Any], str], NDArray[Any]]
"""Of people and a period: how often each of them counts."""


class Buckets:
    """
    Visits, by who it is.

    Parameters
    ----------
    folder : Path
        An empty folder; whoever made it removes it.
    visits : int
        How many there will be.

    Attributes
    ----------
    marks : dict of str to int
        Period → what stands for its data.
    last : datetime.date
        Day of the last of them.
    """

    def __init__(self, folder: Path, visits: int) -> None:
        self._paths = [folder / f"{at}.parquet" for at in range(visits // BUCKET + 1)]
        self._writers: list[Any] = []
        self.last: date = date.min
        self.marks: dict[str, int] = {}

    def __enter__(self) -> Buckets:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for writer in self._writers:
            writer.close()

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, visits: pl.DataFrame) -> None:
        """
        Put visits away.

        Parameters
        ----------
        visits : polars.DataFrame
            As `cdss.trends.visits.Reader.read` gives them.
        """
        for (period,), mine in visits.group_by("period"):
            mark = int(mine["mark"].to_numpy().sum(dtype=np.uint64))
            self.marks[str(period)] = (self.marks.get(str(period), 0) + mark) % 2**64
        self.last = max(self.last, *visits["day"].unique())
        if not self._writers:
            schema = visits.to_arrow().schema
            self._writers = [pq.ParquetWriter(p, schema, compression="lz4") for p in self._paths]
        many = len(self._paths)
        for at, writer in enumerate(self._writers):
            mine = visits if many == 1 else visits.filter(pl.col("who") % many == at)
            writer.write_table(mine.to_arrow())

    def read(self) -> Iterator[pl.DataFrame]:
        """
        Give the visits back; after the end of the ``with``.

        Yields
        ------
        polars.DataFrame
            A bucket, by person and day.
        """
        for path in self._paths:
            if path.exists():
                yield pl.read_parquet(path).sort("who", "day")


def count(
    buckets: Buckets,
    measures: Sequence[Measure],
    areas: Sequence[str],
    grace: Mapping[str, int],
    outcomes: pl.DataFrame | None = None,
    times: Times | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Sums:
    """
    Count people.

    Parameters
    ----------
    buckets : Buckets
        All visits.
    measures : sequence of Measure
        What is counted.
    areas : sequence of str
        Columns that say where.
    grace : mapping of str to int
        How soon somebody is due → days after which they did not come.
    outcomes : polars.DataFrame, optional
        ``who``, ``day``, ``question``, ``event``.
    times : callable, optional
        Of who and period: how often each counts; once by default.
    advance : callable
        Is called after each bucket.

    Returns
    -------
    Sums
        What is counted.
    """
    numbers = list({n.name: n for m in measures for n in m.numbers()}.values())
    shares = [m for m in measures if m.unit == "share"]
    keys = ["period", *areas, "sex", "band"]
    return _Counter(
        numbers, shares, keys, [*areas[:1]], grace, buckets.last, buckets.marks, outcomes, times
    ).all(buckets.read(), advance)


@dataclass(frozen=True)
class _Counter:
    numbers: Sequence[Number]
    shares: Sequence[Measure]
    keys: list[str]
    place: list[str]
    grace: Mapping[str, int]
    last: date
    marks: Mapping[str, int]
    outcomes: pl.DataFrame | None
    times: Times | None

    def all(self, buckets: Iterable[pl.DataFrame], advance: Callable[[], None]) -> Sums:
        cells, pairs, bins, risks = [], [], [], []
        for visits in buckets:
            visits = self._weighed(visits)
            people = self._people(visits)
            cells.append(people.group_by(self.keys).agg(self._sum(n.name) for n in self.numbers))
            pairs.append(self._pairs(people))
            bins += [*self._bins(people)]
            if self.outcomes is not None:
                risks += [*self._risks(visits)]
            advance()
        return Sums(
            _together(cells, self.keys),
            _together(pairs, ["period", *self.place, "sex", "band"]),
            _together(bins, ["period", "place", "variable", "bin"]),
            _together(risks, ["period", "place", "question", "bin"]),
            self.marks,
        )

    @property
    def periods(self) -> list[str]:
        return sorted(self.marks)

    @staticmethod
    def _sum(name: str) -> pl.Expr:
        return (pl.col(name).cast(pl.Int64) * pl.col("times")).sum()

    def _weighed(self, visits: pl.DataFrame) -> pl.DataFrame:
        whole = np.ones(visits.height, np.int64)
        if self.times is not None:
            for period in self.periods:
                mine = (visits["period"] == period).to_numpy()
                whole[mine] = self.times(visits["who"].to_numpy()[mine], period)
        return visits.with_columns(pl.Series("times", whole))

    def _people(self, visits: pl.DataFrame) -> pl.DataFrame:
        """Everybody once a period, as at the last visit in it; and whether they came when due."""
        people = visits.group_by("who", "period", maintain_order=True).last()
        later = pl.col("day").shift(-1).over("who")
        for name, grace in self.grace.items():
            days = pl.col(f"days:{name}")
            until = pl.col("day") + pl.duration(days=days.cast(pl.Int64) + grace)
            asked = (
                visits.select("who", "period", "day", f"days:{name}", later.alias("later"))
                .filter(days.is_not_null())
                .group_by("who", "period", maintain_order=True).first()
                .select(
                    "who", "period",
                    (until <= self.last).alias(f"due:{name}"),
                    (pl.col("later").is_null() | (pl.col("later") > until)).alias("away"),
                )
                .with_columns((pl.col("away") & pl.col(f"due:{name}")).alias(f"unmet:{name}"))
            )  # fmt: skip
            people = people.join(asked.drop("away"), on=["who", "period"], how="left").with_columns(
                pl.col(f"due:{name}", f"unmet:{name}").fill_null(False)
            )
        return people

    def _pairs(self, people: pl.DataFrame) -> pl.DataFrame:
        """Of those who were in the same place, sex and band in the period before."""
        names = sorted({n.name for m in self.shares for n in (m.numerator, m.denominator)})
        before = {
            period: after for period, after in zip(self.periods, self.periods[1:], strict=False)
        }
        keys = [*self.place, "sex", "band"]
        earlier = people.select(
            "who", *keys,
            pl.col("period").replace_strict(before, default=None, return_dtype=pl.String),
            *(pl.col(name).alias(f"{name}:1") for name in names),
        ).drop_nulls("period")  # fmt: skip
        both = people.join(earlier, on=["who", "period", *keys])
        found = []
        for measure in self.shares:
            one, other = (pl.col(f"{measure.denominator.name}{at}") for at in ("", ":1"))
            y, x = (pl.col(f"{measure.numerator.name}{at}").cast(pl.Int64) for at in ("", ":1"))
            kept = one & other
            product = (y // 1000) * (x // 1000) if measure.numerator.total else y * x
            of = {"both": kept.cast(pl.Int64), "first": x, "second": y, "product": product}
            found += [
                (of[name] * pl.col("times")).filter(kept).sum().alias(f"{measure.id}:{name}")
                for name in PAIR
            ]
        return both.group_by("period", *keys).agg(found)

    def _bins(self, people: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for column in people.columns:
            if column.startswith("drift:"):
                for place in (pl.lit(""), *(pl.col(name) for name in self.place)):
                    yield people.group_by(
                        "period", place.alias("place"),
                        pl.lit(column.partition(":")[2]).alias("variable"),
                        pl.col(column).cast(pl.Int64).alias("bin"),
                    ).agg(pl.col("times").sum().alias("count"))  # fmt: skip

    def _risks(self, visits: pl.DataFrame) -> Iterator[pl.DataFrame]:
        assert self.outcomes is not None
        cuts = [round(cut * 1_000_000) for cut in definitions()["calibration"]["cuts"]]
        for (question,), known in self.outcomes.group_by("question"):
            told = f"{question}:probability"
            if told not in visits.columns:
                continue
            with_outcome = visits.join(known.drop("question"), on=["who", "day"]).filter(
                pl.col(f"{question}:estimate")
            )
            at = sum(((pl.col(told) >= cut).cast(pl.Int64) for cut in cuts), pl.lit(0, pl.Int64))
            for place in (pl.lit(""), *(pl.col(name) for name in self.place)):
                yield with_outcome.group_by(
                    "period", place.alias("place"), pl.lit(question).alias("question"),
                    at.alias("bin"),
                ).agg(
                    pl.col("times").sum().alias("count"), self._sum("event").alias("events"),
                    self._sum(told).alias("expected"),
                )  # fmt: skip


def _together(frames: Sequence[pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    kept = [frame for frame in frames if frame.height]
    if not kept:
        return frames[0] if frames else pl.DataFrame(schema=dict.fromkeys(keys, pl.String))
    return pl.concat(kept).group_by(keys).agg(pl.exclude(keys).sum()).sort(keys)
