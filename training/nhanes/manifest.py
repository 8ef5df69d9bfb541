"""Checksums of what was fetched, so that nothing is fetched twice and damage is seen."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Manifest:
    """
    What is known of the files in a folder.

    Parameters
    ----------
    path : Path
        ``manifest.json`` in the folder; it need not exist.

    Attributes
    ----------
    files : dict of str to dict
        By name: ``url``, ``bytes``, ``sha256``, ``fetched_on`` (ISO date, UTC).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = (
            json.loads(path.read_text(encoding="utf-8"))["files"] if path.is_file() else {}
        )

    def holds(self, path: Path) -> bool:
        """Whether a file is there and is what was fetched."""
        facts = self.files.get(path.name)
        return (
            facts is not None
            and path.is_file()
            and path.stat().st_size == facts["bytes"]
            and _sha256(path) == facts["sha256"]
        )

    def note(self, path: Path, address: str) -> None:
        """Keep what is known of a file just fetched, on disk too."""
        self.files[path.name] = {
            "url": address,
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
            "fetched_on": datetime.now(UTC).date().isoformat(),
        }
        text = json.dumps({"format": 1, "files": dict(sorted(self.files.items()))}, indent=1)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(self.path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
