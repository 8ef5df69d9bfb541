"""Intervals and the verdict on who is unlike the derivation population, against plain formulas."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from cdss.bundle import load_bundle
from cdss.errors import DefinitionError
from cdss.estimate import Bounds, RiskEstimate
from cdss.population import LEVELS
from cdss.validity import (
    COMBINATION,
    Interval,
    Population,
    Validity,
    interval_bounds,
    interval_spread,
    normal_scores,
)
from tests.toy import SURE, record

PREDICTORS = ("age", "sex", "bmi", "alt")
FACTS: dict[str, Any] = SURE["population_facts"]
POPULATION = Population.read(FACTS)
ABLE = {"age": 60, "sex": "female", "bmi": 30, "diabetes": False, "pregnant": False}

shares = st.floats(0, 1)
scales = st.floats(0, 50)
betweens = st.floats(0, 3)
sizes = st.integers(1, 10_000)


def one(p: float, scale: float, people: int, between: float) -> tuple[float, float]:
    low, high = interval_bounds(np.array([p]), scale, people, between)
    return float(low[0]), float(high[0])


@given(shares, scales, sizes, betweens)
def test_an_interval_holds_its_probability_and_no_impossible_one(
    p: float, scale: float, people: int, between: float
) -> None:
    low, high = one(p, scale, people, between)

    assert 0 <= low <= p <= high <= 1


@given(shares, scales, scales, sizes, betweens)
def test_a_larger_scale_is_never_narrower(
    p: float, one_scale: float, other: float, people: int, between: float
) -> None:
    narrow, wide = (one(p, s, people, between) for s in sorted((one_scale, other)))

    assert wide[0] <= narrow[0] + 1e-12
    assert wide[1] >= narrow[1] - 1e-12


@given(st.floats(0.001, 0.999), st.floats(0.1, 3), sizes, betweens)
def test_an_interval_is_what_the_formula_says(
    p: float, scale: float, people: int, between: float
) -> None:
    half = scale * math.sqrt(1 / (4 * people) + between**2 * p * (1 - p) / 4)
    ends = (
        math.sin(max(math.asin(math.sqrt(p)) - half, 0)) ** 2,
        math.sin(min(math.asin(math.sqrt(p)) + half, math.pi / 2)) ** 2,
    )

    assert one(p, scale, people, between) == pytest.approx(ends, abs=1e-12)


def test_without_a_level_of_parts_an_interval_is_that_of_chance() -> None:
    low, high = one(0.3, 1.96, 10_000, 0.0)

    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.3 * 0.7 / 10_000), rel=1e-3)
    assert interval_spread(np.array([0.0, 0.3, 1.0]), 25, 0.0) == pytest.approx(0.1)


@given(shares, scales, sizes, betweens)
def test_one_estimate_gets_the_interval_of_a_column(
    p: float, scale: float, people: int, between: float
) -> None:
    found = Interval(0.95, people, between, {"all": scale}).around(p, scale)

    assert found
    assert found[:2] == pytest.approx(one(p, scale, people, between), abs=1e-15)
    assert 0 <= found.low <= p <= found.high <= 1


def test_no_scale_no_interval() -> None:
    assert Interval(0.95, 200, 0.2, {"all": None}).around(0.2, math.nan) is None
    assert np.isnan(one(0.2, math.nan, 200, 0.2)).all()
    assert np.isnan(one(math.nan, 2.0, 200, 0.2)).all()


def people(n: int, seed: int = 3) -> np.ndarray:
    """Age, BMI, ALT of the toy population and beyond, a third unknown."""
    rng = np.random.default_rng(seed)
    x = rng.uniform([10, 10, 1], [95, 50, 150], (n, 3))
    x[rng.random(x.shape) < 1 / 3] = np.nan
    return x


def plain_distance(row: np.ndarray) -> tuple[float, int]:
    """Squared Mahalanobis distance of one row's normal scores, step by step."""
    known = [k for k in range(3) if not math.isnan(row[k])]
    if not known:
        return 0.0, 0
    names = [FACTS["names"][k] for k in known]
    z = [np.interp(row[k], FACTS["quantiles"][n], norm.ppf(LEVELS)) for k, n in
         zip(known, names, strict=True)]  # fmt: skip
    correlation = np.array(FACTS["correlation"])[np.ix_(known, known)]
    return float(z @ np.linalg.solve(correlation, z)), len(known)


