"""
What the release gate asks of the evidence: pass, fail, or cannot tell, each with its figures.

Pure functions of the evidence (`training.validate`), the bundle, and the tolerances in
``gate.toml``. What touches people's rows is in `training.gate` and `training.leakage`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdss.risk import RiskModel

TOLERANCES = tomllib.loads((Path(__file__).parent / "gate.toml").read_text(encoding="utf-8"))

PASS, FAIL, CANNOT_TELL = "pass", "fail", "cannot tell"


@dataclass(frozen=True)
class Check:
    """One answer of the gate: a verdict, and one sentence with the figures behind it."""

    name: str
    verdict: str
    why: str

    def as_dict(self) -> dict[str, str]:
        """For the record."""
        return {"name": self.name, "verdict": self.verdict, "why": self.why}


@dataclass(frozen=True)
class Finding:
    """A part of a check: one figure of one tier, contender or group."""

    verdict: str
    text: str


def worst(name: str, findings: Iterable[Finding], otherwise: str) -> Check:
    """
    Make a check of its findings.

    Parameters
    ----------
    name : str
        The check.
    findings : iterable of Finding
        What was looked at.
    otherwise : str
        What to say if all of it passes.

    Returns
    -------
    Check
        Fails if a finding fails, cannot tell if one cannot; its sentence then names those.
    """
    every = list(findings)
    for verdict in (FAIL, CANNOT_TELL):
        if said := [f.text for f in every if f.verdict == verdict]:
            also = [f.text for f in every if verdict == FAIL and f.verdict == CANNOT_TELL]
            rest = f"; cannot tell: {'; '.join(also)}" if also else ""
            return Check(name, verdict, "; ".join(said) + rest)
    return Check(name, PASS, otherwise)


def about_this_bundle(model: RiskModel, evidence: Mapping[str, Any]) -> Check:
    """
    Ask whether the evidence is of this very bundle.

    Parameters
    ----------
    model : RiskModel
        The candidate.
    evidence : mapping
        What the validation found.

    Returns
    -------
    Check
        Named ``evidence``.
    """
    digest = model.facts["digest"]
    if not evidence:
        return Check("evidence", FAIL, f"there is no evidence: validate {model.id} first")
    if evidence.get("digest") != digest:
        of = f"{evidence.get('model')} {evidence.get('version')}"
        return Check(
            "evidence", FAIL,
            f"the evidence is of {of}, bundle {str(evidence.get('digest'))[:12]}, not of "
            f"{model.version}, bundle {digest[:12]}",
        )  # fmt: skip
    if model.facts.get("parent") and evidence["validation"] == "cross-validated":
        return Check(
            "evidence", FAIL,
            "cross-validation fits the family anew and says nothing of this version's intercept "
            "and slope: validate it on people of another table",
        )  # fmt: skip
    return Check(
        "evidence", PASS,
        f"{evidence['validation']} on {evidence['people']:,} people of {evidence['dataset']}, "
        f"{evidence['events']:,} with the outcome; bundle {digest[:12]}",
    )  # fmt: skip


def calibration(model: RiskModel, evidence: Mapping[str, Any]) -> Check:
    """
    Ask whether risk is as high and as spread as observed, in every tier.

    Parameters
    ----------
    model : RiskModel
        If it was recalibrated on the very rows of the evidence, its cross-fitted figures are used.
    evidence : mapping
        ``tiers``.

    Returns
    -------
    Check
        A point outside the band fails; an interval wider than stated cannot tell.
    """
    low, high = TOLERANCES["calibration"]["band"]
    widest = TOLERANCES["calibration"]["widest"]
    tiers, whose = _figures_to_judge(model, evidence)
    findings, said = [], []
    for tier, figures in tiers.items():
        for key, short in (("o_e", "O:E"), ("calibration_slope", "slope")):
            value, interval = figures.get(key), figures.get(f"{key}_95ci")
            if value is None or interval is None:
                why = figures.get("reason", "no figure")
                findings.append(Finding(CANNOT_TELL, f"{tier}: {short} unknown ({why})"))
                continue
            text = f"{tier} {short} {value:.2f} ({interval[0]:.2f}-{interval[1]:.2f})"
            said.append(text)
            if not low <= value <= high or interval[1] < low or interval[0] > high:
                findings.append(Finding(FAIL, f"{text} is outside {low} to {high}"))
            elif interval[1] - interval[0] > widest:
                findings.append(Finding(CANNOT_TELL, f"{text} is wider than {widest}"))
    if not tiers:
        findings.append(Finding(CANNOT_TELL, "no figures by tier"))
    return worst("calibration", findings, f"{whose}: {'; '.join(said)}")


def _figures_to_judge(
    model: RiskModel, evidence: Mapping[str, Any]
) -> tuple[Mapping[str, Any], str]:
    for step in model.facts.get("recalibration_history", []):
        fitted_on = step.get("table", {}).get("sha256")
        if fitted_on and fitted_on == evidence.get("data_sha256"):
            return model.facts["metrics"], "cross-fitted, on the rows it was recalibrated with"
    return evidence.get("tiers", {}), evidence.get("validation", "")


def sample_size(model: RiskModel, evidence: Mapping[str, Any]) -> Check:
    """
    Ask whether there were enough people to make the model, and to judge it.

    Parameters
    ----------
    model : RiskModel
        Of a recalibrated version what counts is the table it was recalibrated on.
    evidence : mapping
        ``sample_size``.

    Returns
    -------
    Check
        Too few to develop fails; too few to validate cannot tell.
    """
    sizes = dict(evidence.get("sample_size") or {})
    findings, said = [], []
    if model.facts.get("anchored"):
        sizes["development"] = {"needed": 0, "had": 0, "sufficient": True}
    elif steps := model.facts.get("recalibration_history"):
        last = steps[-1]
        size = last["sample_size"][last["method"]]
        sizes["development"] = {
            "needed": size["needed"], "had": size["had"], "sufficient": not size["lacking"],
        }  # fmt: skip
    for part, verdict in (("development", FAIL), ("validation", CANNOT_TELL)):
        found = sizes.get(part) or {}
        if found.get("sufficient") is None:
            findings.append(Finding(CANNOT_TELL, f"{part}: not computed"))
            continue
        text = f"{part}: needed {_number(found['needed'])}, had {_number(found['had'])}"
        said.append(text)
        if not found["sufficient"]:
            findings.append(Finding(verdict, f"{text}, too few"))
    return worst("sample_size", findings, "; ".join(said))


def _number(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_number(v)}" for k, v in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
