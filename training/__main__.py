"""Command line of the data scientist: ``python -m training --help`` lists the commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
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
    version: Annotated[str | None, typer.Option(help="By default the next minor one.")] = None,
) -> None:
    """Cross-validate four families, log them to MLflow, export the best as a candidate."""
    from training.definition import definitions
    from training.train import SMALL_MODELS
    from training.train import train as run

    if data not in ("shared", "pypi"):
        raise typer.BadParameter("must be shared or pypi", param_hint="--data")
    every = SMALL_MODELS if data == "pypi" else definitions()
    for name in every if model == "all" else [model]:
        result = _or_exit(lambda name=name: run(name, data, out, version))
        rows = {family: v.tiers for family, v in result["validations"].items()}
        console.print(_table(f"{name} {result['version']}: best {result['champion']}", rows))
        console.print(
            f"HistGradientBoosting, untuned: AUROC {result['untuned_boosting_auroc']:.4f}; "
            f"bundle: {os.path.relpath(result['folder'])}"
        )


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help="Model id.")],
    dataset: Annotated[str, typer.Option(help="nhanes, china, framingham or pypi.")] = "",
    mapping: Annotated[
        Path | None, typer.Option(help="A site's own mapping file, instead of --dataset.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Table with that data set's columns.")] = None,
    json: Annotated[Path | None, typer.Option(help="Where to write the report.")] = None,
    bundles: Annotated[Path | None, typer.Option(help="Folder with the bundles.")] = None,
) -> None:
    """Validate a bundle on a table, overall and by tier."""
    from training.evaluate import evaluate as run
    from training.evaluate import write_report

    if bool(dataset) == bool(mapping):
        raise typer.BadParameter("give either --dataset or --mapping")
    where = {"bundles": bundles} if bundles else {}
    report = _or_exit(lambda: run(model, mapping or dataset, table, **where))
    for line in report["rejected"]:
        console.print(line, highlight=False, markup=False)
    title = f"{model} {report['version']} on {report['dataset']}"
    console.print(_table(title, {model: report["tiers"]}))
    if json:
        write_report(report, json)


@app.command()
def validate(
    model: Annotated[str, typer.Option(help="Id of a trained model, or of an equation.")],
    outcome_of: Annotated[
        str | None, typer.Option("--as", help="Trained model whose outcome judges an equation.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Whose columns the table has.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="A site's own mapping file.")] = None,
    table: Annotated[Path | None, typer.Option(help="Other than the development data.")] = None,
    bundles: Annotated[Path | None, typer.Option(help="Folder with the bundles.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for what is written.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer resamples, no refits.")] = False,
) -> None:
    """Put together the evidence on a model: JSON, pictures and a report."""
    from training.console import validate as run

    if dataset and mapping:
        raise typer.BadParameter("give either --dataset or --mapping")
    with_bundles = {"bundles": bundles} if bundles else {}
    source = mapping or dataset
    found, files = _or_exit(
        lambda: run(model, outcome_of, source, table, out, quick=quick, **with_bundles)
    )
    title = f"{model} on {found['dataset']}, {found['validation']}"
    console.print(_table(title, {model: found["tiers"]}))
    for name, path in files.items():
        console.print(f"{name}: {os.path.relpath(path)}", soft_wrap=True)


@app.command()
def compare(
    model: Annotated[str, typer.Option(help="Model id, or 'all'.")] = "all",
) -> None:
    """Show the cross-validation of every family behind the shipped bundles."""
    from cdss.bundle import load_models

    bundles = _or_exit(
        lambda: load_models(None if model == "all" else [model], demonstrations=True, ungated=True)
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
    """Write the model cards of the shipped bundles, with checklists and CHAI's XML."""
    from cdss.bundle import load_models
    from training.cards import stale, write_cards

    models = load_models(demonstrations=True, ungated=True)
    if not check:
        write_cards(models)
    elif old := stale(models):
        console.print(f"stale cards: {', '.join(old)}; run make cards")
        raise typer.Exit(1)


data = typer.Typer(no_args_is_help=True, help="Get data sets that anyone may have.")
app.add_typer(data, name="data")


@data.callback()
def _data() -> None:
    """Get data sets that anyone may have."""


@data.command()
def nhanes(
    cycles: Annotated[str, typer.Option(help="For example 1999-2018, or 2005-2006,2013-2014.")],
    out: Annotated[Path, typer.Option(help="Folder for CDC's files and the table.")],
    base_url: Annotated[str | None, typer.Option(help="A mirror instead of CDC.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Go on without files that are not there.")
    ] = False,
) -> None:
    """Fetch CDC's public NHANES files and derive the analysis table."""
    from training.nhanes.console import account, progress_bar
    from training.nhanes.table import make_table

    with progress_bar(console) as tell:
        made = _or_exit(
            lambda: make_table(
                cycles, out, base_url=base_url, allow_missing=allow_missing, tell=tell
            )
        )
    for line in account(made):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def recalibrate(
    model: Annotated[str, typer.Option(help="Model id.")],
    table: Annotated[Path | None, typer.Option(help="Local people with the outcome.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Whose columns the table has.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Or a mapping file of its columns.")] = None,
    method: Annotated[str, typer.Option(help="intercept, slope or auto.")] = "auto",
    site: Annotated[str, typer.Option(help="Where: becomes part of the version.")] = "local",
    bundles: Annotated[Path | None, typer.Option(help="Folder with the bundles.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of candidates.")] = None,
) -> None:
    """Fit intercept, or intercept and slope, on local people; write a new version."""
    from training.account import recalibrated
    from training.recalibrate import recalibrate as run

    where = {k: v for k, v in (("bundles", bundles), ("out", out)) if v}
    report = _or_exit(
        lambda: run(model, _local(table, dataset, mapping), site=site, method=method, **where)
    )
    recalibrated(console, report)
    rows = {"before": report["before"], "after (cross-fitted)": report["after"]}
    console.print(_table(f"{model} at {site}", rows))


