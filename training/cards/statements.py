"""What only a person can say: read from ``model_cards/statements``, with who said it and when."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cdss.errors import DefinitionError

OF_A_MODEL = {
    "developer": "who makes it",
    "contact": "where to ask",
    "funding": "who pays, and with what say",
    "conflicts": "conflicts of interest",
    "protocol": "study protocol, or that there is none",
    "registration": "registration of the study, or that there is none",
    "patient_involvement": "part that patients and the public had",
    "stakeholders": "who was asked",
    "context": "clinical context, and which models exist already",
    "inequalities": "known inequalities of health between groups",
    "intended_use": "what it is for, and where in the path of care",
    "users": "for whom",
    "decision_role": "whether it informs, augments or replaces a decision",
    "out_of_scope": "where it must not be used",
    "risks": "known risks and limitations",
    "biases": "known biases and ethical considerations",
    "clinical_risk_level": "how much harm an error may do",
    "how_to_use": "directions",
    "expertise": "what users must know or do",
    "stop": "when to stop using it",
    "fairness": "approach to fairness, and why",
    "bias_mitigation": "what was done against bias",
    "predictor_choice": "why these predictors",
    "model_choice": "why this type of model",
    "outcome_choice": "why this outcome",
    "threshold_choice": "why these thresholds",
    "treatment": "how treatment at the start was thought about",
    "interpretation": "what the results mean",
    "next_steps": "what is next, and where it may apply",
    "relevance": "how relevant the development data are where it is to be used",
    "monitoring": "how, and how often, its validity is watched",
    "monitoring_fairness": "how, and how often, its fairness is watched",
    "updates": "how, and how often, it is updated",
    "corrections": "how fast a risk that is found is mended",
    "effect_on_outcomes": "studies of its effect on patients",
    "publications": "peer-reviewed publications about it",
    "regulatory": "regulatory status",
    "consent": "what patients are told or asked",
}
"""Statement of a project or a model → what it is about."""

OF_A_DATASET = {
    "ethics": "ethics committee, consent or waiver",
    "representativeness": "whom the people stand for",
    "outcome_judges": "who judged an outcome that needs judgement",
    "outcome_blinding": "whether the outcome was found without knowing the predictors",
    "predictor_judges": "who judged a predictor that needs judgement",
}
"""Statement of a data set → what it is about."""


@dataclass(frozen=True)
class Statement:
    """
    A sentence somebody stands for.

    Parameters
    ----------
    text : str
        What is said.
    author : str
        Who says it.
    date : datetime.date
        When.
    review : str
        Who has checked it, or that nobody has.
    applies : bool
        False if the statement is that the question does not apply.
    """

    text: str
    author: str
    date: date
    review: str
    applies: bool = True

    @property
    def signed(self) -> str:
        """Author and date, as cards print them."""
        return f"{self.author}, {self.date}"


def statements(file: Path, known: Mapping[str, str]) -> dict[str, Statement]:
    """
    Read a file of statements.

    Parameters
    ----------
    file : path
        TOML, one table for each statement with ``text``, ``author``, ``date``, ``review`` and,
        where a question does not apply, ``applies = false``.
    known : mapping of str to str
        The statements that may stand there.

    Returns
    -------
    dict of str to Statement
        Empty if there is no file: nobody has said anything.

    Raises
    ------
    DefinitionError
        If a statement is unknown, unsigned, undated or empty: an anonymous sentence is none.
    """
    if not file.is_file():
        return {}
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    if unknown := set(said) - set(known):
        raise DefinitionError(f"{file.name}: unknown statements: {', '.join(sorted(unknown))}")
    return {key: _statement(f"{file.name}, {key}", entry) for key, entry in said.items()}


def _statement(where: str, entry: Any) -> Statement:
    if not isinstance(entry, dict):
        raise DefinitionError(f"{where}: a statement is a table with text, author, date and review")
    missing = [k for k in ("text", "author", "review") if not str(entry.get(k, "")).strip()]
    missing += [] if isinstance(entry.get("date"), date) else ["date"]
    if missing:
        raise DefinitionError(f"{where}: lacks {', '.join(missing)}")
    if extra := set(entry) - {"text", "author", "date", "review", "applies"}:
        raise DefinitionError(f"{where}: does not know {', '.join(sorted(extra))}")
    text = " ".join(entry["text"].split())
    return Statement(text, entry["author"], entry["date"], entry["review"],
                     bool(entry.get("applies", True)))  # fmt: skip
