"""
Logs as JSON lines in which only allowed keys can appear.

No patient value reaches a log: our own lines have an allow-list of keys, and a line of a library is
reduced to where it was written, because its text may quote what was sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp",
        "method", "route", "status", "duration_ms", "assessment_id", "records",
        "error", "at", "logger", "client", "refused",
        "url", "models", "languages",
    }
)  # fmt: skip
"""Keys a line may have. None of them can hold what a client sent."""


def allowed_only(logger: Any, method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """
    Drop every key that is not allowed (a structlog processor).

    Parameters
    ----------
    logger, method : object
        Not used.
    line : mapping
        What is to be logged.

    Returns
    -------
    mapping
        What may be logged.
    """
    return {key: value for key, value in line.items() if key in ALLOWED}


def configure() -> None:
    """Send our lines, and what libraries warn of, to standard output as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allowed_only,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logging.root.handlers = [_LibraryHandler()]
    logging.root.setLevel(logging.WARNING)
    for name in ("bentoml", "uvicorn", "uvicorn.error", "uvicorn.access", "circus", "asyncio"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.disabled = False  # ``bentoml serve`` silences asyncio
        library.setLevel(logging.NOTSET)


def where(error: BaseException) -> list[str]:
    """
    Say where an exception came from, without any value.

    Parameters
    ----------
    error : BaseException
        A caught exception.

    Returns
    -------
    list of str
        ``module.function:line`` of each frame, outermost first; its message may quote the patient.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames]


class _LibraryHandler(logging.Handler):
    """Where a library logged, and the type of the exception; never its message."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            at=[f"{record.module}:{record.lineno}", *(where(error) if error else ())],
            error=type(error).__name__ if error else None,
        )
