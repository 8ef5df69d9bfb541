"""The model card: what a sceptical clinician should read, worst news first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdss.estimate import expit
from cdss.i18n import words
from cdss.variables import VARIABLES
from training.cards import figures, groups, record, sureness
from training.cards.findings import all_findings
from training.cards.frontmatter import front_matter
from training.cards.material import Material, family_in_words
from training.cards.statements import OF_A_DATASET, OF_A_MODEL, Statement
from training.cards.words import NO_EVIDENCE, NOT_PROVIDED, bullets, flat, number, table


def card(material: Material) -> str:
    """
    Write a model's card.

    Parameters
    ----------
    material : Material
        What is known: manifest, evidence, release record, statements.

    Returns
    -------
    str
        Markdown, English, with the hub's front matter.
    """
    model = material.model
    sections = [
        front_matter(material),
        f"# {material.title}",
        f"`{model.id}` {model.version}",
        not_for(material),
        *_first(material),
        *_what(material),
        *_use(material),
        *_predictors(material),
        *_people(material),
        *figures.validation(material),
        *figures.comparison(material),
        *groups.groups(material),
        *figures.usefulness(material),
        *sureness.uncertainty(material),
        *sureness.size(material),
        *record.tried(material),
        *sureness.pictures(material),
        *record.release(material),
        *record.provenance(material),
        *record.blanks(material),
    ]
    return "\n\n".join(sections) + "\n"


def not_for(material: Material) -> str:
    """Who must not use it, as a block quote: the first thing a card says."""
    model = material.model
    excluded = ", ".join(words("en").label(name).lower() for name in model.excluded)
    lines = [
        "**Do not use it** for anybody to whom this applies: " + excluded + "; "
        "for people outside the limits below; as a diagnosis; to deny care.",
        "Advisory software for clinicians, not a medical device, **not validated in Viet Nam**.",
    ]
    if model.demonstration:
        lines.insert(0, "**A demonstration made from teaching data: never for patients.**")
    if material.facts.get("anchored"):
        lines.append(
            "**Adjusted to published prevalence, not validated** where it was adjusted to."
        )
    if not material.gate:
        lines.append(f"**{record.not_released(material)}**")
    return "\n".join(f"> {line}" for line in lines)


def _first(material: Material) -> Iterator[str]:
    yield "## Read this first"
    yield "Sentences made from the figures, unwelcome ones included; nobody worded them by hand."
    yield bullets(all_findings(material) or ["Nothing in the figures calls for a warning."])


def _what(material: Material) -> Iterator[str]:
    model, facts, training = material.model, material.facts, material.training
    rows = [
        ("outcome", facts.get("outcome_definition") or NOT_PROVIDED),
        ("horizon", material.horizon),
        ("people", model.population),
        ("left out", facts.get("exclusions") or NOT_PROVIDED),
        ("read first", ", ".join(f"`{n}`" for n in model.measured_by) or "-"),
        ("time", facts.get("time_handling") or NOT_PROVIDED),
        ("made from", f"{number(training.get('n'))} rows, {number(training.get('events'))} events"),
        ("family", family(material)),
        (
            "baseline",
            f"{100 * expit(model.baseline):.2f} %: log-odds averaged over "
            f"{number(training.get('background_rows'))} of those people; contributions are "
            "relative to it",
        ),
    ]
    yield "## What it says"
    yield table(("", ""), rows)
    if parent := facts.get("parent"):
        yield f"### Made from `{parent.get('id')}` {parent.get('version')}"
        yield "By intercept and slope on the log-odds; everything else is its parent's."
        steps = facts.get("recalibration_history") or []
        columns = ("version", "site", "method", "intercept", "slope", "people", "events", "made_on")
        yield table(
            [name.replace("_", " ") for name in columns],
            [[number(step.get(name), 3) for name in columns] for step in steps],
        )


def family(material: Material) -> str:
    """What kind of model it is, in words."""
    name = str(material.facts.get("family") or NOT_PROVIDED)
    return f"{name}: {family_in_words(name)}; recalibrated by intercept and slope"


def _use(material: Material) -> Iterator[str]:
    yield "## What it is for"
    yield "What people say of it, each with who and when."
    named = ("intended_use", "users", "decision_role", "out_of_scope", "risks", "biases",
             "how_to_use", "expertise", "stop", "next_steps")  # fmt: skip
    yield table(
        ("", "", "said by", "reviewed"),
        [(OF_A_MODEL[key], *_said(material.said.get(key))) for key in named],
    )


def _said(statement: Statement | None) -> tuple[str, str, str]:
    if statement is None:
        return NOT_PROVIDED, "", ""
    return statement.text, statement.signed, statement.review


def _predictors(material: Material) -> Iterator[str]:
    yield "## Predictors"
    yield (
        "No race or ethnicity. A value outside the limits gets no estimate; an unknown optional "
        "value is used as unknown, never filled in."
    )
    yield table(
        ("variable", "use", "limits", "unknown in derivation", "direction", "why"),
        [_predictor(name, material) for name in material.model.predictors],
    )


def _predictor(name: str, material: Material) -> tuple[str, ...]:
    variable, model, facts = VARIABLES[name], material.model, material.facts
    limits = model.limits.get(name)
    span = f"{limits[0]:g} to {limits[1]:g} {variable.unit}" if limits else ""
    unknown = (material.training.get("missing") or {}).get(name)
    return (
        f"`{name}`",
        "required" if name in model.inputs else "optional",
        span or ", ".join(variable.choices) or "yes, no",
        NOT_PROVIDED if unknown is None else f"{100 * unknown:.0f} %",
        {1: "only up", -1: "only down"}.get((facts.get("monotone") or {}).get(name, 0), "free"),
        (facts.get("reasons") or {}).get(name, NOT_PROVIDED),
    )


def _people(material: Material) -> Iterator[str]:
    data = material.dataset
    yield "## The data"
    rows = [
        (name, data.get(key) or NOT_PROVIDED)
        for name, key in (("data set", "title"), ("origin", "origin"), ("licence", "licence"),
                          ("terms", "terms"), ("whom it holds", "population"))
    ]  # fmt: skip
    rows += [(OF_A_DATASET[key], _said(material.said_of_data.get(key))[0]) for key in OF_A_DATASET]
    yield table(("", ""), rows)
    if defects := data.get("known_defects"):
        yield "Known defects:"
        yield bullets(defects)
    yield "## Who was left"
    flow = material.evidence.get("flow") or material.training.get("flow") or []
    yield table(("step", "rows"), [(step, number(n)) for step, n in flow])
    yield from _characteristics(material)


def _characteristics(material: Material) -> Iterator[str]:
    yield "### Their characteristics"
    found = material.evidence.get("characteristics")
    if not found:
        yield material.no_evidence or NO_EVIDENCE
        return
    columns = ("overall", "with_outcome", "without_outcome")
    yield table(
        ("", "unit", "unknown", "all", "with the outcome", "without"),
        [
            (
                f"`{row.get('variable')}`",
                row.get("unit") or "",
                _missing(row.get("missing")),
                *(summary(row.get(column)) for column in columns),
            )
            for row in found
        ],
    )


def _missing(share: float | int | None) -> str:
    if share is None:
        return "-"
    return number(share) if isinstance(share, int) and share > 1 else f"{100 * share:.1f} %"


def summary(found: Mapping[str, object] | None) -> str:
    """
    Write one cell of the table of characteristics.

    Parameters
    ----------
    found : mapping or None
        Mean and SD, median and quartiles, a share, or shares by category.

    Returns
    -------
    str
        In the order in which the evidence gives them.
    """
    if not found:
        return "-"
    if isinstance(shares := found.get("share"), Mapping):
        if set(shares) == {"no", "yes"}:
            return f"{100 * shares['yes']:.0f} % yes"
        return "; ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
    if isinstance(mean := found.get("mean"), float):
        sd = found.get("sd")
        return f"{mean:.2f} (SD {sd:.2f})" if isinstance(sd, float) else f"{mean:.2f}"
    if found.get("n") == 0:
        return "-"
    known = dict(found)
    return "; ".join(f"{name} {value}" for name, value in flat(known))
