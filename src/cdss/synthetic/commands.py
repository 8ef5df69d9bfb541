"""``cdss population``; it exits with 1 if a report finds a figure that is not met."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cdss.console import Lang, fail, show, words_of
from cdss.errors import CdssError
from cdss.i18n import Words

if TYPE_CHECKING:
    from cdss.synthetic.plan import Plan

NOT_MET = 1


def population(
    out: Annotated[Path, typer.Argument(help="Where it goes: a new or empty folder.")],
    n: Annotated[int, typer.Option("--n", min=1, max=10**10 - 1, help="How many people.")],
    country: Annotated[str, typer.Option(help="Whose figures: vn.")] = "vn",
    scenario: Annotated[
        str, typer.Option(help="Where sources disagree: low, central or high.")
    ] = "central",
    years: Annotated[
        str, typer.Option(help="Years of check-ups, separated by commas: a folder each.")
    ] = "2025",
    seed: Annotated[int, typer.Option(min=0, help="Another one, other people.")] = 1,
    trend: Annotated[
        bool, typer.Option("--trend", help="Diabetes and weight go on rising as published.")
    ] = False,
    outcomes: Annotated[
        bool, typer.Option("--outcomes", help="Also make up what happened to them later.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Also hold it against the published figures.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many at once; by default one a processor.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Make up a population of check-ups for rehearsals: synthetic, and labelled so everywhere."""
    text = words_of(lang)
    needed = {"pyarrow": "synthetic.no_pyarrow"} | (
        {"jinja2": "synthetic.no_jinja"} if report else {}
    )
    for package, said in needed.items():
        if importlib.util.find_spec(package) is None:
            fail(text(said))
    from cdss.synthetic.plan import Plan
    from cdss.synthetic.run import processors, write_population

    plan = Plan(n, country, scenario, _years(years, text), seed, trend, outcomes)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    begun, made = time.monotonic(), 0
    task = bar.add_task(text("synthetic.drawing"), total=n, rate="")

    def _told(people: int) -> None:
        nonlocal made
        made += people
        rate = f"{made / max(time.monotonic() - begun, 1e-3):.0f}"
        bar.update(task, advance=people, rate=text("synthetic.rate", rate=rate))

    try:
        with bar:
            manifest = write_population(out, plan, processes=processes or processors(), told=_told)
        rows = ", ".join(f"{year}: {count}" for year, count in manifest["rows"].items())
        show(text("synthetic.written", people=str(n), rows=rows, folder=str(out)))
        met = not report or _report(out, plan, text)
    except CdssError as error:
        fail(text("synthetic.stopped"), str(error))
    show(text("synthetic.synthetic"))
    if not met:
        raise typer.Exit(NOT_MET)


def _years(said: str, text: Words) -> tuple[int, ...]:
    try:
        years = tuple(int(year) for year in said.split(","))
    except ValueError:
        fail(text("synthetic.bad_years"))
    if not years or list(years) != sorted(set(years)) or not 1971 <= years[0] <= years[-1] <= 2999:
        fail(text("synthetic.bad_years"))
    return years


def _report(out: Path, plan: Plan, text: Words) -> bool:
    from cdss.synthetic.compare import compare
    from cdss.synthetic.report import figure_rows, write_report

    found = compare(plan, out)
    folder = write_report(found, out / "report")
    aims = [each for each in found.found if each.aim is not None]
    names = ("figure", "published", "found", "page.tolerance")
    table = Table(*(text(f"synthetic.{name}") for name in names), "")
    for row, each in zip(figure_rows(aims, text), aims, strict=True):
        table.add_row(each.figure.id, row.aim, row.found, row.tolerance,
                      "" if each.met else text("synthetic.not_met"))  # fmt: skip
    met = sum(bool(each.met) for each in aims)
    show(table, text("synthetic.reported", folder=str(folder), aims=len(aims), met=met))
    return found.met
