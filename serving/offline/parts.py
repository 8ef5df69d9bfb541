"""Which parts of the library, and of the clinician's page, are translated for the edition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
from cdss.cds_hooks import findings, services, summary
from cdss.checkup import numbers
from cdss.fhir import rationale
from cdss.guidelines import GUIDELINES
from cdss.i18n import contributions, guidance
from cdss.jurisdiction import Jurisdiction, Model
from serving.offline.calls import Untranslatable
from serving.offline.statements import Part
from serving.offline.templates import templates
from serving.offline.translate import translate
from serving.page import (
    answers,
    brief,
    drawing,
    fields,
    form,
    missing,
    reasons,
    results,
    trend,
    typed,
    what_if,
)
from serving.page import bands as page_bands

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

_MODELS = dict.fromkeys(("RiskModel", "population", "vietnam", "licence"), "../model.js")
_MARKUP = {"Markup": "../markup.js"}
_SHOWN = (
    Part(services, "services.js", only=("DISEASES",), data=("DISEASES",)),
    Part(findings, "findings.js", without=("Indicator", "Answer"), data=("_WARNING",),
         elsewhere={"to_ask": "../wire.js"}),
    Part(summary, "summary.js", only=("flag",)),
    Part(rationale, "rationale.js", only=("about",)),
    Part(guidance, "guidance.js",
         only=("cited", "need_text", "strength_text", "who_text", "within_text")),
    Part(contributions, "contributions.js", without=("contribution_rows",)),
    Part(numbers, "numbers.js",
         only=("_NUMBER", "_LONGEST", "AMBIGUOUS", "NO_NUMBER", "number", "_grouped")),
    Part(fields, "page_fields.js", elsewhere={"UNITS": "./variables.js"}),
    Part(form, "page_form.js", elsewhere={"_visits": "../record.js"}),
    Part(page_bands, "page_bands.js", without=("bands_of", "_bands")),
    Part(drawing, "page_drawing.js", without=("people",), elsewhere=_MARKUP),
    Part(reasons, "page_reasons.js"),
    Part(brief, "page_brief.js"),
    Part(missing, "page_missing.js", awaited=("estimate_all", "unknown"), elsewhere=_MODELS),
    Part(answers, "page_answers.js", awaited=("unknown", "shown"),
         elsewhere=_MODELS | {"bands_of": "../bands.js"}),
    Part(results, "page_results.js", awaited=("shown", "_panel", "results"),
         elsewhere={"advice_text": "../wire.js", "to_ask": "../wire.js", "TOPICS": "./place.js"}),
    Part(trend, "page_trend.js"),
    Part(typed, "page_typed.js", without=("Typed", "fill"),
         elsewhere={"_received": "../record.js", "PatientRecord": "../record.js",
                    "RecordError": "../record.js"}),
    Part(what_if, "page_what_if.js", elsewhere=_MODELS | _MARKUP),
)  # fmt: skip
"""What the clinician's page shows, and how it reads its form: the same here."""

_GIVEN = {
    "cdss.variables": "../made/variables.js",
    "cdss.source": "../source.js",
    "serving.page.facts": "./page.js",
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
        File → JavaScript module, ``rules.js`` and ``formulas.js`` that gather them, and the
        templates of the clinician's page.
    """
    rules = [_guideline(module) for module in _guideline_modules(place)]
    folders = dict.fromkeys(m.facts["equation"] for m in models if "function" in m.facts)
    formulas = [_formula(folder) for folder in folders]
    parts = [*_FIXED, *_SHOWN, *rules, *formulas]
    files = _GIVEN | {part.module.__name__: f"./{part.file}" for part in parts}
    found = {part.file: translate(part, files) for part in parts}
    found["rules.js"] = _gathered("RULES", {g.module.GUIDELINE.key: g.file for g in rules}, True)
    found["formulas.js"] = _gathered(
        "FORMULAS", {f.module.__name__.rpartition(".")[2]: f.file for f in formulas}, False
    )
    completed(found)
    return found | templates()


def completed(found: Mapping[str, str]) -> None:
    """
    Refuse modules that take from another what was left out of it.

    Parameters
    ----------
    found : mapping of str to str
        File → JavaScript module.

    Raises
    ------
    Untranslatable
        With the two files, and what is missing.
    """
    exported = {
        file: {name for names in re.findall(r"^export \{ (.*) \};$", text, re.M)
               for name in names.split(", ")}
        for file, text in found.items()
    }  # fmt: skip
    for file, text in found.items():
        for names, other in re.findall(r'^import \{ (.*) \} from "\./(.*)";$', text, re.M):
            if other in exported and (lost := set(names.split(", ")) - exported[other]):
                raise Untranslatable(f"{file}: {other} has no {', '.join(sorted(lost))}")


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
