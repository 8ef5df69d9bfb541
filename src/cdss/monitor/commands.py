"""``cdss monitor``; it ends with 0 whatever it finds, since what to do about it people decide."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cdss.bundle import SHIPPED, load_models
from cdss.console import Lang, explained, fail, show, words_of
from cdss.errors import MonitorError
from cdss.i18n import LANGUAGES, Words
from cdss.monitor.counts import MONTH, Months, read_counts
from cdss.monitor.judge import BEFORE, judge
from cdss.monitor.people import derivations
from cdss.monitor.tell import month_to_dict


def monitor(
    file: Annotated[Path, typer.Argument(help="The file that CDSS_MONITOR names.")],
    out: Annotated[Path, typer.Argument(help="Where the report goes: a folder.")],
    month: Annotated[
        str | None, typer.Option(help="Which month, YYYY-MM; by default the last that is over.")
    ] = None,
    bundles: Annotated[Path, typer.Option(help="Where the bundles are.")] = SHIPPED,
    lang: Lang = "en",
) -> None:
    """Report what a service was asked and answered in a month, by client, and what has changed."""
    text = words_of(lang)
    if importlib.util.find_spec("jinja2") is None:
        fail(text("monitor.no_jinja"))
    from cdss.monitor.report import month_page

    if month is not None and not MONTH.fullmatch(month):
        fail(text("monitor.bad_month"))
    try:
        months = read_counts(file)
    except MonitorError as error:
        fail(text("monitor.stopped"), str(error))
    asked = month or _last_over(months)
    if asked not in months and not any(each < asked for each in months):
        known = ", ".join(months)
        fail(text("monitor.no_month", month=asked, known=known) if months
             else text("monitor.no_months"))  # fmt: skip
    with explained(text):
        models = load_models(demonstrations=True, ungated=True, folder=bundles)
    clients = judge(months, asked, derivations(models))
    compared = sorted(each for each in months if each < asked)[-BEFORE:]
    names = _write(out, asked, text, {
        "json": json.dumps(month_to_dict(asked, compared, clients), ensure_ascii=False, indent=1),
        **{f"{each}.html": month_page(asked, compared, clients, each) for each in LANGUAGES},
    })  # fmt: skip
    findings = sum(finding.attention for client in clients for finding in client.findings)
    show(text("monitor.written", clients=len(clients), month=asked, findings=findings,
              folder=str(out), names=", ".join(names)))  # fmt: skip
    show(text("notice.advisory"))


def _last_over(months: Months) -> str:
    """Last month that is over and was counted; that which is not over, if there is no other."""
    now = f"{date.today():%Y-%m}"
    return max((each for each in months if each < now), default=max(months, default=now))


def _write(out: Path, month: str, text: Words, contents: dict[str, str]) -> list[str]:
    names = [f"monitor-{month}.{suffix}" for suffix in contents]
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in zip(names, contents.values(), strict=True):
            (out / name).write_text(content, encoding="utf-8")
    except OSError:
        fail(text("monitor.unwritable", name=str(out)))
    return names
