"""A comparison as files: JSON, and a page in each language that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cdss.i18n import LANGUAGES, Words, words
from cdss.synthetic.compare import Comparison, Found
from cdss.synthetic.drawing import dots, lines, matrix
from cdss.synthetic.figures import Figure
from cdss.synthetic.structure import AGES
from cdss.variables import VARIABLES

_PAGES = Environment(
    loader=PackageLoader("cdss.synthetic", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_OPEN = 100  # an age or a body mass index from which nobody is above
_SMALL = 30  # from here on one digit is enough


class Row(NamedTuple):
    """
    A figure in words.

    Attributes
    ----------
    what, whom : str
        What of whom.
    published, interval, aim, found, tolerance : str
        Numbers with their unit.
    against : str
        Figures it disagrees with.
    source, status, note : str
        Who published it, and how it got here.
    year : int
        Of which.
    met : bool or None
        Whether it is; None without an aim.
    inside : bool
        Whether the population is within what was published.
    """

    what: str
    whom: str
    published: str
    interval: str
    aim: str
    found: str
    tolerance: str
    against: str
    source: str
    status: str
    note: str
    year: int
    met: bool | None
    inside: bool


def figure_rows(found: Sequence[Found], text: Words) -> list[Row]:
    """
    Say figures in words.

    Parameters
    ----------
    found : sequence of Found
        Which.
    text : Words
        Words of a language.

    Returns
    -------
    list of Row
        One each.
    """
    named = {each.figure.id: _short(each.figure, text) for each in found}
    return [_row(each, named, text) for each in found]


def write_report(found: Comparison, folder: Path) -> Path:
    """
    Write a report.

    Parameters
    ----------
    found : Comparison
        What was measured.
    folder : Path
        Where; made if it is not there.

    Returns
    -------
    Path
        The folder: ``report.json`` and a page a language.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = json.dumps(found.as_json(), indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(said, encoding="utf-8")
    for lang in LANGUAGES:
        (folder / f"{lang}.html").write_text(page(found, lang), encoding="utf-8")
    return folder


def page(found: Comparison, lang: str) -> str:
    """
    Say a comparison to people.

    Parameters
    ----------
    found : Comparison
        What was measured.
    lang : str
        Language of the words.

    Returns
    -------
    str
        HTML.
    """
    text = words(lang)
    every = figure_rows(found.found, text)
    rows = [row for row in every if row.met is not None]
    apart = np.abs(found.correlations - found.learned)
    beside = apart[np.triu_indices(len(apart), 1)]
    return _PAGES.get_template("report.html.j2").render(
        text=text,
        lang=lang,
        plan=found.plan,
        scenario=text(f"synthetic.page.scenario_{found.plan.scenario}"),
        measured=found.people,
        aims=rows,
        others=[row for row in every if row.met is None],
        met=sum(bool(row.met) for row in rows),
        mean=text.number(float(beside.mean()), 2),
        largest=text.number(float(beside.max()), 2),
        pictures=_pictures(found, text),
        correlations=Markup(  # noqa: S704
            matrix(text("synthetic.page.correlations"), [text.label(n) for n in found.names],
                   found.correlations, found.learned)
        ),
        provinces=Markup(dots(text("synthetic.page.provinces"), found.provinces)),  # noqa: S704
        missing=found.missing,
        label=text.label,
        percent=lambda share: _share(share, text, 0),
    )  # fmt: skip


def _pictures(found: Comparison, text: Words) -> list[tuple[str, Markup]]:
    bands = [f"{low}–{high}" if high < _OPEN else f"{low}+" for low, high in AGES]
    names = {"male": text("synthetic.page.men"), "female": text("synthetic.page.women")}
    made = []
    for what, values in found.by_age.items():
        share = f"synthetic.state.{what}" in text.texts
        title = text(f"synthetic.state.{what}") if share else _mean(what, text)
        picture = lines(title, bands, values, names, ".0%" if share else ".0f")
        made.append((title, Markup(picture)))  # noqa: S704
    return made


def _row(each: Found, named: dict[str, str], text: Words) -> Row:
    figure = each.figure

    def _said(value: float | None) -> str:
        if value is None or value != value:
            return "–"
        if not figure.mean:
            return _share(value, text)
        return f"{text.number(value, 1 if value > _SMALL else 2)} {_unit(figure, text)}"

    return Row(
        what=_what(figure, text),
        whom=_whom(figure, text),
        published=_said(figure.value),
        interval="–" if figure.low is None else f"{_said(figure.low)} – {_said(figure.high)}",
        aim=_said(each.aim),
        found=_said(each.value),
        tolerance=f"± {_said(figure.tolerance)}",
        against="; ".join(named[other] for other in figure.against if other in named),
        source=f"{figure.source.citation}; {figure.source.locator}",
        status=text(f"synthetic.page.status_{figure.status}"),
        note=figure.note,
        year=figure.year,
        met=each.met,
        inside=each.inside,
    )


def _share(value: float, text: Words, digits: int = 1) -> str:
    return text("frequency.percent", number=text.number(100 * value, digits))


def _unit(figure: Figure, text: Words) -> str:
    unit = VARIABLES[figure.what].unit
    return text.texts.get(f"unit.{unit}", unit)


def _mean(what: str, text: Words) -> str:
    return text("synthetic.page.mean", what=text.label(what))


def _what(figure: Figure, text: Words) -> str:
    if figure.mean:
        return _mean(figure.what, text)
    if figure.between:
        low, high = (f"{end:g}".replace(".", text("language.decimal")) for end in figure.between)
        key = "below" if figure.between[0] == 0 else "between"
        key = "above" if figure.between[1] >= _OPEN else key
        return text(f"synthetic.page.{key}", what=text.label(figure.what), low=low, high=high)
    said = text(f"synthetic.state.{figure.what}")
    if figure.difference:
        return text("synthetic.page.difference", what=said)
    if figure.among:
        whom = text(f"synthetic.state.{figure.among}")
        return text("synthetic.page.among", what=said, whom=whom)
    return said


def _whom(figure: Figure, text: Words) -> str:
    sex = {"male": "men", "female": "women", None: "both"}[figure.sex]
    low, high = figure.ages
    parts = [
        text(f"synthetic.page.{sex}"),
        text("synthetic.page.ages_up" if high >= _OPEN else "synthetic.page.ages",
             low=low, high=high),
    ]  # fmt: skip
    if figure.urban is not None:
        parts.append(text(f"synthetic.page.{'urban' if figure.urban else 'rural'}"))
    if figure.standard:
        parts.append(text("synthetic.page.standard"))
    return ", ".join(parts)


def _short(figure: Figure, text: Words) -> str:
    value = text.number(figure.value, 1) if figure.mean else _share(figure.value, text)
    return f"{figure.source.citation.split(',')[0]} {figure.year}: {value}"
