"""People to Arrow tables: what every engine says of them, whatever carries the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from cdss.batch.advice import Rulebook, advice_schema
from cdss.batch.answers import ask, rows_of
from cdss.batch.layout import Layout
from cdss.batch.people import People, Rejected
from cdss.batch.read import Double
from cdss.jurisdiction import Jurisdiction, Model

RESULTS, ADVICE, REJECTED = "results", "advice", "rejected"
"""Tables that are told."""

_REJECTED = pa.schema([
    ("file", pa.string()), ("row", pa.int64()), ("person_id", pa.string()),
    ("problems", pa.list_(pa.string())), ("details", pa.list_(pa.string())),
])  # fmt: skip


class Assessor:
    """
    Assesses people, many at once, each model once.

    Parameters
    ----------
    place : Jurisdiction
        Whose rules.
    models : sequence of RiskModel or PointsScore
        Those that are asked.
    layout : Layout
        How to read tables.
    double : callable
        Of names and days: whose name occurs elsewhere with the same day.
    contributions : bool
        Whether every contribution is told.
    """

    def __init__(
        self,
        place: Jurisdiction,
        models: Sequence[Model],
        layout: Layout,
        double: Double,
        *,
        contributions: bool = False,
    ) -> None:
        self.models, self.layout, self.double = tuple(models), layout, double
        self._every, self._rules = contributions, Rulebook(place, models)

    def tables(self, people: People, rejected: Sequence[Rejected]) -> Iterator[tuple[str, Any]]:
        """
        Say everything.

        Parameters
        ----------
        people : People
            Those who can be assessed.
        rejected : sequence of Rejected
            The others.

        Yields
        ------
        tuple of (str, pyarrow.Table)
            Name of a table and rows of it: the results model by model, then the advice, then those
            who were rejected, if there are any.
        """
        said = [ask(model, people) for model in self.models]
        answers, risks = self._rules.choose(said, len(people))
        while said:
            one = said.pop(0)  # its numbers are not kept longer than needed
            yield RESULTS, rows_of(
                one, people, answers[one.model.id], self._rules.questions,
                contributions=self._every,
            )  # fmt: skip
        held, open_ = self._rules.advise(people, risks)
        kept = people.kept
        wanted = advice_schema({name: column.type for name, column in kept.items()})
        columns = [people.ids, people.days, *kept.values(), held, open_]
        yield ADVICE, pa.Table.from_arrays(columns, schema=wanted)
        if rejected:
            yield REJECTED, _rejections(rejected)

    def empty(self, people: People) -> dict[str, Any]:
        """
        Name the columns of every table.

        Parameters
        ----------
        people : People
            Nobody, with the columns that are kept.

        Returns
        -------
        dict of str to pyarrow.Schema
            Table → its columns.
        """
        return {kind: table.schema for kind, table in self.tables(people, ())} | {
            REJECTED: _REJECTED
        }


def _rejections(rejected: Sequence[Rejected]) -> Any:
    problems = [each.problems for each in rejected]
    columns = [
        pa.array([each.file for each in rejected], pa.string()),
        pa.array([each.row for each in rejected], pa.int64()),
        pa.array([each.person for each in rejected], pa.string()),
        pa.array([[f"{p.code}:{p.variable}" for p in each] for each in problems]),
        pa.array([[f"{p.variable}: {p.detail}" for p in each] for each in problems]),
    ]
    return pa.Table.from_arrays(columns, schema=_REJECTED)
