"""
People made up so that the truth is known: undiagnosed diabetes by age, sex and body measures.

Tables, fitted models, bundles and evidence are made by the code that makes the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdss.bundle import load_bundle
from cdss.risk import RiskModel
from training.contenders import of_log_odds
from training.data import Report, Table
from training.definition import Cohort, Definition, definitions, predictors_of
from training.families import Fitted, Sample, spline
from training.figures import People, figures
from training.fit import background
from training.headtohead import head_to_head
from training.local import Local
from training.package import Product, write
from training.resample import bootstrap
from training.sample_size import cox_snell, to_develop
from training.subgroups import dimensions, subgroups

MODEL = "diabetes-undiagnosed"
THRESHOLDS = {"range": [0.02, 0.2], "marked": [0.05, 0.1]}
WHY = "made up"


def true_log_odds(frame: pd.DataFrame) -> np.ndarray:
    """What decides who has diabetes in these people."""
    return (
        -2.2
        + 0.05 * (frame["age"] - 50)
        + 0.10 * (frame["bmi"] - 27)
        + 0.03 * (frame["waist"] - 95)
        - 0.4 * frame["sex"]
    ).to_numpy(float)


def people(n: int, seed: int, *, intercept: float = 0.0, slope: float = 1.0) -> Table:
    """A table of people who have diabetes with log-odds ``intercept + slope * true``."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": rng.uniform(21, 79, n).round(), "sex": rng.integers(0, 2, n)})
    frame["bmi"] = np.clip(rng.normal(27, 4.5, n), 16, 50).round(1)
    frame["waist"] = (95 + 2.0 * (frame["bmi"] - 27) + rng.normal(0, 7, n)).round(1)
    probability = 1 / (1 + np.exp(-(intercept + slope * true_log_odds(frame))))
    sick = rng.random(n) < probability
    frame["hba1c"] = np.where(sick, 6.5 + rng.exponential(0.7, n), rng.uniform(4.6, 6.49, n))
    frame = frame.astype(float).assign(diabetes=0.0, person=np.arange(n) + 100_000 * seed)
    facts = {
        "title": WHY, "origin": WHY, "url": "", "population": WHY, "extra": {},
        "columns": {name: {"column": name} for name in ("age", "sex", "bmi", "waist", "hba1c")},
    }  # fmt: skip
    digest = f"{seed:02d}{n:010d}" + "0" * 52
    return Table(f"made up {seed}", frame, {}, digest, facts, Report(n, n))


def definition(
    *optional: str, also: tuple[str, ...] = (), measured_by: tuple[str, ...] | None = None
) -> Definition:
    """The real definition of undiagnosed diabetes, requiring age, sex and `also`."""
    real = definitions()[MODEL]
    inputs = ("age", "sex", *also)

    def cohort(table: Table) -> Cohort:
        found = real.cohort(table)
        return replace(found, x=predictors_of(found.people, (*inputs, *optional)))

    return replace(
        real,
        inputs=dict.fromkeys(inputs, WHY),
        optional=dict.fromkeys(optional, WHY),
        monotone={},
        measured_by=real.measured_by if measured_by is None else measured_by,
        cohort=cohort,
    )


def fitted(of: Definition, table: Table) -> Fitted:
    """A spline logistic regression of everybody, once as observed and once with less known."""
    people = of.cohort(table)
    whole = people.x
    some = whole.assign(**{name: np.float32(np.nan) for name in of.optional})
    sample = Sample(
        pd.concat([whole, some], ignore_index=True),
        np.tile(people.y, 2),
        np.ones(2 * len(whole)) / 2,
        np.zeros(2 * len(whole)),
    )
    return spline.fit(sample, {})


def bundle(
    folder: Path, of: Definition, table: Table, model: Fitted, *, version: str = "1.0.0",
    intercept: float = 0.0, slope: float = 1.0,
) -> RiskModel:  # fmt: skip
    """Write and load the bundle of a fitted model."""
    who = of.cohort(table)
    product = Product.of(model, intercept, slope, background(who))
    facts = {
        "family": "spline",
        "recalibration": {"intercept": intercept, "slope": slope},
        "time_coefficient": 0.0,
        "metrics": {"all": {"auroc": 0.8}},
        "sites": None,
        "families": {},
        "untuned_boosting_auroc": 0.8,
    }
    write(folder, of, table, who, product, facts, version)
    return load_bundle(folder)


def evidence(
    model: RiskModel, of: Definition, table: Table, rivals: Mapping[str, RiskModel] | None = None
) -> dict[str, Any]:
    """What a validation on a table finds, with the parts the gate asks for."""
    local = Local.of(model, of, table)
    who = local.cohort
    some = People(who.y, who.weight, np.ones(len(who)), bootstrap(who.person, 60))
    said = local.log_odds["all"]
    others = [
        of_log_odds(name, Local.of(rival, of, table).log_odds["all"])
        for name, rival in (rivals or {}).items()
    ]
    compared = head_to_head(some, of_log_odds(model.id, said), others, THRESHOLDS)
    within, apart = subgroups(some, said, dimensions(of, who), THRESHOLDS)
    tiers = {t: figures(some, v, THRESHOLDS) for t, v in local.log_odds.items()}
    share = tiers["all"]["prevalence"]
    needed = to_develop(30, share, cox_snell(tiers["all"]["auroc"], share))
    sizes = {"needed": needed, "had": len(who), "sufficient": len(who) >= needed}
    return {
        "format": 1, "model": model.id, "version": model.version, "digest": model.facts["digest"],
        "dataset": table.name, "data_sha256": table.digest, "validation": "external",
        "people": len(who), "events": int(who.y.sum()), "tiers": tiers,
        "head_to_head": {"all": compared}, "subgroups": within, "subgroup_differences": apart,
        "sample_size": {"development": sizes, "validation": sizes}, "thresholds": THRESHOLDS,
    }  # fmt: skip


def written(file: Path, content: Any) -> Path:
    """A JSON file with that content."""
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
