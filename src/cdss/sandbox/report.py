"""What was checked, and who has to do something."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from cdss.sandbox.client import HOOKS, Answer

Outcome = Literal["passed", "failed", "skipped"]

_FIX = {401: "credentials", 403: "scope", 404: "version", 413: "proxy", 429: "rate"}
_SHOWN = 3


class Finding(NamedTuple):
    """
    One requirement, and what became of it.

    Attributes
    ----------
    check : str
        The requirement: ``sandbox.check.<check>`` of the translations.
    outcome : {"passed", "failed", "skipped"}
        Skipped means nobody knows.
    seen : str
        What was seen instead; technical, in English, without any value of a patient.
    fix : str or None
        Who has to do what: ``sandbox.fix.<fix>`` of the translations.
    """

    check: str
    outcome: Outcome
    seen: str = ""
    fix: str | None = None


class Report:
    """All findings, in order."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    @property
    def failed(self) -> list[Finding]:
        """
        What is not as it must be.

        Returns
        -------
        list of Finding
            In order.
        """
        return [finding for finding in self.findings if finding.outcome == "failed"]

    def count(self, outcome: Outcome) -> int:
        """
        Count findings.

        Parameters
        ----------
        outcome : {"passed", "failed", "skipped"}
            Which.

        Returns
        -------
        int
            How many there are.
        """
        return sum(finding.outcome == outcome for finding in self.findings)

    def expect(self, check: str, wrong: Iterable[str], fix: str = "server") -> bool:
        """
        Note whether a requirement is met.

        Parameters
        ----------
        check : str
            The requirement.
        wrong : iterable of str
            What is wrong; nothing if it is met.
        fix : str
            Who has to do what, if anything is.

        Returns
        -------
        bool
            Whether it is met.
        """
        if found := list(wrong):
            more = f" (+{len(found) - _SHOWN})" if len(found) > _SHOWN else ""
            seen = "; ".join(found[:_SHOWN]) + more
            self.findings.append(Finding(check, "failed", seen, fix))
        else:
            self.findings.append(Finding(check, "passed"))
        return not found

    def expect_of(self, judged: Collection[str], check: str, wrong: Iterable[str]) -> None:
        """
        Note whether a requirement is met by what there was to judge.

        Parameters
        ----------
        judged : collection of str
            What there was; if nothing, nobody knows.
        check : str
            The requirement.
        wrong : iterable of str
            What is wrong; nothing if it is met.
        """
        if judged:
            self.expect(check, wrong)
        else:
            self.skip((check,), "above")

    def skip(self, checks: Iterable[str], fix: str) -> None:
        """
        Note that requirements were not checked.

        Parameters
        ----------
        checks : iterable of str
            Which.
        fix : str
            What it takes to check them.
        """
        self.findings += [Finding(check, "skipped", "", fix) for check in checks]


def fix_for(answer: Answer, path: str) -> str:
    """
    Say who has to do something about an answer that is not the expected one.

    Parameters
    ----------
    answer : Answer
        The answer.
    path : str
        Address that gave it.

    Returns
    -------
    str
        Key of the translations.
    """
    if answer.status == 401 and path.startswith(HOOKS):
        return "signing"
    return _FIX.get(answer.status, "server")


def unlike(answer: Answer, status: int | range, *types: str) -> list[str]:
    """
    Compare status and content type with the expected ones.

    Parameters
    ----------
    answer : Answer
        The answer.
    status : int or range
        Statuses expected.
    *types : str
        Content types expected; none: any.

    Returns
    -------
    list of str
        What differs.
    """
    allowed = [status] if isinstance(status, int) else status
    said = f"{allowed[0]}" if len(allowed) == 1 else f"{allowed[0]}-{allowed[-1]}"
    found = [] if answer.status in allowed else [f"HTTP {answer.status}, not {said}"]
    if not found and types and answer.type not in types:
        found.append(f"content-type {answer.type or 'missing'}, not {types[0]}")
    return found
