"""The built edition, a browser to look at it, and a network that can be broken."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from cdss.bundle import SHIPPED
from serving.offline.build import Edition, build
from serving.offline.vendor import vendored

HERE = Path(__file__).parent
MODULES = (
    os.environ.get("CDSS_NODE_MODULES", ""),
    str(HERE / "browser" / "node_modules"),
    str(HERE / "offline" / "node_modules"),
)


@lru_cache
def edition(jurisdiction: str = "vn", bundles: Path = SHIPPED) -> Edition:
    """Build the edition once; onnxruntime from npm, or from the file CDSS_ORT_WEB names."""
    archive = os.environ.get("CDSS_ORT_WEB")
    if not archive and not shutil.which("npm"):
        pytest.skip("needs npm, or CDSS_ORT_WEB: onnxruntime-web as npm pack writes it")
    runtime = _runtime(archive)
    made = Path(mkdtemp(prefix="cdss-offline-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return build(made / "out", runtime, jurisdiction=jurisdiction, bundles=bundles)


@lru_cache
def _runtime(archive: str | None) -> dict[str, bytes]:
    return vendored(Path(archive) if archive else None)


def modules() -> str:
    """Find the folder that has playwright-core, or skip."""
    if not shutil.which("node") or not _chromium():
        pytest.skip("needs node and chromium")
    for folder in MODULES:
        if folder and (Path(folder) / "playwright-core").exists():
            return folder
    pytest.skip("needs playwright-core: npm ci in tests/offline, or CDSS_NODE_MODULES")


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    return os.environ.get("CDSS_CHROMIUM", found)


def browse(script: str, *arguments: object, timeout: float = 300) -> str:
    """Run a script of tests/offline in node; what it prints."""
    done = subprocess.run(
        ["node", str(HERE / "offline" / script), *map(str, arguments)],
        env={**os.environ, "CDSS_NODE_MODULES": modules(), "CDSS_CHROMIUM": _chromium()},
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def launched(folder: Path) -> Iterator[str]:
    """Serve the folder as its own launcher does; its address."""
    with subprocess.Popen(
        [sys.executable, str(folder / "serve.py"), "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()
