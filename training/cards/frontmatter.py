"""The machine-read head of a card, in YAML, as the Hugging Face hub reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from training.cards.material import Material
from training.cards.words import interval, tier_name

LICENCE = "apache-2.0"
"""Of the repository, the bundles in it included; data sets have their own, see the card."""

METRICS = {
    "auroc": ("roc_auc", "AUROC"),
    "o_e": ("observed_expected_ratio", "Observed:expected"),
    "calibration_slope": ("calibration_slope", "Calibration slope"),
    "brier": ("brier_score", "Brier score"),
    "scaled_brier": ("scaled_brier_score", "Scaled Brier score"),
}
"""Our figure → its type for the hub, and its name."""


def front_matter(material: Material) -> str:
    """
    Write the head of a card.

    Parameters
    ----------
    material : Material
        What is known.

    Returns
    -------
    str
        From ``---`` to ``---``. Every scalar is JSON, which YAML contains, so that no text can be
        taken for something else.
    """
    model = material.model
    tags = ["clinical-risk-prediction", "tabular-classification", "calibrated", "explainable",
            model.outcome.replace("_", "-"), "not-validated-in-viet-nam"]  # fmt: skip
    tags += ["demonstration"] if model.demonstration else []
    tags += [] if material.gate else ["not-released"]
    head = {
        "language": ["en"],
        "license": LICENCE,
        "library_name": "onnx",
        "pipeline_tag": "tabular-classification",
        "tags": tags,
        "datasets": [str(material.training.get("dataset", ""))],
        "metrics": [kind for kind, _ in METRICS.values()],
        "model-index": [{"name": f"{model.id}@{model.version}", "results": _results(material)}],
    }
    return "\n".join(["---", *_yaml(head), "---"])


def _results(material: Material) -> list[dict[str, Any]]:
    name = str(material.training.get("dataset", ""))
    title = str(material.dataset.get("title", name))
    results = [
        _result(f"cross-validated, known: {tier_name(tier)}", name, title, figures)
        for tier, figures in material.tiers.items()
    ]
    results += [
        _result("external validation", e["dataset"], e["dataset"], e["figures"])
        for e in material.external
    ]
    return [result for result in results if result["metrics"]]


def _result(what: str, name: str, title: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task": {"type": "tabular-classification", "name": what},
        "dataset": {"type": name, "name": title},
        "metrics": [m for key in METRICS if (m := _metric(key, what, figures))],
    }


def _metric(key: str, what: str, figures: Mapping[str, Any]) -> dict[str, Any] | None:
    value, span = figures.get(key), figures.get(f"{key}_95ci")
    if value is None:
        return None
    kind, name = METRICS[key]
    shown = interval(span, 3)
    metric = {
        "type": kind,
        "value": round(value, 4),
        "name": f"{name}, {what}" + (f" (95 % CI {shown})" if shown else ""),
    }
    if shown:
        metric["args"] = {"level": 0.95, "lower": round(span[0], 4), "upper": round(span[1], 4)}
    return metric


def _yaml(value: Any, depth: int = 0) -> Iterator[str]:
    """Lines of block YAML for mappings and lists of mappings; anything smaller is JSON."""
    pad = "  " * depth
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if _nested(inner):
                yield f"{pad}{key}:"
                yield from _yaml(inner, depth + 1)
            else:
                yield f"{pad}{key}: {json.dumps(inner, ensure_ascii=False)}"
        return
    for inner in value:
        first, *others = _yaml(inner, depth + 1)
        yield f"{pad}- {first.lstrip()}"
        yield from others


def _nested(value: Any) -> bool:
    """A list of mappings, or a mapping that holds one; "metrics" of a result among them."""
    if isinstance(value, Mapping):
        return any(_nested(inner) for inner in value.values())
    return isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value)
