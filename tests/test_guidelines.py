import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cdss
from cdss.facts import NO, YES, Amount, Facts, Need, Truth, any_known, any_of
from cdss.guideline import READ, TOPICS, Guideline
from cdss.guidelines import GUIDELINES, guidelines
from cdss.record import PatientRecord
from tests.vignettes import DAY, patient, vignettes

FOLDER = Path(cdss.__file__).parent / "guidelines"
RULES = [(guideline, rule) for guideline in guidelines().values() for rule in guideline.rules]

each_folder = pytest.mark.parametrize("name", GUIDELINES)


def cases(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name / "cases.toml").read_text(encoding="utf-8"))


def guideline_of(name: str) -> Guideline:
    facts = tomllib.loads((FOLDER / name / "rules.toml").read_text(encoding="utf-8"))
    return guidelines()[facts["document"]["key"]]


def held(guideline: Guideline, said: dict[str, Any]) -> dict[str, Any]:
    record, amounts = patient(said)
    return {a.rule.id: a.params for a in guideline.advise(Facts(record, amounts))[0]}


@each_folder
def test_every_rule_has_vignettes(name: str) -> None:
    assert {rule.id for rule in guideline_of(name).rules} == set(cases(name))


@each_folder
def test_each_rule_holds_and_is_silent_on_both_sides_of_its_thresholds(name: str) -> None:
    guideline, wrong = guideline_of(name), []
    for rule, case in cases(name).items():
        assert case["holds"]
        wrong += [(rule, "must hold", p) for p in case["holds"] if rule not in held(guideline, p)]
        wrong += [(rule, "must be silent", p) for p in case["silent"] if rule in held(guideline, p)]

    assert [] == wrong


@each_folder
def test_each_rule_names_the_right_band(name: str) -> None:
    for rule, case in cases(name).items():
        for each in case.get("named", ()):
            found = held(guideline_of(name), each["patient"])[rule][case["says"]]

            assert each["is"] == (list(found) if isinstance(found, tuple) else found)


def test_the_vignettes_of_clinicians(shared: Path) -> None:
    found = [v for file in (shared / "facts").glob("vignettes*.md") for v in vignettes(file)]
    wrong = [
        (v.id, sorted(v.fires - v.fired()), sorted(v.silent & v.fired()))
        for v in found
        if v.fires - v.fired() or v.silent & v.fired()
    ]

    assert len(found) > 30
    assert [] == wrong


def test_every_rule_and_number_names_its_page() -> None:
    for guideline, rule in RULES:
        assert rule.source.locator
        assert rule.source.citation == guideline.source.citation
        assert rule.topic in TOPICS
        for parameter in guideline.parameters.values():
            assert parameter.locator
            assert parameter.valid_from
            assert parameter.still_valid_on <= DAY


def test_what_was_not_opened_is_marked() -> None:
    assert {"DMS-04"} == {rule.id for _, rule in RULES if rule.status not in READ}


def test_numbers_left_to_a_clinician_are_shown_as_open() -> None:
    for guideline, rule in RULES:
        assert all(guideline.parameters[name].open for name in rule.open)
    named = {(g.key, name) for g, rule in RULES for name in rule.open}

    assert {("HEARTS-R", "red"), ("VN-PROT", "step_up"), ("HEARTS-E", "crisis_systolic")} <= named


def test_one_raised_reading_is_never_a_diagnosis() -> None:
    for values in (
        {"systolic_bp": 230, "diastolic_bp": 130},
        {"hba1c": 12.0},
        {"fasting_glucose": 17.0},
    ):
        record = PatientRecord(DAY, {"age": 60.0, "sex": "male", **values})
        for guideline in guidelines().values():
            advice, undecided = guideline.advise(Facts(record))
            fired = {a.rule.id for a in advice}

            assert not fired & {
                "BPS-04",
                "BPS-06",
                "DMD-01",
                "DMD-02",
                "BPT-01",
                "BPT-05",
                "BPS-12",
            }
            for each in undecided:
                if each.rule.id in ("BPS-04", "BPS-06", "DMD-01", "DMD-02"):
                    assert each.needs


