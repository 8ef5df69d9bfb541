"""
The same figures in groups of people, their differences, and what small groups cannot say.

A group is never left out: too few events is a finding of its own. How much is said of a group
depends on its events (and on its people without), because the intervals of the rest would be too
wide to mean anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2
from scipy.stats import t as student

from cdss.variables import VARIABLES
from training.definition import Cohort, Definition
from training.figures import AT, FOLLOWED, NOT_FOLLOWED, People, figures
from training.resample import SCALES, Resamples
from training.tally import Tally, bins, tally

RANKED, FULL, CURVE, FEW = 50, 100, 200, 10
"""Events (and non-events) from which AUROC, slope and net benefit, and the curve are given; and
below which nothing is."""

MULTIPLICITY = (
    "Differences between a group and all others are many: q is the Benjamini-Hochberg adjusted "
    "p-value over all groups of all dimensions, separately for each figure. Intervals are not "
    "adjusted."
)
COMPARED = ("auroc", "o_e", "calibration_intercept", "missed", "flagged")
BMI_BANDS = ((18.5, 23, 25, 27.5, 30, 35), "kg/m²")
AGE_BANDS = ((40, 50, 60, 70), "years")
EDUCATION = {
    1: "less than 9th grade", 2: "9th to 11th grade", 3: "high school", 4: "some college",
    5: "college graduate",
}  # fmt: skip


def dimensions(definition: Definition, cohort: Cohort) -> dict[str, pd.Series]:
    """
    Which group of each dimension people belong to.

    Parameters
    ----------
    definition : Definition
        Its panels make the laboratory tiers.
    cohort : Cohort
        The people, with what their table says of them.

    Returns
    -------
    dict of str to pandas.Series, shape (n,)
        Sex, age band, BMI band, ethnicity, education, income to poverty, site, survey cycle and
        laboratory tier, where known at all; "unknown" is a group.
    """
    people = cohort.people
    found: dict[str, pd.Series] = {}
    sex = people["sex"].map(dict(enumerate(VARIABLES["sex"].choices)))
    found["sex"] = sex
    found["age"] = _bands(people["age"], *AGE_BANDS)
    if "bmi" in people:
        found["bmi"] = _bands(people["bmi"], *BMI_BANDS)
    if "ethnicity" in people:
        found["ethnicity"] = people["ethnicity"].astype("str").str.replace("_", " ")
    if "education" in people:
        found["education"] = people["education"].map(EDUCATION)
    if "income_to_poverty" in people:
        found["income_to_poverty"] = _bands(people["income_to_poverty"], (1, 2, 4), "")
    if cohort.site is not None:
        found["site"] = pd.Series(cohort.site, people.index).astype("str")
    if "cycle" in people:
        found["cycle"] = people["cycle"].astype("str")
    found["laboratory"] = laboratory(definition, cohort)
    return {
        name: values.astype("object").where(values.notna(), "unknown")
        for name, values in found.items()
        if values.notna().any()
    }


def laboratory(definition: Definition, cohort: Cohort) -> pd.Series:
    """
    How much of the laboratory is known of each person.

    Parameters
    ----------
    definition : Definition
        Which panels need a laboratory.
    cohort : Cohort
        The people.

    Returns
    -------
    pandas.Series, shape (n,)
        "none", "some" or "all" panels, a panel being known if one of its values is.
    """
    known = [
        cohort.x[list(definition.panels[panel])].notna().any(axis=1)
        for panel in definition.laboratory_panels
    ]
    share = np.mean(known, axis=0) if known else np.zeros(len(cohort))
    names = np.select([share == 0, share == 1], ["no panel", "every panel"], "some panels")
    return pd.Series(names, cohort.x.index)


def subgroups(
    people: People,
    log_odds: np.ndarray,
    groups: Mapping[str, pd.Series],
    thresholds: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Figures of each group, and its differences from everybody else.

    Parameters
    ----------
    people : People
        Everybody.
    log_odds : ndarray, shape (n,)
        Predictions.
    groups : mapping of str to pandas.Series, shape (n,)
        What `dimensions` gives.
    thresholds : mapping
        ``marked``: the first is the working threshold.

    Returns
    -------
    groups : dict of dict of dict
        Dimension → group → ``n``, ``events``, ``status`` ("reported", or "insufficient" below ten
        people with or without the outcome) and the figures its events allow.
    differences : dict of dict of dict
        Dimension → group → figure → ``difference`` (group less all others; for O:E the ratio of
        the two, ``ratio``) with ``95ci``, ``p`` and ``q``.
    """
    every: dict[str, Any] = {}
    apart: dict[str, Any] = {}
    binned = bins(log_odds, thresholds["marked"])
    count = partial(tally, people.y, people.known, people.base, people.resamples, binned)
    everybody = count()
    for dimension, values in groups.items():
        every[dimension], apart[dimension] = {}, {}
        for group in sorted(values.unique(), key=_order):
            rows = (values == group).to_numpy()
            part, rest = people.within(rows), people.within(~rows)
            own = people.follow is not None  # then weights are the part's own, too
            counted = part.tally_in(binned.take(rows)) if own else count(rows)
            mine = _group(part, log_odds[rows], thresholds, counted)
            every[dimension][group] = mine
            told = _fewest(rest) >= FEW and rest.followed > FOLLOWED
            if mine["status"] == "reported" and told:
                thus = thresholds | {"marked": thresholds["marked"][:1]}
                others = rest.tally_in(binned.take(~rows)) if own else everybody.without(counted)
                there = figures(rest, log_odds[~rows], thus, curve=False, counted=others)
                apart[dimension][group] = _apart(people.resamples, mine, there, counted, others)
    _adjust(apart)
    return every, apart


