"""The report as one page of HTML that needs nothing else: pictures, and a table beside each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

import jinja2
import polars as pl
from markupsafe import Markup

from cdss.i18n import words
from cdss.trends.cells import ALL
from cdss.trends.compare import ENOUGH
from cdss.trends.measures import Measure
from cdss.trends.naming import Namer
from cdss.trends.pictures import Pictures
from cdss.trends.report import Report
from cdss.trends.tiles import place_order
from cdss.trends.warn import FALSE_ALARM

_GROUPS = {
    "risks": (
        "seen", "expected", "expected_bounds", "mean_risk", "high_risk", "high_bounds", "positive",
    ),
    "load": ("share",),
    "care": ("advice", "undecided", "unmet"),
    "data": ("missing", "range", "refused"),
}  # fmt: skip
_PICTURED = ("seen", "expected", "mean_risk")
_MOST = 200  # smaller places that a page can list; the tables have them all

Row = dict[str, Any]


class Table(NamedTuple):
    """
    A table of the page.

    Attributes
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        Of columns.
    rows : sequence of sequence of str
        Its cells.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def page(report: Report, lang: str) -> str:
    """
    Write the report.

    Parameters
    ----------
    report : Report
        What may be published.
    lang : str
        Of the words.

    Returns
    -------
    str
        HTML.
    """
    return _Page(report, lang).html()


