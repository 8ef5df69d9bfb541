import numpy as np
import pytest
from lifelines import AalenJohansenFitter

from training.censoring import ipcw


def test_by_hand() -> None:
    # Five people: one censored at 2 with four still followed, so P(uncensored after 2) = 3/4.
    time = np.array([1.0, 2.0, 3.0, 6.0, 6.0])
    known = np.array([True, False, True, True, False])

    weights = ipcw(time, known, horizon=5.0)

    assert weights == pytest.approx([1, 0, 4 / 3, 4 / 3, 4 / 3])


def test_without_censoring_everybody_counts_once() -> None:
    time = np.linspace(1, 20, 50)

    assert ipcw(time, np.ones(50, dtype=bool), 10.0) == pytest.approx(np.ones(50))


def test_weighted_events_are_the_cumulative_incidence_with_competing_deaths() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    event, death = rng.exponential(25, n), rng.exponential(15, n)
    end = rng.uniform(2, 20, n)
    time = np.minimum.reduce([event, death, end])
    kind = np.where(time == event, 1, np.where(time == death, 2, 0))
    weights = ipcw(time, kind > 0, 10.0)

    incidence = AalenJohansenFitter(calculate_variance=False).fit(time, kind, event_of_interest=1)
    expected = float(incidence.predict(10.0))

    assert expected == pytest.approx((weights * ((kind == 1) & (time <= 10))).sum() / n, abs=1e-3)
    assert weights.mean() == pytest.approx(1, abs=1e-3)
