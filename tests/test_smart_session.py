"""The session after a launch: what it opens, to whom, and how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.journal import open_journal
from serving.smart import sessions
from serving.smart.cookies import Cookie
from tests.driven_browser import listening
from tests.security_clients import BASE, key_of, site
from tests.smart_app import EN, HERE, cdss, form_of, says
from tests.smart_server import (
    SECRET,
    USER,
    Emr,
    back_from_login,
    opened,
    sent_to_login,
)
from tests.toy import toy_model

SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def emr() -> Iterator[tuple[Emr, str]]:
    """An EMR, and where it is."""
    one = Emr(apps=(BASE, HERE))
    with listening(one.starlette()) as address:
        yield one, address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site(tmp_path, ward="assess read")
    return tmp_path


def test_within_the_session_the_page_works_and_nothing_else_does(
    emr: tuple[Emr, str], folder: Path
) -> None:
    _, address = emr
    with cdss(address, folder) as app:
        says(app.get("/page"), "no_session")
        page = opened(app, address)
        sent = form_of(page) | {"lang": "en"}
        for path in ("/page", "/page/assess", "/page/what-if", "/page/feedback", "/page/hand-out"):
            assert 200 == app.post(path, data=sent, headers=SAME).status_code, path
        assert 200 == app.get("/models").status_code
        for path in ("/v1/models", "/", "/openapi.json", "/cds-services", "/metrics"):
            assert 401 == app.get(path).status_code, path
        ours = app.get("/page", headers=key_of(folder, "ward"))
        assert 200 == ours.status_code  # a program with a key needs no session


def test_a_page_of_another_site_cannot_use_the_session(emr: tuple[Emr, str], folder: Path) -> None:
    _, address = emr
    with cdss(address, folder) as app:
        sent = form_of(opened(app, address)) | {"lang": "en"}
        post = {"url": "/page/assess", "data": sent}
        for sender in (
            {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"}, {"origin": "https://evil.example"}, {"origin": "null"},
            {"sec-fetch-site": "cross-site", "origin": BASE},
        ):  # fmt: skip
            says(app.post(**post, headers=sender), "forged")
        assert 200 == app.post(**post, headers={"origin": BASE}).status_code


def test_a_session_ends(
    emr: tuple[Emr, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = emr
    now = [0.0]
    made = sessions.Sessions(BASE, lambda: now[0])
    monkeypatch.setattr("serving.app.Sessions", lambda *_: made)
    with cdss(address, folder) as app:
        opened(app, address)
        now[0] += sessions.IDLE_SECONDS - 1
        assert 200 == app.get("/page").status_code
        now[0] += sessions.IDLE_SECONDS - 1
        assert 200 == app.get("/page").status_code  # it was used
        now[0] += sessions.IDLE_SECONDS + 1
        says(app.get("/page"), "no_session")

        opened(app, address)
        for _ in range(int(sessions.LONGEST_SECONDS / 1000) + 1):
            now[0] += 1000
            last = app.get("/page")
        says(last, "no_session")


def test_another_user_of_the_browser_sees_no_patient_of_the_first(
    emr: tuple[Emr, str], folder: Path
) -> None:
    own, address = emr
    with cdss(address, folder) as app:
        first = opened(app, address)
        cookie = app.cookies["__Host-cdss"]
        assert 200 == app.get(first.url).status_code  # loaded again
        own.claims = {"sub": "dr-nam"}
        assert 200 == opened(app, address).status_code
        says(app.get(first.url), "gone")
        says(app.get("/page/patient/guessed"), "gone")
        ended = TestClient(app.app, base_url=BASE, headers=EN, cookies={"__Host-cdss": cookie})
        says(ended.get("/page"), "no_session")


def test_cookies_are_kept_from_scripts_and_from_other_sites(
    emr: tuple[Emr, str], folder: Path
) -> None:
    _, address = emr
    hospital = "https://emr.hospital.example"
    alone = {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"}
    framed = {"HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"}
    for frame, parts in (((), alone), ((hospital,), framed)):
        with cdss(address, folder, server={"secret": SECRET, "frame": frame}) as app:
            ended = app.get("/page")
            login = sent_to_login(app, address)
            back = app.get(back_from_login(login), follow_redirects=False)
            page = app.get(back.headers["location"])
        for answer, name in ((login, "__Host-cdss-launch="), (back, "__Host-cdss=")):
            first, *rest = answer.headers["set-cookie"].split("; ")
            assert first.startswith(name)
            assert parts | ({"Max-Age=600"} if answer is login else set()) == set(rest)
        assert ended.status_code == 401
        for answer in (page, ended):
            policy = answer.headers["content-security-policy"]
            assert policy.endswith(
                f"frame-ancestors {hospital}" if frame else "frame-ancestors 'none'"
            )
    plain = Cookie("cdss", HERE).set("x", framed=True)
    assert "cdss=x; Path=/; HttpOnly; SameSite=Lax" == plain


def test_an_open_server_needs_no_session_but_knows_whom_to_record(
    emr: tuple[Emr, str], tmp_path: Path
) -> None:
    _, address = emr
    journal = open_journal({"CDSS_AUDIT": str(tmp_path / "audit.sqlite")}, [toy_model()])
    with cdss(address, journal=journal) as app:
        assert 200 == app.get("/page").status_code
        assert 200 == opened(app, address).status_code
        entries = [json.loads(line.entry) for line in journal.store.lines()]  # type: ignore[union-attr]
    journal.close()
    assert [(address, USER)] == [(e["issuer"], e["subject"]) for e in entries]
