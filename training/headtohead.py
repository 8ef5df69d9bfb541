"""
A model beside the published equations, age alone, and age with sex: the same people, paired.

On its own development data a model is judged by cross-validated predictions (by participant), on
any other table by the bundle that ships. An equation of another outcome is compared by ranking and
net benefit only: its calibration would say nothing.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from cdss import RiskModel, load_models, published_models
from cdss.bundle import SHIPPED
from cdss.equation import log_odds as logit
from training.calibration import calibration_error
from training.data import load_table
from training.decision import at_threshold, decision_curve, net_benefit
from training.definition import Cohort, Definition, definitions, predictors_of
from training.families import families
from training.fit import cross_validate, folds
from training.metrics import BOOTSTRAPS, auroc, performance
from training.plots import curves, decision

THRESHOLDS = tomllib.loads((Path(__file__).parent / "thresholds.toml").read_text(encoding="utf-8"))

SAME = {
    "incident_hypertension": ("framingham-hypertension-2008",),
    "cardiovascular_disease": ("framingham-cvd-2008-lipids", "framingham-cvd-2008-bmi"),
}
"""Outcome of a trained model → equations of the same outcome; all others are of another one."""

RELATED = {
    "incident_hypertension": (),
    "cardiovascular_disease": (
        "who-2019-lab-sea", "who-2019-nonlab-sea", "prevent-2023-cvd-10y",
        "pce-2013-white-or-other",
    ),
    "cardiovascular_death": (
        "who-2019-lab-sea", "who-2019-nonlab-sea", "framingham-cvd-2008-lipids",
        "framingham-cvd-2008-bmi", "prevent-2023-cvd-10y", "prevent-2023-ascvd-10y",
        "pce-2013-white-or-other",
    ),
}  # fmt: skip
"""Outcome of a trained model → equations of a related outcome."""


class Predictions(NamedTuple):
    """Predictions of the models of the outcome itself, of the people compared."""

    y: np.ndarray
    weight: np.ndarray
    log_odds: dict[str, np.ndarray]


FEWEST = 0.5
"""Share of the cohort an equation must answer for, to be compared at all."""


@dataclass(frozen=True)
class Contender:
    """Predictions of one model, NaN for people to whom it does not apply."""

    name: str
    log_odds: np.ndarray
    same_outcome: bool


def head_to_head(
    model: str,
    table: str | os.PathLike[str] | None = None,
    *,
    dataset: str | None = None,
    bundles: str | os.PathLike[str] = SHIPPED,
    predictions: bool = False,
) -> Any:
    """
    Compare a model with what stands beside it.

    Parameters
    ----------
    model : str
        Id of a trained model.
    table : path, optional
        Another table than the development data.
    dataset : str, optional
        Whose columns the table has; by default the development data set.
    bundles : path, optional
        Where the model is.
    predictions : bool
        Whether the predictions are given too.

    Returns
    -------
    dict, or tuple of dict and Predictions
        ``people`` (everybody compared), ``validation`` (``cross-validated`` or ``external``),
        ``contenders`` with performance, calibration error and thresholds of each, ``differences``
        from the model with 95 % CIs, ``left_out`` with reasons.

    Raises
    ------
    LookupError
        If the model does not exist.
    """
    known = definitions()
    if model not in known:
        raise LookupError(f"no model named {model}; there are: {', '.join(known)}")
    definition = known[model]
    (bundle,) = load_models([model], folder=bundles)
    data = load_table(dataset or definition.dataset, table)
    cohort = definition.cohort(data)
    people = cohort.people
    found, left_out = _contenders(definition, bundle, cohort, people, external=table is not None)
    keep = np.logical_and.reduce([np.isfinite(c.log_odds) for c in found])
    cohort = cohort.take(keep)
    found = [Contender(c.name, c.log_odds[keep], c.same_outcome) for c in found]
    report = {
        "model": model,
        "version": bundle.version,
        "digest": bundle.facts["digest"],
        "dataset": data.name,
        "data_sha256": data.digest,
        "validation": "external" if table is not None else "cross-validated",
        "people": len(cohort),
        "of": len(keep),
        "thresholds": THRESHOLDS[definition.outcome],
        "contenders": {c.name: _figures(definition, cohort, c) for c in found},
        "differences": _differences(definition, cohort, found),
        "left_out": left_out,
    }
    same = {c.name: c.log_odds for c in found if c.same_outcome}
    return (report, Predictions(cohort.y, cohort.weight, same)) if predictions else report


def write(
    report: Mapping[str, Any], predictions: Predictions, folder: str | os.PathLike[str]
) -> None:
    """
    Write a comparison as JSON and pictures.

    Parameters
    ----------
    report : mapping
        What `head_to_head` found.
    predictions : Predictions
        What its pictures are of.
    folder : path
        Where; made if needed.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1)
    (path / "headtohead.json").write_text(f"{text}\n", encoding="utf-8")
    curves(predictions.y, predictions.log_odds, predictions.weight).savefig(
        path / "calibration.png", dpi=120
    )
    decision(report["contenders"]).savefig(path / "decision_curve.png", dpi=120)


