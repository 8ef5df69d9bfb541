"""Where a number comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cdss.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Source:
    """
    A citation precise enough to check a number against the page.

    Parameters
    ----------
    citation : str
        Who published it, where and when.
    locator : str
        Table, page, equation or file column. Refused if empty: a citation is not provenance.
    url : str, optional
        Where it can be read.
    erratum : str, optional
        Known misprint, and what is right.
    checked_on : datetime.date, optional
        When somebody last compared the number with the source.

    Raises
    ------
    DefinitionError
        If `citation` or `locator` is empty.
    """

    citation: str
    locator: str
    url: str = ""
    erratum: str = ""
    checked_on: date | None = None

    def __post_init__(self) -> None:
        if not self.citation.strip() or not self.locator.strip():
            raise DefinitionError("a Source needs a citation and a locator (table, page, column)")
