"""
The Applied Model Card of the Coalition for Health AI, version 0.2, as XML.

The schema lets every leaf be empty; a leaf here never is: what nobody has said reads "not
provided".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as Tree

from training.cards.answers import Answer
from training.cards.fields import answer
from training.cards.findings import all_findings, coverage_value
from training.cards.material import Material
from training.cards.words import NO_EVIDENCE, NOT_PROVIDED, threshold, tier_name

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"

Leaves = dict[str, Any]
"""Name of an element → text, or the elements inside; the order is the schema's."""


def applied_model_card(material: Material) -> str:
    """
    Write the card.

    Parameters
    ----------
    material : Material
        What is known.

    Returns
    -------
    str
        XML, with its declaration; no element is empty.
    """
    root = Tree.Element("AppliedModelCard", {"xmlns": NAMESPACE})
    _append(root, _content(material))
    Tree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Tree.tostring(root, encoding="unicode")}\n'


def _content(m: Material) -> Leaves:
    gate = m.gate or {}
    stage = "released" if gate else "not released: no gate record"
    if m.model.demonstration:
        stage = f"demonstration, never for patients; {stage}"
    return {
        "BasicInfo": {
            "ModelName": f"{m.title} ({m.model.id})",
            "ModelDeveloper": _text(m, "statement:developer"),
            "DeveloperContact": _text(m, "statement:contact"),
        },
        "ReleaseInfo": {
            "ReleaseStage": stage,
            "ReleaseDate": str(gate.get("released_on") or "not released"),
            "ReleaseVersion": m.model.version,
            "GlobalAvailability": "Open source, Apache-2.0. Not validated in Viet Nam.",
            "RegulatoryApproval": _text(m, "statement:regulatory"),
        },
        "ModelSummary": {
            "Summary": _text(m, "title", "outcome", "performance"),
            "Keywords": {"Keyword": [m.model.outcome.replace("_", " "), "risk prediction"]},
        },
        "UsesAndDirections": {
            "IntendedUseAndWorkflow": _text(m, "statement:intended_use", "statement:decision_role"),
            "PrimaryIntendedUsers": _text(m, "statement:users"),
            "HowToUse": _text(m, "statement:how_to_use", "statement:expertise", "input_handling"),
            "TargetedPatientPopulation": _text(m, "population"),
            "CautionedOutOfScopeSettings": _text(
                m, "out_of_limits", "statement:out_of_scope", "statement:stop"
            ),
        },
        "Warnings": {
            "KnownRisksAndLimitations": _text(m, "statement:risks", "limitations"),
            "KnownBiasesOrEthicalConsiderations": _text(m, "statement:biases"),
            "ClinicalRiskLevel": _text(m, "statement:clinical_risk_level"),
        },
        "TrustIngredients": _trust(m),
        "KeyMetrics": {
            "UsefulnessUsabilityEfficacy": _usefulness(m),
            "FairnessEquity": _fairness(m),
            "SafetyReliability": _safety(m),
        },
        "Resources": {
            "EvaluationReferences": f"model_cards/{m.model.id}.md, its figures and their source",
            "PeerReviewedPublications": _text(m, "statement:publications"),
            "PatientConsentOrDisclosure": _text(m, "data:ethics", "statement:consent"),
        },
        "Bibliography": bibtex(m),
    }


def _trust(m: Material) -> Leaves:
    return {
        "AISystemFacts": {
            "OutcomesAndOutputs": _text(m, "outcome", "output", "baseline"),
            "ModelType": f"{_text(m, 'form')} Predictive, deterministic.",
            "FoundationModels": "none",
            "InputDataSource": _text(m, "data", "centres"),
            "OutputAndInputDataTypes": _text(m, "predictor_facts", "sensitive_inputs"),
            "DevelopmentDataCharacterization": _text(
                m, "eligibility", "flow", "missing", "sample_size", "data:representativeness"
            ),
            "BiasMitigationApproaches": _text(m, "statement:fairness", "statement:bias_mitigation"),
            "OngoingMaintenance": _text(m, "statement:monitoring", "statement:updates"),
            "Security": "Every file of a bundle is checked against its SHA-256 when it is loaded, "
            "its known answers are replayed, and nothing in it is executable.",
            "Transparency": _text(m, "computing", "code_availability", "data_availability"),
        },
        "TransparencyInformation": {
            "FundingSource": _text(m, "statement:funding"),
            "StakeholdersConsulted": _text(
                m, "statement:stakeholders", "statement:patient_involvement"
            ),
        },
    }


def _usefulness(m: Material) -> Leaves:
    results = []
    for tier, figures in m.tiers.items():
        known = f"known: {tier_name(tier)}"
        results += [
            _estimate(f"AUROC, {known}", figures, "auroc", "probability"),
            _estimate(f"Observed:expected, {known}", figures, "o_e", "ratio"),
            _estimate(f"Calibration slope, {known}", figures, "calibration_slope", "ratio"),
        ]
        for at in figures.get("at") or []:
            label = f"Net benefit at {threshold(at['threshold'])}, {known}"
            results.append(_single(label, at.get("net_benefit"), "per person"))
    return _metric(
        m,
        "Risks that rank people, are right on average and are worth acting on at the stated "
        "thresholds: observed:expected and calibration slope within 0.9 to 1.1, net benefit above "
        "acting on all and on nobody.",
        results,
        " ".join(all_findings(m)) or "Nothing in the figures calls for a warning.",
    )


