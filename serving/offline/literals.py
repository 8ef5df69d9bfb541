"""Values and names of Python as JavaScript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_RESERVED = frozenset(
    {
        "arguments", "await", "case", "catch", "const", "debugger", "default", "delete", "do",
        "enum", "eval", "export", "extends", "function", "implements", "instanceof", "interface",
        "let", "new", "null", "package", "private", "protected", "public", "static", "super",
        "switch", "this", "throw", "typeof", "var", "void", "with", "yield",
    }
)  # fmt: skip


def javascript(value: Any) -> str:
    """
    Write a value as JavaScript.

    Parameters
    ----------
    value : object
        Of numbers, texts, truths, None, lists, tuples, sets and mappings.

    Returns
    -------
    str
        An expression; a mapping whose keys are no texts becomes ``py.table``, a tuple whose
        members have names an object.
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, set | frozenset):
        return f"py.set({javascript(sorted(value))})"
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            inside = ",".join(f"{json.dumps(k)}:{javascript(v)}" for k, v in value.items())
            return f"{{{inside}}}"
        return f"py.table({javascript([[k, v] for k, v in value.items()])})"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(javascript, value))}]"
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return json.dumps(value, ensure_ascii=False)


def spelled(name: str) -> str:
    """
    Spell a name of Python in JavaScript.

    Parameters
    ----------
    name : str
        Any name.

    Returns
    -------
    str
        The same, or with an underscore if the word is reserved there.
    """
    return f"{name}_" if name in _RESERVED else name
