"""
A function of one patient's values, on columns.

What such a function decides depends on its questions: is this known, is it at least so much. It is
run for one patient, its questions and their answers are kept, and everybody for whom they have the
same answers gets the same result. It can neither be written twice nor differ; a function that
computes with a value instead of comparing it fails loudly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cdss.batch.questions import UNKNOWN, Answers, Bits, Question
from cdss.facts import Amount, Need
from cdss.variables import VARIABLES, Value


class _Ask:
    """Answers about one row, and what was asked."""

    def __init__(self, answers: Answers, row: int) -> None:
        self._answers, self._row = answers, row
        self.asked: dict[Question, int] = {}

    def __call__(self, column: str, how: str, other: float | str = 0.0) -> int:
        question = Question(column, how, other)
        if question not in self.asked:
            self.asked[question] = self._answers.of(self._row, question)
        return self.asked[question]


class _Number:
    """A quantity of which only comparisons can be had."""

    __slots__ = ("_ask", "_name")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, ask: _Ask, name: str) -> None:
        self._ask, self._name = ask, name

    def _compare(self, how: str, other: Any) -> bool:
        return bool(self._ask(self._name, how, getattr(other, "_name", other)))

    def __lt__(self, other: Any) -> bool:
        return self._compare("<", other)

    def __le__(self, other: Any) -> bool:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> bool:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> bool:
        return self._compare(">=", other)

    def __eq__(self, other: object) -> bool:
        return self._compare("==", other)


class Watched(Mapping[str, Value]):
    """
    One patient's values, of which is kept what was asked.

    Parameters
    ----------
    ask : callable
        Answers questions about the patient.
    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    def __getitem__(self, name: str) -> Value:
        """Value of a variable."""
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            if not self._ask(name, "known"):
                raise KeyError(name)
            return _Number(self._ask, name)  # type: ignore[return-value]
        code = self._ask(name, "code")
        if code == UNKNOWN:
            raise KeyError(name)
        return variable.options[code]

    def __iter__(self) -> Iterator[str]:
        raise TypeError("ask for each variable")

    def __len__(self) -> int:
        raise TypeError("ask for each variable")

    def amount(self, name: str) -> Amount:
        """
        Give something computed, as rules ask for it.

        Parameters
        ----------
        name : str
            Its columns are those of `amount_columns`.

        Returns
        -------
        Amount
            Of which is kept what was asked.
        """
        return _Watched(self._ask, name)


class _Watched(Amount):
    """An amount of which is kept what was asked."""

    __slots__ = ("_ask", "_name")

    def __init__(self, ask: _Ask, name: str) -> None:
        self._ask, self._name = ask, name
        low, high, _ = amount_columns(name)
        self.low = _Number(ask, low)  # type: ignore[assignment]
        self.high = _Number(ask, high)  # type: ignore[assignment]

    @property
    def needs(self) -> frozenset[Need]:  # type: ignore[override]
        """Whether anything would have to be known; what, is of no consequence."""
        needed = self._ask(amount_columns(self._name)[2], "==", 1.0)
        return frozenset({Need(self._name)}) if needed else frozenset()


def amount_columns(name: str) -> tuple[str, str, str]:
    """
    Name the columns of something computed.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    tuple of three str
        Least, greatest, and whether (1 or 0) something would have to be known to say more.
    """
    return f"{name}#low", f"{name}#high", f"{name}#needs"


class _Kind:
    """Those who gave the same answers so far."""

    __slots__ = ("next", "question", "result", "settled")

    def __init__(self) -> None:
        self.question: Question | None = None
        self.next: dict[int, _Kind] = {}
        self.settled = False
        self.result: Any = None


class Decider:
    """
    A function of one patient, for everybody; run once for each kind of patient ever met.

    Parameters
    ----------
    function : callable
        Of `Watched` values; what it gives depends on nothing else.
    """

    def __init__(self, function: Callable[[Watched], Any]) -> None:
        self._function = function
        self._root = _Kind()

    def __call__(self, answers: Answers, whose: Bits | None = None) -> Iterator[tuple[Any, Bits]]:
        """
        Decide.

        Parameters
        ----------
        answers : Answers
            About everybody.
        whose : int, optional
            Whom to decide for, as `bits_of` packs it; by default everybody.

        Returns
        -------
        iterator of (result, int)
            Results, and whose they are; a result may come more than once.
        """
        mine = (1 << answers.rows) - 1 if whose is None else whose
        open_ = [(self._root, mine)] if mine else []
        while open_:
            kind, mine = open_.pop()
            if kind.question is None and not kind.settled:
                self._learn(answers, (mine & -mine).bit_length() - 1)
            if kind.settled:
                yield kind.result, mine
                continue
            assert kind.question is not None
            for value, who in answers.whose(kind.question).items():
                if part := mine & who:
                    next_ = kind.next.get(value)
                    if next_ is None:
                        next_ = kind.next[value] = _Kind()
                    open_.append((next_, part))

    def _learn(self, answers: Answers, row: int) -> None:
        """Run the function for one person, and keep the way to its result."""
        ask = _Ask(answers, row)
        result = self._function(Watched(ask))
        kind = self._root
        for question, answer in ask.asked.items():
            kind.question = question
            kind = kind.next.setdefault(answer, _Kind())
        kind.settled, kind.result = True, result
