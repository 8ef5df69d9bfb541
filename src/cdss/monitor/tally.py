"""
Counting assessments by client: how often each bin, and nothing that joins two of them.

Some microseconds an assessment: a value is looked up, its bin found, a number in a list raised.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.jurisdiction import Model
from cdss.monitor.bins import MISSING, PROBABILITY, between, counted, finder, labels
from cdss.variables import VARIABLES

RECORD = "record"
"""Named in place of a variable by a problem that is about none."""

PROBABILITIES = between(PROBABILITY)

RESULTS: Mapping[type[Outcome], str] = {
    RiskEstimate: "estimate",
    RiskRange: "range",
    PointsTotal: "points",
    NoEstimate: "refused",
}
"""What each kind of answer is called."""


class Key(NamedTuple):
    """
    What is counted.

    Attributes
    ----------
    kind : str
        ``assessed`` and ``rejected`` (people), ``input``, ``probability``, ``result``, ``refusal``
        or ``problem``.
    name : str
        Variable, or model and version; empty for people.
    part : str
        Bin; result; reason of a refusal and what it is about; code of a problem.
    """

    kind: str
    name: str = ""
    part: str = ""


Counts = Counter[Key]
ASSESSED, REJECTED = Key("assessed"), Key("rejected")


class _Row(NamedTuple):
    """How an input is counted: the slot of "missing", after which its bins follow."""

    name: str
    missing: int
    find: Callable[[Any], int]


class _Score(NamedTuple):
    """How a model's answers are counted: slots of its kinds of result, and of the first bin."""

    named: str
    results: Mapping[type[Outcome], int]
    probability: int


class _Sheet:
    """Counts of one client: slots for what there always is, the rest by key."""

    __slots__ = ("rest", "slots")

    def __init__(self, slots: int) -> None:
        self.slots = [0] * slots
        self.rest: Counts = Counter()


class Tally:
    """
    Counts of several clients, until they are taken.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        All that can be asked. Counted are their inputs, of which each assessment has those of the
        models it asked.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._keys: list[Key] = []
        self._predictors = {model.id: model.predictors for model in models}
        used = {name for names in self._predictors.values() for name in names}
        self._inputs = {
            name: _Row(name, self._slots("input", name, (MISSING, *labels(name))), finder(name))
            for name in VARIABLES
            if name in used and counted(name)
        }
        self._scores = {model.id: self._score(f"{model.id}@{model.version}") for model in models}
        self._sheets: dict[str, _Sheet] = {}
        self._lock = Lock()
        self._rows = lru_cache(maxsize=256)(self._rows_of)

    def _slots(self, kind: str, name: str, parts: Iterable[str]) -> int:
        first = len(self._keys)
        self._keys += [Key(kind, name, part) for part in parts]
        return first

    def _score(self, named: str) -> _Score:
        first = self._slots("result", named, RESULTS.values())
        results = {kind: at for at, kind in enumerate(RESULTS, first)}
        return _Score(named, results, self._slots("probability", named, PROBABILITIES))

    def _rows_of(self, asked: tuple[str, ...]) -> tuple[_Row, ...]:
        """Inputs of the models that were asked: nobody misses what no model wants."""
        wanted = {name for id in asked for name in self._predictors.get(id, ())}
        return tuple(row for name, row in self._inputs.items() if name in wanted)

    def count(
        self, client: str, assessments: Sequence[Assessment], problems: Iterable[Problem] = ()
    ) -> None:
        """
        Count people who were assessed.

        Parameters
        ----------
        client : str
            For whom.
        assessments : sequence of Assessment
            Of one person each.
        problems : iterable of Problem
            What was sent about them and not used, besides what the records say.
        """
        with self._lock:
            sheet = self._sheet(client)
            slots, rest, scores = sheet.slots, sheet.rest, self._scores
            rest[ASSESSED] += len(assessments)
            for assessment in assessments:
                known = assessment.record.values.get
                for name, missing, find in self._rows(assessment.asked):
                    value = known(name)
                    slots[missing if value is None else missing + 1 + find(value)] += 1
                for outcome in assessment.outcomes:
                    model = scores[outcome.model]
                    slots[model.results[type(outcome)]] += 1
                    if isinstance(outcome, RiskEstimate):
                        at = bisect_right(PROBABILITY, outcome.probability)
                        slots[model.probability + at] += 1
                    elif isinstance(outcome, NoEstimate):
                        for each in outcome.reasons:
                            reason = f"{each.code} {_about(each)}"
                            rest[Key("refusal", model.named, reason)] += 1
                if assessment.record.set_aside:
                    _count_problems(rest, assessment.record.set_aside)
            _count_problems(rest, problems)

    def reject(self, client: str, problems: Iterable[Problem], people: int = 1) -> None:
        """
        Count people who could not be assessed for what was sent about them.

        Parameters
        ----------
        client : str
            Who sent it.
        problems : iterable of Problem
            What was wrong.
        people : int
            How many they are.
        """
        with self._lock:
            rest = self._sheet(client).rest
            rest[REJECTED] += people
            _count_problems(rest, problems)

    def take(self) -> dict[str, Counts]:
        """
        Take all counts out.

        Returns
        -------
        dict of str to Counter
            By client; only what was counted since the last time.
        """
        with self._lock:
            sheets, self._sheets = self._sheets, {}
        found = {}
        for client, sheet in sheets.items():
            counts = sheet.rest
            counts.update({key: n for key, n in zip(self._keys, sheet.slots, strict=True) if n})
            found[client] = counts
        return found

    def _sheet(self, client: str) -> _Sheet:
        sheet = self._sheets.get(client)
        if sheet is None:
            sheet = self._sheets[client] = _Sheet(len(self._keys))
        return sheet


def _count_problems(rest: Counts, problems: Iterable[Problem]) -> None:
    # Once a person: somebody's ten readings in a wrong unit are one mistake.
    for about, code in {(_about(problem), problem.code) for problem in problems}:
        rest[Key("problem", about, code)] += 1


def _about(problem: Problem) -> str:
    """Variable that a problem is about, wherever it stood; never a text that somebody sent."""
    name = problem.variable.rsplit("/", 1)[-1].split(".", 1)[0]
    return name if name in VARIABLES else RECORD
