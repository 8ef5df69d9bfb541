"""Counting, keeping, judging and telling, without a server."""

import html
import json
import sqlite3
import tomllib
from collections import Counter
from importlib import resources
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import cdss
from cdss.assess import assess_all
from cdss.cli import app
from cdss.errors import MonitorError, Problem
from cdss.i18n import LANGUAGES, words
from cdss.jurisdiction import load_jurisdiction
from cdss.monitor.bins import EDGES, PROBABILITY, finder, labels
from cdss.monitor.counts import CountFile, read_counts
from cdss.monitor.judge import ClientMonth, judge
from cdss.monitor.people import derivations, expected, unit_guess
from cdss.monitor.share import Share, rose, shown
from cdss.monitor.tally import ASSESSED, REJECTED, Counts, Key, Tally
from cdss.population import LEVELS
from cdss.units import UNITS
from cdss.variables import VARIABLES
from tests.shipped import shipped
from tests.toy import record, toy_model

MODELS = (*shipped(), *cdss.published_models())
PEOPLE = derivations(MODELS)


def input_counts(name: str, values: np.ndarray, missing: int = 0) -> Counts:
    bins = Counter(labels(name)[finder(name)(value)] for value in values)
    counts = Counter({Key("input", name, label): n for label, n in bins.items()})
    return counts + Counter({Key("input", name, "missing"): missing})


def drawn(name: str, people: int) -> np.ndarray:
    """Values as the people of the first model have them."""
    variable = VARIABLES[name]
    quantiles = [variable.low, *PEOPLE[name][0].quantiles, variable.high]
    rng = np.random.default_rng(11)
    return np.interp(rng.random(people), [0, *LEVELS, 1], quantiles)


def month_of(*counts: Counts, people: int = 400) -> Counts:
    answered = {Key("result", d.model, "estimate"): people for ds in PEOPLE.values() for d in ds}
    return sum(counts, Counter(answered | {ASSESSED: people}))


def judged(now: Counts, *before: Counts) -> ClientMonth:
    months = {f"2026-0{at}": {"ward": each} for at, each in enumerate([*before, now], start=1)}
    (found,) = judge(months, max(months), PEOPLE)
    return found


def told(found: ClientMonth) -> list[tuple[str, str]]:
    return [(finding.kind, finding.about) for finding in found.findings if finding.attention]


def test_every_quantity_that_a_model_uses_is_counted() -> None:
    used = {name for model in MODELS for name in model.predictors}

    assert set() == {n for n in used if VARIABLES[n].kind == "quantity"} - set(EDGES)


@pytest.mark.parametrize("name", EDGES)
def test_bins_lie_within_what_is_plausible_and_have_a_source(name: str) -> None:
    table = tomllib.loads((resources.files("cdss.monitor") / "bins.toml").read_text("utf-8"))
    variable = VARIABLES[name]

    assert all(variable.low < edge < variable.high for edge in EDGES[name])
    assert len(table["quantity"][name]["source"]) >= 4


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [("age", 30.0, "30-40"), ("age", 29.9, "<30"), ("age", 80.0, ">=80"), ("diabetes", True, "yes"),
     ("diabetes", False, "no"), ("smoking", "former", "former")],
)  # fmt: skip
def test_a_value_on_an_edge_falls_above(name: str, value: object, label: str) -> None:
    assert label == labels(name)[finder(name)(value)]