def test_rarity_is_the_distance_worked_out_row_by_row() -> None:
    x = people(400)
    rarity = POPULATION.rarity(x)
    counts = set()
    for row, found in zip(x, rarity, strict=True):
        square, many = plain_distance(row)
        counts.add(many)
        if many < 2:
            assert math.isnan(found)
        else:
            part = 2 / (9 * many)
            assert found == pytest.approx(((square / many) ** (1 / 3) - 1 + part) / math.sqrt(part))

    assert counts == {0, 1, 2, 3}


def test_rarity_is_on_the_scale_of_chi_square() -> None:
    """Wilson and Hilferty's root, against the exact distribution."""
    x = people(4000)
    rarity = POPULATION.rarity(x)
    pairs = [(plain_distance(row), found) for row, found in zip(x, rarity, strict=True)
             if not math.isnan(found)]  # fmt: skip
    exact = norm.isf([chi2.sf(square, many) for (square, many), _ in pairs])
    found = np.array([found for _, found in pairs])
    upper = (exact > 1) & (exact < 3)  # where a threshold may lie

    assert upper.sum() > 200
    assert np.abs(found - exact)[upper].max() < 0.05


def test_a_combination_is_rare_beyond_the_threshold_and_only_of_two() -> None:
    x = people(3000)
    rarity = POPULATION.rarity(x)
    rare, combination = POPULATION.judge(x)

    assert (combination == (np.nan_to_num(rarity, nan=-9) > FACTS["threshold"])).all()
    assert 0 < combination.mean() < 0.9
    assert not combination[np.isfinite(x).sum(axis=1) < 2].any()
    low, high = np.array([FACTS["quantiles"][n] for n in FACTS["names"]])[:, [0, -1]].T
    assert (rare == ((x < low) | (x > high))).all()


def test_single_rows_are_judged_as_many_are() -> None:
    x = people(300)
    rare, combination = POPULATION.judge(x)
    alone = [POPULATION.judge(x[k : k + 1]) for k in range(len(x))]

    assert (np.concatenate([r for r, _ in alone]) == rare).all()
    assert (np.concatenate([c for _, c in alone]) == combination).all()
    assert POPULATION.rarity(x[:1]) == pytest.approx(POPULATION.rarity(x)[:1], nan_ok=True)


def test_one_person_is_judged_as_columns_are() -> None:
    x = people(2000)
    x[:21] = np.array([FACTS["quantiles"][n] for n in FACTS["names"]]).T  # on the quantiles
    tied = Population.read(FACTS | {"quantiles": FACTS["quantiles"] | {
        "alt": [5.0] * 8 + [20.0] * 6 + [30.0] * 6 + [90.0]}})  # fmt: skip
    x[21:200, 2] = np.random.default_rng(1).choice([4.0, 5.0, 20.0, 30.0, 90.0, 91.0], 179)
    for population in (POPULATION, tied):
        rare, combination = population.judge(x)
        names = np.array([*FACTS["names"], COMBINATION])
        expected = [tuple(names[row]) for row in np.column_stack([rare, combination])]
        assert expected == [population.outside(row) for row in x.tolist()]
        assert 0 < combination.mean() < 0.9


def test_the_ends_are_not_rare_and_what_is_beyond_is() -> None:
    ends = np.array([FACTS["quantiles"][n] for n in FACTS["names"]])[:, [0, -1]].T

    assert not POPULATION.judge(ends)[0].any()
    assert POPULATION.judge(ends + np.array([[-0.01], [0.01]]))[0].all()
    assert not POPULATION.judge(np.full((1, 3), np.nan))[0].any()


