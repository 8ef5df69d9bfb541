"""What is known of one field: in words, from whom, and where the figures are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from training.cards.material import Material

DEFINITION, RUN = "the definition", "the run"


@dataclass(frozen=True)
class Answer:
    """
    What is known of a field.

    Parameters
    ----------
    text : str or None
        None: not provided.
    by : str
        Where it comes from: `DEFINITION`, `RUN`, or a person with a date.
    where : str
        Heading of the card that has the figures; empty if the text is all there is.
    applies : bool
        False if the question does not apply; `text` then says why.
    """

    text: str | None
    by: str = DEFINITION
    where: str = ""
    applies: bool = True


Field = Callable[[Material], Answer]
"""A fact that checklists ask for, looked up in the material."""


def sites(m: Material) -> Mapping[str, Any]:
    """Figures of each site left out, the evidence's before the training's."""
    return (m.evidence.get("sites") or {}).get("each") or m.sites_kept
