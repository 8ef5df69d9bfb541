"""What all commands share: words, what they print and read, and how they end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType

from cdss.errors import (
    AuditError,
    BundleError,
    RecordError,
    UnknownJurisdiction,
    UnknownLanguage,
    UnknownModel,
)
from cdss.i18n import LANGUAGES, Words, words
from cdss.jurisdiction import JURISDICTIONS
from cdss.report import problem_list

BAD_INPUT = 2
DAMAGED = 3


class Format(StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


Lang = Annotated[str, typer.Option(help=f"Language of the words: {', '.join(LANGUAGES)}.")]
Output = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]
Place = Annotated[str, typer.Option(help=f"Whose guidelines: {', '.join(JURISDICTIONS)}.")]
Ungated = Annotated[
    bool,
    typer.Option(
        "--ungated",
        envvar="CDSS_UNGATED_MODELS",
        help="Ask models without a release record too; every estimate says so.",
    ),
]


def words_of(lang: str) -> Words:
    """
    Take the words of a language, or end.

    Parameters
    ----------
    lang : str
        Its code.

    Returns
    -------
    Words
        Its words.
    """
    try:
        return words(lang)
    except UnknownLanguage as error:  # said in English: there is no other language to say it in
        fail(words("en")("cli.unknown_language", unknown=lang, known=", ".join(error.known)))


@contextmanager
def explained(text: Words) -> Iterator[None]:
    """
    Say on stderr, in the reader's language, why there is no answer, and end.

    Parameters
    ----------
    text : Words
        Words of that language.
    """
    try:
        yield
    except RecordError as error:
        fail(text("cli.bad_record"), problem_list(error.problems, text))
    except UnknownModel as error:
        unknown, known = ", ".join(error.unknown), ", ".join(error.known)
        fail(text("cli.unknown_model", unknown=unknown, known=known))
    except UnknownJurisdiction as error:
        known = ", ".join(error.known)
        fail(text("cli.unknown_jurisdiction", unknown=error.unknown, known=known))
    except BundleError as error:
        fail(text("cli.bad_models"), str(error), code=DAMAGED)
    except AuditError as error:
        fail(text("cli.bad_audit"), str(error))


def read_json(file: Path, text: Words) -> Any:
    """
    Read a JSON file, or end.

    Parameters
    ----------
    file : pathlib.Path
        Which; ``-`` is the input.
    text : Words
        Words to say what is wrong with it.

    Returns
    -------
    object
        Decoded JSON.
    """
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return json.loads(raw.decode("utf-8-sig"))
    except OSError:
        fail(text("cli.unreadable", name=str(file)))
    except UnicodeDecodeError:
        fail(text("cli.bad_encoding"))
    except (ValueError, RecursionError) as error:  # a number or a nesting can also be too long
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        fail(text("cli.bad_json", line=line, column=column))


def show(*renderables: RenderableType, stderr: bool = False) -> None:
    """
    Print for people.

    Parameters
    ----------
    *renderables : str or rich renderable
        One below the other.
    stderr : bool
        Whether to standard error.
    """
    Console(stderr=stderr, highlight=False, markup=False).print(*renderables, sep="\n")


def show_json(answer: Any) -> None:
    """
    Print for programs.

    Parameters
    ----------
    answer : object
        Of JSON types.
    """
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")


def fail(*renderables: RenderableType, code: int = BAD_INPUT) -> NoReturn:
    """
    Say why there is no answer, and end.

    Parameters
    ----------
    *renderables : str or rich renderable
        One below the other.
    code : int
        Exit code.
    """
    show(*renderables, stderr=True)
    raise typer.Exit(code)
