"""Sentences that the figures force, the unwelcome ones first: nobody words them by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.cards.material import Material
from training.cards.paired import comparison
from training.cards.words import enumerate_words, interval, threshold, tier_name, with_ci
from training.fit import BAND

OVERALL, IN_A_TIER = 0.02, 0.05
"""Distance of an interval's measured coverage from what it claims, that is still called held."""

RATIOS = {
    "o_e": (
        "Observed:expected is {value}: it says less risk than there is",
        "Observed:expected is {value}: it says more risk than there is",
    ),
    "calibration_slope": (
        "The calibration slope is {value}: its risks differ too little between people",
        "The calibration slope is {value}: its risks are too extreme",
    ),
}
"""Ratio that should be 1 → what it means above and below the band."""


def calibration(figures: Mapping[str, Any]) -> Iterator[str]:
    """
    Say where calibration is outside the band.

    Parameters
    ----------
    figures : mapping
        ``o_e`` and ``calibration_slope`` with ``_95ci``.

    Yields
    ------
    str
        A sentence for each ratio outside the band, or not computed.
    """
    low, high = BAND
    for name, (above, below) in RATIOS.items():
        value = figures.get(name)
        if value is None:
            why = figures.get("reason", "no figure")
            yield f"{_ratio_name(name)} could not be computed: {why}."
        elif value > high:
            yield above.format(value=with_ci(figures, name)) + "."
        elif value < low:
            yield below.format(value=with_ci(figures, name)) + "."


def wholly_off(figures: Mapping[str, Any]) -> bool:
    """Whether observed:expected is outside the band with its whole interval: for many groups."""
    low, high = BAND
    span = figures.get("o_e_95ci") or [figures.get("o_e")] * 2
    return None not in span and (span[1] < low or span[0] > high)


def open_ratios(figures: Mapping[str, Any]) -> list[str]:
    """Ratios within the band whose interval reaches beyond it, with value and interval."""
    low, high = BAND
    return [
        f"{_ratio_name(name).lower()} {with_ci(figures, name)}"
        for name in RATIOS
        if (value := figures.get(name)) is not None
        and low <= value <= high
        and (span := figures.get(f"{name}_95ci"))
        and not (low <= span[0] and span[1] <= high)
    ]


