"""
The offline edition: built by one command, the same numbers, and alive without a network.

For Viet Nam tests/test_same_everywhere.py compares it, with everything else that answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdss.bundle import SHIPPED
from cdss.errors import DefinitionError
from serving.offline.build import MOST_BYTES, build
from tests.offline_cases import cases, differences, expected
from tests.offline_edition import browse, edition, launched

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("place", "count"), [("us", 60), ("who", 60)])
def test_every_answer_is_the_librarys_with_the_network_cut(
    place: str, count: int, tmp_path: Path
) -> None:
    asked = [
        {"record": record, "lang": ("en", "vi")[at % 2]} for at, record in enumerate(cases(count))
    ]
    (tmp_path / "cases.json").write_text(json.dumps(asked))
    with launched(edition(place).folder) as address:
        browse("answers.mjs", address, tmp_path / "cases.json", tmp_path / "answers.json", "cut")
    found = json.loads((tmp_path / "answers.json").read_text())

    library = [expected(place, each["record"], each["lang"]) for each in asked]
    assert [] == [d for a, b in zip(library, found, strict=True)
                  for d in differences(a, b["said"])]  # fmt: skip


def test_the_first_load_is_small_and_the_figure_is_true() -> None:
    made = edition()
    assert made.compressed < MOST_BYTES
    with launched(made.folder) as address:
        said = json.loads(browse("load.mjs", address))
    # What the browser fetched, uncompressed where a server compresses nothing.
    assert said["bytes"] < MOST_BYTES
    assert said["elsewhere"] == []
    assert said["again"] == 0
    assert said["install"] == []
    assert said["shown"] < 3000


def test_one_command_builds_it_and_building_again_gives_the_same(tmp_path: Path) -> None:
    made = edition()
    out = tmp_path / "out"
    archive = tmp_path / "ort.tgz"
    command = [sys.executable, "-m", "serving.offline", str(out)]
    known = ["--runtime", os.environ["CDSS_ORT_WEB"]] if "CDSS_ORT_WEB" in os.environ else []
    done = subprocess.run([*command, *known], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"version {made.version}" in done.stdout
    assert "MB compressed" in done.stdout
    archive.write_bytes(b"not the package")
    wrong = subprocess.run(
        [*command, "--runtime", str(archive)], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert "not the package whose hash" in wrong.stderr


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(DefinitionError, match="is not empty"):
        build(tmp_path, {}, bundles=SHIPPED)
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_it_is_installable_and_fetches_nothing_from_elsewhere() -> None:
    folder = edition().folder
    manifest = json.loads((folder / "manifest.webmanifest").read_text())
    assert manifest["display"] == "standalone"
    assert manifest["lang"] == "vi"
    for icon in manifest["icons"]:
        assert (folder / icon["src"]).stat().st_size > 0
    page = (folder / "index.html").read_text()
    assert "default-src 'none'" in page
    assert "unsafe-inline" not in page
    assert '<script nomodule src="js/old.js">' in page  # a browser too old for it says so
    assert "http://" not in page
    assert "https://" not in page


def test_a_changed_graph_is_refused_in_words(tmp_path: Path) -> None:
    with launched(edition().folder) as address:
        browse("damaged.mjs", address)


def test_a_newer_edition_is_offered_and_taken_whole(tmp_path: Path) -> None:
    folder = edition().folder
    with launched(folder) as address:
        browse("update.mjs", address, folder)
