"""Numbers, blood pressures and dates as Vietnamese programs write them; never guessed."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")
_LONGEST = 24
_PRESSURE = re.compile(r"([0-9]{2,3})\s*/\s*([0-9]{2,3})(?:\s*mmHg)?", re.IGNORECASE)
_MOMENT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})(?:[0-9]{2})?)?")
_BIRTH = re.compile(r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:[0-9]{4}(?:[0-9]{2})?)?)?)?")

AMBIGUOUS = "ambiguous"
NO_NUMBER = "no number"


def number(text: str) -> float | str:
    """
    Read a number with a decimal point or a decimal comma.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    float or str
        `AMBIGUOUS` if the sign could part thousands or decimals; `NO_NUMBER` if it is no number.

    Examples
    --------
    >>> number("5,6"), number("1.234,5"), number("1.234.567"), number("0,123")
    (5.6, 1234.5, 1234567.0, 0.123)
    >>> number("1.234"), number("<0.1")
    ('ambiguous', 'no number')
    """
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return NO_NUMBER
    signs = re.findall("[.,]", text)
    if not signs:
        return float(text)
    last = signs[-1]
    whole, _, decimals = text.rpartition(last)
    if len(signs) == 1:
        digits = whole.lstrip("+-")
        if len(decimals) == 3 and len(digits) <= 3 and not digits.startswith("0"):
            return AMBIGUOUS
        return float(f"{whole}.{decimals}")
    if len(set(signs)) == 1:
        return _grouped(text, last, "")
    return _grouped(whole, signs[0], decimals) if signs.count(last) == 1 else NO_NUMBER


def _grouped(whole: str, sign: str, decimals: str) -> float | str:
    """Number whose thousands are parted by `sign`."""
    first, *groups = whole.split(sign)
    if not 1 <= len(first.lstrip("+-")) <= 3 or any(len(group) != 3 for group in groups):
        return NO_NUMBER
    return float(f"{first}{''.join(groups)}.{decimals or 0}")


def pressure(text: str) -> tuple[float, float] | None:
    """
    Read a blood pressure.

    Parameters
    ----------
    text : str
        Such as ``120/80``.

    Returns
    -------
    tuple of (float, float) or None
        Systolic and diastolic, mm[Hg]; None if it is anything else.
    """
    match = _PRESSURE.fullmatch(text)
    return (float(match[1]), float(match[2])) if match else None


class Moment(NamedTuple):
    """
    When something was.

    Attributes
    ----------
    day : datetime.date
        The day.
    minute : float
        Minutes after midnight; 0 if only the day is told.
    """

    day: date
    minute: float


def moment(text: str) -> Moment | None:
    """
    Read a day, or a day and time.

    Parameters
    ----------
    text : str
        ``yyyymmdd``, ``yyyymmddHHMM`` or ``yyyymmddHHMMSS``.

    Returns
    -------
    Moment or None
        None if there is no such moment.
    """
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    hours, minutes = int(match[4] or 0), int(match[5] or 0)
    day = _day(int(match[1]), int(match[2]), int(match[3]))
    return Moment(day, 60 * hours + minutes) if day and hours < 24 and minutes < 60 else None


class Birth(NamedTuple):
    """
    When somebody was born.

    Attributes
    ----------
    day : datetime.date
        The day, or the middle of the month or year.
    exact : bool
        The day was given.
    """

    day: date
    exact: bool

    def age(self, on: date) -> int:
        """
        Completed years.

        Parameters
        ----------
        on : datetime.date
            The day for which they are counted.

        Returns
        -------
        int
            Negative before the birth.
        """
        return on.year - self.day.year - ((on.month, on.day) < (self.day.month, self.day.day))


def birth(text: str) -> Birth | None:
    """
    Read a date of birth, which may be a year only.

    Parameters
    ----------
    text : str
        ``yyyy``, ``yyyymm``, ``yyyymmdd`` or ``yyyymmddHHMM``; month or day may be ``00``.

    Returns
    -------
    Birth or None
        None if there is no such day.
    """
    match = _BIRTH.fullmatch(text)
    if not match:
        return None
    year, month, of_month = (int(part or 0) for part in match.groups())
    day = _day(year, month or 7, of_month or (15 if month else 1))
    impossible = day is None or (of_month and not month)
    return None if impossible or day is None else Birth(day, bool(of_month))


def _day(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None
