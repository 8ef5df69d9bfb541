"""The download's progress bar, and its account in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from training.nhanes.download import Tell
from training.nhanes.table import Made


@contextmanager
def progress_bar(console: Console) -> Iterator[Tell]:
    """
    Show which file is under way, and how far it is.

    Parameters
    ----------
    console : rich.console.Console
        Where to show it; nothing is shown if it is not a terminal.

    Yields
    ------
    callable
        What `training.nhanes.download.download` tells of its progress.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        names: list[str] = []
        task = bar.add_task("asking", total=None)

        def tell(name: str, done: int, total: int | None) -> None:
            if name not in names:
                names.append(name)
                bar.reset(task, total=total, description=f"{name}, file {len(names)}")
            bar.update(task, completed=done, total=total)

        yield tell


def account(made: Made) -> Iterator[str]:
    """
    Say what was made, and what is missing or uncertain.

    Parameters
    ----------
    made : Made
        The table's account.

    Yields
    ------
    str
        Lines for a person.
    """
    yield f"{sum(made.people.values())} adults in {len(made.people)} cycles: {made.path}"
    for file in made.missing_files:
        yield f"not there: {file}"
    if made.absent:
        yield f"columns that nobody has for want of files: {', '.join(made.absent)}"
    yield from made.problems
    for name in made.revised:
        yield f"{name} is not the file that was checked here: CDC revised it"
    for cycle, checked in made.checked.items():
        yield f"{cycle}: names checked against {checked}"