def test_an_assessment_is_counted_by_bin() -> None:
    model = toy_model()
    known = record(age=60, sex="female", bmi=30, diabetes=False, pregnant=False)
    tally = Tally([model])
    tally.count("ward", assess_all([known, known], [model]), [Problem("stale", "alt", "old")])
    tally.count("other", assess_all([record(age=90, sex="male")], [model]))
    counts = tally.take()
    answer = model.estimate(known)

    assert isinstance(answer, cdss.RiskEstimate)
    edge = sum(answer.probability >= edge for edge in PROBABILITY)
    named = f"{model.id}@{model.version}"
    ward = counts["ward"]
    assert 2 == ward[ASSESSED] == ward[Key("input", "age", "60-70")]
    assert 2 == ward[Key("input", "bmi", "30-35")] == ward[Key("input", "sex", "female")]
    assert 2 == ward[Key("input", "alt", "missing")]
    assert 1 == ward[Key("problem", "alt", "stale")]
    assert 2 == ward[Key("result", named, "estimate")]
    probabilities = [key for key in ward if key.kind == "probability"]
    assert [2] == [ward[key] for key in probabilities]
    assert [edge] == [
        [k.part for k in tally._keys if k.kind == "probability"].index(key.part)
        for key in probabilities
    ]
    assert 1 == counts["other"][Key("result", named, "refused")]
    assert 1 == counts["other"][Key("refusal", named, "outside_limits age")]
    assert {} == tally.take()


def test_nobody_misses_what_no_model_wants() -> None:
    models = [toy_model(), next(m for m in MODELS if m.id == "cvd-death")]
    tally = Tally(models)
    tally.count("ward", assess_all([record(age=60, sex="female", bmi=30)], models[:1]))
    found = {key.name for key in tally.take()["ward"] if key.kind == "input"}

    assert set(models[0].predictors) == found


def test_of_a_problem_only_variable_and_code_are_kept() -> None:
    tally = Tally([toy_model()])
    places = ("records/3/alt", "history/0/alt", "alt.date", "alt")
    tally.reject("ward", [Problem("implausible", place, "x") for place in places])
    tally.reject("ward", [Problem("unknown_variable", "Nguyen Van A", "x")], people=2)
    counts = tally.take()["ward"]

    assert {REJECTED: 3, Key("problem", "alt", "implausible"): 1,
            Key("problem", "record", "unknown_variable"): 1} == counts  # fmt: skip


def add(path: str, times: int) -> None:
    file = CountFile(Path(path))
    for _ in range(times):
        file.add("2026-10", {"ward": Counter({ASSESSED: 1}), "other": Counter({REJECTED: 2})})


