"""
Model cards and dossier: everything a reader, a reviewer or a gate wants to know of a model.

Written from the bundle's manifest, the evidence of its validation, its release record and what
people have stated; nothing is invented, and a gap is shown as a gap.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from cdss.risk import RiskModel
from training.cards.card import card
from training.cards.chai import applied_model_card
from training.cards.checklists import source_attributes, tripod
from training.cards.material import Material, gather
from training.data import ROOT

CARDS = ROOT / "model_cards"
MANDATORY = tomllib.loads((Path(__file__).parent / "mandatory.toml").read_text(encoding="utf-8"))

__all__ = ["CARDS", "Material", "complete", "files", "gather", "stale", "write_cards"]


def files(model: RiskModel, folder: Path | None = None) -> dict[str, str]:
    """
    Make every generated file of a model.

    Parameters
    ----------
    model : RiskModel
        A bundle.
    folder : path, optional
        Where evidence, pictures and statements are; `CARDS` by default.

    Returns
    -------
    dict of str to str
        Path below `folder` → content: the card, TRIPOD+AI, CHAI's card, the ONC's attributes.
    """
    material = gather(model, folder or CARDS)
    return {
        f"{model.id}.md": card(material),
        f"{model.id}/tripod.md": tripod(material),
        f"{model.id}/chai.xml": applied_model_card(material),
        f"{model.id}/source_attributes.md": source_attributes(material),
    }


def write_cards(models: Iterable[RiskModel], folder: Path | None = None) -> None:
    """
    Write the cards of models.

    Parameters
    ----------
    models : iterable of RiskModel
        Every shipped model.
    folder : path, optional
        Where; `CARDS` by default.
    """
    place = folder or CARDS
    for model in models:
        for name, text in files(model, place).items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def stale(models: Iterable[RiskModel], folder: Path | None = None) -> list[str]:
    """
    Find generated files that do not say what bundle, evidence and statements say.

    Parameters
    ----------
    models : iterable of RiskModel
        Every shipped model.
    folder : path, optional
        Where; `CARDS` by default.

    Returns
    -------
    list of str
        Paths below `folder` of files that are missing or out of date.
    """
    place = folder or CARDS
    return [
        name
        for model in models
        for name, text in files(model, place).items()
        if not (place / name).is_file() or (place / name).read_text(encoding="utf-8") != text
    ]


def complete(model: RiskModel, folder: Path | None = None) -> list[str]:
    """
    Say what a card still lacks for a release.

    Parameters
    ----------
    model : RiskModel
        A bundle.
    folder : path, optional
        Where evidence, pictures and statements are; `CARDS` by default.

    Returns
    -------
    list of str
        A line for each mandatory field that is missing (``mandatory.toml``); empty if none is.
        Evidence of another bundle counts as none.
    """
    material = gather(model, folder or CARDS)
    missing = [f"manifest: {k}" for k in MANDATORY["manifest"] if not material.facts.get(k)]
    if material.no_evidence:
        missing.append(f"evidence: {material.no_evidence}")
    else:
        lacks = [k for k in MANDATORY["evidence"] if not material.evidence.get(k)]
        lacks += [k for k in MANDATORY["stated"] if k not in material.evidence]
        missing += [f"evidence: {k}" for k in lacks]
    missing += [f"statement: {k}" for k in MANDATORY["statements"] if k not in material.said]
    return missing + [f"picture: {k}" for k in MANDATORY["pictures"] if k not in material.pictures]
