"""Published guidelines, a folder each; to add one: a folder, its name here."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from cdss.errors import DefinitionError
from cdss.guideline import Guideline

GUIDELINES = (
    "vn_3192_2010",
    "vn_5481_2020",
    "vn_protocol_2019",
    "who_2021",
    "who_hearts_e_2018",
    "who_hearts_r_2020",
    "who_hearts_h_2018",
    "who_bmi_2004",
    "ada_2026",
    "kdigo_2022",
    "esc_2023",
    "esc_2024",
    "uspstf_hypertension_2021",
    "uspstf_diabetes_2021",
    "uspstf_statin_2022",
)
"""Folders."""


@lru_cache
def guidelines() -> dict[str, Guideline]:
    """
    Load every guideline.

    Returns
    -------
    dict of str to Guideline
        By key of the document, e.g. ``"HEARTS-E"``.

    Raises
    ------
    DefinitionError
        If a folder's files are wrong, or a rule id is used twice.
    """
    found = [import_module(f"cdss.guidelines.{name}").GUIDELINE for name in GUIDELINES]
    ids = [rule.id for guideline in found for rule in guideline.rules]
    if doubles := sorted({i for i in ids if ids.count(i) > 1}):
        raise DefinitionError(f"rules of two documents: {', '.join(doubles)}")
    return {guideline.key: guideline for guideline in found}
