"""
Every sentence a person reads, one TOML file a language; English is the reference.

A key that is missing is an error, never an English sentence in a Vietnamese page. Only display
changes with the language: codes, JSON numbers and units on the wire do not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from cdss.errors import UnknownLanguage
from cdss.i18n.text import Words

__all__ = ["LANGUAGES", "Words", "words"]

_FILES = resources.files("cdss.i18n")

LANGUAGES: tuple[str, ...] = tuple(
    sorted(f.name.removesuffix(".toml") for f in _FILES.iterdir() if f.name.endswith(".toml"))
)
"""Codes of the languages there are words in."""


@lru_cache
def words(lang: str) -> Words:
    """
    Words of a language.

    Parameters
    ----------
    lang : str
        One of `LANGUAGES`.

    Returns
    -------
    Words
        The same object each time.

    Raises
    ------
    UnknownLanguage
        If there are none; it lists the languages there are.
    """
    if lang not in LANGUAGES:
        raise UnknownLanguage(lang, LANGUAGES)
    text = (_FILES / f"{lang}.toml").read_text(encoding="utf-8")
    return Words(lang, dict(_flat(tomllib.loads(text))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
