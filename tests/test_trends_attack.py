"""
An attacker with overlapping reports: what a report without protection gives away, and ours.

Every attack is first carried out against exact figures of which the small ones are blanked, as many
agencies publish; it must succeed there. The levels asserted of ours are those of docs/trends.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

from cdss.trends.cells import noisy, protect, splits
from cdss.trends.define import measures
from cdss.trends.inputs import open_batches
from cdss.trends.measures import Number
from cdss.trends.noise import Protection, Secret
from cdss.trends.report import Report
from cdss.trends.run import Options, Watcher, gather, protection_of, run
from cdss.trends.sums import Sums
from tests.trends_site import Rows, people, write

SECRET = Secret(b"a" * 32)
LEAST = 10
TRIALS = 16
ONE = ("missing.fasting_glucose",)
Figures = dict[tuple[str, ...], float]


def published(report: Report, measure: str = "seen") -> Figures:
    """What anybody can read: number of people by period, area, sex and age."""
    rows = report.figures.filter(
        (pl.col("measure") == measure)
        & pl.col("suppressed").is_null()
        & pl.col("count").is_not_null()
    )
    return {
        key: value
        for *key_, value in rows.select("period", "area", "sex", "band", "count").iter_rows()
        for key in [tuple(key_)]
    }


def exact(rows: Rows, bands: tuple[int, ...], areas: int = 1) -> Figures:
    """The same, exactly."""
    found: Figures = {}
    for row in rows:
        at = int(np.searchsorted(bands, row["age"], "right")) - 1
        end = f"{bands[at]}+" if at + 1 == len(bands) else f"{bands[at]}-{bands[at + 1] - 1}"
        homes = ["*", row["province"], f"{row['province']} / {row['commune']}"][: areas + 1]
        for area in homes:
            for sex in ("*", row["sex"]):
                for band in ("*", end):
                    key = (str(row["index_date"].year), area, sex, band)
                    found[key] = found.get(key, 0) + 1
    return found


def blanked(figures: Mapping[Any, float]) -> Figures:
    return {key: value for key, value in figures.items() if value >= LEAST}


def right(guesses: list[float], truth: list[float], enough: int = 20) -> float:
    """How often a small count is told exactly."""
    assert len(guesses) >= enough
    return float(np.mean([round(g) == t for g, t in zip(guesses, truth, strict=True)]))


def differences(big: Figures, small: Figures, truth: Figures) -> tuple[list[float], list[float]]:
    """Small counts, by taking one report from the other."""
    keys = [k for k in truth if k in big and k in small and 0 < truth[k] < LEAST]
    return [big[k] - small[k] for k in keys], [truth[k] for k in keys]


def test_with_and_without_a_commune(tmp_path: Path) -> None:
    bands = Options().age_bands
    rows = people(2500, 2024, seed=8, communes=30)
    rest = [row for row in rows if row["commune"] != "Xã 0"]
    gone = exact([row for row in rows if row["commune"] == "Xã 0"], bands)
    options = Options(areas=("province",), measures=ONE)
    ours = [
        published(run([write(tmp_path / str(at), each)], SECRET, options))
        for at, each in enumerate((rows, rest))
    ]

    assert right(*differences(blanked(exact(rows, bands)), blanked(exact(rest, bands)), gone)) == 1
    assert right(*differences(*ours, gone)) < 0.25


def test_two_ways_to_cut_ages_of_the_same_people(tmp_path: Path) -> None:
    one, other = (18, 30, 40, 50, 60, 70), (18, 31, 41, 51, 61, 71)
    rows = people(2600, 2024, seed=9)
    out = write(tmp_path / "a", rows)
    ours = [
        published(run([out], SECRET, Options(areas=("province",), measures=ONE, age_bands=bands)))
        for bands in (one, other)
    ]
    naive = [blanked(exact(rows, bands)) for bands in (one, other)]

    def told(first: Figures, second: Figures) -> tuple[list[float], list[float]]:
        guesses, truth = [], []
        for province in sorted({row["province"] for row in rows}):
            for sex in ("male", "female"):
                keys = [("2024", province, sex, "18-29"), ("2024", province, sex, "18-30")]
                if keys[0] in first and keys[1] in second:
                    for low, high, age in (("18-29", "18-30", 30),):
                        a, b = (("2024", province, sex, band) for band in (high, low))
                        guesses.append(second[a] - first[b])
                        truth.append(
                            sum(r["province"] == province and r["sex"] == sex and r["age"] == age
                                for r in rows)
                        )  # fmt: skip
                for age in (40, 50, 60):  # shifted by one year: what is between the cuts
                    a = ("2024", province, sex, f"{age - 10}-{age - 1}")
                    b = ("2024", province, sex, f"{age - 9}-{age}")
                    if a in first and b in second:
                        guesses.append(second[b] - first[a])
                        truth.append(
                            sum(r["province"] == province and r["sex"] == sex
                                and (r["age"] == age) - (r["age"] == age - 10) for r in rows)
                        )  # fmt: skip
        return guesses, truth

    assert right(*told(*naive)) == 1
    assert right(*told(*ours)) < 0.3


def test_quarters_and_the_year_together(tmp_path: Path) -> None:
    rows = people(5000, 2024, seed=10, communes=40)
    out = write(tmp_path / "a", rows)
    options = Options(areas=("province", "commune"), measures=ONE)
    year = published(run([out], SECRET, options))
    quarters = published(run([out], SECRET, Options(options.areas, "quarter", measures=ONE)))

    def quarter(row: Mapping[str, Any]) -> int:
        return (row["index_date"].month - 1) // 3 + 1

    truth: dict[tuple[str, str], float] = {}
    for row in rows:
        area = f"{row['province']} / {row['commune']}"
        for sex in ("*",):
            for when in ("2024", f"2024-Q{quarter(row)}"):
                truth[when, area, sex] = truth.get((when, area, sex), 0) + 1
    guesses: dict[str, list[float]] = {"naive": [], "ours": []}
    answers: dict[str, list[float]] = {"naive": [], "ours": []}
    for (when, area, sex), count in truth.items():
        if "Q" not in when or count >= LEAST:
            continue
        others = [f"2024-Q{q}" for q in range(1, 5) if f"2024-Q{q}" != when]
        keys = [("2024", area, sex, "*"), *((q, area, sex, "*") for q in others)]
        if all(truth.get((w, a, s), 0) >= LEAST for w, a, s, _ in keys):
            known = [truth[w, a, s] for w, a, s, _ in keys]
            guesses["naive"].append(known[0] - sum(known[1:]))
            answers["naive"].append(count)
        if all(key in (year if key[0] == "2024" else quarters) for key in keys):
            guesses["ours"].append(year[keys[0]] - sum(quarters[key] for key in keys[1:]))
            answers["ours"].append(count)

    assert right(guesses["naive"], answers["naive"]) == 1
    assert right(guesses["ours"], answers["ours"], 8) < 0.25


def _sums(counts: Mapping[str, list[int]], mark: int) -> Sums:
    cells = pl.DataFrame({
        "period": ["2024"] * len(counts["people"]),
        "place": [f"xã {at}" for at in range(len(counts["people"]))],
        "sex": ["male"] * len(counts["people"]), "band": ["18+"] * len(counts["people"]), **counts,
    })  # fmt: skip
    none = pl.DataFrame()
    return Sums(cells, none, none, none, {"2024": mark})


def test_two_thresholds_of_the_same_people() -> None:
    rng = np.random.default_rng(11)
    high = rng.integers(20, 60, 300)
    between = rng.integers(0, 4, 300)
    everybody = Number("people", "people", pl.lit(True))
    numbers = [
        everybody, Number("a", "from 0.20", pl.lit(True)), Number("b", "from 0.19", pl.lit(True)),
    ]  # fmt: skip
    counts = {"people": [500] * 300, "a": [*high], "b": [*(high + between)]}
    told = protect(_sums(counts, 1), numbers, ["place"], Protection(SECRET, 3.0), "d")
    where = told.where(level=1, sex="*", band="*")
    guesses = (told.values["b"] - told.values["a"])[where]
    names = told.keys["area"].to_numpy()[where]
    truth = between[[int(name.removeprefix("xã ")) for name in names]]

    assert right([*(guesses)], [*truth]) < 0.2
    assert np.std(guesses - truth) == pytest.approx(3 * math.sqrt(2), rel=0.15)


def test_asking_again_gives_the_same_figures_so_that_noise_is_not_averaged_out(
    tmp_path: Path,
) -> None:
    rows = people(800, 2024, seed=12)
    outs = [write(tmp_path / "a", rows), write(tmp_path / "b", rows[::-1], part=300)]
    first, again = (run([out], SECRET, Options(areas=("province",))) for out in outs)
    without = run([outs[0]], SECRET, Options(measures=ONE))

    assert first.figures.sort("*").equals(again.figures.sort("*"))
    assert published(first)["2024", "*", "*", "*"] == published(without)["2024", "*", "*", "*"]
    other = run([outs[0]], Secret(b"b" * 32), Options(areas=("province",)))
    assert published(other) != published(first)


def test_hidden_cells_do_not_follow_from_margins(tmp_path: Path) -> None:
    """Linear programs over everything published: how well each hidden count is known."""
    bands = Options().age_bands
    rows = people(700, 2024, seed=13)
    truth = exact(rows, bands)
    report = run([write(tmp_path / "a", rows)], SECRET, Options(areas=("province",), measures=ONE))

    naive = _recovered(blanked(truth), truth, 0.0)
    assert len(naive) >= 3
    assert np.mean([high - low < 0.5 for low, high, _ in naive]) > 0.5

    ours = _recovered(published(report), truth, 3 * Options().spread)
    widths = [high - low for low, high, _ in ours]
    assert min(widths) > 2
    assert np.mean([round((low + high) / 2) == true for low, high, true in ours]) < 0.3


def _recovered(known: Figures, truth: Figures, slack: float) -> list[tuple[float, float, float]]:
    """For each hidden cell the least and the greatest count that go with what is published."""
    areas = sorted({key[1] for key in truth})
    sexes, bands = (sorted({key[at] for key in truth} - {"*"}) for at in (2, 3))
    leaves = [(a, s, b) for a in areas if a != "*" for s in sexes for b in bands]
    at = {leaf: n for n, leaf in enumerate(leaves)}
    rows, low, high = [], [], []
    for (_, area, sex, band), value in known.items():
        row = np.zeros(len(leaves))
        for (a, s, b), n in at.items():
            row[n] = area in ("*", a) and sex in ("*", s) and band in ("*", b)
        rows.append(row)
        low.append(value - slack)
        high.append(value + slack)
    matrix = np.array(rows)
    found = []
    for leaf in leaves:
        key = ("2024", *leaf)
        if key in known:
            continue
        aim = np.zeros(len(leaves))
        aim[at[leaf]] = 1
        ends = []
        for sign in (1, -1):
            # the published figures need not go together exactly: a program that cannot be solved
            # tells nothing
            solved = linprog(
                sign * aim, np.vstack([matrix, -matrix]), np.concatenate([high, [-x for x in low]]),
                bounds=(0, None),
            )  # fmt: skip
            ends.append(sign * solved.fun if solved.status == 0 else math.nan)
        if not any(math.isnan(end) for end in ends):
            found.append((ends[0], ends[1], truth.get(key, 0.0)))
    return found


def test_one_person_more_cannot_be_told_from_another(tmp_path: Path) -> None:
    """
    Two reports of nearly the same people: was it this person or another one who was added?

    The attacker knows everybody else, all values of the two, and combines every figure of both
    reports in the best linear way, which was learned from reports with other keys.
    """
    rows = people(1200, 2024, seed=14, provinces=2, communes=3)
    home = ("Tỉnh 0", "Xã 0")
    there, elsewhere = (
        rows[0] | {"person_id": "P999999", "province": place[0], "commune": place[1], "sex": sex}
        for place, sex in ((home, "male"), (("Tỉnh 1", "Xã 2"), "female"))
    )
    names = {"base": rows, "this": [*rows, there], "other": [*rows, elsewhere]}
    batches = {name: open_batches([write(tmp_path / name, each)]) for name, each in names.items()}
    found, _ = measures(batches["base"].place, batches["base"].columns, batches["base"].questions)
    numbers = [*{n.name: n for m in found for n in m.numbers()}.values()]

    @cache
    def vector(name: str, key: int, options: Options) -> np.ndarray:
        """Every figure, those that a report would hide too: the attacker is given more."""
        secret, inputs = Secret(key.to_bytes(32, "big")), batches[name]
        sums = gather(inputs, secret, options, found, Watcher())
        protection = protection_of(found, secret, options, 1)
        cells = protect(sums, numbers, options.areas, protection, inputs.identity)
        return np.concatenate([cells.values[number.name] for number in numbers])

    places = ("province", "commune")
    bare, ours = Options(places, spread=0.0, weights=0.0, least=1), Options(places, least=1)
    signal = vector("this", 0, bare) - vector("other", 0, bare)
    assert np.abs(signal).sum() > 50  # exact reports say who it was in dozens of places

    def shifts(name: str, keys: range) -> np.ndarray:
        return np.array([vector(name, key, ours) - vector("base", key, ours) for key in keys])

    useful = np.flatnonzero(signal)
    learned = [shifts(name, range(TRIALS))[:, useful] for name in ("this", "other")]
    spread = np.concatenate([each - each.mean(axis=0) for each in learned])
    best = np.linalg.solve(np.cov(spread.T) + 4.0 * np.eye(len(useful)), signal[useful])
    middle = 0.5 * sum(each.mean(axis=0) for each in learned) @ best
    fresh = range(1000, 1000 + TRIALS)
    hits = [
        (shift @ best > middle) == (name == "this")
        for name in ("this", "other")
        for shift in shifts(name, fresh)[:, useful]
    ]
    assert np.mean(hits) < 0.8


def test_differential_privacy_holds_as_stated() -> None:
    """
    One person more or less changes the chance of any answer by at most e to the epsilon.

    The numbers of a whole report that the person is in are watched together: how often the sum of
    them passes each limit, under many keys, in the two data sets.
    """
    epsilon, numbers = 1.0, [Number(f"n{at}", f"n{at}", pl.lit(True)) for at in range(4)]
    share = len(numbers) * splits(1)
    where = [[f"{mark}|cell {at}" for at in range(splits(1))] for mark in ("d0", "d1")]
    seen: list[list[float]] = [[], []]
    for key in range(2000):
        for world in (0, 1):
            secret = Secret((2 * key + world).to_bytes(32, "big"))
            protection = Protection(secret, 3.0, 0.2, epsilon, share)
            exact = np.full(splits(1), 4000 + world)
            told = [noisy(exact, number, where[world], protection).sum() for number in numbers]
            seen[world].append(float(sum(told)))
    for limit in np.quantile(np.concatenate(seen), [0.2, 0.35, 0.5, 0.65, 0.8]):
        for side in (np.greater_equal, np.less):
            one, other = (side(np.array(world), limit).mean() for world in seen)
            slack = 4 * math.sqrt(1 / len(seen[0]))
            assert one <= math.exp(epsilon) * other + slack
            assert other <= math.exp(epsilon) * one + slack


def test_the_noise_of_differential_privacy_is_the_one_the_proof_needs() -> None:
    """Of a single number: frequencies of neighbours differ by no more than its part of epsilon."""
    scale = 5.0
    labels = [f"x{at}" for at in range(200_000)]
    drawn = Protection(SECRET, 3.0, 0.2, 1.0, int(scale)).noise(labels, False)
    values, often = np.unique(drawn, return_counts=True)
    seen = dict(zip(values.tolist(), often.tolist(), strict=True))
    for at in range(-12, 12):
        ratio = seen[at] / seen[at + 1]
        error = 4 * ratio * math.sqrt(1 / seen[at] + 1 / seen[at + 1])
        assert math.exp(-1 / scale) - error < ratio < math.exp(1 / scale) + error
    assert np.std(drawn) == pytest.approx(math.sqrt(2) * scale, rel=0.02)


def test_the_share_of_one_person_is_counted_right(tmp_path: Path) -> None:
    """Numbers that change when a person is taken out are never more than the report assumes."""
    rows = people(300, 2024, seed=15) + people(300, 2025, seed=15)
    options = Options(("province", "commune"), spread=0.0, weights=0.0, least=1)
    found = []
    for at, each in enumerate((rows, [r for r in rows if r["person_id"] != "P000001"])):
        inputs = open_batches([write(tmp_path / str(at), each)])
        told, _ = measures(inputs.place, inputs.columns, inputs.questions)
        sums = gather(inputs, SECRET, options, told, Watcher())
        protection = protection_of(told, SECRET, options, 2)
        numbers = [*{n.name: n for m in told for n in m.numbers()}.values()]
        cells = protect(sums, numbers, options.areas, protection, "d")
        found.append(np.concatenate([cells.values[n.name] for n in numbers]))
    change = np.abs(found[0] - found[1])
    assert change.max() <= 1
    assert 20 < change.sum() <= protection.share
