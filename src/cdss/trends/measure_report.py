"""The report as FHIR R4 MeasureReports, one a measure and period, in a Bundle."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import polars as pl

from cdss.i18n import words
from cdss.trends.cells import ALL
from cdss.trends.measures import Measure
from cdss.trends.naming import Namer
from cdss.trends.report import Report

Resource = dict[str, Any]

SYSTEM = "urn:cdss:trends"
"""Of measures and of places, which have no codes of their own."""

_DEEPEST = 1  # thousands of small places are in the tables
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_TAGS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def measure_reports(report: Report, lang: str) -> Resource:
    """
    Write the report as FHIR.

    Parameters
    ----------
    report : Report
        What may be published.
    lang : str
        Of the words.

    Returns
    -------
    dict
        A Bundle; figures that are not shown are marked as masked, never left out or zero.
    """
    entries = [
        {"fullUrl": f"urn:uuid:{_uuid(m.id, period)}", "resource": each}
        for m in report.measures
        for period in report.periods
        for each in [_report(report, m, period, lang)]
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "collection", "language": lang}
    if report.inputs.synthetic:
        bundle["meta"] = {
            "tag": [{"system": _TAGS, "code": "HTEST", "display": "test health data"}]
        }
    return bundle | {"entry": entries}


def _uuid(measure: str, period: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{SYSTEM}:{measure}:{period}"))


def _report(report: Report, measure: Measure, period: str, lang: str) -> Resource:
    text = words(lang)
    name = Namer(text)
    rows = report.figures.filter(
        (pl.col("measure") == measure.id)
        & (pl.col("period") == period)
        & (pl.col("level") <= _DEEPEST)
    ).to_dicts()
    whole = next(r for r in rows if (r["level"], r["sex"], r["band"]) == (0, ALL, ALL))
    notes = [text("trends.advisory"), name.protection(report.protection), name.what(measure)]
    if report.inputs.synthetic:
        notes.insert(0, text("trends.synthetic"))
    first, last = _days(period)
    group: Resource = {
        "code": {"text": name.measure(measure.id)},
        "population": _population(measure, whole),
        **_score(measure, whole),
        "stratifier": [s for s in _stratifiers(measure, rows, name) if s["stratum"]],
    }
    found: Resource = {
        "resourceType": "MeasureReport",
        "id": _uuid(measure.id, period),
        "language": lang,
        "text": {"status": "additional", "div": _narrative(notes)},
        "status": "complete",
        "type": "summary",
        "measure": f"{SYSTEM}:{measure.id}",
        "period": {"start": first, "end": last},
        "group": [group],
    }
    if not group["stratifier"]:
        del group["stratifier"]
    if report.inputs.synthetic:
        found["meta"] = {"tag": [{"system": _TAGS, "code": "HTEST", "display": "test health data"}]}
    return found


def _narrative(notes: Sequence[str]) -> str:
    inside = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'


def _days(period: str) -> tuple[str, str]:
    year, _, quarter = period.partition("-Q")
    if not quarter:
        return f"{year}-01-01", f"{year}-12-31"
    month = 3 * int(quarter)
    end = calendar.monthrange(int(year), month)[1]
    return date(int(year), month - 2, 1).isoformat(), date(int(year), month, end).isoformat()


def _population(measure: Measure, row: Resource) -> list[Resource]:
    if measure.unit == "people":
        return [_counted("initial-population", row, row["count"])]
    found = [_counted("denominator", row, row["among"])]
    if not measure.numerator.total and not measure.kind.endswith("_bounds"):
        found.append(_counted("numerator", row, row["count"]))
    return found


def _counted(code: str, row: Resource, count: float | None) -> Resource:
    found: Resource = {"code": {"coding": [{"system": _POPULATION, "code": code}]}}
    if row["suppressed"] or count is None:
        return found | {"_count": {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}}
    return found | {"count": round(count)}


def _score(measure: Measure, row: Resource) -> Resource:
    if row["suppressed"] or row["estimate"] is None:
        return {}
    decimals = 4 if measure.unit == "share" else 1
    return {"measureScore": {"value": round(row["estimate"], decimals)}}


def _stratifiers(measure: Measure, rows: Sequence[Resource], name: Namer) -> Iterator[Resource]:
    level = max(r["level"] for r in rows)
    for at in range(1, level + 1):
        mine = [r for r in rows if r["level"] == at and r["sex"] == r["band"] == ALL]
        code = f"place-{at}"
        yield _stratifier(code, measure, [(r["area"], name.place(r["area"]), r) for r in mine])
    whole = [r for r in rows if r["level"] == 0]
    by_sex = [r for r in whole if r["sex"] != ALL and r["band"] == ALL]
    by_age = [r for r in whole if r["sex"] == ALL and r["band"] != ALL]
    told = [(r["sex"], name.group(r["sex"], ALL)[0], r) for r in by_sex]
    yield _stratifier("sex", measure, told)
    told = [(r["band"], name.group(ALL, r["band"])[1], r) for r in by_age]
    yield _stratifier("age", measure, told)


def _stratifier(
    code: str, measure: Measure, strata: Sequence[tuple[str, str, Resource]]
) -> Resource:
    return {
        "code": [{"coding": [{"system": SYSTEM, "code": code}]}],
        "stratum": [
            {
                "value": {"coding": [{"system": SYSTEM, "code": key}], "text": said},
                "population": _population(measure, row),
                **_score(measure, row),
            }
            for key, said, row in strata
        ],
    }
