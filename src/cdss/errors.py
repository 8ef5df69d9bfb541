"""
Everything cdss raises on purpose.

::

    CdssError
    ├── DefinitionError   a source, variable, model or parameter file is itself wrong (our fault)
    ├── RecordError       what was said about the patient cannot be used; lists *all* problems
    ├── UnknownModel      a model id that is not loaded; lists those that are
    ├── UnknownLanguage   a language there are no words in; lists those there are
    ├── UnknownJurisdiction  a jurisdiction there is no file of; lists those there are
    ├── BundleError       a bundle is damaged, tampered with, or fails its known answers
    ├── BatchError        a batch cannot begin or go on; what is done stays
    ├── MonitorError      the file of counts cannot be written or read, or counts other bins
    └── AuditError        the audit log cannot be written, read, or is not as it was written

An error's text names variables, units and limits, never a patient's value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


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
    params : mapping of str to value
        What a translation of the sentence has to name: limits, unit, other variables.
    """

    code: str
    variable: str
    detail: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)


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
    """
    A model id that is not loaded.

    Parameters
    ----------
    unknown, known : iterable of str
        Ids asked for in vain, and those that could have been.
    """

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        self.unknown, self.known = tuple(unknown), tuple(known)
        super().__init__(
            f"no model named {', '.join(self.unknown)}; loaded: {', '.join(self.known) or 'none'}"
        )


class UnknownLanguage(CdssError, LookupError):
    """
    A language there are no words in.

    Parameters
    ----------
    unknown : str
        Code of the language asked for.
    known : iterable of str
        Codes of those there are.
    """

    def __init__(self, unknown: str, known: Iterable[str]) -> None:
        self.unknown, self.known = unknown, tuple(known)
        super().__init__(f"no words in {unknown!r}; languages: {', '.join(self.known)}")


class UnknownJurisdiction(CdssError, LookupError):
    """
    A jurisdiction there is no file of.

    Parameters
    ----------
    unknown : str
        What was asked for.
    known : iterable of str
        Ids of those there are.
    """

    def __init__(self, unknown: str, known: Iterable[str]) -> None:
        self.unknown, self.known = unknown, tuple(known)
        super().__init__(f"no jurisdiction {unknown!r}; there are: {', '.join(self.known)}")


class BundleError(CdssError):
    """A bundle is damaged, tampered with, or fails its known answers."""


class BatchError(CdssError):
    """A batch cannot begin or go on; what is done stays, and the same command goes on."""


class MonitorError(CdssError):
    """Counts of what a service does cannot be kept or read."""


class AuditError(CdssError):
    """The audit log cannot be written or read, was tampered with, or lacks what is asked of it."""
