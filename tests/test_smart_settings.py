"""From which EMRs the page can be opened: the file, and what the documents say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.datastructures import MutableHeaders

from cdss.errors import DefinitionError
from cdss.i18n import LANGUAGES, words
from serving.page import opened
from serving.settings import read_settings
from serving.smart import launches, routes, sessions
from serving.smart.answers import framed
from serving.smart.exchange import SCOPE
from serving.smart.failed import STATUS
from serving.smart.servers import find_server
from tests.conftest import ROOT
from tests.security_clients import BASE, signer
from tests.serving_process import run
from tests.smart_app import HERE
from tests.smart_server import (
    CLIENT,
    SECRET,
)


def written(folder: Path, table: str, **files: str) -> dict[str, str]:
    (folder / "smart.toml").write_text(table)
    for name, content in files.items():
        (folder / name).write_text(content)
    return {"CDSS_SMART": str(folder / "smart.toml"), "CDSS_URL": BASE}


ROW = '[[server]]\niss = "https://fhir.example.org/r4/"\nclient_id = "cdss"\n'


def test_the_settings_say_from_where_the_page_can_be_opened(tmp_path: Path) -> None:
    key = json.dumps(signer("cdss-app").as_dict(private=True))
    second = ROW.replace("fhir.", "two.") + 'key = "own.json"\n'
    table = f'{ROW}secret = "emr.secret"\nframe = ["https://emr.example.org"]\n{second}'
    environment = written(tmp_path, table, **{"emr.secret": f"{SECRET}\n", "own.json": key})
    one, two = read_settings(environment).smart

    assert ("https://fhir.example.org/r4", CLIENT, SECRET) == (one.iss, one.client_id, one.secret)
    assert ("https://emr.example.org",) == one.frame
    assert "cdss-app" == two.key.kid  # type: ignore[union-attr]
    assert SECRET not in repr(one)
    assert "cdss-app" not in repr(two)
    assert one is find_server((one, two), "https://fhir.example.org/r4/")
    assert find_server((one, two), "https://fhir.example.org") is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "server is missing"),
        ("[server]\n", "server must be written"),
        ("x = 1\n", "unknown key x"),
        ('[[server]]\niss = "https://x.example"\n', "client_id is missing"),
        (ROW.replace("https", "http"), "server[0].iss: must be an https:// address"),
        (ROW.replace("/r4/", "/../r4"), "server[0].iss: must be the base of a FHIR server"),
        (ROW.replace('"cdss"', '""'), "client_id: must be a text"),
        (f'{ROW}secret = "none"\n', "server[0].secret: No such file"),
        (f'{ROW}secret = "empty"\n', "server[0].secret: holds no secret"),
        (f'{ROW}secret = "empty"\nkey = "empty"\n', "secret or key, not both"),
        (f'{ROW}key = "empty"\n', "server[0].key: must be a private JWK"),
        (f'{ROW}key = "public"\n', "server[0].key: must be a private JWK"),
        (f'{ROW}key = "weak"\n', "server[0].key: must be a private JWK"),
        (f'{ROW}frame = "*"\n', "server[0].frame: must be a list"),
        (f'{ROW}frame = ["https://*.example.org"]\n', "server[0].frame: must be"),
        (ROW + ROW, "the same iss is given twice"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, table: str, said: str) -> None:
    public = json.dumps(signer("cdss-app").as_dict(private=False))
    weak = json.dumps(signer("weak", "P-256").as_dict(private=True))
    environment = written(tmp_path, table, empty="", public=public, weak=weak)
    with pytest.raises(DefinitionError) as error:
        read_settings(environment)
    assert said in str(error.value)


def test_settings_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    environment = written(tmp_path, f'{ROW}frame = ["https://emr.example.org"]\n')
    for changes, said in (
        ({"CDSS_URL": ""}, "CDSS_URL: must be set with CDSS_SMART"),
        ({"CDSS_URL": HERE}, "frame needs CDSS_URL to be an https:// address"),
        ({"CDSS_SMART": str(tmp_path / "none.toml")}, "none.toml: No such file"),
    ):
        with pytest.raises(DefinitionError) as error:
            read_settings(environment | changes)
        assert said in str(error.value)


def test_a_server_with_wrong_settings_does_not_start(tmp_path: Path) -> None:
    done = run("-m", "serving", "--port", "0", **written(tmp_path, f'{ROW}secret = "none"\n'))

    assert 0 != done.returncode
    assert "cdss: not started: smart.toml: server[0].secret: No such file" in done.stderr


def test_every_refusal_has_words_in_every_language() -> None:
    for lang in LANGUAGES:
        told = {k for k in words(lang).texts if k.startswith("smart.error.")}
        assert {f"smart.error.{code}" for code in (*STATUS, "no_session", "forged", "gone")} == told


def test_a_policy_without_the_rule_about_frames_is_left_alone() -> None:
    headers = MutableHeaders({"content-security-policy": "default-src 'self'"})
    framed(headers, ("https://emr.example.org",))
    assert "default-src 'self'" == headers["content-security-policy"]


def test_the_page_for_vendors_says_how_long_things_are_kept() -> None:
    said = " ".join((ROOT / "docs" / "integrate.md").read_text(encoding="utf-8").split())
    for sentence in (
        f"the values read, for {opened.SECONDS / 60:g} minutes",
        f"nobody used it for {sessions.IDLE_SECONDS / 60:g} minutes, "
        f"{sessions.LONGEST_SECONDS / 3600:g} hours at most",
        f"the same when the page is opened | {routes.FHIR_SECONDS:g} s |",
        f"to the end of the login | {launches.SECONDS / 60:g} min |",
        f"`{SCOPE}`",
    ):
        assert sentence in said, sentence
