"""
What the release gate asks of comparisons: with equations, the last champion, and between groups.

Pure functions of the evidence and the tolerances in ``gate.toml``, as in `training.checks`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from training.checks import CANNOT_TELL, FAIL, PASS, TOLERANCES, Check, Finding, worst


def discrimination(
    evidence: Mapping[str, Any],
    equations: Iterable[str],
    previous: str | None,
    *,
    its_child: bool = False,
) -> Check:
    """
    Ask whether it ranks no worse than equations of the same outcome, and than the last champion.

    Parameters
    ----------
    evidence : mapping
        ``head_to_head``: the same people, paired intervals.
    equations : iterable of str
        Names of published equations.
    previous : str or None
        Version of the last champion; None if there is none.
    its_child : bool
        Whether the candidate is the last champion recalibrated: then both rank people alike.

    Returns
    -------
    Check
        Fails if worse by more than the margin; cannot tell if the interval reaches below it.
    """
    margin = TOLERANCES["discrimination"]["margin"]
    findings, said = [], []
    for where, name, apart in _rivals(evidence, equations, previous):
        found = apart.get("auroc")
        if found is None:
            findings.append(Finding(CANNOT_TELL, f"{where}: no difference from {name}"))
            continue
        difference, (low, high) = found["difference"], found["95ci"]
        text = f"{where}: AUROC less that of {name} {difference:+.4f} ({low:+.3f} to {high:+.3f})"
        said.append(text)
        if difference < -margin:
            findings.append(Finding(FAIL, f"{text}, worse by more than {margin}"))
        elif low < -margin:
            findings.append(Finding(CANNOT_TELL, f"{text}, may be worse by more than {margin}"))
    if its_child:
        said.append(f"ranks people as its parent, champion {previous}, by construction")
    else:
        findings += _absent(evidence, previous)
    none = "no published equation of the same outcome applies to these people"
    if previous is None:
        none += ", and there is no earlier champion"
    return worst("discrimination", findings, "; ".join(said) or none)


def net_benefit(
    evidence: Mapping[str, Any], equations: Iterable[str], previous: str | None
) -> Check:
    """
    Ask whether acting on it does no worse than acting on all, on nobody, or by an equation.

    Parameters
    ----------
    evidence : mapping
        ``tiers`` and ``head_to_head``, at the thresholds marked beforehand.
    equations : iterable of str
        Names of published equations.
    previous : str or None
        Version of the last champion.

    Returns
    -------
    Check
        Differences are in units of the prevalence.
    """
    margin = TOLERANCES["net_benefit"]["margin"]
    findings, said = [], []
    for tier, figures in evidence.get("tiers", {}).items():
        for at in figures.get("at") or []:
            best = max(at["treat_all"], 0.0)
            share = (at["net_benefit"] - best) / figures["prevalence"]
            rival = "acting on all" if at["treat_all"] > 0 else "acting on nobody"
            text = f"{tier} at {at['threshold']:.1%}: {share:+.3f} of the prevalence over {rival}"
            said.append(text)
            if share < -margin:
                findings.append(Finding(FAIL, f"{text}, worse by more than {margin}"))
    if not said:
        findings.append(Finding(CANNOT_TELL, "no net benefit at marked thresholds"))
    for where, name, apart in _rivals(evidence, equations, previous):
        prevalence = evidence["tiers"]["all"]["prevalence"]
        for key in (k for k in apart if k.startswith("net_benefit_")):
            share = apart[key]["difference"] / prevalence
            low = apart[key]["95ci"][0] / prevalence
            text = (
                f"{where} at {float(key.removeprefix('net_benefit_')):.1%}: {share:+.3f} of the "
                f"prevalence over {name} (from {low:+.3f})"
            )
            said.append(text)
            if share < -margin:
                findings.append(Finding(FAIL, f"{text}, worse by more than {margin}"))
            elif low < -margin:
                findings.append(Finding(CANNOT_TELL, f"{text}, may be worse by more than {margin}"))
    return worst("net_benefit", findings, "; ".join(said))


def _rivals(
    evidence: Mapping[str, Any], equations: Iterable[str], previous: str | None
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Tier, name and differences of each rival the candidate must not lose against."""
    wanted = set(equations)
    champion = f"champion {previous}"
    for tier, whole in (evidence.get("head_to_head") or {}).items():
        # Contenders that answer for some of the people only are compared on those, one by one.
        for part in (whole, *(whole.get("pairwise") or {}).values()):
            for name, apart in part.get("differences", {}).items():
                if name in wanted or (previous is not None and name == champion):
                    yield tier, name, apart


