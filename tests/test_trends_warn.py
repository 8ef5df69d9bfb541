"""Early warnings: the stated false-alarm rate by simulation, tails, and that warnings come."""

import numpy as np
import pytest
from scipy import stats

from cdss.trends.noise import Protection, Secret
from cdss.trends.warn import FALSE_ALARM, between_places, binomial_z, change_z, funnel, holm

RUNS = 1500
PLACES = 34
PROTECTION = Protection(Secret(b"w" * 32), 3.0, 0.2)


def simulated(
    rng: np.random.Generator, n: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A count and its denominator as reports have them: each person counts 0 to 2 times."""
    count = rng.binomial(n, p).astype(float)
    rest = n - count
    weights = [
        each + rng.binomial(each.astype(int), 0.1) - rng.binomial(each.astype(int), 0.1)
        for each in (count, rest)
    ]
    noise = np.round(rng.normal(0, 3, (2, len(n))))
    of = np.maximum(weights[0] + noise[0], 0)
    return of, np.maximum(weights[0] + weights[1] + noise[1], of)


@pytest.mark.parametrize("worse", ["higher", "lower"])
def test_a_report_without_any_difference_warns_as_seldom_as_it_says(worse: str) -> None:
    """Five measures, 34 places of very different sizes, common and rare, all alike."""
    rng = np.random.default_rng(1)
    sizes = np.exp(rng.uniform(np.log(250), np.log(50_000), PLACES)).astype(int)
    alarms = 0
    for _ in range(RUNS):
        z = []
        for p in (0.02, 0.1, 0.25, 0.5, 0.9):
            count, among = simulated(rng, sizes, np.full(PLACES, p))
            expected = count.sum() / among.sum() * among
            z += funnel(count, among, expected, PROTECTION, worse).z.tolist()
        alarms += any(holm(z))
    upper = FALSE_ALARM + 3 * np.sqrt(FALSE_ALARM / RUNS)
    assert 0 < alarms / RUNS < upper


def test_places_that_differ_as_usual_do_not_raise_alarms_all_the_time() -> None:
    rng = np.random.default_rng(2)
    sizes = rng.integers(2_000, 50_000, PLACES)
    alarms = [0, 0]
    for _ in range(400):
        p = np.clip(rng.normal(0.2, 0.03, PLACES), 0.05, 0.5)
        count, among = simulated(rng, sizes, p)
        found = funnel(count, among, count.sum() / among.sum() * among, PROTECTION, "higher")
        alarms[0] += any(holm(found.z.tolist()))
        raw = (count / among - 0.2) / np.sqrt(0.2 * 0.8 * 1.2 / among)
        alarms[1] += any(holm(raw.tolist()))
    assert alarms[1] > 390  # without it every report would be full of warnings
    assert alarms[0] < 0.15 * 400  # measured from the places themselves: nearly as stated


def test_a_place_that_is_really_worse_is_told() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(5_000, 20_000, PLACES)
    p = rng.normal(0.2, 0.005, PLACES)
    p[7] = 0.27
    count, among = simulated(rng, sizes, p)
    found = funnel(count, among, count.sum() / among.sum() * among, PROTECTION, "higher")

    assert [7] == [at for at, warned in enumerate(holm(found.z.tolist())) if warned]


def test_tails_are_those_of_the_binomial() -> None:
    for n, p, count in ((500, 0.04, 38), (500, 0.04, 6), (2000, 0.5, 1080), (60, 0.5, 44)):
        z = float(binomial_z(np.array([float(count)]), np.array([float(n)]), np.array([p]))[0])
        more = stats.binom.sf(count - 1, n, p) if z > 0 else stats.binom.cdf(count, n, p)
        fewer = more - stats.binom.pmf(count, n, p)
        assert stats.norm.sf(abs(z)) == pytest.approx((more * fewer) ** 0.5, rel=0.25)


def test_changes_are_compared_with_the_countrys() -> None:
    value = np.array([0.02, 0.021, 0.019, *[0.02] * 20, 0.09, np.nan])
    z = change_z(value, np.full(25, 1e-4), 0.02, 1e-6, "higher")

    assert z[-2] > 4
    assert np.abs(z[:-2]).max() < 0.2
    assert np.isnan(z[-1])
    assert change_z(value, np.full(25, 1e-4), 0.02, 1e-6, "lower")[-2] < -4
    assert between_places(np.array([9.0, -9.0]), np.array([1.0, 1.0])) == 0  # too few to say
