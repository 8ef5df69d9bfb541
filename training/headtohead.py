"""
A model beside its contenders: the same people, paired.

A model of another outcome, and a points score, is compared by ranking and net benefit only: its
calibration would say nothing. Contenders that do not apply to most people are compared with the
model one by one, on the people to whom both apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from training.contenders import Contender, encoded, of_log_odds, published
from training.data import load_table
from training.decision import at_threshold, decision_curve, net_benefit
from training.definition import Cohort
from training.figures import CURVE_POINTS, People, figures
from training.fit import folds
from training.lastchampion import last_champion
from training.learners import LEARNERS, Splits, learned
from training.metrics import auroc
from training.resample import SCALES
from training.study import Study, Tick
from training.tally import Tally

EVERYBODY = 0.99
"""Share of the people a contender must answer for, to be in the common comparison."""

MOST = 0.8
"""The same for being drawn: pictures are of the people to whom all of these apply."""

FEW_EVENTS = 10


def head_to_head(
    people: People,
    model: Contender,
    others: Sequence[Contender],
    thresholds: Mapping[str, Any],
) -> dict[str, Any]:
    """
    Compare a model with what stands beside it.

    Parameters
    ----------
    people : People
        Whose outcomes.
    model : Contender
        The model itself, same rows.
    others : sequence of Contender
        The others, same rows, NaN where they do not apply.
    thresholds : mapping
        ``range`` and ``marked``.

    Returns
    -------
    dict
        ``people`` (to whom the model and every common contender applies) ``of`` (everybody),
        ``contenders`` with figures of each, ``differences`` (model less contender) with 95 % CIs,
        ``pairwise`` for contenders that answer for fewer: both models' figures and differences on
        the people to whom both apply; ``left_out`` with reasons; ``curves``: decision curves of all
        that answer for most, on the people to whom all of these apply.
    """
    answers = {c.name: np.isfinite(c.score) for c in (model, *others)}
    common = [c for c in others if answers[c.name].mean() >= EVERYBODY]
    keep = np.logical_and.reduce([answers[c.name] for c in (model, *common)])
    found = _compared(people, [model, *common], keep, thresholds)
    pairwise, left_out = {}, {}
    for other in others:
        if other in common:
            continue
        both = answers[model.name] & answers[other.name]
        events = int(people.y[both].sum())
        if min(events, int(both.sum()) - events) < FEW_EVENTS:
            left_out[other.name] = f"answers for {int(both.sum())} people with {events} events"
        else:
            pairwise[other.name] = _compared(people, [model, other], both, thresholds)
    return {
        "people": int(keep.sum()),
        "of": len(people),
        **found,
        "pairwise": pairwise,
        "left_out": left_out,
        "curves": _curves(people, [model, *others], answers, thresholds),
    }


def in_every_tier(
    study: Study,
    people: People,
    thresholds: Mapping[str, Any],
    tiers: Sequence[str],
    tick: Tick = lambda step: None,
) -> dict[str, Any]:
    """
    Compare a study's predictions with every contender, tier by tier.

    Parameters
    ----------
    study : Study
        The model, its people and predictions.
    people : People
        The same people, for figures.
    thresholds : mapping
        ``range`` and ``marked``.
    tiers : sequence of str
        Which tiers; what is hidden in one is hidden from everybody.
    tick : callable, optional
        Called with a word after each contender that learns.

    Returns
    -------
    dict
        Tier → what `head_to_head` gives. Learners are cross-validated in the same folds, or on
        another table learn from the development data.
    """
    source, released = _source(study), last_champion(study)
    found = {}
    for tier in tiers:
        if tier not in study.log_odds:
            continue
        panels = study.definition.tiers[tier]
        hidden = [n for panel in panels for n in study.definition.panels[panel]]
        cohort = replace(study.cohort, x=study.definition.hide(study.cohort.x, panels))
        table = encoded(study.cohort.people)
        for name in _also_hidden(hidden):
            table.pop(name, None)
        others, left_out = published(study.definition.outcome, table)
        others = [c for c in others if c.name != study.model]
        if isinstance(source, str):
            left_out |= dict.fromkeys(LEARNERS, source)
        else:
            seen = source
            if isinstance(seen, Cohort):
                seen = replace(seen, x=study.definition.hide(seen.x, panels))
            others = learned(cohort, seen, lambda name, tier=tier: tick(f"{tier}: {name}")) + others
        if released is not None:
            others = [of_log_odds(released.name, released.log_odds[tier], released.note), *others]
        model = of_log_odds(study.model, study.log_odds[tier])
        if not study.same_outcome:
            model = replace(model, same_outcome=False)
        compared = head_to_head(people, model, others, thresholds)
        compared["left_out"] |= left_out
        found[tier] = compared
    return found


def _also_hidden(hidden: list[str]) -> list[str]:
    """What would tell a hidden value in another way."""
    twins = {"smoking": ["current_smoker"], "bp_treated": ["hypertension"],
             "family_history_diabetes": _FAMILY,
             "hba1c": ["fasting_glucose"], "bmi": ["weight"], "egfr": ["creatinine"],
             "total_cholesterol": ["ldl_cholesterol"]}  # fmt: skip
    return hidden + [name for h in hidden for name in twins.get(h, ())]


_FAMILY = ["first_degree_diabetes", "relatives_with_diabetes", "parents_with_diabetes"]


def _source(study: Study) -> Cohort | Splits | str:
    """What learners learn from: folds of these people, others, or why they cannot."""
    if study.validation == "cross-validated":
        return folds(study.cohort)
    try:
        table = load_table(study.definition.dataset)
    except FileNotFoundError:
        return "the development data, which it would learn from, are not on this machine"
    if table.digest == study.data.digest:
        return folds(study.cohort)
    cohort = study.definition.cohort(table)
    return replace(cohort, x=cohort.x[list(study.definition.predictors)])


def _curves(
    people: People,
    every: Sequence[Contender],
    answers: Mapping[str, np.ndarray],
    thresholds: Mapping[str, Any],
) -> dict[str, Any]:
    drawn = [c for c in every if answers[c.name].mean() >= MOST]
    keep = np.logical_and.reduce([answers[c.name] for c in drawn])
    y, weight = people.y[keep], people.weight[keep]
    points = np.linspace(*thresholds["range"], CURVE_POINTS).tolist()
    return {
        "people": int(keep.sum()),
        "contenders": {
            c.name: {"decision_curve": decision_curve(y, c.probability[keep], weight, points)}
            for c in drawn
        },
    }


def _compared(
    people: People, every: Sequence[Contender], keep: np.ndarray, thresholds: Mapping[str, Any]
) -> dict[str, Any]:
    people = people.take(keep)
    every = [c.take(keep) for c in every]
    marked = thresholds["marked"]
    counted, scored, useful = {}, {}, {}
    for c in every:
        # Points are counted by rank; whom they flag is counted apart.
        counted[c.name] = people.tally(c.score if c.same_outcome else _ranks(c.score), marked)
        scored[c.name] = _figures(people, c, thresholds, counted[c.name])
        useful[c.name] = _net_benefits(people, c, counted[c.name], marked)
    first, *others = every
    differences = {
        other.name: _differences(people, first, other, counted, scored, useful, marked)
        for other in others
    }
    return {"people": len(people), "contenders": scored, "differences": differences}


def _figures(
    people: People, contender: Contender, thresholds: Mapping[str, Any], counted: Tally
) -> dict[str, Any]:
    about = {"same_outcome": contender.same_outcome, "note": contender.note}
    if contender.same_outcome:
        return figures(people, contender.score, thresholds, counted=counted) | about
    ranked = auroc(people.y, contender.score, people.weight)
    args = (people.y, contender.probability, people.weight)
    low, high = thresholds["range"]
    return {
        "n": len(people),
        "events": int(people.y.sum()),
        "auroc": ranked,
        "auroc_95ci": people.resamples.interval(ranked, counted.auroc(), SCALES["auroc"]),
        "at": [at_threshold(*args, t) for t in thresholds["marked"]],
        "decision_curve": decision_curve(*args, np.linspace(low, high, CURVE_POINTS).tolist()),
    } | about


def _net_benefits(
    people: People, contender: Contender, counted: Tally, marked: Sequence[float]
) -> dict[float, np.ndarray]:
    if contender.same_outcome:
        return {t: counted.net_benefit(t) for t in marked}
    # A tally of the risk itself: ranks have no thresholds.
    clipped = np.clip(contender.probability, 1e-9, 1 - 1e-9)
    risks = people.tally(np.log(clipped / (1 - clipped)), marked)
    return {t: risks.net_benefit(t) for t in marked}


def _differences(
    people: People,
    first: Contender,
    other: Contender,
    counted: Mapping[str, Tally],
    scored: Mapping[str, Any],
    useful: Mapping[str, Mapping[float, np.ndarray]],
    marked: Sequence[float],
) -> dict[str, Any]:
    """Model less contender, the same resamples for both."""
    mine, its = counted[first.name], counted[other.name]
    of_mine, of_its = scored[first.name], scored[other.name]
    apart = {"auroc": (of_mine["auroc"] - of_its["auroc"], mine.auroc() - its.auroc())}
    for t in marked:
        both = [net_benefit(people.y, c.probability, people.weight, t) for c in (first, other)]
        replicates = useful[first.name][t] - useful[other.name][t]
        apart[f"net_benefit_{t:g}"] = (both[0] - both[1], replicates)
    if first.same_outcome and other.same_outcome:
        apart["scaled_brier"] = (
            of_mine["scaled_brier"] - of_its["scaled_brier"],
            mine.scaled_brier() - its.scaled_brier(),
        )
        apart["abs_log_o_e"] = (
            abs(np.log(of_mine["o_e"])) - abs(np.log(of_its["o_e"])),
            np.abs(np.log(mine.o_e())) - np.abs(np.log(its.o_e())),
        )
    return {
        name: {
            "difference": float(value),
            "95ci": people.resamples.interval(float(value), replicates),
        }
        for name, (value, replicates) in apart.items()
    }


def _ranks(score: np.ndarray) -> np.ndarray:
    """Positions of the distinct scores, spread so that each is a bin of its own if they are few."""
    levels, of = np.unique(score, return_inverse=True)
    return of / max(len(levels) - 1, 1) * 10 - 5
