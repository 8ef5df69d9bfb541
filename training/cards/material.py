"""Everything a card may be written from, gathered once; what is not there is said to be missing."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdss.risk import RiskModel
from training.cards.statements import OF_A_DATASET, OF_A_MODEL, Statement, statements
from training.cards.words import NO_EVIDENCE
from training.data import ROOT, dataset_facts

PICTURES = {
    "calibration.png": "Observed against predicted risk, smooth curve: on the diagonal is right",
    "decision_curve.png": "Net benefit at each threshold, beside acting on all and on nobody",
    "subgroups.png": "Figures by group of people, with 95 % confidence intervals",
    "sites.png": "Each site or survey cycle left out, with 95 % confidence intervals",
}
"""Picture that a validation may leave beside its evidence → what it shows."""

JUDGED = "judged.json"
"""What the gate said of a model that did not pass, beside its evidence."""


@dataclass(frozen=True)
class Material:
    """
    What is known of a model.

    Attributes
    ----------
    model : RiskModel
        A bundle; its manifest is ``model.facts``.
    evidence : mapping
        The validation's figures; empty if there are none *for this very bundle*.
    no_evidence : str
        Why there are none; empty if there are.
    gate : mapping or None
        The release record, if it vouches for this bundle.
    judged : mapping or None
        What the gate said of this bundle when it did not let it pass.
    said : mapping of str to Statement
        Statements about the model, its own before the project's.
    said_of_data : mapping of str to Statement
        Statements about the data set.
    dataset : mapping
        Description of the development data set; empty if it is not described here.
    pictures : tuple of str
        Those of `PICTURES` that exist.
    """

    model: RiskModel
    evidence: Mapping[str, Any]
    no_evidence: str
    gate: Mapping[str, Any] | None
    judged: Mapping[str, Any] | None
    said: Mapping[str, Statement]
    said_of_data: Mapping[str, Statement]
    dataset: Mapping[str, Any]
    pictures: tuple[str, ...]

    @property
    def facts(self) -> Mapping[str, Any]:
        """The manifest."""
        return self.model.facts

    @property
    def training(self) -> Mapping[str, Any]:
        """The manifest's facts about how the model was made."""
        return self.facts.get("training") or {}

    @property
    def tiers(self) -> Mapping[str, Mapping[str, Any]]:
        """Figures of internal validation by tier: the evidence's, else those of the training."""
        return self.evidence.get("tiers") or self.facts.get("metrics") or {}

    @property
    def sites_kept(self) -> Mapping[str, Mapping[str, Any]]:
        """Sites left out in the training, if no evidence replaces them; a child has none."""
        if self.evidence or self.facts.get("parent"):
            return {}
        return self.facts.get("sites") or {}

    @property
    def title(self) -> str:
        """One line for humans."""
        return str(self.facts.get("title") or self.model.id)

    @property
    def horizon(self) -> str:
        """Within how long, in words."""
        years = self.model.horizon_years
        return "now" if years is None else f"{years:g} years"

    @property
    def external(self) -> list[Mapping[str, Any]]:
        """Validations on people of another data set that gave figures."""
        return [e for e in self.evidence.get("external") or [] if e.get("figures")]


def gather(model: RiskModel, folder: Path) -> Material:
    """
    Gather what is known of a model.

    Parameters
    ----------
    model : RiskModel
        A bundle.
    folder : path
        Where the cards are: ``<id>/evidence.json`` and pictures, ``statements/*.toml``.

    Returns
    -------
    Material
        Evidence of another bundle is not taken: only its absence is reported.
    """
    evidence, why = _evidence(model, folder / model.id / "evidence.json")
    name = str((model.facts.get("training") or {}).get("dataset", ""))
    people = folder / "statements"
    gate = model.facts.get("gate")
    if gate and gate.get("manifest_sha256") != model.facts.get("digest"):
        gate = None
    return Material(
        model=model,
        evidence=evidence,
        no_evidence=why,
        gate=gate,
        judged=_judged(model, folder / model.id / JUDGED),
        said=statements(people / "project.toml", OF_A_MODEL)
        | statements(people / f"{model.id}.toml", OF_A_MODEL),
        said_of_data=statements(people / f"dataset-{name}.toml", OF_A_DATASET),
        dataset=_dataset(name),
        pictures=tuple(p for p in PICTURES if (folder / model.id / p).is_file()),
    )


def family_in_words(family: str) -> str:
    """First line of the module that makes this family of models; its name if there is none."""
    file = ROOT / "training" / "families" / f"{family}.py"
    if not file.is_file():
        return family
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or family
    return said.splitlines()[0].rstrip(".")


def _judged(model: RiskModel, file: Path) -> Mapping[str, Any] | None:
    """What the gate said of this very bundle when it did not let it pass."""
    if not file.is_file():
        return None
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found if found.get("manifest_sha256") == model.facts.get("digest") else None


def _evidence(model: RiskModel, file: Path) -> tuple[Mapping[str, Any], str]:
    if not file.is_file():
        return {}, NO_EVIDENCE
    found = json.loads(file.read_text(encoding="utf-8"))
    if found.get("digest") != model.facts.get("digest"):
        return {}, (
            f"{NO_EVIDENCE} The one that is there is of another bundle, "
            f"version {found.get('version', 'unknown')}: validate again."
        )
    return found, ""


def _dataset(name: str) -> Mapping[str, Any]:
    try:
        return dataset_facts(name)
    except LookupError:
        return {}
