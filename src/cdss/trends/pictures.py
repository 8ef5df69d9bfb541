"""The pictures of a measure: a map of tiles, places over time, and a funnel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Any

import polars as pl
from markupsafe import Markup

from cdss.i18n import Words
from cdss.trends.cells import ALL
from cdss.trends.charts import Dot, Point, funnel_plot, small_multiple
from cdss.trends.measures import Measure
from cdss.trends.naming import Namer
from cdss.trends.report import Report
from cdss.trends.tiles import place_order, shades, tile_map, tiles
from cdss.trends.warn import FALSE_ALARM

Row = dict[str, Any]


class Pictures:
    """
    Draws measures.

    Parameters
    ----------
    report : Report
        What may be published.
    text : Words
        In which language.
    """

    def __init__(self, report: Report, text: Words) -> None:
        self.report, self.text, self.name = report, text, Namer(text)
        self.last = report.periods[-1]
        asked = [
            table.filter(pl.col("period") == self.last)["z"].drop_nulls().len()
            for table in (report.figures, report.changes)
        ]
        self.limit = NormalDist().inv_cdf(1 - FALSE_ALARM / max(1, sum(asked)))

    def of(self, measure: Measure, places: Sequence[Row], now: Sequence[Row]) -> Row:
        """
        Draw a measure.

        Parameters
        ----------
        measure : Measure
            Which.
        places : sequence of dict
            Figures of all large places in all periods, the whole among them.
        now : sequence of dict
            Those of the last period, without the whole.

        Returns
        -------
        dict
            ``map``, ``small`` and ``funnel``, and what is written below them.
        """

        def _say(value: float) -> str:
            return self.name.amount(measure.unit, value)

        title = self.name.measure(measure.id)
        values = {r["area"]: r["estimate"] for r in now}
        shown = [value for value in values.values() if value is not None]
        steps = [
            self.text("trends.page.scale", low=_say(low), high=_say(high))
            for low, high in shades(shown)
        ]
        placed = [tile._replace(name=self.name.place(tile.name)) for tile in tiles(values)]
        caption = self.text("trends.page.map", period=self.last)
        found: Row = {
            "map": tile_map(placed, _say, f"{title}. {caption}", self.text("trends.hidden")),
            "map_caption": caption, "legend": steps, "small": [], "funnel": None,
        }  # fmt: skip
        if measure.unit == "share" and len(self.report.periods) > 1:
            found["small"] = [*self._multiples(places)]
        dots = [
            Dot(self.name.place(r["area"]), r["among"], r["estimate"] - r["expected"], r["warning"])
            for r in now
            if r["z"] is not None
        ]
        if len(dots) > 2:
            found["funnel"] = self._funnel(measure, title, dots, now)
            found["funnel_caption"] = self.text("trends.page.funnel", period=self.last)
        return found

    def _funnel(
        self, measure: Measure, title: str, dots: Sequence[Dot], now: Sequence[Row]
    ) -> Markup:
        asked = [r for r in now if r["z"] is not None]
        p = sum(r["expected"] * r["among"] for r in asked) / sum(r["among"] for r in asked)
        between = asked[0]["between"]
        protection = self.report.protection

        def limit(n: float) -> float:
            chance = protection.inflation * p * (1 - p) / n
            return self.limit * math.sqrt(
                chance + protection.deviation**2 * (1 + p * p) / n**2 + between
            )

        def _say(value: float) -> str:
            return self.name.percent(value, sign=True)

        axes = (self.text("trends.page.funnel_x"), self.text("trends.page.funnel_y"))
        caption = self.text("trends.page.funnel", period=self.last)
        return funnel_plot(dots, limit, _say, f"{title}. {caption}", axes)

    def _multiples(self, places: Sequence[Row]) -> Iterable[Markup]:
        at = {period: number for number, period in enumerate(self.report.periods)}
        lines: dict[str, list[Point]] = {}
        for r in places:
            mine = lines.setdefault(r["area"], [])
            if r["standardised"] is not None:
                ends = (r["standardised_low"], r["standardised_high"])
                mine.append(Point(at[r["period"]], r["standardised"], *ends))
        told = [point for mine in lines.values() for point in mine]
        if not told:
            return
        span = (min(point.low for point in told), max(point.high for point in told))
        whole = sorted(lines.pop(ALL, []))
        for area in sorted(lines, key=place_order):
            yield small_multiple(
                self.name.place(area), sorted(lines[area]), whole, span, self.report.periods,
                self.name.percent, self.text("trends.hidden"),
            )  # fmt: skip
