"""
What is in force in a country: guidelines, their numbers, and which model answers what.

A jurisdiction is one file, ``jurisdictions/<id>.toml``; no country is named in code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from cdss.datafile import only, read_toml
from cdss.equations import published_models
from cdss.errors import DefinitionError, UnknownJurisdiction, UnknownModel
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.facts import Amount, Facts, Need
from cdss.guideline import READ, Advice, Guideline, Undecided, in_order, read_parameter
from cdss.guidelines import guidelines
from cdss.points import CutOff, PointsScore
from cdss.record import PatientRecord
from cdss.risk import RiskModel

Model = RiskModel | PointsScore

_FILES = resources.files("cdss.jurisdictions")

JURISDICTIONS: tuple[str, ...] = tuple(
    sorted(f.name.removesuffix(".toml") for f in _FILES.iterdir() if f.name.endswith(".toml"))
)
"""Ids of those there are."""

DEFAULT = "vn"


class Option(NamedTuple):
    """
    A model that may answer a question.

    Attributes
    ----------
    model : str
        Its id.
    beside : tuple of str
        Models shown beside its answer.
    laboratory : bool
        Whether it uses laboratory values.
    """

    model: str
    beside: tuple[str, ...]
    laboratory: bool


class Question(NamedTuple):
    """
    Something to be answered, and by whom.

    Attributes
    ----------
    id : str
        Key of the translations.
    why : str
        Why these models, a key of the translations.
    options : tuple of Option
        The first that answers is the answer.
    """

    id: str
    why: str
    options: tuple[Option, ...]


class Choice(NamedTuple):
    """
    Which model answered a question.

    Attributes
    ----------
    question : Question
        What was asked.
    model : str or None
        Id of the model that answered; None if none could.
    beside : tuple of str
        Ids of the others that answered.
    measured : tuple of str
        Variables that measure the outcome itself and are known: no model is needed to guess it.
    """

    question: Question
    model: str | None
    beside: tuple[str, ...]
    measured: tuple[str, ...] = ()


@dataclass(frozen=True)
class Jurisdiction:
    """
    What is in force in a country.

    Parameters
    ----------
    id : str
        Name of its file.
    name : mapping of str to str
        What it is called, by language.
    language : str
        Language of its site by default.
    guidelines : tuple of Guideline
        With the rules and numbers in force.
    questions : tuple of Question
        What is answered by default.
    risks : mapping of str to str
        Risk that rules ask for → question that answers it.
    cut_offs : mapping of str to CutOff
        Points score → its cut-off here.
    levels : mapping of str to mapping
        Level of care → what it is called, by language.
    """

    id: str
    name: Mapping[str, str]
    language: str
    guidelines: tuple[Guideline, ...]
    questions: tuple[Question, ...]
    risks: Mapping[str, str]
    cut_offs: Mapping[str, CutOff]
    levels: Mapping[str, Mapping[str, str]]

    def models(self, loaded: Iterable[Model]) -> tuple[Model, ...]:
        """
        Pick the models that answer by default, points with the cut-offs in use here.

        Parameters
        ----------
        loaded : iterable of RiskModel or PointsScore
            Those there are; what a site does not serve does not answer.

        Returns
        -------
        tuple of RiskModel or PointsScore
            In the order of the questions.
        """
        by_id = {model.id: model for model in loaded}
        wanted = dict.fromkeys(
            model
            for question in self.questions
            for option in question.options
            for model in (option.model, *option.beside)
        )
        return tuple(self.adapted(by_id[i]) for i in wanted if i in by_id)

    @property
    def named(self) -> frozenset[str]:
        """Models its questions name."""
        return frozenset(
            model
            for question in self.questions
            for option in question.options
            for model in (option.model, *option.beside)
        )

    def adapted(self, model: Model) -> Model:
        """
        Give a points score the cut-off in use here.

        Parameters
        ----------
        model : RiskModel or PointsScore
            Any model.

        Returns
        -------
        RiskModel or PointsScore
            The same unless a cut-off is set.
        """
        if isinstance(model, PointsScore) and model.id in self.cut_offs:
            return model.with_cut_off(self.cut_offs[model.id])
        return model

    def choose(self, outcomes: Sequence[Outcome]) -> tuple[Choice, ...]:
        """
        Say which model answered which question.

        Parameters
        ----------
        outcomes : sequence of outcomes
            Of one patient.

        Returns
        -------
        tuple of Choice
            One for each question whose models were asked.
        """
        by_id = {outcome.model: outcome for outcome in outcomes}
        measured = {i: _measured(o) for i, o in by_id.items()}
        answered = {
            i for i, o in by_id.items() if not isinstance(o, NoEstimate) and not measured[i]
        }
        choices = []
        for question in self.questions:
            if not any(option.model in by_id for option in question.options):
                continue
            for option in question.options:
                if option.model in answered:
                    beside = tuple(i for i in option.beside if i in answered)
                    choices.append(Choice(question, option.model, beside))
                    break
            else:
                known = dict.fromkeys(
                    name for o in question.options for name in measured.get(o.model, ())
                )
                choices.append(Choice(question, None, (), tuple(known)))
        return tuple(choices)

    def advise(
        self, record: PatientRecord, outcomes: Sequence[Outcome], choices: Sequence[Choice]
    ) -> tuple[tuple[Advice, ...], tuple[Undecided, ...]]:
        """
        Apply the rules in force.

        Parameters
        ----------
        record : PatientRecord
            One patient on one day.
        outcomes : sequence of outcomes
            What the models said.
        choices : sequence of Choice
            Which of them answered what.

        Returns
        -------
        advice : tuple of Advice
            What is urgent first.
        undecided : tuple of Undecided
            Rules that lack a fact.
        """
        facts = Facts(record, self.amounts(outcomes, choices))
        advice: list[Advice] = []
        undecided: list[Undecided] = []
        for guideline in self.guidelines:
            held, open_ = guideline.advise(facts)
            advice += held
            undecided += open_
        return tuple(in_order(advice)), tuple(undecided)

    def amounts(self, outcomes: Sequence[Outcome], choices: Sequence[Choice]) -> dict[str, Amount]:
        """
        Give the risks as rules ask for them.

        Parameters
        ----------
        outcomes : sequence of outcomes
            What the models said.
        choices : sequence of Choice
            Which of them answered what.

        Returns
        -------
        dict of str to Amount
            By name; without a model, unknown and nothing would help.
        """
        by_id = {outcome.model: outcome for outcome in outcomes}
        by_question = {choice.question.id: choice for choice in choices}
        amounts = {}
        for risk in _RISKS:
            amounts[f"risk.{risk}"] = Amount.nothing()
            amounts[f"risk.{risk}_without_laboratory"] = Amount.nothing()
            choice = by_question.get(self.risks.get(risk, ""))
            if choice is None:
                continue
            amount = _amount(choice, by_id)
            amounts[f"risk.{risk}"] = amount
            for option in choice.question.options:
                if option.model == choice.model and not option.laboratory:
                    amounts[f"risk.{risk}_without_laboratory"] = amount
        return amounts


_RISKS = ("cardiovascular", "us_ascvd")
"""Risks that rules ask for."""


@lru_cache
def load_jurisdiction(name: str = DEFAULT) -> Jurisdiction:
    """
    Load a jurisdiction.

    Parameters
    ----------
    name : str
        One of `JURISDICTIONS`.

    Returns
    -------
    Jurisdiction
        The same object each time.

    Raises
    ------
    UnknownJurisdiction
        If there is none of that name; it lists those there are.
    DefinitionError
        If its file has an unknown key, names a rule, number or published model that does not exist,
        or lacks a locator.
    """
    if name not in JURISDICTIONS:
        raise UnknownJurisdiction(name, JURISDICTIONS)
    facts = read_toml(_FILES / f"{name}.toml")
    only(
        facts, name, "name language still_valid_on guidelines questions risks",
        "parameters cut_offs levels",
    )  # fmt: skip
    only(facts["guidelines"], f"{name}: guidelines", "in_force", "off")
    for score, cut_off in facts.get("cut_offs", {}).items():
        only(cut_off, f"{name}: cut_offs.{score}", "points locator")
    questions = tuple(_question(q, name) for q in facts["questions"])
    risks = facts["risks"]
    if unknown := set(risks.values()) - {q.id for q in questions} | set(risks) - set(_RISKS):
        raise DefinitionError(f"{name}: risks: unknown {', '.join(sorted(unknown))}")
    scores = {m.id for m in published_models() if isinstance(m, PointsScore)}
    if unknown := set(facts.get("cut_offs", {})) - scores:
        raise DefinitionError(f"{name}: cut_offs: no points score {', '.join(sorted(unknown))}")
    return Jurisdiction(
        name,
        MappingProxyType(facts["name"]),
        facts["language"],
        _in_force(facts, name),
        questions,
        MappingProxyType(risks),
        MappingProxyType(
            {k: CutOff(c["points"], c["locator"]) for k, c in facts.get("cut_offs", {}).items()}
        ),
        MappingProxyType(facts.get("levels", {})),
    )


def select(
    loaded: Sequence[Model],
    place: Jurisdiction | None,
    ids: Iterable[str] | None = None,
    *,
    demonstrations: bool = False,
) -> tuple[Model, ...]:
    """
    Pick the models to ask.

    Parameters
    ----------
    loaded : sequence of RiskModel or PointsScore
        Those there are.
    place : Jurisdiction or None
        Whose preferences and cut-offs; None means neither.
    ids : iterable of str, optional
        Which; ``["all"]`` means every model that is not off. By default those the jurisdiction
        prefers.
    demonstrations : bool
        Whether demonstration models are asked too.

    Returns
    -------
    tuple of RiskModel or PointsScore
        A model asked for by id is asked even if it is off or a demonstration.

    Raises
    ------
    UnknownModel
        If an id is not loaded.
    """
    by_id = {model.id: model for model in loaded}
    usual = [m for m in loaded if not m.off and (demonstrations or not m.demonstration)]
    wanted = tuple(dict.fromkeys(ids)) if ids else ()
    if wanted and wanted != ("all",):
        if unknown := [i for i in wanted if i not in by_id]:
            raise UnknownModel(unknown, by_id)
        found: Iterable[Model] = [by_id[i] for i in wanted]
    elif wanted or place is None:
        found = usual
    else:
        # A site's own models that no question names answer too, and demonstrations it asked for.
        own = [m for m in usual if m.id not in place.named and "equation" not in m.facts]
        found = [*place.models(usual), *own]
    return tuple(place.adapted(model) for model in found) if place else tuple(found)


def _question(table: Mapping[str, Any], name: str) -> Question:
    only(table, f"{name}: question", "id why options")
    options = []
    for option in table["options"]:
        only(option, f"{name}: {table['id']}", "model", "beside laboratory")
        beside = tuple(option.get("beside", ()))
        options.append(Option(option["model"], beside, option.get("laboratory", True)))
    return Question(table["id"], table["why"], tuple(options))


def _in_force(facts: Mapping[str, Any], name: str) -> tuple[Guideline, ...]:
    """The guidelines of a jurisdiction: rules that were read and are not off, its own numbers."""
    known, table = guidelines(), facts["guidelines"]
    wanted, off = table["in_force"], table.get("off", {})
    parameters = facts.get("parameters", {})
    if unknown := (set(wanted) | set(parameters)) - set(known):
        raise DefinitionError(f"{name}: no guideline {', '.join(sorted(unknown))}")
    if unknown := set(off) - {rule.id for key in wanted for rule in known[key].rules}:
        raise DefinitionError(f"{name}: off: no such rule {', '.join(sorted(unknown))}")
    found = []
    for key in wanted:
        document = {"valid_from": "", "still_valid_on": facts["still_valid_on"]}
        own = {
            p: read_parameter(p, t, f"{name}: {key}.{p}", document)
            for p, t in parameters.get(key, {}).items()
        }
        guideline = known[key].with_parameters(own)
        found.append(guideline.only(lambda rule: rule.status in READ and rule.id not in off))
    return tuple(found)


def _measured(outcome: Outcome) -> tuple[str, ...]:
    """Known variables that measure what the model estimates."""
    if isinstance(outcome, NoEstimate):
        return ()
    return tuple(w.variable for w in outcome.warnings if w.code == "outcome_measured")


def _amount(choice: Choice, by_id: Mapping[str, Outcome]) -> Amount:
    outcome = by_id.get(choice.model or "")
    if isinstance(outcome, RiskEstimate):
        return Amount(outcome.probability, outcome.probability)
    if isinstance(outcome, RiskRange):
        return Amount(outcome.low, outcome.high, frozenset(map(Need, outcome.narrowed_by)))
    if isinstance(outcome, PointsTotal):
        return Amount.nothing()
    # Refused: what is only missing can be asked for; the option that misses least.
    missing = []
    for option in choice.question.options:
        refusal = by_id.get(option.model)
        if isinstance(refusal, NoEstimate) and all(
            r.code == "missing_input" for r in refusal.reasons
        ):
            missing.append(frozenset(Need(r.variable) for r in refusal.reasons))
    if not missing:
        return Amount.nothing()
    return Amount(0.0, 1.0, min(missing, key=len))
