"""How a person's values changed over their check-ups."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from markupsafe import Markup

from cdss.i18n import Words
from cdss.record import PatientRecord
from serving.page.drawing import trend
from serving.page.facts import FACTS


class Course(NamedTuple):
    """
    One quantity over time.

    Attributes
    ----------
    title : str
        The quantity with its unit.
    picture : Markup
        Drawn.
    rows : tuple of (str, str)
        Day and value, oldest first.
    """

    title: str
    picture: Markup
    rows: tuple[tuple[str, str], ...]


def courses(record: PatientRecord, text: Words) -> tuple[Course, ...]:
    """
    Tell how values changed.

    Parameters
    ----------
    record : PatientRecord
        With earlier check-ups.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Course
        Of what was measured at least twice.
    """
    found = []
    for name in FACTS["trend"]["fields"]:
        points = {v.day: float(v.values[name]) for v in record.history if name in v.values}
        if name in record.values:
            points[record.measured.get(name, record.index_date)] = float(record.values[name])
        if len(points) > 1:
            found.append(_course(name, sorted(points.items()), text))
    return tuple(found)


def _course(name: str, points: list[tuple[date, float]], text: Words) -> Course:
    rows = tuple(
        (day.strftime(text("language.date")), text.quantity(name, value)) for day, value in points
    )
    said = f"{text.label(name)}: " + "; ".join(f"{day}: {value}" for day, value in rows)
    ends = (text.value(name, points[0][1]), text.value(name, points[-1][1]))
    drawn = trend([(day.toordinal(), value) for day, value in points], ends, said)
    return Course(text.label(name), drawn, rows)
