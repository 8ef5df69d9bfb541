"""What is collected while a document is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cdss.errors import Problem
from cdss.fhir.resources import Resource
from cdss.fhir.values import Moment
from cdss.reading import Basis, Found, placed


@dataclass(slots=True)
class Notes:
    """
    Candidates and problems of one document.

    Parameters
    ----------
    found : list of Found
        Values.
    problems : list of Problem
        What could not be used.
    caveats : dict of (str, str) to list of Problem
        What to know of a value if it is used; by variable and place.
    unknown : dict of str to list of str
        Resources whose codes are not known here: type, and where they stood.
    """

    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    caveats: dict[tuple[str, str], list[Problem]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)

    def say(self, problem: Problem, at: str) -> None:
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

    def warn(self, problem: Problem) -> None:
        """
        Note what to know of a value, if it is used.

        Parameters
        ----------
        problem : Problem
            About the value of its variable; ``params["at"]`` says where that stood.
        """
        self.caveats.setdefault((problem.variable, problem.params["at"]), []).append(problem)

    def find(
        self,
        variable: str,
        value: Any,
        at: str,
        *,
        unit: str | None = None,
        when: Moment | None = None,
        day: date | None = None,
    ) -> None:
        """
        Note a value.

        Parameters
        ----------
        variable : str
            Name in the data dictionary.
        value : object
            A number, true or false, or a choice.
        at : str
            Where it stood.
        unit : str, optional
            As written.
        when : Moment, optional
            When it was measured or said.
        day : datetime.date, optional
            In place of `when`.
        """
        if when is None:
            self.found.append(Found(variable, value, unit, day, at))
            return
        if when.partial:
            detail = "has a date without its day: taken as the first day that it can be"
            self.warn(Problem("partial_date", variable, detail, {"at": at}))
        self.found.append(Found(variable, value, unit, when.first, at, when.order))

    def ignore(self, resource: Resource) -> None:
        """
        Note a resource whose code is not known here.

        Parameters
        ----------
        resource : Resource
            What is not used.
        """
        self.unknown.setdefault(resource.kind, []).append(resource.at)

    def told(self, basis: Iterable[Basis]) -> Iterator[Problem]:
        """
        What is to be said once it is known what was used.

        Parameters
        ----------
        basis : iterable of Basis
            What was used.

        Yields
        ------
        Problem
            The caveats of what was used, and how many resources have codes unknown here.
        """
        if self.caveats:
            for used in basis:
                yield from self.caveats.get((used.variable, used.at), ())
        for kind, places in self.unknown.items():
            detail = f"{len(places)} of type {kind} have no code that is read here: not used"
            params = {"count": len(places), "kind": kind, "at": places[0], "places": tuple(places)}
            yield Problem("not_read", "document", detail, params)
