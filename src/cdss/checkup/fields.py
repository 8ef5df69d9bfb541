"""Who the person is (XML1) and what was measured (XML10)."""

from __future__ import annotations

from datetime import date

from cdss.checkup.envelope import Dossier
from cdss.checkup.mapping import MEANINGS
from cdss.checkup.notes import Notes
from cdss.checkup.numbers import birth, number, pressure
from cdss.errors import Problem
from cdss.reading import Found
from cdss.variables import VARIABLES

ADULT = 18
"""Age, years, from which on a check-up is read."""


def person(dossier: Dossier, on: date, notes: Notes) -> bool:
    """
    Read sex and age.

    Parameters
    ----------
    dossier : Dossier
        One person's parts.
    on : datetime.date
        The index date.
    notes : Notes
        Where it is noted.

    Returns
    -------
    bool
        False if the person is a child, for whom nothing here is made.
    """
    if said := dossier.said("GIOI_TINH", "XML1"):
        code, at = said
        notes.found.append(Found("sex", MEANINGS.sex.get(code, code), None, None, at))
    said = dossier.said("NGAY_SINH", "XML1")
    if said is None:
        return True
    text, at = said
    born = birth(text)
    if born is None:
        detail = "must be written yyyymmdd or yyyymmddHHMM"
        notes.tell(Problem("wrong_moment", "NGAY_SINH", detail), at)
        return True
    age = born.age(on)
    if 0 <= age < ADULT:
        detail = f"is under {ADULT}: nothing here is made for children"
        notes.tell(Problem("child", "age", detail, {"age": ADULT}), at)
        return False
    if not born.exact:
        detail = "is told by a year or month of birth only: it may be a year off"
        notes.tell(Problem("age_roughly", "age", detail), at)
    notes.found.append(Found("age", age, None, None, at))  # at the index date, not at the visit
    return True


def measurements(dossier: Dossier, notes: Notes) -> None:
    """
    Read height, weight, body mass index, pulse and blood pressure.

    Parameters
    ----------
    dossier : Dossier
        One person's parts.
    notes : Notes
        Where it is noted.
    """
    part = dossier.parts.get("XML10")
    if part is None:
        return
    texts = {q.tag: part.fields[q.tag] for q in MEANINGS.quantities if q.tag in part.fields}
    both = part.fields.get("HUYET_AP")
    reading = pressure(both) if both else None
    numbers = {
        tag: value for tag, text in texts.items() if isinstance(value := number(text), float)
    }
    unused = _defaults(numbers, reading, part.at, notes) | _impossible_bmi(numbers, part.at, notes)
    for quantity in MEANINGS.quantities:
        if quantity.tag in texts and quantity.tag not in unused:
            at = f"{part.at}/{quantity.tag}"
            notes.measure(quantity.variable, texts[quantity.tag], at, quantity.unit)
    if both is None or "HUYET_AP" in unused:
        return
    at = f"{part.at}/HUYET_AP"
    if reading is None:
        detail = "must be two numbers such as 120/80: not used"
        notes.tell(Problem("wrong_pressure", "HUYET_AP", detail), at)
        return
    for variable, value in zip(("systolic_bp", "diastolic_bp"), reading, strict=True):
        notes.find(variable, value, at, unit="mm[Hg]")


def _defaults(
    numbers: dict[str, float], reading: tuple[float, float] | None, at: str, notes: Notes
) -> set[str]:
    """
    Tags not to use, as their values are together those that programs fill in.

    A body mass index that follows from weight and height says nothing more than they do.
    """
    same = {q.tag for q in MEANINGS.quantities if numbers.get(q.tag) == q.default}
    same |= {"HUYET_AP"} if reading == MEANINGS.pressure else set()
    alone = same - {"CHI_SO_BMI"} if {"CHIEU_CAO", "CAN_NANG"} <= same else same
    if len(alone) >= MEANINGS.least:
        for tag in sorted(same):
            detail = "is, with others, what programs fill in where nothing was measured: not used"
            notes.tell(Problem("suspect_default", tag, detail), f"{at}/{tag}")
        return same
    if len(alone) == MEANINGS.least - 1:
        for tag in sorted(alone):
            detail = "may have been filled in by the program: used, please check"
            notes.tell(Problem("possible_default", tag, detail), f"{at}/{tag}")
    return set()


def _impossible_bmi(numbers: dict[str, float], at: str, notes: Notes) -> set[str]:
    """Tags not to use, as the recorded body mass index is not that of weight and height."""
    tags = {q.variable: q.tag for q in MEANINGS.quantities}
    weight, height, bmi = (numbers.get(tags[name]) for name in ("weight", "height", "bmi"))
    if weight is None or height is None or bmi is None:
        return set()
    known = {"weight": weight, "height": height, "bmi": bmi}
    if not all(VARIABLES[name].low <= v <= VARIABLES[name].high for name, v in known.items()):
        return set()  # told of each by itself
    if abs(bmi - weight / (height / 100) ** 2) <= MEANINGS.bmi_tolerance:
        return set()
    for name in known:
        others = tuple(other for other in known if other != name)
        detail = f"contradicts {' and '.join(others)}"
        notes.tell(Problem("contradictory", name, detail, {"others": others}), f"{at}/{tags[name]}")
    return {tags[name] for name in known}
