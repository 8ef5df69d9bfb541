"""Model cards: what a sceptical clinician should read, generated from the bundle's manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cdss.estimate import expit
from cdss.i18n import words
from cdss.risk import RiskModel
from cdss.variables import VARIABLES
from training.data import ROOT

CARDS = ROOT / "model_cards"
TIERS = {
    "required_only": "required only",
    "no_laboratory": "no laboratory",
    "some_laboratory": "some laboratory",
    "all": "all, as observed",
}


def card(model: RiskModel) -> str:
    """
    Write a model's card.

    Parameters
    ----------
    model : RiskModel
        A shipped bundle: everything comes from its manifest.

    Returns
    -------
    str
        Markdown, English.
    """
    facts, training = model.facts, model.facts["training"]
    horizon = "now" if model.horizon_years is None else f"{model.horizon_years:g} years"
    sections = [
        f"# {facts['title']}",
        f"`{model.id}` {model.version}",
        _not_for(model),
        "## What it says",
        _table(
            ("", ""),
            [
                ("outcome", facts["outcome_definition"]),
                ("horizon", horizon),
                ("people", model.population),
                ("left out", facts["exclusions"]),
                ("read first", ", ".join(f"`{n}`" for n in model.measured_by) or "-"),
                ("time", facts["time_handling"]),
                ("made from", f"{training['n']:,} rows, {training['events']:,} events"),
                ("family", f"{facts['family']}, recalibrated by intercept and slope"),
                (
                    "baseline",
                    f"{100 * expit(model.baseline):.2f} %: log-odds averaged over "
                    f"{training['background_rows']:,} of those people; contributions are "
                    "relative to it",
                ),
            ],
        ),
        "## Predictors",
        "No race or ethnicity. A value outside the limits gets no estimate; an unknown optional "
        "value is used as unknown, never filled in.",
        _table(
            ("variable", "use", "limits", "unknown in derivation", "direction", "why"),
            [_predictor(name, model) for name in model.predictors],
        ),
        "## Who was left",
        _table(("step", "rows"), [(step, f"{n:,}") for step, n in training["flow"]]),
        "## Internal validation",
        "Five-fold cross-validation by participant, by what is known of the patient. Not an "
        "external validation, and none in Viet Nam.",
        _figures("known", {TIERS[tier]: f for tier, f in facts["metrics"].items()}),
    ]
    if facts["sites"]:
        sections += [
            "### Each site left out",
            "Made without the site, then asked about its people, all inputs as observed.",
            _figures("site", facts["sites"]),
        ]
    sections += [
        "## Families compared",
        facts["champion_rule"],
        _table(
            ("family", "AUROC", "mean over tiers", "calibrated in every tier", "keeps directions"),
            [
                (
                    name + " (ships)" * (name == facts["family"]),
                    f"{f['auroc']:.3f}",
                    f"{f['mean_auroc']:.3f}",
                    "yes" if f["in_band"] else "no",
                    "yes" if f["keeps_directions"] else "no",
                )
                for name, f in facts["families"].items()
            ]
            + [("untuned boosting", f"{facts['untuned_boosting_auroc']:.3f}", "", "", "")],
        ),
        "## Provenance",
        _table(
            ("", ""),
            [
                *((source.citation, source.url or source.locator) for source in model.sources),
                ("data, SHA-256", f"`{training['data_sha256']}`"),
                ("code", f"`{training['code']}`"),
                ("trained on", training["trained_on"]),
                ("bundle", f"`{facts['digest']}`"),
                ("libraries", ", ".join(f"{k} {v}" for k, v in training["libraries"].items())),
            ],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def stale(models: Iterable[RiskModel]) -> list[str]:
    """
    Find cards that do not say what their bundles say.

    Parameters
    ----------
    models : iterable of RiskModel
        Every shipped model.

    Returns
    -------
    list of str
        Ids of models whose card is missing or out of date.
    """
    found = []
    for model in models:
        file = CARDS / f"{model.id}.md"
        written = file.read_text(encoding="utf-8") if file.is_file() else ""
        if written != card(model):
            found.append(model.id)
    return found


def write_cards(models: Iterable[RiskModel]) -> None:
    """
    Write the cards of models.

    Parameters
    ----------
    models : iterable of RiskModel
        Every shipped model.
    """
    CARDS.mkdir(exist_ok=True)
    for model in models:
        text = card(model)
        (CARDS / f"{model.id}.md").write_text(text, encoding="utf-8")


def _not_for(model: RiskModel) -> str:
    excluded = ", ".join(words("en").label(name).lower() for name in model.excluded)
    lines = [
        "**Do not use it** for anybody to whom this applies: " + excluded + "; "
        "for people outside the limits below; as a diagnosis; to deny care.",
        "Advisory software for clinicians, not a medical device, **not validated in Viet Nam**.",
    ]
    if model.demonstration:
        lines.insert(0, "**A demonstration made from teaching data: never for patients.**")
    return "\n".join(f"> {line}" for line in lines)


def _predictor(name: str, model: RiskModel) -> tuple[str, ...]:
    variable = VARIABLES[name]
    limits = model.limits.get(name)
    span = f"{limits[0]:g} to {limits[1]:g} {variable.unit}" if limits else ""
    return (
        f"`{name}`",
        "required" if name in model.inputs else "optional",
        span or ", ".join(variable.choices) or "yes, no",
        f"{100 * model.facts['training']['missing'][name]:.0f} %",
        {1: "only up", -1: "only down"}.get(model.facts["monotone"].get(name, 0), "free"),
        model.facts["reasons"][name],
    )


def _figures(first: str, reports: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, f in reports.items():
        counts = (name, f"{f['n']:,}", f"{f['events']:,}")
        if f["auroc"] is None:
            rows.append((*counts, "too few", "", "", ""))
            continue
        spans = ("auroc", "o_e", "calibration_slope")
        cells = (f"{f[k]:.2f} ({f[f'{k}_95ci'][0]:.2f} to {f[f'{k}_95ci'][1]:.2f})" for k in spans)
        rows.append((*counts, *cells, f"{f['brier']:.4f}"))
    header = (first, "n", "events", "AUROC (95 % CI)", "O:E", "slope", "Brier")
    return _table(header, rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
