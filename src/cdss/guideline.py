"""
Guidelines: rules in code, their numbers in ``rules.toml`` beside it, each with its page.

A folder is one published document. Which documents and rules are in force where, and with which
numbers, a jurisdiction says (`cdss.jurisdiction`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from types import MappingProxyType, SimpleNamespace
from typing import Any

from cdss.datafile import only, read_toml
from cdss.errors import DefinitionError
from cdss.facts import Facts, Need, Truth
from cdss.source import Source
from cdss.units import convert
from cdss.variables import VARIABLES

Decision = Truth | tuple[Truth, Mapping[str, Any]]
"""Whether a rule holds; and what its sentence names besides the parameters."""

Condition = Callable[[Facts, Any], Decision]
"""``(facts, parameters) → decision``; parameters by name, in canonical units."""

TOPICS = (
    "urgent", "diagnosis", "risk", "treatment", "target", "follow_up", "referral", "screening",
    "kidney", "lifestyle",
)  # fmt: skip
"""In the order in which advice is told."""

READ = ("READ", "READ-P")
"""Only rules whose page was opened may be in force."""

_STATUS = (*READ, "SECONDARY-Q")


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A number of a guideline, with its law.

    Attributes
    ----------
    name : str
        By which its rules ask for it.
    value : float
        As printed.
    unit : str
        As printed; UCUM, or empty for a proportion or count.
    canonical : float
        In the canonical unit of its variable.
    locator : str
        Page, table or recommendation.
    valid_from : str
        Since when the document is valid.
    still_valid_on : datetime.date
        When somebody last looked.
    open : str
        What a clinician still has to settle; empty if nothing.
    """

    name: str
    value: float
    unit: str
    canonical: float
    locator: str
    valid_from: str
    still_valid_on: date
    open: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule of one document.

    Attributes
    ----------
    id : str
        For example ``"BPS-04"``; its sentence is ``rule.BPS-04`` of the translations.
    guideline : str
        Key of the document.
    topic : str
        One of `TOPICS`.
    when : callable
        The condition.
    strength : str
        As printed; empty where the document prints none.
    source : Source
        The document and the page.
    status : str
        How it was read; only `READ` rules may be in force.
    who, within : str
        Who acts and how soon, where the source says so; keys of the translations, or empty.
    open : tuple of str
        Parameters of it that a clinician still has to settle.
    """

    id: str
    guideline: str
    topic: str
    when: Condition
    strength: str
    source: Source
    status: str
    who: str = ""
    within: str = ""
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """
    A rule that holds for the patient.

    Attributes
    ----------
    rule : Rule
        The rule.
    params : mapping
        What its sentence names.
    """

    rule: Rule
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undecided:
    """
    A rule that could not be decided.

    Attributes
    ----------
    rule : Rule
        The rule.
    needs : tuple of Need
        What would decide it.
    """

    rule: Rule
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Guideline:
    """
    Rules of one document with their parameters.

    Parameters
    ----------
    key : str
        For example ``"HEARTS-E"``.
    source : Source
        The document.
    valid_from : str
        Since when it is valid.
    still_valid_on : datetime.date
        When somebody last looked.
    rules : tuple of Rule
        All that are encoded.
    parameters : mapping of str to Parameter
        Their numbers.
    """

    key: str
    source: Source
    valid_from: str
    still_valid_on: date
    rules: tuple[Rule, ...]
    parameters: Mapping[str, Parameter]

    def advise(self, facts: Facts) -> tuple[list[Advice], list[Undecided]]:
        """
        Apply every rule.

        Parameters
        ----------
        facts : Facts
            What is known.

        Returns
        -------
        advice : list of Advice
            Rules that hold.
        undecided : list of Undecided
            Rules that lack a fact; never silent.
        """
        advice, undecided = [], []
        numbers = SimpleNamespace(**{p.name: p.canonical for p in self.parameters.values()})
        shown = {p.name: p.value for p in self.parameters.values()}
        for rule in self.rules:
            decision = rule.when(facts, numbers)
            truth, named = decision if isinstance(decision, tuple) else (decision, {})
            if truth.value:
                advice.append(Advice(rule, shown | dict(named)))
            elif truth.value is None and truth.needs:  # else it does not apply
                undecided.append(Undecided(rule, tuple(sorted(truth.needs))))
        return advice, undecided

    def only(self, keep: Callable[[Rule], bool]) -> Guideline:
        """
        Keep some rules.

        Parameters
        ----------
        keep : callable
            Which.

        Returns
        -------
        Guideline
            With those rules.
        """
        return replace(self, rules=tuple(rule for rule in self.rules if keep(rule)))

    def with_parameters(self, parameters: Mapping[str, Parameter]) -> Guideline:
        """
        Replace numbers, as a jurisdiction may.

        Parameters
        ----------
        parameters : mapping of str to Parameter
            By name; each must be one of the document's.

        Returns
        -------
        Guideline
            With the new numbers.

        Raises
        ------
        DefinitionError
            If the document has no such parameter, or prints it in another unit.
        """
        if unknown := parameters.keys() - self.parameters.keys():
            raise DefinitionError(f"{self.key} has no parameter {', '.join(sorted(unknown))}")
        if units := [n for n, p in parameters.items() if p.unit != self.parameters[n].unit]:
            raise DefinitionError(f"{self.key}: other unit than the document: {', '.join(units)}")
        return replace(self, parameters=MappingProxyType({**self.parameters, **parameters}))


def load_guideline(package: str, conditions: Mapping[str, Condition]) -> Guideline:
    """
    Make the guideline of a folder.

    Parameters
    ----------
    package : str
        The folder's package, ``__name__`` of its ``__init__.py``.
    conditions : mapping of str to callable
        Rule id → condition.

    Returns
    -------
    Guideline
        All its rules, with the numbers as printed.

    Raises
    ------
    DefinitionError
        If ``rules.toml`` has an unknown key, lacks a locator, or does not have the same rules as
        the code.
    """
    name = package.rpartition(".")[2]
    facts = read_toml(resources.files(package) / "rules.toml")
    only(facts, name, "document parameters rules")
    document = facts["document"]
    only(document, f"{name}: document", "key citation valid_from still_valid_on", "url rights")
    rules = facts["rules"]
    if set(rules) != set(conditions):
        wrong = ", ".join(sorted(set(rules) ^ set(conditions)))
        raise DefinitionError(f"{name}: rules in only one of code and rules.toml: {wrong}")
    parameters = {
        key: read_parameter(key, table, f"{name}: {key}", document)
        for key, table in facts["parameters"].items()
    }
    return Guideline(
        document["key"],
        Source(document["citation"], "whole document", document.get("url", "")),
        document["valid_from"],
        document["still_valid_on"],
        tuple(_rule(i, t, conditions[i], document, parameters, name) for i, t in rules.items()),
        MappingProxyType(parameters),
    )


def read_parameter(
    key: str, table: Mapping[str, Any], where: str, document: Mapping[str, Any]
) -> Parameter:
    """
    Read one number.

    Parameters
    ----------
    key : str
        Its name.
    table : mapping
        ``value``, ``unit`` and ``locator``; may have ``variable`` (whose canonical unit it is
        brought to), ``valid_from``, ``still_valid_on`` (else those of the document) and ``open``.
    where : str
        Its name in an error.
    document : mapping
        Has ``valid_from`` and ``still_valid_on``.

    Returns
    -------
    Parameter
        The number with its law.

    Raises
    ------
    DefinitionError
        If a key is unknown or missing, the locator is empty, or the unit is not of the variable.
    """
    only(table, where, "value unit locator", "variable valid_from still_valid_on open")
    value, unit = table["value"], table["unit"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(f"{where}: value must be a number")
    if not str(table["locator"]).strip():
        raise DefinitionError(f"{where}: locator is empty")
    canonical: float | None = float(value)
    if variable := table.get("variable"):
        known = variable in VARIABLES and VARIABLES[variable].kind == "quantity"
        canonical = convert(variable, float(value), unit) if known else None
        if canonical is None:
            raise DefinitionError(f"{where}: {unit} is not a unit of {variable}")
    return Parameter(
        key,
        value,
        unit,
        float(canonical or 0.0),
        table["locator"],
        str(table.get("valid_from", document["valid_from"])),
        table.get("still_valid_on", document["still_valid_on"]),
        table.get("open", ""),
    )


def _rule(
    rule_id: str,
    table: Mapping[str, Any],
    when: Condition,
    document: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    name: str,
) -> Rule:
    where = f"{name}: {rule_id}"
    only(table, where, "topic locator status", "strength who within open")
    if table["topic"] not in TOPICS or table["status"] not in _STATUS:
        raise DefinitionError(f"{where}: unknown topic or status")
    if unknown := set(table.get("open", ())) - set(parameters):
        raise DefinitionError(f"{where}: open parameters that are none: {', '.join(unknown)}")
    cited = Source(
        document["citation"],
        table["locator"],
        document.get("url", ""),
        checked_on=document["still_valid_on"],
    )
    return Rule(
        rule_id, document["key"], table["topic"], when, table.get("strength", ""), cited,
        table["status"], table.get("who", ""), table.get("within", ""),
        tuple(table.get("open", ())),
    )  # fmt: skip


def in_order(advice: Iterable[Advice]) -> list[Advice]:
    """
    Sort advice as it is told: what is urgent first.

    Parameters
    ----------
    advice : iterable of Advice
        From any documents.

    Returns
    -------
    list of Advice
        By topic; within a topic as given.
    """
    return sorted(advice, key=lambda each: TOPICS.index(each.rule.topic))
