"""What is collected while one person's parts are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cdss.checkup.numbers import AMBIGUOUS, Moment, number
from cdss.errors import Problem
from cdss.reading import Found, placed


@dataclass(slots=True)
class Notes:
    """
    Candidates and problems of one person.

    Parameters
    ----------
    visit : Moment or None
        When the person came; None if that is not told.
    found : list of Found
        Values.
    problems : list of Problem
        What could not be used.
    """

    visit: Moment | None
    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def tell(self, problem: Problem, at: str) -> None:
        """
        Note a problem.

        Parameters
        ----------
        problem : Problem
            What is wrong.
        at : str
            Where it stood.
        """
        self.problems.append(placed(problem, at))

    def find(
        self,
        variable: str,
        value: Any,
        at: str,
        *,
        unit: str | None = None,
        when: Moment | None = None,
    ) -> None:
        """
        Note a value of the visit, or of another moment.

        Parameters
        ----------
        variable : str
            Name in the data dictionary.
        value : object
            A number, true or false, or a choice.
        at : str
            Where it stood.
        unit : str, optional
            As written; "" if it should have been and was not.
        when : Moment, optional
            By default that of the visit.
        """
        then = when or self.visit
        day, minute = then or (None, 0.0)
        self.found.append(Found(variable, value, unit, day, at, minute))

    def measure(
        self, variable: str, text: str, at: str, unit: str, when: Moment | None = None
    ) -> None:
        """
        Note a number, as it is written.

        Parameters
        ----------
        variable : str
            Name of a quantity.
        text : str
            As written.
        at : str
            Where it stood.
        unit : str
            As written; "" if it was not.
        when : Moment, optional
            By default that of the visit.
        """
        value = number(text)
        if value == AMBIGUOUS:
            detail = "can be read as two numbers, with thousands or with decimals: not used"
            self.tell(Problem("ambiguous_number", variable, detail), at)
        else:
            self.find(variable, value, at, unit=unit, when=when)
