"""
The command line.

Exit codes: 0 answered, 1 the sandbox found faults, 2 bad input, 3 damaged or not released bundle,
damaged audit log, 4 answered, but not for everybody, 5 not reproduced.
"""

from __future__ import annotations

import io
import sys
import tomllib
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from cdss.assess import assess as run
from cdss.audit.commands import app as audit_app
from cdss.audit.commands import replay_assessment
from cdss.batch.commands import ENGINES, batch
from cdss.bundle import load_models
from cdss.card import card_report, models_report, rules_report
from cdss.checkup.folder import assess_folder, envelopes_in
from cdss.checkup.output import parquet_possible
from cdss.checkup.site import Site
from cdss.console import (
    Format,
    Lang,
    Output,
    Place,
    Ungated,
    explained,
    fail,
    read_json,
    show,
    show_json,
    words_of,
)
from cdss.equations import published_models
from cdss.errors import DefinitionError, UnknownModel
from cdss.i18n import Words
from cdss.jurisdiction import DEFAULT, Model, load_jurisdiction, select
from cdss.monitor.commands import monitor
from cdss.record import PatientRecord
from cdss.report import assessment_report
from cdss.sandbox.commands import sandbox
from cdss.synthetic.commands import population
from cdss.trends.commands import trends
from cdss.wire import jurisdiction_to_dict, model_to_dict, to_dict

if TYPE_CHECKING:
    from cdss.batch.engine import Engine

NOT_EVERYBODY = 4

app = typer.Typer(
    help="Clinical decision support for non-communicable diseases: explained risks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables: patients' values
)
app.add_typer(audit_app, name="audit")
app.command("replay")(replay_assessment)
app.command()(sandbox)
app.command()(batch)
app.command()(population)
app.command()(trends)
app.command()(monitor)


def _spark(master: str | None) -> AbstractContextManager[Engine]:
    from cdss.spark.cluster import cluster

    return cluster(master)


ENGINES["spark"] = _spark


@app.command()
def assess(
    file: Annotated[Path, typer.Argument(help="The patient's record, JSON; - reads the input.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Ask only this model; may be repeated; or all.")
    ] = None,
    demonstrations: Annotated[
        bool, typer.Option("--demonstrations", help="Ask demonstration models too.")
    ] = False,
    jurisdiction: Place = DEFAULT,
    ungated: Ungated = False,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """Assess one patient: risks, what makes them higher or lower, and what to do."""
    text = words_of(lang)
    with explained(text):
        place = load_jurisdiction(jurisdiction)
        record = PatientRecord.parse(read_json(file, text))
        asked = select(
            [*load_models(demonstrations=True, ungated=ungated), *published_models()],
            place, model, demonstrations=demonstrations,
        )  # fmt: skip
        assessment = run(record, asked, place, chosen=not model)
    if form is Format.json:
        show_json(to_dict(assessment, assessment_id=str(uuid.uuid4()), lang=lang))
    else:
        show(assessment_report(assessment, lang))


@app.command()
def models(
    card: Annotated[str | None, typer.Option(help="Show the card of this model.")] = None,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """List the models, demonstrations and those not released included; or show one."""
    text = words_of(lang)
    with explained(text):
        loaded = [*load_models(demonstrations=True, ungated=True), *published_models()]
        if card is not None:
            loaded = [model for model in loaded if model.id == card] or _no_model(card, loaded)
    if form is Format.json:
        show_json([model_to_dict(model, lang) for model in loaded])
    elif card is not None:
        show(card_report(loaded[0], lang))
    else:
        show(models_report(loaded, lang))


@app.command()
def rules(
    jurisdiction: Place = DEFAULT,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """List the rules in force: sentence, numbers, strength, page, and what is open."""
    text = words_of(lang)
    with explained(text):
        place = load_jurisdiction(jurisdiction)
    if form is Format.json:
        show_json(jurisdiction_to_dict(place, lang))
    else:
        show(rules_report(place, lang))


@app.command()
def checkup(
    folder: Annotated[Path, typer.Argument(help="Folder of health-check envelopes, *.xml.")],
    out: Annotated[Path, typer.Argument(help="Where the results go: a new or empty folder.")],
    jurisdiction: Place = DEFAULT,
    site: Annotated[
        Path | None, typer.Option(help="What your programs guarantee, TOML: docs/check-up-xml.md.")
    ] = None,
    ungated: Ungated = False,
    lang: Lang = "en",
) -> None:
    """Assess everybody in a folder of Viet Nam's health-check envelopes."""
    text = words_of(lang)
    if not (files := len(envelopes_in(folder))):
        fail(text("checkup.no_files", name=str(folder)))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fail(text("checkup.not_empty", name=str(out)))
    own = _site(site, text)
    with explained(text):
        place = load_jurisdiction(jurisdiction)
        asked = select([*load_models(ungated=ungated), *published_models()], place)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text("checkup.reading"), total=files)
        count, names = assess_folder(
            folder, out, asked, place, lang=lang, site=own,
            advance=lambda: progress.advance(task),
        )  # fmt: skip
    show(text("checkup.summary", **count.numbers()))
    show(text("checkup.written", folder=str(out), names=", ".join(names)))
    show(*([] if parquet_possible() else [text("checkup.no_parquet")]), text("notice.advisory"))
    if not count.complete:
        raise typer.Exit(NOT_EVERYBODY)


def _site(file: Path | None, text: Words) -> Site:
    try:
        return Site.parse(tomllib.loads(file.read_text(encoding="utf-8"))) if file else Site()
    except OSError:
        fail(text("cli.unreadable", name=str(file)))
    except UnicodeDecodeError:
        fail(text("cli.bad_encoding"))
    except (tomllib.TOMLDecodeError, DefinitionError) as error:
        fail(text("checkup.bad_site"), str(error))


def _no_model(card: str, loaded: Sequence[Model]) -> NoReturn:
    raise UnknownModel([card], [model.id for model in loaded])


def main() -> None:
    """Run the command line, in UTF-8 whatever the console's default."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    app()