def _fairness(m: Material) -> Leaves:
    results = []
    for dimension, groups in (m.evidence.get("subgroups") or {}).items():
        for name, figures in groups.items():
            label = f"{dimension.replace('_', ' ')}, {name} (n {figures.get('n', 0)})"
            if figures.get("status") == "reported":
                results.append(_estimate(f"Observed:expected, {label}", figures, "o_e", "ratio"))
                results.append(_estimate(f"AUROC, {label}", figures, "auroc", "probability"))
            else:
                results.append(_single(label, str(figures.get("status") or NOT_PROVIDED), ""))
    return _metric(
        m,
        "Risks that are right on average in each group; a group too small to tell is named, not "
        "dropped.",
        results,
        _text(m, "group_performance") if results else NO_EVIDENCE,
    )


def _safety(m: Material) -> Leaves:
    parity = m.facts.get("parity") or {}
    words = {
        "probability": ("Greatest difference between the trained model and the served file",
                        "probability"),
        "additivity": ("Greatest error of the sum of the contributions", "log-odds"),
        "shap": ("Greatest difference of a contribution from the package shap", "log-odds"),
    }  # fmt: skip
    results = [_single(label, parity.get(key), unit) for key, (label, unit) in words.items()]
    measured = (m.evidence.get("interval") or {}).get("coverage") or {}
    if (share := coverage_value(measured.get("overall"))) is not None:
        results.append(_single("Measured coverage of the interval, overall", share, "proportion"))
    for tier, value in (measured.get("tier") or {}).items():
        label = f"Measured coverage of the interval, known: {tier_name(tier)}"
        results.append(_single(label, coverage_value(value), "proportion"))
    return _metric(
        m,
        "The served file gives what was trained, its contributions add up, and its interval holds "
        "what it claims: within 2 points overall, 5 in a tier.",
        results,
        "A damaged file, or one that does not reproduce its known answers, is not served. "
        + ("" if measured else "The coverage of an interval has not been measured."),
    )


def _metric(m: Material, goal: str, results: list[Leaves], said: str) -> Leaves:
    results = results or [_single("Results", NOT_PROVIDED, "")]
    return {
        "MetricGoal": goal,
        "Results": {"MetricResult": results},
        "Interpretation": f"{said.strip()} (Made from the figures, by no person.)",
        "TestType": _text(m, "objectives"),
        "TestingDataDescription": _text(m, "population", "sizes"),
        "ValidationProcessAndJustification": _text(m, "partition", "measures"),
    }


def _estimate(label: str, figures: Mapping[str, Any], name: str, unit: str) -> Leaves:
    value, span = figures.get(name), figures.get(f"{name}_95ci")
    if value is None or not span or None in span:
        reason = str(figures.get("reason") or NOT_PROVIDED)
        return _single(label, reason if value is None else value, unit)
    shape = {
        "kind": "estimate_ci", "estimate": round(value, 4), "lower": round(span[0], 4),
        "upper": round(span[1], 4), "level": 95, "unit": unit,
    }  # fmt: skip
    return {"Label": label, "ValueJson": json.dumps(shape)}


def _single(label: str, value: Any, unit: str) -> Leaves:
    if isinstance(value, float):
        value = float(f"{value:.4g}")
    shape = {"kind": "single", "value": NOT_PROVIDED if value is None else value, "unit": unit}
    return {"Label": label, "ValueJson": json.dumps(shape)}


def bibtex(m: Material) -> str:
    """
    Write the sources of a model.

    Parameters
    ----------
    m : Material
        What is known.

    Returns
    -------
    str
        BibTeX, one entry for each source.
    """
    entries = [
        f"@misc{{{m.model.id}-{i},\n  title = {{{_plain(source.citation)}}},\n"
        f"  note = {{{_plain(source.locator)}}},\n  howpublished = {{{_plain(source.url)}}}\n}}"
        for i, source in enumerate(m.model.sources, 1)
    ]
    return "\n".join(entries) or NOT_PROVIDED


def _plain(text: str) -> str:
    return re.sub(r"[{}]", "", text)


def _text(m: Material, *keys: str) -> str:
    """Answers one after the other, gaps and authors said."""
    return " ".join(dict.fromkeys(_sentence(answer(m, key)) for key in keys))


def _sentence(found: Answer) -> str:
    if found.text is None:
        return NOT_PROVIDED
    signed = "" if found.by.startswith("the ") else f" ({found.by})"
    return f"{found.text}{signed}"


def _append(parent: Tree.Element, content: Leaves) -> None:
    for name, inner in content.items():
        for one in inner if isinstance(inner, list) else [inner]:
            element = Tree.SubElement(parent, name)
            if isinstance(one, dict):
                _append(element, one)
            else:
                element.text = "".join(_legal(str(one))) or NOT_PROVIDED


def _legal(text: str) -> Iterator[str]:
    """Characters that XML 1.0 allows."""
    return (c for c in text if c in "\t\n" or c >= " ")
