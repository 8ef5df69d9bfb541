"""Write evidence down: JSON, pictures, and a page that needs nothing else."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from training.data import ROOT
from training.plots import curves, decision, forest
from training.validate import Evidence

CARDS, BUILD = ROOT / "model_cards", ROOT / "build" / "validation"
DIGITS = 6
SHOWN = 12
"""Contenders drawn: more lines than that cannot be told apart."""


def write(evidence: Evidence, folder: str | os.PathLike[str] | None = None) -> dict[str, Path]:
    """
    Write ``evidence.json`` with its pictures, and the report.

    Parameters
    ----------
    evidence : Evidence
        What `training.validate.validate` found.
    folder : path, optional
        Where the JSON and the pictures go; by default ``model_cards/<id>`` for a trained model's
        development data, else ``build/validation/<id>``.

    Returns
    -------
    dict of str to Path
        ``evidence`` and ``report``: the files.
    """
    report = evidence.report
    own = report["validation"] == "cross-validated"
    path = Path(folder) if folder else (CARDS if own else BUILD) / report["model"]
    path.mkdir(parents=True, exist_ok=True)
    images = {name: _png(figure) for name, figure in pictures(evidence).items()}
    for name, image in images.items():
        (path / f"{name}.png").write_bytes(image)
    text = json.dumps(rounded(report), indent=1, ensure_ascii=False)
    (path / "evidence.json").write_text(f"{text}\n", encoding="utf-8")
    page = (path if folder else BUILD / report["model"]) / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html(json.loads(text), images), encoding="utf-8")
    return {"evidence": path / "evidence.json", "report": page}


def pictures(evidence: Evidence) -> dict[str, Figure]:
    """
    Draw what numbers show badly.

    Parameters
    ----------
    evidence : Evidence
        Report and predictions.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        ``calibration`` (unless the outcome is another one), ``decision_curve``, ``subgroups`` and,
        where sites or cycles were left out, ``sites``.
    """
    report, study = evidence.report, evidence.study
    found = {}
    if report["same_outcome"] and report["tiers"]["all"]["auroc"] is not None:
        found["calibration"] = curves(study.cohort.y, study.log_odds, study.cohort.weight)
    drawn = report["head_to_head"]["all"]["curves"]["contenders"]
    found["decision_curve"] = decision(dict([*drawn.items()][:SHOWN]))
    rows = [
        _row(f"{dimension.replace('_', ' ')}: {group}", figures)
        for dimension, groups in report["subgroups"].items()
        for group, figures in groups.items()
    ]
    title = f"{report['model']}: observed over expected by group"
    found["subgroups"] = forest(rows, title, "observed : expected (95 % CI)", None)
    parts = report["sites"] or report["cycles"]
    if parts:
        kind = "site" if report["sites"] else "survey cycle"
        rows = [_row(f"{kind} {name}", figures) for name, figures in parts["each"].items()]
        title = f"{report['model']}: each {kind} by a model that never saw it"
        found["sites"] = forest(
            rows, title, "observed : expected (95 % CI)", parts["pooled"]["o_e"]
        )
    return found


def html(report: Mapping[str, Any], images: Mapping[str, bytes]) -> str:
    """
    The report as one page.

    Parameters
    ----------
    report : mapping
        Evidence as it is in the JSON.
    images : mapping of str to bytes
        PNG by name; embedded.

    Returns
    -------
    str
        HTML without anything to load.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "interval": interval, "share": share, "words": words}
    embedded = {name: base64.b64encode(image).decode() for name, image in images.items()}
    return environment.get_template("report.html.j2").render(e=report, images=embedded)


def rounded(value: Any) -> Any:
    """
    Round every number to six significant digits: files stay readable and comparable.

    Parameters
    ----------
    value : object
        JSON-like.

    Returns
    -------
    object
        The same with rounded numbers; a number that is none (NaN, infinite) becomes None.
    """
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many decimal places, a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def interval(figures: Mapping[str, Any], name: str, digits: int = 3) -> str:
    """A figure with its interval."""
    value, ends = figures.get(name), figures.get(f"{name}_95ci")
    if value is None:
        return "–"
    if ends is None:
        return number(value, digits)
    return f"{value:.{digits}f} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"


def share(value: float | None, digits: int = 1) -> str:
    """A proportion in percent."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def words(name: str) -> str:
    """A key as words."""
    return str(name).replace("_", " ")


def _row(label: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    note = f"{figures['events']:,} of {figures['n']:,}"
    return {
        "label": label, "estimate": figures.get("o_e"), "95ci": figures.get("o_e_95ci"),
        "note": note,
    }  # fmt: skip


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