@given(st.floats(-1e6, 1e6))
def test_scores_are_those_of_one_quantity_alone(value: float) -> None:
    quantiles = FACTS["quantiles"]["alt"]
    score = normal_scores(np.array([value]), quantiles)[0]
    alone = Population(("alt",), np.array([quantiles]), np.eye(1), math.inf)
    twice = Population(("alt", "age"), np.array([quantiles, FACTS["quantiles"]["age"]]), np.eye(2),
                       math.inf)  # fmt: skip
    middle = FACTS["quantiles"]["age"][10]
    root = twice.rarity(np.array([[value, middle]]))[0]

    assert abs(score) <= norm.ppf(0.995) + 1e-12
    assert np.isnan(alone.rarity(np.array([[value]]))).all()
    assert root == pytest.approx(((score**2 / 2) ** (1 / 3) - 1 + 1 / 9) * 3)


def test_two_that_say_the_same_do_not_blow_up() -> None:
    """A correlation of 1 has no inverse; one that pairs disagree about is none."""
    for correlation in ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], [[1, 0.9, -0.9], [0.9, 1, 0.9],
                        [-0.9, 0.9, 1]]):  # fmt: skip
        population = Population.read(FACTS | {"correlation": correlation})
        rarity = population.rarity(people(200))
        assert np.isfinite(rarity[np.isfinite(rarity)]).all()
        assert (rarity[np.isfinite(rarity)] > -4).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ["age", "sex", "alt"], "quantiles": FACTS["quantiles"] | {"sex": [0] * 21}},
         "no quantities: sex"),
        ({"names": ["age", "bmi"]}, "of other quantities"),
        ({"quantiles": FACTS["quantiles"] | {"bmi": [25.0] * 21}}, "do not rise"),
        ({"quantiles": FACTS["quantiles"] | {"bmi": [*range(20), 0]}}, "do not rise"),
        ({"correlation": [[1, 0.6, 0], [0.1, 1, 0], [0, 0, 1]]}, "no correlation"),
        ({"threshold": math.nan}, "no threshold"),
    ],
)  # fmt: skip
def test_figures_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Population.read(FACTS | changes)


@pytest.mark.parametrize(
    ("level", "persons", "between", "scale"),
    [(1.0, 200, 0.2, 2.0), (0.95, 0, 0.2, 2.0), (0.95, 200, -1, 2.0), (0.95, 200, 0.2, -1.0),
     (0.95, 200, 0.2, math.nan)],
)  # fmt: skip
def test_an_interval_that_claims_nonsense_is_refused(
    level: float, persons: int, between: float, scale: float
) -> None:
    with pytest.raises(DefinitionError, match="interval"):
        Interval(level, persons, between, {"all": scale})


TIERS = {
    "required_only": ["bmi", "systolic_bp", "diastolic_bp", "total_cholesterol", "hba1c"],
    "no_laboratory": ["total_cholesterol", "hba1c"],
    "some_laboratory": ["hba1c"],
    "all": [],
}


@pytest.mark.parametrize(
    ("known", "tier"),
    [
        ("", "required_only"),
        ("bmi systolic_bp diastolic_bp", "no_laboratory"),
        ("bmi systolic_bp", "no_laboratory"),  # a panel is known if anything of it is
        ("bmi systolic_bp total_cholesterol", "some_laboratory"),
        ("bmi systolic_bp total_cholesterol hba1c", "all"),
        ("bmi", "required_only"),  # as near as no_laboratory: the one that hides more
        ("hba1c", "required_only"),
        ("bmi systolic_bp hba1c", "no_laboratory"),
        ("bmi total_cholesterol hba1c", "all"),  # one panel short
    ],
)
def test_the_tier_is_the_one_that_describes_best_what_is_missing(known: str, tier: str) -> None:
    names = ("age", *TIERS["required_only"])
    validity = Validity(names, {t: tuple(n) for t, n in TIERS.items()}, None, None)

    assert tier == validity.tier_of(frozenset(known.split()) | {"age"})
    assert "all" == Validity(names, {"all": ()}, None, None).tier_of(frozenset())


def validity(**changes: Any) -> Validity:
    found = Validity.read(SURE | changes, PREDICTORS)
    assert found is not None
    return found


def test_each_row_gets_the_scale_of_its_tier() -> None:
    x = np.array([[60, 1, 30, np.nan], [60, 1, 30, 20], [50, 0, 25, np.nan]], dtype=float)
    p = np.array([0.1, 0.2, 0.3])
    verdict = validity().judge(x, p)
    expected = interval_bounds(p, np.array([2.5, 2.0, 2.5]), 500, 0.2)

    assert np.array_equal(verdict.low, expected[0])
    assert np.array_equal(verdict.high, expected[1])
    assert (3, 3) == verdict.rare.shape
    assert ("age", "bmi", "alt") == validity().quantities