def _absent(evidence: Mapping[str, Any], previous: str | None) -> list[Finding]:
    """Whether the last champion is missing from the comparison."""
    if previous is None:
        return []
    champion = f"champion {previous}"
    for part in (evidence.get("head_to_head") or {}).values():
        if champion in part.get("differences", {}) or champion in part.get("pairwise", {}):
            return []
    return [Finding(CANNOT_TELL, f"{champion} was not compared on the same rows")]


def subgroups(evidence: Mapping[str, Any]) -> Check:
    """
    Ask whether risk is right in every group of people that is large enough to tell.

    Parameters
    ----------
    evidence : mapping
        ``subgroups``, ``thresholds``.

    Returns
    -------
    Check
        Fails if the whole interval of a group's O:E is outside the band; for a place, which is
        recalibrated, the slope's, and its O:E has to be accepted by name. The sentence names the
        worst group, those that are too small or whose interval decides nothing, and the widest gap
        in missed cases at the working threshold.
    """
    tolerance = TOLERANCES["subgroups"]
    groups = {
        (dimension, group): figures
        for dimension, members in (evidence.get("subgroups") or {}).items()
        for group, figures in members.items()
    }
    insufficient, undecided, decided, findings = [], [], set(), []
    for (dimension, group), figures in groups.items():
        name, interval = f"{dimension} {group}", figures.get("o_e_95ci")
        if figures.get("status") != "reported" or not interval or not figures.get("o_e"):
            insufficient.append(f"{name} (n {figures['n']:,})")
            continue
        verdict = _of_group(interval, tolerance["band"])
        text = f"{name} O:E {figures['o_e']:.2f} ({interval[0]:.2f}-{interval[1]:.2f})"
        if verdict == CANNOT_TELL:
            undecided.append(text)
            continue
        decided.add(dimension)
        if dimension in tolerance["places"]:
            findings += _of_place(name, text, verdict, figures)
        elif verdict == FAIL:
            low, high = tolerance["band"]
            findings.append(Finding(FAIL, f"{text} is outside {low} to {high}"))
    findings += [
        Finding(CANNOT_TELL, f"no group of {dimension} is large enough to tell")
        for dimension in tolerance["decisive"]
        if dimension not in decided
    ]
    said = [_worst_group(groups), _miss_gap(evidence)]
    said += [f"too few people: {', '.join(insufficient)}"] if insufficient else []
    said += [f"undecided: {', '.join(undecided)}"] if undecided else []
    found = worst("subgroups", findings, "all decided groups within the band")
    return Check("subgroups", found.verdict, "; ".join([found.why, *filter(None, said)]))


def _of_group(interval: list[float], band: list[float]) -> str:
    low, high = interval
    if high < band[0] or low > band[1]:
        return FAIL
    wide = low <= 0 or math.log(high / low) > math.log(band[1] / band[0])
    return CANNOT_TELL if wide else PASS


def _of_place(name: str, text: str, verdict: str, figures: Mapping[str, Any]) -> Iterator[Finding]:
    """What a new intercept would mend is for a person to accept; what it would not, fails."""
    low, high = TOLERANCES["subgroups"]["band"]
    if verdict == FAIL:
        yield Finding(CANNOT_TELL, f"{text} is outside {low} to {high}: recalibrate it there")
    slope = figures.get("calibration_slope_95ci")
    if slope and (slope[1] < low or slope[0] > high):
        found = f"{figures['calibration_slope']:.2f} ({slope[0]:.2f}-{slope[1]:.2f})"
        yield Finding(FAIL, f"{name} slope {found} is outside {low} to {high}")


def _worst_group(groups: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    reported = {k: f for k, f in groups.items() if f.get("status") == "reported" and f.get("o_e")}
    if not reported:
        return ""
    (dimension, group), figures = max(
        reported.items(), key=lambda item: abs(math.log(item[1]["o_e"]))
    )
    return f"worst: {dimension} {group} O:E {figures['o_e']:.2f}"


def _miss_gap(evidence: Mapping[str, Any]) -> str:
    """Widest difference in missed cases between two groups of a dimension."""
    gaps = []
    for dimension, members in (evidence.get("subgroups") or {}).items():
        missed = [
            (figures["at"][0]["missed"], group, figures["at"][0]["threshold"])
            for group, figures in members.items()
            if figures.get("at") and figures["at"][0].get("missed") is not None
        ]
        if len(missed) > 1:
            least, most = min(missed), max(missed)
            gaps.append((most[0] - least[0], dimension, least, most))
    if not gaps:
        return ""
    gap, dimension, least, most = max(gaps)
    return (
        f"widest gap in missed cases at {most[2]:.1%}: {dimension} {most[1]} {most[0]:.0%}, "
        f"{least[1]} {least[0]:.0%} ({gap:.0%})"
    )
