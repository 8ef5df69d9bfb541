"""
How a service is exposed, from the environment.

``CDSS_CLIENTS`` names the file that says who may call (`serving.clients`); without it the service
is open, and answers only on its own machine. ``CDSS_URL`` is its public address, which tokens must
name; needed with ``CDSS_CLIENTS``. ``CDSS_ORIGINS`` are the origins, separated by commas, whose
pages may call it from a browser. ``CDSS_RATE`` is how many requests each client may send, such as
``6000/minute`` (the default with ``CDSS_CLIENTS``), or ``off``. ``CDSS_FHIR_SERVERS`` are the
bases, separated by commas, of the FHIR servers that may be asked for what a CDS Hooks client did
not send. ``CDSS_FEEDBACK`` is the file that keeps feedback on cards; ``CDSS_FEEDBACK_COMMENTS=1``
keeps users' comments in it too, which are free text. ``CDSS_RECORDS`` is the file that keeps the
records which the offline edition sends; without it they have no address. ``CDSS_SMART`` names the
file of the EMRs from which the page can be opened (`serving.smart.servers`); needs ``CDSS_URL``, to
which they send the browser back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limits import parse

from cdss.errors import DefinitionError
from serving.clients import Clients, read_clients
from serving.jwks import web_address
from serving.origins import origin
from serving.smart.servers import SmartServer, read_servers

HERE = "http://127.0.0.1:3000"
"""Address of an open service, unless said otherwise."""

RATE = "6000/minute"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    How a service is exposed.

    Attributes
    ----------
    clients : Clients or None
        Who may call; None if the service is open.
    base_url : str
        Its public address, without a slash at the end.
    origins : tuple of str
        Origins whose pages may call it.
    rate : str or None
        Requests each client may send; None if as many as it likes.
    fhir_servers : tuple of str
        Bases of the FHIR servers that may be asked.
    feedback : str
        File that keeps feedback; it is lost with the process without one.
    comments : bool
        Whether it keeps users' comments.
    records : str or None
        File that keeps records of the offline edition.
    smart : tuple of SmartServer
        EMRs from which the page can be opened.
    """

    clients: Clients | None = None
    base_url: str = HERE
    origins: tuple[str, ...] = ()
    rate: str | None = None
    fhir_servers: tuple[str, ...] = ()
    feedback: str = ":memory:"
    comments: bool = False
    records: str | None = None
    smart: tuple[SmartServer, ...] = ()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """
    Read how the service is to be exposed.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process.

    Returns
    -------
    Settings
        How the service is exposed.

    Raises
    ------
    DefinitionError
        If a setting is missing or not understood; names it.
    """
    file = environment.get("CDSS_CLIENTS")
    clients = read_clients(Path(file)) if file else None
    base_url = environment.get("CDSS_URL")
    if clients and not base_url:
        raise DefinitionError("CDSS_URL: must be set with CDSS_CLIENTS: tokens have to name it")
    smart = environment.get("CDSS_SMART")
    if smart and not base_url:
        raise DefinitionError("CDSS_URL: must be set with CDSS_SMART: browsers come back to it")
    url = web_address(base_url or HERE, "CDSS_URL").rstrip("/")
    return Settings(
        clients,
        url,
        tuple(origin(o, "CDSS_ORIGINS") for o in _listed(environment, "CDSS_ORIGINS")),
        _rate(environment.get("CDSS_RATE") or (RATE if clients else "off")),
        tuple(_listed(environment, "CDSS_FHIR_SERVERS")),
        environment.get("CDSS_FEEDBACK") or ":memory:",
        environment.get("CDSS_FEEDBACK_COMMENTS") == "1",
        environment.get("CDSS_RECORDS") or None,
        read_servers(Path(smart), url) if smart else (),
    )


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _rate(text: str) -> str | None:
    if text == "off":
        return None
    try:
        parse(text)
    except ValueError:
        raise DefinitionError("CDSS_RATE: must be as 6000/minute, or off") from None
    return text
