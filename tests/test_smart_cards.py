"""What cards link to, and what the page says of the card that it was opened from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from cdss.i18n import words
from serving.app import create_app
from serving.expiring import Expiring
from serving.journal import open_journal
from serving.page import opened as opened_module
from serving.settings import Settings
from tests.driven_browser import listening
from tests.hooks_emr import hook, prefetch
from tests.page_client import words_of
from tests.security_clients import BASE, hooks_token, site
from tests.smart_app import EN, HERE, MODELS, PLACE, cdss, says
from tests.smart_server import (
    PATIENT,
    Emr,
    example,
    opened,
)

HOOKED = "/cds-services/cdss-all"


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


def links(answer: httpx.Response) -> list[dict[str, str]]:
    assert 200 == answer.status_code, answer.text
    found = [link for card in answer.json()["cards"] for link in card.get("links", ())]
    assert all(link == found[0] for link in found)
    return found


def prefetched(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """The patient of the EMR, as it sends them with a hook."""
    return hook(prefetch(resources), context={"userId": "Practitioner/12", "patientId": PATIENT})


@pytest.mark.parametrize("changed", [False, True])
def test_a_card_opens_the_page_as_a_smart_app_and_the_page_compares(
    emr: tuple[Emr, str], folder: Path, changed: bool
) -> None:
    own, address = emr
    journal = open_journal({"CDSS_AUDIT": str(folder / "audit.sqlite")}, MODELS)
    asked = prefetched(own.resources) | {"fhirServer": f"{address}/r4"}
    with cdss(address, folder, journal=journal, models=MODELS) as app:
        bearer = {"authorization": f"Bearer {hooks_token(HOOKED)}"}
        answer = app.post(HOOKED, json=asked, headers=bearer)
        link, *_ = links(answer)
        card = link["appContext"]
        assert {
            "label": words("en")("hooks.page"), "url": f"{BASE}/smart/launch", "type": "smart",
            "appContext": card,
        } == link  # fmt: skip
        assert re.fullmatch("[0-9a-f]{32}", card)
        own.context |= {"appContext": card}
        if changed:
            own.resources = [r for r in own.resources if r["id"] != "smoke"]
        page = unescape(words_of(opened(app, address).text))
        own.context |= {"appContext": "0" * 32}
        unknown = unescape(words_of(opened(app, address).text))
        own.context |= {"appContext": "<script>"}
        ignored = unescape(words_of(opened(app, address).text))
    journal.close()

    text = words("en")
    assert text("smart.card", id=card) in page
    assert text(f"smart.compared.{'changed' if changed else 'same'}") in page
    assert text("smart.compared.unknown") in unknown
    assert "from a card" not in ignored


def test_without_smart_a_card_of_an_open_server_opens_the_same_patient_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    made: Expiring[Any] = Expiring(opened_module.SECONDS, 2, lambda: now[0])
    monkeypatch.setattr("serving.app.openings", lambda: made)
    app = TestClient(create_app(MODELS, PLACE, settings=Settings()), base_url=HERE, headers=EN)
    answer = app.post(HOOKED, json=prefetched(example()))
    link, *_ = links(answer)

    assert {"label", "url", "type"} == set(link)
    assert "absolute" == link["type"]
    assert link["url"].startswith(f"{HERE}/page/card/")
    assert PATIENT not in link["url"].removeprefix(HERE)
    page = app.get(link["url"])
    text = words_of(page.text)
    risk = next(c["summary"] for c in answer.json()["cards"] if "death" in c["summary"])
    percent = re.search(r"death (\d+\.\d)%", risk)
    assert percent
    assert percent[1] in text
    assert "from a card" in text
    assert page.status_code == app.get(link["url"]).status_code == 200
    now[0] += opened_module.SECONDS + 1
    says(app.get(link["url"]), "gone")
    for _ in range(3):  # no more than so many are kept
        app.post(HOOKED, json=prefetched(example()))
    assert 2 == len(made._kept)


def test_where_the_browser_could_not_show_who_its_user_is_there_is_no_link(
    emr: tuple[Emr, str], folder: Path
) -> None:
    _, address = emr
    with cdss(address, folder) as app:
        for server in ("https://another.example/r4", ...):
            bearer = {"authorization": f"Bearer {hooks_token(HOOKED)}"}
            asked = prefetched(example()) | {"fhirServer": server}
            asked = {k: v for k, v in asked.items() if v is not ...}
            assert [] == links(app.post(HOOKED, json=asked, headers=bearer))


def test_in_a_process_of_its_own_nothing_is_linked() -> None:
    app = TestClient(create_app(MODELS, PLACE), base_url=HERE)
    assert [] == links(app.post(HOOKED, json=prefetched(example())))
