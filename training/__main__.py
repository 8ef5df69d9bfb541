"""Command line of the data scientist: ``python -m training train | evaluate | compare | cards``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
if not console.is_terminal:
    console = Console(width=120)


@app.command()
def train(
    model: Annotated[str, typer.Option(help="Model id, or 'all'.")] = "all",
    data: Annotated[
        str, typer.Option(help="shared (development data) or pypi (small).")
    ] = "shared",
    out: Annotated[Path | None, typer.Option(help="Folder for the bundle.")] = None,
) -> None:
    """Cross-validate three families, log them to MLflow, export the champion."""
    from training.definition import definitions
    from training.train import SMALL_MODELS
    from training.train import train as run

    if data not in ("shared", "pypi"):
        raise typer.BadParameter("must be shared or pypi", param_hint="--data")
    every = SMALL_MODELS if data == "pypi" else definitions()
    for name in every if model == "all" else [model]:
        result = _or_exit(lambda name=name: run(name, data, out))
        rows = {family: v.tiers for family, v in result["validations"].items()}
        console.print(_table(f"{name}: champion {result['champion']}", rows))
        console.print(
            f"HistGradientBoosting, untuned: AUROC {result['untuned_boosting_auroc']:.4f}; "
            f"bundle: {os.path.relpath(result['folder'])}"
        )


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help="Model id.")],
    dataset: Annotated[str, typer.Option(help="nhanes, china, framingham or pypi.")],
    table: Annotated[Path | None, typer.Option(help="Table with that data set's columns.")] = None,
    json: Annotated[Path | None, typer.Option(help="Where to write the report.")] = None,
    bundles: Annotated[Path | None, typer.Option(help="Folder with the bundles.")] = None,
) -> None:
    """Validate a bundle on a table, overall and by tier."""
    from training.evaluate import evaluate as run
    from training.evaluate import write_report

    where = {"bundles": bundles} if bundles else {}
    report = _or_exit(lambda: run(model, dataset, table, **where))
    console.print(_table(f"{model} {report['version']} on {dataset}", {model: report["tiers"]}))
    if json:
        write_report(report, json)


@app.command()
def compare(
    model: Annotated[str, typer.Option(help="Model id, or 'all'.")] = "all",
) -> None:
    """Show the cross-validation of every family behind the shipped bundles."""
    from cdss.bundle import load_models

    bundles = _or_exit(
        lambda: load_models(None if model == "all" else [model], demonstrations=True)
    )
    for bundle in bundles:
        table = Table(title=f"{bundle.id} {bundle.version}", title_justify="left")
        for name in ("family", "AUROC", "mean AUROC over tiers", "calibrated in every tier",
                     "keeps directions"):  # fmt: skip
            table.add_column(name)
        for family, figures in bundle.facts["families"].items():
            chosen = " (champion)" if family == bundle.facts["family"] else ""
            table.add_row(
                f"{family}{chosen}",
                f"{figures['auroc']:.4f}",
                f"{figures['mean_auroc']:.4f}",
                *("yes" if figures[key] else "no" for key in ("in_band", "keeps_directions")),
            )
        untuned = bundle.facts["untuned_boosting_auroc"]
        table.add_row("HistGradientBoosting, untuned", f"{untuned:.4f}", "", "", "")
        console.print(table)
        if bundle.facts["sites"]:
            sites = {"left out": bundle.facts["sites"]}
            console.print(_table(f"{bundle.id}: each site left out", sites, "site"))


@app.command()
def cards(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if stale.")] = False,
) -> None:
    """Write the model cards of the shipped bundles."""
    from cdss.bundle import load_models
    from training.card import stale, write_cards

    models = load_models(demonstrations=True)
    if not check:
        write_cards(models)
    elif old := stale(models):
        console.print(f"stale cards: {', '.join(old)}; run make cards")
        raise typer.Exit(1)


def _table(title: str, rows: dict[str, Any], second: str = "tier") -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("model", second, "n", "events", "AUROC (95 % CI)", "O:E", "intercept", "slope",
                 "Brier"):  # fmt: skip
        table.add_column(name, justify="left" if name in ("model", second) else "right")
    for label, reports in rows.items():
        for part, figures in reports.items():
            if figures["auroc"] is None:
                table.add_row(label, part, str(figures["n"]), str(figures["events"]), "too few")
                continue
            low, high = figures["auroc_95ci"]
            table.add_row(
                label,
                part,
                str(figures["n"]),
                str(figures["events"]),
                f"{figures['auroc']:.3f} ({low:.3f}-{high:.3f})",
                *(f"{figures[k]:.3f}" for k in ("o_e", "calibration_intercept")),
                f"{figures['calibration_slope']:.3f}",
                f"{figures['brier']:.4f}",
            )
    return table


def _or_exit(run: Any) -> Any:
    """Say what is wrong in one line instead of a traceback, for what a user can mend."""
    from cdss.errors import CdssError

    try:
        return run()
    except (CdssError, LookupError, FileNotFoundError, ValueError) as error:
        Console(stderr=True).print(f"[bold]error:[/bold] {error}")
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
