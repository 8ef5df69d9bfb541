"""A patient whose page an EMR opened: the data wait some minutes for the browser that is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cdss import Assessment, PatientRecord
from cdss.cds_hooks.prefetch import KEYS
from cdss.i18n import words
from cdss.reading import Reading
from serving.clients import Client
from serving.expiring import Expiring
from serving.page.render import page
from serving.page.routes import PageApi
from serving.page.sent import Sent
from serving.page.typed import check, fill

SECONDS = 600.0
"""As long can the page be loaded again; then it is opened anew from the EMR, with new data."""

MOST = 500


class Opening(NamedTuple):
    """
    A patient whose page was opened.

    Attributes
    ----------
    reading : Reading
        What the EMR said.
    emr : str
        Its FHIR server; empty if it sent the data with a hook.
    card : str
        Id of the assessment whose card the page was opened from; empty if from none.
    owner : tuple of (str, str) or None
        Issuer and subject of the user who may see it; None if nobody is asked who they are.
    """

    reading: Reading
    emr: str = ""
    card: str = ""
    owner: tuple[str, str] | None = None

    def is_for(self, client: Client | None) -> bool:
        """Tell whether a user may see it."""
        return self.owner is None or (
            client is not None and self.owner == (client.issuer, client.subject)
        )


Openings = Expiring[Opening]

Compare = Callable[[str, Assessment], Awaitable[bool | None]]
"""Tells whether an assessment says what that of some id said; None if that is not known."""


def openings() -> Openings:
    """
    Make a place for patients whose page was opened.

    Returns
    -------
    Openings
        In memory, for `SECONDS`.
    """
    return Expiring(SECONDS, MOST)


class OpenedApi:
    """
    The page of patients that an EMR opened.

    Parameters
    ----------
    page : PageApi
        The page.
    openings : Openings
        The patients.
    compare : callable, optional
        Tells whether the page says what the card said; without, nobody can tell.
    """

    def __init__(self, page: PageApi, openings: Openings, compare: Compare | None = None) -> None:
        self.page, self.openings, self.compare = page, openings, compare

    def routes(self) -> list[Route]:
        """
        List the routes.

        Returns
        -------
        list of starlette.routing.Route
            Both under ``/page``; their names say nothing and expire.
        """
        return [
            Route("/page/card/{name}", self.page.told(self.show)),
            Route("/page/patient/{name}", self.page.told(self.show)),
        ]

    async def show(self, request: Request) -> Response:
        """Show the results; where the data do not suffice, the form with what there is."""
        request.state.lang = self.page.language(request, {})
        text = words(request.state.lang)
        opening = self.openings.find(request.path_params["name"])
        if opening is None or not opening.is_for(getattr(request.state, "client", None)):
            return page("error", text.lang, 410, told=[text("smart.error.gone")])
        reading, typed = opening.reading, {"lang": text.lang}
        if reading.record is None:
            return self.page.show_form(request, typed, reading, opened=_told(opening, None))
        typed |= fill(reading.record, text)
        if not _suffices(reading.record):
            return self.page.show_form(request, typed, reading, opened=_told(opening, None))
        same = None
        if opening.card and self.compare:
            same = await self.compare(opening.card, self.page.answer(reading.record))
        told = _told(opening, same)
        payload = check(typed).payload
        return await self.page.show_results(
            request, Sent(typed, b""), reading.record, payload, reading=reading, opened=told
        )


def _told(opening: Opening, same: bool | None) -> dict[str, str]:
    """What the page says of where it was opened."""
    compared = {None: "unknown", True: "same", False: "changed"}[same]
    return {"emr": opening.emr, "card": opening.card, "compared": compared}


def _suffices(record: PatientRecord) -> bool:
    """Whether more is known than who the patient is."""
    return bool(set(record.values) - record.derived - KEYS[0].variables)
