"""
Drawing people, a block at a time: pure functions of seed, block and year.

A block is the same whoever draws it, in which process and beside which others. A person has normal
scores that stay and, at each visit, new ones around them; age, sex and place turn them into values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdss.synthetic.margins import AGES, SCORES, YOUNGEST, look_up
from cdss.synthetic.model import Model
from cdss.synthetic.places import Places

Array = NDArray[Any]

_TICKETS = 1 << 16
_PERSON, _VISIT = 0, 1
_EPOCH = date(1970, 1, 1)
_ONE_THREAD = 400  # columns of a product that no library splits over threads: the same bits always
_EXCESS = np.float32(5.5)  # fasting glucose above which treatment takes away


@dataclass(frozen=True)
class Persons:
    """
    People of a block, whenever they come.

    Attributes
    ----------
    first : int
        Number of the first.
    sex : ndarray of int, shape (n,)
        0 male, 1 female.
    born : ndarray of float64, shape (n,)
        Year and fraction.
    commune : ndarray of int, shape (n,)
        Where they live.
    urban, minority : ndarray of bool, shape (n,)
        Where and who they are.
    care : ndarray of int, shape (n,)
        Level of care they come to.
    scores : ndarray of float32, shape (k, n)
        What stays of them.
    day : ndarray of int, shape (n,)
        About when in a year they come.
    eager : ndarray of float32, shape (n,)
        Uniform: who comes every year, and who does not.
    """

    first: int
    sex: Array
    born: Array
    commune: Array
    urban: Array
    minority: Array
    care: Array
    scores: Array
    day: Array
    eager: Array

    def __len__(self) -> int:
        return len(self.sex)


def stream(*key: int) -> np.random.Generator:
    """
    Random numbers of their own for a key.

    Parameters
    ----------
    *key : int
        Seed, and what it is for.

    Returns
    -------
    numpy.random.Generator
        The same for the same key.
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))


def draw_persons(model: Model, places: Places, seed: int, block: int, first: int, many: int,
                 year: int) -> Persons:  # fmt: skip
    """
    Draw people.

    Parameters
    ----------
    model : Model
        Of the country.
    places : Places
        Where they live.
    seed, block : int
        Which people.
    first, many : int
        Number of the first, and how many.
    year : int
        In whose middle their ages are those of the published population.

    Returns
    -------
    Persons
        As they are.
    """
    rng = stream(seed, _PERSON, block)
    tickets = rng.integers(0, _TICKETS, (2, many), np.uint16)
    chances = rng.random((5, many), np.float32)
    kind = model.people.take(tickets[0])
    sex, age = np.divmod(kind, len(AGES))
    commune = places.tickets.take(tickets[1])
    urban = places.urban.take(commune)
    care = _care(model, urban, chances[1])
    last = model.decisions["months"]["last_day"]
    fresh = rng.standard_normal((len(model.names), many), np.float32)
    return Persons(
        first=first,
        sex=sex,
        born=year + 0.5 - (age + YOUNGEST + chances[0].astype(np.float64)),
        commune=commune,
        urban=urban,
        minority=chances[2] < places.minorities.take(commune),
        care=care,
        scores=_together(model, kind, fresh),
        day=(chances[3] * last).astype(np.int32),
        eager=chances[4],
    )


def _care(model: Model, urban: Array, chance: Array) -> Array:
    said = model.decisions["care"]
    first, second = (
        np.where(urban, *(np.float32(sum(said[kind][: k + 1])) for kind in ("urban", "rural")))
        for k in range(2)
    )
    return np.asarray((chance >= first).astype(np.int8) + (chance >= second))


def _together(model: Model, kind: Array, fresh: Array) -> Array:
    """Independent normal scores to correlated ones, each group with its own matrix."""
    group = model.groups.take(kind).astype(np.int8)
    order = np.argsort(group, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=len(model.roots)))])
    sorted_ = np.empty_like(fresh)
    for root, (first, last) in zip(model.roots, pairwise(ends.tolist()), strict=True):
        for start in range(first, last, _ONE_THREAD):
            part = slice(start, min(start + _ONE_THREAD, last))
            np.matmul(root, fresh[:, part], out=sorted_[:, part])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return sorted_.take(back, axis=1)


def draw_visits(
    model: Model, places: Places, persons: Persons, seed: int, block: int, year: int, drift: Array
) -> dict[str, Array]:
    """
    Draw what is found when they come in a year, nothing left out.

    Parameters
    ----------
    model : Model
        Of the country.
    places : Places
        Where they live.
    persons : Persons
        Who.
    seed, block, year : int
        Which visit.
    drift : ndarray of float32, shape (k, 2)
        What normal scores are above those of the year of the figures, by sex.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Variables as models see them, and ``day``, since 1970.
    """
    rng = stream(seed, _VISIT, block, year)
    many = len(persons)
    start = (date(year, 1, 1) - _EPOCH).days
    near = model.decisions["months"]["near"]
    days = np.clip(
        persons.day + rng.integers(-near, near + 1, many, np.int32), 0,
        model.decisions["months"]["last_day"],
    )  # fmt: skip
    age = np.clip(np.floor(year + days / 365.25 - persons.born), YOUNGEST, AGES[-1])
    kind = (persons.sex * len(AGES) + (age.astype(np.int32) - YOUNGEST)).astype(np.int32)
    scores = _together(model, kind, rng.standard_normal(persons.scores.shape, np.float32))
    scores *= model.around[:, None]
    scores += model.within[:, None] * persons.scores
    _placed(model, places, persons, scores)
    scores += drift.take(persons.sex, axis=1) if drift.any() else np.float32(0)
    return {
        "age": age.astype(np.float32),
        "sex": persons.sex.astype(np.float32),
        "urban": persons.urban,
        "day": days + start,
        **_values(model, kind, scores),
    }


