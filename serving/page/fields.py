"""What the form asks: a field for each variable, made from the data dictionary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cdss.i18n import Words
from cdss.jurisdiction import Model
from cdss.units import UNITS
from cdss.variables import VARIABLES, Variable
from serving.page.facts import FACTS

NAMES: tuple[str, ...] = tuple(VARIABLES)


class Unit(NamedTuple):
    """
    A unit in which a quantity can be typed.

    Attributes
    ----------
    code : str
        UCUM.
    label : str
        As people write it.
    low, high : float
        Plausible range in this unit.
    said : str
        The range in words, for a field that holds something else.
    """

    code: str
    label: str
    low: float
    high: float
    said: str


class Field(NamedTuple):
    """
    A question of the form.

    Attributes
    ----------
    name : str
        Variable.
    kind : str
        Of the variable.
    label : str
        In the language of the page.
    units : tuple of Unit
        Of a quantity; the canonical one comes first.
    options : tuple of (str, str)
        Of the others: value sent, and label; "not known" comes first.
    few : bool
        The options stand beside one another.
    laboratory : bool
        Needs a laboratory.
    """

    name: str
    kind: str
    label: str
    units: tuple[Unit, ...]
    options: tuple[tuple[str, str], ...]
    few: bool
    laboratory: bool

    def unit(self, code: str) -> Unit:
        """
        Pick a unit.

        Parameters
        ----------
        code : str
            As typed; may be anything.

        Returns
        -------
        Unit
            The canonical one if the code is none of them.
        """
        return next((unit for unit in self.units if unit.code == code), self.units[0])


class Part(NamedTuple):
    """A titled group of fields; folded or not."""

    id: str
    title: str
    fields: tuple[Field, ...]
    folded: bool


def used_by(models: Iterable[Model]) -> frozenset[str]:
    """
    List what models look at.

    Parameters
    ----------
    models : iterable of RiskModel or PointsScore
        Any.

    Returns
    -------
    frozenset of str
        Variables.
    """
    found: set[str] = set()
    for model in models:
        found |= {*model.predictors, *model.excluded, *getattr(model, "only_with", ())}
    return frozenset(found)


def parts(needed: frozenset[str], given: Iterable[str], text: Words) -> list[Part]:
    """
    Make the questions of the form.

    Parameters
    ----------
    needed : frozenset of str
        What the models look at.
    given : iterable of str
        Variables that have a value already: they are always shown.
    text : Words
        Words of a language.

    Returns
    -------
    list of Part
        First what is asked first, then the rest, folded.
    """
    found = []
    told: set[str] = set()
    for row in FACTS["first"]:
        told |= {*row["fields"]}
        title = text(f"page.part.{row['id']}")
        fields = tuple(field(name, text) for name in row["fields"])
        found.append(Part(row["id"], title, fields, folded=False))
    left_out = {*FACTS["implied"]["fields"], *(set(FACTS["seldom"]["fields"]) - needed)}
    left_out -= set(given)
    for row in FACTS["more"]:
        fields = tuple(
            field(name, text)
            for name, variable in VARIABLES.items()
            if variable.group in row["groups"] and name not in told and name not in left_out
        )
        if fields:
            found.append(Part(row["id"], text(f"page.part.{row['id']}"), fields, folded=True))
    return found


def field(name: str, text: Words) -> Field:
    """
    Make one question.

    Parameters
    ----------
    name : str
        Variable.
    text : Words
        Words of a language.

    Returns
    -------
    Field
        The question.
    """
    variable = VARIABLES[name]
    unknown = ("", text("page.not_known"))
    options: tuple[tuple[str, str], ...] = ()
    if variable.kind == "yes_no":
        options = (("yes", text("value.yes")), ("no", text("value.no")), unknown)
    elif variable.kind == "choice":
        labels = [(choice, text.value(name, choice)) for choice in variable.choices]
        options = (*labels, unknown)
    units = tuple(units_of(variable, text)) if variable.kind == "quantity" else ()
    few = sum(len(label) for _, label in options) <= 40
    return Field(name, variable.kind, text.label(name), units, options, few, variable.laboratory)


def units_of(variable: Variable, text: Words) -> Iterable[Unit]:
    """
    List the units of a quantity.

    Parameters
    ----------
    variable : Variable
        A quantity.
    text : Words
        Words of a language.

    Yields
    ------
    Unit
        The canonical one first.
    """
    for code, conversion in UNITS[variable.name].items():
        low, high = (
            (end - conversion.offset) / conversion.factor for end in (variable.low, variable.high)
        )
        label = text.texts.get(f"page.unit.{code}") or text.texts.get(f"unit.{code}", code)
        ends = {"low": round_off(low), "high": round_off(high)}
        yield Unit(code, label, low, high, text("page.range", **ends, unit=label))


def round_off(number: float) -> float:
    """
    Write a limit with few digits.

    Parameters
    ----------
    number : float
        Any.

    Returns
    -------
    float
        To four figures.
    """
    return float(f"{number:.4g}")
