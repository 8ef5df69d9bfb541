"""Which model answers whom, and which rules hold for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cdss.assess import assess
from cdss.batch.answers import ESTIMATE, KINDS, POINTS, RANGE, Said, words
from cdss.batch.decide import Decider, Watched, amount_columns
from cdss.batch.lazy import LazyFacts
from cdss.batch.people import People, Table
from cdss.batch.questions import Answers, rows_in
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.guideline import Advice, Guideline, Rule, in_order
from cdss.jurisdiction import Jurisdiction, Model, Question
from cdss.record import PatientRecord

Array = NDArray[Any]

_WORDS = pa.list_(pa.dictionary(pa.int16(), pa.string()))
_ANY_DAY = date(2000, 1, 1)  # without earlier visits no rule looks at the day
_NO, _UNDECIDED, _HOLDS = range(3)
_STATES = 2 * (len(KINDS) + 1)  # kinds, refusals for want of data apart; with the outcome measured


class Rulebook:
    """
    The rules in force, for everybody.

    Parameters
    ----------
    place : Jurisdiction
        Whose.
    models : sequence of RiskModel or PointsScore
        Those that are asked.
    """

    def __init__(self, place: Jurisdiction, models: Sequence[Model]) -> None:
        self.place, self.models = place, tuple(models)
        self.questions = tuple(question.id for question in place.questions)
        ruled = [(rule, book) for book in place.guidelines for rule in book.rules]
        self.rules = tuple(rule for rule, _ in ruled)
        told = in_order(Advice(rule, {}) for rule in self.rules)
        self._told = [self.rules.index(advice.rule) for advice in told]
        self._amounts = tuple(place.amounts((), ()))
        self._deciders = [self._decider(rule, book) for rule, book in ruled]

    def _decider(self, rule: Rule, book: Guideline) -> Decider:
        alone = book.only(lambda other: other is rule)

        def decide(values: Watched) -> int:
            record = PatientRecord(_ANY_DAY, values)
            amounts = {name: values.amount(name) for name in self._amounts}
            held, open_ = alone.advise(LazyFacts(record, amounts))
            return _HOLDS if held else _UNDECIDED if open_ else _NO

        return Decider(decide)

    def choose(self, said: Sequence[Said], rows: int) -> tuple[dict[str, Array], Table]:
        """
        Say which model answers whom, and the risks as rules ask for them.

        Parameters
        ----------
        said : sequence of Said
            What each model says of everybody.
        rows : int
            Number of people, n.

        Returns
        -------
        answers : dict of str to ndarray of int, shape (n,)
            Model → position of the question it answers for each; -1 if another does.
        risks : dict of str to ndarray, shape (n,)
            Columns of `amount_columns`.
        """
        by_id = {each.model.id: each for each in said}
        answers = {i: np.full(rows, -1, np.int8) for i in by_id}
        risks: Table = {}
        for name in self._amounts:
            columns = amount_columns(name)
            risks |= {column: np.full(rows, np.nan) for column in columns}
        for at, question in enumerate(self.place.questions):
            about = [by_id[i] for i in _models(question) if i in by_id]
            if not any(option.model in by_id for option in question.options):
                continue
            for outcomes, mine in _alike(about):
                choices = self.place.choose(outcomes)
                choice = next(c for c in choices if c.question is question)
                if choice.model is not None:
                    answers[choice.model][mine] = at
                amounts = self.place.amounts(outcomes, [choice])
                for name in self._risks_of(question):
                    amount = amounts[name]
                    said_so = (amount.low, amount.high, float(bool(amount.needs)))
                    for column, value in zip(amount_columns(name), said_so, strict=True):
                        risks[column][mine] = value
        return answers, risks

    def _risks_of(self, question: Question) -> list[str]:
        mine = [risk for risk, which in self.place.risks.items() if which == question.id]
        return [n for n in self._amounts if n.split(".")[1].split("_without_")[0] in mine]

    def advise(self, people: People, risks: Table) -> tuple[Any, Any]:
        """
        Say which rules hold for whom, and which lack a fact.

        Parameters
        ----------
        people : People
            Everybody.
        risks : dict of str to ndarray
            What `choose` gave.

        Returns
        -------
        tuple of two pyarrow.ListArray
            Ids of rules that hold, as advice is told; ids of rules that are undecided.
        """
        answers = Answers(people.table | risks, len(people))
        rows = len(people)
        held, open_ = [], []
        for decider in self._deciders:
            states = {_HOLDS: 0, _UNDECIDED: 0}
            for state, whose in decider(answers):
                if state:
                    states[state] |= whose
            held.append(rows_in(states[_HOLDS], rows))
            open_.append(rows_in(states[_UNDECIDED], rows))
        for row, record in people.told.items():  # what earlier visits say is not in columns
            whole = assess(record, self.models, self.place)
            advised = {advice.rule.id for advice in whole.advice}
            undecided = {each.rule.id for each in whole.undecided}
            for rule, holds, lacks in zip(self.rules, held, open_, strict=True):
                holds[row], lacks[row] = rule.id in advised, rule.id in undecided
        ids = [rule.id for rule in self.rules]
        told = words([held[at] for at in self._told], [ids[at] for at in self._told], rows)
        return told, words(open_, ids, rows)


def advice_schema(kept: Mapping[str, Any]) -> Any:
    """
    Name the columns of the advice.

    Parameters
    ----------
    kept : mapping of str to pyarrow.DataType
        Columns that are copied.

    Returns
    -------
    pyarrow.Schema
        One row for each person.
    """
    return pa.schema([
        ("person_id", pa.string()), ("index_date", pa.date32()), *kept.items(),
        ("advice", _WORDS), ("undecided", _WORDS),
    ])  # fmt: skip


def _models(question: Question) -> list[str]:
    return [*dict.fromkeys(i for o in question.options for i in (o.model, *o.beside))]


def _alike(about: Sequence[Said]) -> Iterator[tuple[list[Outcome], Array]]:
    """Those of whom the models say the same but for numbers: what they say, and whose it is."""
    code = np.zeros(len(about[0].kind), np.int64)
    states = [_states(said) for said in about]
    for state in states:
        code = code * _STATES + state
    for value in np.unique(code).tolist():
        mine = np.flatnonzero(code == value)
        first = int(mine[0])
        yield (
            [
                _outcome(said, int(state[first]), mine)
                for said, state in zip(about, states, strict=True)
            ],
            mine,
        )


def _states(said: Said) -> Array:
    """What there is to choose by: the kind of answer, and whether the outcome was measured."""
    wanting = np.array([o.problem.code == "missing_input" for o in said.model.objections], bool)
    measured = np.array([r.problem.code == "outcome_measured" for r in said.model.remarks], bool)
    state = said.kind.astype(np.int64)
    refused = state == KINDS.index("refused")
    state[refused & ~said.reasons[:, ~wanting].any(axis=1)] = len(KINDS)
    return 2 * state + said.remarks[:, measured].any(axis=1)


def _outcome(said: Said, state: int, mine: Array) -> Outcome:
    """An outcome as one patient's, but with columns for numbers, and what matters here only."""
    kind, measured = divmod(state, 2)
    model = said.model
    head = (model.id, model.version, model.outcome, model.horizon_years)
    warnings = tuple(
        r.problem for r in model.remarks if measured and r.problem.code == "outcome_measured"
    )
    low, high = (ends[mine] for ends in (said.low, said.high))
    numbers: Any = (low, high)
    if kind == ESTIMATE:
        return RiskEstimate(*head, numbers[0], 0.0, (), (), warnings)
    if kind == RANGE:
        open_ = getattr(model, "spanned", ())
        return RiskRange(*head, numbers[0], numbers[1], open_, warnings)
    if kind == POINTS:
        return PointsTotal(*head, 0, 0, 0, (), (), 0, None, warnings)
    only_missing = kind == len(KINDS)
    return NoEstimate(
        *head,
        tuple(
            o.problem
            for o in model.objections
            if (o.problem.code == "missing_input") == only_missing
        ),
    )
