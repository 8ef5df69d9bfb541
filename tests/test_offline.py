"""The offline edition: built by one command, the same numbers, and alive without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdss import PatientRecord, RecordError, assess, load_models, published_models
from cdss.bundle import SHIPPED
from cdss.errors import DefinitionError
from cdss.i18n import words
from cdss.jurisdiction import load_jurisdiction
from cdss.wire import problems_to_list, to_dict
from serving.offline.build import MOST_BYTES, build
from tests.offline_cases import cases
from tests.offline_edition import browse, edition, launched

TOLERANCE = 1e-6

pytestmark = pytest.mark.slow


def expected(place_id: str, record: dict[str, Any], lang: str) -> dict[str, Any]:
    """What the library says, as JSON."""
    place = load_jurisdiction(place_id)
    models = place.models([*load_models(), *published_models()])
    try:
        read = PatientRecord.parse(record)
    except RecordError as error:
        return {"problems": problems_to_list(error.problems, words(lang))}
    said = to_dict(assess(read, models, place, chosen=True), assessment_id="", lang=lang)
    del said["assessment_id"]
    return json.loads(json.dumps(said))


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two answers differ: numbers by more than the tolerance, anything else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            return [f"{where}: {ours.keys() ^ theirs.keys()}"]
        return [d for key in ours for d in differences(ours[key], theirs[key], f"{where}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{where}: {len(ours)} and {len(theirs)}"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for at, (a, b) in pairs for d in differences(a, b, f"{where}/{at}")]
    numbers = [type(each) in (int, float) for each in (ours, theirs)]
    if all(numbers):
        return [f"{where}: {ours} {theirs}"] if not abs(ours - theirs) <= TOLERANCE else []
    return [] if ours == theirs and type(ours) is type(theirs) else [f"{where}: {ours} {theirs}"]


@pytest.mark.parametrize(("place", "count"), [("vn", 200), ("us", 60), ("who", 60)])
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
    assert [] == [d for a, b in zip(library, found, strict=True) for d in differences(a, b)]
    if place == "vn":  # what was compared is worth comparing
        whole = [answer for answer in library if "problems" not in answer]
        count_of = {
            k: sum(len(a[k]) for a in whole) for k in whole[0] if isinstance(whole[0][k], list)
        }
        assert all(number >= 20 for number in count_of.values()), count_of
        models = {e["model"] for a in whole for e in a["estimates"]}
        assert models >= {"cvd-death", "diabetes-incident", "framingham-hypertension-2008"}
        warned = {w["code"] for a in whole for e in a["estimates"] for w in e["warnings"]}
        assert warned >= {"assumed_absent", "rare_value", "rare_combination", "sensitivity_only"}
        refused = {r["code"] for a in whole for n in a["not_estimated"] for r in n["reasons"]}
        assert refused >= {"missing_input", "excluded", "outside_limits", "limit_between"}
        assert 10 <= len(library) - len(whole) <= 60


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
    assert "http://" not in page
    assert "https://" not in page


def test_a_changed_graph_is_refused_in_words(tmp_path: Path) -> None:
    with launched(edition().folder) as address:
        browse("damaged.mjs", address)


def test_a_newer_edition_is_offered_and_taken_whole(tmp_path: Path) -> None:
    folder = edition().folder
    with launched(folder) as address:
        browse("update.mjs", address, folder)
