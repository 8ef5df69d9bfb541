"""The released version of a model, as a contender of the one that would replace it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from cdss import load_models
from cdss.bundle import SHIPPED
from training.bundled import predict
from training.families import families
from training.fit import cross_validate
from training.study import Study


class LastChampion(NamedTuple):
    """
    Predictions of the released version for the people of a study.

    Attributes
    ----------
    name : str
        ``champion`` and its version, as the release gate looks for it.
    log_odds : dict of str to ndarray, shape (n,)
        By tier; NaN outside its limits.
    note : str
        How they came about.
    """

    name: str
    log_odds: dict[str, np.ndarray]
    note: str


def last_champion(study: Study, bundles: Path = SHIPPED) -> LastChampion | None:
    """
    Predict with the released version of a study's model.

    Parameters
    ----------
    study : Study
        A trained model and its people.
    bundles : path, optional
        Where released bundles are.

    Returns
    -------
    LastChampion or None
        None if nothing was released, or it is the study's model itself. Where the study is
        cross-validated the version's family is too, in the same folds: its graph has seen these
        people, and would look better than it is.
    """
    if not study.family or not (bundles / study.model / "manifest.json").is_file():
        return None
    (released,) = load_models([study.model], folder=bundles, ungated=True)
    if released.facts["digest"] == study.digest:
        return None
    name, family = f"champion {released.version}", released.facts["family"]
    if study.validation == "cross-validated":
        note = f"its family, {family}, fitted in the same folds"
        if family == study.family:
            return LastChampion(name, study.log_odds, note)
        fit = families()[family]
        found = cross_validate(study.definition, study.cohort, fit, sites=False)
        return LastChampion(name, found.log_odds, note)
    inside, answers = predict(released, study.definition, study.cohort)
    log_odds = {}
    for tier, values in answers.items():
        log_odds[tier] = np.full(len(study.cohort), np.nan)
        log_odds[tier][inside] = values
    return LastChampion(name, log_odds, "as released")
