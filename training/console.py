"""Run a validation from the command line, with a progress bar."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cdss.bundle import SHIPPED
from training.bundled import defined
from training.data import load_table
from training.fit import FOLDS, part_folds
from training.learners import LEARNERS
from training.report import write
from training.validate import COMPARED_TIERS, QUICK_TIERS
from training.validate import validate as assemble

AFTER = 4
"""Steps besides fits: resamples, tiers, survey and parts, subgroups."""


def validate(
    model: str,
    outcome_of: str | None,
    dataset: str | os.PathLike[str] | None,
    table: Path | None,
    out: Path | None,
    *,
    quick: bool = False,
    bundles: str | os.PathLike[str] = SHIPPED,
) -> tuple[dict[str, Any], dict[str, Path]]:
    """
    Validate, write everything down, and show how far it is.

    Parameters
    ----------
    model, outcome_of
        As `training.validate.validate` takes them.
    dataset : str, path or None
        Data set whose columns the table has, or a mapping file; by default the development data.
    table : path or None
        Another table.
    out : path or None
        Folder for everything; see `training.report.write` for where it goes by default.
    quick : bool
        Fewer resamples, no refits without a site or cycle.
    bundles : path
        Folder with the bundles.

    Returns
    -------
    tuple of dict
        The evidence, and the files written.

    Raises
    ------
    LookupError
        If there is no such model, equation or data set.
    ValueError
        If a table lacks columns, or an equation gives no risk in it.
    FileNotFoundError
        If a table is not there.
    """
    definition = defined(outcome_of or model)
    data = load_table(dataset or definition.dataset, table) if dataset or table else None
    bar = Progress(
        TextColumn(f"[bold]{model}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
    )
    tiers = [t for t in (QUICK_TIERS if quick else COMPARED_TIERS) if t in definition.tiers]
    steps = AFTER + len(LEARNERS) * (1 if outcome_of else len(tiers))
    if data is None and outcome_of is None:
        cohort = definition.cohort(load_table(definition.dataset))
        steps += FOLDS + (0 if quick else len(part_folds(cohort)))
    with bar:
        task = bar.add_task("", total=steps)
        evidence = assemble(
            model,
            outcome_of=outcome_of,
            data=data,
            bundles=bundles,
            quick=quick,
            tick=lambda step: bar.update(task, advance=1, description=step),
        )
    return evidence.report, write(evidence, out)
