"""The card's sections of figures: validation, comparison, groups, usefulness, interval, size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from training.cards import findings, paired
from training.cards.material import Material
from training.cards.words import (
    NO_EVIDENCE,
    bullets,
    flat,
    interval,
    number,
    percent,
    table,
    threshold,
    tier_name,
    with_ci,
)

READ = (
    "*AUROC*: how often a person with the outcome gets the higher risk of two (0.5 is a coin). "
    "*O:E*: people who had it, over people expected to; above 1 the model says too little. "
    "*Slope*: 1 is right; below 1 the risks are too extreme. *Scaled Brier*: share of the "
    "uncertainty removed, more is better. *ICI*: mean distance of the calibration curve from the "
    "truth, in points of percent; *if perfect* is what a perfect model of this size would get."
)

Section = Iterable[str]


def validation(material: Material) -> Section:
    """Internal validation by tier, weighted figures, parts left out, other data sets."""
    evidence = material.evidence
    yield "## Internal validation"
    if any(
        (step.get("table") or {}).get("sha256") == evidence.get("data_sha256", "")
        for step in material.facts.get("recalibration_history") or []
    ):
        yield (
            "**These are the rows it was recalibrated with.** What it does on people it was not "
            "fitted to is in the second table, cross-fitted."
        )
        again = {tier_name(t): f for t, f in (material.facts.get("metrics") or {}).items()}
    else:
        again = {}
    if not evidence and (kept := material.facts.get("metrics_are")):
        yield f"A recalibrated version. The figures are of: {kept}."
    elif evidence.get("validation") == "external":
        yield f"On people the model was not made from: `{evidence.get('dataset')}`."
    else:
        yield (
            "Five-fold cross-validation by participant, by what is known of the patient. Not an "
            "external validation, and none in Viet Nam."
        )
    yield READ
    yield table_of_figures("known", {tier_name(t): f for t, f in material.tiers.items()})
    if again:
        yield table_of_figures("cross-fitted", again)
    if intervals := evidence.get("intervals"):
        yield f"Intervals: {intervals}."
    if not evidence:
        yield material.no_evidence + " These figures are those that the training run kept."
    yield "### Weighted to the population surveyed"
    if weighted := evidence.get("weighted"):
        how = evidence.get("weighted_intervals") or "not said how"
        yield f"Survey weights; intervals by the survey's design: {how}."
        yield table_of_figures("known", {tier_name(t): f for t, f in weighted.items()})
    else:
        yield "No weighted figures." if evidence else NO_EVIDENCE
    if followed := evidence.get("survival"):
        yield "### With follow-up"
        yield (
            "*Uno's C* and the *time-dependent AUC* weigh people by the chance of being still "
            "followed; *observed* is the share with the outcome by the horizon."
        )
        yield table(("figure", ""), flat(followed))
    yield from _parts(material, "sites", "Each site left out", "site")
    yield from _parts(material, "cycles", "Each survey cycle left out", "cycle")
    yield "### On people of another data set"
    yield _external(evidence.get("external"))


def _parts(material: Material, key: str, title: str, first: str) -> Section:
    found = material.evidence.get(key) or {}
    each = found.get("each") or (material.sites_kept if key == "sites" else {})
    if not each:
        return
    yield f"### {title}"
    yield f"Made without the {first}, then asked about its people, all inputs as observed."
    yield table_of_figures(first, each)
    if pooled := found.get("pooled"):
        yield (
            f"Pooled over {first}s. The *prediction interval* is what to expect at a {first} "
            "the model has not seen."
        )
        yield table(
            ("figure", "mean (95 % CI)", "95 % prediction interval", "between, I²", f"{first}s"),
            [
                (
                    paired.metric_name(name),
                    f"{number(p.get('estimate'))} ({interval(p.get('95ci'))})",
                    interval(p.get("prediction_95")) or "-",
                    percent(p.get("i2"), 0) if p.get("i2") is not None else "-",
                    number(p.get("k")),
                )
                for name, p in pooled.items()
                if isinstance(p, Mapping)
            ],
        )


def _external(entries: list[Mapping[str, Any]] | None) -> str:
    if entries is None:
        return NO_EVIDENCE
    rows = {e["dataset"]: e["figures"] for e in entries if e.get("figures")}
    said = [f"`{e['dataset']}`: not done, {e.get('why_not') or 'no reason given'}."
            for e in entries if not e.get("figures")]  # fmt: skip
    parts = [table_of_figures("data set", rows)] if rows else []
    said += [f"`{e['dataset']}`, limit: {limit}" for e in entries if e.get("figures")
             for limit in e.get("limits") or []]  # fmt: skip
    parts += [bullets(said)] if said else []
    return "\n\n".join(parts) or "None done."


def comparison(material: Material) -> Section:
    """Beside other models, on the same people."""
    yield "## Beside other models, on the same people"
    found = material.evidence.get("head_to_head")
    if not found:
        yield material.no_evidence or "No comparison in the evidence report."
        return
    yield (
        "Differences are this model less the other, paired, with 95 % CI; net benefit (NB) per "
        "1,000 people. A model of another outcome, or a points score, is compared by ranking and "
        "net benefit only. One that applies to fewer people is compared on those (see n)."
    )
    for tier, side in found.items():
        people, of = number(side.get("people")), number(side.get("of"))
        yield f"### Known: {tier_name(tier)} ({people} of {of} people)"
        yield _contenders(side)
        if said := paired.comparison(side):
            yield bullets(said)
        if left_out := side.get("left_out"):
            yield "Left out: " + "; ".join(f"{name} ({why})" for name, why in left_out.items())


def _contenders(side: Mapping[str, Any]) -> str:
    differences = paired.every_difference(side)
    metrics = list(dict.fromkeys(m for found in differences.values() for m in found))
    header = ["model", "n", "AUROC (95 % CI)", "O:E", "slope"]
    header += [f"difference: {_short(m)}" for m in metrics]
    every = dict(side.get("contenders") or {})
    every |= {
        name: (pair.get("contenders") or {}).get(name, {})
        for name, pair in (side.get("pairwise") or {}).items()
    }
    rows = []
    for name, figures in every.items():
        mine = differences.get(name, {})
        cells = [with_ci(figures, k, 3 if k == "auroc" else 2)
                 for k in ("auroc", "o_e", "calibration_slope")]  # fmt: skip
        notes = [] if figures.get("same_outcome", True) else ["another outcome, or points"]
        notes += [figures["note"]] if figures.get("note") else []
        called = f"`{name}`" + (f" ({'; '.join(notes)})" if notes else "")
        apart = (_difference(m, mine.get(m)) for m in metrics)
        rows.append([called, number(figures.get("n")), *cells, *apart])
    return table(header, rows)


def _difference(metric: str, found: Mapping[str, Any] | None) -> str:
    if not found or found.get("difference") is None:
        return "-"
    scale, digits = (1000.0, 1) if metric.startswith("net_benefit") else (1.0, 3)
    sign = f"{scale * found['difference']:+.{digits}f}"
    return f"{sign} ({interval(found.get('95ci'), digits, scale)})"


def _short(metric: str) -> str:
    name = paired.metric_name(metric)
    return name.replace("Net benefit at", "NB at").replace("Ranking (AUROC)", "AUROC")


def usefulness(material: Material) -> Section:
    """What acting from a threshold on does."""
    yield "## Acting from a threshold on"
    stated = material.evidence.get("thresholds") or {}
    if not any(f.get("at") for f in material.tiers.values()):
        yield material.no_evidence or "No thresholds in the evidence report."
        return
    if stated.get("why"):
        low, high = stated["range"]
        yield f"Looked at from {threshold(low)} to {threshold(high)}: {stated['why']}."
    yield (
        "*Net benefit*: people with the outcome found per 1,000, less the false alarms, these "
        "counted at the odds of the threshold; it is worth acting by the model only if it is "
        "above that of acting on all and above 0. *Number to test*: people acted on for one found."
    )
    rows = []
    for tier, f in material.tiers.items():
        for at in f.get("at") or []:
            rows.append(_at(tier_name(tier), at))
    header = [
        "known", "risk from", "acted on, %", "found of those with it, %", "missed, %",
        "with it, of those acted on, %", "number to test", "net benefit", "of acting on all",
    ]  # fmt: skip
    yield table(header, rows)
    if unsure := findings.unhelpful(material):
        yield f"**Not shown to beat acting on all, and on nobody, at:** {'; '.join(unsure)}."


def _at(tier: str, at: Mapping[str, Any]) -> tuple[str, ...]:
    shares = (
        with_ci(at, k, digits=0, scale=100) for k in ("flagged", "sensitivity", "missed", "ppv")
    )
    to_test = "-" if at.get("number_to_test") is None else number(at["number_to_test"], 1)
    per_thousand = (with_ci(at, k, digits=1, scale=1000) for k in ("net_benefit", "treat_all"))
    return (tier, threshold(at["threshold"]), *shares, to_test, *per_thousand)


def table_of_figures(first: str, reports: Mapping[str, Mapping[str, Any]]) -> str:
    """
    Write what a validation found, a row each.

    Parameters
    ----------
    first : str
        What a row is.
    reports : mapping
        Name of the row → figures as `training.metrics.performance` gives them.

    Returns
    -------
    str
        Markdown table; a figure that could not be computed is "-", and "too few" stands beside n.
    """
    rows = []
    curve = any(f.get("ici") is not None for f in reports.values())
    for name, f in reports.items():
        counts = (str(name), number(f.get("n")), number(f.get("events")))
        if f.get("auroc") is None:
            rows.append((*counts, "too few", *["-"] * (4 + curve)))
            continue
        cells = [with_ci(f, k) for k in ("auroc", "o_e", "calibration_slope")]
        briers = [number(f.get("brier"), 4), with_ci(f, "scaled_brier", 3)]
        rows.append((*counts, *cells, *briers, *([_ici(f)] if curve else [])))
    header = [first, "n", "events", "AUROC (95 % CI)", "O:E", "slope", "Brier", "scaled Brier"]
    return table(header + ["ICI (if perfect)"] * curve, rows)


def _ici(f: Mapping[str, Any]) -> str:
    if f.get("ici") is None:
        return "-"
    shown = f"{100 * f['ici']:.2f}"
    perfect = f.get("ici_if_perfect")
    return shown if perfect is None else f"{shown} ({100 * perfect:.2f})"
