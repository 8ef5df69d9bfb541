"""The card's section on groups of people: figures, differences, and who is too few to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.cards import paired
from training.cards.figures import Section
from training.cards.material import Material
from training.cards.words import interval, number, table, with_ci


def groups(material: Material) -> Section:
    """Figures by group of people; who is too few stays in the table with the number."""
    yield "## Groups of people"
    found = material.evidence.get("subgroups")
    if not found:
        yield material.no_evidence or "No groups in the evidence report."
        return
    yield (
        "Nobody is dropped: a group too small for a figure is shown with its size as "
        "*insufficient*, which does not mean fair. *Missed*: people with the outcome who are "
        "below the first marked threshold."
    )
    yield _groups(found)
    if weighted := material.evidence.get("weighted_subgroups"):
        yield "### Weighted to the population surveyed: groups"
        yield _groups(weighted)
    if differences := material.evidence.get("subgroup_differences"):
        yield "### Differences between groups"
        yield "Each group less everybody else (of O:E the ratio of the two); bold where q < 0.05."
        yield _apart(differences)
    if note := material.evidence.get("multiplicity"):
        yield f"Many comparisons: {note}"


def _groups(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        _group(dimension.replace("_", " "), name, f)
        for dimension, members in found.items()
        for name, f in members.items()
    ]
    header = ("", "group", "n", "events", "AUROC (95 % CI)", "O:E", "slope", "missed, %")
    return table(header, rows)


def _apart(differences: Mapping[str, Mapping[str, Any]]) -> str:
    every = [g for members in differences.values() for g in members.values()]
    metrics = list(dict.fromkeys(name for group in every for name in group))
    rows = [
        [dimension.replace("_", " "), name, *(_moved(group.get(m)) for m in metrics)]
        for dimension, members in differences.items()
        for name, group in members.items()
    ]
    return table(["", "group", *(paired.metric_name(m) for m in metrics)], rows)


def _moved(found: Mapping[str, Any] | None) -> str:
    value = (found or {}).get("difference", (found or {}).get("ratio"))
    if found is None or value is None:
        return "-"
    shown = f"{value:.3f} ({interval(found.get('95ci'), 3)})"
    return f"**{shown}**" if (found.get("q") or 1.0) < 0.05 else shown


def _group(dimension: str, name: str, f: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (dimension, name, number(f.get("n")), number(f.get("events")))
    if f.get("status") != "reported":
        return (*counts, str(f.get("status", "insufficient")), "-", "-", "-")
    at = next(iter(f.get("at") or []), {})
    cells = (with_ci(f, k) for k in ("auroc", "o_e", "calibration_slope"))
    return (*counts, *cells, with_ci(at, "missed", digits=0, scale=100))