def test_several_processes_add_up(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite"
    context = get_context("spawn")
    processes = [context.Process(target=add, args=(str(path), 20)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert {"2026-10": {"ward": {ASSESSED: 40}, "other": {REJECTED: 80}}} == read_counts(path)
    assert 0o600 == path.stat().st_mode & 0o777


def test_what_is_no_file_of_counts_is_told(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other"
    text.write_text("x" * 5000)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")

    for path in (text, other, tmp_path / "none" / "x", tmp_path):
        with pytest.raises(MonitorError, match=path.name):
            CountFile(path)
    for path in (text, other, tmp_path / "none"):
        with pytest.raises(MonitorError, match=path.name):
            read_counts(path)
    assert not (tmp_path / "none").exists()
    assert "x" * 5000 == text.read_text()


def test_counts_of_other_bins_are_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite"
    CountFile(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE bins SET edges = '[40.0]' WHERE name = 'age'")

    for use in (CountFile, read_counts):
        with pytest.raises(MonitorError, match="other bins of age"):
            use(path)


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_a_models_own_people_are_like_them(name: str) -> None:
    found = judged(month_of(input_counts(name, drawn(name, 600))))
    (shape,) = [d for d in found.inputs if d.about == name]

    assert shape.unlike
    assert "none" == shape.unlike[PEOPLE[name][0].model].size
    assert [] == told(found)
    assert expected(name, PEOPLE[name][0]).sum() == pytest.approx(PEOPLE[name][0].people, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "meant", "read_as"),
    [("uacr", "mg/mmol", "mg/g"), ("total_cholesterol", "g/L", "mmol/L"), ("alt", "nkat/L", "U/L"),
     ("triglycerides", "mg/dL", "mmol/L"), ("creatinine", "mg/L", "umol/L"),
     ("waist", "[in_i]", "cm")],
)  # fmt: skip
def test_a_wrong_unit_is_recognised(name: str, meant: str, read_as: str) -> None:
    true, taken, variable = UNITS[name][meant], UNITS[name][read_as], VARIABLES[name]
    numbers = (drawn(name, 2000) - true.offset) / true.factor
    values = numbers * taken.factor + taken.offset
    values = values[(values >= variable.low) & (values <= variable.high)]
    found = judged(month_of(input_counts(name, values)))
    (finding,) = [f for f in found.findings if f.kind == "units"]

    assert finding.guess
    assert (name, meant, read_as) == (finding.about, finding.guess.meant, finding.guess.read_as)
    assert finding.guess.share > 0.7


def test_a_mixture_of_units_is_recognised() -> None:
    values = np.concatenate([drawn("uacr", 500), drawn("uacr", 500) / UNITS["uacr"]["mg/mmol"][0]])
    guess = unit_guess("uacr", PEOPLE["uacr"][0], expected_counts("uacr", values))

    assert guess
    assert ("mg/mmol", "mg/g", 0.5) == guess


def expected_counts(name: str, values: np.ndarray) -> np.ndarray:
    return np.bincount([finder(name)(v) for v in values], minlength=len(labels(name)))


def test_a_shift_is_told_of_the_variable_that_moved() -> None:
    pressure, waist = drawn("systolic_bp", 400), drawn("waist", 400)
    usual = month_of(input_counts("systolic_bp", pressure), input_counts("waist", waist))
    moved = month_of(input_counts("systolic_bp", pressure + 15), input_counts("waist", waist))

    assert [] == told(judged(usual, usual, usual))
    assert ["systolic_bp"] == [about for _, about in told(judged(moved, usual, usual))]


def test_ten_people_are_no_shift() -> None:
    few = month_of(input_counts("systolic_bp", drawn("systolic_bp", 10) + 15), people=10)
    usual = month_of(input_counts("systolic_bp", drawn("systolic_bp", 400)))

    assert [] == told(judged(few, usual))


def test_what_else_is_told() -> None:
    usual = month_of(input_counts("waist", drawn("waist", 400)))
    missing = month_of(input_counts("waist", drawn("waist", 200), missing=200))
    refused = usual + Counter({Key("refusal", "m@1", "missing_input waist"): 100})
    rejected = usual + Counter({REJECTED: 100, Key("problem", "waist", "implausible"): 100})
    low, high = Key("probability", "m@1", "<0.01"), Key("probability", "m@1", "0.2-0.3")

    assert [("missing", "waist")] == told(judged(missing, usual))
    assert [("refused", "m@1")] == told(judged(refused, usual))
    assert [("unusable", ""), ("unusable", "waist")] == told(judged(rejected, usual))
    assert [("unusable", ""), ("unusable", "waist")] == told(judged(rejected))
    moved = judged(usual + Counter({high: 400}), usual + Counter({low: 400}))
    assert [("probability", "m@1")] == told(moved)
    (silent,) = judge({"2026-01": {"ward": usual}, "2026-02": {}}, "2026-02", PEOPLE)
    assert [("silent", "")] == told(silent)


def test_shares() -> None:
    assert (0.0, 1.0) == (Share(0, 0).low, Share(0, 0).high)
    assert Share(5, 50).low == pytest.approx(0.0435, abs=1e-4)
    assert Share(5, 50).high == pytest.approx(0.2136, abs=1e-4)
    assert not rose(Share(100, 10_000), Share(200, 10_000))  # sure, and too little
    assert not rose(Share(0, 0), Share(9, 10))


@pytest.mark.parametrize("seed", range(200))
def test_a_total_does_not_give_away_who_is_left_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.choice([0.5, 5, 12, 40], 6)).tolist()
    told_of = shown(counts)
    hidden = [n for n, kept in zip(counts, told_of, strict=True) if kept is None]

    assert all(kept is None or kept == n for n, kept in zip(counts, told_of, strict=True))
    assert not [kept for kept in told_of if kept is not None and 0 < kept < 10]
    all_there_are = len([n for n in counts if n]) == len(hidden)
    assert not hidden or all_there_are or (len(hidden) > 1 and sum(hidden) >= 10)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two months of two clients; the second reads uACR in another unit, and has few in August."""
    path = tmp_path / "counts.sqlite"
    file = CountFile(path)
    usual, wrong = drawn("uacr", 400), drawn("uacr", 400) / UNITS["uacr"]["mg/mmol"][0]
    problem = Counter({Key("problem", "alt", "implausible"): 3})
    file.add("2026-07", {"ward <b>": month_of(input_counts("uacr", usual))})
    file.add("2026-08", {"ward <b>": month_of(input_counts("uacr", usual[:390], 10)) + problem,
                         "clinic": month_of(input_counts("uacr", wrong)),
                         "tiny": month_of(input_counts("uacr", usual[:7]), people=7)})  # fmt: skip
    return path


def report(kept: Path, *options: str) -> tuple[int, str, Path]:
    result = CliRunner().invoke(app, ["monitor", str(kept), str(kept.parent / "out"), *options])
    return result.exit_code, result.output, kept.parent / "out"


def test_the_report_names_client_and_variable_and_hides_the_few(kept: Path) -> None:
    code, output, out = report(kept)
    said = json.loads((out / "monitor-2026-08.json").read_text("utf-8"))
    clients = {each["client"]: each for each in said["clients"]}

    assert 0 == code, output
    assert "3 clients in 2026-08, 1 things to look at" in output.replace("\n", " ")
    assert ["2026-07"] == said["compared_with"]
    findings = clients["clinic"]["findings"]
    assert [("units", "uacr")] == [(f["kind"], f["about"]) for f in findings if f["attention"]]
    assert "mg/mmol" == findings[0]["looks_like"]["meant"]
    assert [] == [f for f in clients["ward <b>"]["findings"] if f["attention"]]
    assert [{"variable": "alt", "problem": "implausible", "n": None}] == clients["ward <b>"][
        "problems"
    ]
    assert (None, None) == (clients["tiny"]["assessed"], clients["tiny"].get("inputs"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_stands_alone(kept: Path, lang: str) -> None:
    report(kept)
    page = (kept.parent / "out" / f"monitor-2026-08.{lang}.html").read_text("utf-8")
    text = words(lang)

    assert f'<html lang="{lang}">' in page
    assert text("notice.advisory") in page
    assert "ward &lt;b&gt;" in page
    assert "ward <b>" not in page
    assert text.label("uacr") in page
    assert text("monitor.do.units") in html.unescape(page)
    assert not [mark for mark in ("http:", "https:", "<script", "url(", "{{") if mark in page]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--month", "2026-8"], "YYYY-MM"),
        (["--month", "2020-01"], "there are: 2026-07, 2026-08"),
        (["--lang", "vi", "--month", "2020-01"], "hiện có: 2026-07, 2026-08"),
    ],
)
def test_what_there_is_no_report_of(kept: Path, options: list[str], said: str) -> None:
    code, output, out = report(kept, *options)

    assert 2 == code
    assert said in output
    assert not out.exists()


def test_a_file_that_is_none_ends_the_command(tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite"
    CountFile(empty)

    assert 2 == report(tmp_path / "none.sqlite")[0]
    assert "no counts yet" in report(empty)[1]


def test_every_finding_and_result_has_words() -> None:
    from cdss.monitor.judge import _ORDER
    from cdss.monitor.tally import RESULTS

    texts = words("en").texts
    kinds = {*_ORDER, "rejected"}
    assert kinds == {key.split(".")[2] for key in texts if key.startswith("monitor.what.")}
    assert kinds == {key.split(".")[2] for key in texts if key.startswith("monitor.do.")}
    assert set(RESULTS.values()) == {k.split(".")[2] for k in texts if "monitor.result." in k}


def test_counting_leaves_nothing_of_a_person(tmp_path: Path) -> None:
    """What is kept after many people is the same as after one person many times, but for counts."""
    tally = Tally(MODELS)
    place = load_jurisdiction("vn")
    person = record(age=51.2345, sex="female", bmi=23.4567, systolic_bp=131.7531)
    tally.count("ward", assess_all([person] * 20, MODELS, place, chosen=True))
    path = tmp_path / "counts.sqlite"
    CountFile(path).add("2026-10", tally.take())

    assert not [part for part in (b"51.23", b"23.45", b"131.7") if part in path.read_bytes()]