def _contenders(
    definition: Definition, bundle: RiskModel, cohort: Cohort, people: pd.DataFrame, external: bool
) -> tuple[list[Contender], dict[str, str]]:
    """Who takes part, the model itself first; and who cannot, with the reason."""
    if external:
        values = predictors_of(cohort.x, bundle.predictors)
        columns = bundle.columns({n: values[n].to_numpy(np.float64) for n in bundle.predictors})
        later = bundle.facts["time_coefficient"] * cohort.log_time
        mine = np.asarray(logit(columns.probability)) + later
        mine[np.isnan(columns.probability)] = np.nan
    else:
        fit = families()[bundle.facts["family"]]
        mine = cross_validate(definition, cohort, fit, sites=False).log_odds["all"]
    found = [Contender(definition.id, mine, True)]
    found += [
        Contender(name, _baseline(cohort, inputs), True)
        for name, inputs in (("age", ["age"]), ("age and sex", ["age", "sex"]))
    ]
    table = encoded(people)
    left_out = {}
    published = {m.id: m for m in published_models()}
    same = SAME.get(definition.outcome, ())
    for name in (*same, *RELATED.get(definition.outcome, ())):
        equation = published[name]
        assert isinstance(equation, RiskModel)
        risk = equation.columns(table).probability
        share = float(np.isfinite(risk).mean())
        if share < FEWEST:
            missing = [n for n in equation.inputs if n not in table]
            why = f"lacks {', '.join(missing)}" if missing else "people outside its limits"
            left_out[name] = f"answers for {share:.0%} of the people: {why}"
            continue
        answer = np.asarray(logit(risk))
        answer[np.isnan(risk)] = np.nan
        found.append(Contender(name, answer, name in same))
    return found, left_out


def encoded(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """
    Columns of a table as equations take them.

    Parameters
    ----------
    people : pandas.DataFrame, shape (n, k)
        Variables as models see them.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        With ``current_smoker`` from ``smoking`` where only that is known.
    """
    table = {
        name: people[name].to_numpy(dtype=np.float64)
        for name in people.columns
        if pd.api.types.is_numeric_dtype(people[name])
    }
    if "smoking" in table and "current_smoker" not in table:
        smoking = table["smoking"]
        table["current_smoker"] = np.where(np.isnan(smoking), np.nan, smoking == 2)
    return table


def _baseline(cohort: Cohort, inputs: list[str]) -> np.ndarray:
    """Out-of-fold log-odds of a spline of age, one for each sex where asked."""
    answer = np.full(len(cohort), np.nan)
    for fitted, out in folds(cohort):
        part = cohort.take(fitted)
        part = part.take(part.weight > 0)
        model = make_pipeline(
            SplineTransformer(n_knots=5, extrapolation="linear"),
            LogisticRegression(C=1e4, max_iter=1000),
        )
        if len(inputs) > 1:  # one curve for men, one for women
            for sex in (0, 1):
                mine = (part.x["sex"] == sex).to_numpy()
                model.fit(
                    part.x.loc[mine, ["age"]].to_numpy(), part.y[mine],
                    logisticregression__sample_weight=part.weight[mine],
                )  # fmt: skip
                rows = out[(cohort.x["sex"].to_numpy()[out] == sex)]
                answer[rows] = model.decision_function(cohort.x.iloc[rows][["age"]].to_numpy())
        else:
            model.fit(
                part.x[["age"]].to_numpy(), part.y, logisticregression__sample_weight=part.weight
            )
            answer[out] = model.decision_function(cohort.x.iloc[out][["age"]].to_numpy())
    return answer


def _figures(definition: Definition, cohort: Cohort, contender: Contender) -> dict[str, Any]:
    facts = THRESHOLDS[definition.outcome]
    probability = 1 / (1 + np.exp(-contender.log_odds))
    figures = performance(cohort.y, contender.log_odds, cohort.weight, cohort.person)
    if contender.same_outcome:
        figures |= calibration_error(cohort.y, contender.log_odds, cohort.weight)
    else:
        figures = {k: figures[k] for k in ("n", "events", "prevalence", "auroc", "auroc_95ci")}
    low, high = facts["range"]
    args = (cohort.y, probability, cohort.weight)
    return figures | {
        "same_outcome": contender.same_outcome,
        "at": [at_threshold(*args, t) for t in facts["marked"]],
        "decision_curve": decision_curve(*args, np.linspace(low, high, 20).tolist()),
    }


def _differences(
    definition: Definition, cohort: Cohort, found: list[Contender]
) -> dict[str, dict[str, Any]]:
    """Model less contender, with intervals from one bootstrap of persons for all of them."""
    first, *others = found
    marked = THRESHOLDS[definition.outcome]["marked"]

    def figures(weight: np.ndarray) -> dict[str, Mapping[str, float]]:
        all_of = {}
        for c in found:
            p = 1 / (1 + np.exp(-c.log_odds))
            all_of[c.name] = {"auroc": auroc(cohort.y, c.log_odds, weight)} | {
                f"net_benefit_{t:g}": net_benefit(cohort.y, p, weight, t) for t in marked
            }
        return all_of

    rng = np.random.default_rng(7)
    who = np.unique(cohort.person, return_inverse=True)[1]
    draws = [
        figures(cohort.weight * rng.poisson(1.0, who.max() + 1)[who]) for _ in range(BOOTSTRAPS)
    ]
    point = figures(cohort.weight)
    answer: dict[str, dict[str, Any]] = {}
    for other in others:
        answer[other.name] = {}
        for name, value in point[first.name].items():
            apart = [d[first.name][name] - d[other.name][name] for d in draws]
            low, high = np.quantile(apart, [0.025, 0.975])
            answer[other.name][name] = {
                "difference": value - point[other.name][name],
                "95ci": [float(low), float(high)],
            }
    return answer
