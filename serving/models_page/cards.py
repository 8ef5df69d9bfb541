"""What was written about the trained models: cards, checklists, pictures, the gate's verdict."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from serving.models_page.markdown import Document, render

TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".xml": "application/xml",
}
"""Kinds of files that are served, and as what."""

DOCUMENTS = {
    "tripod": "tripod.md",
    "source_attributes": "source_attributes.md",
    "chai": "chai.xml",
    "evidence": "evidence.json",
}
"""What lies beside a card, in the order in which it is listed."""


class Cards:
    """
    A folder of model cards, as ``make cards`` writes them: ``<id>.md``, and ``<id>/`` beside it.

    Parameters
    ----------
    folder : path or None
        The folder; None or one that is not there holds no cards.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if folder is not None and folder.is_dir() else None

    def __bool__(self) -> bool:
        """Whether there is a folder at all."""
        return self.folder is not None

    def file(self, model: str, name: str) -> Path | None:
        """
        Find a file beside a card.

        Parameters
        ----------
        model : str
            Id of a model that is offered: nobody's input.
        name : str
            As asked for.

        Returns
        -------
        Path or None
            Only what lies in the model's folder itself, and is of a kind that is served.
        """
        if self.folder is None or not (self.folder / model).is_dir():
            return None
        files = {file.name: file for file in (self.folder / model).iterdir()}
        found = files.get(name)
        if found is None or found.suffix not in TYPES or found.is_symlink():
            return None
        return found if found.is_file() else None

    def read(self, model: str, name: str | None, table: str) -> Document | None:
        """
        Render a model's card, or a document beside it.

        Parameters
        ----------
        model : str
            Id of a model that is offered.
        name : str or None
            File beside the card; None for the card itself.
        table : str
            What a reader is told of a table.

        Returns
        -------
        Document or None
            None if there is no such document.
        """
        if name is None:
            file = self.folder / f"{model}.md" if self.folder else None
            beside = f"{model}.md"
        else:
            file, beside = self.file(model, name), f"{model}/{name}"
        if file is None or not file.is_file():
            return None
        return render(file.read_text(encoding="utf-8"), lambda to: self._served(beside, to), table)

    def facts(self, model: str, name: str) -> dict[str, Any]:
        """
        Read ``evidence.json``, or ``judged.json``: what the gate said when it let nothing pass.

        Parameters
        ----------
        model : str
            Id of a model that is offered.
        name : str
            Which file.

        Returns
        -------
        dict
            Empty if there is no such file, or it is not JSON.
        """
        file = self.file(model, name)
        try:
            found = json.loads(file.read_bytes()) if file else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _served(self, beside: str, to: str) -> str | None:
        """Say where what a document links to is served."""
        path, _, anchor = to.partition("#")
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(beside), unquote(path)))
        folder, _, name = inside.rpartition("/")
        at = f"#{anchor}" if anchor else ""
        if not folder and name.endswith(".md"):
            return f"/models/{name.removesuffix('.md')}{at}"
        return f"/models/{folder}/{name}{at}" if self.file(folder, name) else None
