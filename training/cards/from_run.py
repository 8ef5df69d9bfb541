"""Fields that the training run and the validation answer."""

from __future__ import annotations

from collections.abc import Mapping

from training.cards.answers import RUN, Answer, Field, sites
from training.cards.findings import all_findings
from training.cards.material import Material
from training.cards.words import enumerate_words, interval, number, percent, tier_name, with_ci


def _eligibility(m: Material) -> Answer:
    flow = m.training.get("flow") or []
    steps = "; ".join(f"{step} ({number(n)})" for step, n in flow)
    return Answer(steps or None, RUN, "Who was left")


def _preprocessing(m: Material) -> Answer:
    touched = m.training.get("set_to_missing_as_implausible")
    if touched is None:
        return Answer(None, RUN)
    rows = ", ".join(f"{name} {number(n)}" for name, n in touched.items() if n) or "none"
    return Answer(f"Units converted; implausible values set to unknown, the same rule for "
                  f"everybody: {rows}. Not counted by group.", RUN)  # fmt: skip


def _sample_size(m: Material) -> Answer:
    found = m.evidence.get("sample_size")
    if not found:
        return Answer(None, RUN)
    said = [
        f"{stage}: {'sufficient' if f.get('sufficient') else 'not sufficient'}"
        for stage, f in found.items()
        if isinstance(f, Mapping) and "sufficient" in f
    ]
    return Answer("; ".join(said) or "Checked.", RUN, "Sample size")


def _missing(m: Material) -> Answer:
    unknown = m.training.get("missing")
    if unknown is None:
        return Answer(None, RUN)
    most = sorted(unknown.items(), key=lambda pair: -pair[1])[:3]
    said = ", ".join(f"{name} {percent(share, 0)}" for name, share in most)
    return Answer("Used as unknown, never filled in; the model also learns from each person with "
                  f"panels hidden. Most often unknown: {said}.", RUN, "Predictors")  # fmt: skip


def _partition(m: Material) -> Answer:
    return Answer("Five folds by participant, stratified by outcome; every step is repeated inside "
                  "each. The model that ships is made from everybody.", RUN,
                  "Internal validation")  # fmt: skip


def _building(m: Material) -> Answer:
    if not m.facts.get("families"):
        return Answer(None, RUN)
    tried = enumerate_words(list(m.facts["families"]))
    return Answer(f"Tried: {tried}. {m.facts.get('champion_rule', '')}", RUN, "What was tried")


def _heterogeneity(m: Material) -> Answer:
    said = []
    for key in ("sites", "cycles"):
        pooled = (m.evidence.get(key) or {}).get("pooled") or {}
        for name, p in pooled.items():
            if isinstance(p, Mapping) and p.get("prediction_95"):
                said.append(f"{key}, {name.replace('_', ' ')} {number(p.get('estimate'))}, "
                            f"prediction interval {interval(p['prediction_95'])}")  # fmt: skip
    if not said and sites(m):
        said = [f"left out in turn, not pooled: site {', '.join(sites(m))}"]
    return Answer("; ".join(said) or None, RUN, "Internal validation")


def _flow(m: Material) -> Answer:
    n, events = m.training.get("n"), m.training.get("events")
    text = f"{number(n)} rows, {number(events)} with the outcome." if n is not None else None
    return Answer(text, RUN, "Who was left")


def _characteristics(m: Material) -> Answer:
    found = m.evidence.get("characteristics")
    text = f"{len(found)} characteristics, by outcome." if found else None
    return Answer(text, RUN, "Their characteristics")


def _sizes(m: Material) -> Answer:
    rows = [f"{tier_name(t)}: {number(f.get('n'))} people, {number(f.get('events'))} events"
            for t, f in m.tiers.items()]  # fmt: skip
    return Answer("; ".join(rows) or None, RUN, "Internal validation")


def _performance(m: Material) -> Answer:
    rows = [f"{tier_name(t)}: AUROC {with_ci(f, 'auroc')}, O:E {with_ci(f, 'o_e')}, slope "
            f"{with_ci(f, 'calibration_slope')}" for t, f in m.tiers.items()]  # fmt: skip
    return Answer("; ".join(rows) or None, RUN, "Internal validation")


def _group_performance(m: Material) -> Answer:
    found = m.evidence.get("subgroups")
    if not found:
        return Answer(None, RUN)
    few = sum(g.get("status") != "reported" for groups in found.values() for g in groups.values())
    return Answer(f"By {enumerate_words([d.replace('_', ' ') for d in found])}; {few} groups too "
                  "small to tell.", RUN, "Groups of people")  # fmt: skip


def _limitations(m: Material) -> Answer:
    return Answer(" ".join(all_findings(m)) or None, RUN, "Read this first")


def _input_handling(m: Material) -> Answer:
    tiers = enumerate_words([tier_name(t) for t in m.tiers])
    return Answer("Required predictor unknown, or a value outside the limits: no estimate. "
                  f"Optional one unknown: used as unknown. Checked with: {tiers}.", RUN,
                  "Predictors")  # fmt: skip


def _updating(m: Material) -> Answer:
    history = m.facts.get("recalibration_history")
    if not history and not m.facts.get("parent"):
        return Answer("Not updated after its development.", applies=False)
    parent = m.facts.get("parent") or {}
    return Answer(f"Recalibrated from {parent.get('id')} {parent.get('version')}.", RUN,
                  "What it says")  # fmt: skip


def _only_if_external(build: Field) -> Field:
    """For what is asked of an evaluation: without one it does not apply."""

    def field(m: Material) -> Answer:
        if m.external:
            return build(m)
        return Answer("No evaluation on people of another data set.", applies=False)

    return field


def _external_people(m: Material) -> Answer:
    rows = [
        f"{e['dataset']}: {number(e['figures'].get('n'))} people, "
        f"{number(e['figures'].get('events'))} events"
        for e in m.external
    ]
    return Answer("; ".join(rows), RUN, "Internal validation")


def _external_setting(m: Material) -> Answer:
    names = enumerate_words([e["dataset"] for e in m.external])
    return Answer(f"Developed on {m.training.get('dataset')}, evaluated on {names}; their "
                  "descriptions are in datasets/.", where="Internal validation")  # fmt: skip


def _external_who(m: Material) -> Answer:
    return Answer("The validation run of this repository: its makers, nobody independent.", RUN)


def _external_validity(m: Material) -> Answer:
    if not m.external:
        return Answer("None done.", RUN)
    rows = [f"{e['dataset']}: AUROC {with_ci(e['figures'], 'auroc')}, O:E "
            f"{with_ci(e['figures'], 'o_e')}" for e in m.external]  # fmt: skip
    return Answer("; ".join(rows), RUN, "Internal validation")


def _none_done(m: Material) -> Answer:
    return Answer("None done.", RUN)


FIELDS: dict[str, Field] = {
    "building": _building,
    "characteristics": _characteristics,
    "eligibility": _eligibility,
    "external_people": _only_if_external(_external_people),
    "external_who": _only_if_external(_external_who),
    "external_setting": _only_if_external(_external_setting),
    "external_validity": _external_validity,
    "flow": _flow,
    "group_performance": _group_performance,
    "heterogeneity": _heterogeneity,
    "input_handling": _input_handling,
    "limitations": _limitations,
    "missing": _missing,
    "none_done": _none_done,
    "partition": _partition,
    "performance": _performance,
    "preprocessing": _preprocessing,
    "sample_size": _sample_size,
    "sizes": _sizes,
    "updating": _updating,
}
