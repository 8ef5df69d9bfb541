"""What the page has to know, taken from the library: variables, models, rules, words."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import NormalDist
from typing import Any

from cdss.errors import Problem
from cdss.guideline import TOPICS, Guideline
from cdss.i18n import LANGUAGES, Words, words
from cdss.jurisdiction import JURISDICTIONS, Jurisdiction, Model, load_jurisdiction
from cdss.limits import Finding, Limit, is_known, is_no, is_unknown, is_yes
from cdss.points import PointsScore
from cdss.population import COMBINATION, LEVELS
from cdss.risk import RiskModel
from cdss.source import Source
from cdss.units import UNITS
from cdss.variables import VARIABLES
from cdss.wire import model_to_dict
from serving.offline.literals import javascript
from serving.page.bands import bands_of
from serving.page.facts import FACTS


def data_modules(place: Jurisdiction, models: Iterable[Model], folder: Path) -> dict[str, str]:
    """
    Write down what the page has to know.

    Parameters
    ----------
    place : Jurisdiction
        Whose preferences and rules.
    models : iterable of RiskModel or PointsScore
        That the edition has.
    folder : path
        Where the bundles of the trained ones are.

    Returns
    -------
    dict of str to str
        File → JavaScript module of constants.
    """
    return {
        "page.js": _module(
            FACTS=dict(FACTS),
            BANDS={lang: _bands(place, words(lang)) for lang in LANGUAGES},
        ),
        "variables.js": _module(VARIABLES=_variables(), UNITS=_units()),
        "models.js": _module(MODELS=[_model(model, folder) for model in models]),
        "place.js": _module(PLACE=_place(place), TOPICS=TOPICS),
        "words.js": _module(WORDS={lang: dict(words(lang).texts) for lang in LANGUAGES}),
    }


def _module(**constants: Any) -> str:
    return "".join(f"export const {k} = {javascript(v)};\n" for k, v in constants.items())


def _bands(place: Jurisdiction, text: Words) -> dict[str, Any]:
    """Of the questions whose answer lies in a band of a guideline in force."""
    found = {question.id: bands_of(question.id, place, text) for question in place.questions}
    return {question: bands for question, bands in found.items() if bands}


def _variables() -> dict[str, Any]:
    return {
        v.name: {
            "name": v.name, "kind": v.kind, "group": v.group, "unit": v.unit,
            "low": v.low, "high": v.high, "choices": v.choices, "options": v.options,
            "fresh_for": v.fresh_for, "laboratory": v.laboratory, "modifiable": v.modifiable,
        }
        for v in VARIABLES.values()
    }  # fmt: skip


def _units() -> dict[str, Any]:
    return {
        name: {code: {"factor": c.factor, "offset": c.offset} for code, c in units.items()}
        for name, units in UNITS.items()
    }


def _problem(problem: Problem) -> tuple[Any, ...]:
    return problem.code, problem.variable, problem.detail, dict(problem.params)


def _findings(findings: Iterable[Finding]) -> list[Any]:
    """What may be said of a patient, and of whom: name of a test, or range to lie outside."""
    return [(_problem(finding.problem), _test(finding.test)) for finding in findings]


def _test(test: Callable[[Any], Any]) -> Any:
    limit = getattr(test, "__self__", None)
    if isinstance(limit, Limit) and test == limit.passed:
        return (limit.low, limit.high, limit.below)
    return _TESTS[test]


_TESTS: dict[Any, str] = {is_unknown: "unknown", is_known: "known", is_yes: "yes", is_no: "no"}


def _model(model: Model, folder: Path) -> dict[str, Any]:
    common = {
        "id": model.id, "version": model.version, "outcome": model.outcome,
        "horizon_years": model.horizon_years, "inputs": model.inputs, "optional": model.optional,
        "excluded": model.excluded, "only_with": getattr(model, "only_with", ()),
        "predictors": model.predictors,
        "limits": {
            name: {"low": limit.low, "high": limit.high} for name, limit in model.limits.items()
        },
        "sources": [_source(source) for source in model.sources],
        "objections": _findings(model.objections), "remarks": _findings(model.remarks),
        "cautions": list(map(_problem, model.cautions)),
        "about": {lang: model_to_dict(model, lang) for lang in LANGUAGES},
    }  # fmt: skip
    return common | (_points(model) if isinstance(model, PointsScore) else _risk(model, folder))


def _points(model: PointsScore) -> dict[str, Any]:
    return {
        "kind": "points",
        "validity": None,
        "rows": [tuple(row) for row in model.rows],
        "cut_off": tuple(model.cut_off),
    }


def _risk(model: RiskModel, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "trained", "baseline": model.baseline, "reference": dict(model.reference),
        "spanned": model.spanned, "measured_by": model.measured_by,
        "demonstration": model.demonstration, "released": model.released, "validity": None,
    }  # fmt: skip
    if "function" in model.facts:
        return found | {
            "kind": "equation",
            "formula": (model.facts["equation"], model.facts["function"].__name__),
            "coefficients": {s: dict(c) for s, c in model.facts["coefficients"].items()},
            "reference_row": [model.facts["reference"][name] for name in model.inputs[1:]],
        }
    return found | {
        "file": f"models/{model.id}.onnx.packed",
        "digest": model.facts["digest"],
        "graph": model.facts["files"]["model.onnx"],
        "validity": _validity(model),
        "cases": _cases(model, folder / model.id / "cases.csv"),
    }


def _cases(model: RiskModel, file: Path) -> list[Any]:
    """Known answers: inputs, NaN for unknown, and the probability."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            ([float(row[name] or "nan") for name in model.predictors], float(row["probability"]))
            for row in csv.DictReader(lines)
        ]


