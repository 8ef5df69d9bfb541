"""Checklists other people wrote, filled from the fields: TRIPOD+AI, and the ONC's attributes."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.cards.answers import Answer
from training.cards.fields import answer
from training.cards.material import Material
from training.cards.words import NOT_PROVIDED, table

HERE = Path(__file__).parent
TRIPOD = tomllib.loads((HERE / "tripod.toml").read_text(encoding="utf-8"))
ATTRIBUTES = tomllib.loads((HERE / "attributes.toml").read_text(encoding="utf-8"))

FILLED, PART, NOT_APPLICABLE = "filled", "filled in part", "not applicable"
BLANK = f"**{NOT_PROVIDED}**"
"""How a gap looks in a checklist."""


class Filled(NamedTuple):
    """
    A row of a checklist, answered.

    Attributes
    ----------
    status : str
        `FILLED`, `PART`, `NOT_PROVIDED` or `NOT_APPLICABLE`.
    text : str
        The answers, blanks marked as blanks.
    by : str
        Who says so.
    """

    status: str
    text: str
    by: str


def fill(material: Material, keys: Sequence[str]) -> Filled:
    """
    Answer a row.

    Parameters
    ----------
    material : Material
        What is known.
    keys : sequence of str
        The row's fields.

    Returns
    -------
    Filled
        Not applicable only if every field says so.
    """
    answers = [answer(material, key) for key in keys]
    known = [a for a in answers if a.text is not None]
    if not known:
        status = NOT_PROVIDED
    elif not any(a.applies for a in known) and len(known) == len(answers):
        status = NOT_APPLICABLE
    else:
        status = FILLED if len(known) == len(answers) else PART
    text = "; ".join(dict.fromkeys(_said(a, material) for a in answers))
    return Filled(status, text, "; ".join(dict.fromkeys(a.by for a in known)))


def tripod(material: Material) -> str:
    """
    Fill the TRIPOD+AI checklist.

    Parameters
    ----------
    material : Material
        What is known.

    Returns
    -------
    str
        Markdown: an abstract, then 52 rows with who can fill each, its status and where it is.
    """
    filled = [(row, fill(material, row["fields"])) for row in TRIPOD["row"]]
    return _page(
        f"TRIPOD+AI checklist of `{material.model.id}` {material.model.version}",
        "Collins GS et al., BMJ 2024;385:e078378 (CC BY 4.0); the words are ours. "
        "Filler: RUN the training or validation run, DEF the definition, HUM a person, mix both. "
        "Applies: D development, E evaluation. A blank is a blank: nobody has said it yet.",
        _tally(status for _, (status, _, _) in filled),
        "## Abstract",
        table(
            ("", ""),
            [(row["asks"], fill(material, row["fields"]).text) for row in TRIPOD["abstract"]],
        ),
        "## Checklist",
        table(
            ("item", "applies", "what must be reported", "filler", "status", "what and where",
             "said by"),
            [
                (row["item"], row["applies"], row["asks"], row["filler"], status, text, by)
                for row, (status, text, by) in filled
            ],
        ),
    )  # fmt: skip


def source_attributes(material: Material) -> str:
    """
    Fill the source attributes of the ONC.

    Parameters
    ----------
    material : Material
        What is known.

    Returns
    -------
    str
        Markdown: 31 attributes in nine groups.
    """
    sections, statuses, count = [], [], 0
    for number, group in enumerate(ATTRIBUTES["group"], 1):
        rows = []
        for attribute in group["attributes"]:
            count += 1
            status, text, by = fill(material, attribute["fields"])
            statuses.append(status)
            rows.append((str(count), attribute["asks"], status, text, by))
        sections.append(f"## {number}. {group['name']}")
        sections.append(table(("", "attribute", "status", "what and where", "said by"), rows))
    return _page(
        f"Source attributes of `{material.model.id}` {material.model.version}",
        "The 31 source attributes of a predictive decision support intervention (US 45 CFR "
        "170.315(b)(11)(iv)(B), ONC HTI-1). They bind certified US record systems, not cdss; they "
        "are a good list of what a user may ask. The words are ours.",
        _tally(statuses),
        *sections,
    )


def _said(found: Answer, material: Material) -> str:
    if found.text is None:
        return BLANK
    if not found.where:
        return found.text
    anchor = found.where.lower().replace(" ", "-")
    return f"{found.text} → [{found.where}](../{material.model.id}.md#{anchor})"


def _tally(statuses: Iterable[str]) -> str:
    found = Counter(statuses)
    parts = [f"{name} {found[name]}" for name in (FILLED, PART, NOT_PROVIDED, NOT_APPLICABLE)]
    return f"{sum(found.values())} rows: {', '.join(parts)}."


def _page(title: str, *sections: Any) -> str:
    return "\n\n".join([f"# {title}", *sections]) + "\n"
