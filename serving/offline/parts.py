"""Which parts of the library are translated for the page."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from cdss import (
    bands,
    derived,
    equation,
    errors,
    estimate,
    facts,
    interval,
    plausible,
    population,
    record,
    units,
)
from cdss import points as scores
from cdss.guidelines import GUIDELINES
from cdss.i18n import contributions
from cdss.jurisdiction import Jurisdiction, Model
from serving.offline.statements import Part
from serving.offline.translate import translate

_FIXED = (
    Part(errors, "errors.js", only=("Problem",)),
    Part(bands, "bands.js"),
    Part(estimate, "estimate.js", without=("Outcome",)),
    Part(derived, "derived.js"),
    Part(plausible, "plausible.js",
         only=("_IMPLIED", "_range", "stale", "contradictions", "implausible_derived")),
    Part(interval, "interval.js", only=("Interval", "_HALF_TURN"),
         methods={"Interval": ("around",)}, data=("_HALF_TURN",)),
    Part(facts, "facts.js"),
    Part(units, "units.js", only=("mg_per_dl", "mmol_per_mol"),
         elsewhere={"UNITS": "./variables.js"}),
    *(
        Part(module, file, only=names, data=names)
        for module, file, names in (
            (population, "population.js", ("COMBINATION", "_FLOOR", "_FEWEST")),
            (record, "record.js", ("MOST_VISITS",)),
            (contributions, "contributions.js", ("_MOST", "_SMALL")),
        )
    ),
    Part(equation, "equation.js", only=("linear", "log_odds", "_CERTAIN")),
    Part(scores, "points.js", only=("Row", "PointsScore"),
         methods={
             "Row": ("holds",),
             "PointsScore": ("estimate", "_item", "_points", "items", "most"),
         }),
)  # fmt: skip
"""In any edition. Their order does not matter."""

_GIVEN = {
    "cdss.variables": "../made/variables.js",
    "cdss.source": "../source.js",
}
"""Modules of the library whose names the page has otherwise."""


def translated(place: Jurisdiction, models: Iterable[Model]) -> dict[str, str]:
    """
    Translate what an edition needs.

    Parameters
    ----------
    place : Jurisdiction
        Whose guidelines.
    models : iterable of RiskModel or PointsScore
        Whose equations.

    Returns
    -------
    dict of str to str
        File → JavaScript module, and ``rules.js`` and ``formulas.js`` that gather them.
    """
    rules = [_guideline(module) for module in _guideline_modules(place)]
    folders = dict.fromkeys(m.facts["equation"] for m in models if "function" in m.facts)
    formulas = [_formula(folder) for folder in folders]
    parts = [*_FIXED, *rules, *formulas]
    files = _GIVEN | {part.module.__name__: f"./{part.file}" for part in parts}
    found = {part.file: translate(part, files) for part in parts}
    found["rules.js"] = _gathered("RULES", {g.module.GUIDELINE.key: g.file for g in rules}, True)
    found["formulas.js"] = _gathered(
        "FORMULAS", {f.module.__name__.rpartition(".")[2]: f.file for f in formulas}, False
    )
    return found


def _guideline_modules(place: Jurisdiction) -> list[ModuleType]:
    modules = {
        module.GUIDELINE.key: module
        for module in (import_module(f"cdss.guidelines.{name}") for name in GUIDELINES)
    }
    return [modules[guideline.key] for guideline in place.guidelines]


def _guideline(module: ModuleType) -> Part:
    name = module.__name__.rpartition(".")[2]
    data = ("_FIGURE",) if hasattr(module, "_FIGURE") else ()
    return Part(module, f"rules_{name}.js", without=("GUIDELINE",), data=data)


def _formula(folder: str) -> Part:
    module = import_module(f"cdss.equations.{folder}")
    return Part(module, f"formula_{folder}.js", without=("MODELS", "chart_cell", "_CHART"))


def _gathered(name: str, files: dict[str, str], rules: bool) -> str:
    """One module that has the rules, or the functions, of several by key."""
    lines = [f'import * as m{at} from "./{file}";' for at, file in enumerate(files.values())]
    inside = ", ".join(f'"{key}": m{at}{".RULES" if rules else ""}' for at, key in enumerate(files))
    return "\n".join([*lines, f"export const {name} = {{ {inside} }};", ""])
