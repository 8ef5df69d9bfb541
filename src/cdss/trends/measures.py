"""What a measure is: sets of people, sums over them, and conditions that know three answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

import polars as pl

from cdss.datafile import only, read_toml
from cdss.guideline import Parameter
from cdss.variables import VARIABLES

MICRO = 1_000_000
"""A probability is counted in millionths, so that a sum does not depend on the order."""

PEOPLE = "people"
"""Name of the number that counts everybody."""

Unit = Literal["people", "cases", "share"]


@dataclass(frozen=True)
class Number:
    """
    A set of people, or the sum of a probability over one.

    Attributes
    ----------
    name : str
        Of its column; unique among all numbers.
    definition : str
        What it counts, thresholds included: equal definitions have equal names.
    of : polars.Expr
        Of the columns of a visit: true, false or null; of a sum, a probability or null.
    total : bool
        Whether it is a sum.
    """

    name: str
    definition: str
    of: pl.Expr = field(repr=False, compare=False)
    total: bool = False


@dataclass(frozen=True)
class Measure:
    """
    What is told of every place and group.

    Attributes
    ----------
    id : str
        For example ``"share.raised_bp"``: a kind, and what it is about.
    unit : {"people", "cases", "share"}
        Whether the estimate is a number of people, expected cases, or a share.
    numerator, denominator : Number
        What is counted, and of whom.
    low, high : Number or None
        Sums of the least and the greatest, where an answer is no single number.
    squares : Number or None
        Sum of squares of a sum; None if the numerator is a set.
    worse : {"higher", "lower", ""}
        Which way is worse; empty: no early warning is given about it.
    sources : tuple of (name, Parameter, str)
        Thresholds it uses, and in which document each stands.
    """

    id: str
    unit: Unit
    numerator: Number
    denominator: Number
    low: Number | None = None
    high: Number | None = None
    squares: Number | None = None
    worse: str = ""
    sources: tuple[tuple[str, Parameter, str], ...] = ()

    @property
    def kind(self) -> str:
        """
        Tell what kind of measure it is.

        Returns
        -------
        str
            First part of its id.
        """
        return self.id.partition(".")[0]

    @property
    def about(self) -> str:
        """
        Tell what it is about.

        Returns
        -------
        str
            Second part of its id; may be empty.
        """
        return self.id.partition(".")[2]

    def numbers(self) -> Iterator[Number]:
        """
        Give the numbers it needs.

        Yields
        ------
        Number
            Each of them.
        """
        every = (self.numerator, self.denominator, self.low, self.high, self.squares)
        yield from (each for each in every if each is not None)


@lru_cache
def definitions() -> Mapping[str, Any]:
    """
    Read the definitions.

    Returns
    -------
    mapping
        Content of ``measures.toml``.
    """
    found = read_toml(resources.files("cdss.trends") / "measures.toml")
    only(
        found, "measures.toml",
        "age_bands tests thresholds shares high advice follow_up drift calibration protection",
    )  # fmt: skip
    return found


def wanted_variables() -> tuple[str, ...]:
    """
    Say which variables are used, if they were kept.

    Returns
    -------
    tuple of str
        In the order of the dictionary; without age and sex all measures are of everybody together.
    """
    found = {"age", "sex", *definitions()["tests"], *definitions()["drift"]}
    for share in definitions()["shares"].values():
        found |= {
            each["variable"] for said in (share.get("among", {}), share["of"])
            for each in conditions_in(said)
        }  # fmt: skip
    return tuple(name for name in VARIABLES if name in found)


def conditions_in(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """
    Give the conditions about single variables in a condition.

    Parameters
    ----------
    said : mapping
        As ``measures.toml`` has it.

    Yields
    ------
    mapping
        Each of them.
    """
    if "share" in said:
        yield from conditions_in(definitions()["shares"][said["share"]]["of"])
    elif "variable" in said:
        yield said
    else:
        for several in said.values():
            for each in several:
                yield from conditions_in(each)


def expression(said: Mapping[str, Any], values: Mapping[str, float]) -> pl.Expr:
    """
    Make a condition of three answers: where a value is unknown, so is the condition.

    Parameters
    ----------
    said : mapping
        As ``measures.toml`` has it.
    values : mapping of str to float
        Threshold → number in the canonical unit of its variable.

    Returns
    -------
    polars.Expr
        True, false or null.
    """
    if "share" in said:
        return expression(definitions()["shares"][said["share"]]["of"], values)
    if "variable" in said:
        column = pl.col(said["variable"])
        if "is" in said:
            return column.eq(said["is"])
        return (
            column.ge(values[said["from"]]) if "from" in said else column.lt(values[said["below"]])
        )
    ((how, several),) = said.items()
    parts = [expression(each, values) for each in several]
    known = [part.is_not_null() for part in parts]
    joined = pl.all_horizontal(parts) if how == "all" else pl.any_horizontal(parts)
    enough = pl.any_horizontal(known) if how == "any_known" else pl.all_horizontal(known)
    return pl.when(enough).then(joined.fill_null(False))
