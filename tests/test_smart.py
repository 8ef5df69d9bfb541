"""The page opened from an EMR over HTTP: as it must be, and every way in which it can go wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from cdss import assess
from cdss.cds_hooks.prefetch import KEYS
from cdss.fhir.read import read
from cdss.i18n import words
from cdss.jurisdiction import select
from serving.expiring import Expiring
from serving.fhir_api import site_time
from serving.journal import open_journal
from serving.smart import discovery, launches, routes
from serving.smart.servers import SmartServer
from tests.driven_browser import listening
from tests.hooks_emr import pressure
from tests.page_client import words_of
from tests.security_clients import BASE, signer, site
from tests.smart_app import EN, HERE, MODELS, PLACE, cdss, says
from tests.smart_server import (
    CLIENT,
    PATIENT,
    SECRET,
    USER,
    Emr,
    back_from_login,
    example,
    opened,
    sent_to_login,
)
from tests.toy import toy_model


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


@pytest.mark.parametrize("registered", ["secret", "public", "key"])
def test_a_launch_ends_with_results_of_what_the_emr_knows(
    emr: tuple[Emr, str], folder: Path, registered: str
) -> None:
    own, address = emr
    own.registered = registered
    shown = {"secret": {"secret": SECRET}, "public": {}, "key": {"key": signer("cdss-app")}}
    with cdss(address, folder, server=shown[registered], models=MODELS) as app:
        page = opened(app, address)

    assert 200 == page.status_code, page.text[-2000:]
    day = site_time().date()
    record = read(example(), day).record
    assert record is not None
    text = words_of(page.text)
    told = assess(record, select(MODELS, PLACE, demonstrations=True), PLACE, chosen=True)
    assert told.estimates
    for estimate in told.estimates:
        assert words("en").percent(estimate.probability) in text
    assert words("en")("smart.emr", server=f"{address}/r4") in text
    assert {"Patient/lan", "Observation", "Condition", "FamilyMemberHistory"} <= set(own.asked)
    assert len(KEYS) == len(own.asked)


def test_what_is_asked_of_the_login_is_as_smart_has_it(emr: tuple[Emr, str]) -> None:
    _, address = emr
    with cdss(address) as app:
        first, second = (sent_to_login(app, address) for _ in range(2))
    asked, again = (
        {k: v for k, (v,) in parse_qs(urlsplit(a.headers["location"]).query).items()}
        for a in (first, second)
    )

    assert {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": f"{HERE}/smart/callback",
        "launch": "xyz-1", "scope": "launch openid fhirUser patient/*.rs",
        "aud": f"{address}/r4", "code_challenge_method": "S256",
    }.items() <= asked.items()  # fmt: skip
    for secret in ("state", "nonce", "code_challenge"):
        assert asked[secret] != again[secret]
        assert 22 <= len(asked[secret])


def test_the_audit_log_says_who_looked_and_nobody_else_is_told_any_token(
    emr: tuple[Emr, str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own, address = emr
    journal = open_journal({"CDSS_AUDIT": str(folder / "audit.sqlite")}, [toy_model()])
    with cdss(address, folder, journal=journal) as app:
        login = sent_to_login(app, address)
        back = app.get(back_from_login(login), follow_redirects=False)
        page = app.get(back.headers["location"])
        answers = [login, back, page]
        entries = [json.loads(line.entry) for line in journal.store.lines()]  # type: ignore[union-attr]
    journal.close()
    written = capfd.readouterr()

    assert [("page", address, USER)] == [(e["kind"], e["issuer"], e["subject"]) for e in entries]
    (access,) = own.tokens
    kept = (folder / "audit.sqlite").read_bytes().decode("latin-1")
    said = [str(a.headers) + a.text for a in answers]
    for secret in (access, "refresh-", SECRET, "eyJ"):
        assert not any(secret in where for where in (*said, kept, written.out, written.err))
    for private in ("code=", "Practitioner/12", "1968-05-14", PATIENT + '"'):
        assert private not in written.out + written.err + kept


def test_what_the_emr_lacks_is_said_and_the_form_is_there_to_complete_it(
    emr: tuple[Emr, str], folder: Path
) -> None:
    own, address = emr
    own.resources = [r for r in own.resources if r["resourceType"] == "Patient"]
    with cdss(address, folder) as app:
        page = opened(app, address)

    assert 200 == page.status_code
    text = words("en")
    assert text("page.entry") in page.text
    assert text("smart.complete") in page.text
    assert '"age" value="58"' in page.text or 'value="58"' in page.text


def test_a_patient_who_is_dead_is_not_assessed(emr: tuple[Emr, str], folder: Path) -> None:
    own, address = emr
    own.resources[0]["deceasedBoolean"] = True
    with cdss(address, folder) as app:
        page = opened(app, address)

    assert words("en")("smart.document.refused") in page.text
    assert words("en")("page.glance") not in page.text


def test_a_query_that_fails_costs_nothing_else_and_is_said(
    emr: tuple[Emr, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = emr
    monkeypatch.setattr(routes, "KEYS", [key for key in KEYS if key.name != "conditions"])
    with cdss(address, folder) as app:
        page = unescape(words_of(opened(app, address).text))

    assert words("en")("page.glance") in page
    assert "prefetch.conditions" in page or words("en").label("hypertension") in page
    assert words("en")("page.document.not_used") in page


# -- every way in which it can go wrong


def test_an_emr_that_is_not_listed_is_refused_and_never_called(
    emr: tuple[Emr, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = emr
    with cdss(address) as app:
        for iss in ("http://169.254.169.254/latest", f"{address}/r4/x", f"{address}", "file:///x"):
            says(app.get("/smart/launch", params={"iss": iss, "launch": "1"}), "not_listed")
        says(app.get("/smart/launch", params={"launch": "1"}), "no_launch")
        says(app.get("/smart/launch", params={"iss": f"{address}/r4"}), "no_launch")
        twice = f"/smart/launch?iss={address}/r4&iss=http://evil.example&launch=1"
        says(app.get(twice), "no_launch")
        assert 302 == sent_to_login(app, address, f"{address}/r4/").status_code


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "emr_not_smart"),
        ({"code_challenge_methods_supported": ...}, "emr_not_smart"),
        ({"token_endpoint": ...}, "emr_not_smart"),
        ({"authorization_endpoint": "http://login.example.org/authorize"}, "emr_not_smart"),
        ({"token_endpoint": "file:///etc/passwd"}, "emr_not_smart"),
        ({"jwks_uri": 7}, "emr_not_smart"),
    ],
)
def test_an_emr_that_does_not_say_how_to_log_in(
    emr: tuple[Emr, str], configuration: dict[str, Any], code: str
) -> None:
    own, address = emr
    own.configuration = configuration
    with cdss(address) as app:
        says(sent_to_login(app, address), code)


def test_an_emr_elsewhere_cannot_send_us_to_this_machine() -> None:
    elsewhere = SmartServer("https://fhir.example.org/r4", CLIENT)
    assert "https://login.example.org/t" == discovery._address(
        "https://login.example.org/t", elsewhere
    )
    for here in ("http://127.0.0.1:9/token", "https://localhost/token", "https://[::1]/token"):
        with pytest.raises(ValueError, match="this machine"):
            discovery._address(here, elsewhere)


def test_an_emr_that_does_not_answer() -> None:
    with cdss("http://127.0.0.1:9") as app:
        says(sent_to_login(app, "http://127.0.0.1:9"), "emr_unreachable")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "access_denied"),
        ("server_error", "login_failed"),
        ("<b>x</b>", "login_failed"),
    ],
)
def test_a_login_that_is_refused_is_told_in_words(
    emr: tuple[Emr, str], error: str, code: str
) -> None:
    own, address = emr
    own.refuses = {"error": error, "error_description": "Ann's HbA1c is 9.1"}
    with cdss(address) as app:
        page = opened(app, address)

    says(page, code)
    assert "Ann" not in page.text
    assert "<b>x" not in page.text


def test_a_state_is_used_once_by_the_browser_that_began_and_not_later(
    emr: tuple[Emr, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, address = emr
    with cdss(address) as app:
        back = back_from_login(sent_to_login(app, address))
        assert 200 == app.get(back).status_code
        says(app.get(back), "unknown_launch")  # used

        back = back_from_login(sent_to_login(app, address))
        says(app.get(re.sub("state=[^&]+", "state=guessed", back)), "unknown_launch")
        says(app.get(re.sub("state=[^&]+", "", back)), "unknown_launch")

        other = TestClient(app.app, base_url=HERE, headers=EN)
        says(other.get(back), "other_browser")
        says(app.get(back), "unknown_launch")  # used up by the other
    tokens = len(own.tokens)

    now = [0.0]
    kept = Expiring(launches.SECONDS, 9, lambda: now[0])
    monkeypatch.setattr(launches, "Expiring", lambda *_: kept)
    with cdss(address) as app:
        back = back_from_login(sent_to_login(app, address))
        now[0] = launches.SECONDS + 1.0
        says(app.get(back), "unknown_launch")
    assert tokens == len(own.tokens) == 1


def test_a_code_is_exchanged_once_and_in_time(emr: tuple[Emr, str]) -> None:
    own, address = emr
    with cdss(address) as app:
        first, second = (back_from_login(sent_to_login(app, address)) for _ in range(2))
        code = parse_qs(urlsplit(first).query)["code"][0]
        stolen = re.sub("code=[^&]+", f"code={code}", second)
        says(app.get(stolen), "code_refused")  # another launch's: PKCE tells
        says(app.get(first), "code_refused")  # and it is used up

        own.code_lives = -1
        says(app.get(back_from_login(sent_to_login(app, address))), "code_refused")
    assert {} == own.tokens


def test_an_answer_of_another_server(emr: tuple[Emr, str]) -> None:
    _, address = emr
    with cdss(address) as app:
        back = back_from_login(sent_to_login(app, address))
        says(app.get(re.sub("iss=[^&]+", "iss=https://evil.example", back)), "other_server")


@pytest.mark.parametrize("shown", [{"secret": "wrong"}, {"key": signer("another-app")}, {}])
def test_an_app_that_is_not_registered_so(emr: tuple[Emr, str], shown: dict[str, Any]) -> None:
    own, address = emr
    own.registered = "key" if "key" in shown else "secret"
    with cdss(address, server=shown) as app:
        says(opened(app, address), "app_refused")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token_status": 503}, "emr_unreachable"),
        ({"token_says": {"access_token": ...}}, "no_token"),
        ({"token_says": {"access_token": "two words"}}, "no_token"),
        ({"token_says": {"token_type": "mac"}}, "no_token"),
        ({"token_says": {"id_token": ...}}, "no_user"),
        ({"token_says": {"id_token": "eyJhbGciOiJub25lIn0.e30."}}, "no_user"),
        ({"signs_with": "somebody-else"}, "no_user"),
        ({"claims": {"iss": "https://evil.example"}}, "no_user"),
        ({"claims": {"aud": "another-app"}}, "no_user"),
        ({"claims": {"aud": [CLIENT, "another-app"]}}, "no_user"),
        ({"claims": {"exp": 1}}, "no_user"),
        ({"claims": {"exp": ...}}, "no_user"),
        ({"claims": {"nonce": "another"}}, "no_user"),
        ({"claims": {"nonce": ...}}, "no_user"),
        ({"claims": {"sub": ...}}, "no_user"),
        ({"claims": {"sub": 7}}, "no_user"),
        ({"claims": {"fhirUser": "Patient/lan"}}, "not_for_patients"),
        ({"claims": {"fhirUser": "https://emr.example/r4/RelatedPerson/1"}}, "not_for_patients"),
        ({"context": {}}, "no_patient"),
        ({"context": {"patient": "../Patient/other"}}, "no_patient"),
        ({"context": {"patient": ["lan"]}}, "no_patient"),
        ({"fhir_status": 401}, "no_data"),
        ({"fhir_status": 500}, "no_data"),
    ],
    ids=str,
)
def test_a_login_that_goes_wrong_is_told_and_opens_nothing(
    emr: tuple[Emr, str], folder: Path, changes: dict[str, Any], code: str
) -> None:
    own, address = emr
    for name, value in changes.items():
        setattr(own, name, value)
    with cdss(address, folder) as app:
        says(opened(app, address), code)
        says(app.get("/page"), "no_session")


def test_a_fhir_server_that_takes_too_long(
    emr: tuple[Emr, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, address = emr
    own.fhir_waits = 2.0
    monkeypatch.setattr(routes, "FHIR_SECONDS", 0.2)
    with cdss(address) as app:
        says(opened(app, address), "no_data")


def test_a_patient_whom_the_fhir_server_does_not_have(emr: tuple[Emr, str]) -> None:
    own, address = emr
    own.context = {"patient": "nobody"}
    with cdss(address) as app:
        page = opened(app, address)

    assert 200 == page.status_code
    assert words("en")("smart.document.refused") in page.text
    assert words("en")("page.glance") not in page.text


def test_what_is_urgent_stands_before_where_the_data_came_from(
    emr: tuple[Emr, str], folder: Path
) -> None:
    own, address = emr
    own.resources = [r for r in own.resources if r["id"] != "bp"]
    high = pressure(206, 122, site_time().date().isoformat())
    own.resources.append({**high, "subject": {"reference": f"Patient/{PATIENT}"}})
    with cdss(address, folder) as app:
        page = unescape(words_of(opened(app, address).text))

    text = words("en")
    assert page.index(text("topic.urgent")) < page.index(text("smart.emr", server=f"{address}/r4"))
