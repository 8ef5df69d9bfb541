"""Fields that the model's definition, its manifest and its data set's description answer."""

from __future__ import annotations

from cdss.estimate import expit
from cdss.variables import VARIABLES
from training.cards.answers import RUN, Answer, Field, sites
from training.cards.material import Material, family_in_words
from training.cards.words import enumerate_words, percent, threshold


def study_type(material: Material) -> str:
    """Development, and which evaluations."""
    others = [e["dataset"] for e in material.external]
    if not others:
        return "development with internal validation"
    return f"development with internal validation, evaluation on {enumerate_words(others)}"


def _title(m: Material) -> Answer:
    kind = "diagnostic" if m.model.horizon_years is None else "prognostic"
    return Answer(f"{m.title}: {study_type(m)} of a {kind} model. People: {m.model.population}.")


def _objectives(m: Material) -> Answer:
    return Answer(f"A probability of the outcome, {m.horizon}: {study_type(m)}.")


def _data(m: Material) -> Answer:
    if not m.dataset:
        return Answer(None)
    text = f"{m.dataset['title']}. {m.dataset['origin']}. Licence: {m.dataset['licence']}."
    return Answer(text, where="The data")


def _dates(m: Material) -> Answer:
    cycles = list((m.evidence.get("cycles") or {}).get("each") or {})
    seen = f" Survey cycles seen by the run: {', '.join(cycles)}." if cycles else ""
    followed = m.facts.get("time_handling") or ""
    return Answer(f"{m.model.population}. {followed}{seen}" if followed else None)


def _centres(m: Material) -> Answer:
    if not m.dataset:
        return Answer(None)
    named = ", ".join(sites(m))
    counted = f" Told apart in the validation: {named}." if named else ""
    return Answer(f"{m.dataset['population']}.{counted}", where="The data")


def _treatment(m: Material) -> Answer:
    treatments = {"bp_treated", "on_statin"}
    used = [n for n in m.model.predictors if n in treatments]
    barred = [n for n in m.model.excluded if n in treatments]
    said = [f"predictor: {enumerate_words(used)}"] if used else []
    said += [f"treated people are left out: {enumerate_words(barred)}"] if barred else []
    return Answer("; ".join(said) or "No treatment at the start is a predictor or a criterion.")


def _outcome(m: Material) -> Answer:
    said = m.facts.get("outcome_definition")
    return Answer(
        f"{said.rstrip('.')}. Horizon: {m.horizon}." if said else None, where="What it says"
    )


def _predictor_list(m: Material) -> Answer:
    text = f"No automatic selection; each has its reason: {', '.join(m.model.predictors)}."
    return Answer(text, where="Predictors")


def _predictor_facts(m: Material) -> Answer:
    rows = []
    for name in m.model.predictors:
        v = VARIABLES[name]
        codes = f", LOINC {' '.join(v.loinc)}" if v.loinc else ""
        rows.append(f"{name} ({v.unit or v.kind.replace('_', '/')}{codes})")
    return Answer("; ".join(rows), where="Predictors")


def _form(m: Material) -> Answer:
    name = m.facts.get("family")
    said = family_in_words(name) if name else None
    return Answer(f"{said}. Continuous predictors stay continuous." if said else None)


def _measures(m: Material) -> Answer:
    return Answer("AUROC, observed:expected, calibration intercept, slope and smooth curve (ICI), "
                  "Brier and scaled Brier, net benefit; with 95 % CI. Models are compared in pairs "
                  "on the same people.")  # fmt: skip


def _computing(m: Material) -> Answer:
    text = f"Bundle `{m.model.id}` {m.model.version}, manifest SHA-256 `{m.facts.get('digest')}`, "
    return Answer(f"{text}one ONNX file that gives the probability and its exact contributions.",
                  where="Provenance")  # fmt: skip


def _imbalance(m: Material) -> Answer:
    return Answer("None used: no resampling and no weights for classes.")


def _output(m: Material) -> Answer:
    text = f"Probability 0-1, {m.horizon}, with its contributions in log-odds; no class."
    stated = m.evidence.get("thresholds")
    if stated:
        marked = enumerate_words([threshold(t) for t in stated["marked"]])
        text += f" Looked at from {marked}: {stated['why']}."
    return Answer(text, where="Acting from a threshold on")


def _data_availability(m: Material) -> Answer:
    return Answer(f"{m.dataset['licence']}; {m.dataset['url']}" if m.dataset else None)


def _code_availability(m: Material) -> Answer:
    return Answer(f"The repository of cdss, commit {m.training.get('code')}.", where="Provenance")


def _model(m: Material) -> Answer:
    return Answer("The whole model is in the bundle; so is the code that applies it. Licence: "
                  "Apache-2.0.", where="Provenance")  # fmt: skip


def _sensitive_inputs(m: Material) -> Answer:
    names = set(m.model.predictors)
    asked = {
        "race": "race" in names,
        "ethnicity": bool(names & {"ethnicity", "ancestry"}),
        "language": "language" in names,
        "sexual orientation": "sexual_orientation" in names,
        "gender identity": "gender_identity" in names,
        "sex": "sex" in names,
        "date of birth (as age)": "age" in names,
        "social determinants of health": bool(names & {"education", "income_to_poverty"}),
        "health status": bool(names - {"age", "sex"}),
    }
    return Answer("; ".join(f"{what}: {'yes' if used else 'no'}" for what, used in asked.items()))


def _out_of_limits(m: Material) -> Answer:
    limits = [f"{name} {span[0]:g} to {span[1]:g} {VARIABLES[name].unit}"
              for name, span in m.model.limits.items()]  # fmt: skip
    barred = enumerate_words([name.replace("_", " ") for name in m.model.excluded])
    return Answer(f"No estimate for: {barred}. No estimate outside: {'; '.join(limits)}.",
                  where="Predictors")  # fmt: skip


def _population(m: Material) -> Answer:
    return Answer(f"{m.model.population}. Left out: {m.facts.get('exclusions', '-')}",
                  where="What it says")  # fmt: skip


def _baseline(m: Material) -> Answer:
    return Answer(f"Contributions are relative to {percent(expit(m.model.baseline), 2)}.")


def _abstract(m: Material) -> Answer:
    return Answer("See the abstract above.", RUN, "")


FIELDS: dict[str, Field] = {
    "abstract": _abstract,
    "baseline": _baseline,
    "centres": _centres,
    "code_availability": _code_availability,
    "computing": _computing,
    "data": _data,
    "data_availability": _data_availability,
    "dates": _dates,
    "form": _form,
    "imbalance": _imbalance,
    "measures": _measures,
    "model": _model,
    "objectives": _objectives,
    "out_of_limits": _out_of_limits,
    "outcome": _outcome,
    "output": _output,
    "population": _population,
    "predictor_facts": _predictor_facts,
    "predictor_list": _predictor_list,
    "sensitive_inputs": _sensitive_inputs,
    "title": _title,
    "treatment": _treatment,
}
