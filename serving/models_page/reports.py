"""Validation reports that a site has made, ``python -m training validate``: found, and served."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from serving.models_page.cards import TYPES

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Of a file that others wrote: it runs nothing and loads nothing but pictures."""

_PAGE, _FACTS = "report.html", "evidence.json"
_DEPTH = 4


class Report(NamedTuple):
    """
    A folder with a report.

    Attributes
    ----------
    name : str
        Of the folder, below that of all reports.
    model, version, dataset : str
        What was validated on whose people; empty where the folder does not say.
    day : date
        When it was written.
    files : tuple of str
        The report and its figures, whichever there are.
    """

    name: str
    model: str
    version: str
    dataset: str
    day: date
    files: tuple[str, ...]


class Reports:
    """
    A folder of reports.

    Parameters
    ----------
    folder : path or None
        The folder; None or one that is not there holds none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if folder is not None and folder.is_dir() else None

    def files(self) -> dict[str, Path]:
        """
        List what is served.

        Returns
        -------
        dict of str to Path
            By name below the folder. Nothing hidden, no symbolic link, nothing deeper than four
            folders: an address finds a file of this list, or none.
        """
        found: dict[str, Path] = {}
        if self.folder is None:
            return found
        for where, folders, names in os.walk(self.folder, followlinks=False):
            below = Path(where).relative_to(self.folder)
            shown = sorted(f for f in folders if not f.startswith("."))
            folders[:] = shown if len(below.parts) < _DEPTH else []
            for name in sorted(names):
                path = Path(where) / name
                if path.suffix in TYPES and not name.startswith(".") and not path.is_symlink():
                    found[(below / name).as_posix()] = path
        return found

    def all(self, models: Collection[str]) -> tuple[Report, ...]:
        """
        List the reports.

        Parameters
        ----------
        models : collection of str
            Ids, by which a folder without ``evidence.json`` is recognised.

        Returns
        -------
        tuple of Report
            The newest first.
        """
        files = self.files()
        names = {Path(f).parent.as_posix() for f in files if Path(f).name in (_PAGE, _FACTS)}
        found = [_report(name, files, models) for name in names]
        return tuple(sorted(found, key=lambda r: (-r.day.toordinal(), r.name)))


def _report(name: str, files: dict[str, Path], models: Collection[str]) -> Report:
    own = {f: path for f, path in files.items() if Path(f).parent.as_posix() == name}
    shown = [f for f in own if Path(f).name in (_PAGE, _FACTS)]
    facts = next((_facts(own[f]) for f in shown if Path(f).name == _FACTS), {})
    folder = Path(name).name
    written = max(own[f].stat().st_mtime for f in shown)
    return Report(
        name,
        facts.get("model") or (folder if folder in models else ""),
        facts.get("version", ""),
        facts.get("dataset", ""),
        datetime.fromtimestamp(written, UTC).date(),
        tuple(sorted(shown, key=lambda f: not f.endswith(_PAGE))),
    )


def _facts(file: Path) -> dict[str, str]:
    """What a report is about; nothing if its figures cannot be read."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    known = found if isinstance(found, dict) else {}
    keys = ("model", "version", "dataset")
    return {k: known[k] for k in keys if isinstance(known.get(k), str)}