@app.command()
def anchor(
    model: Annotated[str, typer.Option(help="Model id.")],
    aggregates: Annotated[Path, typer.Option(help="File of published prevalences (.toml).")],
    table: Annotated[Path | None, typer.Option(help="Local predictors, without outcome.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Whose columns the table has.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Or a mapping file of its columns.")] = None,
    although: Annotated[
        str, typer.Option("--although-outcome-differs", help="Why it serves all the same.")
    ] = "",
    bundles: Annotated[Path | None, typer.Option(help="Folder with the bundles.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of candidates.")] = None,
) -> None:
    """Shift the intercept to published prevalences; the new version is not validated."""
    from training.account import anchored
    from training.aggregates import read_aggregates
    from training.anchor import anchor as run

    where = {k: v for k, v in (("bundles", bundles), ("out", out)) if v}
    report = _or_exit(
        lambda: run(
            model, read_aggregates(aggregates), although=although, **where,
            table=_local(table, dataset, mapping) if table else None,
        )
    )  # fmt: skip
    anchored(console, report)


@app.command()
def gate(
    model: Annotated[str, typer.Argument(help="Model id.")],
    candidate: Annotated[Path | None, typer.Option(help="The candidate's bundle.")] = None,
    evidence: Annotated[Path | None, typer.Option(help="What validate wrote.")] = None,
    champion_bundles: Annotated[
        Path | None, typer.Option(help="Folder with the last champion.")
    ] = None,
    signed_by: Annotated[str, typer.Option(help="Who answers for the release.")] = "",
    role: Annotated[str, typer.Option(help="As what.")] = "",
    statement: Annotated[str, typer.Option(help="What they have looked at, and why.")] = "",
    accept: Annotated[
        list[str] | None, typer.Option(help="A check that cannot tell, accepted by the signer.")
    ] = None,
    release_to: Annotated[Path | None, typer.Option(help="Folder of served bundles.")] = None,
    cards: Annotated[Path | None, typer.Option(help="Folder of model cards.")] = None,
    table: Annotated[Path | None, typer.Option(help="File of the development data.")] = None,
) -> None:
    """Judge a candidate; only a pass releases it. Exit code 1 if it does not pass."""
    from training.account import judged
    from training.gate import SignOff
    from training.gate import gate as run

    where = {"release_to": release_to, "cards": cards}
    record = _or_exit(
        lambda: run(
            model, SignOff(signed_by, role, statement, tuple(accept or ())), candidate=candidate,
            evidence=evidence, champions=champion_bundles, table=table,
            **{k: v for k, v in where.items() if v},
        )
    )  # fmt: skip
    judged(console, record)
    if record["verdict"] != "pass":
        raise typer.Exit(1)


@app.command()
def population(
    country: Annotated[str, typer.Option(help="Whose figures.")] = "vn",
    fit: Annotated[bool, typer.Option("--fit", help="Learn from the cohorts, and fit.")] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Fit only: the figures changed, no cohort did.")
    ] = False,
) -> None:
    """Fit what `cdss population` draws from, and hold it against the published figures."""
    from training.population.console import fit as run
    from training.population.console import show

    if fit or calibrate:
        for path in _or_exit(lambda: run(country, relearn=fit)):
            console.print(os.path.relpath(path))
    if not show(console, country):
        raise typer.Exit(1)


@app.command()
def history(
    model: Annotated[str | None, typer.Option(help="Model id; all by default.")] = None,
    bundles: Annotated[Path | None, typer.Option(help="Folder of served bundles.")] = None,
) -> None:
    """Show which version was champion when, and what the gate has judged here."""
    from cdss.bundle import SHIPPED
    from training import releases
    from training.account import champions, gates
    from training.history import history as run

    champions(console, _or_exit(lambda: run(bundles or SHIPPED, model)))
    gates(console, releases.gates(model))


def _local(table: Path | None, dataset: str | None, mapping: Path | None) -> Any:
    """Read a site's table, and say what of it could not be used."""
    from training.data import load_table

    if (dataset is None) == (mapping is None):
        raise ValueError("give either --dataset or --mapping: what the columns of the table are")
    local = load_table(str(mapping) if mapping else str(dataset), table)
    for line in local.report.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return local


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
        Console(stderr=True).print(f"[bold]error:[/bold] {escape(str(error))}")
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
