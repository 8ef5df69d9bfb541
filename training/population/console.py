"""Fitting a population, and saying how it went."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

import cdss.synthetic
from cdss.synthetic.compare import compare
from cdss.synthetic.figures import read_figures
from cdss.synthetic.model import load_model
from cdss.synthetic.plan import Plan
from training.population.calibrate import calibrate, write
from training.population.learn import learn

HERE = Path(cdss.synthetic.__file__).parent
PEOPLE = 200_000


def fit(country: str, *, relearn: bool) -> list[Path]:
    """
    Learn from the cohorts, if asked, and move margins to the published figures.

    Parameters
    ----------
    country : str
        Whose figures.
    relearn : bool
        Whether to read the cohorts again; otherwise what ships is kept.

    Returns
    -------
    list of Path
        Files that were written.
    """
    written = []
    if relearn:
        write(HERE / "cohorts.json", learn())
        written.append(HERE / "cohorts.json")
    write(HERE / f"{country}_fitted.json", calibrate(country))
    load_model.cache_clear()
    return [*written, HERE / f"{country}_fitted.json"]


def show(console: Console, country: str) -> bool:
    """Print every aim of every scenario beside what a new population has; whether all are met."""
    every = True
    for scenario in read_figures(country).scenarios:
        found = compare(Plan(PEOPLE, country, scenario))
        table = Table(title=f"{scenario}: {found.title}", title_justify="left")
        for column in ("figure", "aim", "population", "tolerance", ""):
            table.add_column(column, justify="left" if column == "figure" else "right")
        for each in found.found:
            if each.aim is not None:
                table.add_row(
                    each.figure.id, f"{each.aim:.4g}", f"{each.value:.4g}",
                    f"{each.figure.tolerance:g}", "met" if each.met else "MISSED",
                )  # fmt: skip
        console.print(table)
        every &= found.met
    return every
