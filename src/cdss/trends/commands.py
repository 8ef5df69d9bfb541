"""``cdss trends``: from batches to a report for those who plan."""

from __future__ import annotations

import importlib.util
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cdss.console import Lang, explained, fail, show, words_of
from cdss.errors import BatchError, DefinitionError
from cdss.i18n import LANGUAGES, Words

if TYPE_CHECKING:
    from cdss.trends.noise import Secret
    from cdss.trends.run import Watcher


class Period(StrEnum):
    """Length of a period."""

    year = "year"
    quarter = "quarter"


def trends(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="IN... OUT", help="Folders of cdss batch, and a new one."),
    ],
    area: Annotated[
        str,
        typer.Option(help="Kept columns that say where, from large to small: province,commune."),
    ] = "",
    period: Annotated[Period, typer.Option(help="Length of a period.")] = Period.year,
    measure: Annotated[
        list[str] | None, typer.Option(help="Tell only this measure; may be repeated.")
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="Differential privacy of the whole report.")
    ] = None,
    least: Annotated[int | None, typer.Option(min=3, help="Fewer people are not shown.")] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="What happened, Parquet or CSV: docs/trends.md.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(envvar="CDSS_TRENDS_KEY", help="Secret of the site; beside OUT by default."),
    ] = None,
    lang: Lang = "en",
) -> None:
    """Report trends by place, sex and age: what is expected, high, missed and missing."""
    text = words_of(lang)
    if any(importlib.util.find_spec(name) is None for name in ("polars", "pyarrow", "jinja2")):
        fail(text("trends.no_packages"))
    if len(sources) < 2:
        raise typer.BadParameter("IN... OUT")
    *folders, out = sources
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fail(text("trends.not_empty", name=str(out)))
    if epsilon is not None and not epsilon > 0:
        fail(text("trends.bad_epsilon"))
    from cdss.trends.run import Options, run
    from cdss.trends.write import write

    areas = tuple(name.strip() for name in area.split(",") if name.strip())
    options = Options(
        areas, "quarter" if period is Period.quarter else "year", tuple(measure or ()), epsilon,
        least or Options.least, outcomes=outcomes,
    )  # fmt: skip
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with explained(text):
        try:
            secret = _secret(key or out.absolute().parent / "trends.key", text)
            with bar:
                report = run(folders, secret, options, _shown(bar, text))
                bar.update(bar.tasks[0].id, description=text("trends.drawing"))
                names = write(report, out, LANGUAGES)
        except (DefinitionError, BatchError) as error:
            fail(text("trends.stopped"), str(error))
    figures = report.figures
    warnings = sum(table.filter("warning").height for table in (figures, report.changes))
    counts = {
        "people": report.inputs.people, "rejected": report.inputs.rejected,
        "unread": report.inputs.unread, "periods": len(report.periods),
        "measures": len(report.measures), "figures": figures.height,
        "hidden": figures["suppressed"].count(), "warnings": warnings,
    }  # fmt: skip
    show(*([text("trends.synthetic")] if report.inputs.synthetic else []))
    show(text("trends.summary", **{name: str(count) for name, count in counts.items()}))
    show(text("trends.written", folder=str(out), names=", ".join(names)), text("trends.advisory"))


def _secret(path: Path, text: Words) -> Secret:
    from cdss.trends.noise import Secret

    try:
        secret, new = Secret.read(path)
    except OSError:
        fail(text("cli.unreadable", name=str(path)))
    if new:
        show(text("trends.new_key", name=str(path)), stderr=True)
    return secret


def _shown(bar: Progress, text: Words) -> Watcher:
    """Shows how far a run is."""
    from cdss.trends.run import Watcher

    class Shown(Watcher):
        def __init__(self) -> None:
            self._task = bar.add_task("", total=None)

        def begin(self, stage: str, total: int) -> None:
            bar.reset(self._task, total=total, description=text(f"trends.{stage}"))

        def advance(self, amount: int) -> None:
            bar.advance(self._task, amount)

    return Shown()
