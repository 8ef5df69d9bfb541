"""
Parts of resources, read from whatever JSON there is: nothing here raises.

What is not of the expected type counts as absent; the reader of the resource says what it misses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from cdss.errors import Problem

_NOTHING: Mapping[str, Any] = {}
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?)[0-9]*)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)


class Moment(NamedTuple):
    """
    A date, as far as it is told.

    Attributes
    ----------
    first, last : datetime.date
        Days between which it lies; the same if the day is told.
    order : float
        Seconds by which moments of one day are ordered; 0 without a time.
    """

    first: date
    last: date
    order: float = 0.0

    @property
    def partial(self) -> bool:
        """
        Say whether only the month or the year is told.

        Returns
        -------
        bool
            False if the day is told.
        """
        return self.first != self.last


def entries(value: Any) -> Mapping[str, Any]:
    """
    Take an object.

    Parameters
    ----------
    value : object
        Any JSON.

    Returns
    -------
    mapping
        Empty if it is none.
    """
    return value if isinstance(value, dict) else _NOTHING


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """
    Take the objects of an array; one that stands alone is an array of one.

    Parameters
    ----------
    value : object
        Any JSON.

    Yields
    ------
    mapping
        Each object; what else is in the array is left out.
    """
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
    elif isinstance(value, dict):
        yield value


def text(value: Any) -> str:
    """
    Take a text.

    Parameters
    ----------
    value : object
        Any JSON.

    Returns
    -------
    str
        Without space around it; empty if it is none.
    """
    return value.strip() if isinstance(value, str) else ""


def moment(value: Any) -> Moment | None:
    """
    Read a date, dateTime or instant; also a time without zone, which R4 forbids.

    Parameters
    ----------
    value : object
        ``"2026"``, ``"2026-11"``, ``"2026-11-24"`` or ``"2026-11-24T08:30:00+07:00"``.

    Returns
    -------
    Moment or None
        The day is the one written, whatever the zone: that is the day where it was measured. None
        if it cannot be read.

    Examples
    --------
    >>> moment("2026-02").last
    datetime.date(2026, 2, 28)
    >>> moment("2026-11-24T23:30:00-05:00").first
    datetime.date(2026, 11, 24)
    """
    if not isinstance(value, str):
        return None
    try:
        if len(value) >= 10:
            day = date.fromisoformat(value[:10])
            # Written back, because fromisoformat also takes week dates.
            if day.isoformat() != value[:10] or value[10:11] not in ("", "T", " "):
                return None
            return Moment(day, day, _seconds(value[11:]))
        if len(value) == 7 and value[4] == "-":
            first = date(int(value[:4]), int(value[5:]), 1)
            following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
            return Moment(first, following - timedelta(1))
        if len(value) == 4:
            return Moment(date(int(value), 1, 1), date(int(value), 12, 31))
    except (ValueError, OverflowError):
        pass
    return None


def _seconds(time: str) -> float:
    """Seconds since midnight, UTC if a zone is told."""
    match = _TIME.fullmatch(time)
    if match is None:
        return 0.0
    hours, minutes, seconds, sign, *offset = match.groups()
    total = int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)
    if sign:
        away = int(offset[0]) * 3600 + int(offset[1]) * 60
        total += away if sign == "-" else -away
    return total


def years(birth: Moment, day: Moment) -> tuple[int, bool]:
    """
    Count completed years.

    Parameters
    ----------
    birth, day : Moment
        From when to when.

    Returns
    -------
    tuple of (int, bool)
        The years that are certain, and whether there may be more.
    """
    least, most = _completed(birth.last, day.first), _completed(birth.first, day.last)
    return least, most > least


def _completed(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def approximate(variable: str, at: str) -> Problem:
    """
    Say that an age was computed from a date that is not fully told.

    Parameters
    ----------
    variable : str
        The age.
    at : str
        Where the date stood.

    Returns
    -------
    Problem
        Of code ``age_roughly``.
    """
    detail = "is the least that dates without a day allow: it may be a year off"
    return Problem("age_roughly", variable, detail, {"at": at})
