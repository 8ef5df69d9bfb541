"""
The facts that checklists and other people's card formats ask for, each written once.

A field is a function of the material. It answers in words with the place of the figures, or with
None: a gap. ``statement:<key>`` and ``data:<key>`` are what a person said.
"""

from __future__ import annotations

from training.cards import from_definition, from_run
from training.cards.answers import Answer
from training.cards.material import Material
from training.cards.statements import OF_A_DATASET, OF_A_MODEL

FIELDS = from_definition.FIELDS | from_run.FIELDS
"""Field → what is known of it."""


def answer(material: Material, key: str) -> Answer:
    """
    Look a field up.

    Parameters
    ----------
    material : Material
        What is known.
    key : str
        Key of `FIELDS`, ``statement:<key>`` or ``data:<key>``.

    Returns
    -------
    Answer
        With ``text`` None if nobody knows.

    Raises
    ------
    KeyError
        If there is no such field: a checklist asks for what does not exist.
    """
    scope, _, name = key.partition(":")
    if not name:
        return FIELDS[key](material)
    known, said = {
        "statement": (OF_A_MODEL, material.said),
        "data": (OF_A_DATASET, material.said_of_data),
    }[scope]
    if name not in known:
        raise KeyError(key)
    statement = said.get(name)
    if statement is None:
        return Answer(None, "a person")
    by = f"{statement.signed}; {statement.review}"
    return Answer(statement.text, by, applies=statement.applies)
