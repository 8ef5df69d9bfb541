"""The page for vendors: its commands run as they are written, and answer what it shows."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import serving.benchmarks.process
from cdss.cds_hooks.feedback import MOST as MOST_ENTRIES
from serving import body, fhir_api, fhir_client, hooks_api, protocol, routes, security, settings
from serving.addresses import ADDRESSES
from serving.benchmarks.process import served
from tests.serving_process import COMMAND

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "integrate.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)
BLOCKS = [match.groups() for match in BLOCK.finditer(PAGE)]
COMMANDS = [(text, shown) for kind, text, shown in BLOCKS if kind == "sh"]
STARTED = [
    line.removeprefix("$ ").split()
    for kind, text, _ in BLOCKS
    if kind == "console"
    for line in text.splitlines()
    if "serve" in line or "serving" in line
]
DIAGRAMS = [text for kind, text, _ in BLOCKS if kind == "mermaid"]


def port_of(command: list[str]) -> str:
    """Where the page has a server listen."""
    return command[command.index("--port") + 1] if "--port" in command else "3000"


class Reader:
    """Somebody who follows the page in a folder of their own."""

    def __init__(self, folder: Path, servers: ExitStack) -> None:
        self.folder, self.servers = folder, servers
        self.ports: dict[str, int] = {}
        self.environment = {"COLUMNS": "160", "CDSS_AUDIT": self.log("3000")}

    def start(self, command: list[str]) -> None:
        """Start a server as the page has it, on a free port instead of its own."""
        given = dict(word.split("=", 1) for word in command if "=" in word)
        named = port_of(command)
        given = {k: self.here(v) for k, v in given.items()} | {"CDSS_AUDIT": self.log(named)}
        server = self.servers.enter_context(served([*COMMAND, "--port", "0"], given))
        self.ports[named] = server.port

    def log(self, named: str) -> str:
        """Where a server keeps its audit log: not where that of this machine's user is."""
        return str(self.folder / f"{named}.sqlite")

    def here(self, text: str) -> str:
        for named, port in self.ports.items():
            text = text.replace(f"127.0.0.1:{named}", f"127.0.0.1:{port}")
        return text.replace("build/", f"{self.folder}/")

    def run(self, command: str) -> str:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(command)],
            cwd=ROOT, env=os.environ | self.environment | {"PATH": programs},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert 0 == done.returncode, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    for program in ("bash", "curl", "sed"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    with ExitStack() as servers:
        yield Reader(tmp_path, servers)


@pytest.mark.slow
def test_every_command_runs_and_answers_what_the_page_shows(reader: Reader) -> None:
    first, *others = STARTED
    assert serving.benchmarks.process.ROOT == ROOT
    reader.start(first)
    for command, shown in COMMANDS:
        for other in others:
            if f"127.0.0.1:{port_of(other)}" in command and port_of(other) not in reader.ports:
                reader.start(other)
        said = reader.run(command)
        assert shown is None or shown.strip() == said.strip(), f"{command}\n{said}"


def test_the_page_shows_answers() -> None:
    assert 7 <= len(COMMANDS)
    assert 6 <= sum(shown is not None for _, shown in COMMANDS)


def test_the_limits_are_those_of_the_server() -> None:
    said = dict(re.findall(r"^\| (.+?) \| ([^|]+?) \|$", PAGE, re.MULTILINE))
    rate, unit = settings.RATE.split("/")
    assert "minute" == unit
    assert {
        "body of `/v1/assess`": f"{routes.MOST_BYTES // 1000} kB",
        "body of `/v1/assess/batch`": f"{routes.MOST_BATCH_BYTES // 10**6} MB, "
        f"{routes.MOST_RECORDS:,} records",
        "body of `/fhir/$assess`, of a hook": f"{hooks_api.MOST_BYTES // 10**6} MB",
        "body of feedback": f"{hooks_api.MOST_FEEDBACK_BYTES // 1000} kB, {MOST_ENTRIES:,} entries",
        "nesting of JSON": str(body.MOST_DEPTH),
        "request line and headers": f"{protocol.MOST_HEAD // 1024} KiB, "
        f"within {protocol.HEAD_SECONDS:g} s",
        "fetching from your FHIR server, all queries of a call": f"{fhir_client.SECONDS:g} s",
        "requests of each client (`CDSS_RATE`)": f"{int(rate):,} a minute",
        "refused attempts of each address": f"{security.REFUSALS.split('/')[0]} a minute",
    }.items() <= said.items()
    assert fhir_api.MOST_BYTES == hooks_api.MOST_BYTES
    source = (ROOT / "serving" / "service.py").read_text(encoding="utf-8")  # importing it loads all
    assert f"TIMEOUT_SECONDS = {said['time for an answer'].removesuffix(' s')}\n" in source
    assert f"MAX_CONCURRENCY = {said['requests at a time']}\n" in source


def test_every_address_it_names_is_one_that_needs_a_scope() -> None:
    named = set(re.findall(r"(?:GET|POST) (/[\w$/.-]+)", PAGE))
    known = set(ADDRESSES) - {"/"}
    assert 5 <= len(named)
    assert [] == [a for a in named if not any(a.startswith(each) for each in known)]


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", PAGE)
    assert [] == [t for t in targets if not (ROOT / "docs" / t).exists()]


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_a_diagram_names_who_takes_part(diagram: str) -> None:
    assert diagram.startswith("sequenceDiagram\n")
    there = set(re.findall(r"participant (\w+)", diagram))
    arrows = re.findall(r"^ +(\w+)-{1,2}>>(\w+): \S", diagram, re.MULTILINE)
    assert 4 <= len(arrows)
    assert there == {name for arrow in arrows for name in arrow}
    assert diagram.count("    opt ") == diagram.count("    end\n")