def _placed(model: Model, places: Places, persons: Persons, scores: Array) -> None:
    """Differences between places, so that the country as a whole stays as it is."""
    spread = model.decisions["spread"]
    contrast = model.fitted["urban"]
    share = np.float32(places.urban.take(places.tickets).mean())
    for group, names in spread["of"].items():
        effect = places.effects[group].take(persons.commune)
        wide = spread["province"][group] ** 2 + spread["commune"][group] ** 2
        if group == "blood_pressure":
            effect += np.where(persons.urban, 1 - share, -share) * np.float32(contrast)
            wide += contrast**2 * share * (1 - share)
        for name in names:
            line = scores[model.names.index(name)]
            line *= np.float32(np.sqrt(1 - wide))
            line += effect


def _values(model: Model, kind: Array, scores: Array) -> dict[str, Array]:
    score = dict(zip(model.names, scores, strict=True))
    row = kind * np.int32(len(SCORES))

    def _yes(name: str, liability: str) -> Array:
        return np.asarray(score[liability] > model.thresholds[name].take(kind))

    found = {name: look_up(table, row, score[name]) for name, table in model.tables.items()}
    age = (kind % len(AGES) + YOUNGEST).astype(np.float32)
    known = {
        "hypertension": _yes("hypertension", "hypertension"),
        "bp_treated": _yes("bp_treated", "hypertension"),
        "diabetes": _yes("diabetes", "diabetes"),
        "on_metformin": _yes("diabetes_treated", "diabetes"),
        "prior_cvd": _yes("prior_cvd", "prior_cvd"),
        "on_statin": _yes("on_statin", "on_statin"),
        "family_history_diabetes": _yes("family_history_diabetes", "family_history_diabetes"),
        "drinks_alcohol": _yes("drinks_alcohol", "drinks_alcohol"),
    }
    bmi = found.pop("bmi")
    found["weight"] = bmi * np.square(found["height"] / np.float32(100))
    found["waist"] = _waist(model, kind, bmi, found["height"], age, score["waist"])
    lowered = np.float32(1 - model.fitted["treatment"])
    for name in ("systolic_bp", "diastolic_bp"):
        found[name] = np.where(known["bp_treated"], found[name] * lowered, found[name])
    found["diastolic_bp"] = np.minimum(found["diastolic_bp"], found["systolic_bp"] - 12)
    glucose = found["fasting_glucose"]
    left = np.float32(model.decisions["treatment"]["glucose_excess_left"])
    found["fasting_glucose"] = glucose = np.where(
        known["on_metformin"] & (glucose > _EXCESS), _EXCESS + left * (glucose - _EXCESS), glucose
    )
    found["hba1c"] = _hba1c(model, glucose, age, score["hba1c"])
    found["hdl_cholesterol"] = np.minimum(
        found["hdl_cholesterol"], found["total_cholesterol"] * np.float32(0.7)
    )
    found["ldl_cholesterol"] = _friedewald(found)
    smoking = _yes("ever_smoker", "current_smoker").astype(np.float32)
    smoking += _yes("current_smoker", "current_smoker")
    return {**found, **known, "smoking": smoking}


def _waist(model: Model, kind: Array, bmi: Array, height: Array, age: Array, score: Array) -> Array:
    weights = np.array([model.regressions["waist"][sex]["weights"] for sex in ("male", "female")],
                       np.float32)  # fmt: skip
    spread = np.array([model.regressions["waist"][sex]["spread"] for sex in ("male", "female")],
                      np.float32)  # fmt: skip
    sex = kind // len(AGES)
    at0, build, tall, old = (column.take(sex) for column in weights.T)
    logs = at0 + build * np.log(bmi) + tall * np.log(height) + old * age
    return np.asarray(np.clip(np.exp(logs + spread.take(sex) * score), 45, 190))


def _hba1c(model: Model, glucose: Array, age: Array, score: Array) -> Array:
    said = model.regressions["hba1c"]
    at0, slope, bend, old = np.array(said["weights"], np.float32)
    mean = at0 + slope * glucose + bend * np.maximum(glucose - 7, 0) + old * age
    spread = np.array(said["spreads"], np.float32).take(
        (glucose >= 6).astype(np.int8) + (glucose >= 7)
    )
    return np.asarray(np.clip(mean + spread * score, 3.5, 18))


def _friedewald(found: dict[str, Array]) -> Array:
    """LDL as laboratories compute it; unknown at high triglycerides."""
    ldl = found["total_cholesterol"] - found["hdl_cholesterol"] - found["triglycerides"] / 2.2
    told = (found["triglycerides"] < 4.5) & (ldl > 0.3)
    return np.asarray(np.where(told, ldl, np.float32(np.nan)))