def calibration_by_part(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """
    Say where calibration is off, and where nobody can tell.

    Parameters
    ----------
    parts : mapping
        Tier or data set in words → figures.

    Returns
    -------
    list of str
        A sentence for each ratio outside the band, each beginning with its part; at most one more
        for all those whose interval reaches beyond it.
    """
    lines = [f"Tier *{p}*: {line}" for p, figures in parts.items() for line in calibration(figures)]
    unsure = [f"{p}: {', '.join(found)}" for p, f in parts.items() if (found := open_ratios(f))]
    if unsure:
        low, high = BAND
        lines.append(
            f"Within {low} to {high}, but with an interval that reaches beyond, so that it is not "
            f"known: {'; '.join(unsure)}."
        )
    return lines


def coverage(found: Mapping[str, Any], overall: float, in_a_tier: float) -> list[str]:
    """
    Say whether the interval holds what it claims.

    Parameters
    ----------
    found : mapping
        The evidence's ``interval``.
    overall, in_a_tier : float
        Allowed distance from the claim.

    Returns
    -------
    list of str
        One sentence overall, one for each tier in which it is not held.
    """
    level, measured = found.get("level"), found.get("coverage") or {}
    whole = coverage_value(measured.get("overall"))
    if level is None or whole is None:
        return ["Its coverage was not measured."]
    held = "held" if abs(whole - level) <= overall else "**not held**"
    lines = [
        f"Claimed {100 * level:g} in 100, measured {_measured(measured['overall'])}: {held} "
        f"(within {100 * overall:g} points)."
    ]
    for tier, value in (measured.get("tier") or {}).items():
        share = coverage_value(value)
        if share is None or abs(share - level) > in_a_tier:
            shown = "not measured" if share is None else f"{_measured(value)} in 100"
            lines.append(
                f"**Not held in {tier_name(tier)}**: {shown} (allowed {100 * in_a_tier:g} points)."
            )
    return lines


def _measured(found: Any) -> str:
    share = coverage_value(found)
    span = interval(found.get("95ci"), 1, 100) if isinstance(found, Mapping) else ""
    return f"{100 * (share or 0.0):.1f}" + (f" ({span})" if span else "")


def coverage_value(found: Any) -> float | None:
    """A measured coverage, given as a number or as a mapping with one."""
    if isinstance(found, Mapping):
        found = next((found[k] for k in ("share", "coverage", "estimate") if k in found), None)
    return None if found is None else float(found)


def elsewhere(pooled: Mapping[str, Any] | None) -> list[str]:
    """
    Say what to expect at a place or time the model has not seen.

    Parameters
    ----------
    pooled : mapping or None
        Metric → ``estimate``, ``95ci``, ``prediction_95``.

    Returns
    -------
    list of str
        A warning for each ratio whose prediction interval leaves the band.
    """
    low, high = BAND
    lines = []
    for name in RATIOS:
        span = ((pooled or {}).get(name) or {}).get("prediction_95")
        if span and None not in span and (span[0] < low or span[1] > high):
            lines.append(
                f"{_ratio_name(name)} where it has not been before may be anything from "
                f"{interval(span)}: check it, and recalibrate, before use."
            )
    return lines


def spread(part: str, each: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How far observed:expected runs over the sites or cycles left out."""
    ratios = [f["o_e"] for f in each.values() if f.get("o_e") is not None]
    if len(ratios) < 2:
        return []
    return [
        f"Over the {len(ratios)} {part} left out, observed:expected ran from {min(ratios):.2f} to "
        f"{max(ratios):.2f}."
    ]


def unhelpful(material: Material) -> list[str]:
    """Tiers and thresholds at which acting by the model is not shown to be better."""
    return [
        f"{tier_name(tier)}, {threshold(at['threshold'])}"
        for tier, figures in material.tiers.items()
        for at in figures.get("at") or []
        if not _useful(at)
    ]


def _useful(at: Mapping[str, Any]) -> bool:
    """By whole intervals, where there are any."""
    mine, everybody = at.get("net_benefit"), at.get("treat_all")
    if mine is None:
        return False
    over = mine - (everybody or 0.0)
    least = [
        (at.get(f"{name}_95ci") or [value])[0]
        for name, value in (("net_benefit", mine), ("over_treat_all", over))
    ]
    return all(low > 0 for low in least)


def all_findings(material: Material) -> list[str]:
    """
    Everything a reader should know before the figures.

    Parameters
    ----------
    material : Material
        What is known.

    Returns
    -------
    list of str
        Sentences, generated from the figures alone.
    """
    evidence, lines = material.evidence, []
    if material.no_evidence:
        lines.append(material.no_evidence)
    if not material.external:
        lines.append("No validation on people of another data set has figures.")
    lines += calibration_by_part({tier_name(t): f for t, f in material.tiers.items()})
    for part in ("sites", "cycles"):
        found = evidence.get(part) or {}
        lines += elsewhere(found.get("pooled"))
        lines += spread(part, found.get("each") or {})
    for tier, side_by_side in (evidence.get("head_to_head") or {}).items():
        lines += [f"Tier *{tier_name(tier)}*: {line}" for line in comparison(side_by_side)]
    lines += spread("sites", material.sites_kept)
    if unsure := unhelpful(material):
        lines.append(f"Not shown to beat acting on all, and on nobody, at: {'; '.join(unsure)}.")
    if found := evidence.get("interval"):
        lines += [f"Interval: {line}" for line in coverage(found, OVERALL, IN_A_TIER)]
    lines += _groups(evidence.get("subgroups") or {})
    lines += _sizes(evidence.get("sample_size") or {})
    return lines


def _groups(subgroups: Mapping[str, Any]) -> list[str]:
    few = [
        f"{name} ({group.get('n', 0):,})"
        for groups in subgroups.values()
        for name, group in groups.items()
        if group.get("status") == "insufficient"
    ]
    off = [
        f"{dimension.replace('_', ' ')} {name}: {line}"
        for dimension, groups in subgroups.items()
        for name, group in groups.items()
        if group.get("status") == "reported"
        if wholly_off(group)
        for line in calibration(group)
    ]
    said = f"Too few people to tell in: {enumerate_words(few)}." if few else ""
    return off + ([said] if said else [])


def _sizes(sample_size: Mapping[str, Any]) -> list[str]:
    return [
        f"Sample size for {stage}: **not sufficient**."
        for stage, found in sample_size.items()
        if isinstance(found, Mapping) and found.get("sufficient") is False
    ]


def _ratio_name(name: str) -> str:
    return {"o_e": "Observed:expected", "calibration_slope": "Calibration slope"}[name]
