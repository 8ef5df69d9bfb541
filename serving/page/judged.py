"""What the clinician thought of an answer: read from the form, for the store of feedback."""

from __future__ import annotations

import re

from cdss.cds_hooks.feedback import Feedback
from cdss.cds_hooks.services import DISEASES, FACTS
from cdss.fhir.parts import name
from serving.page.typed import Typed

REASONS: tuple[str, ...] = tuple(FACTS["override"]["codes"])

_ID = re.compile("[0-9a-f]{32}")


def judged(typed: Typed, at: str) -> dict[str, Feedback]:
    """
    Read what the clinician thought.

    Parameters
    ----------
    typed : mapping of str to str
        The form.
    at : str
        When it was sent.

    Returns
    -------
    dict
        Disease to feedback, of those about which there is some.
    """
    shown = typed.get("assessment_id", "")
    found: dict[str, Feedback] = {}
    if not _ID.fullmatch(shown):
        return found
    for disease in (d.id for d in DISEASES):
        said = typed.get(f"feedback.{disease}", "")
        if said != "accepted" and said not in REASONS:
            continue
        outcome, reason = ("accepted", "") if said == "accepted" else ("overridden", said)
        card = name(shown, "card", disease)  # the name its card has in CDS Hooks
        found[disease] = Feedback(card, outcome, at, (), reason, "")
    return found
