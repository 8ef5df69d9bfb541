"""A simulation: the same models asked about the same patient with some values changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from markupsafe import Markup

from cdss import Assessment, Model, PatientRecord
from cdss.cds_hooks.findings import Answer
from cdss.estimate import NoEstimate, Outcome, PointsTotal
from cdss.i18n import Words
from cdss.risk import RiskModel
from cdss.variables import VARIABLES, Variable
from serving.page.drawing import change
from serving.page.facts import FACTS
from serving.page.fields import round_off
from serving.page.missing import said
from serving.page.typed import Checked, Typed, check

PREFIX = "if."
"""Before the name of an input of the simulation."""


class Lever(NamedTuple):
    """
    Something that can be changed in the simulation.

    Attributes
    ----------
    name, label, unit : str
        The variable.
    now : str
        Its value today, in words.
    low, high, step, value : float
        Of a quantity, canonical unit.
    typed : str
        What was typed.
    options : tuple of (str, str)
        Of others: value sent and label, today's first.
    """

    name: str
    label: str
    unit: str
    now: str
    low: float
    high: float
    step: float
    value: float
    typed: str
    options: tuple[tuple[str, str], ...]


class Change(NamedTuple):
    """
    An answer before and after.

    Attributes
    ----------
    title, when : str
        What is asked.
    before, after : str
        In short.
    picture : Markup
        The same as two bars.
    """

    title: str
    when: str
    before: str
    after: str
    picture: Markup


def levers(
    assessment: Assessment, models: Iterable[Model], typed: Typed, text: Words
) -> list[Lever]:
    """
    List what can be changed: known, modifiable, and looked at by a model that answered.

    Parameters
    ----------
    assessment : Assessment
        Of the patient as they are.
    models : iterable of RiskModel or PointsScore
        Those asked.
    typed : mapping of str to str
        The form.
    text : Words
        Words of a language.

    Returns
    -------
    list of Lever
        Within what is plausible, the limits of every model that answered, and where 99 in 100 of
        the people lie whom it was made from.
    """
    record = assessment.record
    answered = {o.model for o in assessment.outcomes if not isinstance(o, NoEstimate)}
    asked = [model for model in models if model.id in answered]
    used = {name for model in asked for name in model.predictors}
    if "bmi" in used and "bmi" in record.derived:
        used |= {"weight"}
    found = []
    for name, variable in VARIABLES.items():
        if name not in used or name not in record.values or name in record.derived:
            continue
        if variable.modifiable:
            lever = _lever(variable, record, asked, typed.get(f"{PREFIX}{name}", ""), text)
            found += [lever] if lever else []
    return found


def _lever(
    variable: Variable, record: PatientRecord, models: list[Model], typed: str, text: Words
) -> Lever | None:
    name, value = variable.name, record.values[variable.name]
    now = text.quantity(name, value)
    unit = text.unit(variable.unit)
    if variable.kind != "quantity":
        key = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        possible = FACTS["possible"].get(name, {}).get(key)
        if possible is None:
            possible = [o for o in _options(variable) if o != key]
        if not possible:
            return None
        options = tuple((o, text.value(name, _value(o))) for o in (key, *possible))
        return Lever(name, text.label(name), unit, now, 0, 0, 0, 0, typed or key, options)
    low, high = _range(variable, record, models)
    today = float(value)
    low, high = min(low, today), max(high, today)
    step = 0.1 if high - low < 40 else 1.0
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    shown = typed or text.value(name, value)
    return Lever(name, text.label(name), unit, now, round_off(low), round_off(high), step,
                 round_off(today), shown, ())  # fmt: skip


def _options(variable: Variable) -> tuple[str, ...]:
    return ("yes", "no") if variable.kind == "yes_no" else variable.choices


def _value(option: str) -> bool | str:
    return {"yes": True, "no": False}.get(option, option)


def _range(variable: Variable, record: PatientRecord, models: list[Model]) -> tuple[float, float]:
    """Where every model that looks at it answers, about people it knows."""
    name = variable.name
    low, high = variable.low, variable.high
    for model in models:
        for limited, low_end, high_end in _limits(model):
            if limited == name:
                low, high = max(low, low_end), min(high, high_end)
            elif limited == "bmi" and name == "weight" and "height" in record.values:
                square = (float(record.values["height"]) / 100) ** 2
                low, high = max(low, low_end * square), min(high, high_end * square)
    return low, high


def _limits(model: Model) -> Iterable[tuple[str, float, float]]:
    for name, limit in model.limits.items():
        yield name, limit.low, limit.high
    if isinstance(model, RiskModel) and model.validity and (people := model.validity.population):
        for name, ends in zip(people.names, people.quantiles, strict=True):
            yield name, float(ends[0]), float(ends[-1])


def simulated(typed: Typed, found: Iterable[Lever]) -> Checked | None:
    """
    Make the record of a simulation.

    Parameters
    ----------
    typed : mapping of str to str
        The form with inputs of the simulation.
    found : iterable of Lever
        What can be changed.

    Returns
    -------
    Checked or None
        None if nothing is changed. A value outside the range of its lever is set to the nearer end.
    """
    changed: dict[str, str] = {}
    for lever in found:
        wanted = typed.get(f"{PREFIX}{lever.name}", "").strip()
        now = lever.options[0][0] if lever.options else ""
        if not wanted or wanted in (now, typed.get(lever.name, "").strip()):
            continue
        if lever.options:
            if wanted in dict(lever.options):
                changed[lever.name] = wanted
            continue
        value = check({**_only(typed), lever.name: wanted}).payload["values"].get(lever.name)
        if isinstance(value, float) and value != lever.value:
            kept = min(max(value, lever.low), lever.high)
            changed[lever.name] = f"{kept:g}"
            changed[f"{lever.name}.exact"] = f"{kept:g}={kept!r}"
    if not changed:
        return None
    units = {f"{name}.unit": "" for name in changed}
    return check({**typed, **units, **changed})


def _only(typed: Typed) -> Mapping[str, str]:
    return {"index_date": typed.get("index_date", "")}


def changes(before: Assessment, after: Assessment, text: Words) -> tuple[Change, ...]:
    """
    Put answers before and after side by side.

    Parameters
    ----------
    before, after : Assessment
        Of the patient as they are, and of the simulation.
    text : Words
        Words of a language.

    Returns
    -------
    tuple of Change
        One for each question that was answered.
    """
    by_id: dict[str, Outcome] = {o.model: o for o in after.outcomes}
    questions = {c.model: text(f"question.{c.question.id}") for c in before.choices if c.model}
    found = []
    for outcome in before.outcomes:
        if isinstance(outcome, NoEstimate) or (before.choices and outcome.model not in questions):
            continue
        title = questions.get(outcome.model) or text.outcome(outcome.outcome)
        other = by_id.get(outcome.model)
        told = (
            text("report.refused")
            if other is None or isinstance(other, NoEstimate)
            else said(other, text)
        )
        picture = Markup("")
        if other is not None and not isinstance(other, NoEstimate):
            picture = change(_middle(outcome), _middle(other))
        found.append(
            Change(title, text.horizon(outcome.horizon_years), said(outcome, text), told, picture)
        )
    return tuple(found)


def _middle(outcome: Answer) -> float:
    """Something to draw, 0-1."""
    if isinstance(outcome, PointsTotal):
        return (outcome.low + outcome.high) / 2 / outcome.most
    return getattr(outcome, "probability", None) or (outcome.low + outcome.high) / 2  # type: ignore[union-attr]
