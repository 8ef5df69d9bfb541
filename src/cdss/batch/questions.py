"""Questions about columns, and who gave which answer: sets of rows, one bit a row."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bits = int
"""Who: the nth bit is of the nth row; whole numbers of Python are the fastest sets of rows."""

UNKNOWN = -1
"""Number of the option that nobody said."""

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip


class Question(NamedTuple):
    """
    What a function asked about a column.

    Attributes
    ----------
    column : str
        Its name.
    how : str
        ``known``, ``code`` (which option, as `Variable.encode` numbers them), or a comparison.
    other : float or str
        What it is compared with: a number, or another column.
    """

    column: str
    how: str
    other: float | str = 0.0


class Answers:
    """
    Answers about the people of a table.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (n,)
        Columns as `Variable.encode` gives them, NaN where unknown; one that is not there is
        unknown.
    rows : int
        Number of people, n.
    """

    def __init__(self, table: Mapping[str, Array], rows: int) -> None:
        self.rows = rows
        self._table = table
        self._unknown = np.full(rows, np.nan)
        self._whose: dict[Question, dict[int, Bits]] = {}

    def column(self, name: str) -> Array:
        """
        Give a column.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        ndarray, shape (n,)
            NaN where unknown.
        """
        return self._table.get(name, self._unknown)

    def _said(self, question: Question, pick: Any) -> Any:
        """Whether it is so, of some rows or of one; or the number of the option, -1 if unknown."""
        values = self.column(question.column)[pick]
        if question.how == "known":
            return values == values
        if question.how == "code":
            return np.where(values == values, values, UNKNOWN)
        other: Any = question.other
        if isinstance(other, str):
            other = self.column(other)[pick]
        return _COMPARE[question.how](values, other)

    def of(self, row: int, question: Question) -> int:
        """
        Answer a question for one.

        Parameters
        ----------
        row : int
            Whom.
        question : Question
            The question.

        Returns
        -------
        int
            0 or 1; the number of the option, -1 if unknown.
        """
        return int(self._said(question, row))

    def whose(self, question: Question) -> dict[int, Bits]:
        """
        Say who gave which answer.

        Parameters
        ----------
        question : Question
            The question.

        Returns
        -------
        dict of int to int
            Answer → whose it is, as `bits_of` packs it; answers that nobody gave are left out.
        """
        found = self._whose.get(question)
        if found is None:
            said = np.asarray(self._said(question, slice(None)))
            values = range(UNKNOWN, int(said.max(initial=0)) + 1)
            each = ((value, bits_of(said == value)) for value in values)
            found = {value: mine for value, mine in each if mine}
            self._whose[question] = found
        return found


def bits_of(whose: Array) -> Bits:
    """
    Pack a yes or no of everybody, one bit each.

    Parameters
    ----------
    whose : ndarray of bool, shape (n,)
        Who.

    Returns
    -------
    int
        The same.
    """
    return int.from_bytes(np.packbits(whose, bitorder="little").tobytes(), "little")


def rows_in(bits: Bits, rows: int) -> Array:
    """
    Unpack what `bits_of` packed.

    Parameters
    ----------
    bits : int
        Packed.
    rows : int
        Number of people, n.

    Returns
    -------
    ndarray of bool, shape (n,)
        Who.
    """
    packed = np.frombuffer(bits.to_bytes(-(-rows // 8), "little"), np.uint8)
    return np.unpackbits(packed, count=rows, bitorder="little").view(bool)
