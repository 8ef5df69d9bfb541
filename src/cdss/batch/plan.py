"""What a run is: its options, and what has to be the same when it goes on after an interruption."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cdss.audit.identity import code, identities
from cdss.batch.block import PART_ROWS
from cdss.batch.layout import Layout
from cdss.batch.source import Source
from cdss.bundle import SHIPPED, load_models
from cdss.equations import published_models
from cdss.jurisdiction import DEFAULT, Jurisdiction, Model, load_jurisdiction, select

FORMAT = 1
"""Version of what is written."""

NOTICE = (
    "Advisory estimates for clinicians and planners; not a medical device, not validated in "
    "Viet Nam. kind says what a row is; of a range, low and high are its ends."
)


@dataclass(frozen=True)
class Options:
    """
    What is asked of a run.

    Attributes
    ----------
    layout : Layout
        How to read tables.
    jurisdiction : str
        Whose rules and models.
    models : tuple of str
        Only these; by default those of the jurisdiction.
    ungated, demonstrations : bool
        Whether models without a release record, and of teaching data, are asked too.
    bundles : Path
        Where bundles are.
    contributions : bool
        Whether every contribution is told.
    part_rows : int
        People in a part.
    """

    layout: Layout = field(default_factory=Layout)
    jurisdiction: str = DEFAULT
    models: tuple[str, ...] = ()
    ungated: bool = False
    demonstrations: bool = False
    bundles: Path = SHIPPED
    contributions: bool = False
    part_rows: int = PART_ROWS

    def asked(self) -> tuple[Jurisdiction, tuple[Model, ...]]:
        """
        Load the rules and the models.

        Returns
        -------
        tuple of (Jurisdiction, tuple of models)
            Those that are asked.

        Raises
        ------
        CdssError
            If there is none of that name, or one cannot be used.
        """
        place = load_jurisdiction(self.jurisdiction)
        bundles = load_models(demonstrations=True, folder=self.bundles, ungated=self.ungated)
        loaded = [*bundles, *published_models()]
        return place, select(loaded, place, self.models, demonstrations=self.demonstrations)


def plan_of(source: Source, options: Options) -> dict[str, Any]:
    """
    Say what decides what a run writes.

    Parameters
    ----------
    source : Source
        What goes in.
    options : Options
        What is asked.

    Returns
    -------
    dict
        Of JSON types.

    Raises
    ------
    CdssError
        If a model cannot be used.
    """
    _, models = options.asked()
    listing = hashlib.sha256()
    for path in source.files:
        state = path.stat()
        listing.update(f"{source.name(path)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    known = identities(models)
    return {
        "format": FORMAT,
        "cdss": code().version,
        "code": code().digest,
        "jurisdiction": options.jurisdiction,
        "models": [
            {"id": m.id, "version": m.version, "outcome": m.outcome, "sha256": known[m.id].digest,
             "released": known[m.id].released, "predictors": [*m.predictors]}
            for m in models
        ],
        "layout": _plain(options.layout),
        "contributions": options.contributions,
        "part_rows": options.part_rows,
        "inputs": {"files": len(source.files), "sha256": listing.hexdigest()},
    }  # fmt: skip


def metadata_of(plan: dict[str, Any], source: Source) -> dict[str, str]:
    """
    Say what every written file says of itself.

    Parameters
    ----------
    plan : dict
        As `plan_of` gives it.
    source : Source
        What goes in: what it says of itself (that it is synthetic) is kept.

    Returns
    -------
    dict of str to str
        Key → text.
    """
    return source.metadata | {
        "cdss.version": plan["cdss"],
        "cdss.code_sha256": plan["code"],
        "cdss.jurisdiction": plan["jurisdiction"],
        "cdss.models": json.dumps(plan["models"]),
        "cdss.notice": NOTICE,
    }


def _plain(layout: Layout) -> dict[str, Any]:
    day = layout.index_date
    return {
        "id": layout.id,
        "index_date": day.isoformat() if isinstance(day, date) else day,
        "keep": [*layout.keep],
        "ignore": sorted(layout.ignore),
        "columns": {
            name: {"variable": c.variable.name, "unit": c.unit, "values": dict(c.values)}
            for name, c in sorted(layout.named.items())
        },
        "unknown": [*layout.unknown],
        "delimiter": layout.delimiter,
    }
