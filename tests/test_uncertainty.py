"""Intervals by conformal groups: their guarantee on made data, their coverage on real data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cdss.bundle import SHIPPED
from cdss.validity import Population, interval_bounds
from training.data import load_table
from training.definition import definitions
from training.families import families
from training.fit import cross_validate
from training.uncertainty import (
    BETWEEN,
    LEVEL,
    PEOPLE,
    Groups,
    held,
    interval_evidence,
    parts_of,
    population_facts,
    scale_of,
    similar,
)

EVIDENCE = Path(__file__).parents[1] / "model_cards"


def drawn(rng: np.random.Generator, parts: int, spread: float, off: float) -> Groups:
    """Groups of parts whose level differs, and a model that is off by some log-odds."""
    log_odds = rng.normal(-3, 1.2, (parts, 1200))
    level = off + rng.normal(0, spread, (parts, 1))
    y = (rng.random(log_odds.shape) < 1 / (1 + np.exp(-(log_odds + level)))).astype(int)
    part = np.repeat([str(p) for p in range(parts)], 1200)
    return similar(y.ravel(), np.ones(y.size), log_odds.ravel(), part)


@pytest.mark.parametrize(("spread", "off"), [(0.0, 0.0), (0.3, 0.0), (0.2, 0.5)])
def test_a_new_part_is_covered_however_wrong_the_model(spread: float, off: float) -> None:
    rng = np.random.default_rng(4)
    known = drawn(rng, 150, spread, off)
    new = drawn(rng, 150, spread, off)
    low, high = interval_bounds(new.predicted, scale_of(known), PEOPLE, BETWEEN)
    inside = (new.observed >= low) & (new.observed <= high)

    # 150 parts, whose groups resemble each other: a standard error of about 0.01.
    assert inside.mean() == pytest.approx(LEVEL, abs=0.03)
    assert held(known).mean() == pytest.approx(LEVEL, abs=0.02)


def test_a_calibrated_model_has_intervals_hardly_wider_than_chance() -> None:
    groups = drawn(np.random.default_rng(1), 40, 0.0, 0.0)
    low, high = interval_bounds(groups.predicted, scale_of(groups), PEOPLE, BETWEEN)
    by_chance = 2 * 1.96 * np.sqrt(groups.predicted * (1 - groups.predicted) / PEOPLE)

    assert 0.9 < np.mean((high - low) / by_chance) < 1.4


def test_groups_are_of_one_part_and_of_neighbours() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(size=1050)
    part = np.array(["a"] * 700 + ["b"] * 250 + ["c"] * 100)
    groups = similar(np.zeros(1050, int), np.ones(1050), log_odds, part)

    assert ["a", "a", "a", "b"] == groups.part.tolist()  # c has too few people
    assert (np.diff(groups.predicted[:3]) > 0).all()
    assert groups.predicted[3] == pytest.approx((1 / (1 + np.exp(-log_odds[700:950]))).mean())


def test_too_few_groups_make_no_interval() -> None:
    few = Groups(np.array(["a"] * 18), np.full(18, 0.1), np.full(18, 0.1))

    with pytest.raises(ValueError, match="18 groups; a level of 0\\.95 needs 19"):
        scale_of(few)


def test_intervals_hold_on_real_people(shared: Path) -> None:
    definition = definitions()["cvd-incident"]
    cohort = definition.cohort(load_table("framingham"))
    found = cross_validate(definition, cohort, families()["spline"])
    evidence = interval_evidence(definition, cohort, found.log_odds)

    assert set(parts_of(cohort)) == {"everybody"}
    assert set(definition.tiers) == set(evidence["scale"])
    assert evidence["coverage"]["overall"]["share"] == pytest.approx(LEVEL, abs=0.02)
    for tier in evidence["coverage"]["tier"].values():
        assert tier["share"] == pytest.approx(LEVEL, abs=0.05)


@pytest.mark.parametrize("model", sorted(p.name for p in SHIPPED.iterdir() if p.is_dir()))
def test_what_the_shipped_evidence_says_holds(model: str) -> None:
    """Overall within 2 points of the level, in each tier within 5."""
    file = EVIDENCE / model / "evidence.json"
    if not file.is_file():
        pytest.skip("no evidence on this version yet")
    coverage: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["interval"]["coverage"]

    for found, most in (
        (coverage["overall"], 0.02),
        *((tier, 0.05) for tier in coverage["tier"].values()),
    ):
        assert found["share"] == pytest.approx(LEVEL, abs=most)


def test_one_in_a_hundred_is_rare(shared: Path) -> None:
    cohort = definitions()["cvd-incident"].cohort(load_table("framingham"))
    facts = population_facts(cohort)
    population = Population.read(facts)
    x = cohort.x[facts["names"]].to_numpy(np.float64)
    rarity = population.rarity(x)

    assert (rarity[np.isfinite(rarity)] > facts["threshold"]).mean() == pytest.approx(
        0.01, abs=0.002
    )
    odd = dict.fromkeys(facts["names"], np.nan) | {"systolic_bp": 100.0, "diastolic_bp": 105.0}
    usual = odd | {"systolic_bp": 130.0, "diastolic_bp": 82.0}
    rows = np.array([[row[n] for n in facts["names"]] for row in (odd, usual)])
    first, second = population.rarity(rows)
    assert first > facts["threshold"] > second
