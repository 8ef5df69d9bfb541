"""From batches to a report: read, count, put the noise on, and compute."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdss.errors import DefinitionError
from cdss.trends.cells import protect, splits
from cdss.trends.compare import Strata, protect_pairs
from cdss.trends.define import due_rules, measures
from cdss.trends.inputs import Inputs, open_batches
from cdss.trends.measures import Measure, definitions
from cdss.trends.noise import Protection, Secret
from cdss.trends.outcomes import read_outcomes
from cdss.trends.persons import Buckets, count
from cdss.trends.report import Report, tables
from cdss.trends.sums import Sums
from cdss.trends.visits import Every, Reader
from cdss.trends.watch import calibration, drift


@dataclass(frozen=True)
class Options:
    """
    What is asked of a report.

    Attributes
    ----------
    areas : tuple of str
        Columns that say where, from the large to the small.
    every : {"year", "quarter"}
        Length of a period.
    measures : tuple of str
        Only these; by default all that can be measured.
    epsilon : float or None
        Of differential privacy for the whole report.
    least : int
        Fewer people are not shown.
    spread, weights : float
        Standard deviation of the noise of a figure, and variance of how often a person counts, if
        there is no `epsilon`.
    age_bands : tuple of int
        Ages at which bands begin.
    outcomes : Path or None
        What happened.
    """

    areas: tuple[str, ...] = ()
    every: Every = "year"
    measures: tuple[str, ...] = ()
    epsilon: float | None = None
    least: int = definitions()["protection"]["least"]
    spread: float = definitions()["protection"]["noise"]
    weights: float = definitions()["protection"]["weights"]
    age_bands: tuple[int, ...] = tuple(definitions()["age_bands"])
    outcomes: Path | None = None


class Watcher:
    """Is told how far a run is; this one says nothing."""

    def begin(self, stage: str, total: int) -> None:
        """
        Hear what begins.

        Parameters
        ----------
        stage : {"reading", "counting"}
            What.
        total : int
            How much there is to do.
        """

    def advance(self, amount: int) -> None:
        """
        Hear what was done.

        Parameters
        ----------
        amount : int
            How much of it.
        """


def run(
    folders: Sequence[Path], secret: Secret, options: Options, watcher: Watcher | None = None
) -> Report:
    """
    Make a report.

    Parameters
    ----------
    folders : sequence of Path
        What ``cdss batch`` wrote.
    secret : Secret
        Of the site.
    options : Options
        What is asked.
    watcher : Watcher, optional
        Is told how far it is.

    Returns
    -------
    Report
        Everything that may be published.

    Raises
    ------
    CdssError
        If folders, options or outcomes cannot be used.
    """
    inputs = open_batches(folders)
    if unknown := [name for name in options.areas if name not in inputs.columns]:
        raise DefinitionError(
            f"columns that not every batch copied (cdss batch --keep): {', '.join(unknown)}"
        )
    found, absent = measures(inputs.place, inputs.columns, inputs.questions)
    found = _picked(found, options.measures)
    sums = gather(inputs, secret, options, found, watcher or Watcher())
    protection = protection_of(found, secret, options, len(sums.marks))
    return _computed(inputs, options, found, absent, sums, protection)


def protection_of(
    found: Sequence[Measure], secret: Secret, options: Options, periods: int
) -> Protection:
    """
    Say how figures are protected.

    Parameters
    ----------
    found : sequence of Measure
        What is told.
    secret : Secret
        Of the site.
    options : Options
        What is asked.
    periods : int
        How many there are.

    Returns
    -------
    Protection
        With the number of figures that one person can contribute to.
    """
    numbers = {n.name for m in found for n in m.numbers()}
    share = len(numbers) * splits(len(options.areas)) * periods
    return Protection(
        secret, options.spread, options.weights, options.epsilon, share, options.least
    )


def _picked(found: list[Measure], wanted: Sequence[str]) -> list[Measure]:
    known = [measure.id for measure in found]
    if unknown := [name for name in wanted if name not in known]:
        raise DefinitionError(f"no measures here: {', '.join(unknown)}; known: {', '.join(known)}")
    return [m for m in found if not wanted or m.id in wanted or m.id == "seen"]


def gather(
    inputs: Inputs, secret: Secret, options: Options, found: Sequence[Measure], watcher: Watcher
) -> Sums:
    """
    Read everybody and count them.

    Parameters
    ----------
    inputs : Inputs
        Batches.
    secret : Secret
        Of the site.
    options : Options
        What is asked.
    found : sequence of Measure
        What is counted.
    watcher : Watcher
        Is told how far it is.

    Returns
    -------
    Sums
        Not to be shown to anybody before `cdss.trends.cells.protect`.
    """
    numbers = tuple({n.name: n for m in found for n in m.numbers()}.values())
    told = _with_risks(inputs, numbers, options)
    outcomes = None
    if options.outcomes is not None:
        questions = [question.id for question in inputs.place.questions]
        outcomes = read_outcomes(options.outcomes, secret, questions)
    reader = Reader(inputs, told, options.areas, secret, options.every, options.age_bands)
    with tempfile.TemporaryDirectory(prefix="cdss-trends-") as folder:
        watcher.begin("reading", inputs.people)
        with Buckets(Path(folder), inputs.people) as buckets:
            for part in inputs.parts:
                buckets.add(reader.read(part))
                watcher.advance(part.people)
        watcher.begin("counting", len(buckets))
        grace = {name: late for name, (_, late) in due_rules(inputs.place).items()}

        def times(who: Any, period: str) -> Any:
            label = f"{inputs.identity}|{period}|{buckets.marks[period]}"
            return secret.times(who, label, 0.0 if options.epsilon else options.weights)

        return count(
            buckets, found, options.areas, grace, outcomes, times, lambda: watcher.advance(1)
        )


def _with_risks(inputs: Inputs, numbers: tuple[Any, ...], options: Options) -> tuple[Any, ...]:
    """Predictions are needed where outcomes are told, whether or not they are a measure."""
    if options.outcomes is None:
        return numbers
    every, _ = measures(inputs.place, inputs.columns, inputs.questions)
    more = [n for m in every if m.kind == "mean_risk" for n in (m.numerator, m.denominator)]
    return tuple({n.name: n for n in (*numbers, *more)}.values())


def _computed(
    inputs: Inputs,
    options: Options,
    found: Sequence[Measure],
    absent: Sequence[tuple[str, tuple[str, ...]]],
    sums: Sums,
    protection: Protection,
) -> Report:
    numbers = {n.name: n for m in found for n in m.numbers()}.values()
    cells = protect(sums, numbers, options.areas, protection, inputs.identity)
    strata = Strata.of(cells)
    shares = [m for m in found if m.unit == "share" and not m.kind.endswith("_bounds")]
    place = options.areas[0] if options.areas else None
    pairs = protect_pairs(sums, shares, strata, place, protection, inputs.identity)
    figures, changes = tables(found, cells, strata, pairs, protection)
    shown = set(strata.places)
    return Report(
        inputs, options, protection, tuple(found), tuple(absent), figures, changes,
        tuple(d for d in drift(sums, protection, inputs.identity) if d.place in shown),
        tuple(c for c in calibration(sums, protection, inputs.identity) if c.place in shown),
        strata.periods,
    )  # fmt: skip
