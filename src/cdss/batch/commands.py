"""``cdss batch``; it exits with 4 if somebody could not be assessed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cdss.bundle import SHIPPED
from cdss.console import Lang, Place, Ungated, explained, fail, show, words_of
from cdss.errors import BatchError, DefinitionError
from cdss.i18n import Words
from cdss.jurisdiction import DEFAULT

if TYPE_CHECKING:
    from cdss.batch.engine import Engine, Watcher
    from cdss.batch.layout import Layout

NOT_EVERYBODY = 4
LOCAL = "local"

ENGINES: dict[str, Callable[[str | None], AbstractContextManager[Engine]]] = {}
"""What can do the work besides this machine, given an address; `cdss.cli` knows them."""


def batch(
    source: Annotated[
        Path, typer.Argument(help="Parquet, CSV, NDJSON or check-up XML: a file or a folder.")
    ],
    out: Annotated[
        Path, typer.Argument(help="Where the results go: a new folder, or that of the same run.")
    ],
    mapping: Annotated[
        Path | None, typer.Option(help="What the columns say, TOML: docs/batch.md.")
    ] = None,
    identifier: Annotated[
        str | None, typer.Option("--id", help="Column that names the person.")
    ] = None,
    index_date: Annotated[
        str | None, typer.Option(help="Day for which everything is computed, if no column has it.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Columns to copy beside the advice: a,b; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Columns not to look at: a,b; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Ask only this model; may be repeated; or all.")
    ] = None,
    jurisdiction: Place = DEFAULT,
    ungated: Ungated = False,
    bundles: Annotated[Path, typer.Option(help="Where bundles are.")] = SHIPPED,
    contributions: Annotated[
        bool, typer.Option("--contributions", help="Write every contribution, not only three.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many at once; by default one a processor.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What does the work: local, or spark (docs/spark.md).")
    ] = LOCAL,
    master: Annotated[
        str | None, typer.Option(help="Address of the cluster; by default as Spark is set up.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Assess everybody in a table, to Parquet; the same command goes on after an interruption."""
    text = words_of(lang)
    if importlib.util.find_spec("pyarrow") is None:
        fail(text("batch.no_pyarrow"))
    from cdss.batch.plan import Options
    from cdss.batch.run import run

    working = _engine(text, engine, master, processes)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with explained(text):
        try:
            layout = _layout(text, mapping, identifier, index_date, _names(keep), _names(ignore))
            options = Options(
                layout, jurisdiction, tuple(model or ()), ungated,
                bundles=bundles, contributions=contributions,
            )  # fmt: skip
            with bar:
                manifest = run(
                    source, out, options,
                    processes=processes, engine=working, watcher=_shown(bar, text),
                )  # fmt: skip
        except (DefinitionError, BatchError) as error:
            fail(text("batch.stopped"), str(error))
    counts = manifest["counts"]
    said = {name: str(count) for name, count in counts.items()}  # every digit
    show(text("batch.summary", **said), text("batch.written", folder=str(out)))
    show(*(f"{each['file']}: {each['reason']}" for each in manifest["unread"]), stderr=True)
    show(text("notice.advisory"))
    if counts["rejected"] or counts["files_unread"]:
        raise typer.Exit(NOT_EVERYBODY)


def _engine(
    text: Words, engine: str, master: str | None, processes: int | None
) -> AbstractContextManager[Engine] | None:
    """None is this machine."""
    if (engine == LOCAL and master) or (engine != LOCAL and processes):
        fail(text("batch.other_engine", option="--master" if master else "--processes"))
    if engine == LOCAL:
        return None
    if engine not in ENGINES:
        fail(text("batch.no_engine", engine=engine, known=", ".join((LOCAL, *ENGINES))))
    try:
        return ENGINES[engine](master)
    except ImportError:
        fail(text("batch.no_spark"))


def _names(given: list[str] | None) -> list[str]:
    """All names of an option that may be repeated, and takes several with commas."""
    return [name for several in given or () for name in several.split(",")]


def _layout(
    text: Words,
    mapping: Path | None,
    identifier: str | None,
    index_date: str | None,
    keep: list[str],
    ignore: list[str],
) -> Layout:
    from cdss.batch.layout import Layout

    try:
        day = date.fromisoformat(index_date) if index_date else None
    except ValueError:
        fail(text("batch.bad_date"))
    try:
        return Layout.read(mapping, identifier=identifier, index_date=day, keep=keep, ignore=ignore)
    except OSError:
        fail(text("cli.unreadable", name=str(mapping)))


def _shown(bar: Progress, text: Words) -> Watcher:
    """Shows how far a run is, how fast, and how long it will take."""
    from cdss.batch.engine import Watcher

    class Shown(Watcher):
        def __init__(self) -> None:
            self._task = bar.add_task("", total=None, rate="")
            self._people = 0

        def begin(self, stage: str, total: int) -> None:
            self._people = 0
            bar.reset(self._task, total=total, description=text(f"batch.{stage}"), rate="")

        def advance(self, size: int, people: int) -> None:
            self._people += people
            spent = bar.tasks[0].elapsed or 0.0
            rate = f"{self._people / spent if spent else 0.0:.0f}"
            bar.update(self._task, advance=size, rate=text("batch.rate", rate=rate))

    return Shown()
