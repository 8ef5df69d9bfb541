"""The form as the page shows it: questions, what was typed, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cdss import Model
from cdss.errors import Problem
from cdss.fhir.rationale import about
from cdss.i18n import Words
from cdss.reading import Reading
from cdss.variables import VARIABLES
from serving.page.fields import Field, Part, field, parts, used_by
from serving.page.typed import EARLIER, ROWS, Typed


@dataclass(frozen=True, slots=True)
class Form:
    """
    A form to be filled in.

    Parameters
    ----------
    parts : tuple of Part
        The questions.
    typed : mapping of str to str
        What stands in the inputs.
    wrong : mapping of str to str
        Name of an input → what is wrong with it.
    summary : tuple of (str, str)
        Everything that is wrong, each with the input it is about, or nothing.
    columns : tuple of Field
        Of the earlier check-ups that can be typed in.
    rows : int
        How many of them.
    visits : tuple of (str, str)
        Earlier check-ups that came with a document: day, and what is known.
    history : str
        The same as JSON.
    used : tuple of (str, str, str, str)
        Of a document: label, value, day and place of what was used.
    unused : tuple of str
        Of a document: what was not used, and why.
    document : str
        What became of the document: nothing, ``"used"``, ``"partly"`` or ``"refused"``.
    assessed : bool
        The form stands below results.
    open : frozenset of str
        Parts that are unfolded.
    """

    parts: tuple[Part, ...]
    typed: Typed
    wrong: Mapping[str, str]
    summary: tuple[tuple[str, str], ...]
    columns: tuple[Field, ...]
    rows: int
    visits: tuple[tuple[str, str], ...]
    history: str
    used: tuple[tuple[str, str, str, str], ...]
    unused: tuple[str, ...]
    document: str
    assessed: bool
    open: frozenset[str]


def form(
    typed: Typed,
    models: Sequence[Model],
    text: Words,
    *,
    today: date,
    problems: Sequence[Problem] = (),
    reading: Reading | None = None,
    assessed: bool = False,
) -> Form:
    """
    Make the form.

    Parameters
    ----------
    typed : mapping of str to str
        What was typed.
    models : sequence of RiskModel or PointsScore
        Those that will be asked.
    text : Words
        Words of a language.
    today : datetime.date
        The index date unless another was typed.
    problems : sequence of Problem
        What is wrong with it.
    reading : Reading, optional
        What was made of a document.
    assessed : bool
        Whether it stands below results.

    Returns
    -------
    Form
        To be rendered.
    """
    typed = {**typed, "index_date": typed.get("index_date") or today.isoformat()}
    given = [name for name in VARIABLES if typed.get(name)]
    made = tuple(parts(used_by(models), given, text))
    wrong, summary = _wrong(problems, text)
    unfolded = {
        part.id for part in made if any(f.name in wrong or typed.get(f.name) for f in part.fields)
    }
    earlier = (name for name, value in typed.items() if value and not name.endswith(".unit"))
    if any(name.startswith("earlier.") for name in earlier):
        unfolded.add("earlier")
    history = "" if typed.get("history.forget") else typed.get("history", "")
    return Form(
        made,
        typed,
        wrong,
        summary,
        tuple(field(name, text) for name in EARLIER),
        ROWS,
        _visits(history, text),
        history,
        _used(reading, text),
        tuple(_unused(problem, text) for problem in reading.problems) if reading else (),
        _became(reading),
        assessed,
        frozenset(unfolded | ({"earlier"} if history else set())),
    )


def _wrong(
    problems: Sequence[Problem], text: Words
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """What is wrong beside each input, and all of it above the form."""
    beside: dict[str, list[str]] = {}
    summary = []
    for problem in problems:
        at = problem.variable
        label = _label(at, text)
        said = text.problem(problem)
        beside.setdefault(at.removesuffix(".date") if at in VARIABLES else at, []).append(said)
        anchor = "" if at in ("values", "record", "document", "history") else at
        summary.append((f"{label}: {said}", anchor))
    return {at: "; ".join(told) for at, told in beside.items()}, tuple(summary)


def _label(at: str, text: Words) -> str:
    """``earlier.0.weight`` as "Weight"."""
    return text.label(at.rpartition(".")[2] if at.startswith("earlier.") else at)


def _visits(history: str, text: Words) -> tuple[tuple[str, str], ...]:
    try:
        visits = json.loads(history) if history else []
        return tuple(
            (
                date.fromisoformat(visit["date"]).strftime(text("language.date")),
                "; ".join(
                    f"{text.label(n)} {text.quantity(n, v)}" for n, v in visit["values"].items()
                ),
            )
            for visit in visits
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()  # `check` says what is wrong with it


def _used(reading: Reading | None, text: Words) -> tuple[tuple[str, str, str, str], ...]:
    if reading is None or reading.record is None:
        return ()
    values = reading.record.values
    return tuple(
        (
            text.label(basis.variable),
            text.quantity(basis.variable, values[basis.variable]),
            basis.day.strftime(text("language.date")) if basis.day else "",
            basis.at,
        )
        for basis in reading.basis
        if basis.variable in values
    )


def _unused(problem: Problem, text: Words) -> str:
    at = problem.params.get("at") if problem.params else None
    return f"{about(problem, text)} ({at})" if at else about(problem, text)


def _became(reading: Reading | None) -> str:
    if reading is None:
        return ""
    if reading.record is None:
        return "refused"
    return "partly" if reading.problems else "used"
