"""``cdss sandbox``; it exits with 1 if anything is not as it must be."""

from __future__ import annotations

import json
import ssl
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cdss.console import Lang, fail, show, words_of
from cdss.i18n import Words
from cdss.sandbox.client import Client
from cdss.sandbox.play import play
from cdss.sandbox.show import findings, patient_cards
from cdss.sandbox.signing import Signer

FAILED = 1


def sandbox(
    url: Annotated[str, typer.Argument(help="Where the server is reached.")],
    key: Annotated[
        str | None,
        typer.Option(envvar="CDSS_SANDBOX_KEY", help="API key or access token: assess fhir read."),
    ] = None,
    jwk: Annotated[
        Path | None, typer.Option(help="Private key (JWK) that signs tokens for CDS Hooks.")
    ] = None,
    issuer: Annotated[str, typer.Option(help="Name in those tokens, iss.")] = (
        "https://emr.example.org"
    ),
    public_url: Annotated[
        str | None, typer.Option(help="CDSS_URL of the server, if it is not URL.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option(help="Origin of pages that are to call it from a browser.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Whom to trust, PEM.")] = None,
    cert: Annotated[
        Path | None, typer.Option(help="Certificate with key to show (mTLS), PEM.")
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Show details of cards.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Folder for what was sent and answered.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Play a small EMR against a running server: show its cards, and check its contract."""
    text = words_of(lang)
    try:
        client = Client(url, public_url=public_url, key=key, signer=_signer(jwk, issuer, text),
                        lang=lang, tls=_tls(ca, cert, text))  # fmt: skip
    except ValueError:
        fail(text("sandbox.bad_url"))
    played = play(client, date.today(), origin)
    for name, cards in played.cards.items():
        show(*patient_cards(name, cards, text, details=details))
    show(*findings(played.report, text))
    if save:
        _save(save, played.files)
        show(text("sandbox.saved", folder=str(save)))
    show("", text("notice.advisory"))
    if played.report.failed:
        raise typer.Exit(FAILED)


def _signer(file: Path | None, issuer: str, text: Words) -> Signer | None:
    try:
        return Signer(json.loads(file.read_text(encoding="utf-8")), issuer) if file else None
    except OSError:
        fail(text("cli.unreadable", name=str(file)))
    except ImportError:
        fail(text("sandbox.no_joserfc"))
    except (ValueError, KeyError, TypeError, AttributeError):
        fail(text("sandbox.bad_jwk"))


def _tls(ca: Path | None, cert: Path | None, text: Words) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if cert:
            context.load_cert_chain(cert)
        return context
    except OSError:  # ssl.SSLError too
        fail(text("cli.unreadable", name=", ".join(str(file) for file in (ca, cert) if file)))


def _save(folder: Path, files: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if not isinstance(content, bytes):
            content = (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
        (folder / name).write_bytes(content)
