"""Cards and findings on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cdss.i18n import Words
from cdss.sandbox.hooks import Cards
from cdss.sandbox.report import Finding, Report

_COLOUR = {"info": "blue", "warning": "yellow", "critical": "red"}
_MARK = {"passed": Text("✓", "green"), "failed": Text("✗", "red"), "skipped": Text("–", "yellow")}


def patient_cards(
    name: str, cards: Cards, text: Words, *, details: bool
) -> Iterator[RenderableType]:
    """
    Show a patient's cards as an EMR might.

    Parameters
    ----------
    name : str
        The patient.
    cards : list of dict
        As they came.
    text : Words
        Words of a language.
    details : bool
        Whether to show the details too.

    Yields
    ------
    renderable
        For rich.
    """
    yield Text(f"\n{text(f'sandbox.patient.{name}')}", "bold")
    for card in cards:
        colour = _COLOUR.get(card.get("indicator", ""), "white")
        yield Panel(Group(*_lines(card, text, details)), border_style=colour, title_align="left",
                    title=Text(str(card.get("indicator", "")), colour))  # fmt: skip


def _lines(card: Mapping[str, Any], text: Words, details: bool) -> Iterator[RenderableType]:
    yield Text(str(card.get("summary", "")), "bold")
    if details and card.get("detail"):
        yield Markdown(str(card["detail"]))
    source = card.get("source") or {}
    yield Text(text("sandbox.source", source=str(source.get("label", ""))), "dim")
    for suggestion in card.get("suggestions", []):
        yield Text(f"[ {suggestion.get('label', '')} ]", "cyan")
    for link in card.get("links", []):
        yield Text(f"→ {link.get('label', '')}: {link.get('url', '')}", "cyan")


def findings(report: Report, text: Words) -> Iterator[RenderableType]:
    """
    Show what was checked, then who has to do what.

    Parameters
    ----------
    report : Report
        What was checked.
    text : Words
        Words of a language.

    Yields
    ------
    renderable
        For rich.
    """
    yield Text(f"\n{text('sandbox.contract')}", "bold")
    for finding in report.findings:
        yield Text.assemble(_MARK[finding.outcome], f" {text(f'sandbox.check.{finding.check}')}")
        if finding.seen:
            yield Text(f"    {finding.seen}", "red")
    numbers = {kind: report.count(kind) for kind in ("passed", "failed", "skipped")}
    yield Text(f"\n{text('sandbox.summary', **numbers)}", "bold")
    for fix, found in _by_fix(report.findings).items():
        yield Text(f"• {text(f'sandbox.fix.{fix}')}")
        yield Text(f"    {', '.join(finding.check for finding in found)}", "dim")


def _by_fix(found: list[Finding]) -> dict[str, list[Finding]]:
    """What is to do, each once, what failed first."""
    grouped: dict[str, list[Finding]] = {}
    for outcome in ("failed", "skipped"):
        for finding in found:
            if finding.outcome == outcome and finding.fix:
                grouped.setdefault(finding.fix, []).append(finding)
    return grouped
