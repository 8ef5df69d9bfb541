"""A model as a row of the index: what it says, whether it was released, how good, from where."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Any, NamedTuple

from cdss import Model
from cdss.i18n import Words
from cdss.i18n.models import model_kind
from cdss.report import heading
from serving.models_page.cards import Cards


class Figure(NamedTuple):
    """A figure of a card, with its 95 % confidence interval."""

    name: str
    value: str
    interval: str


class Run(NamedTuple):
    """A run of MLflow: what it did, its id, and its page, if that is known."""

    name: str
    id: str
    url: str


class Row(NamedTuple):
    """
    A model.

    Attributes
    ----------
    id, version, title : str
        Which, and what it says, within how long.
    kind, family : str
        How it was made; the family of a trained one.
    state : str
        ``released``, ``held``, ``demonstration`` or ``published``.
    served, off : bool
        This server answers with it; but only if it is asked for by its id.
    released : str
        By whom and when.
    refused : tuple of (str, str, str)
        Checks of the gate that it did not pass, their verdict, and why.
    judged : bool
        The gate has judged this very version.
    people : tuple of str
        How many it was made from, and how many of them had the outcome.
    figures : tuple of Figure
        Of its internal validation.
    answers : Counter of str
        Known answers that come with an equation, by where they are from.
    digest, code, data : str
        SHA-256 of its manifest, commit it was trained by, and SHA-256 of the data.
    runs : tuple of Run
        In MLflow.
    """

    id: str
    version: str
    title: str
    kind: str
    family: str
    state: str
    served: bool
    off: bool
    released: str
    refused: tuple[tuple[str, str, str], ...]
    judged: bool
    people: tuple[str, ...]
    figures: tuple[Figure, ...]
    answers: Counter[str]
    digest: str
    code: str
    data: str
    runs: tuple[Run, ...]


def row(model: Model, *, served: bool, cards: Cards, mlflow: str | None, text: Words) -> Row:
    """
    Put a model into a row.

    Parameters
    ----------
    model : RiskModel or PointsScore
        Any model.
    served : bool
        Whether this server answers with it.
    cards : Cards
        Where the gate's verdict is.
    mlflow : str or None
        Address of MLflow's pages.
    text : Words
        Words of a language.

    Returns
    -------
    Row
        What the page shows.
    """
    kind, facts = model_kind(model), model.facts
    trained = facts.get("training", {})
    judged = _judged(model, cards) if kind == "trained" else {}
    gate = facts.get("gate")
    return Row(
        model.id,
        model.version,
        heading(model, text).plain,
        kind,
        str(facts.get("family", "")),
        _state(model, kind),
        served,
        model.off,
        _signed(gate, text) if gate else "",
        tuple(
            (c["name"], c["verdict"].replace(" ", "_"), c["why"])
            for c in judged.get("checks", ())
            if c["verdict"] != "pass"
        ),
        bool(judged),
        tuple(_count(trained[name], text) for name in ("n", "events") if name in trained),
        _figures(facts.get("metrics", {}), text),
        known_answers(model) if kind != "trained" else Counter(),
        str(facts.get("digest", "")),
        str(trained.get("code", "")),
        str(trained.get("data_sha256", "")),
        _runs(facts, mlflow),
    )


def known_answers(model: Model) -> Counter[str]:
    """
    Count the known answers that come with a published equation.

    Parameters
    ----------
    model : RiskModel or PointsScore
        A published one.

    Returns
    -------
    Counter of str
        How many, by where they are from.
    """
    file = resources.files(f"cdss.equations.{model.facts['equation']}") / "cases.csv"
    cases = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    return Counter(case["origin"] for case in cases if case["model"] == model.id)


def _signed(gate: Mapping[str, Any], text: Words) -> str:
    day = date.fromisoformat(gate["released_on"]).strftime(text("language.date"))
    by = gate["signed_by"]
    return text("models_page.signed", date=day, name=by["name"], role=by["role"])


def _count(number: int, text: Words) -> str:
    return f"{number:,}".replace(",", "." if text("language.decimal") == "," else ",")


def _state(model: Model, kind: str) -> str:
    if kind != "trained":
        return "published"
    if model.demonstration:
        return "demonstration"
    return "released" if getattr(model, "released", True) else "held"


def _judged(model: Model, cards: Cards) -> dict[str, Any]:
    """What the gate said of this very model: its record, or the verdict beside the card."""
    if gate := model.facts.get("gate"):
        return dict(gate)
    found = cards.facts(model.id, "judged.json")
    return found if found.get("manifest_sha256") == model.facts.get("digest") else {}


def _figures(metrics: dict[str, Any], text: Words) -> tuple[Figure, ...]:
    """Of the tier in which everything is known that usually is."""
    tier = metrics.get("all") or next(iter(metrics.values()), {})
    return tuple(
        Figure(
            name,
            text.number(tier[name], digits),
            text(
                "page.from_to",
                low=text.number(tier[f"{name}_95ci"][0], digits),
                high=text.number(tier[f"{name}_95ci"][1], digits),
            ),
        )
        for name, digits in (("auroc", 3), ("o_e", 2), ("calibration_slope", 2))
        if tier.get(name) is not None
    )


def _runs(facts: Any, mlflow: str | None) -> tuple[Run, ...]:
    gate = facts.get("gate") or {}
    runs = (("trained", facts.get("mlflow_run_id")), ("judged", gate.get("mlflow_run_id")))
    return tuple(
        Run(name, str(run), f"{mlflow}/#/runs/{run}" if mlflow else "") for name, run in runs if run
    )
