"""Which model and which code, as digests: what an answer depends on besides the record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cdss
from cdss.jurisdiction import Model

_PACKAGE = Path(cdss.__file__).parent
_NOT_CODE = frozenset({"__pycache__", "bundles"})


class Identity(NamedTuple):
    """
    Exactly which model.

    Attributes
    ----------
    model, version : str
        Its id and version.
    digest : str or None
        SHA-256 of a bundle's manifest, which has those of its other files; of an equation's folder.
        None for a model that has neither.
    released : bool
        Whether it has a release record, or needs none.
    """

    model: str
    version: str
    digest: str | None
    released: bool


class Code(NamedTuple):
    """
    Exactly which code.

    Attributes
    ----------
    version : str
        Of cdss.
    digest : str
        SHA-256 of all files of the package but the bundles.
    """

    version: str
    digest: str


def identities(models: Iterable[Model]) -> dict[str, Identity]:
    """
    Say exactly which models these are.

    Parameters
    ----------
    models : iterable of RiskModel or PointsScore
        Models.

    Returns
    -------
    dict of str to Identity
        By id.
    """
    found = {}
    for model in models:
        digest = model.facts.get("digest")
        if digest is None and (name := model.facts.get("equation")):
            digest = folder_digest(_PACKAGE / "equations" / name)
        released = getattr(model, "released", True)
        found[model.id] = Identity(model.id, model.version, digest, released)
    return found


@lru_cache(maxsize=1)
def code() -> Code:
    """
    Say exactly which code this is.

    Returns
    -------
    Code
        Of the running package, as its files are when first asked.
    """
    return Code(cdss.__version__, folder_digest(_PACKAGE))


@lru_cache
def folder_digest(folder: Path) -> str:
    """
    Hash the files of a folder and of those in it.

    Parameters
    ----------
    folder : pathlib.Path
        Of the package; bundles and compiled files are left out.

    Returns
    -------
    str
        SHA-256, hexadecimal digits, of the files' names and SHA-256s in the order of their names.
    """
    files = {
        file.relative_to(folder).as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and not _NOT_CODE & set(file.relative_to(folder).parts)
    }
    lines = [
        f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(files)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
