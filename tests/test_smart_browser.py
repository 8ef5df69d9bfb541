"""The page opened from an EMR in Chromium: by SMART App Launch, in a frame, and from cards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from serving.app import create_app
from serving.clients import read_clients
from serving.journal import open_journal
from serving.settings import Settings
from serving.smart.servers import SmartServer
from tests.driven_browser import listening, listening_as, run_script, skip_without_browser
from tests.hooks_emr import hook, prefetch
from tests.page_client import MODELS, PLACE
from tests.security_clients import hooks_token, site
from tests.smart_server import CLIENT, PATIENT, SECRET, Emr

HOOKED = "/cds-services/cdss-all"


def certificate(folder: Path) -> dict[str, str]:
    """Files with which a server of this test speaks TLS; no browser trusts them by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]
    )  # fmt: skip
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {
        "ssl_certfile": str(folder / "server.pem"),
        "ssl_keyfile": str(folder / "server.key"),
    }


def link_of(server: str, resources: list[Any], iss: str | None) -> dict[str, str]:
    """What the cards link to."""
    asked = hook(prefetch(resources), context={"userId": "Practitioner/1", "patientId": PATIENT})
    token = hooks_token(aud=server + HOOKED)
    answer = httpx.post(
        server + HOOKED,
        json=asked | ({"fhirServer": iss} if iss else {}),
        headers={"authorization": f"Bearer {token}"} if iss else {},
        verify=False,
    )
    assert 200 == answer.status_code, answer.text
    link: dict[str, str] = answer.json()["cards"][0]["links"][0]
    return link


@pytest.mark.slow
def test_the_page_opened_from_an_emr_in_a_browser(tmp_path: Path) -> None:
    skip_without_browser()
    site(tmp_path)
    journal = open_journal({"CDSS_AUDIT": str(tmp_path / "audit.sqlite")}, MODELS)
    emr = Emr(launches={"denied": {"error": "access_denied"}, "nobody": {"patient": ""}})
    with listening(emr.starlette()) as at:
        server = SmartServer(
            f"{at}/r4", CLIENT, SECRET, frame=(at.replace("127.0.0.1", "localhost"),)
        )

        def protected(address: str) -> Any:
            clients = read_clients(tmp_path / "clients.toml")
            settings = Settings(clients, address, smart=(server,))
            return create_app(MODELS, PLACE, settings=settings, journal=journal)

        def alone(address: str) -> Any:
            return create_app(MODELS, PLACE, settings=Settings(base_url=address))

        with (
            listening_as(protected, **certificate(tmp_path)) as page,
            listening_as(alone) as here,
        ):
            emr.apps = (page,)
            card = link_of(page, emr.resources, server.iss)
            assert "smart" == card["type"]
            emr.launches["card"] = {"appContext": card["appContext"]}
            absolute = link_of(here, emr.resources, None)
            assert "absolute" == absolute["type"]
            run_script(
                "smart.test.mjs", {"PAGE": page, "EMR": at, "HERE": here, "CARD": absolute["url"]}
            )
    journal.close()
