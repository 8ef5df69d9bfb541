"""What a card of CDS Hooks links to: the page, opened as the EMR that gets the card can open it."""

from __future__ import annotations

from collections.abc import Sequence

from cdss.cds_hooks.cards import Link
from cdss.cds_hooks.request import HookRequest
from cdss.reading import Reading
from serving.page.opened import Opening, Openings
from serving.smart.servers import SmartServer, find_server


class CardLinks:
    """
    Links for cards.

    Parameters
    ----------
    base_url : str
        Our public address.
    servers : sequence of SmartServer
        EMRs that can open the page by SMART App Launch.
    openings : Openings, optional
        Where patients are kept for other EMRs, on a machine of one's own; without, their cards have
        no link, since the browser could not show who its user is.
    """

    def __init__(
        self, base_url: str, servers: Sequence[SmartServer], openings: Openings | None
    ) -> None:
        self.base_url, self.servers, self.openings = base_url, servers, openings

    def __call__(
        self, asked: HookRequest, assessment_id: str, reading: Reading, here: str
    ) -> Link | None:
        """
        Make the link of the cards of one answer.

        Parameters
        ----------
        asked : HookRequest
            The request.
        assessment_id : str
            Of the answer.
        reading : Reading
            What it is made of.
        here : str
            Our address as the request has it.

        Returns
        -------
        Link or None
            Nothing in it says anything of the patient.
        """
        if asked.fhir_server and find_server(self.servers, asked.fhir_server):
            return Link(f"{self.base_url}/smart/launch", "smart", assessment_id)
        if self.openings is None or reading.record is None:
            return None
        name = self.openings.keep(Opening(reading, card=assessment_id))
        return Link(f"{here}/page/card/{name}")
