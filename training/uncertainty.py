"""
How sure an estimate is, measured: how far observed shares were from estimates in places unseen.

People whom a model had not seen (another site, another survey cycle) are put in groups of
`PEOPLE` with about the same estimate. An estimate's interval is made so that it would have held the
observed share of 95 in 100 of these groups: a split conformal interval whose unit is the group. The
guarantee is the usual one: a new group that is exchangeable with these is inside with at least that
probability, whatever the model. It is a statement about groups of similar people, never about one.

Why not Venn-Abers: with tens of thousands of calibration rows its width is a fraction of a
percentage point, and it says nothing of another place, where most of the error is.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from cdss.validity import Population, interval_bounds, interval_spread, normal_scores
from cdss.variables import VARIABLES
from training.definition import Cohort, Definition
from training.figures import FOLLOWED
from training.fit import part_folds
from training.follow import follow_up, followed, known_at

LEVEL = 0.95
PEOPLE = 200
"""People in a group: enough for a share, few enough that a small survey still has many groups."""

BETWEEN = 0.2
"""
Standard deviation of a part's own level, log-odds, that widens intervals where risks are higher.
Chosen beforehand: `scale` makes up for it if it is wrong, so that the guarantee does not need it.
"""


class Groups(NamedTuple):
    """
    Groups of people with about the same estimate, each of one part of the data.

    Attributes
    ----------
    part : ndarray of str, shape (g,)
        Site or survey cycle.
    predicted, observed : ndarray, shape (g,)
        Mean probability, and share with the outcome (censoring weights applied), 0-1.
    """

    part: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray


def parts_of(cohort: Cohort) -> np.ndarray:
    """
    Name the part of the data each person belongs to.

    Parameters
    ----------
    cohort : Cohort
        The people.

    Returns
    -------
    ndarray of str, shape (n,)
        Site or survey cycle; without either, everybody is of one part.
    """
    name = np.full(len(cohort), "everybody", dtype=object)
    for label, rows in part_folds(cohort).items():
        name[rows] = label
    return name.astype(str)


def known_within(
    definition: Definition, cohort: Cohort, part: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """
    Censoring weights of each part by its own follow-up, which may have ended at another time.

    Parameters
    ----------
    definition : Definition
        How people of its cohort are followed.
    cohort : Cohort
        The people.
    part : ndarray of str, shape (n,)
        Which part.

    Returns
    -------
    weight : ndarray, shape (n,)
        Inverse probability of status being known at the horizon, within the part.
    followed : ndarray of bool, shape (n,)
        False in parts hardly anybody of which was followed to the horizon: what happened to them is
        not known.
    """
    weight, enough = cohort.weight.copy(), np.ones(len(cohort), dtype=bool)
    follow = follow_up(definition, cohort)
    if follow is None or cohort.part is None:
        return weight, enough
    for name in np.unique(part):
        rows = part == name
        mine = follow.take(rows)
        if followed(mine) > FOLLOWED:
            weight[rows] = known_at(mine)
        else:
            enough[rows] = False
    return weight, enough


def similar(
    y: np.ndarray,
    weight: np.ndarray,
    log_odds: np.ndarray,
    part: np.ndarray,
    people: int = PEOPLE,
) -> Groups:
    """
    Put people of the same part with neighbouring estimates together.

    Parameters
    ----------
    y, weight, log_odds : ndarray, shape (n,)
        Outcome 0/1, censoring weights, estimates by a model that had not seen the person's part.
    part : ndarray of str, shape (n,)
        Which part.
    people : int
        Fewest people in a group; a part with fewer makes none.

    Returns
    -------
    Groups
        From low to high estimates within each part.
    """
    found = []
    probability = 1 / (1 + np.exp(-log_odds))
    for name in np.unique(part):
        mine = np.flatnonzero(part == name)
        mine = mine[np.argsort(log_odds[mine], kind="stable")]
        if len(mine) < people:
            continue
        for rows in np.array_split(mine, len(mine) // people):
            share = min(1.0, float((weight[rows] * y[rows]).sum() / len(rows)))
            found.append((name, float(probability[rows].mean()), share))
    names, predicted, observed = zip(*found, strict=True) if found else ((), (), ())
    return Groups(np.array(names, dtype=str), np.array(predicted), np.array(observed))


def scale_of(groups: Groups, level: float = LEVEL) -> float:
    """
    Find how many standard deviations an interval needs to hold the observed share of enough groups.

    Parameters
    ----------
    groups : Groups
        At least 19 for a level of 0.95.
    level : float
        Share of groups to be inside, 0-1.

    Returns
    -------
    float
        The conformal quantile: ``scale`` of `cdss.validity.interval_bounds`.

    Raises
    ------
    ValueError
        If there are too few groups for the level.
    """
    needed = math.ceil(level / (1 - level) - 1e-9)
    if len(groups.predicted) < needed:
        raise ValueError(f"{len(groups.predicted)} groups; a level of {level:g} needs {needed}")
    apart = np.abs(np.arcsin(np.sqrt(groups.observed)) - np.arcsin(np.sqrt(groups.predicted)))
    scores = np.sort(apart / interval_spread(groups.predicted, PEOPLE, BETWEEN))
    return float(scores[min(math.ceil((len(scores) + 1) * level - 1e-9), len(scores)) - 1])


def interval_evidence(
    definition: Definition, cohort: Cohort, left: dict[str, np.ndarray]
) -> dict[str, Any]:
    """
    Make the intervals of a model, and measure on each part whether those of the others hold.

    Parameters
    ----------
    definition : Definition
        The model.
    cohort : Cohort
        The people.
    left : dict of str to ndarray, shape (n,)
        By tier, log-odds by models that had not seen the person's part (`training.fit.left_out`, or
        cross-validation where there are no parts).

    Returns
    -------
    dict
        ``level``, ``people``, ``between``, ``parts`` (what was left out), ``scale`` and number of
        ``groups`` by tier, and ``coverage``: share of groups inside an interval made without their
        part, ``overall``, by ``tier``, and by third of the estimate (``low``, ``middle``,
        ``high``), each with a 95 % CI (Wilson).
    """
    part = parts_of(cohort)
    weight, enough = known_within(definition, cohort, part)
    scale, counts, inside, third = {}, {}, {}, {}
    for tier in definition.tiers:
        groups = similar(cohort.y[enough], weight[enough], left[tier][enough], part[enough])
        scale[tier], counts[tier] = scale_of(groups), len(groups.predicted)
        inside[tier] = held(groups)
        third[tier] = np.digitize(groups.predicted, np.quantile(groups.predicted, [1 / 3, 2 / 3]))
    everywhere, thirds = np.concatenate([*inside.values()]), np.concatenate([*third.values()])
    kind = "people" if cohort.part is None else "survey cycle" if cohort.site is None else "site"
    return {
        "level": LEVEL,
        "people": PEOPLE,
        "parts": kind,
        "between": BETWEEN,
        "scale": scale,
        "groups": counts,
        "coverage": {
            "overall": _share(everywhere),
            "tier": {tier: _share(found) for tier, found in inside.items()},
            "third": {
                name: _share(everywhere[thirds == at])
                for at, name in enumerate(("low", "middle", "high"))
            },
        },
    }


def held(groups: Groups) -> np.ndarray:
    """
    Whether each group's observed share lies in the interval made from the other parts' groups.

    Where there is one part only, each group is left out in turn.

    Parameters
    ----------
    groups : Groups
        Groups.

    Returns
    -------
    ndarray of bool, shape (g,)
        One for each group.
    """
    found = np.zeros(len(groups.predicted), dtype=bool)
    several = len(np.unique(groups.part)) > 1
    for mine in (
        [groups.part == name for name in np.unique(groups.part)]
        if several
        else np.eye(len(found), dtype=bool)
    ):
        scale = scale_of(Groups(*(values[~mine] for values in groups)))
        low, high = interval_bounds(groups.predicted[mine], scale, PEOPLE, BETWEEN)
        # Both are within rounding of the same share where nobody has the outcome.
        observed = groups.observed[mine]
        found[mine] = (observed >= low - 1e-12) & (observed <= high + 1e-12)
    return found


def _share(inside: np.ndarray) -> dict[str, Any]:
    low, high = proportion_confint(inside.sum(), len(inside), method="wilson")
    return {"share": float(inside.mean()), "95ci": [float(low), float(high)], "n": len(inside)}


def population_facts(cohort: Cohort) -> dict[str, Any]:
    """
    Describe the people a model was made from, so that it can tell whom it has hardly seen.

    Parameters
    ----------
    cohort : Cohort
        Those people.

    Returns
    -------
    dict
        ``names`` of the quantities, ``quantiles`` of each (21, from 0.5 to 99.5 %),
        ``correlation`` of their normal scores, ``threshold``: what 99 % of those people stay below
        in `cdss.validity.Population.rarity`.
    """
    known = cohort.x[cohort.weight > 0]
    names = [name for name in known if VARIABLES[name].kind == "quantity"]
    quantiles = {
        name: np.quantile(known[name].dropna(), np.linspace(0.005, 0.995, 21)).tolist()
        for name in names
    }
    scores = np.column_stack(
        [normal_scores(known[name].to_numpy(np.float64), quantiles[name]) for name in names]
    )
    correlation = pd.DataFrame(scores).corr(min_periods=50).fillna(0.0).to_numpy()
    # Of pairs that were measured in different people: the nearest matrix that is a correlation.
    values, vectors = np.linalg.eigh(correlation)
    fixed = vectors @ np.diag(np.maximum(values, 0.05)) @ vectors.T
    deviation = np.sqrt(np.diag(fixed))
    facts = {
        "names": names,
        "quantiles": quantiles,
        "correlation": (fixed / np.outer(deviation, deviation)).round(6).tolist(),
        "threshold": math.inf,
    }
    some = known[names].sample(min(20_000, len(known)), random_state=5).to_numpy(np.float64)
    rarity = Population.read(facts).rarity(some)
    return facts | {"threshold": float(np.nanquantile(rarity, 0.99))}
