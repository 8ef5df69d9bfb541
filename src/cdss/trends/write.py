"""Writing a report: tidy tables, a page in each language, and FHIR."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cdss.i18n import words
from cdss.trends.measure_report import measure_reports
from cdss.trends.naming import Namer
from cdss.trends.page import page
from cdss.trends.report import Report


def write(report: Report, out: Path, languages: Sequence[str]) -> list[str]:
    """
    Write a report.

    Parameters
    ----------
    report : Report
        What may be published.
    out : Path
        A new or empty folder.
    languages : sequence of str
        Of the pages.

    Returns
    -------
    list of str
        Names of the files.
    """
    out.mkdir(parents=True, exist_ok=True)
    metadata = {
        "cdss.notice": words("en")("trends.advisory"),
        "cdss.protection": Namer(words("en")).protection(report.protection),
        "cdss.jurisdiction": report.inputs.place.id,
    }
    label = report.inputs.synthetic
    if label:
        metadata["cdss.synthetic"] = label
    tables = {
        "figures": report.figures,
        "changes": report.changes,
        "drift": pl.DataFrame([d._asdict() for d in report.drift], infer_schema_length=None),
        "calibration": pl.DataFrame(
            [c._asdict() for c in report.calibration], infer_schema_length=None
        ),
        "absent": pl.DataFrame(
            [{"measure": what, "lacks": ", ".join(lacks)} for what, lacks in report.absent]
        ),
    }
    names = []
    for name, table in tables.items():
        if table.width:
            told = table.with_columns(pl.lit(label or None, pl.String).alias("synthetic"))
            told.write_parquet(out / f"{name}.parquet", metadata=metadata)
            told.write_csv(out / f"{name}.csv")
            names += [f"{name}.parquet", f"{name}.csv"]
    for lang in languages:
        (out / f"report.{lang}.html").write_text(page(report, lang), encoding="utf-8")
        bundle = json.dumps(measure_reports(report, lang), ensure_ascii=False)
        (out / f"measure-report.{lang}.json").write_text(bundle, encoding="utf-8")
        names += [f"report.{lang}.html", f"measure-report.{lang}.json"]
    return names
