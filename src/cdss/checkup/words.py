"""Comparing what people write: names without marks, and words that deny or doubt."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+|[?]")


def folded(text: str) -> str:
    """
    Make spellings of one name equal.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    str
        Lower case, without marks and punctuation, words parted by one space.

    Examples
    --------
    >>> folded("Định lượng  HDL-C [Máu]")
    'dinh luong hdl c mau'
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", kept))


def doubtful(text: str, words: tuple[str, ...]) -> bool:
    """
    Say whether a text holds one of some words.

    Parameters
    ----------
    text : str
        As written.
    words : tuple of str
        With their marks: "dừng" (to stop) is not "dùng" (to use).

    Returns
    -------
    bool
        Whether one of them occurs as a whole word.
    """
    spaced = f" {' '.join(_WORD.findall(text.casefold()))} "
    return "?" in spaced or any(f" {word} " in spaced for word in words)
