"""The card's sections on how sure anything is: interval, sample size, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.cards import findings
from training.cards.figures import Section
from training.cards.material import PICTURES, Material
from training.cards.words import bullets, flat, interval, number, percent, table, tier_name


def uncertainty(material: Material) -> Section:
    """What the interval of an estimate claims, and whether it holds."""
    yield "## The interval of an estimate"
    found = material.evidence.get("interval") or material.facts.get("interval")
    if not found:
        yield material.no_evidence or "This version gives no interval."
        return
    yield (
        f"Meaning: of groups of {number(found.get('people'))} people with about this estimate, "
        f"{_where(found.get('parts'))}, "
        f"{100 * (found.get('level') or 0):g} in 100 had an observed share within it. It says how "
        "wrong the *model* may be elsewhere; it is not a range for one patient's fate."
    )
    measured = (found.get("coverage") or {}).get("tier") or {}
    yield table(
        ("known", "groups inside", "groups"),
        [(tier_name(t), _inside(value), _groups(found, t)) for t, value in measured.items()],
    )
    yield bullets(findings.coverage(found, findings.OVERALL, findings.IN_A_TIER))


def _where(parts: str | None) -> str:
    if parts == "people":
        return "whom the model had not seen"
    return f"in a {parts or 'part of the data'} the model had not seen"


def _inside(found: Any) -> str:
    share = findings.coverage_value(found)
    span = interval(found.get("95ci"), 1, 100) if isinstance(found, Mapping) else ""
    return percent(share) + (f" ({span})" if span else "")


def _groups(found: Mapping[str, Any], tier: str) -> str:
    count = (found.get("groups") or {}).get(tier)
    return number(count) if isinstance(count, int) else "-"


def size(material: Material) -> Section:
    """Whether there were enough people."""
    yield "## Sample size"
    found = material.evidence.get("sample_size")
    if not found:
        yield material.no_evidence or "No check of sample size in the evidence report."
        return
    yield (
        "Riley's criteria. For trees the number of parameters, and so the number needed, is a "
        "lower bound."
    )
    yield table(("", "people"), flat(found))


def pictures(material: Material) -> Section:
    """The pictures that the validation left."""
    if not material.pictures:
        return
    yield "## Pictures"
    for name in material.pictures:
        yield f"![{PICTURES[name]}]({material.model.id}/{name})"
