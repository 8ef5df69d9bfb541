"""Put the evidence on a model together: what report, card and gate are made from."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cdss.bundle import SHIPPED
from training.characteristics import characteristics
from training.data import DATASETS, Table, load_table
from training.definition import Cohort
from training.figures import FOLLOWED, NOT_FOLLOWED, People, figures
from training.fit import part_folds
from training.follow import FollowUp, follow_up, known_at
from training.headtohead import in_every_tier
from training.pooling import pool
from training.resample import QUICK, REPLICATES, bootstrap
from training.sample_size import enough
from training.study import Study, Tick, of_equation, of_trained, summary
from training.subgroups import MULTIPLICITY, dimensions, subgroups
from training.survey import Design, design, rao_wu
from training.survival import survival_figures

THRESHOLDS = tomllib.loads((Path(__file__).parent / "thresholds.toml").read_text(encoding="utf-8"))
COMPARED_TIERS = ("required_only", "no_laboratory", "all")
QUICK_TIERS = ("all",)
RARELY = 0.01
"""Share of people censored before the horizon below which groups need no curve of their own."""


@dataclass(frozen=True)
class Evidence:
    """Evidence, and the predictions its pictures are made from."""

    report: dict[str, Any]
    study: Study


def validate(
    model: str,
    *,
    outcome_of: str | None = None,
    data: Table | None = None,
    bundles: str | os.PathLike[str] = SHIPPED,
    quick: bool = False,
    tick: Tick = lambda step: None,
) -> Evidence:
    """
    Validate a trained model or a published equation.

    Parameters
    ----------
    model : str
        Id of a trained model, or of an equation if `outcome_of` is given.
    outcome_of : str, optional
        Trained model whose eligibility and outcome an equation is judged by.
    data : Table, optional
        By default the development data of the (other) model.
    bundles : path, optional
        Folder with the trained model's bundle.
    quick : bool
        Fewer resamples, no refits without a site or cycle, one tier compared.
    tick : callable, optional
        Called with a word after each step.

    Returns
    -------
    Evidence
        What ``model_cards/<id>/evidence.json`` holds.

    Raises
    ------
    LookupError
        If there is no such model.
    ValueError
        If an equation gives no risk here.
    """
    if outcome_of is None:
        study = of_trained(model, data, bundles=bundles, left=not quick, tick=tick)
    else:
        study = of_equation(model, outcome_of, data)
    cohort, thresholds = study.cohort, THRESHOLDS[study.definition.outcome]
    replicates = QUICK if quick else REPLICATES
    people = sampled(cohort, replicates, follow_up(study.definition, cohort))
    tick("resamples drawn")
    report = summary(study) | {
        "intervals": people.resamples.method,
        "characteristics": characteristics(study.definition, cohort),
        "tiers": {t: figures(people, v, thresholds) for t, v in study.log_odds.items()},
        "thresholds": thresholds,
    }
    tick("figures by tier")
    report |= population(study, replicates)
    report |= _survival(study, people, quick)
    report |= parts(study, people)
    tick("survey, follow-up, sites and cycles")
    report["external"] = [] if data else _external(study, bundles, replicates)
    tiers = QUICK_TIERS if quick else COMPARED_TIERS
    report["head_to_head"] = in_every_tier(study, people, thresholds, tiers, tick)
    groups = dimensions(study.definition, cohort)
    found = subgroups(people, study.log_odds["all"], groups, thresholds)
    report["subgroups"], report["subgroup_differences"] = found
    report["multiplicity"] = MULTIPLICITY
    tick("subgroups")
    report["interval"] = _interval(study)
    report["sample_size"] = enough(study, report["tiers"]["all"])
    return Evidence(report, study)


def sampled(cohort: Cohort, replicates: int, follow: FollowUp | None = None) -> People:
    """
    The people of a cohort as a sample, every one counting the same.

    Parameters
    ----------
    cohort : Cohort
        The people.
    replicates : int
        Of the bootstrap of persons.
    follow : FollowUp, optional
        Follow-up; kept where it often ends early.

    Returns
    -------
    People
        Ready for figures.
    """
    resamples = bootstrap(cohort.person, replicates)
    often = follow if follow is not None and follow.censored > RARELY else None
    return People(cohort.y, cohort.weight, np.ones(len(cohort)), resamples, often)


def weighted(study: Study, plan: Design, replicates: int) -> People:
    """
    The people of a survey as the population they stand for.

    Parameters
    ----------
    study : Study
        The people, and their follow-up if there is one.
    plan : Design
        The survey's design.
    replicates : int
        Of the design-based bootstrap.

    Returns
    -------
    People
        The curve of censoring is estimated with survey weights too.
    """
    follow = follow_up(study.definition, study.cohort)
    known = study.cohort.weight if follow is None else known_at(follow, plan.weight)
    return People(study.cohort.y, known, plan.weight, rao_wu(plan, replicates), follow)


def population(study: Study, replicates: int) -> dict[str, Any]:
    """
    Figures of the population a survey stands for.

    Parameters
    ----------
    study : Study
        The people, with their survey's design.
    replicates : int
        Of the design-based bootstrap.

    Returns
    -------
    dict
        ``weighted`` (by tier), ``weighted_subgroups``, ``weighted_subgroup_differences`` and
        ``weighted_intervals``; ``weighted`` is None without a design.
    """
    plan = design(study.cohort.people)
    if plan is None:
        return {"weighted": None}
    people, thresholds = weighted(study, plan, replicates), THRESHOLDS[study.definition.outcome]
    groups = dimensions(study.definition, study.cohort)
    within, apart = subgroups(people, study.log_odds["all"], groups, thresholds)
    return {
        "weighted": {t: figures(people, v, thresholds) for t, v in study.log_odds.items()},
        "weighted_subgroups": within,
        "weighted_subgroup_differences": apart,
        "weighted_intervals": people.resamples.method,
    }


def _survival(study: Study, people: People, quick: bool) -> dict[str, Any]:
    follow = follow_up(study.definition, study.cohort)
    if follow is None:
        return {"survival": None}
    resampled = 10 if quick else 40
    found = survival_figures(follow, people, study.log_odds["all"], resampled=resampled)
    return {"survival": found}


def parts(study: Study, people: People) -> dict[str, Any]:
    """
    Each site or survey cycle, predicted by models that never saw it.

    Parameters
    ----------
    study : Study
        With predictions by left-out models.
    people : People
        The same people.

    Returns
    -------
    dict
        ``sites`` and ``cycles``, one of which is None: ``each`` with figures (None where people
        were not followed to the horizon), ``pooled``: what may be expected of a new one.
    """
    if study.left is None:
        return {"sites": None, "cycles": None}
    thresholds = THRESHOLDS[study.definition.outcome]
    each = {}
    for name, rows in part_folds(study.cohort).items():
        part = people.within(rows)
        if part.followed > FOLLOWED:
            each[name] = figures(part, study.left["all"][rows], thresholds, curve=False)
        else:
            each[name] = {"n": len(part), "events": int(part.y.sum()), "auroc": None, "o_e": None,
                          "reason": NOT_FOLLOWED}  # fmt: skip
    found = {"each": each, "pooled": pool(each)}
    cycles = study.cohort.site is None
    return {"sites": None if cycles else found, "cycles": found if cycles else None}


def _external(
    study: Study, bundles: str | os.PathLike[str], replicates: int
) -> list[dict[str, Any]]:
    """The same model on every other data set, or why that is not possible."""
    rows = []
    for name in sorted(p.stem for p in DATASETS.glob("*.toml")):
        if name == study.data.name:
            continue
        try:
            data = load_table(name)
            if study.family:
                other = of_trained(study.model, data, bundles=bundles, left=False)
            else:
                other = of_equation(study.model, study.definition.id, data)
        except FileNotFoundError:
            why = "the data are not on this machine"
        except ValueError as error:
            why = str(error).partition(": name its column")[0]
        else:
            people = sampled(other.cohort, replicates)
            thresholds = THRESHOLDS[study.definition.outcome]
            found = figures(people, other.log_odds["all"], thresholds)
            limits = [str(d) for d in data.facts.get("known_defects", ())]
            rows.append(
                {"dataset": name, "title": data.facts["title"], "figures": found, "why_not": None,
                 "limits": limits, "validation": other.validation}
            )  # fmt: skip
            continue
        rows.append({"dataset": name, "figures": None, "why_not": why})
    return rows


def _interval(study: Study) -> dict[str, Any] | None:
    if study.validation != "cross-validated":
        return None
    from training.uncertainty import interval_evidence

    left = study.left or (study.log_odds if study.cohort.part is None else None)
    return None if left is None else interval_evidence(study.definition, study.cohort, left)
