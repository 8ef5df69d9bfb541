import csv
import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cdss
from cdss import NoEstimate, PatientRecord, RiskEstimate, RiskModel, RiskRange
from cdss.equation import log_odds
from cdss.equations import EQUATIONS, published_models, who_2019
from cdss.estimate import PointsTotal
from cdss.limits import Limit
from cdss.points import PointsScore
from cdss.variables import VARIABLES
from tests.vectors import PEERS, POINTS_PEERS, Peer, PointsPeer, model_id, points_rows, rows

FOLDER = Path(cdss.__file__).parent / "equations"
DAY = date(2026, 11, 22)
MODELS = {model.id: model for model in published_models()}
RISKS = [model for model in MODELS.values() if isinstance(model, RiskModel)]
SCORES = [model for model in MODELS.values() if isinstance(model, PointsScore)]

each_equation = pytest.mark.parametrize("name", EQUATIONS)
each_risk = pytest.mark.parametrize("model", RISKS, ids=lambda m: m.id)
each_score = pytest.mark.parametrize("model", SCORES, ids=lambda m: m.id)


def cases(name: str) -> list[dict[str, str]]:
    with (FOLDER / name / "cases.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def values_of(case: dict[str, str]) -> dict[str, Any]:
    """The cells of a case as values."""
    known = {n: v for n, v in case.items() if n in VARIABLES and v != ""}
    return {
        n: float(v) if VARIABLES[n].kind == "quantity"
        else v == "yes" if VARIABLES[n].kind == "yes_no" else v
        for n, v in known.items()
    }  # fmt: skip


def probability(model: RiskModel, values: dict[str, Any], flip: str = "", **extra: float) -> float:
    """The function's own answer, outside limits too; one coefficient with the wrong sign."""
    sex = values["sex"]
    coefficients = dict(model.facts["coefficients"][sex])
    if flip:
        coefficients[flip] *= -1
    encoded = {n: VARIABLES[n].encode(values[n]) for n in model.inputs[1:]}
    with np.errstate(all="ignore"):
        return float(model.facts["function"](coefficients, sex, **encoded, **extra))


def record(values: dict[str, Any]) -> PatientRecord:
    return PatientRecord(DAY, values)


@each_equation
def test_known_answers(name: str) -> None:
    for case in cases(name):
        model, expected = MODELS[case["model"]], float(case["expected"])
        answer = model.estimate(record(values_of(case) | _granted(model)))

        if isinstance(model, PointsScore):
            assert isinstance(answer, PointsTotal)
            assert expected == answer.low == answer.high
        else:
            assert isinstance(answer, RiskEstimate), answer
            assert abs(answer.probability - expected) <= float(case["tolerance"])


def _granted(model: RiskModel | PointsScore) -> dict[str, bool]:
    """What a case leaves out because the equation is only for such people."""
    return {name: True for name in getattr(model, "only_with", ())}


@each_equation
def test_every_model_has_known_answers_from_elsewhere(name: str) -> None:
    origins = defaultdict(set)
    for case in cases(name):
        origins[case["model"]].add(case["origin"])

    assert {m.id for m in MODELS.values() if m.facts["equation"] == name} == set(origins)
    assert all("cdss" not in origin and origin for found in origins.values() for origin in found)


@each_equation
def test_a_wrong_sign_of_any_coefficient_is_noticed(name: str) -> None:
    """100 % of the non-zero coefficients of the file, by the committed known answers."""
    unnoticed: set[tuple[str, ...]] = set()
    noticed: set[tuple[str, ...]] = set()
    if (FOLDER / name / "points.csv").exists():
        (model,) = (m for m in SCORES if m.facts["equation"] == name)
        for at, row in enumerate(model.rows):
            flipped = tuple(
                r._replace(points=-r.points) if i == at else r for i, r in enumerate(model.rows)
            )
            wrong = replace(model, rows=flipped)
            answers = [wrong.estimate(record(values_of(c))).low for c in cases(name)]  # type: ignore[union-attr]
            seen = any(a != int(c["expected"]) for a, c in zip(answers, cases(name), strict=True))
            (noticed if seen else unnoticed).add(tuple(map(str, row)))
    else:
        for key in _printed(name):
            unnoticed.add(key)
        for case in cases(name):
            model, values = MODELS[case["model"]], values_of(case)
            expected, tolerance = float(case["expected"]), float(case["tolerance"])
            used = model.facts["coefficients"][values["sex"]]
            for key in [k for k in unnoticed if k[1] in (values["sex"], "both")]:
                which, _, term = key
                if which in model.facts["sets"] and used.get(term):
                    wrong_answer = probability(model, values, flip=term)
                    if not abs(wrong_answer - expected) <= tolerance:
                        noticed.add(key)
            unnoticed -= noticed

    assert not unnoticed
    assert noticed


def _printed(name: str) -> set[tuple[str, ...]]:
    text = (FOLDER / name / "coefficients.csv").read_text(encoding="utf-8").splitlines()
    lines = csv.DictReader(line for line in text if not line.startswith("#"))
    return {(r["set"], r["sex"], r["term"]) for r in lines if float(r["value"])}


@pytest.mark.parametrize("peer", PEERS, ids=lambda p: f"{p.column}={p.model}")
def test_every_row_of_the_peers(shared: Path, peer: Peer) -> None:
    found = rows(shared / "vectors", peer)
    errors = []
    for row in found:
        ours = probability(MODELS[model_id(peer, row)], peer.values(row), **peer.extra)
        errors.append(abs(ours * peer.scale - float(row[peer.column])))

    assert len(found) > 50
    assert max(errors) <= peer.tolerance, peer.why


@pytest.mark.parametrize("peer", POINTS_PEERS, ids=lambda p: f"{p.column}={p.model}")
def test_every_row_of_the_points(shared: Path, peer: PointsPeer) -> None:
    for row in points_rows(shared / "vectors", peer):
        total = MODELS[peer.model].estimate(record(peer.values(row)))

        assert isinstance(total, PointsTotal)
        assert total.low == total.high == int(float(row[peer.column]))


@pytest.mark.parametrize("kind", ["lab", "nonlab"])
def test_every_chart_cell(shared: Path, kind: str) -> None:
    """Cells at band mid-points are the printed integers."""
    peers = [p for p in PEERS if p.file == f"who2019_{kind}_SEA_chart" and "chart_pct" in p.column]
    for peer in peers:
        model = MODELS[peer.model]
        assert isinstance(model, RiskModel)
        found = rows(shared / "vectors", peer)

        assert [int(row[peer.column]) for row in found] == [
            who_2019.chart_cell(model, peer.values(row)) for row in found
        ]


def test_there_is_no_chart_before_forty_and_from_seventy_five_on() -> None:
    values = {"sex": "male", "systolic_bp": 130, "bmi": 24, "current_smoker": False}
    model = MODELS["who-2019-nonlab-sea"]
    assert isinstance(model, RiskModel)

    assert who_2019.chart_cell(model, {**values, "age": 39.9}) is None
    assert who_2019.chart_cell(model, {**values, "age": 75}) is None
    assert who_2019.chart_cell(model, {**values, "age": 74.9}) is not None


def test_published_example_of_goff(shared: Path) -> None:
    """Four people of 55 years; the text prints 5.3 for the last, Table A gives 5.38."""
    values = {
        "age": 55, "systolic_bp": 120, "total_cholesterol": 213 / 38.665,
        "hdl_cholesterol": 50 / 38.665, "bp_treated": False, "current_smoker": False,
        "diabetes": False,
    }  # fmt: skip
    found = [
        100 * probability(MODELS[f"pce-2013-{race}"], {**values, "sex": sex})
        for race in ("african-american", "white-or-other")
        for sex in ("female", "male")
    ]

    assert [3.0, 6.1, 2.1, 5.4] == [round(p, 1) for p in found]


@each_risk
def test_contributions_are_shapley_values(model: RiskModel) -> None:
    """Against the definition, over all orders of a patient who differs everywhere."""
    rng = np.random.default_rng(1)
    reference = [*model.facts["reference"].values()]
    for sex in ("male", "female"):
        values = _random(model, rng) | {"sex": sex}
        answer = model.estimate(record(values | _granted(model)))
        assert isinstance(answer, RiskEstimate)
        names = model.inputs
        patient = {n: VARIABLES[n].encode(values[n]) for n in names[1:]}

        def worth(known: frozenset[str], patient=patient, sex=sex, names=names) -> float:  # type: ignore[no-untyped-def]
            filled = {
                n: patient[n] if n in known else r
                for n, r in zip(names[1:], reference, strict=True)
            }
            sexes = (sex,) if "sex" in known else ("male", "female")
            coefficients = model.facts["coefficients"]
            function = model.facts["function"]
            return float(np.mean([log_odds(function(coefficients[s], s, **filled)) for s in sexes]))

        expected = _shapley(names, worth)
        assert answer.probability == pytest.approx(probability(model, values), rel=1e-12)
        for contribution in answer.contributions:
            assert expected[contribution.variable] == pytest.approx(contribution.log_odds, abs=1e-9)


def _shapley(players: tuple[str, ...], worth: Any) -> dict[str, float]:
    worths = {
        frozenset(s): worth(frozenset(s))
        for size in range(len(players) + 1)
        for s in itertools.combinations(players, size)
    }
    n, found = len(players), {}
    for player in players:
        total = 0.0
        for s, value in worths.items():
            if player not in s:
                weight = math.factorial(len(s)) * math.factorial(n - len(s) - 1) / math.factorial(n)
                total += weight * (worths[s | {player}] - value)
        found[player] = total
    return found


def _random(model: RiskModel, rng: np.random.Generator) -> dict[str, Any]:
    """A patient within the limits."""
    values: dict[str, Any] = {}
    for name in model.inputs:
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            low, high = _span(model, name)
            values[name] = float(rng.uniform(low, high))
        else:
            values[name] = variable.options[-1]
    return values


def _span(
    model: RiskModel, name: str, within: Mapping[str, Limit] = MappingProxyType({})
) -> tuple[float, float]:
    variable = VARIABLES[name]
    low, high = variable.low, variable.high
    for limit in (model.limits.get(name), within.get(name)):
        if limit:
            low, high = max(low, limit.low), min(high, limit.high)
            if limit.below:
                high = math.nextafter(high, low)
    return low, high


@st.composite
def patients(
    draw: st.DrawFn, model: RiskModel, within: Mapping[str, Limit] = MappingProxyType({})
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in model.inputs:
        variable = VARIABLES[name]
        if variable.kind == "quantity":
            values[name] = draw(st.floats(*_span(model, name, within)))
        else:
            values[name] = draw(st.sampled_from(variable.options))
    return values


@each_risk
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_everywhere_within_limits_there_is_a_probability_that_adds_up(
    model: RiskModel, data: st.DataObject
) -> None:
    values = data.draw(patients(model))
    answer = model.estimate(record(values | _granted(model)))

    assert isinstance(answer, RiskEstimate)
    assert 0 <= answer.probability <= 1
    assert all(math.isfinite(c.log_odds) for c in answer.contributions)
    total = sum(c.log_odds for c in answer.contributions)
    if 1e-9 < answer.probability < 1 - 1e-9:  # else p cannot carry its own log-odds
        logit = math.log(answer.probability / (1 - answer.probability))
        assert total == pytest.approx(logit - model.baseline, abs=1e-6)


FALLING = {"hdl_cholesterol", "egfr", "age_at_diabetes_diagnosis"}
TURNING = {
    # Interactions with age that turn the sign at one end of the ages: so they were published.
    "framingham-hypertension-2008": {"diastolic_bp"},
    "prevent-2023": {"age", "systolic_bp", "total_cholesterol", "bmi", "on_statin", "egfr"},
    "score2-op": {"age", "current_smoker"},
    "pce-2013": {"age", "total_cholesterol", "hdl_cholesterol", "bp_treated", "current_smoker"},
}


@each_risk
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_risk_rises_with_every_risk_factor(model: RiskModel, data: st.DataObject) -> None:
    """Wherever the equation was compared with other programs; and falls with what protects."""
    turning = {n for start, names in TURNING.items() if model.id.startswith(start) for n in names}
    name = data.draw(st.sampled_from([n for n in model.inputs[1:] if n not in turning]))
    low = data.draw(patients(model, model.compared))
    high = dict(low)
    if VARIABLES[name].kind == "quantity":
        other = data.draw(patients(model, model.compared))[name]
        low[name], high[name] = min(low[name], other), max(low[name], other)
    else:
        low[name], high[name] = VARIABLES[name].options[0], VARIABLES[name].options[-1]
    less, more = probability(model, low), probability(model, high)
    if name in FALLING:
        less, more = more, less

    assert more >= less - 1e-12


@each_risk
def test_refusals_outside_limits_name_the_limit_and_its_source(model: RiskModel) -> None:
    values = _random(model, np.random.default_rng(2)) | _granted(model)
    for name, limit in model.limits.items():
        outside = [limit.low - 0.01, limit.high if limit.below else limit.high + 0.01]
        for value in [v for v in outside if math.isfinite(v)]:
            answer = model.estimate(record({**values, name: value}))

            assert isinstance(answer, NoEstimate)
            (reason,) = (r for r in answer.reasons if r.variable == name)
            assert model.sources[0].citation.partition(",")[0] in reason.detail
            assert str(value) not in reason.detail


@each_risk
def test_an_unknown_yes_or_no_gives_a_range_and_what_would_narrow_it(model: RiskModel) -> None:
    values = _random(model, np.random.default_rng(3)) | _granted(model)
    for name in model.spanned:
        known = {k: v for k, v in values.items() if k != name}
        answer = model.estimate(record(known))
        each = [probability(model, {**values, name: v}) for v in VARIABLES[name].options]

        assert isinstance(answer, RiskRange)
        assert answer.narrowed_by == (name,)
        assert (min(each), max(each)) == pytest.approx((answer.low, answer.high), rel=1e-12)


def test_what_narrows_most_comes_first() -> None:
    values = {"sex": "female", "age": 50, "systolic_bp": 130, "total_cholesterol": 5}
    answer = MODELS["who-2019-lab-sea"].estimate(record(values))
    assert isinstance(answer, RiskRange)
    left = {}
    for name in ("current_smoker", "diabetes"):
        spans = []
        for value in (False, True):
            known = MODELS["who-2019-lab-sea"].estimate(record({**values, name: value}))
            assert isinstance(known, RiskRange)
            spans.append(known.high - known.low)
        left[name] = max(spans)

    assert tuple(sorted(left, key=left.__getitem__)) == answer.narrowed_by


def test_an_unknown_number_is_missing_never_a_default() -> None:
    answer = MODELS["who-2019-lab-sea"].estimate(record({"sex": "male", "age": 50}))

    assert isinstance(answer, NoEstimate)
    assert {"systolic_bp", "total_cholesterol"} == {r.variable for r in answer.reasons}


def test_one_patient_is_a_batch_of_one() -> None:
    rng = np.random.default_rng(4)
    for model in RISKS[:12]:
        people = [record(_random(model, rng) | {"sex": s}) for s in ("male", "female") * 20]
        together = model.estimate_all(people)
        for person, answer in zip(people, together, strict=True):
            alone = model.estimate(person)
            assert isinstance(alone, RiskEstimate)
            assert isinstance(answer, RiskEstimate)
            assert alone.probability == pytest.approx(answer.probability, abs=1e-12)
            for a, b in zip(alone.contributions, answer.contributions, strict=True):
                assert a.log_odds == pytest.approx(b.log_odds, abs=1e-9)


@each_score
def test_points_that_are_unknown_are_a_range(model: PointsScore) -> None:
    (case, *_) = cases(model.facts["equation"])
    values = values_of(case)
    for name in [n for n in model.items if n not in ("age", "sex")]:
        answer = model.estimate(record({k: v for k, v in values.items() if k != name}))
        assert isinstance(answer, PointsTotal)
        assert answer.low <= int(case["expected"]) <= answer.high
        if answer.low < answer.high:
            assert answer.missing == (name,)


@each_score
def test_points_are_positive_from_the_cut_off_on(model: PointsScore) -> None:
    for case in cases(model.facts["equation"]):
        for cut_off in range(model.most + 1):
            moved = model.with_cut_off(model.cut_off._replace(points=cut_off))
            answer = moved.estimate(record(values_of(case)))
            assert isinstance(answer, PointsTotal)
            assert answer.positive is (int(case["expected"]) >= cut_off)


def test_the_most_points_of_each_score() -> None:
    assert {"findrisc": 26, "modasian-findrisc": 26, "ada-risk-test": 10, "idrs": 100} == {
        m.id: m.most for m in SCORES
    }


@each_equation
def test_every_file_of_an_equation_names_where_its_numbers_come_from(name: str) -> None:
    for model in MODELS.values():
        if model.facts["equation"] == name:
            assert all(source.locator for source in model.sources)
            assert all(limit.source for limit in model.limits.values())
            if isinstance(model, PointsScore):
                assert model.cut_off.source
