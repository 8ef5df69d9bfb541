"""A model with a manifest, evidence, a release record and statements, all invented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdss.risk import RiskModel
from tests.toy import toy_model

DIGEST = "d1" * 32

FIGURES: dict[str, Any] = {
    "n": 4321,
    "events": 210,
    "auroc": 0.71,
    "auroc_95ci": [0.68, 0.74],
    "o_e": 1.02,
    "o_e_95ci": [0.95, 1.09],
    "calibration_slope": 0.99,
    "calibration_slope_95ci": [0.93, 1.05],
    "brier": 0.0432,
    "scaled_brier": 0.061,
    "scaled_brier_95ci": [0.05, 0.07],
    "ici": 0.0031,
    "ici_if_perfect": 0.0029,
    "at": [
        {
            "threshold": 0.05,
            "flagged": 0.3,
            "sensitivity": 0.77,
            "missed": 0.23,
            "ppv": 0.12,
            "number_to_test": 8.3,
            "net_benefit": 0.021,
            "net_benefit_95ci": [0.018, 0.024],
            "treat_all": 0.004,
            "over_treat_all_95ci": [0.012, 0.021],
        }
    ],
}

OFF = FIGURES | {"o_e": 1.35, "o_e_95ci": [1.22, 1.49], "calibration_slope": 0.81,
                 "calibration_slope_95ci": [0.74, 0.88]}  # fmt: skip


POINTS = {"n": 900, "auroc": 0.66, "auroc_95ci": [0.6, 0.72], "same_outcome": False,
          "note": "by rank"}  # fmt: skip


def difference(value: float, low: float, high: float) -> dict[str, Any]:
    return {"difference": value, "95ci": [low, high]}


EVIDENCE: dict[str, Any] = {
    "format": 1,
    "model": "toy",
    "version": "1.0.0",
    "digest": DIGEST,
    "flow": [["everybody", 5000], ["free of it", 4321]],
    "characteristics": [
        {
            "variable": "age",
            "unit": "a",
            "missing": 0.013,
            "overall": {"mean": 51.2, "sd": 12.3},
            "with_outcome": {"mean": 58.1, "sd": 11.0},
            "without_outcome": {"mean": 50.9, "sd": 12.2},
        }
    ],
    "tiers": {"required_only": OFF, "all": FIGURES},
    "weighted": {"all": FIGURES | {"auroc": 0.735}},
    "cycles": {
        "each": {"1999-2000": FIGURES | {"o_e": 0.7}, "2001-2002": FIGURES | {"o_e": 1.3}},
        "pooled": {
            "o_e": {"estimate": 1.0, "95ci": [0.9, 1.1], "prediction_95": [0.62, 1.61],
                    "tau2": 0.04, "i2": 0.61, "k": 2}
        },
    },
    "sites": None,
    "survival": {"uno_c": 0.701, "uno_c_95ci": [0.66, 0.74], "observed_by": "Aalen-Johansen"},
    "external": [{"dataset": "elsewhere", "figures": None, "why_not": "it has no waist"}],
    "head_to_head": {
        "all": {
            "people": 4000,
            "of": 4321,
            "contenders": {"toy": FIGURES, "age": FIGURES, "xgboost": FIGURES, "equation": FIGURES},
            "differences": {
                "age": {"auroc": difference(0.05, 0.03, 0.07),
                        "net_benefit_0.05": difference(0.002, -0.001, 0.005)},
                "xgboost": {"auroc": difference(0.001, -0.004, 0.006),
                            "net_benefit_0.05": difference(-0.003, -0.005, -0.001)},
                "equation": {"auroc": difference(-0.02, -0.03, -0.01),
                             "net_benefit_0.05": difference(0.004, 0.001, 0.007)},
            },
            "pairwise": {
                "points": {
                    "people": 900,
                    "contenders": {"toy": FIGURES, "points": POINTS},
                    "differences": {"points": {"auroc": difference(0.05, 0.01, 0.09)}},
                }
            },
            "left_out": {"findrisc": "answers for 3 % of the people"},
        }
    },
    "subgroups": {
        "sex": {
            "female": {"status": "reported", **FIGURES},
            "male": {"status": "reported", **OFF},
        },
        "ethnicity": {"few | others": {"status": "insufficient", "n": 37, "events": 2}},
    },
    "subgroup_differences": {"sex": {"male": {"auroc": difference(0.01, -0.02, 0.04)}}},
    "multiplicity": "no correction; read 3 groups together.",
    "interval": {
        "level": 0.95,
        "people": 200,
        "half_width": {"required_only": 0.05, "all": 0.04},
        "coverage": {"overall": 0.94, "tier": {"required_only": 0.87, "all": 0.95}},
        "groups": {"required_only": 20, "all": 21},
    },
    "sample_size": {
        "development": {"needed": 6000, "had": 4321, "sufficient": False},
        "validation": {"needed": 900, "had": 4321, "sufficient": True},
    },
    "thresholds": {"range": [0.02, 0.15], "marked": [0.05], "why": "an invented reason"},
}  # fmt: skip

GATE: dict[str, Any] = {
    "format": 1,
    "manifest_sha256": DIGEST,
    "verdict": "pass",
    "checks": [{"name": "parity", "verdict": "pass", "why": "off by 1e-7 at most"}],
    "evidence_sha256": "e2" * 32,
    "signed_by": {"name": "A Tester", "role": "test", "statement": "invented"},
    "released_on": "2026-11-25",
    "code": "abc",
    "mlflow_run_id": "r1",
    "history": [
        {"version": "0.9.0", "manifest_sha256": "f3", "released_on": "2026-01-01",
         "signed_by": "B Tester"}
    ],
}  # fmt: skip

FACTS: dict[str, Any] = {
    "digest": DIGEST,
    "title": "Toy of a model",
    "outcome_definition": "Something that happens.",
    "exclusions": "Nobody.",
    "time_handling": "None.",
    "family": "spline",
    "reasons": {"age": "why not"},
    "monotone": {"age": 1},
    "champion_rule": "the first",
    "metrics": {"all": FIGURES},
    "sites": None,
    "families": {"spline": {"auroc": 0.7, "mean_auroc": 0.7, "in_band": True,
                            "keeps_directions": True}},
    "parity": {"probability": 1e-7, "additivity": 1e-12, "shap": 1e-6},
    "training": {"dataset": "nhanes", "n": 4321, "events": 210, "flow": [["everybody", 5000]],
                 "missing": {"age": 0.0, "sex": 0.0, "bmi": 0.1, "alt": 0.5},
                 "set_to_missing_as_implausible": {"bmi": 3}, "background_rows": 10,
                 "code": "abc", "data_sha256": "00", "trained_on": "2026-11-24"},
}  # fmt: skip

STATEMENT = """
[{key}]
text = "{text}"
author = "A Tester"
date = 2026-11-24
review = "nobody has reviewed it"
"""


def model(**changes: Any) -> RiskModel:
    """The toy model with a manifest."""
    return toy_model(facts=FACTS | changes)


def lay_out(
    folder: Path,
    evidence: Mapping[str, Any] | None = EVIDENCE,
    said: Mapping[str, str] | None = None,
    pictures: tuple[str, ...] = ("calibration.png", "decision_curve.png"),
) -> Path:
    """Write evidence, pictures and statements where cards look for them."""
    place = folder / "toy"
    place.mkdir(parents=True, exist_ok=True)
    if evidence is not None:
        (place / "evidence.json").write_text(json.dumps(evidence))
    for picture in pictures:
        (place / picture).write_bytes(b"")
    (folder / "statements").mkdir(exist_ok=True)
    text = "".join(STATEMENT.format(key=k, text=t) for k, t in (said or {}).items())
    (folder / "statements" / "toy.toml").write_text(text)
    return folder
