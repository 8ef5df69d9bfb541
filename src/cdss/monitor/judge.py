"""What a month's counts say of each client: what has changed, by how much, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from cdss.drift import Shift, compare
from cdss.monitor.bins import MISSING, labels
from cdss.monitor.counts import Months
from cdss.monitor.people import Derivation, UnitGuess, expected, unit_guess
from cdss.monitor.share import FEWEST, Share, rose
from cdss.monitor.tally import ASSESSED, PROBABILITIES, REJECTED, Counts, Key
from cdss.variables import VARIABLES

BEFORE = 3
"""Months with which one is compared, drawn together."""

_OFTEN = 0.02  # share of people with a problem that deserves a look
_NOT_OF_USE = frozenset({"implausible", "unknown_unit", "no_unit", "doubtful_unit"})

Kind = Literal[
    "units", "shift", "unusable", "missing", "refused", "probability", "silent", "unlike"
]
_ORDER: tuple[Kind, ...] = (
    "units", "unusable", "shift", "missing", "refused", "probability", "silent", "unlike",
)  # fmt: skip


class Finding(NamedTuple):
    """
    Something to look at.

    Attributes
    ----------
    kind : str
        What it is; `cdss.monitor.report` says what to do about it.
    about : str
        Variable, model, or empty for the client as a whole.
    now, before : Share or None
        Shares, if it is about shares.
    shift : Shift or None
        How far, if it is about a distribution.
    guess : UnitGuess or None
        What would explain it.
    code : str
        Problem or reason, if it is about one.
    attention : bool
        Whether somebody has to look; else it is worth knowing.
    """

    kind: Kind
    about: str
    now: Share | None = None
    before: Share | None = None
    shift: Shift | None = None
    guess: UnitGuess | None = None
    code: str = ""
    attention: bool = True


@dataclass(frozen=True)
class Distribution:
    """
    Counts over bins, and how they compare.

    Attributes
    ----------
    about : str
        Variable, or model and version.
    bins : tuple of str
        Names of the bins.
    now, before : tuple of int
        Counts of the month, and of the months before it.
    missing, missing_before : Share or None
        Unknown values, if there can be some.
    shift : Shift or None
        From the months before; None if there is nothing to compare with.
    unlike : mapping of str to Shift
        From the people of each model that was made from data.
    guess : UnitGuess or None
        A unit that would explain how unlike they are.
    """

    about: str
    bins: tuple[str, ...]
    now: tuple[int, ...]
    before: tuple[int, ...]
    missing: Share | None = None
    missing_before: Share | None = None
    shift: Shift | None = None
    unlike: Mapping[str, Shift] | None = None
    guess: UnitGuess | None = None


@dataclass(frozen=True)
class ClientMonth:
    """
    One client in one month.

    Attributes
    ----------
    client, month : str
        Which.
    people : mapping of str to int
        How many were assessed in each month there is, this one included.
    rejected : int
        How many could not be assessed.
    inputs, probabilities : tuple of Distribution
        By variable, and by model.
    results : mapping of (str, str) to int
        How often each model gave each kind of answer.
    refusals, problems : mapping of (str, str) to int
        Model and reason; variable and problem.
    findings : tuple of Finding
        What to look at, most pressing first.
    """

    client: str
    month: str
    people: Mapping[str, int]
    rejected: int
    inputs: tuple[Distribution, ...]
    probabilities: tuple[Distribution, ...]
    results: Mapping[tuple[str, str], int]
    refusals: Mapping[tuple[str, str], int]
    problems: Mapping[tuple[str, str], int]
    findings: tuple[Finding, ...]

    @property
    def assessed(self) -> int:
        """How many were assessed."""
        return self.people.get(self.month, 0)


def judge(
    months: Months, month: str, people: Mapping[str, Sequence[Derivation]]
) -> tuple[ClientMonth, ...]:
    """
    Judge a month.

    Parameters
    ----------
    months : mapping
        All counts there are.
    month : str
        Which month.
    people : mapping of str to sequence of Derivation
        Whom models were made from, by quantity.

    Returns
    -------
    tuple of ClientMonth
        One for each client of this month, and for each that fell silent.
    """
    earlier = sorted(each for each in months if each < month)[-BEFORE:]
    clients = sorted({client for each in (*earlier, month) for client in months.get(each, {})})
    return tuple(
        _client_month(
            client,
            month,
            {each: months[each].get(client, Counter()) for each in months if each <= month},
            sum((months[each].get(client, Counter()) for each in earlier), Counter()),
            people,
        )
        for client in clients
    )


def _client_month(
    client: str,
    month: str,
    history: Mapping[str, Counts],
    before: Counts,
    people: Mapping[str, Sequence[Derivation]],
) -> ClientMonth:
    now = history.get(month, Counter())
    answered = {key.name for key in now if key.kind == "result"}
    asked = {key.name for key in now if key.kind == "input"}
    inputs = tuple(
        _input(name, now, before, [d for d in people.get(name, ()) if d.model in answered])
        for name in VARIABLES
        if name in asked
    )
    models = sorted({key.name for key in now if key.kind == "probability"})
    probabilities = tuple(_probability(model, now, before) for model in models)
    assessed = {each: counts[ASSESSED] for each, counts in history.items()}
    findings = [*_of_client(now, before)]
    for each in inputs:
        findings += _of_input(each)
    for each in probabilities:
        if each.shift and each.shift.size != "none":
            findings.append(Finding("probability", each.about, shift=each.shift))
    findings += [*_of_problems(now, before), *_of_refusals(now, before)]
    return ClientMonth(
        client,
        month,
        assessed,
        now[REJECTED],
        inputs,
        probabilities,
        _table(now, "result"),
        _table(now, "refusal"),
        _table(now, "problem"),
        tuple(sorted(findings, key=lambda f: (not f.attention, _ORDER.index(f.kind)))),
    )


def _input(name: str, now: Counts, before: Counts, people: Sequence[Derivation]) -> Distribution:
    bins = labels(name)
    counts, earlier = _over(now, "input", name, bins), _over(before, "input", name, bins)
    missing, missed = now[Key("input", name, MISSING)], before[Key("input", name, MISSING)]
    known = sum(counts)
    unlike = {d.model: compare(expected(name, d), counts) for d in people} if known else {}
    nearest = min(people, key=lambda d: unlike[d.model].psi, default=None) if known else None
    return Distribution(
        name,
        bins,
        counts,
        earlier,
        Share(missing, missing + known),
        Share(missed, missed + sum(earlier)) if missed + sum(earlier) else None,
        compare(earlier, counts) if known and sum(earlier) else None,
        unlike,
        unit_guess(name, nearest, np.array(counts)) if nearest else None,
    )


def _probability(model: str, now: Counts, before: Counts) -> Distribution:
    counts, earlier = (_over(each, "probability", model, PROBABILITIES) for each in (now, before))
    shift = compare(earlier, counts) if sum(counts) and sum(earlier) else None
    return Distribution(model, PROBABILITIES, counts, earlier, shift=shift)


def _of_client(now: Counts, before: Counts) -> Iterable[Finding]:
    if before[ASSESSED] >= FEWEST and not now[ASSESSED] + now[REJECTED]:
        yield Finding("silent", "")
    rejected = Share(now[REJECTED], now[ASSESSED] + now[REJECTED])
    usual = Share(before[REJECTED], before[ASSESSED] + before[REJECTED])
    if rose(usual, rejected) or (not usual.of and rejected.low >= _OFTEN):
        yield Finding("unusable", "", rejected, usual if usual.of else None)


def _of_input(each: Distribution) -> Iterable[Finding]:
    if each.shift and each.shift.size != "none":
        yield Finding("units" if each.guess else "shift", each.about, shift=each.shift,
                      guess=each.guess)  # fmt: skip
    elif each.guess and each.unlike:
        least = min(each.unlike.values())
        yield Finding("units", each.about, shift=least, guess=each.guess)
    elif each.unlike and (least := min(each.unlike.values())).size == "major":
        yield Finding("unlike", each.about, shift=least, attention=False)
    if each.missing and each.missing_before and rose(each.missing_before, each.missing):
        yield Finding("missing", each.about, each.missing, each.missing_before)


def _of_problems(now: Counts, before: Counts) -> Iterable[Finding]:
    """Problems that became more frequent, and of a new client those of units."""
    of, was = (each[ASSESSED] + each[REJECTED] for each in (now, before))
    for (variable, code), n in _table(now, "problem").items():
        share, usual = Share(n, of), Share(before[Key("problem", variable, code)], was)
        often = code in _NOT_OF_USE and share.low >= _OFTEN and not was
        if often or rose(usual, share):
            yield Finding("unusable", variable, share, usual if was else None, code=code)


def _of_refusals(now: Counts, before: Counts) -> Iterable[Finding]:
    for (model, reason), n in _table(now, "refusal").items():
        # Of everybody: which models are asked for an answer depends on what the others say.
        share = Share(n, now[ASSESSED])
        usual = Share(before[Key("refusal", model, reason)], before[ASSESSED])
        if rose(usual, share):
            yield Finding("refused", model, share, usual, code=reason)


def _over(counts: Counts, kind: str, name: str, parts: Sequence[str]) -> tuple[int, ...]:
    return tuple(counts[Key(kind, name, part)] for part in parts)


def _table(counts: Counts, kind: str) -> dict[tuple[str, str], int]:
    return {(key.name, key.part): n for key, n in sorted(counts.items()) if key.kind == kind}
