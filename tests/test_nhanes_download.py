"""Fetching CDC's public files, from a mirror on this machine that does what servers do."""

import email.utils
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.nhanes_mirror import Mirror, serving, xpt
from training.nhanes.download import ATTEMPTS, DownloadError, download
from training.nhanes.files import PublicFile, catalogue, cycles_within, file_of, public_files

NAMES = ("DEMO_H.XPT", "BMX_H.XPT", "TCHOL_H.XPT")


@pytest.fixture
def mirror():
    """Three files of 2013-2014, at CDC's paths."""
    files = {
        name: xpt({"SEQN": list(range(1, 4001)), "LBXTC": [150.0 + i] * 4000})
        for i, name in enumerate(NAMES)
    }
    with serving(Mirror(files)) as running:
        yield running


def wanted(mirror: Mirror, names: tuple[str, ...] = NAMES) -> list[PublicFile]:
    return [f for f in public_files(("2013-2014",), mirror.address) if f.name in names]


def test_files_are_fetched_once_and_vouched_for(mirror: Mirror, tmp_path: Path) -> None:
    first = download(wanted(mirror), tmp_path)
    again = download(wanted(mirror), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())["files"]

    assert first.fetched == again.kept == NAMES
    assert again.fetched == first.missing == ()
    for name in NAMES:
        body = (tmp_path / name).read_bytes()
        assert body == mirror.files[name]
        assert mirror.served(name) == [("", 200)]
        assert manifest[name]["sha256"] == hashlib.sha256(body).hexdigest()
        assert manifest[name]["bytes"] == len(body)
        assert manifest[name]["url"].startswith(mirror.address)
        assert datetime.fromisoformat(manifest[name]["fetched_on"])
    assert mirror.most_at_once == 1
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES, "manifest.json"}


def test_a_broken_connection_is_resumed(mirror: Mirror, tmp_path: Path) -> None:
    mirror.break_once["BMX_H.XPT"] = 30_000
    waits, told = [], []
    download(wanted(mirror), tmp_path, sleep=waits.append, tell=lambda *now: told.append(now))

    assert (tmp_path / "BMX_H.XPT").read_bytes() == mirror.files["BMX_H.XPT"]
    assert mirror.served("BMX_H.XPT") == [("", 200), ("bytes=30000-", 206)]
    assert waits == [1.0]
    size = len(mirror.files["BMX_H.XPT"])
    assert ("BMX_H.XPT", 30_000, size) in told
    assert ("BMX_H.XPT", size, size) in told


