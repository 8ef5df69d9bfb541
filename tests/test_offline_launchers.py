"""What shows the edition from a USB stick, on a PC with Python and on one with Windows alone."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.offline_edition import browse, edition

pytestmark = pytest.mark.slow

SECRET = "what no launcher may show"


def commands(kind: str, folder: Path, place: Path) -> list[str]:
    """How a launcher is started; that of Windows compiled as start.cmd does."""
    if kind == "python":
        return [sys.executable, str(folder / "serve.py")]
    if not (shutil.which("mcs") and shutil.which("mono")):
        pytest.skip("needs mono and mcs, the free counterparts of what Windows compiles with")
    made = place / "cdss-serve.exe"
    # C# 3 and its library are what Windows 7 has.
    subprocess.run(["mcs", "-langversion:3", f"-out:{made}", str(folder / "serve.cs")], check=True)
    return ["mono", str(made), f"{folder}/."]


@pytest.fixture(params=["python", "windows"])
def launcher(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    folder = tmp_path / "a stick" / "cdss"
    shutil.copytree(edition().folder, folder)
    (folder.parent / "secret.txt").write_text(SECRET)
    return commands(request.param, folder, tmp_path)


@pytest.fixture
def port(launcher: list[str]) -> Iterator[int]:
    with subprocess.Popen([*launcher, "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[0]
            assert address.startswith("http://localhost:")
            yield int(address.rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()


def asked(port: int, target: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, target, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def test_a_launcher_shows_the_edition_and_nothing_else(port: int, launcher: list[str]) -> None:
    if launcher[0] == "mono":  # the other one is what all tests of the edition use
        said = json.loads(browse("load.mjs", f"http://localhost:{port}/"))
        assert (said["elsewhere"], said["again"], said["install"]) == ([], 0, [])

    status, headers, content = asked(port, "/js/app.js?x=1")
    assert (status, headers["content-type"]) == (200, "text/javascript")
    assert headers["cache-control"] == "no-cache"
    assert content == (edition().folder / "js" / "app.js").read_bytes()
    assert asked(port, "/")[2] == (edition().folder / "index.html").read_bytes()
    status, headers, content = asked(port, "/js/app.js", "HEAD")
    assert (status, content) == (200, b"")
    for target in (
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt", "/js/../../secret.txt",
        "//etc/passwd", "/C:/Windows/win.ini", "/none", "/" + "a" * 6_000,
    ):  # fmt: skip
        status, _, content = asked(port, target)
        assert 400 <= status < 500, target
        assert SECRET.encode() not in content
    assert asked(port, "/index.html", "POST")[0] in (404, 501)
    assert asked(port, "/")[0] == 200  # still there


def test_a_launcher_answers_this_machine_only(port: int) -> None:
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no address but its own")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own, port), timeout=5).close()


def test_a_port_in_use_is_told_not_changed(launcher: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*launcher, str(port)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"http://localhost:{port}/" in done.stdout + done.stderr


def test_windows_reads_its_own_line_ends_and_finds_what_it_starts() -> None:
    folder = edition().folder
    script = (folder / "start.cmd").read_bytes()
    assert script.count(b"\r\n") == script.count(b"\n") > 10
    assert script.isascii()
    assert b"%~dp0serve.cs" in script
    assert (folder / "serve.cs").read_text(encoding="utf-8").isascii()
