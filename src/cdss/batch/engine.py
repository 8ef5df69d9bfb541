"""What an engine does of a run, and what it needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cdss.batch.assessor import Assessor
from cdss.batch.block import Unread
from cdss.batch.identity import doubled
from cdss.batch.plan import Options
from cdss.batch.source import Source

TWICE = "occur-twice.npy"
"""File of the output: marks of those who occur twice, as `identity` makes them."""

ATTEMPTS = ".attempts"
"""Folder of the output for what an engine writes before it is in its place; removed at the end."""


class Watcher:
    """Is told how far a run is; this one says nothing."""

    def begin(self, stage: str, total: int) -> None:
        """
        Hear what begins.

        Parameters
        ----------
        stage : {"identifying", "assessing"}
            What.
        total : int
            How much there is to do, as `Source.total` counts.
        """

    def advance(self, size: int, people: int) -> None:
        """
        Hear what was done.

        Parameters
        ----------
        size : int
            How much of it.
        people : int
            How many people they are.
        """


@dataclass(frozen=True)
class Job:
    """
    What there is to do.

    Attributes
    ----------
    source : Source
        What goes in.
    out : Path
        Where the output is.
    options : Options
        What is asked.
    metadata : dict of str to str
        What every file says of itself.
    watcher : Watcher
        Is told how far it is.
    """

    source: Source
    out: Path
    options: Options
    metadata: dict[str, str]
    watcher: Watcher


class Engine(Protocol):
    """Does the work of a run somewhere."""

    def identify(self, job: Job) -> NDArray[np.uint64]:
        """
        Find who occurs twice.

        Parameters
        ----------
        job : Job
            What there is to do.

        Returns
        -------
        ndarray of uint64, shape (m, 2)
            Marks that occur more than once, each once, sorted.
        """

    def assess(self, job: Job, done: dict[str, dict[str, Any]]) -> list[Unread]:
        """
        Assess everybody who is not done.

        Parameters
        ----------
        job : Job
            What there is to do.
        done : dict of str to dict
            Checkpoints of parts that are done; those that become so are added.

        Returns
        -------
        list of Unread
            Files that could not be read, in order.
        """


def assessor_of(out: Path, options: Options) -> Assessor:
    """
    Load the models and whoever occurs twice.

    Parameters
    ----------
    out : Path
        Where the output is.
    options : Options
        What is asked.

    Returns
    -------
    Assessor
        Of this run.

    Raises
    ------
    CdssError
        If a model cannot be used.
    """
    place, models = options.asked()
    return Assessor(
        place, models, options.layout, doubled(np.load(out / TWICE)),
        contributions=options.contributions,
    )  # fmt: skip
