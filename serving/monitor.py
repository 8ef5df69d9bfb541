"""
Counts of what clients send and get, kept by month in a file and shown to Prometheus.

Each worker counts for itself and adds its counts to both, again and again: a worker that is killed
takes with it what it counted since, at most `SECONDS`. Nothing of this ever stops an answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread

import structlog
from starlette.requests import Request

from cdss import Assessment, Model
from cdss.errors import MonitorError, Problem
from cdss.monitor.counts import CountFile
from cdss.monitor.tally import ASSESSED, REJECTED, Counts, Tally
from serving.metrics import count_assessments, show_counts

SECONDS = 30.0
"""After which counts are added to the file."""

PEOPLE = 10
"""Of whom Prometheus is shown counts at a time, so that no two looks at it differ by one person."""

EVERYBODY = "open"
"""Stands for the client on a service that asks nobody who they are."""

_RECORD = re.compile(r"records/(\d+)/")
_log = structlog.get_logger()


def _local_month() -> str:
    return datetime.now().astimezone().strftime("%Y-%m")


class Monitor:
    """
    Counts by client.

    Parameters
    ----------
    models : sequence of RiskModel or PointsScore
        All that can be asked.
    file : str, optional
        Where counts are kept; without, Prometheus alone is shown them.
    month : callable
        Says which month it is at the site.

    Raises
    ------
    MonitorError
        If the file cannot be used.
    """

    def __init__(
        self,
        models: Sequence[Model],
        file: str | None = None,
        *,
        month: Callable[[], str] = _local_month,
    ) -> None:
        self.tally = Tally(models)
        self._file = CountFile(Path(file)) if file else None
        self._month = month
        self._lock = Lock()
        self._unwritten: dict[str, dict[str, Counts]] = {}
        self._unshown: dict[str, Counts] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        """Begin to add counts up, in a thread of its own."""
        self._thread.start()

    def add_up(self) -> None:
        """Add what was counted to the file and to what Prometheus is shown."""
        with self._lock:
            self._take()
            self._show()
            self._write()

    def show(self) -> None:
        """Show Prometheus what this worker has counted, if it is of enough people."""
        with self._lock:
            self._take()
            self._show()

    def close(self) -> None:
        """Add up for the last time, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self.add_up()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            self.add_up()

    def _take(self) -> None:
        month = self._month()
        for client, counts in self.tally.take().items():
            self._unwritten.setdefault(month, {}).setdefault(client, Counter()).update(counts)
            self._unshown.setdefault(client, Counter()).update(counts)

    def _show(self) -> None:
        for client, counts in [*self._unshown.items()]:
            if counts[ASSESSED] + counts[REJECTED] >= PEOPLE:
                show_counts(client, self._unshown.pop(client))

    def _write(self) -> None:
        if self._file is None:
            self._unwritten.clear()
            return
        for month, counts in [*self._unwritten.items()]:
            try:
                self._file.add(month, counts)
            except MonitorError as error:
                _log.error("not_counted", error=str(error))  # kept, and tried again
                return
            del self._unwritten[month]


def client_of(request: Request) -> str:
    """
    Name the client of a request.

    Parameters
    ----------
    request : Request
        From which `serving.security` made out who sends it.

    Returns
    -------
    str
        The name under which the file of clients lists it: there are only so many.
    """
    client = getattr(request.state, "client", None)
    return client.name if client else EVERYBODY


def count(
    request: Request, assessments: Sequence[Assessment], problems: Iterable[Problem] = ()
) -> None:
    """
    Count people who were assessed.

    Parameters
    ----------
    request : Request
        That asked for it.
    assessments : sequence of Assessment
        Of one person each.
    problems : iterable of Problem
        What was sent about them and not used, besides what the records say.
    """
    count_assessments(assessments)
    if monitor := _monitor_of(request):
        monitor.tally.count(client_of(request), assessments, problems)


def count_rejected(request: Request, problems: Iterable[Problem]) -> None:
    """
    Count people about whom nothing was sent that could be used.

    Parameters
    ----------
    request : Request
        That cannot be answered.
    problems : iterable of Problem
        What is wrong; in a batch, each says with whom.
    """
    monitor = _monitor_of(request)
    if monitor is None:
        return
    people: dict[str, list[Problem]] = {}
    for problem in problems:
        found = _RECORD.match(problem.variable)
        people.setdefault(found[1] if found else "", []).append(problem)
    for theirs in people.values():
        monitor.tally.reject(client_of(request), theirs)


def show_counted(request: Request) -> None:
    """
    Show Prometheus what was counted up to now.

    Parameters
    ----------
    request : Request
        Of Prometheus.
    """
    if monitor := _monitor_of(request):
        monitor.show()


def _monitor_of(request: Request) -> Monitor | None:
    return getattr(request.app.state, "monitor", None)


def open_monitor(environment: Mapping[str, str], models: Sequence[Model]) -> Monitor:
    """
    Make the monitor that the environment asks for.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process; ``CDSS_MONITOR`` is the file.
    models : sequence of RiskModel or PointsScore
        All that can be asked.

    Returns
    -------
    Monitor
        Not yet started.

    Raises
    ------
    MonitorError
        If the file cannot be used.
    """
    return Monitor(models, environment.get("CDSS_MONITOR") or None)
