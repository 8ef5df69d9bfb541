"""Where feedback on cards is kept: SQLite, each report once, and what it adds up to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from cdss.cds_hooks.feedback import Feedback

_TABLE = """
CREATE TABLE IF NOT EXISTS feedback (
    card TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at TEXT NOT NULL,
    service TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    reason TEXT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (card, outcome, at)
) WITHOUT ROWID
"""


class FeedbackStore:
    """
    Keeps feedback. The same card, outcome and moment count once, however often they are sent.

    Cards need not be known: the service may have been restarted since it showed them.

    Parameters
    ----------
    path : str or Path
        File of the database; by default it is lost when the process ends.
    comments : bool
        Whether users' comments are kept. They are free text, in which a patient's name may stand:
        only if the site says so, and nothing of them is ever logged or answered.
    """

    def __init__(self, path: str | Path = ":memory:", *, comments: bool = False) -> None:
        self.comments = comments
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        if str(path) != ":memory:":
            self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(_TABLE)

    def keep(self, service: str, reported: Iterable[Feedback]) -> int:
        """
        Keep a report, all of it or nothing.

        Parameters
        ----------
        service : str
            Whose cards they are.
        reported : iterable of Feedback
            The report.

        Returns
        -------
        int
            How many entries are new.
        """
        rows = [
            (
                each.card, each.outcome, each.at, service, json.dumps(each.suggestions),
                each.reason, each.comment if self.comments else "",
            )
            for each in reported
        ]  # fmt: skip
        with self._lock, self._database:
            self._database.execute("BEGIN")
            before = self._database.total_changes
            self._database.executemany(
                "INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )
            return self._database.total_changes - before

    def report(self, service: str) -> dict[str, Any]:
        """
        Add up what users did with the cards of a service.

        Parameters
        ----------
        service : str
            Which.

        Returns
        -------
        dict
            How many were accepted and overridden, the share accepted of those acted upon (there is
            none before the first), and how often each reason was given. What was ignored nobody
            reports.
        """
        with self._lock:
            rows = self._database.execute(
                "SELECT outcome, reason, COUNT(*) FROM feedback WHERE service = ?"
                " GROUP BY outcome, reason ORDER BY outcome, reason",
                (service,),
            ).fetchall()
        count = {"accepted": 0, "overridden": 0}
        reasons: dict[str, int] = {}
        for outcome, reason, times in rows:
            count[outcome] += times
            if outcome == "overridden":
                reasons[reason or "none"] = times
        total = sum(count.values())
        found: dict[str, Any] = {"service": service, **count}
        if total:
            found["acceptance"] = round(count["accepted"] / total, 4)
        return found | ({"reasons": reasons} if reasons else {})

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()
