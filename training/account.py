"""What recalibration, anchoring, the gate and its history say on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

COLOURS = {"pass": "green", "fail": "red", "cannot tell": "yellow"}


def recalibrated(console: Console, report: Mapping[str, Any]) -> None:
    """
    Say what a recalibration found.

    Parameters
    ----------
    console : Console
        Where.
    report : mapping
        What `training.recalibrate.recalibrate` returned.
    """
    say = _plainly(console)
    say(
        f"{report['people']:,} people, {report['events']:,} with the outcome; "
        f"{report['outside_limits']:,} rows outside the model's limits got no estimate"
    )
    for test in report["tests"]:
        say(
            f"{test['question']}: {test['kind']} test, {test['statistic']:.2f} on {test['df']} df, "
            f"p {test['p']:.3g}"
        )
    if lacking := report["sample_size"]["slope"]["lacking"]:
        say(f"too small for a slope: {'; '.join(lacking)}")
    if report["version"] is None:
        say("nothing has to be changed: no new version")
        return
    intercept = _with_ends(report["intercept"], report["intercept_95ci"], "+.3f")
    slope = "1 (held)"
    if report["slope_95ci"]:
        slope = _with_ends(report["slope"], report["slope_95ci"], ".3f")
    say(f"{report['method']}: intercept {intercept}, slope {slope}")
    say(
        f"version {report['version']}, made from {report['parent']['version']}, in "
        f"{os.path.relpath(report['folder'])}: a candidate until the gate lets it pass"
    )


def anchored(console: Console, report: Mapping[str, Any]) -> None:
    """
    Say what an anchoring did, and on what conditions it is right.

    Parameters
    ----------
    console : Console
        Where.
    report : mapping
        What `training.anchor.anchor` returned.
    """
    say = _plainly(console)
    table = Table(title=f"{report['model']}: {escape(report['title'])}", title_justify="left")
    for name in ("cell", "published", "aim", "people", "before", "after", "remains"):
        table.add_column(name, justify="left" if name == "cell" else "right")
    for cell in report["cells"]:
        shares = (f"{cell[k]:.2%}" for k in ("published", "wanted"))
        remains = round(cell["remains"], 4) + 0.0  # no negative zero
        table.add_row(
            cell["cell"], *shares, f"{cell['people']:,}", f"{cell['before']:.2%}",
            f"{cell['after']:.2%}", f"{remains:+.2%}",
        )  # fmt: skip
    console.print(table)
    if report["shift_95ci"]:
        shift = _with_ends(report["shift"], report["shift_95ci"], "+.3f")
    else:
        shift = f"{report['shift']:+.3f} (no interval was published)"
    say(f"intercept {shift}, over {report['target']}")
    for condition in report["conditions"]:
        say(f"- {condition}")
    if report["although_outcome_differs"]:
        say(f"Done although the outcome differs: {report['although_outcome_differs']}")
    say(
        f"version {report['version']}: anchored, not validated; in "
        f"{os.path.relpath(report['folder'])}"
    )


def judged(console: Console, record: Mapping[str, Any]) -> None:
    """
    Say what the gate found.

    Parameters
    ----------
    console : Console
        Where.
    record : mapping
        What `training.gate.gate` returned.
    """
    table = Table(title=f"{record['model']} {record['version']}", title_justify="left")
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("why")
    for check in record["checks"]:
        verdict = check["verdict"] + (", accepted" if check.get("accepted") else "")
        colour = COLOURS[check["verdict"]]
        table.add_row(check["name"], f"[{colour}]{verdict}[/{colour}]", escape(check["why"]))
    console.print(table)
    say = _plainly(console)
    if record["folder"]:
        by = record["signed_by"]
        say(f"released by {by['name']} ({by['role']}) to {os.path.relpath(record['folder'])}")
    elif record["verdict"] == "fail":
        failed = [c["name"] for c in record["checks"] if c["verdict"] == "fail"]
        say(f"not released: {', '.join(failed)}")
    else:
        open_ = [
            c["name"]
            for c in record["checks"]
            if c["verdict"] == "cannot tell" and not c.get("accepted")
        ]
        say(
            f"not released: cannot tell {', '.join(open_)}; whoever signs may accept that, each by "
            "name, with --accept"
        )


def champions(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Show which version was champion when.

    Parameters
    ----------
    console : Console
        Where.
    rows : sequence of mapping
        What `training.history.history` returned.
    """
    table = Table(title="champions, from the release records", title_justify="left")
    for name in ("model", "version", "bundle", "since", "until", "released by"):
        table.add_column(name)
    for row in rows:
        since = row["since"] or "never released"
        until = row["until"] or ("today" if row["since"] else "")
        by = escape(row["released_by"] or "")
        table.add_row(row["model"], row["version"], row["digest"][:12], since, until, by)
    console.print(table)


def gates(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Show what the gate has judged, as the tracking store remembers it.

    Parameters
    ----------
    console : Console
        Where.
    rows : sequence of mapping
        What `training.releases.gates` returned.
    """
    if not rows:
        _plainly(console)("the tracking store here knows no release gate")
        return
    table = Table(title="gates, from MLflow", title_justify="left")
    for name in ("on", "model", "version", "bundle", "verdict", "signed by"):
        table.add_column(name)
    for row in rows:
        named = (row[n] for n in ("on", "model", "version"))
        by = escape(row["signed_by"])
        table.add_row(*named, row["digest"][:12], row["verdict"], by)
    console.print(table)


def _with_ends(value: float, ends: Sequence[float], form: str) -> str:
    return f"{value:{form}} ({ends[0]:{form}} to {ends[1]:{form}})"


def _plainly(console: Console) -> Callable[[str], None]:
    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    return say