class _Page:
    def __init__(self, report: Report, lang: str) -> None:
        self.report, self.lang = report, lang
        self.text = words(lang)
        self.name = Namer(self.text)
        self.last = report.periods[-1]
        figures = report.figures
        small = (pl.col("level") > 1) & (pl.col("period") == self.last)
        listed = figures.filter(small)["area"].n_unique() <= _MOST
        kept = figures.filter((pl.col("level") <= 1) | (small & pl.lit(listed)))
        self.figures = {
            str(key): part.to_dicts()
            for (key,), part in kept.group_by("measure", maintain_order=True)
        }
        changes = report.changes.to_dicts()
        self.changes = {(r["measure"], r["area"], r["period"]): r for r in changes}
        self.pictures = Pictures(report, self.text)

    def html(self) -> str:
        files = resources.files("cdss.trends")
        environment = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        template = environment.from_string((files / "page.html.j2").read_text(encoding="utf-8"))
        style = Markup((files / "page.css").read_text(encoding="utf-8"))  # noqa: S704  # our own
        inputs, protection = self.report.inputs, self.report.protection
        t = self.text
        return template.render(
            t=t, lang=self.lang, style=style, synthetic=inputs.synthetic,
            lead=t("trends.lead", periods=", ".join(self.report.periods)),
            made_of=t(
                "trends.made_of", people=self.name.people(self._people()),
                models=", ".join(inputs.models), place=inputs.place.name[self.lang],
            ),
            protected=self.name.protection(protection),
            rate=t("trends.warning_rate", rate=100 * FALSE_ALARM),
            warnings=self._warnings(), groups=[*self._groups()],
            drift=self._drift(), calibration=self._calibration(),
            absent=[*self._absent()], thresholds=[*self._thresholds()],
            standard=t(
                "trends.page.standard", least=str(protection.least), enough=str(round(100 * ENOUGH))
            ),
        )  # fmt: skip

    def _people(self) -> float:
        """As published: exact numbers of a report would be the difference of two reports."""
        rows = (r for r in self.figures["seen"] if r["level"] == 0)
        return sum(r["count"] or 0 for r in rows if r["sex"] == r["band"] == ALL)

    def _head(self, *names: str) -> list[str]:
        return [self.text(f"trends.page.{name}") for name in names]

    def _warnings(self) -> Table:
        rows = []
        for measure in self.report.measures:
            for row in self.figures[measure.id]:
                if row["warning"]:
                    interval = self.name.between("share", row["low"], row["high"])
                    told = f"{self.name.percent(row['estimate'])} ({interval})"
                    rows.append([
                        self.name.measure(measure.id), self.name.place(row["area"]),
                        self.text("trends.page.worse_than"), told,
                        self.name.percent(row["expected"]),
                    ])  # fmt: skip
        for change in self.report.changes.filter(pl.col("warning")).to_dicts():
            interval = self._moved(change)
            whole = self.changes.get((change["measure"], ALL, change["period"]))
            rows.append([
                self.name.measure(change["measure"]), self.name.place(change["area"]),
                self.text("trends.page.got_worse"), interval,
                self._moved(whole) if whole else self.text("trends.nothing"),
            ])  # fmt: skip
        heads = self._head("measure", "place", "warning", "estimate", "expected_here")
        return Table(f"{self.text('trends.page.warnings')}, {self.last}", heads, rows)

    def _moved(self, change: Row | None) -> str:
        if change is None:
            return self.text("trends.nothing")
        low, high = (self.name.percent(change[end], sign=True) for end in ("low", "high"))
        return f"{self.name.percent(change['change'], sign=True)} ({low} – {high})"

    def _groups(self) -> Iterable[Row]:
        for group, kinds in _GROUPS.items():
            mine = [m for m in self.report.measures if m.kind in kinds]
            if mine:
                title = self.text(f"trends.page.{group}")
                yield {"id": group, "title": title, "measures": [self._measure(m) for m in mine]}

    def _measure(self, measure: Measure) -> Row:
        rows = self.figures[measure.id]
        places = [r for r in rows if r["level"] <= 1 and r["sex"] == ALL and r["band"] == ALL]
        now = [r for r in places if r["period"] == self.last]
        whole = next(r for r in now if r["level"] == 0)
        found: Row = {
            "id": measure.id, "name": self.name.measure(measure.id),
            "what": self.name.what(measure),
            "told": self._told(measure, whole), "thresholds": "; ".join(self._sources(measure)),
            "map": None, "tables": [*self._tables(measure, rows, places)],
        }  # fmt: skip
        pictured = measure.worse or measure.kind in _PICTURED
        if pictured and len(now) > 1:
            found |= self.pictures.of(measure, places, now[1:])
        return found

    def _told(self, measure: Measure, row: Row) -> str:
        if row["suppressed"]:
            return self.text("trends.hidden")
        interval = self.name.between(measure.unit, row["low"], row["high"])
        if row["estimate"] is None:
            return f"{self.last}: {interval}"
        return f"{self.last}: {self.name.amount(measure.unit, row['estimate'])} ({interval})"

    def _tables(
        self, measure: Measure, rows: Sequence[Row], places: Sequence[Row]
    ) -> Iterable[Table]:
        share = measure.unit == "share" and not measure.kind.endswith("_bounds")
        heads = self._head("place", "period", *self._columns(measure))
        if share:
            heads += self._head("standardised", "change")
        yield Table(self.text("trends.page.as_table"), heads, [
            [self.name.place(r["area"]), r["period"], *self._cells(measure, r),
             *(self._compared(measure, r) if share else ())]
            for r in sorted(places, key=_by_name)
        ])  # fmt: skip
        caption = self.text("trends.page.by_group", period=self.last)
        groups = [
            r for r in rows
            if r["level"] == 0 and r["period"] == self.last and (r["sex"], r["band"]) != (ALL, ALL)
        ]  # fmt: skip
        yield Table(caption, self._head("sex", "age", *self._columns(measure)), [
            [*self.name.group(r["sex"], r["band"]), *self._cells(measure, r)] for r in groups
        ])  # fmt: skip
        small = [
            r for r in rows
            if r["level"] > 1 and r["period"] == self.last and r["sex"] == r["band"] == ALL
        ]  # fmt: skip
        if small:
            caption = self.text("trends.page.small_places", period=self.last)
            yield Table(caption, self._head("place", *self._columns(measure)), [
                [self.name.place(r["area"]), *self._cells(measure, r)] for r in small
            ])  # fmt: skip

    @staticmethod
    def _columns(measure: Measure) -> tuple[str, ...]:
        if measure.unit == "people":
            return ("people", "interval")
        return ("among", "estimate", "interval")

    def _cells(self, measure: Measure, r: Row) -> list[str]:
        wide = len(self._columns(measure))
        if r["suppressed"]:
            return [self.text("trends.hidden"), *[self.text("trends.nothing")] * (wide - 1)]
        told = [
            self.name.amount(measure.unit, r["estimate"]),
            self.name.between(measure.unit, r["low"], r["high"]),
        ]
        return told if wide == 2 else [self.name.people(r["among"]), *told]

    def _compared(self, measure: Measure, r: Row) -> list[str]:
        change = self.changes.get((measure.id, r["area"], r["period"]))
        told = self.text("trends.nothing")
        if r["standardised"] is not None:
            ends = self.name.between("share", r["standardised_low"], r["standardised_high"])
            told = f"{self.name.percent(r['standardised'])} ({ends})"
        return [told, self._moved(change)]

    def _drift(self) -> Table:
        rows = [
            [self.name.place(d.place), self.text.label(d.variable), d.period,
             self.name.people(d.n),
             self.text("trends.nothing") if d.psi is None else self.text.number(d.psi, 3)]
            for d in self.report.drift
            if d.period != self.report.periods[0]
            and (d.place == ALL or (d.psi is not None and d.psi >= 0.1))
        ]  # fmt: skip
        heads = self._head("place", "variable", "period", "people", "psi")
        return Table(self.text("trends.page.drift"), heads, rows)

    def _calibration(self) -> Table:
        def ends(value: float | None, low: float | None, high: float | None) -> str:
            if value is None or low is None or high is None:
                return self.text("trends.nothing")
            told = [self.text.number(each, 2) for each in (value, low, high)]
            return f"{told[0]} ({told[1]} – {told[2]})"

        rows = [
            [self.name.place(c.place), self.text(f"question.{c.question}"), c.period,
             self.name.people(c.n), self.name.people(c.events),
             ends(c.ratio, c.ratio_low, c.ratio_high), ends(c.slope, c.slope_low, c.slope_high)]
            for c in self.report.calibration
        ]  # fmt: skip
        heads = self._head("place", "question", "period", "people", "events", "ratio", "slope")
        return Table(self.text("trends.page.calibration"), heads, rows)

    def _absent(self) -> Iterable[str]:
        for what, lacks in self.report.absent:
            kind, _, about = what.partition(".")
            if kind == "question":
                told = self.text("trends.page.lacks_models")
                yield f"{self.text(f'question.{about}')}: {told}"
            else:
                named = ", ".join(self.text.label(each) for each in lacks)
                told = self.text("trends.page.lacks", what=named)
                yield f"{self.name.measure(what)} – {told}"

    def _sources(self, measure: Measure) -> Iterable[str]:
        for _, parameter, document in measure.sources:
            unit = f" {parameter.unit}".replace("mm[Hg]", "mmHg") if parameter.unit else ""
            number = self.text.number(parameter.value)
            yield f"{number}{unit}: {document}, {parameter.locator}"

    def _thresholds(self) -> Iterable[str]:
        seen: Mapping[str, None] = {
            f"{self.name.measure(m.id)}: {'; '.join(self._sources(m))}": None
            for m in self.report.measures
            if m.sources
        }
        return seen


def _by_name(row: Row) -> tuple[int, tuple[str, str], str]:
    return row["level"], place_order(row["area"]), row["period"]