def test_what_was_not_measured_is_not_claimed() -> None:
    x, p = np.array([[99.0, 1, 30, np.nan]]), np.array([0.1])
    nothing = {"low": math.nan, "high": math.nan}
    no_interval = validity(interval=None).judge(x, p)
    no_population = validity(population_facts=None).judge(x, p)
    half = validity(interval=SURE["interval"] | {"scale": {"required_only": None, "all": 2.0}})

    assert nothing == pytest.approx({"low": no_interval.low[0], "high": no_interval.high[0]},
                                    nan_ok=True)  # fmt: skip
    assert no_interval.rare.tolist() == [[True, False, False]]
    assert (0, False) == (no_population.rare.size, bool(no_population.combination[0]))
    assert no_population.low[0] < 0.1
    assert np.isnan(half.judge(x, p).low).all()
    assert Validity.read({"tiers": {"all": []}}, PREDICTORS) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiers": {"all": ["shoe_size"]}}, "no predictors: shoe_size"),
        ({"tiers": {"other": []}}, "each tier needs a scale"),
        ({"tiers": None}, "each tier needs a scale"),
        ({"population_facts": FACTS | {"names": ["age", "bmi", "ggt"],
          "quantiles": FACTS["quantiles"] | {"ggt": [*range(21)]}}}, "no predictors: ggt"),
    ],
)  # fmt: skip
def test_a_manifest_that_contradicts_itself_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError, match=message):
        validity(**changes)


def test_an_estimate_says_how_sure_it_is_and_what_is_rare(
    write_toy: Callable[..., Any],
) -> None:
    model = load_bundle(write_toy(**SURE))
    usual, rare, odd = (
        model.estimate(record(**ABLE | known))
        for known in ({}, {"age": 79.9, "alt": 200}, {"age": 21.5, "bmi": 37.5, "alt": 7})
    )

    assert isinstance(usual, RiskEstimate)
    assert isinstance(rare, RiskEstimate)
    assert isinstance(odd, RiskEstimate)
    low, high = one(usual.probability, 2.5, 500, 0.2)
    assert Bounds(low, high, 0.95, 500) == usual.interval
    assert () == usual.outside
    assert ("age", "alt") == rare.outside[:2]
    assert (COMBINATION,) == odd.outside
    assert [("rare_value", "age"), ("rare_value", "alt")] == [
        (w.code, w.variable) for w in rare.warnings
    ][:2]
    assert {"low": 5.0, "high": 99.1, "unit": "U/L"} == rare.warnings[1].params
    assert [("rare_combination", COMBINATION)] == [(w.code, w.variable) for w in odd.warnings]
    assert rare.interval
    assert rare.interval.low <= rare.probability <= rare.interval.high


def test_columns_say_the_same(write_toy: Callable[..., Any]) -> None:
    model = load_bundle(write_toy(**SURE))
    rng = np.random.default_rng(2)
    table = {
        "age": rng.uniform(15, 85, 300),
        "sex": rng.integers(0, 2, 300).astype(float),
        "bmi": rng.uniform(13, 45, 300),
        "alt": np.where(rng.random(300) < 0.4, np.nan, rng.uniform(2, 150, 300)),
    }
    columns = model.columns(table)
    sexes = ("male", "female")
    kinds = set()
    for at in range(300):
        values = {n: float(v[at]) for n, v in table.items() if not np.isnan(v[at])}
        if not 18 <= values["age"]:
            continue
        answer = model.estimate(record(**values | {"sex": sexes[int(values["sex"])]}))
        if not isinstance(answer, RiskEstimate):
            assert np.isnan([columns.interval_low[at], columns.interval_high[at]]).all()
            assert not columns.outside[at].any()
            continue
        assert answer.interval
        assert answer.interval[:2] == pytest.approx(
            (columns.interval_low[at], columns.interval_high[at]), abs=1e-6
        )
        assert bool(answer.outside) == columns.outside[at].any()
        kinds.add(bool(answer.outside))

    assert {True, False} == kinds
