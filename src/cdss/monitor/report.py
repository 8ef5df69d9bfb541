"""A judged month as one HTML page, in one language, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cdss.drift import MAJOR, MODERATE, Shift
from cdss.i18n import Words, words
from cdss.monitor.drawing import columns, histogram
from cdss.monitor.judge import ClientMonth, Distribution, Finding
from cdss.monitor.share import FEWEST, Share, shown
from cdss.monitor.tell import parts, told

_PAGES = Environment(
    loader=PackageLoader("cdss.monitor", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
EVERYBODY = "open"
"""Client of a service that asks nobody who they are."""


def month_page(
    month: str, compared: Sequence[str], clients: Sequence[ClientMonth], lang: str
) -> str:
    """
    Say a month to people.

    Parameters
    ----------
    month : str
        Which month.
    compared : sequence of str
        Months with which it was compared.
    clients : sequence of ClientMonth
        What was judged.
    lang : str
        Language of the words.

    Returns
    -------
    str
        HTML.
    """
    say = _Say(words(lang))
    return _PAGES.get_template("report.html.j2").render(
        text=say.text,
        lang=lang,
        say=say,
        month=month,
        before=", ".join(compared) or say.text("monitor.no_before"),
        clients=[(f"c{at}", each) for at, each in enumerate(clients, start=1)],
        fewest=FEWEST,
        moderate=MODERATE,
        major=MAJOR,
    )


class _Say:
    """What the template asks for, in words and pictures."""

    def __init__(self, text: Words) -> None:
        self.text = text

    def client(self, each: ClientMonth) -> str:
        return self.text("monitor.everybody") if each.client == EVERYBODY else each.client

    def count(self, n: int | None) -> str:
        known = told(n) if n is not None else None
        return self.text("monitor.hidden", fewest=FEWEST) if known is None else f"{known}"

    def percent(self, share: Share | None) -> str:
        if share is None or not share.of:
            return "–"
        if told(share.n) is None:
            return self.text("monitor.hidden", fewest=FEWEST)
        number = self.text.number(100 * share.share, 1)
        return self.text("frequency.percent", number=number)

    def change(self, share: Share | None, before: Share | None) -> str:
        if before is None or not before.of:
            return self.percent(share)
        return self.text("monitor.was", now=self.percent(share), before=self.percent(before))

    def shift(self, shift: Shift | None) -> str:
        if shift is None:
            return self.text("monitor.not_compared")
        index, low, high = (self.text.number(n, 2) for n in (shift.psi, shift.low, shift.high))
        return self.text("monitor.index", index=index, low=low, high=high)

    def nearest(self, each: Distribution) -> Shift | None:
        return min(each.unlike.values(), default=None) if each.unlike else None

    def picture(self, each: Distribution) -> Markup:
        """Draw what may be shown; what may not is an empty bin."""
        now = _shares([n or 0 for n in parts(each)[0]])
        before = _shares([n or 0 for n in shown(each.before)]) if any(each.before) else ()
        title = self.text("monitor.picture", about=self.about(each.about))
        return Markup(histogram(title, now, before))  # noqa: S704

    def sent(self, each: ClientMonth) -> tuple[list[Distribution], str]:
        """Inputs of which there is something, and the names of the others."""
        found = [d for d in each.inputs if any(d.now) or any(d.before)]
        others = [self.about(d.about) for d in each.inputs if d not in found]
        return found, ", ".join(others)

    def months(self, each: ClientMonth) -> Markup:
        counts = [(month, told(n) or 0) for month, n in each.people.items()][-12:]
        return Markup(columns(self.text("monitor.picture_months"), counts))  # noqa: S704

    def cells(self, each: Distribution) -> Iterable[tuple[str, str]]:
        """Bins and counts, the unknown last."""
        bins, missing = parts(each)
        for label, n in zip(each.bins, bins, strict=True):
            yield self.bin(each.about, label), self._cell(n)
        if each.missing:
            yield self.text("monitor.unknown"), self._cell(missing)

    def _cell(self, n: int | None) -> str:
        return self.text("monitor.left_out") if n is None else f"{n}"

    def bin(self, name: str, label: str) -> str:
        for key in (f"value.{name}.{label}", f"value.{label}"):
            if key in self.text.texts:
                return self.text(key)
        return label.replace(".", self.text("language.decimal"))

    def about(self, name: str) -> str:
        return self.text.label(name)

    def unit(self, code: str) -> str:
        return self.text.texts.get(f"unit.{code}", code)

    def reason(self, code: str) -> str:
        """Reason of a refusal, "code variable", or code of a problem."""
        code, _, variable = code.partition(" ")
        return f"{self.text.label(variable)}: {self._code(code)}" if variable else self._code(code)

    def _code(self, code: str) -> str:
        for key in (f"monitor.code.{code}", f"problem.{code}"):
            said = self.text.texts.get(key, "{")
            if "{" not in said:
                return said
        return code

    def finding(self, finding: Finding) -> tuple[str, str]:
        """What it is, and what to do about it."""
        kind = "rejected" if finding.kind == "unusable" and not finding.about else finding.kind
        filled: dict[str, Any] = {
            "about": self.about(finding.about),
            "now": self.percent(finding.now),
            "before": self.percent(finding.before),
            "code": self.reason(finding.code),
            "size": self.text(f"monitor.size.{finding.shift.size}") if finding.shift else "",
        }
        if guess := finding.guess:
            filled["share"] = self.text("frequency.percent", number=f"{100 * guess.share:.0f}")
            filled |= {"meant": self.unit(guess.meant), "read_as": self.unit(guess.read_as)}
        return self.text(f"monitor.what.{kind}", **filled), self.text(f"monitor.do.{kind}")


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    total = sum(counts)
    return tuple(n / total for n in counts) if total else tuple(0.0 for _ in counts)
