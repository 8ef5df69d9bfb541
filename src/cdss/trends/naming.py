"""How measures, places, groups and figures are called in a language."""

from __future__ import annotations

from cdss.i18n import Words
from cdss.trends.cells import ALL, OTHER
from cdss.trends.measures import Measure
from cdss.trends.noise import Protection
from cdss.trends.tiles import place_name
from cdss.trends.visits import NOBODY


class Namer:
    """
    Names things.

    Parameters
    ----------
    text : Words
        Of which language.
    """

    def __init__(self, text: Words) -> None:
        self.text = text
        self._thousands = "." if text("language.decimal") == "," else ","

    def measure(self, measure_id: str) -> str:
        """
        Name a measure.

        Parameters
        ----------
        measure_id : str
            Its id.

        Returns
        -------
        str
            What it is and of what.
        """
        kind, _, about = measure_id.partition(".")
        return self.text(f"trends.kind.{kind}", about=self.about(kind, about))

    def about(self, kind: str, about: str) -> str:
        """
        Name what a measure is about.

        Parameters
        ----------
        kind, about : str
            Parts of its id.

        Returns
        -------
        str
            A question, a share, a variable, a topic, or how soon.
        """
        if kind == "missing":
            return self.text.label(about)
        where = {"share": "trends.share", "advice": "topic", "unmet": "trends.due"}
        key = f"{where.get(kind, 'question')}.{about}"
        return self.text(key) if about else ""

    def what(self, measure: Measure) -> str:
        """
        Say what a measure is and is not.

        Parameters
        ----------
        measure : Measure
            Which.

        Returns
        -------
        str
            Some sentences.
        """
        return self.text(f"trends.what.{measure.kind}")

    def place(self, area: str) -> str:
        """
        Name a place.

        Parameters
        ----------
        area : str
            As `cdss.trends.cells` has it.

        Returns
        -------
        str
            For people.
        """
        said = {
            ALL: self.text("trends.whole"),
            OTHER: self.text("trends.other"),
            NOBODY: self.text("trends.unknown"),
        }
        parts = place_name(area).split(" / ")
        return " / ".join(said.get(part, part) for part in parts)

    def group(self, sex: str, band: str) -> tuple[str, str]:
        """
        Name a sex and an age band.

        Parameters
        ----------
        sex, band : str
            As `cdss.trends.cells` has them.

        Returns
        -------
        tuple of (str, str)
            For people.
        """
        said = {ALL: self.text("trends.everybody"), NOBODY: self.text("trends.unknown")}
        sex = said.get(sex) or self.text(f"value.sex.{sex}")
        return sex, said.get(band) or band.replace("-", "–")

    def people(self, count: float | None) -> str:
        """
        Write a number of people.

        Parameters
        ----------
        count : float or None
            None if there is nothing to write.

        Returns
        -------
        str
            Whole, with marks for thousands.
        """
        if count is None:
            return self.text("trends.nothing")
        return f"{round(count):,}".replace(",", self._thousands)

    def amount(self, unit: str, value: float | None) -> str:
        """
        Write a figure.

        Parameters
        ----------
        unit : {"people", "cases", "share"}
            Of the measure.
        value : float or None
            None if there is nothing to write.

        Returns
        -------
        str
            People, cases, or percent.
        """
        if value is None:
            return self.text("trends.nothing")
        return self.percent(value) if unit == "share" else self.people(value)

    def percent(self, share: float, sign: bool = False) -> str:
        """
        Write a share.

        Parameters
        ----------
        share : float
            0-1, or a difference of such.
        sign : bool
            Whether a plus is written.

        Returns
        -------
        str
            In percent, to one decimal.
        """
        number = self.text.number(100 * share, 1)
        mark = "+" if sign and share > 0 else ""
        return mark + self.text("frequency.percent", number=number.replace("-", "−"))

    def between(self, unit: str, low: float | None, high: float | None) -> str:
        """
        Write an interval.

        Parameters
        ----------
        unit : {"people", "cases", "share"}
            Of the measure.
        low, high : float or None
            Ends.

        Returns
        -------
        str
            Both, or a dash.
        """
        if low is None or high is None:
            return self.text("trends.nothing")
        return f"{self.amount(unit, low)} – {self.amount(unit, high)}"

    def protection(self, protection: Protection) -> str:
        """
        Say how a report is protected.

        Parameters
        ----------
        protection : Protection
            How.

        Returns
        -------
        str
            Some sentences.
        """
        least = str(protection.least)
        if protection.epsilon:
            return self.text(
                "trends.private", epsilon=protection.epsilon, share=str(protection.share),
                scale=protection.scale, least=least,
            )  # fmt: skip
        return self.text("trends.noise", spread=protection.spread, least=least)
