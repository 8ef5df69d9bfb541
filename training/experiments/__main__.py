"""``python -m training.experiments [MODEL ...]``: try every idea, write ``results.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import Progress

from training.data import load_table
from training.definition import definitions
from training.experiments.ideas import CHAMPIONS_BEFORE, ideas
from training.experiments.trial import some_of, trials

RESULTS = Path(__file__).with_name("results.csv")
ROWS = 40_000


def main(
    models: Annotated[list[str] | None, typer.Argument(help="Model ids; all if none.")] = None,
    rows: Annotated[int, typer.Option(help="At most so many people of a cohort.")] = ROWS,
    idea: Annotated[
        list[str] | None, typer.Option(help="Only ideas that contain this; the first always.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Table of results; other rows are kept.")] = RESULTS,
) -> None:
    """Cross-validate every idea against what shipped as 1.0.0, on the same folds."""
    for model in models or CHAMPIONS_BEFORE:
        definition = definitions()[model]
        cohort = some_of(definition.cohort(load_table(definition.dataset)), rows)
        first, *others = ideas(model)
        chosen = [first, *(o for o in others if not idea or any(i in o.name for i in idea))]
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task(model, total=len(chosen))
            for row in trials(
                definition, cohort, chosen, lambda name, task=task: bar.advance(task)
            ):
                _keep(row, out)


def _keep(row: dict, out: Path) -> None:
    """Put a row into the table, in place of the one of the same model, idea and tier."""
    table = pd.DataFrame([row])
    if out.is_file():
        key = ["model", "idea", "tier"]
        table = pd.concat([pd.read_csv(out), table])
        table = table.drop_duplicates(key, keep="last").sort_values("model", kind="stable")
    table.round(5).to_csv(out, index=False)


if __name__ == "__main__":
    typer.run(main)
