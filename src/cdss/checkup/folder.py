"""A folder of envelopes to assessments; one bad file never stops the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cdss.assess import Assessment, assess_all
from cdss.checkup.mapping import MEANINGS
from cdss.checkup.output import Output
from cdss.checkup.read import CheckUp, Envelope, read_envelope
from cdss.checkup.site import Site
from cdss.checkup.table import SUSPECT, rows
from cdss.checkup.xml import MOST_MEGABYTES, too_large
from cdss.errors import Problem
from cdss.i18n import Words, words
from cdss.jurisdiction import Jurisdiction, Model
from cdss.wire import problems_to_list, to_dict

_TOGETHER = 200  # people who are assessed at once


@dataclass(slots=True)
class Count:
    """
    What became of everybody.

    Parameters
    ----------
    files, bad_files : int
        Files, and those among them that could not be used in whole.
    people, assessed, rejected : int
        People; ``people == assessed + rejected``.
    suspect : int
        Assessed people with values that a program may have filled in.
    """

    files: int = 0
    bad_files: int = 0
    people: int = 0
    assessed: int = 0
    rejected: int = 0
    suspect: int = 0

    @property
    def complete(self) -> bool:
        """
        Whether everything could be used.

        Returns
        -------
        bool
            True if nobody was rejected and no file had a problem.
        """
        return not (self.rejected or self.bad_files)

    def numbers(self) -> dict[str, int]:
        """
        Give the counts by name.

        Returns
        -------
        dict of str to int
            As the sentence that tells them needs them.
        """
        return asdict(self)


def envelopes_in(folder: Path) -> list[Path]:
    """
    List the files that may be envelopes.

    Parameters
    ----------
    folder : Path
        With its subfolders.

    Returns
    -------
    list of Path
        Files whose name ends in ``.xml``, sorted.
    """
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".xml" and p.is_file())


def assess_folder(
    folder: Path,
    out: Path,
    models: Sequence[Model],
    place: Jurisdiction | None,
    *,
    lang: str = "en",
    site: Site | None = None,
    advance: Callable[[], object] = lambda: None,
) -> tuple[Count, tuple[str, ...]]:
    """
    Assess everybody in a folder of envelopes.

    Parameters
    ----------
    folder, out : Path
        Where the envelopes are, and where the results go; `out` must be there.
    models : sequence of RiskModel or PointsScore
        Which models to ask.
    place : Jurisdiction or None
        Whose guidelines.
    lang : str
        Language of the words.
    site : Site, optional
        What the site knows of its programs.
    advance : callable
        Called after each file.

    Returns
    -------
    tuple of (Count, tuple of str)
        What became of everybody, and the names of the files written.
    """
    count, text = Count(), words(lang)
    with Output(out) as output:
        for path in envelopes_in(folder):
            name = path.relative_to(folder).as_posix()
            envelope = read_file(path, site or Site())
            count.files += 1
            if envelope.problems:
                count.bad_files += 1
                output.rejected(_reject(name, None, envelope.problems, text))
            for group in _groups(envelope.people):
                _assess(group, name, models, place, output, count, text)
            advance()
    return count, tuple(output.names)


def read_file(path: Path, site: Site) -> Envelope:
    """
    Read an envelope from a file.

    Parameters
    ----------
    path : Path
        The file.
    site : Site
        What the site knows of its programs.

    Returns
    -------
    Envelope
        One without people if the file cannot be read or is too large.
    """
    try:
        if path.stat().st_size > MOST_MEGABYTES * 1_000_000:
            return Envelope((), (too_large("envelope"),))
        return read_envelope(path.read_bytes(), site=site)
    except OSError:
        return Envelope((), (Problem("unreadable_file", "envelope", "cannot be read"),))


def _groups(people: Sequence[CheckUp]) -> Iterator[Sequence[CheckUp]]:
    return (people[at : at + _TOGETHER] for at in range(0, len(people), _TOGETHER))


def _assess(
    group: Sequence[CheckUp],
    name: str,
    models: Sequence[Model],
    place: Jurisdiction | None,
    output: Output,
    count: Count,
    text: Words,
) -> None:
    """Write each of the group either as assessed or as rejected."""
    asked = [(p, record) for p in group if (record := p.reading.record) is not None]
    answers = assess_all([record for _, record in asked], models, place, chosen=True)
    for one in group:
        if one.reading.record is None:
            output.rejected(_reject(name, one, one.reading.problems, text))
    pairs = [(one, answer) for (one, _), answer in zip(asked, answers, strict=True)]
    output.assessed(
        (_line(name, one, answer, text) for one, answer in pairs),
        (
            row
            for one, answer in pairs
            for row in rows(answer, _named(name, one), one.reading.problems)
        ),
    )
    count.people += len(group)
    count.assessed += len(asked)
    count.rejected += len(group) - len(asked)
    count.suspect += sum(any(p.code in SUSPECT for p in one.reading.problems) for one, _ in asked)


def _named(file: str, one: CheckUp | None) -> dict[str, Any]:
    row, named_by = (one.row, one.named_by) if one else (None, None)
    return {"file": file, "row": row, "row_named_by": named_by}


def _line(file: str, one: CheckUp, answer: Assessment, text: Words) -> dict[str, Any]:
    """One person in JSON: whose, what it was made of, what was not used, and the assessment."""
    places = [p.params.get("at") for p in one.reading.problems]
    said = problems_to_list(one.reading.problems, text)
    return {
        **_named(file, one),
        "mapping": MEANINGS.version,
        "basis": [
            {"variable": b.variable, "at": b.at, "day": b.day.isoformat() if b.day else None}
            for b in one.reading.basis
        ],
        "problems": [{**problem, "at": at} for problem, at in zip(said, places, strict=True)],
        "assessment": to_dict(answer, assessment_id=os.urandom(16).hex(), lang=text.lang),
    }


def _reject(
    file: str, one: CheckUp | None, problems: Sequence[Problem], text: Words
) -> dict[str, Any]:
    day = one.index_date if one else None
    return {
        **_named(file, one),
        "index_date": day.isoformat() if day else None,
        "codes": ";".join(p.code for p in problems),
        "reasons": "; ".join(f"{text.label(p.variable)}: {text.problem(p)}" for p in problems),
    }
