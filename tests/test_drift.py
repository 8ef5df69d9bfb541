import numpy as np
import pytest

from cdss.drift import MAJOR, MODERATE, chi_square_tail, compare, count_in_bins, psi


def test_the_index_is_that_of_its_definition() -> None:
    p, q = np.array([200_000, 500_000, 300_000]), np.array([300_000, 450_000, 250_000])
    by_hand = 0.1 * np.log(3 / 2) - 0.05 * np.log(0.9) - 0.05 * np.log(0.25 / 0.3)

    assert psi(p, q) == pytest.approx(by_hand, abs=1e-5)
    assert psi(p, q) == pytest.approx(psi(q, p), abs=1e-12)
    assert psi(p, 7 * p) == pytest.approx(0, abs=1e-9)


def test_an_empty_bin_has_no_infinite_index() -> None:
    assert 0.5 < psi([50, 50, 0], [20, 20, 60]) < 10


@pytest.mark.parametrize(
    ("reference", "counts"),
    [([1, 2], [1, 2, 3]), ([1], [1]), ([0, 0], [1, 1]), ([1, 1], [0, 0]), ([-1, 3], [1, 1]),
     ([float("nan"), 1], [1, 1]), ([[1, 2]], [[1, 2]])],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(reference: object, counts: object) -> None:
    with pytest.raises(ValueError, match="counts must"):
        psi(reference, counts)


@pytest.mark.parametrize(("n", "m"), [(22_000, 30), (22_000, 100), (400, 400)])
def test_chance_is_no_drift(n: int, m: int) -> None:
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.full(10, 4.0))
    found = [compare(rng.multinomial(n, shares), rng.multinomial(m, shares)) for _ in range(1000)]

    assert all(each.size == "none" for each in found)
    assert np.mean([each.p_value < 0.05 for each in found]) < 0.08
    # The custom alone cries drift: a third of the time with a hundred people.
    assert m != 100 or np.mean([each.psi > MODERATE for each in found]) > 0.2


@pytest.mark.parametrize("people", [300, 3000])
def test_the_interval_holds_the_truth(people: int) -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.full(8, 4.0))
    q = p * np.exp(rng.normal(0, 0.5, 8))
    q /= q.sum()
    truth = ((q - p) * np.log(q / p)).sum()
    found = [compare(rng.multinomial(20_000, p), rng.multinomial(people, q)) for _ in range(1000)]

    assert 0.92 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.99


def test_sizes_go_by_the_lower_end() -> None:
    few, many = compare([500, 500], [15, 35]), compare([50_000, 50_000], [15_000, 35_000])
    most = compare([50_000, 50_000], [1_000, 99_000])

    assert few.psi == pytest.approx(many.psi, abs=0.02)
    assert ("none", "moderate", "major") == (few.size, many.size, most.size)
    assert many.low >= MODERATE
    assert most.low >= MAJOR


@pytest.mark.parametrize(
    ("value", "degrees", "tail"),
    [(3.841, 1, 0.05), (6.635, 1, 0.01), (16.919, 9, 0.05), (21.666, 9, 0.01), (8.343, 9, 0.5)],
)
def test_tails_of_chi_square_are_those_of_tables(value: float, degrees: int, tail: float) -> None:
    assert chi_square_tail(value, degrees) == pytest.approx(tail, abs=0.003)


def test_counting_in_bins() -> None:
    values = np.array([-1.0, 5.0, 5.5, 6.0, 9.0, np.nan])

    assert [1, 2, 2] == count_in_bins(values, [5.0, 6.0]).tolist()
    assert [0, 0, 0] == count_in_bins(np.array([np.nan]), [5.0, 6.0]).tolist()
