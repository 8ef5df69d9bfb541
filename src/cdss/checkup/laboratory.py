"""Laboratory rows (XML11)."""

from __future__ import annotations

from cdss.checkup.envelope import Dossier
from cdss.checkup.mapping import LABORATORY
from cdss.checkup.notes import Notes
from cdss.checkup.numbers import moment
from cdss.checkup.site import Site
from cdss.errors import Problem

_LONGEST_NAME = 255  # of TEN_CHI_SO
_GLUCOSE = "blood glucose"


def laboratory(dossier: Dossier, notes: Notes, site: Site) -> None:
    """
    Read the rows whose name or code is known.

    Parameters
    ----------
    dossier : Dossier
        One person's parts.
    notes : Notes
        Where it is noted.
    site : Site
        Codes and what a glucose is here.
    """
    part = dossier.parts.get("XML11")
    if part is None:
        return
    unknown = 0
    for at, row in part.rows:
        variable = _variable(row, at, notes, site)
        if variable is None:
            unknown += 1
        elif "GIA_TRI" in row and variable:
            _value(variable, row, at, notes)
    if unknown:
        detail = "holds laboratory rows under no name or code that we know: not used"
        notes.tell(Problem("unknown_tests", "XML11", detail, {"count": unknown}), part.at)


def _variable(row: dict[str, str], at: str, notes: Notes, site: Site) -> str | None:
    """What a row is of; None if nobody knows, "" if that was told."""
    coded = site.codes.get(row.get("MA_CHI_SO", ""))
    named = _named(row.get("TEN_CHI_SO", ""))
    if named in (None, _GLUCOSE):  # the description may say more, or stand for the name
        named = _described(row.get("MO_TA", "")) or named
    if named == _GLUCOSE:
        named = coded or site.glucose
        if named is None:
            detail = (
                "is a blood glucose of which is not told whether it was a fasting one: not used"
            )
            notes.tell(Problem("fasting_unknown", "GIA_TRI", detail), at)
            return ""
    if coded and named and coded != named:
        detail = f"contradicts {named}"
        notes.tell(Problem("contradictory", coded, detail, {"others": (named,)}), at)
        return ""
    return coded or named


def _named(name: str) -> str | None:
    """Variable of a name, or `_GLUCOSE`."""
    if not name or len(name) > _LONGEST_NAME:
        return None
    for spelling in LABORATORY.spellings(name):
        if spelling in LABORATORY.names:
            return LABORATORY.names[spelling]
        if spelling in LABORATORY.blood_glucose:
            return _GLUCOSE
    return None


def _described(text: str) -> str | None:
    """Variable, if a description is nothing but the name of a fasting or random glucose."""
    named = _named(text)
    return named if named in ("fasting_glucose", "random_glucose") else None


def _value(variable: str, row: dict[str, str], at: str, notes: Notes) -> None:
    when = None
    if "NGAY_KQ" in row:
        when = moment(row["NGAY_KQ"])
        if when is None:
            detail = "must be written yyyymmdd or yyyymmddHHMM"
            notes.tell(Problem("wrong_moment", "NGAY_KQ", detail), at)
            return
    notes.measure(variable, row["GIA_TRI"], at, row.get("DON_VI_DO", ""), when)