def test_a_later_run_goes_on_where_the_last_one_stopped(mirror: Mirror, tmp_path: Path) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    mirror.break_once["DEMO_H.XPT"] = 16_000
    with pytest.raises(KeyboardInterrupt):
        download(wanted(mirror), tmp_path, sleep=interrupted)
    assert (tmp_path / "DEMO_H.XPT.part").stat().st_size == 16_000
    assert not (tmp_path / "DEMO_H.XPT").exists()

    download(wanted(mirror), tmp_path)
    assert mirror.served("DEMO_H.XPT")[-1] == ("bytes=16000-", 206)
    assert (tmp_path / "DEMO_H.XPT").read_bytes() == mirror.files["DEMO_H.XPT"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(mirror: Mirror, tmp_path: Path) -> None:
    def revise(_: float) -> None:
        mirror.files["DEMO_H.XPT"] = xpt({"SEQN": [1.0] * 3000})

    mirror.break_once["DEMO_H.XPT"] = 16_000
    download(wanted(mirror), tmp_path, sleep=revise)

    assert mirror.served("DEMO_H.XPT") == [("", 200), ("bytes=16000-", 200)]
    assert (tmp_path / "DEMO_H.XPT").read_bytes() == mirror.files["DEMO_H.XPT"]


def test_a_server_without_ranges_is_asked_for_the_whole(mirror: Mirror, tmp_path: Path) -> None:
    mirror.ranges = False
    mirror.break_once["DEMO_H.XPT"] = 16_000
    download(wanted(mirror), tmp_path, sleep=lambda _: None)

    assert (tmp_path / "DEMO_H.XPT").read_bytes() == mirror.files["DEMO_H.XPT"]


@pytest.mark.parametrize("harm", [b"X", b""])
def test_a_damaged_file_is_fetched_again(mirror: Mirror, tmp_path: Path, harm: bytes) -> None:
    download(wanted(mirror), tmp_path)
    path = tmp_path / "TCHOL_H.XPT"
    path.write_bytes(path.read_bytes()[:-1] + harm)
    again = download(wanted(mirror), tmp_path)

    assert again.fetched == ("TCHOL_H.XPT",)
    assert set(again.kept) == {"DEMO_H.XPT", "BMX_H.XPT"}
    assert path.read_bytes() == mirror.files["TCHOL_H.XPT"]


def test_part_of_something_else_is_thrown_away(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "DEMO_H.XPT.part").write_bytes(b"?" * 1_000_000)
    download(wanted(mirror), tmp_path, sleep=lambda _: None)

    assert (tmp_path / "DEMO_H.XPT").read_bytes() == mirror.files["DEMO_H.XPT"]


def test_a_server_that_asks_for_patience_gets_it(mirror: Mirror, tmp_path: Path) -> None:
    then = datetime.now(UTC) + timedelta(seconds=30)
    mirror.answers = {
        "DEMO_H.XPT": [(429, {"Retry-After": "7"}), (503, {})],
        "BMX_H.XPT": [(503, {"Retry-After": email.utils.format_datetime(then)})],
    }
    waits: list[float] = []
    download(wanted(mirror), tmp_path, sleep=waits.append)

    assert waits[:2] == [7.0, 2.0]  # as asked; then our own second wait
    assert waits[2] == pytest.approx(29, abs=2)


def test_patience_has_an_end(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answers = {"DEMO_H.XPT": [(503, {})] * 99}
    waits: list[float] = []
    with pytest.raises(DownloadError, match=r"DEMO_H\.XPT of 2013-2014: the server answers 503"):
        download(wanted(mirror), tmp_path, sleep=waits.append)
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert len(mirror.asked) == ATTEMPTS

    mirror.answers = {"DEMO_H.XPT": [(429, {"Retry-After": "86400"})]}
    with pytest.raises(DownloadError, match="come back in 86400 s"):
        download(wanted(mirror), tmp_path, sleep=waits.append)


def test_a_refusal_is_not_repeated(mirror: Mirror, tmp_path: Path) -> None:
    mirror.answers = {"DEMO_H.XPT": [(403, {})] * 9}
    with pytest.raises(DownloadError, match="answers 403"):
        download(wanted(mirror), tmp_path)
    assert len(mirror.asked) == 1


def test_nobody_there_is_said_in_words(tmp_path: Path) -> None:
    with serving(Mirror({})) as gone:
        items = wanted(gone)
    with pytest.raises(DownloadError, match=r"DEMO_H\.XPT of 2013-2014: .*refused"):
        download(items, tmp_path, sleep=lambda _: None)


def test_missing_files_do_not_stop_the_others(mirror: Mirror, tmp_path: Path) -> None:
    del mirror.files["DEMO_H.XPT"]
    got = download(wanted(mirror), tmp_path)

    assert [(file.name, file.cycle) for file in got.missing] == [("DEMO_H.XPT", "2013-2014")]
    assert set(got.fetched) == {"BMX_H.XPT", "TCHOL_H.XPT"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<!DOCTYPE html><html>Page not found</html>", "not a complete SAS.*but a web page"),
        (xpt({"SEQN": [1.0, 2.0, 3.0]})[:-7], "not a complete SAS transport file"),
        (b"", "not a complete SAS transport file"),
    ],
)
def test_what_is_not_the_file_is_refused(
    mirror: Mirror, tmp_path: Path, body: bytes, why: str
) -> None:
    mirror.files["DEMO_H.XPT"] = body
    with pytest.raises(DownloadError, match=f"DEMO_H.XPT of 2013-2014: what came is {why}"):
        download(wanted(mirror), tmp_path, sleep=lambda _: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", ["Nchs/Data/Nhanes/Public", "Nchs/Nhanes", ""])
def test_a_mirror_may_be_laid_out_in_three_ways(
    mirror: Mirror, tmp_path: Path, layout: str
) -> None:
    mirror.layout = layout
    download(wanted(mirror), tmp_path)

    assert {path.name for path in tmp_path.glob("*.XPT")} == set(NAMES)
    later = [status for name, _, status in mirror.asked if name != "DEMO_H.XPT"]
    assert later == [200, 200]  # the way of the first file is tried first for the next


def test_a_revised_file_is_said_to_be(mirror: Mirror, tmp_path: Path) -> None:
    assert set(download(wanted(mirror), tmp_path).revised) == set(NAMES)


def test_cycles_are_named_by_their_years() -> None:
    assert len(cycles_within("1999-2018")) == 10
    assert cycles_within("2013-2014, 2001-2004") == ("2001-2002", "2003-2004", "2013-2014")
    for wrong in ("2013", "2014-2015", "2018-1999", "", "1999-2020"):
        with pytest.raises(ValueError, match=r"no NHANES cycles .*1999-2000, .*2017-2018"):
            cycles_within(wrong)


def test_every_cycle_has_every_part_under_its_own_name() -> None:
    files = public_files(cycles_within("1999-2018"))

    assert len({file.name for file in files}) == len(files)
    for cycle, spec in catalogue()["cycles"].items():
        parts = [part for file in files if file.cycle == cycle for part in file.parts]
        assert sorted(parts) == sorted([*catalogue()["files"], "mortality"])
        for part in catalogue()["files"]:
            name = file_of(part, cycle).removesuffix(".XPT")
            assert name.endswith(f"_{spec['letter']}") if spec["letter"] else "_" not in name
    (demo,) = [file for file in files if file.name == "DEMO.XPT"]
    assert demo.addresses == (
        "https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public/1999/DataFiles/DEMO.xpt",
    )
    template = public_files(("2013-2014",), "https://mirror.example/{year}/{cycle}/{file}")
    assert template[0].addresses == ("https://mirror.example/2013/2013-2014/DEMO_H.XPT",)
    with pytest.raises(ValueError, match="http"):
        public_files(("2013-2014",), "file:///etc")


def test_every_name_says_where_it_is_known_from() -> None:
    facts = catalogue()

    assert all(spec["checked"] for spec in facts["cycles"].values())
    for spec in (*facts["files"].values(), facts["mortality"], facts["addresses"]):
        words = spec["source"] + spec.get("names_source", "code")
        assert any(word in words for word in ("read", "codebook", "code", "general"))
    read = [cycle for cycle, spec in facts["cycles"].items() if "own files" in spec["checked"]]
    assert read == ["2013-2014"]
