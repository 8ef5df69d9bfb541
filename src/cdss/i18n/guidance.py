"""How a language says advice, and what would decide more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cdss.facts import Need
from cdss.guideline import Advice, Guideline, Rule, Undecided
from cdss.i18n.text import Words
from cdss.jurisdiction import Jurisdiction
from cdss.source import Source


def advice_text(advice: Advice, text: Words) -> str:
    """
    Say a piece of advice.

    Parameters
    ----------
    advice : Advice
        A rule that holds.
    text : Words
        Words of a language.

    Returns
    -------
    str
        One sentence with the numbers in force.
    """
    key = f"rule.{advice.rule.id}"
    said = text(key)
    # Of all numbers of its document a sentence names few: only those are put into words.
    named = {n: _named(v, text) for n, v in advice.params.items() if f"{{{n}}}" in said}
    return text(key, **named) if "{" in said else said


def rule_text(rule: Rule, guideline: Guideline, text: Words) -> str:
    """
    Say a rule, with its numbers but without a patient.

    Parameters
    ----------
    rule : Rule
        A rule of the guideline.
    guideline : Guideline
        With the numbers in force.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Its sentence; what depends on the patient is an ellipsis.
    """
    numbers = {p.name: p.value for p in guideline.parameters.values()}
    return text(f"rule.{rule.id}", **{**dict.fromkeys(_OF_THE_PATIENT, "…"), **numbers})


_OF_THE_PATIENT = ("band", "category", "checks", "grade", "metformin", "refer", "stage", "statin")


def _named(value: Any, text: Words) -> Any:
    """A number as it is; the name of a band, or of several, in words."""
    if isinstance(value, tuple):
        return ", ".join(str(_named(each, text)) for each in value)
    return text(value) if isinstance(value, str) and value in text.texts else value


def who_text(rule: Rule, jurisdiction: Jurisdiction | None, text: Words) -> str:
    """
    Say who acts.

    Parameters
    ----------
    rule : Rule
        A rule.
    jurisdiction : Jurisdiction or None
        Whose names of levels of care are used.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Empty where the source does not say.
    """
    if not rule.who:
        return ""
    levels: Mapping[str, Mapping[str, str]] = jurisdiction.levels if jurisdiction else {}
    return levels.get(rule.who, {}).get(text.lang) or text(f"who.{rule.who}")


def within_text(rule: Rule, text: Words) -> str:
    """
    Say how soon.

    Parameters
    ----------
    rule : Rule
        A rule.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Empty where the source does not say.
    """
    return text(f"within.{rule.within}") if rule.within else ""


def strength_text(rule: Rule, text: Words) -> str:
    """
    Say the strength as the source prints it, in its own words.

    Parameters
    ----------
    rule : Rule
        A rule.
    text : Words
        Words of a language.

    Returns
    -------
    str
        What is printed, or that nothing is.
    """
    if not rule.strength:
        return text("report.no_strength")
    return text("report.strength", strength=rule.strength)


def cited(source: Source) -> str:
    """
    Name a source with its page.

    Parameters
    ----------
    source : Source
        Any source.

    Returns
    -------
    str
        Citation and locator.
    """
    return f"{source.citation}, {source.locator}"


def need_text(need: Need, text: Words) -> str:
    """
    Say what to ask or measure.

    Parameters
    ----------
    need : Need
        What is unknown, or known only once.
    text : Words
        Words of a language.

    Returns
    -------
    str
        Label of the variable.
    """
    label = text.label(need.variable)
    return text("report.again", variable=label) if need.again else label


class Question(NamedTuple):
    """Something to ask or measure, and the rules it would help to decide."""

    need: Need
    rules: tuple[str, ...]


def to_ask(undecided: Iterable[Undecided]) -> list[Question]:
    """
    Turn undecided rules around: what to ask or measure, what decides most first.

    Parameters
    ----------
    undecided : iterable of Undecided
        Rules that lack a fact.

    Returns
    -------
    list of Question
        One for each need.
    """
    found: dict[Need, list[str]] = {}
    for each in undecided:
        for need in each.needs:
            found.setdefault(need, []).append(each.rule.id)
    ordered = sorted(found.items(), key=lambda item: (not item[0].again, -len(item[1])))
    return [Question(need, tuple(rules)) for need, rules in ordered]
