"""Who is better on the same people: verdicts from paired differences, and their words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.cards.words import enumerate_words

HIGHER_IS_BETTER = ("auroc", "net_benefit", "scaled_brier")
LOWER_IS_BETTER = ("brier", "log_loss", "ici", "abs_log_o_e")
NAMES = {
    "auroc": "Ranking (AUROC)",
    "scaled_brier": "Scaled Brier score",
    "abs_log_o_e": "Distance of observed:expected from 1 (log)",
    "calibration_intercept": "Calibration intercept",
    "o_e": "Observed:expected",
    "calibration_slope": "Calibration slope",
}


def verdict(metric: str, found: Mapping[str, Any]) -> str:
    """
    Who is better by a paired difference, model less contender.

    Parameters
    ----------
    metric : str
        Which figure: it decides whether more is better.
    found : mapping
        ``difference`` and ``95ci``.

    Returns
    -------
    {"better", "worse", "no difference shown", "not known"}
        "Better" and "worse" only if the whole interval says so.
    """
    span = found.get("95ci")
    sign = _direction(metric)
    if not span or None in span or not sign:
        return "not known"
    low, high = sorted(sign * end for end in span)
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no difference shown"


def comparison(side_by_side: Mapping[str, Any]) -> list[str]:
    """
    Say of one tier whom the model beats, whom it does not, and who beats it.

    Parameters
    ----------
    side_by_side : mapping
        ``differences`` of the head-to-head of one tier.

    Returns
    -------
    list of str
        A sentence for each metric.
    """
    by_metric: dict[str, dict[str, list[str]]] = {}
    for contender, metrics in every_difference(side_by_side).items():
        for metric, found in metrics.items():
            said = by_metric.setdefault(metric, {})
            said.setdefault(verdict(metric, found), []).append(contender)
    words = {
        "worse": "**worse than {}**",
        "no difference shown": "not shown to be better than {}",
        "better": "better than {}",
    }
    lines = []
    for metric, said in by_metric.items():
        parts = [w.format(enumerate_words(said[key])) for key, w in words.items() if key in said]
        if parts:
            lines.append(f"{metric_name(metric)}: {'; '.join(parts)}.")
    return lines


def every_difference(side_by_side: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Differences by contender, of the common people or, failing that, of the pair's own."""
    pairs = side_by_side.get("pairwise") or {}
    apart = {name: (pair.get("differences") or {}).get(name, {}) for name, pair in pairs.items()}
    return apart | dict(side_by_side.get("differences") or {})


def metric_name(metric: str) -> str:
    """A metric in words, with its threshold if it has one."""
    if metric.startswith("net_benefit_"):
        return f"Net benefit at {100 * float(metric.removeprefix('net_benefit_')):g} %"
    return NAMES.get(metric, metric.replace("_", " "))


def _direction(metric: str) -> int:
    if metric.startswith(HIGHER_IS_BETTER):
        return 1
    return -1 if metric.startswith(LOWER_IS_BETTER) else 0