def test_nothing_known_decides_nothing_that_needs_something() -> None:
    """Of an empty record only rules for everybody hold; all else says what it needs."""
    record = PatientRecord(DAY, {})
    fired, open_ = set(), 0
    for guideline in guidelines().values():
        advice, undecided = guideline.advise(Facts(record))
        fired |= {a.rule.id for a in advice}
        open_ += len(undecided)
        assert all(each.needs for each in undecided)

    assert {"BPS-01", "BPS-16", "LIF-01", "LIF-02", "LIF-03"} == fired
    assert open_ > 90


truths = st.sampled_from(
    [YES, NO, Truth(None, frozenset({Need("a")})), Truth(None, frozenset({Need("b")}))]
)


@given(truths, truths, truths)
def test_logic_is_that_of_all_possible_worlds(a: Truth, b: Truth, c: Truth) -> None:
    """Kleene's: a known answer holds however the unknown parts turn out."""
    for formula in (
        lambda x, y, z: (x & y) | z,
        lambda x, y, z: ~(x | y) & z,
        lambda x, y, z: x & (y | ~z),
    ):
        answer = formula(a, b, c)
        worlds = {formula(*world).value for world in _worlds([a, b, c])}
        if answer.value is not None:
            assert {answer.value} == worlds
        else:
            assert answer.needs


def _worlds(given_truths: list[Truth]) -> list[list[Truth]]:
    found: list[list[Truth]] = [[]]
    for truth in given_truths:
        options = [YES, NO] if truth.value is None else [truth]
        found = [[*world, option] for world in found for option in options]
    return found


def test_a_truth_is_not_a_bool() -> None:
    with pytest.raises(TypeError, match="may be unknown"):
        bool(YES & NO)


def test_an_amount_within_a_range_is_decided_only_where_it_can_be() -> None:
    risk = Amount(0.04, 0.12, frozenset({Need("diabetes")}))

    assert (risk >= 0.2).value is False
    assert (risk < 0.2).value is True
    assert (risk >= 0.03).value is True
    assert (risk >= 0.1).value is None
    assert {Need("diabetes")} == (risk >= 0.1).needs
    assert (Amount.nothing() < 0.1).value is None
    assert not (Amount.nothing() < 0.1).needs


def test_of_alternative_measurements_one_is_enough() -> None:
    unknown = Truth(None, frozenset({Need("hba1c")}))

    assert any_known([unknown, NO]).value is False
    assert any_of([unknown, NO]).value is None
    assert any_known([unknown]).needs == {Need("hba1c")}


@given(st.floats(60, 300), st.floats(30, 200))
def test_every_blood_pressure_has_one_grade(systolic: float, diastolic: float) -> None:
    record = PatientRecord(DAY, {"systolic_bp": systolic, "diastolic_bp": diastolic})
    for key, rule in (("VN-3192", "BPS-08"), ("ESC-2024", "BPS-15")):
        advice, _ = guidelines()[key].advise(Facts(record))

        assert 1 == [a.rule.id for a in advice].count(rule)


@given(st.floats(0, 1))
def test_every_risk_has_one_band_and_one_set_of_actions(risk: float) -> None:
    facts = Facts(PatientRecord(DAY, {}), {"risk.cardiovascular": Amount(risk, risk)})
    fired = [a.rule.id for a in guidelines()["HEARTS-R"].advise(facts)[0]]

    assert 1 == fired.count("CVR-02")
    assert 1 == sum(rule in fired for rule in ("CVR-03", "CVR-04", "CVR-05", "CVR-06"))


@given(st.floats(1, 260), st.floats(0.05, 100_000))
def test_every_kidney_has_one_stage_and_one_category(egfr: float, uacr: float) -> None:
    facts = Facts(PatientRecord(DAY, {"egfr": egfr, "uacr": uacr, "diabetes": True}))
    kdigo = [a.rule.id for a in guidelines()["KDIGO-2022"].advise(facts)[0]]
    ada = [a.rule.id for a in guidelines()["ADA-2026"].advise(facts)[0]]

    assert 1 == kdigo.count("CKD-01") == kdigo.count("CKD-02")
    assert 1 == ada.count("CKD-06") == ada.count("CKD-03")