def _group(
    people: People, log_odds: np.ndarray, thresholds: Mapping[str, Any], counted: Tally
) -> dict[str, Any]:
    events, fewest = int(people.y.sum()), _fewest(people)
    about = {"n": len(people), "events": events}
    if people.followed <= FOLLOWED:
        return about | {"status": "insufficient", "reason": NOT_FOLLOWED}
    if fewest < FEW:
        why = f"fewer than {FEW} people with, or without, the outcome"
        return about | {"status": "insufficient", "reason": why}
    found = figures(people, log_odds, thresholds, curve=fewest >= CURVE, counted=counted)
    found.pop("decision_curve", None)
    about |= {"status": "reported", "prevalence": found["prevalence"]}
    ratio = {"o_e": found["o_e"], "o_e_95ci": found["o_e_95ci"]}
    if fewest < RANKED:
        few = "fewer than 50 events: observed over expected only, with an exact interval"
        if (people.base == 1).all():
            ratio["o_e_95ci"] = exact(found["o_e"], events)
        return about | ratio | {"reason": few}
    if fewest < FULL:
        names = ("auroc", "calibration_intercept")
        some = {n: found[n] for name in names for n in (name, f"{name}_95ci")}
        return about | ratio | some | {"reason": "fewer than 100 events: no slope or net benefit"}
    return found | about


def exact(ratio: float, events: int) -> list[float]:
    """
    Exact 95 % interval of observed over expected.

    Parameters
    ----------
    ratio : float
        Observed over expected.
    events : int
        Observed.

    Returns
    -------
    list of float
        Poisson limits of the events over the expected number.
    """
    expected = events / ratio
    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    return [float(low / expected), float(chi2.ppf(0.975, 2 * events + 2) / 2 / expected)]


def _apart(
    resamples: Resamples,
    mine: Mapping[str, Any],
    there: Mapping[str, Any],
    of_mine: Tally,
    of_there: Tally,
) -> dict[str, Any]:
    """Group less everybody else, in the figures the group has; the same resamples for both."""
    working = there["at"][0]["threshold"]
    here = dict(mine) | ({k: mine["at"][0][k] for k in AT} if "at" in mine else {})
    others = dict(there) | {k: there["at"][0][k] for k in AT}
    answer = {}
    for name in COMPARED:
        if here.get(name) is None or others.get(name) is None:
            continue
        replicates = [_replicates(t, name, working) for t in (of_mine, of_there)]
        log = SCALES.get(name) == "log"
        value = np.log(here[name] / others[name]) if log else here[name] - others[name]
        moved = np.log(replicates[0] / replicates[1]) if log else replicates[0] - replicates[1]
        interval = resamples.interval(float(value), moved)
        error = resamples.error(float(value), moved)
        p = 2 * float(student.sf(abs(value) / error, resamples.df)) if error > 0 else None
        back = np.exp if log else float
        answer[name] = {
            "ratio" if log else "difference": float(back(value)),
            "95ci": None if interval is None else [float(back(end)) for end in interval],
            "p": p,
        }
    return answer


def _replicates(counted: Tally, name: str, working: float) -> np.ndarray:
    if name in ("missed", "flagged"):
        return np.asarray(getattr(counted, name)(working))
    method = {"calibration_intercept": "intercept"}.get(name, name)
    return np.asarray(getattr(counted, method)())


def _adjust(apart: Mapping[str, Any]) -> None:
    """Benjamini-Hochberg over all groups, one figure at a time."""
    for name in COMPARED:
        found = [
            g[name] for groups in apart.values() for g in groups.values() if name in g
        ]  # fmt: skip
        tested = sorted((d for d in found if d["p"] is not None), key=lambda d: d["p"])
        least = 1.0
        for place in range(len(tested), 0, -1):
            least = min(least, tested[place - 1]["p"] * len(tested) / place)
            tested[place - 1]["q"] = least


def _fewest(people: People) -> int:
    events = int(people.y.sum())
    return min(events, int((people.known > 0).sum()) - events)


def _bands(values: pd.Series, edges: tuple[float, ...], unit: str) -> pd.Series:
    """Half-open bands, named."""
    cuts = [-np.inf, *edges, np.inf]
    middle = [f"{a:g} to <{b:g}" for a, b in pairwise(edges)]
    names = [f"<{edges[0]:g}", *middle, f"≥{edges[-1]:g}"]
    names = [f"{name} {unit}".strip() for name in names]
    return pd.Series(
        pd.cut(values.astype(float), cuts, right=False, labels=names), values.index
    ).astype("object")


def _order(name: str) -> tuple[int, float, str]:
    """Bands by their number, the lowest first, unknown last."""
    digits = "".join(c if c.isdigit() or c == "." else " " for c in str(name)).split()
    first = float(digits[0]) if digits else 0.0
    return (2 if name == "unknown" else 0 if str(name).startswith("<") else 1, first, str(name))
