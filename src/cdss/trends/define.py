"""Which measures the jurisdiction, the models that were asked and the kept columns allow."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache

import polars as pl

from cdss.datafile import only
from cdss.equations import published_models
from cdss.guideline import Parameter
from cdss.jurisdiction import Jurisdiction, Question
from cdss.points import PointsScore
from cdss.trends.measures import (
    PEOPLE,
    Measure,
    Number,
    conditions_in,
    definitions,
    expression,
)


def measures(
    place: Jurisdiction, columns: Collection[str], questions: Collection[str]
) -> tuple[list[Measure], list[tuple[str, tuple[str, ...]]]]:
    """
    Say what can be measured.

    Parameters
    ----------
    place : Jurisdiction
        Whose thresholds and questions.
    columns : collection of str
        Columns of people that were kept.
    questions : collection of str
        Questions that somebody was asked.

    Returns
    -------
    measures : list of Measure
        In the order in which they are told.
    absent : list of (str, tuple of str)
        What cannot be measured, and what it lacks.
    """
    maker = _Maker(place, frozenset(columns))
    found = [Measure("seen", "people", maker.everybody, maker.everybody)]
    for question in place.questions:
        if question.id in questions:
            found += maker.of_question(question)
        else:
            maker.absent.append((f"question.{question.id}", ("models",)))
    found += maker.shares()
    found += maker.tests()
    found += maker.advice()
    return found, maker.absent


class _Maker:
    def __init__(self, place: Jurisdiction, columns: frozenset[str]) -> None:
        self.place, self.columns = place, columns
        self.everybody = Number(PEOPLE, PEOPLE, pl.lit(True))
        self.absent: list[tuple[str, tuple[str, ...]]] = []
        self._said = definitions()

    def threshold(self, name: str) -> tuple[str, Parameter, str] | None:
        books = {book.key: book for book in self.place.guidelines}
        for reference in self._said["thresholds"][name]:
            key, _, parameter = reference.partition(".")
            if key in books and parameter in books[key].parameters:
                return name, books[key].parameters[parameter], key
        return None

    def of_question(self, question: Question) -> list[Measure]:
        q = question.id

        def kind(name: str) -> Number:
            return Number(f"{q}:{name}", f"{q} {name}", pl.col(f"{q}.kind") == name)

        refused = Measure(f"refused.{q}", "share", kind("refused"), self.everybody)
        if any(option.model in _points() for option in question.options):
            said = pl.col(f"{q}.positive")
            known = Number(f"{q}:known", f"{q} positive known", said.is_not_null())
            positive = Number(f"{q}:positive", f"{q} positive", said)
            return [Measure(f"positive.{q}", "share", positive, known, worse="higher"), refused]
        ranges = Measure(f"range.{q}", "share", kind("range"), self.everybody)
        return [*self._risks(q, kind("estimate")), ranges, refused]

    def _risks(self, q: str, estimate: Number) -> list[Measure]:
        one = pl.col(f"{q}.kind") == "estimate"

        def total(name: str, of: pl.Expr) -> Number:
            return Number(f"{q}:{name}", f"{q} sum of {name}", pl.when(one).then(of), True)

        p, low, high = (pl.col(f"{q}.{name}") for name in ("probability", "low", "high"))
        sums = total("probability", p)
        squares = total("squares", p * p)
        bounded = Number(
            f"{q}:bounded",
            f"{q} estimate or range",
            pl.col(f"{q}.kind").is_in(["estimate", "range"]),
        )
        span = pl.col(f"{q}.kind") == "range"
        least = Number(f"{q}:least", f"{q} least", pl.when(span).then(low).when(one).then(p), True)
        most = Number(f"{q}:most", f"{q} most", pl.when(span).then(high).when(one).then(p), True)
        found = [
            Measure(
                f"expected.{q}", "cases", sums, estimate,
                total("low", low.fill_null(p)), total("high", high.fill_null(p)), squares,
            ),
            Measure(f"mean_risk.{q}", "share", sums, estimate, squares=squares),
            Measure(f"expected_bounds.{q}", "cases", least, bounded, least, most),
        ]  # fmt: skip
        if q in self._said["high"]:
            limit = self.threshold(self._said["high"][q])
            if limit is None:
                self.absent.append((f"high_risk.{q}", (self._said["high"][q],)))
            else:
                found += self._high(q, limit, estimate, bounded)
        return found

    @staticmethod
    def _high(
        q: str, limit: tuple[str, Parameter, str], estimate: Number, bounded: Number
    ) -> list[Measure]:
        value = limit[1].canonical
        one, span = (pl.col(f"{q}.kind") == kind for kind in ("estimate", "range"))
        p, low, high = (pl.col(f"{q}.{name}") for name in ("probability", "low", "high"))

        def at_least(name: str, of: pl.Expr) -> Number:
            return Number(f"{q}:is {name}", f"{q} {name} from {value:g}", of)

        # probabilities are 32-bit numbers: 0.2 as one of them is not below 0.2 as one of them
        limit32 = pl.lit(value, pl.Float32)
        point = at_least("high", one & (p >= limit32))
        least = at_least("surely high", point.of | (span & (low >= limit32)))
        most = at_least("possibly high", point.of | (span & (high >= limit32)))
        return [
            Measure(f"high_risk.{q}", "share", point, estimate, worse="higher", sources=(limit,)),
            Measure(f"high_bounds.{q}", "share", least, bounded, least, most, sources=(limit,)),
        ]  # fmt: skip

    def shares(self) -> list[Measure]:
        found = []
        for name, said in self._said["shares"].items():
            only(said, f"measures.toml: {name}", "of worse", "among")
            conditions = [said["of"], *([said["among"]] if "among" in said else [])]
            parts = [part for each in conditions for part in conditions_in(each)]
            lacks = {part["variable"] for part in parts} - self.columns
            names = {part[key] for part in parts for key in ("from", "below") if key in part}
            limits = {name: self.threshold(name) for name in sorted(names)}
            if lacks or None in limits.values():
                missing = sorted(lacks) + [t for t, limit in limits.items() if limit is None]
                self.absent.append((f"share.{name}", tuple(missing)))
                continue
            used = tuple(limit for limit in limits.values() if limit is not None)
            values = {limit[0]: limit[1].canonical for limit in used}
            of = expression(said["of"], values)
            among = expression(said["among"], values) if "among" in said else pl.lit(True)
            text = json.dumps([said.get("among"), said["of"], values], sort_keys=True)
            found.append(Measure(
                f"share.{name}", "share",
                Number(f"{name}:of", f"of {text}", among & of),
                Number(f"{name}:among", f"among {text}", among & of.is_not_null()),
                worse=said["worse"], sources=used,
            ))  # fmt: skip
        return found

    def tests(self) -> list[Measure]:
        found = []
        for name in self._said["tests"]:
            if name not in self.columns:
                self.absent.append((f"missing.{name}", (name,)))
                continue
            lacking = Number(f"missing:{name}", f"missing {name}", pl.col(name).is_null())
            found.append(
                Measure(f"missing.{name}", "share", lacking, self.everybody, worse="higher")
            )
        return found

    def advice(self) -> list[Measure]:
        rules = [rule for book in self.place.guidelines for rule in book.rules]
        found = []
        for topic in self._said["advice"]["topics"]:
            ids = sorted(rule.id for rule in rules if rule.topic == topic)
            if ids:
                held = pl.col("advice").list.set_intersection(ids).list.len() > 0
                number = Number(f"advice:{topic}", f"advice {' '.join(ids)}", held)
                found.append(Measure(f"advice.{topic}", "share", number, self.everybody))
        open_ = Number("undecided", "some rule undecided", pl.col("undecided").list.len() > 0)
        found.append(Measure("undecided", "share", open_, self.everybody))
        for name, said in self._said["follow_up"].items():
            days = {r.id: said["days"][r.within] for r in rules if r.within in said["days"]}
            if days:
                text = json.dumps([days, said["grace"]], sort_keys=True)
                due = Number(f"due:{name}", f"due {text}", pl.col(f"due:{name}"))
                unmet = Number(f"unmet:{name}", f"unmet {text}", pl.col(f"unmet:{name}"))
                found.append(Measure(f"unmet.{name}", "share", unmet, due, worse="higher"))
        return found


@lru_cache
def _points() -> frozenset[str]:
    return frozenset(m.id for m in published_models() if isinstance(m, PointsScore))


def due_rules(place: Jurisdiction) -> dict[str, tuple[dict[str, int], int]]:
    """
    Say which rules ask to come back, and how soon.

    Parameters
    ----------
    place : Jurisdiction
        Whose rules.

    Returns
    -------
    dict of str to (dict of str to int, int)
        How soon → days of each such rule, and days of grace.
    """
    rules = [rule for book in place.guidelines for rule in book.rules]
    return {
        name: (
            {r.id: said["days"][r.within] for r in rules if r.within in said["days"]},
            said["grace"],
        )
        for name, said in definitions()["follow_up"].items()
    }
