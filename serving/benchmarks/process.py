"""A server as its own process: started, found, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """
    A running server.

    Attributes
    ----------
    port : int
        Of 127.0.0.1.
    process : subprocess.Popen
        The process itself.
    log : pathlib.Path
        What it wrote to standard output and standard error, while it runs.
    seconds : float
        From starting the process to the first answer that it is ready.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    seconds: float


@contextmanager
def served(
    command: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = 30
) -> Iterator[Server]:
    """
    Run a server that logs a JSON line ``{"event": "listening", "url": ...}`` and has ``/ready``.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    environment : mapping of str to str, optional
        Added to that of this process.
    patience : float
        Seconds it may take to be ready, and to end.

    Yields
    ------
    Server
        Ready; ended on leaving.

    Raises
    ------
    RuntimeError
        If it ends or is not ready in time; with what it wrote.
    """
    # To a file, not a pipe: somebody would have to empty a pipe while the server is measured.
    with tempfile.NamedTemporaryFile(prefix="served-", suffix=".log") as output:
        log = Path(output.name)
        start = perf_counter()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(environment or {}),
            cwd=ROOT,
        )
        try:
            while not (port := _port(log)) or not _ready(port):
                if process.poll() is not None or perf_counter() - start > patience:
                    raise RuntimeError(f"{' '.join(command)} did not serve:\n{log.read_text()}")
                sleep(0.005)
            yield Server(port, process, log, perf_counter() - start)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(log: Path) -> int | None:
    """Port that the server says it listens on, once it does."""
    for line in log.read_text().splitlines():
        if line.startswith("{") and line.endswith("}"):
            fact = json.loads(line)
            if fact.get("event") == "listening":
                return urlsplit(fact["url"]).port
    return None


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False
