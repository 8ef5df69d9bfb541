"""The command line. Exit codes: 0 answered, 2 bad input, 3 damaged or not released bundle."""

from __future__ import annotations

import io
import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType

from cdss.assess import assess as run
from cdss.bundle import load_models
from cdss.card import card_report, models_report, rules_report
from cdss.equations import published_models
from cdss.errors import (
    BundleError,
    RecordError,
    UnknownJurisdiction,
    UnknownLanguage,
    UnknownModel,
)
from cdss.i18n import LANGUAGES, Words, words
from cdss.jurisdiction import DEFAULT, JURISDICTIONS, Model, load_jurisdiction, select
from cdss.record import PatientRecord
from cdss.report import assessment_report, problem_list
from cdss.wire import jurisdiction_to_dict, model_to_dict, to_dict

BAD_INPUT = 2
DAMAGED = 3

app = typer.Typer(
    help="Clinical decision support for non-communicable diseases: explained risks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables: patients' values
)


class Format(StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


Lang = Annotated[str, typer.Option(help=f"Language of the words: {', '.join(LANGUAGES)}.")]
Output = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]


@app.command()
def assess(
    file: Annotated[Path, typer.Argument(help="The patient's record, JSON; - reads the input.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Ask only this model; may be repeated; or all.")
    ] = None,
    demonstrations: Annotated[
        bool, typer.Option("--demonstrations", help="Ask demonstration models too.")
    ] = False,
    jurisdiction: Annotated[
        str, typer.Option(help=f"Whose guidelines: {', '.join(JURISDICTIONS)}.")
    ] = DEFAULT,
    ungated: Annotated[
        bool,
        typer.Option(
            "--ungated",
            envvar="CDSS_UNGATED_MODELS",
            help="Ask models without a release record too; every estimate says so.",
        ),
    ] = False,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """Assess one patient: risks, what makes them higher or lower, and what to do."""
    text = _words(lang)
    with _explained(text):
        place = load_jurisdiction(jurisdiction)
        record = PatientRecord.parse(_read(file, text))
        asked = select(
            [*load_models(demonstrations=True, ungated=ungated), *published_models()],
            place, model, demonstrations=demonstrations,
        )  # fmt: skip
        assessment = run(record, asked, place, chosen=not model)
    if form is Format.json:
        _print_json(to_dict(assessment, assessment_id=str(uuid.uuid4()), lang=lang))
    else:
        _print(assessment_report(assessment, lang))


@app.command()
def models(
    card: Annotated[str | None, typer.Option(help="Show the card of this model.")] = None,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """List the models, demonstrations and those not released included; or show one."""
    text = _words(lang)
    with _explained(text):
        loaded = [*load_models(demonstrations=True, ungated=True), *published_models()]
        if card is not None:
            loaded = [model for model in loaded if model.id == card] or _no_model(card, loaded)
    if form is Format.json:
        _print_json([model_to_dict(model, lang) for model in loaded])
    elif card is not None:
        _print(card_report(loaded[0], lang))
    else:
        _print(models_report(loaded, lang))


@app.command()
def rules(
    jurisdiction: Annotated[
        str, typer.Option(help=f"Whose guidelines: {', '.join(JURISDICTIONS)}.")
    ] = DEFAULT,
    lang: Lang = "en",
    form: Output = Format.text,
) -> None:
    """List the rules in force: sentence, numbers, strength, page, and what is open."""
    text = _words(lang)
    with _explained(text):
        place = load_jurisdiction(jurisdiction)
    if form is Format.json:
        _print_json(jurisdiction_to_dict(place, lang))
    else:
        _print(rules_report(place, lang))


def _no_model(card: str, loaded: Sequence[Model]) -> NoReturn:
    raise UnknownModel([card], [model.id for model in loaded])


def main() -> None:
    """Run the command line, in UTF-8 whatever the console's default."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    app()


def _words(lang: str) -> Words:
    try:
        return words(lang)
    except UnknownLanguage as error:  # said in English: there is no other language to say it in
        _fail(words("en")("cli.unknown_language", unknown=lang, known=", ".join(error.known)))


@contextmanager
def _explained(text: Words) -> Iterator[None]:
    """Say on stderr, in the reader's language, why there is no answer."""
    try:
        yield
    except RecordError as error:
        _fail(text("cli.bad_record"), problem_list(error.problems, text))
    except UnknownModel as error:
        unknown, known = ", ".join(error.unknown), ", ".join(error.known)
        _fail(text("cli.unknown_model", unknown=unknown, known=known))
    except UnknownJurisdiction as error:
        known = ", ".join(error.known)
        _fail(text("cli.unknown_jurisdiction", unknown=error.unknown, known=known))
    except BundleError as error:
        _fail(text("cli.bad_models"), str(error), code=DAMAGED)


def _read(file: Path, text: Words) -> Any:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return json.loads(raw.decode("utf-8-sig"))
    except OSError:
        _fail(text("cli.unreadable", name=str(file)))
    except UnicodeDecodeError:
        _fail(text("cli.bad_encoding"))
    except (ValueError, RecursionError) as error:  # a number or a nesting can also be too long
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        _fail(text("cli.bad_json", line=line, column=column))


def _print(*renderables: RenderableType, stderr: bool = False) -> None:
    Console(stderr=stderr, highlight=False, markup=False).print(*renderables, sep="\n")


def _fail(*renderables: RenderableType, code: int = BAD_INPUT) -> NoReturn:
    _print(*renderables, stderr=True)
    raise typer.Exit(code)


def _print_json(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
