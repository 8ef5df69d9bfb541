"""Functions of one patient, on columns: the same results, or a loud failure."""

import math

import numpy as np
import pytest

from cdss.batch.decide import Decider, Watched
from cdss.batch.people import complete, derive_columns
from cdss.batch.questions import Answers, bits_of, rows_in
from cdss.derived import derive
from cdss.plausible import contradictions, implausible_derived
from cdss.variables import VARIABLES
from tests.batch_people import people

PEOPLE = people(800, seed=3)
TABLE = {
    name: np.array([variable.encode(values.get(name)) for values in PEOPLE])
    for name, variable in VARIABLES.items()
}


def test_sets_of_rows() -> None:
    for count in (0, 1, 7, 8, 9, 200):
        whose = np.random.default_rng(count).random(count) < 0.5
        assert rows_in(bits_of(whose), count).tolist() == whose.tolist()


def test_everybody_gets_what_the_function_says_of_them_and_it_runs_once_a_kind() -> None:
    runs = []

    def grade(values: Watched) -> tuple[object, ...]:
        runs.append(1)
        pressure = values.get("systolic_bp")
        high = pressure is not None and pressure >= 140
        return high, values.get("sex"), "smoking" in values and values["diabetes"] is True

    decider = Decider(grade)
    found: dict[int, object] = {}
    for result, whose in decider(Answers(TABLE, len(PEOPLE))):
        for row in np.flatnonzero(rows_in(whose, len(PEOPLE))).tolist():
            assert row not in found
            found[row] = result
    for row, values in enumerate(PEOPLE):
        high = float(values.get("systolic_bp", 0)) >= 140
        assert found[row] == (high, values.get("sex"), False)
    assert len(runs) <= 3 * 3

    first = len(runs)
    assert sum(1 for _ in decider(Answers(TABLE, len(PEOPLE)))) == first
    assert len(runs) == first


@pytest.mark.parametrize("compute", [lambda x: x + 1, float, math.sqrt, lambda x: f"{x:.1f}"])
def test_computing_with_a_value_fails_loudly(compute: object) -> None:
    decider = Decider(lambda values: compute(values["age"]))  # type: ignore[operator]

    with pytest.raises(TypeError):
        [*decider(Answers({"age": np.array([50.0])}, 1))]


def test_looking_through_all_values_fails_loudly() -> None:
    for look in (lambda values: [*values], len, lambda values: dict(values)):
        with pytest.raises(TypeError):
            [*Decider(look)(Answers({"age": np.array([50.0])}, 1))]


def test_derived_quantities() -> None:
    columns = derive_columns(TABLE, len(PEOPLE))
    known = 0
    for row, values in enumerate(PEOPLE):
        expected = derive(values)
        told = {name: column[row] for name, column in columns.items() if column[row] == column[row]}
        assert {*told} == {*expected}
        for name, value in expected.items():
            assert told[name] == pytest.approx(VARIABLES[name].encode(value), rel=1e-14)
        known += len(expected)
    assert known > 2 * len(PEOPLE)


def test_what_cannot_be_together() -> None:
    problems: dict[int, list[object]] = {}
    complete(dict(TABLE), len(PEOPLE), problems)  # type: ignore[arg-type]
    for row, values in enumerate(PEOPLE):
        expected = contradictions(values) + implausible_derived(derive(values))
        assert problems.get(row, []) == expected
    assert len(problems) > 50
