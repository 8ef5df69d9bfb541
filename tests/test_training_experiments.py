"""What was tried: the comparison itself, and that the page says what the table says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_families import people

from training.data import ROOT
from training.definition import Cohort, definitions
from training.experiments.__main__ import RESULTS, _keep
from training.experiments.ideas import CHAMPIONS_BEFORE, EXTRA_PREDICTORS, Idea, ideas
from training.experiments.trial import MEAN, differences, some_of, trials
from training.families import Sample, spline
from training.fit import Validation
from training.metrics import auroc

DEFINITION = definitions()["diabetes-undiagnosed"]
PAGE = ROOT / "docs" / "what-was-tried.md"


def cohort(n: int = 3000) -> Cohort:
    x = people(n).reindex(columns=list(DEFINITION.predictors)).astype("float32")
    rng = np.random.default_rng(0)
    p = 1 / (1 + np.exp(2 - 0.05 * (x["age"].to_numpy(float) - 50)))
    y = (rng.random(n) < p).astype(int)
    nothing = np.zeros(n)
    return Cohort(x, y, np.ones(n), nothing, np.arange(n) // 2, None, (), x)


class Age:
    """Log-odds that rise with age and nothing else."""

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        return (x["age"].to_numpy(float) - 50) / 20


def by_age(sample: Sample, monotone: dict[str, int]) -> Age:
    return Age()


def validation(cohort: Cohort, noise: float) -> Validation:
    rng = np.random.default_rng(5)
    score = cohort.x["age"].to_numpy(float) + noise * rng.normal(size=len(cohort))
    return Validation({"all": {}}, {"all": score}, {}, 0.0, 1.0, 0.0, None)


def test_a_difference_is_that_of_two_aurocs_and_its_interval_is_paired() -> None:
    some = cohort()
    one, other = validation(some, 0.0), validation(some, 30.0)
    expected = auroc(some.y, other.log_odds["all"]) - auroc(some.y, one.log_odds["all"])
    gain, low, high = differences(some, one, other)["all"]

    assert gain == pytest.approx(expected, abs=1e-12)
    assert low < gain < high
    assert differences(some, one, one)["all"] == (0.0, 0.0, 0.0)
    assert differences(some, one, other)[MEAN] == pytest.approx((gain, low, high))


def test_trials_compare_with_the_first_on_the_same_people() -> None:
    shipped, new = Idea("age", by_age), Idea("spline", spline.fit)
    rows = pd.DataFrame(trials(DEFINITION, cohort(), [shipped, new]))
    tiers = [*DEFINITION.tiers, MEAN]

    assert rows["idea"].tolist() == ["age"] * len(tiers) + ["spline"] * len(tiers)
    assert rows["tier"].tolist() == tiers * 2
    assert (rows.loc[rows["idea"] == "age", "difference"] == 0).all()
    other = rows[rows["idea"] == "spline"].set_index("tier")
    gain = other["auroc"] - rows[rows["idea"] == "age"].set_index("tier")["auroc"]
    assert gain.to_numpy() == pytest.approx(other["difference"].to_numpy(), abs=1e-9)
    assert other.loc["all", "slope"] > 0


def test_a_part_of_a_cohort_is_the_same_every_time() -> None:
    some = cohort(300)

    assert some_of(some, 300) is some
    assert some_of(some, 100).x.index.equals(some_of(some, 100).x.index)
    assert len(some_of(some, 100)) == 100


def test_a_row_takes_the_place_of_its_older_self(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    for value in (0.1, 0.2):
        _keep({"model": "m", "idea": "i", "tier": "all", "auroc": value}, out)
        _keep({"model": "a", "idea": "i", "tier": "all", "auroc": 0.5}, out)
    table = pd.read_csv(out)

    assert table["model"].tolist() == ["a", "m"]
    assert table["auroc"].tolist() == [0.5, 0.2]


@pytest.mark.parametrize("model", CHAMPIONS_BEFORE)
def test_ideas_begin_with_what_shipped_and_never_see_the_outcome(model: str) -> None:
    definition = definitions()[model]
    first, *others = ideas(model)

    assert first.name == f"{CHAMPIONS_BEFORE[model]}, as shipped"
    assert len({idea.name for idea in others}) == len(others)
    for idea in (first, *others):
        seen = set(idea.change(definition).predictors)
        assert not seen & {*definition.measured_by, *definition.excluded}
        assert seen - set(definition.predictors) <= set(EXTRA_PREDICTORS.get(model, ()))


def test_the_page_says_what_the_table_says() -> None:
    results = pd.read_csv(RESULTS).set_index(["model", "idea", "tier"])
    told = re.findall(
        r"^\| ([a-z-]+) \| (.+?) \| ([+−]\d+) \(([+−]\d+) to ([+−]\d+)\) \|",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert set(CHAMPIONS_BEFORE) == {model for model, *_ in told}
    for model, idea, *figures in told:
        row = results.loc[(model, idea, MEAN)]
        expected = [1e4 * row[key] for key in ("difference", "low", "high")]
        given = [int(f.replace("−", "-")) for f in figures]
        assert given == pytest.approx(expected, abs=0.51), (model, idea)
    tried = {(model, idea) for model, idea, _ in results.index if "as shipped" not in idea}
    assert tried == {(model, idea) for model, idea, *_ in told}
