"""
Everything cdss raises on purpose.

::

    CdssError
    ├── DefinitionError   a source, variable, model or parameter file is itself wrong (our fault)
    ├── RecordError       what was said about the patient cannot be used; lists *all* problems
    ├── UnknownModel      a model id that is not loaded; lists those that are
    └── BundleError       a bundle is damaged, tampered with, or fails its known answers

An error's text names variables, units and limits, never a patient's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that is wrong with, or worth knowing about, one input.

    Parameters
    ----------
    code : str
        Stable machine-readable name, e.g. ``"implausible"``; translations are looked up by it.
    variable : str
        The variable (or request field) it is about.
    detail : str
        One English sentence; names unit and limit, never the patient's value.
    """

    code: str
    variable: str
    detail: str


class CdssError(Exception):
    """Base of every error raised on purpose."""


class DefinitionError(CdssError, ValueError):
    """A source, variable, model or parameter file is wrong."""


class RecordError(CdssError, ValueError):
    """
    What was said about the patient cannot be used.

    Parameters
    ----------
    problems : iterable of Problem
        Every problem found, not only the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.variable}: {p.detail}" for p in self.problems))


class UnknownModel(CdssError, LookupError):
    """A model id that is not loaded."""

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        self.unknown, self.known = tuple(unknown), tuple(known)
        super().__init__(
            f"no model named {', '.join(self.unknown)}; loaded: {', '.join(self.known) or 'none'}"
        )


class BundleError(CdssError):
    """A bundle is damaged, tampered with, or fails its known answers."""