def _validity(model: RiskModel) -> dict[str, Any] | None:
    validity = model.validity
    if validity is None:
        return None
    interval, people = validity.interval, validity.population
    names = (*validity.quantities, COMBINATION) if people else ()
    told = {name: validity.problem(name) for name in names}
    return {
        "tiers": validity.tiers,
        "interval": interval
        and (interval.level, interval.people, interval.between, dict(interval.scale)),
        "population": people
        and {
            "names": people.names,
            "quantiles": people.quantiles.tolist(),
            "correlation": people.correlation.tolist(),
            "threshold": people.threshold,
            "scores": [NormalDist().inv_cdf(level) for level in LEVELS],
        },
        "problems": {name: _problem(problem) for name, problem in told.items()},
    }


_RISKS = sorted({risk for name in JURISDICTIONS for risk in load_jurisdiction(name).risks})
"""Risks that rules may ask for; a jurisdiction need not answer them all."""


def _place(place: Jurisdiction) -> dict[str, Any]:
    return {
        "id": place.id, "name": place.name, "language": place.language, "levels": place.levels,
        "questions": [
            {"id": q.id, "why": q.why, "options": [option._asdict() for option in q.options]}
            for q in place.questions
        ],
        "named": sorted(place.named),
        "risks": place.risks, "all_risks": _RISKS,
        "guidelines": [_guideline(guideline) for guideline in place.guidelines],
    }  # fmt: skip


def _guideline(guideline: Guideline) -> dict[str, Any]:
    return {
        "key": guideline.key,
        "numbers": {p.name: p.canonical for p in guideline.parameters.values()},
        "shown": {p.name: p.value for p in guideline.parameters.values()},
        "rules": [
            {
                "id": r.id, "topic": r.topic, "strength": r.strength, "who": r.who,
                "within": r.within, "open": r.open,
                "source": _source(r.source),
            }
            for r in guideline.rules
        ],
    }  # fmt: skip


def _source(source: Source) -> dict[str, str]:
    return {"citation": source.citation, "locator": source.locator, "url": source.url}
