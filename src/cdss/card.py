"""Models in words, for a terminal: a list of them, and a card of one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cdss.i18n import Words, words
from cdss.i18n.guidance import cited, rule_text, strength_text
from cdss.i18n.models import licence, model_kind, population, vietnam
from cdss.jurisdiction import Jurisdiction, Model
from cdss.limits import Limit
from cdss.points import PointsScore
from cdss.report import heading, labels


def models_report(models: Iterable[Model], lang: str) -> Group:
    """
    List models: what each is for, what it needs, whom it was made from.

    Parameters
    ----------
    models : iterable of RiskModel or PointsScore
        Any models.
    lang : str
        Language of the words.

    Returns
    -------
    Group
        One paragraph a model.
    """
    text = words(lang)
    parts: list[RenderableType] = []
    for model in models:
        facts = Table.grid(padding=(0, 2))
        facts.add_row(text("models.required"), labels(model.inputs, text))
        if model.optional:
            facts.add_row(text("models.optional"), labels(model.optional, text))
        facts.add_row(text("models.population"), Text(population(model, text)))
        parts += [heading(model, text), Text(f"{model.id} {model.version}")]
        parts += [*_standing(model, text), Padding(facts, (0, 0, 0, 2), expand=False), ""]
    return Group(*parts, Text(text("notice.advisory")))


def card_report(model: Model, lang: str) -> Group:
    """
    Show one model: whom it is from and for, its limits, sources and known answers.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    lang : str
        Language of the words; citations stay as they are.

    Returns
    -------
    Group
        A table of facts, and the notice.
    """
    text = words(lang)
    facts = Table.grid(padding=(0, 2))
    for name, said in card_facts(model, text):
        facts.add_row(Text(name, style="bold"), Text(said))
    title = Text(f"{model.id} {model.version}", style="bold")
    return Group(title, *_standing(model, text), "", facts, "", Text(text("notice.advisory")))


def rules_report(place: Jurisdiction, lang: str) -> Group:
    """
    List the rules in force, to be signed off by a clinician.

    Parameters
    ----------
    place : Jurisdiction
        Where.
    lang : str
        Language of the words; citations stay as they are.

    Returns
    -------
    Group
        By document: each rule's sentence with its numbers, strength and page, and what is open.
    """
    text = words(lang)
    title = text("rules.title", jurisdiction=place.name.get(lang, place.id))
    parts: list[RenderableType] = [Text(title, style="bold")]
    for guideline in place.guidelines:
        checked = guideline.still_valid_on.strftime(text("language.date"))
        since = text("rules.document", since=guideline.valid_from, checked=checked)
        parts += ["", Text(f"{guideline.key}: {guideline.source.citation}", style="bold")]
        parts.append(Text(since))
        rows = Table.grid(padding=(0, 1))
        for rule in guideline.rules:
            said = Text(rule_text(rule, guideline, text))
            where = f"{text(f'topic.{rule.topic}')} · {rule.source.locator}"
            said.append(f"\n{where} · {strength_text(rule, text)}", style="dim")
            for name in rule.open:
                what = text("report.open", what=text(f"open.{rule.guideline}.{name}"))
                said.append(f"\n{what}", style="dim")
            rows.add_row(rule.id, said)
        parts.append(Padding(rows, (0, 0, 0, 2), expand=False))
    return Group(*parts, "", Text(text("notice.advisory")))


def _standing(model: Model, text: Words) -> list[RenderableType]:
    """Say before all else that a model is not for everyday use."""
    parts: list[RenderableType] = []
    if model.demonstration:
        parts.append(Text(text("notice.demonstration"), style="bold"))
    if not getattr(model, "released", True):
        parts.append(Text(text("card.not_released"), style="bold"))
    if model.off:
        parts.append(Text(text("card.on_request")))
    return parts


def card_facts(model: Model, text: Words) -> Iterable[tuple[str, str]]:
    """
    Say what a card of a model says, fact by fact.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    text : Words
        Words of a language.

    Yields
    ------
    tuple of (str, str)
        What, and the words; several lines where there are several.
    """
    yield text("card.outcome"), heading(model, text).plain
    if isinstance(model, PointsScore):
        cut_off = text("card.points", cut_off=model.cut_off.points)
        yield text("card.function"), f"{cut_off} ({model.cut_off.source})"
    else:
        yield text("card.function"), text("card.probability")
    yield text("models.population"), population(model, text)
    yield text("card.vietnam"), vietnam(model, text)
    yield text("models.required"), labels(model.inputs, text)
    if model.optional:
        yield text("models.optional"), labels(model.optional, text)
    if model.limits:
        spans = [_span(name, limit, text) for name, limit in model.limits.items()]
        yield text("card.limits"), "\n".join(spans)
    if model.excluded:
        yield text("card.excluded"), labels(model.excluded, text)
    if only_with := getattr(model, "only_with", ()):
        yield text("card.only_with"), labels(only_with, text)
    if reference := getattr(model, "reference", {}):
        values = [f"{text.label(n)} {text.quantity(n, v)}" for n, v in reference.items()]
        yield text("card.reference"), "; ".join(values)
    if metrics := model.facts.get("metrics"):
        yield text("card.metrics"), _figures(metrics, text)
    if gate := model.facts.get("gate"):
        day, name = gate["released_on"], gate["signed_by"]["name"]
        yield text("card.released"), text("card.signed", date=_day(day, text), name=name)
    sources = [cited(source) for source in model.sources]
    sources += [text("card.erratum", text=s.erratum) for s in model.sources if s.erratum]
    yield text("card.sources"), "\n".join(sources)
    if model_kind(model) != "trained":
        yield text("card.known_answers"), f"equations/{model.facts['equation']}/cases.csv"
    yield text("card.licence"), licence(model, text)


def _day(day: str, text: Words) -> str:
    return date.fromisoformat(day).strftime(text("language.date"))


def _span(name: str, limit: Limit, text: Words) -> str:
    label = text.label(name)
    low, high = (text.quantity(name, end) for end in (limit.low, limit.high))
    if math.isinf(limit.high):
        said = text("card.from", variable=label, low=low)
    elif math.isinf(limit.low):
        said = text("card.below", variable=label, high=high)
    else:
        said = text("card.between", variable=label, low=low, high=high)
    return f"{said} ({limit.source})" if limit.source else said


def _figures(metrics: Mapping[str, Any], text: Words) -> str:
    tier = metrics.get("all") or next(iter(metrics.values()))
    low, high = tier["auroc_95ci"]
    return text(
        "card.auroc",
        value=text.number(tier["auroc"], 3),
        low=text.number(low, 3),
        high=text.number(high, 3),
        o_e=text.number(tier["o_e"], 2),
    )
