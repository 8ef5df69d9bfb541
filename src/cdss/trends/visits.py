"""A part of a batch to visits: who, when, where, and what counts; no more is kept of anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from cdss.errors import BatchError
from cdss.trends.define import due_rules
from cdss.trends.inputs import Inputs, Part
from cdss.trends.measures import MICRO, Number, definitions
from cdss.trends.noise import Secret, row_marks

Array = NDArray[Any]
Every = Literal["year", "quarter"]

NOBODY = "?"
"""Where a place, sex or age is not known."""

_WHO = ["person_id", "index_date"]
_RESULT = ["kind", "probability", "low", "high", "positive"]


@dataclass(frozen=True)
class Reader:
    """
    Reads parts.

    Attributes
    ----------
    inputs : Inputs
        Where from.
    numbers : tuple of Number
        What counts; those about coming back are counted when all visits of a person are known.
    areas : tuple of str
        Columns that say where, from the large to the small.
    secret : Secret
        Names people.
    every : {"year", "quarter"}
        Length of a period.
    bands : tuple of int
        Ages at which bands begin.
    """

    inputs: Inputs
    numbers: tuple[Number, ...]
    areas: tuple[str, ...]
    secret: Secret
    every: Every = "year"
    bands: tuple[int, ...] = tuple(definitions()["age_bands"])

    def read(self, part: Part) -> pl.DataFrame:
        """
        Read a part.

        Parameters
        ----------
        part : Part
            Of a batch.

        Returns
        -------
        polars.DataFrame
            A row a visit: ``who``, ``mark``, ``day``, ``period``, the areas, ``sex``, ``band``, a
            column a number, ``days:*``, ``drift:*``.

        Raises
        ------
        BatchError
            If the results are not of the people of the advice.
        """
        people = pl.read_parquet(part.advice, use_statistics=False)
        whole = self._answers(people, part)
        names = people["person_id"].to_list()
        who = self.secret.people(names)
        day = pl.col("index_date")
        year = day.dt.year().cast(pl.String)
        period = year if self.every == "year" else year + "-Q" + day.dt.quarter().cast(pl.String)
        early = [n for n in self.numbers if not n.name.startswith(("due:", "unmet:"))]
        return whole.select(
            pl.Series("who", who),
            pl.Series("mark", self._marks(whole, who)),
            day.alias("day"),
            period.alias("period"),
            *(self._word(name).alias(name) for name in self.areas),
            self._word("sex").alias("sex"),
            self._band().alias("band"),
            *(_counted(number).alias(number.name) for number in early),
            *self._due(),
            *self._drift(),
        )

    def _answers(self, people: pl.DataFrame, part: Part) -> pl.DataFrame:
        """Beside everybody, of each question, what the model says that answers it."""
        asked = sorted({m for models in self.inputs.questions.values() for m in models})
        said = pl.read_parquet(
            part.results, columns=[*_WHO, "model", "answers", *_RESULT], use_statistics=False
        ).with_columns(pl.col("model", "answers", "kind").cast(pl.String))
        for model in asked:
            if said.filter(pl.col("model") == model).height != people.height:
                raise BatchError(f"{part.results.name}: {model} was not asked of everybody")
        whole = people
        for question in self.inputs.questions:
            mine = said.filter(pl.col("answers") == question).select(
                *_WHO, *(pl.col(name).alias(f"{question}.{name}") for name in _RESULT)
            )
            whole = whole.join(mine, on=_WHO, how="left", maintain_order="left")
            kind = pl.col(f"{question}.kind")
            whole = whole.with_columns(kind.fill_null("refused"))
        if whole.height != people.height:
            raise BatchError(f"{part.results.name}: a question is answered twice")
        return whole

    def _word(self, name: str) -> pl.Expr:
        if name not in self.inputs.columns:
            return pl.lit(NOBODY)
        return pl.col(name).cast(pl.String).fill_null(NOBODY)

    def _band(self) -> pl.Expr:
        if "age" not in self.inputs.columns:
            return pl.lit(NOBODY)
        cuts = self.bands
        found = pl.lit(NOBODY)
        for low, high in zip(cuts, [*cuts[1:], None], strict=True):
            label = f"{low}+" if high is None else f"{low}-{high - 1}"
            found = pl.when(pl.col("age") >= low).then(pl.lit(label)).otherwise(found)
        return found

    def _due(self) -> Iterable[pl.Expr]:
        for name, (days, _) in due_rules(self.inputs.place).items():
            soon = [
                pl.when(pl.col("advice").list.contains(rule)).then(pl.lit(limit, pl.Int16))
                for rule, limit in days.items()
            ]
            first = pl.min_horizontal(soon) if soon else pl.lit(None, pl.Int16)
            yield first.alias(f"days:{name}")

    def _drift(self) -> Iterable[pl.Expr]:
        """In which bin somebody is; the last one is of those who were not measured."""
        for name, cuts in definitions()["drift"].items():
            if name in self.inputs.columns:
                at = sum((pl.col(name) >= cut).cast(pl.Int8) for cut in cuts)
                yield at.fill_null(len(cuts) + 1).cast(pl.Int8).alias(f"drift:{name}")

    def _marks(self, whole: pl.DataFrame, who: Array) -> Array:
        columns: list[Array] = [whole["index_date"].cast(pl.Int64).to_numpy()]
        for name in sorted(set(whole.columns) - {*_WHO, "advice", "undecided"}):
            columns.append(_number_of(whole[name]))
        return row_marks(who, columns)


def _number_of(column: pl.Series) -> Array:
    """Eight bytes that stand for each value, the same whoever computes them."""
    if column.dtype in (pl.String, pl.Categorical, pl.Enum):
        words = column.cast(pl.String)
        known = words.unique().drop_nulls().to_list()
        codes = [
            int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") >> 1
            for word in known
        ]
        return words.replace_strict(known, codes, default=-1, return_dtype=pl.Int64).to_numpy()
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _counted(number: Number) -> pl.Expr:
    """Whether somebody counts; of a sum, how much, in millionths."""
    if number.total:
        return (number.of.cast(pl.Float64) * MICRO).round().fill_null(0).cast(pl.Int32)
    return number.of.fill_null(False)
